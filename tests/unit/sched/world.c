/* SPDX-License-Identifier: BSD-2-Clause */
#include "atomic_hook.h"
#include "test.h"
#include "support.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static unsigned int pcpu_of_ndst(const struct world *w, uint32_t ndst)
{
    const uint32_t p = host_of_ndst(&w->names, ndst);

    assert_in_range(p, 0, PCPUS - 1);
    return p;
}

static void interrupt(struct world *w, unsigned int p, uint8_t vector)
{
    if (!w->dead[p])
        w->pending[p][vector] = true;
}

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    struct world *w = ctx;
    const uint32_t p = host_of_id(&w->names, apic_id);

    assert_in_range(p, 0, PCPUS - 1);
    w->ipis++;
    interrupt(w, p, vector);
}

static void wake(void *ctx, void *cookie)
{
    struct world_vcpu *v = cookie;

    assert_ptr_equal(v->w, ctx);
    assert_false(v->gone);
    v->woken = true;
    v->wakes++;
}

/* Where a page lives: only four of them are backed. */
static uint32_t backing(uint32_t number)
{
    return number < PRESENT - 1 ? number : PRESENT - 1;
}

static void add_page(struct world *w, uint32_t number)
{
    const uint32_t i = backing(number);
    uint8_t *memory = (uint8_t *)w->memory + i * 4096;

    memset(memory, 0xff, 4096);
    assert_int_equal(vtdpi_sched_add_page(&w->s, number, &w->page[i], memory,
                                          0x100000000 + number * 4096),
                     0);
}

uint8_t world_wnv(unsigned int n)
{
    return (uint8_t)(n == 0 ? WNV : 0x20 + n * 37 % 64);
}

struct world *world_new(const uint32_t slots[VCPUS])
{
    return world_new_as(slots, 0, VTDPI_X2APIC);
}

struct world *world_new_as(const uint32_t slots[VCPUS], uint8_t wnv_count,
                           enum vtdpi_apic_mode mode)
{
    struct world *w = calloc(1, sizeof(*w));
    const struct vtdpi_sched_params params = {
        .ops = &w->ops,
        .ctx = w,
        .pages = w->page_slots,
        .max_pages = PAGES,
        .pcpus = w->pcpu_slots,
        .wnv_count = wnv_count,
    };

    assert_non_null(w);
    /* An APIC id is not the pCPU's number, and above 8 bits if the mode has
     * more. */
    w->names = (struct host_names){
        .mode = mode,
        .first_id = mode == VTDPI_XAPIC ? 0x10 : 0x1000,
        .stride = 2,
        .pcpus = PCPUS,
        .anv = ANV,
        .wnv_count = wnv_count == 0 ? 1 : wnv_count,
    };
    for (unsigned int i = 0; i < w->names.wnv_count; i++)
        w->names.wnv[i] = world_wnv(i);
    w->memory = support_memory(PRESENT * 4096);
    w->ops.send_ipi = send_ipi;
    w->ops.wake = wake;
    host_sched_init(&w->s, &w->names, params);
    add_page(w, 0);
    add_page(w, 1);
    add_page(w, PAGES - 1);
    /* The last pCPU stays absent. */
    for (unsigned int i = 0; i < PCPUS - 1; i++)
        host_pcpu_up(&w->s, &w->names, &w->pcpu[i], i, w->bitmap[i]);
    for (unsigned int i = 0; i < VCPUS; i++) {
        w->vcpu[i].w = w;
        assert_int_equal(
            vtdpi_vcpu_attach(&w->s, &w->vcpu[i].v, slots[i], &w->vcpu[i]), 0);
    }
    return w;
}

void world_free(struct world *w)
{
    free(w->memory);
    free(w);
}

static struct vtdpi_pid *pid_of(const struct world_vcpu *v)
{
    return &((struct vtdpi_pid *)
                 v->w->memory)[backing(v->v.slot / 64) * 64 + v->v.slot % 64];
}

void world_device_post(struct world_vcpu *v, uint8_t vector, bool urgent)
{
    struct vtdpi_pid *pid = pid_of(v);

    v->posted[vector] = true;
    pid->pir[vector / 64] |= UINT64_C(1) << (vector % 64);
    if ((pid->control & 1) != 0 || ((pid->control & 2) != 0 && !urgent))
        return;
    pid->control |= 1;
    interrupt(v->w, pcpu_of_ndst(v->w, (uint32_t)(pid->control >> 32)),
              (uint8_t)(pid->control >> 16));
}

