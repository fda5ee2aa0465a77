/* SPDX-License-Identifier: BSD-2-Clause */
/* mtx(9) and sx(9), with the rules of both. */
#include "internal.h"

enum {
    /* Polls of a spin lock after which its owner will not let go any more. */
    SPIN_MAX = 20000000,
    SPIN_MAX_LOCKSTEP = 200000,
};

static struct {
    struct lock_object *first; /* all that are initialised; host_lock() */
    u_int spin_max;
} g = {
    .spin_max = SPIN_MAX,
};

static const char *kind_name(u_int kind)
{
    static const char *const names[] = {
        [LOCK_NONE] = "lock that was not initialised",
        [LOCK_SPIN] = "spin mutex",
        [LOCK_DEF] = "mutex",
        [LOCK_SX] = "sx lock",
    };

    return names[kind > LOCK_SX ? (u_int)LOCK_NONE : kind];
}

static void init(struct lock_object *l, const char *name, u_int kind)
{
    const struct lock_object *known;

    host_lock();
    for (known = g.first; known != NULL && known != l; known = known->shim_next)
        continue;
    host_unlock();
    if (known != NULL)
        panic("%s %s is initialised twice", kind_name(kind), name);
    memset(l, 0, sizeof(*l));
    l->lo_name = name;
    l->shim_kind = kind;
    l->shim_class = shim_order_class(name);
    host_lock();
    l->shim_next = g.first;
    g.first = l;
    host_unlock();
}

static void destroy(struct lock_object *l, u_int kind, bool held)
{
    struct lock_object **at;

    if (l->shim_kind != kind)
        panic("%s where a %s is destroyed", kind_name(l->shim_kind),
              kind_name(kind));
    if (held)
        panic("%s %s is destroyed while held", kind_name(kind), l->lo_name);
    host_lock();
    for (at = &g.first; *at != l; at = &(*at)->shim_next)
        must(*at != NULL);
    *at = l->shim_next;
    host_unlock();
    l->shim_kind = LOCK_NONE;
}

static bool holds(const struct shim_thread *t, const struct lock_object *l)
{
    for (u_int i = 0; i < t->held_count; i++)
        if (t->held[i] == l)
            return true;
    return false;
}

static struct shim_thread *locker(const struct lock_object *l, u_int kind)
{
    struct shim_thread *t = shim_self();

    if (l->shim_kind != kind)
        panic("%s where a %s is taken or released", kind_name(l->shim_kind),
              kind_name(kind));
    if (t == NULL || t->cpu == NULL)
        panic("%s %s by somebody without a CPU", kind_name(kind), l->lo_name);
    return t;
}

/* A lock whose holder may sleep, or be made to wait. */
static void check_may_wait(const struct shim_thread *t,
                           const struct lock_object *l)
{
    const char *where = NULL;

    for (u_int i = 0; i < t->held_count; i++) {
        const struct lock_object *h = t->held[i];

        if (h->shim_kind == LOCK_SPIN ||
            (h->shim_kind == LOCK_DEF && l->shim_kind == LOCK_SX))
            panic("%s %s is taken with %s %s held", kind_name(l->shim_kind),
                  l->lo_name, kind_name(h->shim_kind), h->lo_name);
    }
    if (t->in_intr != 0)
        where = "in an interrupt handler";
    else if (t->td.td_critnest != 0)
        where = "in a critical section";
    else if (!t->interrupts)
        where = "with interrupts off";
    if (where != NULL)
        panic("%s %s is taken %s", kind_name(l->shim_kind), l->lo_name, where);
}

void shim_may_sleep(const char *what, const struct lock_object *but)
{
    const struct shim_thread *t = shim_self();

    if (t == NULL || t->cpu == NULL)
        panic("%s: sleep by somebody without a CPU", what);
    if (t->in_intr != 0)
        panic("%s: sleep in an interrupt handler", what);
    for (u_int i = 0; i < t->held_count; i++)
        if (t->held[i]->shim_kind != LOCK_SX && t->held[i] != but)
            panic("%s: sleep with %s %s held", what,
                  kind_name(t->held[i]->shim_kind), t->held[i]->lo_name);
    if (t->td.td_critnest != 0)
        panic("%s: sleep in a critical section", what);
    if (!t->interrupts)
        panic("%s: sleep with interrupts off", what);
}

static void push(struct shim_thread *t, struct lock_object *l)
{
    if (t->held_count == HELD_MAX)
        panic("%s holds more than %d locks", t->td.td_name, HELD_MAX);
    t->held[t->held_count++] = l;
}

static void pop(struct shim_thread *t, const struct lock_object *l)
{
    u_int i = t->held_count;

    do {
        i--;
    } while (t->held[i] != l);
    for (t->held_count--; i < t->held_count; i++)
        t->held[i] = t->held[i + 1];
}

