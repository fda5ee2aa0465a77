/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bindings of bind.c. What must hold, by the letters of the documentation:
 *
 *  C  one work at a time changes the entry, and calls return what their contract says
 *  B  when a call has returned 0, its change or a newer one is in force and flushed,
 *     and no older one comes back
 *  G  a vCPU that a unit may post to has a reference, and its detach has not succeeded
 *  E  at the end nothing is due or in flight, the entry is as decided and flushed, and
 *     references and holds balance
 *  X  nobody waits for ever
 */
#include "bindings.h"

#include <stddef.h>
#include <string.h>

#include "vtdpi/bind.h"

enum {
    VCPUS = 2,
    VECTORS = 2, /* of the first message and of the second */
    HOST = VCPUS * VECTORS,
    FORMS,
    TORN = FORMS, /* no form that was made */
    CHANGES = 4,
    BUCKETS = 2,
    INDEX = 7,
    AWAY = 9, /* an id that no message names */
    ANV = 0xf2,
    PHYS = 0x40000,
};

static struct {
    _Alignas(4096) unsigned char memory[VTDPI_PAGE_SIZE];
    struct vtdpi_sched sched;
    struct vtdpi_page_ref pages[1];
    struct vtdpi_pcpu *pcpus[1];
    struct vtdpi_pid_page page;
    struct vtdpi_vcpu vcpu[VCPUS];
    /* Follow from the destination of the only binding. */
    struct vtdpi_binding *heads[VTDPI_VM_HEADS(BUCKETS)];
    /* From here on for ex_plain(). */
    uint64_t lock; /* of the decide lock: fiber, + 1 */
    struct vtdpi_vm vm;
    struct vtdpi_binding binding;
    struct vtdpi_vcpu *vcpus[VCPUS];
    struct vtdpi_guest_apic apics[VCPUS];
    uint64_t keys[VTDPI_ROUTE_MAP_KEYS(VCPUS)];
    /* What the changes come to, of their own: dest, vector, ids. */
    uint64_t dest;
    uint64_t vector;
    uint64_t id[VCPUS];
    uint64_t detached; /* vCPU 0, from the VM */
    uint64_t gone;     /* vCPU 0 belongs to somebody else */
    uint64_t leaving;  /* the unbind has begun */
    uint64_t changes;
    uint64_t form[CHANGES + 1]; /* decided after that many changes */
    uint64_t in_force;          /* the latest change that was called done */
    uint64_t changing;          /* fiber between replace and the flush, + 1 */
    struct vtdpi_irte entry;    /* in the table */
    struct vtdpi_irte cached;   /* a unit may use this one until the flush */
    struct vtdpi_irq irq;       /* up to its member batch */
} bound;

static const struct bindings *script;
static bool since;
static struct vtdpi_irte forms[FORMS];
static struct vtdpi_binding *const names[1] = {&bound.binding};

static const struct vtdpi_source source = {
    .kind = VTDPI_SOURCE_EXACT,
    .sid = 0x1a8,
};

static uint8_t vector_of(uint64_t n)
{
    return (uint8_t)(0x50 + n);
}

static uint64_t pda_of(uint32_t vcpu)
{
    return PHYS + vcpu * sizeof(struct vtdpi_pid);
}

static unsigned int form_of(const struct vtdpi_irte *irte)
{
    unsigned int form = 0;

    while (form < FORMS &&
           (forms[form].lo != irte->lo || forms[form].hi != irte->hi))
        form++;
    return form;
}

static const char *form_name(const struct vtdpi_irte *irte)
{
    static const char *const name[] = {"0:50", "0:51", "1:50",
                                       "1:51", "host", "torn"};

    return name[form_of(irte)];
}

static bool names_vcpu(const struct vtdpi_irte *irte, unsigned int vcpu)
{
    return form_of(irte) < HOST && form_of(irte) / VECTORS == vcpu;
}