void world_software_post(struct world_vcpu *v, uint8_t vector, bool urgent)
{
    v->posted[vector] = true;
    (void)vtdpi_vcpu_post(&v->v, vector, urgent);
}

bool world_take(struct world_vcpu *v)
{
    uint64_t out[VTDPI_PIR_WORDS];
    const bool any = vtdpi_vcpu_sync(&v->v, out);

    (void)host_deliver(&v->taken, out);
    return any;
}

/* Also the entry: interrupts are off from the harvest on, so a notification
 * that comes later is still pending when the guest starts. */
void world_enter(struct world_vcpu *v, unsigned int pcpu)
{
    vtdpi_vcpu_run(&v->v, &v->w->pcpu[pcpu]);
    v->on = pcpu;
    v->w->irqs_off[pcpu] = true;
    if (v->private_apic)
        (void)vtdpi_vcpu_notify_self(&v->v, &v->w->pcpu[pcpu]);
    else
        (void)world_take(v);
    v->state = GUEST;
    v->w->irqs_off[pcpu] = false;
    /* An interrupt that a pCPU has sent to itself arrives at once. */
    if (v->private_apic)
        world_interrupts(v->w, pcpu);
}

void world_leave(struct world_vcpu *v)
{
    v->state = OUT;
    vtdpi_vcpu_preempt(&v->v);
}

/* A pCPU that is not dead, from @pcpu on: to run on after a sleep. */
static unsigned int alive(const struct world *w, unsigned int pcpu)
{
    while (w->dead[pcpu])
        pcpu = (pcpu + 1) % (PCPUS - 1);
    return pcpu;
}

/* Halt: sleep if nothing comes; a guest that got a vector goes on. */
void world_halt(struct world_vcpu *v, unsigned int pcpu, bool committed)
{
    struct world *w = v->w;

    v->state = OUT;
    for (;;) {
        enum vtdpi_block_result r;

        v->woken = false;
        r = committed ? vtdpi_vcpu_block_committed(&v->v, &w->pcpu[pcpu])
                      : vtdpi_vcpu_block(&v->v, &w->pcpu[pcpu]);
        if (r == VTDPI_BLOCKED) {
            v->state = SLEEPING;
            return;
        }
        if (r == VTDPI_BLOCK_OFFLINE) {
            pcpu = (pcpu + 1) % (PCPUS - 1);
            continue;
        }
        assert_int_equal(r, VTDPI_BLOCK_PENDING);
        assert_false(committed);
        /* A host that cannot see the virtual APIC enters the guest, which
         * halts once more if nothing is deliverable. */
        if (v->private_apic || world_take(v)) {
            world_enter(v, alive(w, v->on));
            return;
        }
    }
}

void world_offline(struct world *w, unsigned int p)
{
    for (unsigned int i = 0; i < VCPUS; i++)
        assert_false(w->vcpu[i].state == GUEST && w->vcpu[i].on == p);
    (void)vtdpi_pcpu_offline(&w->pcpu[p]);
    w->dead[p] = true;
    memset(w->pending[p], 0, sizeof(w->pending[p]));
}

void world_interrupts(struct world *w, unsigned int p)
{
    if (w->irqs_off[p])
        return;
    for (unsigned int i = 0; i < w->names.wnv_count; i++) {
        if (!w->pending[p][world_wnv(i)])
            continue;
        w->pending[p][world_wnv(i)] = false;
        (void)vtdpi_pcpu_handle_wakeup(&w->pcpu[p], world_wnv(i));
    }
    if (!w->pending[p][ANV])
        return;
    w->pending[p][ANV] = false;
    /* CPU-side processing for the vCPU in the guest here; in host mode the
     * handler does EOI and nothing else. */
    for (unsigned int i = 0; i < VCPUS; i++) {
        struct world_vcpu *v = &w->vcpu[i];
        struct vtdpi_pid *pid = pid_of(v);

        if (v->state != GUEST || v->on != p)
            continue;
        pid->control &= ~UINT64_C(1);
        (void)host_deliver(&v->taken, pid->pir);
        memset(pid->pir, 0, sizeof(pid->pir));
    }
}

static bool anything_pending(const struct world *w)
{
    for (unsigned int p = 0; p < PCPUS - 1; p++) {
        for (unsigned int i = 0; i < 256; i++) {
            if (w->pending[p][i])
                return true;
        }
    }
    return false;
}

