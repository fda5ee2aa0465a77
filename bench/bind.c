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
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct subject {
    enum kind kind;
    uint32_t irqs;
    uint32_t vcpus;
    struct vtdpi_sched sched;
    struct vtdpi_page_ref page_refs[PAGES];
    struct vtdpi_pid_page page[PAGES];
    struct vtdpi_pcpu *pcpu;
    struct vtdpi_vcpu vcpu[VCPUS_MAX];
    struct vtdpi_backend backend;
    struct vtdpi_irte entry[IRQS_MAX];
    struct vtdpi_irq irq[IRQS_MAX];
    struct vtdpi_binding b[IRQS_MAX];
    struct vtdpi_msi msi[IRQS_MAX];
    struct vtdpi_vm vm;
    struct vtdpi_guest_apic apics[VCPUS_MAX];
    uint64_t keys[VTDPI_ROUTE_MAP_KEYS(VCPUS_MAX)];
    struct vtdpi_vcpu *vcpus_of[VCPUS_MAX];
    struct vtdpi_binding *heads[VTDPI_VM_HEADS(VCPUS_MAX)];
    uint64_t writes;
    uint64_t flushes;
    bool away;
};

/* A table that costs nothing. */

static int table_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                         const struct vtdpi_irte *old,
                         const struct vtdpi_irte *replacement)
{
    struct subject *s = ctx;

    (void)flush;
    (void)old;
    s->entry[index] = *replacement;
    s->writes++;
    return 0;
}

static int table_invalidate(void *ctx, struct vtdpi_flush *flush,
                            uint32_t first, uint32_t count)
{
    (void)ctx;
    vtdpi_flush_add(flush, first, count);
    return 0;
}

static int table_commit(void *ctx, struct vtdpi_flush *flush)
{
    struct subject *s = ctx;

    (void)flush;
    s->flushes++;
    return 0;
}

static const struct vtdpi_backend_ops table_ops = {
    .replace = table_replace,
    .invalidate = table_invalidate,
    .commit = table_commit,
};

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

    vtdpi_vm_hold(&s->vm);
    for (uint32_t i = 0; i < s->irqs; i++) {
        /* The first is vCPU 0's, the others are not. */
        const uint32_t v = i == 0 || s->vcpus == 1 ? 0 : 1 + i % (s->vcpus - 1);

        s->msi[i] = message_to(s, v);
        must(vtdpi_irq_init(&s->irq[i], &s->backend, i, &source, NULL) == 0,
             "interrupt");
        must(vtdpi_vm_bind(&s->vm, &s->b[i], &s->irq[i]) == 0, "bind");
        must(vtdpi_binding_set_message(&s->b[i], &s->msi[i]) == 0, "message");
    }
    must(vtdpi_vm_update(&s->vm) == 0, "update");
}

static struct subject *subject_new(enum kind kind, uint32_t irqs,
                                   uint32_t vcpus)
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
    s->vcpus = vcpus;
    s->backend = (struct vtdpi_backend){
        .ops = &table_ops, .ctx = s, .mode = VTDPI_X2APIC, .haw = 46};
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
        must(vtdpi_vm_set_apic(&s->vm, 0, &apic) == 0, "change");
    }
}

/* The same without the index: all are looked at. */
static void change_all(struct subject *s, uint32_t n)
{
    for (; n != 0; n--) {
        vtdpi_vm_hold(&s->vm);
        for (uint32_t i = 0; i < s->irqs; i++)
            must(vtdpi_binding_set_message(&s->b[i], &s->msi[i]) == 0, "all");
        change(s, 1);
        must(vtdpi_vm_update(&s->vm) == 0, "all");
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
    struct subject *s = subject_new(kind, irqs, vcpus);
    struct vtdpi_vm_stats before;
    struct vtdpi_vm_stats after;
    struct cost c;

    vtdpi_vm_get_stats(&s->vm, &before);
    s->writes = s->flushes = 0;
    change(s, n);
    vtdpi_vm_get_stats(&s->vm, &after);
    c.looks = (double)(after.visited - before.visited) / n;
    c.decisions = (double)(after.decided - before.decided) / n;
    c.writes = (double)s->writes / n;
    c.flushes = (double)s->flushes / n;
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

int main(int argc, char **argv)
{
    const bool smoke = argc == 2 && strcmp(argv[1], "--smoke") == 0;

    if (argc > 1 && !smoke) {
        (void)fputs("usage: bind [--smoke]\n", stderr);
        return 2;
    }
    if (report(smoke ? 20 : 2000, smoke ? 1 : 31))
        return 0;
    (void)fputs("bench-bind: a change costs more than what it concerns\n",
                stderr);
    return 1;
}
