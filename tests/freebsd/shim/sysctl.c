/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl(9), tunables, sbuf(9) for both, and counter(9). */
#include "internal.h"

#include <sys/counter.h>
#include <sys/sbuf.h>
#include <sys/sysctl.h>

#include <stdarg.h>

enum {
    NAME_MAX_ = 96,
    ENV_MAX = 16,
};

/* Of the C library; the kernel has them, too. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
unsigned long long strtoull(const char *s, char **end, int base);

extern struct sysctl_oid *const __start_shim_sysctl[];
extern struct sysctl_oid *const __stop_shim_sysctl[];

MALLOC_DEFINE(M_COUNTER, "counter", "counter(9)");
MALLOC_DEFINE(M_SBUF, "sbuf", "sbuf(9)");

SYSCTL_NODE(, OID_AUTO, hw, CTLFLAG_RW, NULL, "hardware");

static struct {
    char name[NAME_MAX_];
    char value[NAME_MAX_];
} env[ENV_MAX];

static struct {
    const struct sysctl_oid *oid;
    char value[NAME_MAX_];
} defaults[ENV_MAX];
static u_int defaults_used;

/* Tunables. */

void shim_setenv(const char *name, const char *value)
{
    if (name == NULL) {
        memset(env, 0, sizeof(env));
        return;
    }
    for (u_int i = 0; i < ENV_MAX; i++) {
        if (env[i].name[0] == '\0' || strcmp(env[i].name, name) == 0) {
            (void)snprintf(env[i].name, NAME_MAX_, "%s", name);
            (void)snprintf(env[i].value, NAME_MAX_, "%s", value);
            return;
        }
    }
    shim_fail("shim: too many tunables");
}

static const char *lookup(const char *name)
{
    for (u_int i = 0; i < ENV_MAX; i++)
        if (strcmp(env[i].name, name) == 0)
            return env[i].value;
    return NULL;
}

int getenv_uint64(const char *name, uint64_t *data)
{
    const char *text = lookup(name);

    if (text == NULL)
        return 0;
    *data = strtoull(text, NULL, 0);
    return 1;
}

int getenv_int(const char *name, int *data)
{
    uint64_t value;

    if (getenv_uint64(name, &value) == 0)
        return 0;
    *data = (int)value;
    return 1;
}

int getenv_bool(const char *name, bool *data)
{
    uint64_t value;

    if (getenv_uint64(name, &value) == 0)
        return 0;
    *data = value != 0;
    return 1;
}

void tunable_int_init(const void *data)
{
    const struct tunable_int *t = data;

    (void)getenv_int(t->path, t->var);
}

/* The tree: each object knows the name of its parent's identifier. */

static const struct sysctl_oid *parent_of(const struct sysctl_oid *o)
{
    char name[NAME_MAX_];

    for (struct sysctl_oid *const *p = __start_shim_sysctl;
         p < __stop_shim_sysctl; p++) {
        (void)snprintf(name, sizeof(name), "%s_%s", (*p)->oid_parent,
                       (*p)->oid_name);
        if (strcmp(name, o->oid_parent) == 0)
            return *p;
    }
    return NULL;
}

static void full_name(const struct sysctl_oid *o, char *name)
{
    char tail[NAME_MAX_];

    (void)snprintf(name, NAME_MAX_, "%s", o->oid_name);
    while (o->oid_parent[0] != '\0') {
        o = parent_of(o);
        if (o == NULL)
            panic("sysctl %s has no parent", name);
        (void)snprintf(tail, sizeof(tail), "%s", name);
        (void)snprintf(name, NAME_MAX_, "%s.%.40s", o->oid_name, tail);
    }
}

static size_t size_of(const struct sysctl_oid *o)
{
    switch (o->oid_kind & CTLTYPE) {
    case CTLTYPE_STRING:
        return (size_t)o->oid_arg2;
    case CTLTYPE_U64:
        return sizeof(uint64_t);
    default:
        return sizeof(int);
    }
}

/* A boot finds what the image says, not what the one before has set. */
static void fetch(const struct sysctl_oid *o, const char *name)
{
    if (defaults_used == ENV_MAX || size_of(o) > NAME_MAX_)
        shim_fail("shim: no room for tunable %s", name);
    defaults[defaults_used].oid = o;
    memcpy(defaults[defaults_used++].value, o->oid_arg1, size_of(o));
    if ((o->oid_kind & CTLTYPE) == CTLTYPE_STRING && lookup(name) != NULL)
        (void)strlcpy(o->oid_arg1, lookup(name), (size_t)o->oid_arg2);
    else if ((o->oid_kind & CTLTYPE) == CTLTYPE_U64)
        (void)getenv_uint64(name, o->oid_arg1);
    else if ((o->oid_kind & CTLTYPE) != CTLTYPE_STRING)
        (void)getenv_int(name, o->oid_arg1);
}

