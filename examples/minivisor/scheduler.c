/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Who runs where. One queue of vCPUs that wait for a pCPU, under one lock; a
 * pCPU takes the first, whichever ran where before. And the interrupts of the
 * host: what it does on the wakeup vector and on the active one.
 */

#include "minivisor.h"

/* How long a pCPU is offline, in microseconds. */
#define OFFLINE_US 1000

static struct vtdpi_pid_page pages[PID_PAGES];
static struct vtdpi_page_ref page_list[PID_PAGES];
static struct vtdpi_pcpu *pcpu_list[PCPUS];
static _Alignas(VTDPI_PAGE_SIZE) uint8_t pids[PID_PAGES][VTDPI_PAGE_SIZE];

static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct vcpu *first;
static struct vcpu *last;

static void take_lock(void)
{
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
        pause();
}

static void give_lock(void)
{
    atomic_flag_clear_explicit(&lock, memory_order_release);
}

/* The queue; under the lock. */

static struct pcpu *pick_idle(void)
{
    for (unsigned int i = 0; i < PCPUS; i++) {
        if (host.pcpu[i].idle)
            return &host.pcpu[i];
    }
    return NULL;
}

static void enqueue(struct vcpu *v)
{
    struct pcpu *const p = pick_idle();

    v->state = READY;
    v->next = NULL;
    if (first == NULL)
        first = v;
    else
        last->next = v;
    last = v;
    if (p != NULL) {
        p->idle = false;
        apic_ipi(cpu_apic_id(p->number), KICK);
    }
}

static struct vcpu *dequeue(struct pcpu *p)
{
    struct vcpu *const v = first;

    p->idle = v == NULL;
    if (v != NULL) {
        first = v->next;
        v->state = RUNNING;
    }
    return v;
}

void scheduler_ready(struct vcpu *v)
{
    take_lock();
    enqueue(v);
    give_lock();
}

void scheduler_arm(struct vcpu *v)
{
    take_lock();
    v->woken = false;
    give_lock();
}

/* Asleep, unless a wake came while it was blocking. */
void scheduler_sleep(struct vcpu *v)
{
    take_lock();
    if (v->woken)
        enqueue(v);
    else
        v->state = ASLEEP;
    give_lock();
}

bool scheduler_has_waiting(void)
{
    bool some;

    take_lock();
    some = first != NULL;
    give_lock();
    return some;
}

bool scheduler_is_asleep(const struct vcpu *v)
{
    bool asleep;

    take_lock();
    asleep = v->state == ASLEEP;
    give_lock();
    return asleep;
}

bool scheduler_all_asleep(void *arg)
{
    bool all = true;

    (void)arg;
    take_lock();
    for (unsigned int i = 0; i < VCPUS; i++)
        all &= host.vcpu[i].state == ASLEEP;
    give_lock();
    return all;
}

/* Callbacks of the library. */

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    account_sent(vector);
    apic_ipi(apic_id, vector); /* fences, as the contract demands */
}

/* By the wakeup handler, on the pCPU that took the vector. */
static void wake(void *ctx, void *cookie)
{
    struct vcpu *const v = cookie;

    (void)ctx;
    take_lock();
    v->woken = true;
    if (v->state == ASLEEP) {
        atomic_fetch_add(&counts.wakes, 1);
        timeline(EVENT_WAKES, cpu_self(), v->number, 0, 0);
        enqueue(v);
    }
    give_lock();
}

/* Interrupts, interrupts off: taken on a VM exit, which has acknowledged them,
 * or while idle. */
void scheduler_interrupt(struct pcpu *p, uint8_t vector)
{
    apic_eoi();
    if (vector == WNV && !p->offline)
        (void)vtdpi_pcpu_handle_wakeup(&p->pi, vector);
    else if (vector >= HOST_VECTOR && vector < HOST_VECTOR + INTERRUPTS)
        vm_relay(vector - HOST_VECTOR);
    /* Nothing to do for ANV: it was for a vCPU that has left the guest, and the
     * next entry of that vCPU looks at PIR. Nothing to do for KICK: the loop
     * goes round. */
}