static void check_owner(const struct shim_thread *t,
                        const struct lock_object *l)
{
    if (!holds(t, l))
        panic("%s %s is released by %s, which does not hold it",
              kind_name(l->shim_kind), l->lo_name, t->td.td_name);
}

/* True: it was held already, and may be taken again. */
static bool again(struct shim_thread *t, struct lock_object *l)
{
    if (!holds(t, l))
        return false;
    if (!l->shim_recurse)
        panic("%s %s is taken twice by %s", kind_name(l->shim_kind), l->lo_name,
              t->td.td_name);
    l->shim_depth++;
    return true;
}

/* mtx(9) */

void shim_mtx_init(struct mtx *m, const char *name, const char *type, int opts)
{
    (void)type;
    init(&m->lock_object, name, (opts & MTX_SPIN) != 0 ? LOCK_SPIN : LOCK_DEF);
    m->lock_object.shim_dupok = (opts & MTX_DUPOK) != 0;
    m->lock_object.shim_recurse = (opts & MTX_RECURSE) != 0;
    __atomic_store_n(&m->mtx_lock, 0, __ATOMIC_RELEASE);
}

static uintptr_t owner(const struct mtx *m)
{
    return __atomic_load_n(&m->mtx_lock, __ATOMIC_RELAXED);
}

void shim_mtx_destroy(struct mtx *m)
{
    const struct shim_thread *t = shim_self();
    const u_int kind = m->lock_object.shim_kind;

    if (kind != LOCK_SPIN && kind != LOCK_DEF)
        panic("%s where a mutex is destroyed", kind_name(kind));
    /* As in the kernel: the caller itself may hold it. */
    if (owner(m) == (uintptr_t)t)
        shim_mtx_unlock(m, kind == LOCK_SPIN);
    destroy(&m->lock_object, kind, owner(m) != 0);
}

