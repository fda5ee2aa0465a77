/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Descriptors. bhyve allocates one for each vCPU by itself; here they lie 64
 * to a page, because the wakeup handler looks at a page's worth of vCPUs with
 * one load, and because a page that is never given back may be read late. A
 * page is all that must be contiguous.
 */

#include "vtdpi_bhyve_internal.h"

#include <sys/sysctl.h>

#include <vm/vm.h>
#include <vm/pmap.h>

SYSCTL_DECL(_hw_vmm_vtdpi);

/* 65536 vCPUs on the host: 8 KiB for each CPU, and 8 KiB of pointers. */
#define MAX_PAGES 1024

struct pid_page {
    struct vtdpi_pid_page page;
    void *memory;
};

/* Under vtdpi_bhyve.lock. */
static struct {
    struct pid_page *pages[MAX_PAGES];
    struct vtdpi_page_ref known[MAX_PAGES]; /* the library's */
    struct vtdpi_pcpu **pcpus;              /* likewise */
    uint64_t *bitmaps;
    u_int count;
} pool;

static int page_count;
SYSCTL_INT(_hw_vmm_vtdpi, OID_AUTO, pid_pages, CTLFLAG_RD, &page_count, 0,
           "Pages of posted-interrupt descriptors, 64 each");

/* A page more, for the slots behind the last; false if there may be no more.
 * Sleeps. */
static bool pool_grow(void)
{
    struct pid_page *p;
    int rc;

    sx_assert(&vtdpi_bhyve.lock, SA_XLOCKED);
    if (pool.count == MAX_PAGES)
        return (false);
    p = malloc(sizeof(*p), M_VTDPI, M_WAITOK | M_ZERO);
    /* It may fail in spite of M_WAITOK, if memory is short for long. */
    while ((p->memory = contigmalloc(PAGE_SIZE, M_VTDPI, M_WAITOK | M_ZERO, 0,
                                     ~(vm_paddr_t)0, PAGE_SIZE, 0)) == NULL)
        pause("vtdpim", hz);
    rc = vtdpi_sched_add_page(&vtdpi_bhyve.sched, pool.count, &p->page,
                              p->memory, vtophys(p->memory));
    KASSERT(rc == 0, ("vtdpi: page %u: %s", pool.count, vtdpi_strerror(rc)));
    (void)rc;
    pool.pages[pool.count++] = p;
    page_count = (int)pool.count;
    return (true);
}

void vtdpi_bhyve_pool_attach(struct vtdpi_bhyve_vcpu *v)
{
    static bool told;
    int rc;

    sx_xlock(&vtdpi_bhyve.lock);
    while ((rc = vtdpi_vcpu_attach(&vtdpi_bhyve.sched, &v->pi, VTDPI_SLOT_ANY,
                                   v)) == VTDPI_ENOSPC) {
        if (pool_grow())
            continue;
        /* bhyve cannot say no here: a vCPU is made, or its thread waits. */
        if (!told)
            printf("vtdpi: %d virtual CPUs, waiting for one to go\n",
                   MAX_PAGES * VTDPI_PAGE_SLOTS);
        told = true;
        sx_xunlock(&vtdpi_bhyve.lock);
        pause("vtdpis", hz);
        sx_xlock(&vtdpi_bhyve.lock);
    }
    sx_xunlock(&vtdpi_bhyve.lock);
    KASSERT(rc == 0, ("vtdpi: attach: %s", vtdpi_strerror(rc)));
}

/* One more than the highest CPU id: ids may be sparse. */
static u_int cpu_ids(void)
{
    return ((u_int)mp_maxid + 1);
}

static int sched_start(const struct vtdpi_platform_ops *ops, uint8_t anv,
                       int wnv)
{
    struct vtdpi_sched_params params = {
        .ops = ops,
        .pages = pool.known,
        .max_pages = MAX_PAGES,
        .pcpus = pool.pcpus,
        .max_pcpus = cpu_ids(),
        .apic_mode = vtdpi_bhyve_mode(),
        .anv = anv,
    };

    if (wnv >= 0)
        params.wnv[0] = (uint8_t)wnv;
    return (vtdpi_sched_init(&vtdpi_bhyve.sched, &params));
}

static int cpus_start(bool take_wakeups)
{
    const size_t words = VTDPI_BITMAP_WORDS(MAX_PAGES);
    struct vtdpi_pcpu *const pcpus = vtdpi_bhyve.pcpus;
    u_int cpu;
    int rc;

    CPU_FOREACH(cpu)
    {
        rc = vtdpi_pcpu_init(&vtdpi_bhyve.sched, &pcpus[cpu], cpu,
                             (uint32_t)cpu_apic_ids[cpu],
                             &pool.bitmaps[cpu * words]);
        if (rc != 0)
            return (rc);
        if (take_wakeups)
            vtdpi_pcpu_online(&pcpus[cpu]);
    }
    return (0);
}

static void pool_free(void)
{
    for (u_int i = 0; i < pool.count; i++) {
        contigfree(pool.pages[i]->memory, PAGE_SIZE, M_VTDPI);
        free(pool.pages[i], M_VTDPI);
    }
    free(vtdpi_bhyve.pcpus, M_VTDPI);
    free(pool.bitmaps, M_VTDPI);
    free(pool.pcpus, M_VTDPI);
    vtdpi_bhyve.pcpus = NULL;
    memset(&pool, 0, sizeof(pool));
    page_count = 0;
}

int vtdpi_bhyve_pool_init(const struct vtdpi_platform_ops *ops, uint8_t anv,
                          int wnv)
{
    const size_t words = VTDPI_BITMAP_WORDS(MAX_PAGES) * cpu_ids();
    int rc;

    pool.pcpus =
        malloc(sizeof(*pool.pcpus) * cpu_ids(), M_VTDPI, M_WAITOK | M_ZERO);
    pool.bitmaps =
        malloc(sizeof(*pool.bitmaps) * words, M_VTDPI, M_WAITOK | M_ZERO);
    vtdpi_bhyve.pcpus = malloc(sizeof(*vtdpi_bhyve.pcpus) * cpu_ids(), M_VTDPI,
                               M_WAITOK | M_ZERO);
    rc = sched_start(ops, anv, wnv);
    if (rc == 0)
        rc = cpus_start(wnv >= 0);
    if (rc != 0) {
        printf("vtdpi: %s\n", vtdpi_strerror(rc));
        pool_free();
        return (EINVAL);
    }
    return (0);
}

void vtdpi_bhyve_pool_fini(void)
{
    u_int cpu;
    int rc;

    /* The set-up has failed. */
    if (vtdpi_bhyve.pcpus == NULL)
        return;
    CPU_FOREACH(cpu)
    {
        (void)vtdpi_pcpu_offline(&vtdpi_bhyve.pcpus[cpu]);
        rc = vtdpi_pcpu_fini(&vtdpi_bhyve.pcpus[cpu]);
        KASSERT(rc == 0, ("vtdpi: CPU %u: %s", cpu, vtdpi_strerror(rc)));
    }
    rc = vtdpi_sched_fini(&vtdpi_bhyve.sched);
    KASSERT(rc == 0, ("vtdpi: end: %s", vtdpi_strerror(rc)));
    (void)rc;
    pool_free();
}
