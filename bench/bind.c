/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a change of one vCPU's APIC costs in a VM: bindings looked at, decisions
 * made, entries written, time; against the number of interrupts that it does
 * not concern, and of vCPUs. One interrupt is for the vCPU that changes, and
 * loses or finds it again each time; all others are for other vCPUs.
 *
 * The table costs nothing: a write is an assignment, a flush a counter. Beside
 * it what deciding for every interrupt of the VM costs, as a host does that
 * does not know which a change concerns.
 *
 * Then what a guest's write of a message costs, counted in calls of the tables:
 * with a change, without a change, and while the VM has another table, which is
 * dead, with failed interrupts behind it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "common.h"
#include "host.h"
#include "support.h"
#include "vtdpi/vtdpi.h"

enum {
    IRQS_MAX = 4096,
    VCPUS_MAX = 1024,
    PAGES = VCPUS_MAX / VTDPI_PAGE_SLOTS,
    ROUNDS_MAX = 101,
    /* Where the vCPU's APIC id goes: nobody's. */
    AWAY = 0x12340,
    /* More looks than that at one change are not a constant. */
    LOOKS_MAX = 64,
    /* The VM whose guest writes messages. */
    TRAP_IRQS = 1024,
    TRAP_VCPUS = 64,
};

const char *const bench_name = "bench-bind";

enum kind {
    PHYSICAL,
    CLUSTER, /* logical, x2APIC */
    FLAT,    /* logical, xAPIC: 8 vCPUs at most */
    KINDS
};

static const char *const names[KINDS] = {
    "physical",
    "logical, cluster",
    "logical, flat",
};

struct table {
    struct vtdpi_backend backend;
    uint64_t calls;
    uint64_t writes;
    uint64_t flushes;
    bool dead;
};

struct subject {
    enum kind kind;
    uint32_t irqs;
    uint32_t others; /* the last ones, behind the other table */
    uint32_t vcpus;
    struct vtdpi_sched sched;
    struct vtdpi_page_ref page_refs[PAGES];
    struct vtdpi_pid_page page[PAGES];
    struct vtdpi_pcpu *pcpu;
    struct vtdpi_vcpu vcpu[VCPUS_MAX];
    struct table table;
    struct table other;
    struct vtdpi_irq irq[IRQS_MAX];
    struct vtdpi_binding b[IRQS_MAX];
    struct vtdpi_msi msi[IRQS_MAX];
    struct vtdpi_vm vm;
    struct vtdpi_guest_apic apics[VCPUS_MAX];
    uint64_t keys[VTDPI_ROUTE_MAP_KEYS(VCPUS_MAX)];
    struct vtdpi_vcpu *vcpus_of[VCPUS_MAX];
    struct vtdpi_binding *heads[VTDPI_VM_HEADS(VCPUS_MAX)];
    uint64_t works;
    bool away;
};

/* A table that costs nothing, until its unit is dead. Then each flush fails. */

static int table_begin(void *ctx, struct vtdpi_flush *flush)
{
    struct table *t = ctx;

    (void)flush;
    t->calls++;
    return 0;
}

static int table_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                         const struct vtdpi_irte *old,
                         const struct vtdpi_irte *replacement)
{
    struct table *t = ctx;

    (void)flush;
    (void)index;
    (void)old;
    (void)replacement;
    t->calls++;
    t->writes++;
    return 0;
}

static int table_invalidate(void *ctx, struct vtdpi_flush *flush,
                            uint32_t first, uint32_t count)
{
    struct table *t = ctx;

    vtdpi_flush_add(flush, first, count);
    t->calls++;
    return 0;
}

static int table_commit(void *ctx, struct vtdpi_flush *flush)
{
    struct table *t = ctx;

    (void)flush;
    t->calls++;
    t->flushes++;
    return t->dead ? VTDPI_EIO : 0;
}

static const struct vtdpi_backend_ops table_ops = {
    .begin = table_begin,
    .replace = table_replace,
    .invalidate = table_invalidate,
    .commit = table_commit,
};

static void table_up(struct table *t)
{
    t->backend = (struct vtdpi_backend){
        .ops = &table_ops, .ctx = t, .mode = VTDPI_X2APIC, .haw = 46};
}

/* Set up. */

static const struct vtdpi_platform_ops platform = {
    .send_ipi = host_drop_ipi,
    .wake = host_drop_wake,
};