/* Where the message goes, said without route.h. */
static uint64_t form_decided(void)
{
    for (uint64_t i = 0; i < VCPUS && bound.leaving == 0; i++) {
        if (bound.id[i] == bound.dest && (i != 0 || bound.detached == 0))
            return i * VECTORS + bound.vector;
    }
    return HOST;
}

/* The backend. */

static int backend_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                           const struct vtdpi_irte *old,
                           const struct vtdpi_irte *replacement)
{
    (void)ctx;
    (void)flush;
    (void)index;
    ex_host(NULL, NULL);
    if (bound.changing != 0)
        ex_fail("C: two works change the entry at the same time");
    if (memcmp(old, &bound.entry, sizeof *old) != 0)
        ex_fail("C: a work takes the entry for another one");
    bound.changing = ex_running() + 1;
    bound.entry = *replacement;
    return 0;
}

static int backend_invalidate(void *ctx, struct vtdpi_flush *flush,
                              uint32_t first, uint32_t count)
{
    (void)ctx;
    vtdpi_flush_add(flush, first, count);
    return 0;
}

static int backend_commit(void *ctx, struct vtdpi_flush *flush)
{
    (void)ctx;
    (void)flush;
    ex_host(NULL, NULL);
    bound.cached = bound.entry;
    bound.changing = 0;
    return 0;
}

static const struct vtdpi_backend_ops backend_ops = {
    .replace = backend_replace,
    .invalidate = backend_invalidate,
    .commit = backend_commit,
};

static const struct vtdpi_backend backend = {
    .ops = &backend_ops,
    .mode = VTDPI_X2APIC,
    .haw = 48,
};

/* The decide lock. */

static bool is_free(void *arg)
{
    (void)arg;
    return bound.lock == 0;
}

static bool nothing_flies(void *arg)
{
    (void)arg;
    return bound.lock == 0 && bound.vm.flying == NULL;
}

static void lock_when(bool (*ready)(void *arg))
{
    ex_host(ready, NULL);
    bound.lock = ex_running() + 1;
}

/* Part of the step before: under the lock every write is plain or a locked operation. */
static void unlock(void)
{
    bound.lock = 0;
}

/* Changes, under the lock. */

static int write_message(void)
{
    const struct vtdpi_msi msi = {
        .address_lo = 0xfee00000 | (uint32_t)bound.dest << 12,
        .data = vector_of(bound.vector),
    };

    return vtdpi_binding_set_message(&bound.binding, &msi);
}

static int write_id(uint32_t vcpu, uint32_t id)
{
    const struct vtdpi_guest_apic apic = {
        .id = id,
        .mode = VTDPI_GUEST_XAPIC_FLAT,
        .enabled = true,
    };

    bound.id[vcpu] = id;
    return vtdpi_vm_set_apic(&bound.vm, vcpu, &apic);
}

static int change(enum bindings_op op)
{
    switch (op) {
    case BINDINGS_MESSAGE:
        bound.dest = script->to;
        bound.vector = 1;
        return write_message();
    case BINDINGS_LEAVE:
        return write_id(0, AWAY);
    case BINDINGS_COME:
        return write_id(1, 0);
    case BINDINGS_UNBIND:
        bound.leaving = 1;
        return vtdpi_vm_unbind(&bound.binding);
    default:
        bound.detached = 1;
        return vtdpi_vm_detach(&bound.vm, 0);
    }
}

/* Applying. */

static int begin(struct vtdpi_vm_work *work, enum bindings_op op,
                 uint64_t flights)
{
    if (op == BINDINGS_MESSAGE || op == BINDINGS_UNBIND)
        return vtdpi_vm_begin(&bound.vm, work, names, 1);
    if (!since)
        return vtdpi_vm_begin(&bound.vm, work, NULL, 0);
    unlock();
    lock_when(is_free);
    return vtdpi_vm_begin_since(&bound.vm, work, flights);
}