static bool try(struct mtx *m, const struct shim_thread *t)
{
    uintptr_t nobody = 0;

    return __atomic_compare_exchange_n(&m->mtx_lock, &nobody, (uintptr_t)t,
                                       false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static void lock_spin(struct shim_thread *t, struct mtx *m)
{
    u_int polls = 0;

    while (!try(m, t)) {
        host_relax();
        if (++polls > g.spin_max)
            panic("spin lock %s held too long by %s", m->lock_object.lo_name,
                  ((struct shim_thread *)owner(m))->td.td_name);
    }
}

static void lock_sleep(struct shim_thread *t, struct mtx *m)
{
    bool mine;

    do {
        host_lock();
        mine = try(m, t);
        if (!mine)
            shim_sleep_locked(m, m->lock_object.lo_name, 0);
        host_unlock();
        if (!mine)
            (void)shim_sleep_switch();
    } while (!mine);
}

void shim_mtx_lock(struct mtx *m, bool spin)
{
    struct lock_object *l = &m->lock_object;
    struct shim_thread *t = locker(l, spin ? LOCK_SPIN : LOCK_DEF);

    if (again(t, l)) {
        if (spin)
            spinlock_enter();
        return;
    }
    if (!spin)
        check_may_wait(t, l);
    shim_order_check(t, l);
    shim_point();
    if (spin) {
        spinlock_enter();
        lock_spin(t, m);
    } else {
        lock_sleep(t, m);
    }
    push(t, l);
}

bool shim_mtx_trylock(struct mtx *m, bool spin)
{
    struct lock_object *l = &m->lock_object;
    struct shim_thread *t = locker(l, spin ? LOCK_SPIN : LOCK_DEF);
    bool mine;

    if (again(t, l)) {
        if (spin)
            spinlock_enter();
        return true;
    }
    shim_point();
    if (spin)
        spinlock_enter();
    mine = try(m, t);
    if (mine)
        push(t, l);
    else if (spin)
        spinlock_exit();
    return mine;
}

void shim_mtx_unlock(struct mtx *m, bool spin)
{
    struct lock_object *l = &m->lock_object;
    struct shim_thread *t = locker(l, spin ? LOCK_SPIN : LOCK_DEF);

    check_owner(t, l);
    if (l->shim_depth > 0) {
        l->shim_depth--;
    } else {
        pop(t, l);
        host_lock();
        __atomic_store_n(&m->mtx_lock, 0, __ATOMIC_RELEASE);
        if (!spin)
            shim_wakeup_locked(m, false);
        host_unlock();
    }
    if (spin)
        spinlock_exit();
    else
        shim_point();
}

bool shim_mtx_owned(const struct mtx *m)
{
    return owner(m) == (uintptr_t)shim_self();
}

void shim_mtx_assert(const struct mtx *m, int what)
{
    if ((what & MA_OWNED) != 0 && !mtx_owned(m))
        panic("mutex %s not owned", m->lock_object.lo_name);
    if ((what & MA_NOTOWNED) != 0 && mtx_owned(m))
        panic("mutex %s owned", m->lock_object.lo_name);
}

void mtx_sysinit(const void *arg)
{
    const struct mtx_args *a = arg;

    mtx_init(a->ma_mtx, a->ma_desc, NULL, a->ma_opts);
}

void mtx_sysuninit(const void *arg)
{
    const struct mtx_args *a = arg;

    mtx_destroy(a->ma_mtx);
}

/* sx(9) */

void sx_init_flags(struct sx *sx, const char *description, int opts)
{
    init(&sx->lock_object, description, LOCK_SX);
    sx->lock_object.shim_dupok = (opts & SX_DUPOK) != 0;
    sx->lock_object.shim_recurse = (opts & SX_RECURSE) != 0;
    sx->sx_lock = 0;
}

void sx_destroy(struct sx *sx)
{
    bool held;

    host_lock();
    held =
        sx->lock_object.shim_owner != NULL || sx->lock_object.shim_readers != 0;
    host_unlock();
    destroy(&sx->lock_object, LOCK_SX, held);
}

static void lock_sx(struct sx *sx, bool exclusive)
{
    struct lock_object *l = &sx->lock_object;
    struct shim_thread *t = locker(l, LOCK_SX);
    bool mine;

    if (again(t, l))
        return;
    check_may_wait(t, l);
    shim_order_check(t, l);
    shim_point();
    do {
        host_lock();
        mine = l->shim_owner == NULL && (!exclusive || l->shim_readers == 0);
        if (!mine)
            shim_sleep_locked(sx, l->lo_name, 0);
        else if (exclusive)
            l->shim_owner = &t->td;
        else
            l->shim_readers++;
        host_unlock();
        if (!mine)
            (void)shim_sleep_switch();
    } while (!mine);
    push(t, l);
}

static void unlock_sx(struct sx *sx, bool exclusive)
{
    struct lock_object *l = &sx->lock_object;
    struct shim_thread *t = locker(l, LOCK_SX);

    check_owner(t, l);
    if (l->shim_depth > 0) {
        l->shim_depth--;
        return;
    }
    if (exclusive != (l->shim_owner == &t->td))
        panic("sx lock %s is released in another mode than taken", l->lo_name);
    pop(t, l);
    host_lock();
    if (exclusive)
        l->shim_owner = NULL;
    else
        l->shim_readers--;
    shim_wakeup_locked(sx, true);
    host_unlock();
    shim_point();
}

void sx_xlock(struct sx *sx)
{
    lock_sx(sx, true);
}

void sx_xunlock(struct sx *sx)
{
    unlock_sx(sx, true);
}

void sx_slock(struct sx *sx)
{
    lock_sx(sx, false);
}

void sx_sunlock(struct sx *sx)
{
    unlock_sx(sx, false);
}

int sx_xlocked(const struct sx *sx)
{
    const struct shim_thread *t = shim_self();

    return t != NULL && holds(t, &sx->lock_object) &&
           sx->lock_object.shim_owner == &t->td;
}

void sx_assert(const struct sx *sx, int what)
{
    const bool held = holds(shim_self(), &sx->lock_object);

    if (((what & (SA_LOCKED | SA_SLOCKED)) != 0 && !held) ||
        ((what & SA_XLOCKED) != 0 && !sx_xlocked(sx)) ||
        (what == SA_UNLOCKED && held))
        panic("sx lock %s is not as asserted (%d)", sx->lock_object.lo_name,
              what);
}

void sx_sysinit(const void *arg)
{
    const struct sx_args *a = arg;

    sx_init(a->sa_sx, a->sa_desc);
}

void sx_sysuninit(const void *arg)
{
    const struct sx_args *a = arg;

    sx_destroy(a->sa_sx);
}

/* At the end, and when memory is freed. */

void shim_lock_check_end(void)
{
    if (g.first != NULL)
        panic("%s %s was not destroyed", kind_name(g.first->shim_kind),
              g.first->lo_name);
}

void shim_lock_check_range(const void *p, size_t size)
{
    const struct lock_object *l;

    host_lock();
    for (l = g.first; l != NULL; l = l->shim_next)
        if ((uintptr_t)l >= (uintptr_t)p && (uintptr_t)l < (uintptr_t)p + size)
            break;
    host_unlock();
    if (l != NULL)
        panic("memory is freed with %s %s in it", kind_name(l->shim_kind),
              l->lo_name);
}

void shim_lock_reset(bool lockstep)
{
    g.first = NULL;
    g.spin_max = lockstep ? SPIN_MAX_LOCKSTEP : SPIN_MAX;
    shim_order_reset();
}