static struct vtdpi_guest_apic apic_of(const struct subject *s, uint32_t vcpu)
{
    struct vtdpi_guest_apic apic = {
        .id = vcpu,
        .mode = VTDPI_GUEST_X2APIC,
        .enabled = true,
    };

    if (s->kind == FLAT) {
        apic.mode = VTDPI_GUEST_XAPIC_FLAT;
        apic.ldr = UINT32_C(0x1000000) << (vcpu & 7);
    }
    return apic;
}

static struct vtdpi_msi message_to(const struct subject *s, uint32_t vcpu)
{
    uint32_t dest = vcpu;
    struct vtdpi_msi msi = {UINT32_C(0xfee00000), 0, 0x41};

    if (s->kind == CLUSTER)
        dest = vcpu >> 4 << 16 | UINT32_C(1) << (vcpu & 15);
    if (s->kind == FLAT)
        dest = UINT32_C(1) << (vcpu & 7);
    if (s->kind != PHYSICAL)
        msi.address_lo |= 4;
    msi.address_lo |= (dest & 0xff) << 12;
    msi.address_hi = dest & UINT32_C(0xffffff00);
    return msi;
}

static void sched_up(struct subject *s)
{
    const struct vtdpi_sched_params params = {
        .ops = &platform,
        .pages = s->page_refs,
        .max_pages = PAGES,
        .pcpus = &s->pcpu,
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };

    must(vtdpi_sched_init(&s->sched, &params) == 0, "instance");
    for (uint32_t i = 0; i < PAGES; i++)
        must(vtdpi_sched_add_page(&s->sched, i, &s->page[i],
                                  support_memory(4096),
                                  UINT64_C(0x520000000) + 4096 * i) == 0,
             "page");
}

static void vcpus_up(struct subject *s)
{
    for (uint32_t v = 0; v < s->vcpus; v++) {
        const struct vtdpi_guest_apic apic = apic_of(s, v);

        must(vtdpi_vcpu_attach(&s->sched, &s->vcpu[v], v, s) == 0, "attach");
        must(vtdpi_vm_set_apic(&s->vm, v, &apic) == 0, "apic");
        must(vtdpi_vm_attach(&s->vm, v, &s->vcpu[v]) == 0, "attach");
    }
}

static void irqs_up(struct subject *s)
{
    const struct vtdpi_source source = vtdpi_source_exact(0x310, VTDPI_SQ_ALL);

    for (uint32_t i = 0; i < s->irqs; i++) {
        /* The first is vCPU 0's, the others are not. */
        const uint32_t v = i == 0 || s->vcpus == 1 ? 0 : 1 + i % (s->vcpus - 1);

        struct table *t = i < s->irqs - s->others ? &s->table : &s->other;

        s->msi[i] = message_to(s, v);
        must(vtdpi_irq_init(&s->irq[i], &t->backend, i, &source, NULL) == 0,
             "interrupt");
        must(vtdpi_vm_bind(&s->vm, &s->b[i], &s->irq[i], true) == 0, "bind");
        must(vtdpi_binding_set_message(&s->b[i], &s->msi[i]) == 0, "message");
    }
    must(vm_apply(&s->vm, NULL, 0) == 0, "apply");
}

static struct subject *subject_new(enum kind kind, uint32_t irqs,
                                   uint32_t others, uint32_t vcpus)
{
    struct subject *s = support_memory(sizeof(*s));
    struct vtdpi_vm_params params = {
        .vcpu_count = vcpus,
        .buckets = 1,
        .form = VTDPI_COMPAT_DEST_32,
        .posting = true,
    };

    s->kind = kind;
    s->irqs = irqs;
    s->others = others;
    s->vcpus = vcpus;
    table_up(&s->table);
    table_up(&s->other);
    params.apics = s->apics;
    params.keys = s->keys;
    params.vcpus = s->vcpus_of;
    params.heads = s->heads;
    while (params.buckets < vcpus)
        params.buckets *= 2;
    must(vtdpi_vm_init(&s->vm, &params) == 0, "VM");
    sched_up(s);
    vcpus_up(s);
    irqs_up(s);
    return s;
}

static void subject_free(struct subject *s)
{
    for (uint32_t i = 0; i < PAGES; i++)
        free(s->page[i].pids);
    free(s);
}

/* What is measured. */