static int apply(struct vtdpi_vm_work *work, int rc)
{
    while (rc == 1) {
        unlock();
        vtdpi_vm_apply(work);
        lock_when(is_free);
        rc = vtdpi_vm_end(&bound.vm, work);
    }
    return rc;
}

/* The slot has its next owner at once. False: somebody still has the vCPU. */
static bool give_away(void)
{
    const int rc = vtdpi_vcpu_detach(&bound.vcpu[0]);

    if (rc == 0) {
        bound.gone = 1;
        if (vtdpi_vcpu_attach(&bound.sched, &bound.vcpu[0], 0, &bound) != 0)
            ex_fail("C: the slot is not free");
    } else if (rc != VTDPI_EBUSY) {
        ex_fail("C: vcpu_detach returns %d", rc);
    }
    return rc == 0;
}

static bool unbind_end(void)
{
    const int rc = vtdpi_vm_unbind_end(&bound.binding);

    if (rc == 0 && (bound.vm.flying != NULL || bound.vm.due != NULL))
        ex_fail("C: a binding is released that a work has, or is to take");
    else if (rc != 0 && rc != VTDPI_EBUSY)
        ex_fail("C: unbind_end returns %d", rc);
    return rc == 0;
}

/* Asks before the change is in force. Another work may have the copy now. */
static int ask_early(enum bindings_op op, struct vtdpi_vm_work *work, int rc)
{
    if (op == BINDINGS_UNBIND)
        (void)unbind_end();
    unlock();
    if (op == BINDINGS_DETACH)
        (void)give_away();
    lock_when(rc == VTDPI_EINFLIGHT ? nothing_flies : is_free);
    return rc == VTDPI_EINFLIGHT ? vtdpi_vm_begin_again(&bound.vm, work) : rc;
}

/* The change is in force. */
static void ask_late(enum bindings_op op)
{
    if (op == BINDINGS_UNBIND && !unbind_end())
        ex_fail("C: an applied unbind leaves the binding busy");
    unlock();
    if (op == BINDINGS_DETACH && bound.gone == 0 && !give_away())
        ex_fail("C: an applied detach leaves the vCPU busy");
}

static void run_op(enum bindings_op op)
{
    struct vtdpi_vm_work work;
    uint64_t flights;
    uint64_t number;
    int rc;

    lock_when(is_free);
    flights = vtdpi_vm_flights(&bound.vm);
    if (op == BINDINGS_MESSAGE && bound.leaving != 0) {
        unlock();
        return;
    }
    if (change(op) != 0)
        ex_fail("C: a change is refused");
    number = ++bound.changes;
    bound.form[number] = form_decided();
    rc = begin(&work, op, flights);
    if ((op == BINDINGS_DETACH || op == BINDINGS_UNBIND) && rc != 0)
        rc = ask_early(op, &work, rc);
    rc = apply(&work, rc);
    while ((rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE) &&
           op != BINDINGS_LEAVE) {
        unlock();
        lock_when(nothing_flies);
        rc = apply(&work, vtdpi_vm_begin_again(&bound.vm, &work));
    }
    if (rc == 0 && bound.in_force < number)
        bound.in_force = number;
    else if (rc != 0 && op != BINDINGS_LEAVE)
        ex_fail("C: a work returns %d", rc);
    ask_late(op);
}

static void run(void *arg)
{
    const enum bindings_op *const op = arg;

    for (unsigned int i = 0; op[i] != BINDINGS_END; i++) {
        ex_start(i + 1);
        run_op(op[i]);
    }
}

/* Properties. */

static bool is_young(const struct vtdpi_irte *irte)
{
    for (uint64_t i = bound.in_force; i <= bound.changes; i++) {
        if (form_of(irte) == bound.form[i])
            return true;
    }
    return false;
}

