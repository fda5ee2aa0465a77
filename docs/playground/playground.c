/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The playground's module: pid.h, sched.h and vtdpi_pcpu_choose() with a small host,
 * for a page. The page makes calls that begin with call_, looks at the state with those
 * that begin with see_, and is called before each atomic access (playground_config.h). It keeps
 * several calls half done; each on a stack of its own, see stack_bottom().
 *
 * The host: two pCPUs, three vCPUs. The page itself has their threads, the local APICs
 * and the processors' side of posted interrupts (machine.js).
 */
#include "design.h"

#define EXPORT(name) __attribute__((__export_name__(name)))

enum {
    STACKS = 8,
    STACK_WORDS = 1024,
    CANARY = 0x5ca1ab1e,
    CHOOSE_BOUND = 1,
};

static struct {
    struct vtdpi_sched sched;
    struct vtdpi_pcpu pcpu[PCPUS];
    struct vtdpi_vcpu vcpu[VCPUS];
    struct vtdpi_page_ref refs[1];
    struct vtdpi_pcpu *pcpus[PCPUS];
    struct vtdpi_pid_page page;
    uint64_t bitmap[PCPUS][VTDPI_BITMAP_WORDS(1)];
    uint64_t taken[VCPUS][VTDPI_PIR_WORDS];
    bool is_list;
} host;

static VTDPI_ALIGNAS(4096) uint8_t pid_page[VTDPI_PAGE_SIZE];
static VTDPI_ALIGNAS(16) uint32_t stacks[STACKS][STACK_WORDS];

/* wake() is called by the handler, offline and rescan, and cookies are addresses. */
static void host_wake(void *ctx, void *cookie)
{
    (void)ctx;
    page_wake((uint32_t)((struct vtdpi_vcpu *)cookie - host.vcpu));
}

static void host_send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    page_send_ipi(apic_id, vector);
}

static const struct vtdpi_platform_ops host_ops = {
    .wake = host_wake,
    .send_ipi = host_send_ipi,
};

static int sched_set_up(void)
{
    static const struct vtdpi_sched_params params = {
        .ops = &host_ops,
        .pages = host.refs,
        .max_pages = 1,
        .pcpus = host.pcpus,
        .max_pcpus = PCPUS,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv = {WNV},
        .wnv_count = 1,
    };
    int err = vtdpi_sched_init(&host.sched, &params);

    if (err == 0)
        err = vtdpi_sched_add_page(&host.sched, 0, &host.page, pid_page,
                                   (uintptr_t)pid_page);
    for (uint32_t p = 0; p < PCPUS && err == 0; p++)
        err = vtdpi_pcpu_init(&host.sched, &host.pcpu[p], p, p, host.bitmap[p]);
    for (uint32_t v = 0; v < VCPUS && err == 0; v++)
        err = vtdpi_vcpu_attach(&host.sched, &host.vcpu[v], v, &host.vcpu[v]);
    return err;
}

/* 0, or what the library said. */
EXPORT("call_init") int call_init(uint32_t is_list, uint32_t window)
{
    const int err = sched_set_up();

    host.is_list = is_list != 0;
    list_init((enum window)window);
    for (uint32_t i = 0; i < STACKS; i++)
        stacks[i][0] = CANARY;
    for (uint32_t p = 0; p < PCPUS && err == 0; p++) {
        vtdpi_pcpu_online(&host.pcpu[p]);
        list_online(p);
    }
    return err;
}

static struct vtdpi_pid *pid_of(uint32_t v)
{
    return vtdpi_vcpu_pid(&host.vcpu[v]);
}

/* Scheduled in, and on to the entry with interrupts off. */
EXPORT("call_run") void call_run(uint32_t v, uint32_t p)
{
    page_interrupts(0);
    for (uint32_t i = 0; i < VTDPI_PIR_WORDS; i++)
        host.taken[v][i] = 0;
    if (host.is_list) {
        list_run(v, pid_of(v), p);
        (void)list_harvest(pid_of(v), host.taken[v]);
    } else {
        vtdpi_vcpu_run(&host.vcpu[v], &host.pcpu[p]);
        (void)vtdpi_vcpu_sync(&host.vcpu[v], host.taken[v]);
    }
    page_interrupts(1);
}

EXPORT("call_preempt") void call_preempt(uint32_t v)
{
    if (host.is_list)
        list_preempt(v, pid_of(v));
    else
        vtdpi_vcpu_preempt(&host.vcpu[v]);
}

EXPORT("call_block") uint32_t call_block(uint32_t v, uint32_t p)
{
    return host.is_list ? list_block(v, pid_of(v), p)
                        : vtdpi_vcpu_block(&host.vcpu[v], &host.pcpu[p]);
}