/* @p n times vCPU 0 leaves or comes back. */
static void change(struct subject *s, uint32_t n)
{
    for (; n != 0; n--) {
        struct vtdpi_guest_apic apic = apic_of(s, 0);

        s->away = !s->away;
        if (s->away) {
            apic.id = AWAY;
            apic.ldr = 0;
        }
        must(vm_apply_all(&s->vm, vtdpi_vm_set_apic(&s->vm, 0, &apic)) == 0,
             "change");
    }
}

/* The same without the index: all are looked at. */
static void change_all(struct subject *s, uint32_t n)
{
    for (; n != 0; n--) {
        for (uint32_t i = 0; i < s->irqs; i++)
            must(vtdpi_binding_set_message(&s->b[i], &s->msi[i]) == 0, "all");
        change(s, 1);
    }
}

struct cost {
    double looks;
    double decisions;
    double writes;
    double flushes;
    double ns;
    double ns_all;
};

/* Median nanoseconds of one change. */
static double timed(void (*what)(struct subject *s, uint32_t n),
                    struct subject *s, uint32_t n, uint32_t rounds)
{
    double ns[ROUNDS_MAX];

    what(s, n);
    for (uint32_t r = 0; r < rounds; r++) {
        const double begin = seconds();

        what(s, n);
        ns[r] = (seconds() - begin) * 1e9 / n;
    }
    return median(ns, rounds);
}

static struct cost measure(enum kind kind, uint32_t irqs, uint32_t vcpus,
                           uint32_t n, uint32_t rounds)
{
    struct subject *s = subject_new(kind, irqs, 0, vcpus);
    struct vtdpi_vm_stats before;
    struct vtdpi_vm_stats after;
    struct cost c;

    vtdpi_vm_get_stats(&s->vm, &before);
    s->table.writes = s->table.flushes = 0;
    change(s, n);
    vtdpi_vm_get_stats(&s->vm, &after);
    c.looks = (double)(after.visited - before.visited) / n;
    c.decisions = (double)(after.decided - before.decided) / n;
    c.writes = (double)s->table.writes / n;
    c.flushes = (double)s->table.flushes / n;
    c.ns = timed(change, s, n, rounds);
    c.ns_all = timed(change_all, s, 2 + n / irqs, rounds);
    must(s->away == (vtdpi_vm_count(&s->vm, VTDPI_ROUTE_NO_MATCH) != 0) ||
             vcpus == 1,
         "the interrupt has not followed");
    subject_free(s);
    return c;
}

/* A row; whether one interrupt was all that the change cost. */
static bool row(enum kind kind, uint32_t irqs, uint32_t vcpus, uint32_t n,
                uint32_t rounds, double *first)
{
    const struct cost c = measure(kind, irqs, vcpus, n, rounds);

    if (*first == 0)
        *first = c.ns;
    printf("%-17s %5" PRIu32 " %6" PRIu32
           "  %6.2f %9.2f %7.2f %7.2f  %8.0f %6.2f  %9.0f %7.1f\n",
           names[kind], irqs, vcpus, c.looks, c.decisions, c.writes, c.flushes,
           c.ns, c.ns / *first, c.ns_all, c.ns_all / c.ns);
    return vcpus == 1 || (c.looks <= LOOKS_MAX && c.decisions == 1 &&
                          c.writes == 1 && c.flushes == 1);
}

static bool report(uint32_t n, uint32_t rounds)
{
    static const uint32_t irqs[] = {1, 16, 256, 4096};
    static const uint32_t vcpus[] = {2, 16, 128, 1024};
    bool ok = true;

    printf("one change of a vCPU's APIC that concerns one interrupt; medians "
           "of %" PRIu32 " rounds\n\n"
           "destinations       irqs  vCPUs   looks decisions  writes flushes"
           "        ns  ratio     all, ns  / ours\n",
           rounds);
    for (int k = 0; k < KINDS; k++) {
        double first = 0;

        for (size_t i = 0; i < sizeof(irqs) / sizeof(irqs[0]); i++)
            ok &= row((enum kind)k, irqs[i], k == FLAT ? 8 : VCPUS_MAX, n,
                      rounds, &first);
        printf("\n");
    }
    for (int k = 0; k < FLAT; k++) {
        double first = 0;

        for (size_t i = 0; i < sizeof(vcpus) / sizeof(vcpus[0]); i++)
            ok &= row((enum kind)k, vcpus[i], vcpus[i], n, rounds, &first);
        printf("\n");
    }
    printf("ratio: to the first line of the block. all: the same, with a "
           "decision for every\ninterrupt of the VM.\n");
    return ok;
}