void world_settle(struct world *w)
{
    for (unsigned int rounds = 0; rounds < 100; rounds++) {
        bool moved = anything_pending(w);

        for (unsigned int p = 0; p < PCPUS - 1; p++)
            world_interrupts(w, p);
        for (unsigned int i = 0; i < VCPUS; i++) {
            struct world_vcpu *v = &w->vcpu[i];

            if (v->state == SLEEPING && v->woken) {
                world_enter(v, alive(w, i % (PCPUS - 1)));
                moved = true;
            }
        }
        if (!moved)
            return;
    }
    fail_msg("the world does not settle");
}

static void check_sleeping(const struct world *w, const struct world_vcpu *v)
{
    const struct vtdpi_pid *pid = pid_of(v);
    const unsigned int p = pcpu_of_ndst(w, (uint32_t)(pid->control >> 32));
    const uint32_t leaf = v->v.slot / 64;

    assert_int_equal(pid->control & 3, 0);
    assert_int_equal(pid->control >> 16 & 0xff,
                     host_wnv_of(&w->names, v->v.slot));
    assert_false(w->dead[p]);
    assert_true(w->bitmap[p][2 * leaf] >> (v->v.slot % 64) & 1);
    assert_true(w->bitmap[p][2 * PAGES + leaf / 64] >> (leaf % 64) & 1);
}

void world_check_never(const struct world *w)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        const struct world_vcpu *v = &w->vcpu[i];
        const uint64_t control = pid_of(v)->control;

        if ((control >> 16 & 0xff) == ANV)
            continue;
        assert_int_equal(control >> 16 & 0xff,
                         host_wnv_of(&w->names, v->v.slot));
        assert_true(w->bitmap[pcpu_of_ndst(w, (uint32_t)(control >> 32))]
                             [v->v.slot / 64 * 2] >>
                        (v->v.slot % 64) &
                    1);
    }
}

static void check_guest(const struct world_vcpu *v)
{
    const struct vtdpi_pid *pid = pid_of(v);

    assert_int_equal(pid->control & 2, 0);
    assert_int_equal(pid->control >> 16 & 0xff, ANV);
    assert_int_equal(pid->control >> 32, host_ndst(&v->w->names, v->on));
}

/* Bits only where a sleeper is: nobody leaves one behind. */
static void check_bitmaps(const struct world *w)
{
    for (unsigned int p = 0; p < PCPUS - 1; p++) {
        unsigned int sleepers = 0;

        for (unsigned int i = 0; i < VCPUS; i++) {
            const struct world_vcpu *v = &w->vcpu[i];

            if (v->state == SLEEPING &&
                pcpu_of_ndst(w, (uint32_t)(pid_of(v)->control >> 32)) == p)
                sleepers++;
        }
        assert_int_equal(vtdpi_pcpu_blocked(&w->pcpu[p]), sleepers);
    }
}

void world_check(const struct world *w)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        const struct world_vcpu *v = &w->vcpu[i];

        if (v->gone)
            continue;
        if (v->state == SLEEPING)
            check_sleeping(w, v);
        if (v->state == GUEST)
            check_guest(v);
        if (v->state != OUT) {
            for (unsigned int j = 0; j < VTDPI_PIR_WORDS; j++)
                assert_int_equal(pid_of(v)->pir[j], 0);
        }
        for (unsigned int j = 0; j < 256; j++) {
            const struct vtdpi_pid *pid = pid_of(v);
            const bool there = (pid->pir[j / 64] >> (j % 64) & 1) != 0;

            /* Delivered, or still recorded for a vCPU that is out. */
            assert_int_equal(v->posted[j], v->taken.delivered[j] > 0 || there);
        }
    }
    check_bitmaps(w);
}

void world_finish(struct world *w)
{
    world_settle(w);
    world_check(w);
    for (unsigned int i = 0; i < VCPUS; i++) {
        if (w->vcpu[i].state == OUT)
            world_enter(&w->vcpu[i], 0);
        world_device_post(&w->vcpu[i], 0xc0, false);
    }
    world_settle(w);
    world_check(w);
}

const uint32_t world_slots[VCPUS] = {5, 70, 63};

int world_set_up(void **state)
{
    hook_reset();
    *state = world_new(world_slots);
    return 0;
}

int world_tear_down(void **state)
{
    hook_reset();
    world_free(*state);
    return 0;
}

void world_block_all(struct world *w, unsigned int pcpu)
{
    for (unsigned int i = 0; i < VCPUS; i++)
        world_halt(&w->vcpu[i], pcpu, false);
    assert_int_equal(vtdpi_pcpu_blocked(&w->pcpu[pcpu]), VCPUS);
}