/* The number of the pCPU, PCPUS if there is none. The list's host has no choice. */
EXPORT("call_choose") uint32_t call_choose(uint32_t here)
{
    const struct vtdpi_pcpu *const p =
        vtdpi_pcpu_choose(&host.pcpu[here], CHOOSE_BOUND, NULL);

    if (host.is_list)
        return here;
    return p == NULL ? PCPUS : (uint32_t)(p - host.pcpu);
}

EXPORT("call_post")
uint32_t call_post(uint32_t v, uint32_t vector, uint32_t urgent)
{
    return vtdpi_vcpu_post(&host.vcpu[v], (uint8_t)vector, urgent != 0);
}

EXPORT("call_handle") void call_handle(uint32_t p)
{
    struct vtdpi_pid *pids[VCPUS];

    if (!host.is_list) {
        (void)vtdpi_pcpu_handle_wakeup(&host.pcpu[p], WNV);
        return;
    }
    for (uint32_t v = 0; v < VCPUS; v++)
        pids[v] = pid_of(v);
    list_handle_wakeup(p, pids);
}

EXPORT("call_offline") void call_offline(uint32_t p)
{
    if (host.is_list)
        list_offline(p);
    else
        (void)vtdpi_pcpu_offline(&host.pcpu[p]);
}

EXPORT("call_online") void call_online(uint32_t p)
{
    if (host.is_list)
        list_online(p);
    else
        vtdpi_pcpu_online(&host.pcpu[p]);
}

/* Looks, which are no accesses of the host: plain loads. */

/* Stacks grow down, from where the next one begins. */
EXPORT("stack_bottom") uintptr_t stack_bottom(uint32_t i)
{
    return (uintptr_t)&stacks[i];
}

EXPORT("see_stacks_whole") bool see_stacks_whole(void)
{
    bool whole = true;

    for (uint32_t i = 0; i < STACKS; i++)
        whole = whole && stacks[i][0] == CANARY;
    return whole;
}

EXPORT("see_pid") const struct vtdpi_pid *see_pid(uint32_t v)
{
    return pid_of(v);
}

EXPORT("see_taken") const uint64_t *see_taken(uint32_t v)
{
    return host.taken[v];
}

EXPORT("see_blocked") uint32_t see_blocked(uint32_t p)
{
    return host.is_list ? list_bits(p) : (uint32_t)host.bitmap[p][0];
}

EXPORT("see_marks") uint32_t see_marks(uint32_t p)
{
    return (uint32_t)host.bitmap[p][1];
}

EXPORT("see_summary") uint32_t see_summary(uint32_t p)
{
    return (uint32_t)host.bitmap[p][2];
}

EXPORT("see_locked") bool see_locked(uint32_t p)
{
    return list_is_locked(p);
}

EXPORT("see_online") bool see_online(uint32_t p)
{
    return host.is_list ? list_is_online(p) : host.pcpu[p].online != 0;
}

static uint32_t place_of_pid(const void *at)
{
    for (uint32_t v = 0; v < VCPUS; v++) {
        const struct vtdpi_pid *const pid = pid_of(v);

        for (uint32_t i = 0; i < VTDPI_PIR_WORDS; i++) {
            if (at == &pid->pir[i])
                return PLACE_PIR | v << 8 | i << 16;
        }
        if (at == &pid->control)
            return PLACE_CONTROL | v << 8;
        if (at == &host.page.cookie[v])
            return PLACE_COOKIE | v << 8;
    }
    return PLACE_OTHER;
}

static uint32_t place_of_pcpu(const void *at)
{
    for (uint32_t p = 0; p < PCPUS; p++) {
        const struct vtdpi_pcpu *const pcpu = &host.pcpu[p];

        if (at == &host.bitmap[p][0])
            return PLACE_BLOCKED | p << 8;
        if (at == &host.bitmap[p][1])
            return PLACE_MARKS | p << 8;
        if (at == &host.bitmap[p][2])
            return PLACE_SUMMARY | p << 8;
        if (at == &pcpu->online)
            return PLACE_ONLINE | p << 8;
        if (at == &pcpu->scan)
            return PLACE_SCAN | p << 8;
        if (at == &pcpu->here_left || at == &pcpu->away_left ||
            at == &pcpu->random)
            return PLACE_COUNT | p << 8;
    }
    return PLACE_OTHER;
}

static uint32_t place_of_sched(const void *at)
{
    if (at == &host.sched.room)
        return PLACE_ROOM;
    if (at == &host.sched.scan)
        return PLACE_SCAN | PCPUS << 8;
    if (at == &host.refs[0].pids || at == &host.refs[0].page)
        return PLACE_PAGE;
    return PLACE_OTHER;
}

EXPORT("see_place") uint32_t see_place(const void *at)
{
    uint32_t place = place_of_pid(at);

    if (place == PLACE_OTHER)
        place = place_of_pcpu(at);
    if (place == PLACE_OTHER)
        place = place_of_sched(at);
    return place == PLACE_OTHER ? list_place(at) : place;
}