void shim_tunables_fetch(void)
{
    char name[NAME_MAX_];

    for (struct sysctl_oid *const *p = __start_shim_sysctl;
         p < __stop_shim_sysctl; p++) {
        full_name(*p, name);
        if (((*p)->oid_kind & CTLFLAG_TUN) != 0 &&
            ((*p)->oid_kind & CTLFLAG_NOFETCH) == 0)
            fetch(*p, name);
    }
}

void shim_tunables_restore(void)
{
    while (defaults_used > 0) {
        const struct sysctl_oid *o = defaults[--defaults_used].oid;

        memcpy(o->oid_arg1, defaults[defaults_used].value, size_of(o));
    }
}

static bool read_oid(const char *want, u_int type, void *value, size_t size)
{
    struct sysctl_req req = {value, size, 0, NULL, 0};
    char name[NAME_MAX_];

    for (struct sysctl_oid *const *p = __start_shim_sysctl;
         p < __stop_shim_sysctl; p++) {
        struct sysctl_oid *o = *p;

        full_name(o, name);
        if (strcmp(name, want) == 0 && (o->oid_kind & CTLTYPE) == type &&
            o->oid_handler != NULL)
            return o->oid_handler(o, o->oid_arg1, o->oid_arg2, &req) == 0;
    }
    return false;
}

bool shim_sysctl_u64(const char *name, uint64_t *value)
{
    u_int word = 0;

    if (read_oid(name, CTLTYPE_U64, value, sizeof(*value)))
        return true;
    if (!read_oid(name, CTLTYPE_INT, &word, sizeof(word)) &&
        !read_oid(name, CTLTYPE_UINT, &word, sizeof(word)))
        return false;
    *value = word;
    return true;
}

bool shim_sysctl_text(const char *name, char *text, size_t size)
{
    memset(text, 0, size);
    return read_oid(name, CTLTYPE_STRING, text, size - 1);
}

int shim_sysctl_out(struct sysctl_req *req, const void *p, size_t len)
{
    if (len > req->oldlen - req->oldidx)
        return ENOMEM;
    memcpy((char *)req->oldptr + req->oldidx, p, len);
    req->oldidx += len;
    return 0;
}

int sysctl_wire_old_buffer(struct sysctl_req *req, size_t len)
{
    (void)req;
    (void)len;
    return 0;
}

int sysctl_handle_int(SYSCTL_HANDLER_ARGS)
{
    const int constant = (int)arg2;

    (void)oidp;
    return shim_sysctl_out(req, arg1 == NULL ? &constant : arg1, sizeof(int));
}

int sysctl_handle_64(SYSCTL_HANDLER_ARGS)
{
    const uint64_t constant = (uint64_t)arg2;

    (void)oidp;
    return shim_sysctl_out(req, arg1 == NULL ? &constant : arg1,
                           sizeof(uint64_t));
}

int sysctl_handle_string(SYSCTL_HANDLER_ARGS)
{
    (void)oidp;
    (void)arg2;
    return shim_sysctl_out(req, arg1, strlen(arg1) + 1);
}

int sysctl_handle_counter_u64(SYSCTL_HANDLER_ARGS)
{
    const uint64_t value = counter_u64_fetch(*(counter_u64_t *)arg1);

    (void)oidp;
    (void)arg2;
    return shim_sysctl_out(req, &value, sizeof(value));
}

/* sbuf(9), for sysctls only. */

struct sbuf *sbuf_new_for_sysctl(struct sbuf *s, char *buf, int length,
                                 struct sysctl_req *req)
{
    const bool own = s == NULL;

    (void)length;
    must(buf == NULL);
    if (own)
        s = malloc(sizeof(*s), M_SBUF, M_WAITOK);
    *s = (struct sbuf){req, 0, own};
    return s;
}

static int append(struct sbuf *s, const char *text, size_t len)
{
    if (s->shim_error == 0)
        s->shim_error = shim_sysctl_out(s->shim_req, text, len);
    return s->shim_error == 0 ? 0 : -1;
}

int sbuf_cat(struct sbuf *s, const char *str)
{
    return append(s, str, strlen(str));
}

int sbuf_putc(struct sbuf *s, int c)
{
    const char text = (char)c;

    return append(s, &text, 1);
}

int sbuf_printf(struct sbuf *s, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return sbuf_cat(s, text);
}

int sbuf_finish(struct sbuf *s)
{
    return s->shim_error;
}

void sbuf_delete(struct sbuf *s)
{
    if (s->shim_allocated)
        free(s, M_SBUF);
}

/* counter(9) */

counter_u64_t counter_u64_alloc(int flags)
{
    return malloc(sizeof(uint64_t), M_COUNTER, flags | M_ZERO);
}

void counter_u64_free(counter_u64_t c)
{
    free(c, M_COUNTER);
}

void counter_u64_add(counter_u64_t c, int64_t inc)
{
    (void)__atomic_fetch_add(c, (uint64_t)inc, __ATOMIC_RELAXED);
}

uint64_t counter_u64_fetch(counter_u64_t c)
{
    return __atomic_load_n(c, __ATOMIC_RELAXED);
}

void counter_u64_zero(counter_u64_t c)
{
    __atomic_store_n(c, 0, __ATOMIC_RELAXED);
}