static void check_entry(const struct vtdpi_irte *irte)
{
    if (form_of(irte) == TORN)
        ex_fail("B: an entry that nobody has decided");
    if (!is_young(irte))
        ex_fail("B: %s is in force, and a newer change was called done",
                form_name(irte));
    if (bound.gone != 0 && names_vcpu(irte, 0))
        ex_fail("G: a unit may post to a vCPU of somebody else");
    for (unsigned int i = 0; i < VCPUS; i++) {
        if (names_vcpu(irte, i) && vtdpi_vcpu_refs(&bound.vcpu[i]) == 0)
            ex_fail("G: a unit may post to vCPU %u, which has no reference", i);
    }
}

static void check_step(void *ctx)
{
    (void)ctx;
    check_entry(&bound.entry);
    check_entry(&bound.cached);
}

static void check_vcpu(unsigned int i)
{
    const bool out = i == 0 && bound.detached != 0;

    if (vtdpi_vcpu_holds(&bound.vcpu[i]) != (out ? 0 : 1))
        ex_fail("E: vCPU %u has %u holds", i,
                (unsigned int)vtdpi_vcpu_holds(&bound.vcpu[i]));
    if (vtdpi_vcpu_refs(&bound.vcpu[i]) !=
        (names_vcpu(&bound.entry, i) ? 1 : 0))
        ex_fail("E: vCPU %u has %u references", i,
                (unsigned int)vtdpi_vcpu_refs(&bound.vcpu[i]));
}

static void check_final(void *ctx)
{
    (void)ctx;
    for (unsigned int i = 0; i < BINDINGS_CPUS; i++) {
        if (ex_fiber(i)->kind != EX_DONE)
            ex_fail("X: a CPU waits for ever");
    }
    if (vtdpi_binding_is_pending(&bound.binding))
        ex_fail("E: the binding is pending, and nobody has it");
    if (form_of(&bound.entry) != bound.form[bound.changes] ||
        memcmp(&bound.entry, &bound.cached, sizeof bound.entry) != 0)
        ex_fail("E: %s is in the table, and %s is in use",
                form_name(&bound.entry), form_name(&bound.cached));
    if (bound.irq.claim != 0)
        ex_fail("E: the interrupt is held");
    for (unsigned int i = 0; i < VCPUS; i++)
        check_vcpu(i);
}

static void written(void *ctx, const uint64_t *addr, uint64_t old,
                    uint64_t value)
{
    (void)ctx;
    (void)addr;
    (void)old;
    (void)value;
}

/* Set up. */

static struct vtdpi_irte_remapped host_form(void)
{
    return (struct vtdpi_irte_remapped){
        .present = true,
        .mode = VTDPI_X2APIC,
        .vector = 0x31,
        .dst = 1,
        .source = source,
    };
}

static void set_up_forms(void)
{
    const struct vtdpi_irte_remapped host = host_form();

    for (uint32_t i = 0; i < HOST; i++) {
        const struct vtdpi_irte_posted fields = {
            .present = true,
            .vector = vector_of(i % VECTORS),
            .pda = pda_of(i / VECTORS),
            .source = source,
        };

        ex_require(vtdpi_irte_encode_posted(&fields, &forms[i]));
    }
    ex_require(vtdpi_irte_encode_remapped(&host, &forms[HOST]));
}

static void set_up_vcpus(void)
{
    static const struct vtdpi_platform_ops ops;
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = bound.pages,
        .max_pages = 1,
        .pcpus = bound.pcpus,
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
    };

    ex_require(vtdpi_sched_init(&bound.sched, &params));
    ex_require(
        vtdpi_sched_add_page(&bound.sched, 0, &bound.page, bound.memory, PHYS));
    for (uint32_t i = 0; i < VCPUS; i++)
        ex_require(
            vtdpi_vcpu_attach(&bound.sched, &bound.vcpu[i], i, &bound.vm));
}