static void on_interrupt(struct trap_frame *frame, void *arg)
{
    struct pcpu *const p = &host.pcpu[cpu_self() - CPU_FIRST];

    (void)arg;
    p->idle_interrupts[frame->vector]++;
    scheduler_interrupt(p, (uint8_t)frame->vector);
}

struct pcpu *scheduler_pcpu(uint32_t apic_id)
{
    for (unsigned int i = 0; i < PCPUS; i++) {
        if (cpu_apic_id(host.pcpu[i].number) == apic_id)
            return &host.pcpu[i];
    }
    panic("interrupt for APIC id %x, which is no pCPU's", apic_id);
}

/* What a pCPU does. */

static struct vcpu *next_vcpu(struct pcpu *p)
{
    struct vcpu *v;

    take_lock();
    v = dequeue(p);
    give_lock();
    return v;
}

/* Now and then p2 goes offline. vCPUs that are blocked there are woken, and block
 * elsewhere. From then on the local APIC of p2 takes no notification. (It goes on taking
 * device interrupts in remapped form; a real host moves these before.) */
static void go_offline(struct pcpu *p)
{
    const uint64_t until = now_us() + OFFLINE_US;

    take_lock();
    p->idle = false;
    give_lock();
    p->offlines++;
    timeline(EVENT_OFFLINE, p->number, vtdpi_pcpu_offline(&p->pi), 0, 0);
    p->offline = true;
    while (now_us() < until)
        __asm__ volatile("sti; pause; cli" : : : "memory");
    p->offline = false;
    vtdpi_pcpu_online(&p->pi);
}

void scheduler_loop(void *arg)
{
    struct pcpu *const p = arg;

    interrupts_off();
    vmx_on();
    while (!atomic_load(&host.stop_pcpus)) {
        struct vcpu *v;

        if (p->number == CPU_HOTPLUGGED && chance(&p->random, 8) == 0) {
            go_offline(p);
            continue; /* it may have taken a KICK since then */
        }
        v = next_vcpu(p);
        if (v != NULL)
            vcpu_run(p, v);
        else
            /* A KICK since the look at the queue is taken here: STI lets none
             * through before HLT. */
            __asm__ volatile("sti; hlt; cli" : : : "memory");
    }
    vmx_off();
}

/* Set up and take down. */

static void start_pcpus(void)
{
    for (unsigned int i = 0; i < PCPUS; i++) {
        struct pcpu *const p = &host.pcpu[i];

        p->number = CPU_FIRST + i;
        p->random = chance_start(p->number);
        must(vtdpi_pcpu_init(&host.sched, &p->pi, i, cpu_apic_id(p->number),
                             p->bitmap),
             "vtdpi_pcpu_init");
        vtdpi_pcpu_online(&p->pi);
    }
}

static void start_vcpus(void)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        struct vcpu *const v = &host.vcpu[i];

        must(vtdpi_vcpu_attach(&host.sched, &v->pi, i * VTDPI_PAGE_SLOTS, v),
             "vtdpi_vcpu_attach");
        vcpu_start(v, i);
    }
}

void scheduler_start(void)
{
    static const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi,
                                                  .wake = wake};
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = page_list,
        .max_pages = PID_PAGES,
        .pcpus = pcpu_list,
        .max_pcpus = PCPUS,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv = {WNV},
        .wnv_count = 1,
    };
    static const uint8_t vectors[] = {ANV, WNV, KICK};

    must(vtdpi_sched_init(&host.sched, &params), "vtdpi_sched_init");
    for (unsigned int i = 0; i < PID_PAGES; i++)
        must(vtdpi_sched_add_page(&host.sched, i, &pages[i], pids[i],
                                  (uintptr_t)pids[i]),
             "vtdpi_sched_add_page");
    for (unsigned int i = 0; i < sizeof(vectors); i++)
        trap_handle(vectors[i], on_interrupt, NULL);
    for (unsigned int i = 0; i < INTERRUPTS; i++)
        trap_handle((uint8_t)(HOST_VECTOR + i), on_interrupt, NULL);
    start_pcpus();
    start_vcpus();
}

void scheduler_stop(void)
{
    for (unsigned int i = 0; i < VCPUS; i++)
        must(vtdpi_vcpu_detach(&host.vcpu[i].pi), "vtdpi_vcpu_detach");
}