/* A guest's write of a message, trapped. Interrupt 0 is for one vCPU and another
 * one in turn, or the message is written again as before. */

static void trap(struct subject *s, uint32_t vcpu)
{
    struct vtdpi_msi msi = message_to(s, vcpu);
    struct vtdpi_binding *b = &s->b[0];
    struct vtdpi_vm_work work;
    int rc;

    must(vtdpi_binding_set_message(b, &msi) == 0, "message");
    rc = vtdpi_vm_begin(&s->vm, &work, &b, 1);
    while (rc > 0) {
        s->works++;
        vtdpi_vm_apply(&work);
        rc = vtdpi_vm_end(&s->vm, &work);
    }
    must(rc == 0, "trap");
}

static void trap_change(struct subject *s, uint32_t n)
{
    for (; n != 0; n--) {
        s->away = !s->away;
        trap(s, s->away ? 1 : 0);
    }
}

static void trap_again(struct subject *s, uint32_t n)
{
    for (; n != 0; n--)
        trap(s, s->away ? 1 : 0);
}

/* The other table dies, and a change of the VM meets it: all behind it fail. */
static void other_dies(struct subject *s)
{
    struct vtdpi_vm_stats stats;

    s->other.dead = true;
    must(vm_apply_all(&s->vm, vtdpi_vm_set_posting(&s->vm, false)) == VTDPI_EIO,
         "the other table is not dead");
    must(vm_apply_all(&s->vm, vtdpi_vm_set_posting(&s->vm, true)) == VTDPI_EIO,
         "the other table is not dead");
    vtdpi_vm_get_stats(&s->vm, &stats);
    must(stats.failed == s->others, "failed");
}

/* A row; whether each trap cost so many works, and the other table nothing. */
static bool trap_row(const char *what, struct subject *s,
                     void (*traps)(struct subject *s, uint32_t n),
                     uint64_t works, uint32_t n, uint32_t rounds)
{
    uint64_t calls;
    bool ok;

    s->works = s->table.calls = s->table.flushes = s->other.calls = 0;
    traps(s, n);
    calls = s->table.calls;
    ok = s->works == works * n && s->table.flushes == works * n &&
         (works != 0 || calls == 0) && s->other.calls == 0;
    printf("%-44s %5.2f %6.2f %7.2f %7.2f", what, (double)s->works / n,
           (double)calls / n, (double)s->table.flushes / n,
           (double)s->other.calls / n);
    printf("  %8.0f\n", timed(traps, s, n, rounds));
    return ok;
}

static bool report_traps(uint32_t n, uint32_t rounds)
{
    struct subject *s =
        subject_new(PHYSICAL, TRAP_IRQS, TRAP_IRQS / 2, TRAP_VCPUS);
    bool ok;

    printf("\na guest's write of one message, %d interrupts, %d vCPUs, half of "
           "the interrupts\nbehind another table\n\n"
           "%-44s %5s %6s %7s %7s  %8s\n",
           TRAP_IRQS, TRAP_VCPUS, "the write", "works", "calls", "flushes",
           "other's", "ns");
    ok = trap_row("changes the target", s, trap_change, 1, n, rounds);
    ok &= trap_row("changes nothing", s, trap_again, 0, n, rounds);
    other_dies(s);
    ok &= trap_row("changes the target, the other table is dead", s,
                   trap_change, 1, n, rounds);
    ok &= trap_row("changes nothing, the other table is dead", s, trap_again, 0,
                   n, rounds);
    printf("\nworks: of vtdpi_vm_apply(). calls: of the table's functions, the "
           "flushes among them;\nother's: the same of the other table.\n");
    subject_free(s);
    return ok;
}

int main(int argc, char **argv)
{
    const bool smoke = argc == 2 && strcmp(argv[1], "--smoke") == 0;

    if (argc > 1 && !smoke) {
        (void)fputs("usage: bind [--smoke]\n", stderr);
        return 2;
    }
    if (report(smoke ? 20 : 2000, smoke ? 1 : 31) &&
        report_traps(smoke ? 20 : 2000, smoke ? 1 : 31))
        return 0;
    (void)fputs("bench-bind: a change costs more than what it concerns\n",
                stderr);
    return 1;
}