static void set_up_vm(void)
{
    const struct vtdpi_vm_params params = {
        .apics = bound.apics,
        .keys = bound.keys,
        .vcpus = bound.vcpus,
        .vcpu_count = VCPUS,
        .heads = bound.heads,
        .buckets = BUCKETS,
        .form = VTDPI_COMPAT_DEST_8,
        .posting = true,
    };

    ex_require(vtdpi_vm_init(&bound.vm, &params));
    for (uint32_t i = 0; i < VCPUS; i++) {
        ex_require(write_id(i, i));
        ex_require(vtdpi_vm_attach(&bound.vm, i, &bound.vcpu[i]));
    }
}

static void set_up_binding(void)
{
    const struct vtdpi_irte_remapped host = host_form();
    struct vtdpi_vm_work work;

    ex_require(vtdpi_irq_init(&bound.irq, &backend, INDEX, &source, NULL));
    ex_require(vtdpi_irq_set_host(&bound.irq, &host));
    ex_require(vtdpi_vm_bind(&bound.vm, &bound.binding, &bound.irq, true));
    bound.dest = script->from;
    ex_require(write_message());
    ex_require(apply(&work, vtdpi_vm_begin(&bound.vm, &work, names, 1)));
    unlock();
    bound.form[0] = form_decided();
}

static void set_up_ranges(void)
{
    const size_t plain = offsetof(__typeof__(bound), lock);

    ex_range(bound.memory, VCPUS * sizeof(struct vtdpi_pid));
    ex_range(&bound.page, sizeof bound.page);
    ex_range(bound.vcpu, sizeof bound.vcpu);
    ex_range(bound.heads, sizeof bound.heads);
    ex_range(&bound.lock, sizeof bound - plain);
    ex_plain(&bound.lock, offsetof(__typeof__(bound), irq.batch) - plain);
}

static void set_up(void *ctx)
{
    static const char *const cpu[BINDINGS_CPUS] = {"cpu1", "cpu2"};

    (void)ctx;
    memset(&bound, 0, sizeof bound);
    set_up_forms();
    set_up_vcpus();
    set_up_vm();
    set_up_binding();
    set_up_ranges();
    for (unsigned int i = 0; i < BINDINGS_CPUS; i++) {
        union {
            const void *in;
            void *out;
        } arg = {script->op[i]};

        (void)ex_spawn(cpu[i], run, arg.out);
    }
}

const struct ex_world *bindings_new(const struct bindings *s, bool later)
{
    static struct ex_world w = {
        .arena = &bound,
        .arena_size = sizeof bound,
        .setup = set_up,
        .check = check_step,
        .check_final = check_final,
        .written = written,
    };

    script = s;
    since = later;
    return &w;
}

/* Traces. */

void bindings_print(FILE *out)
{
    static const char *const state[] = {"done", "due", "in flight", "failed"};

    (void)fprintf(out, " lock=%u entry=%s cached=%s %s changes=%u in force=%u",
                  (unsigned int)bound.lock, form_name(&bound.entry),
                  form_name(&bound.cached), state[bound.binding.state],
                  (unsigned int)bound.changes, (unsigned int)bound.in_force);
    for (unsigned int i = 0; i < VCPUS; i++)
        (void)fprintf(out, " %u: %u refs %u holds", i,
                      (unsigned int)vtdpi_vcpu_refs(&bound.vcpu[i]),
                      (unsigned int)vtdpi_vcpu_holds(&bound.vcpu[i]));
    (void)fputc('\n', out);
}

void bindings_print_name(FILE *out, const uint64_t *addr)
{
    const void *const at = addr;

    if (at == &bound.irq.claim)
        (void)fputs("claim", out);
    if (at == &bound.irq.batch)
        (void)fputs("batch", out);
    for (unsigned int i = 0; i < VCPUS; i++) {
        if (at == &bound.vcpu[i].target.refs)
            (void)fprintf(out, "%u.refs", i);
    }
}

const char *bindings_doing(unsigned int fiber)
{
    return script->op[fiber][0] == BINDINGS_MESSAGE ? "message"
                                                    : "APIC, detach, unbind";
}
