/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge.h"

#include <inttypes.h>
#include <stdio.h>

struct view {
    uint64_t pir[VTDPI_PIR_WORDS];
    struct vtdpi_pid_control c;
    uint64_t state;
    uint64_t woken;
    bool blocked;
    bool empty;
};

static struct view look(const struct vcpu *v)
{
    const struct vtdpi_pid *pid = vtdpi_vcpu_pid(&v->lib);
    struct view x = {
        .c = vtdpi_pid_control_decode(vtdpi_pid_snapshot(pid)),
        .state = vtdpi_atomic_load64(&v->state),
        .woken = vtdpi_atomic_load64(&v->woken),
        .blocked = vtdpi_vcpu_is_blocked(&v->lib),
        .empty = true,
    };

    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {
        x.pir[i] = vtdpi_atomic_load64(&pid->pir[i]);
        x.empty = x.empty && x.pir[i] == 0;
    }
    return x;
}

/* With the bitmaps as sched.c has them: for each page its blocked bits and wake
 * marks, then summary words. */
static void dump_pcpus(const struct world *w)
{
    for (uint32_t i = 0; i < PCPUS; i++) {
        const struct pcpu *p = &w->pcpu[i];

        fprintf(
            stderr,
            "  pCPU %" PRIu32 ": id %#x mode %" PRIu64 " pending %016" PRIx64
            " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %s, leaves",
            i, host_id(&w->names, i), p->mode, p->pending[3], p->pending[2],
            p->pending[1], p->pending[0], p->in_guest ? "in guest" : "idle");
        for (uint32_t k = 0; k < PAGES; k++)
            fprintf(stderr, " %" PRIx64 "/%" PRIx64, p->bitmap[2 * k],
                    p->bitmap[2 * k + 1]);
        fprintf(stderr, ", summary %" PRIx64 "\n", p->bitmap[2 * ROOM]);
    }
}

_Noreturn static void complain(const struct world *w, const struct vcpu *v,
                               const struct view *x, const char *what)
{
    static const char *const state[] = {"owned", "asleep", "queued", "paused"};

    fprintf(
        stderr,
        "  slot %" PRIu32 ": %s woken %" PRIu64
        " blocked %d, ON %d SN %d NV %02x NDST %#" PRIx32 ", PIR %016" PRIx64
        " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 "\n",
        v->lib.slot, state[x->state], x->woken, x->blocked, x->c.on, x->c.sn,
        x->c.nv, x->c.ndst, x->pir[3], x->pir[2], x->pir[1], x->pir[0]);
    dump_pcpus(w);
    race_fail("%s", what);
}

static void judge_sleeper(const struct world *w, const struct vcpu *v,
                          const struct view *x)
{
    const uint32_t p = host_of_ndst(&w->names, x->c.ndst);

    if (x->c.on || !x->empty)
        complain(w, v, x, "lost wakeup: asleep over a posted vector");
    if (x->c.nv != host_wnv_of(&w->names, v->lib.slot) || x->c.sn ||
        !x->blocked || p >= PCPUS)
        complain(w, v, x, "asleep, and nobody would be notified");
    if (vtdpi_atomic_load64(&w->pcpu[p].mode) != PCPU_UP)
        complain(w, v, x, "asleep on a pCPU that is offline");
}

static void judge_guest(const struct world *w, const struct pcpu *p,
                        const struct view *x)
{
    if (!x->empty || x->c.on)
        complain(w, p->current, x,
                 "lost notification: in the guest with a posted vector");
    if (x->c.nv != ANV || x->c.sn ||
        x->c.ndst != host_ndst(&w->names, p->number) || x->blocked)
        complain(w, p->current, x, "in the guest, and not notified there");
}

/* A vCPU that comes and goes: its owner has not looked at the mark yet. */
static void judge_visitor(const struct world *w, const struct vcpu *v)
{
    struct view x;

    if (!vtdpi_vcpu_attached(&v->lib))
        return;
    x = look(v);
    if (x.blocked && x.woken == 0)
        judge_sleeper(w, v, &x);
}

/* Invariant I, and no bit left behind: the bits of a pCPU are those of the
 * vCPUs whose notifications go there. */
static void judge_bits(const struct world *w)
{
    uint32_t want[PCPUS] = {0};

    for (uint32_t i = 0; i < VCPUS + GUESTS; i++) {
        const struct vcpu *v = i < VCPUS ? &w->vcpu[i] : &w->guest[i - VCPUS];
        struct view x;

        if (!vtdpi_vcpu_attached(&v->lib))
            continue;
        x = look(v);
        if (x.c.nv != ANV && host_of_ndst(&w->names, x.c.ndst) == PCPUS)
            complain(w, v, &x, "blocked on no pCPU, by NDST");
        if (x.c.nv != ANV)
            want[host_of_ndst(&w->names, x.c.ndst)]++;
        if (x.c.nv != (x.blocked ? host_wnv_of(&w->names, v->lib.slot) : ANV))
            complain(w, v, &x, "blocked, and not so by NV");
    }
    for (uint32_t i = 0; i < PCPUS; i++) {
        const uint32_t have = vtdpi_pcpu_blocked(&w->pcpu[i].lib);

        if (have != want[i]) {
            dump_pcpus(w);
            race_fail("pCPU %" PRIu32 " has %" PRIu32
                      " vCPUs blocked, by their NDST %" PRIu32,
                      i, have, want[i]);
        }
    }
}

/* Wakes may be one more than the blocks: a handler that has read the vCPU's bit may
 * wake the vCPU after its next block. */
static void judge_wakes(const struct pcpu *p)
{
    for (uint32_t i = 0; i < VCPUS; i++) {
        if (p->wakes_of[i] > p->blocks_of[i] + 1)
            race_fail("pCPU %" PRIu32 " woke vCPU %" PRIu32 " %" PRIu64
                      " times for %" PRIu64 " blocks",
                      p->number, i, p->wakes_of[i], p->blocks_of[i]);
    }
}

static void judge_account(const struct world *w, uint32_t n,
                          const struct source *sources, uint32_t count)
{
    const struct vcpu *v = &w->vcpu[n];
    const struct view x = look(v);

    for (uint32_t vector = 0; vector < 256; vector++) {
        const uint32_t held = (x.pir[vector / 64] >> (vector % 64)) & 1;
        const uint32_t got = v->got.delivered[vector] + held;
        uint32_t fresh = 0;

        for (uint32_t i = 0; i < count; i++)
            fresh += sources[i].fresh[n][vector];
        /* Whole posts do not say whether they merged: then at least one was
         * delivered if any was posted. */
        if (vector == WHOLE_VECTOR ? got > fresh || (got == 0 && fresh > 0)
                                   : got != fresh)
            race_fail("vCPU %" PRIu32 " vector %02" PRIx32 ": %" PRIu32
                      " posted, %" PRIu32 " delivered or held",
                      n, vector, fresh, got);
    }
}

void judge(const struct world *w, const struct source *sources, uint32_t count)
{
    for (uint32_t i = 0; i < VCPUS; i++) {
        const struct vcpu *v = &w->vcpu[i];
        const struct view x = look(v);

        if (x.state == VCPU_ASLEEP)
            judge_sleeper(w, v, &x);
        if (x.state == VCPU_QUEUED)
            complain(w, v, &x, "runnable, and nobody runs it");
        if (x.state == VCPU_PAUSED && (x.c.nv != ANV || !x.c.sn || x.blocked))
            complain(w, v, &x, "paused, and not preempted");
        judge_account(w, i, sources, count);
    }
    for (uint32_t i = 0; i < PCPUS; i++) {
        judge_wakes(&w->pcpu[i]);
        if (w->pcpu[i].in_guest) {
            const struct view x = look(w->pcpu[i].current);

            judge_guest(w, &w->pcpu[i], &x);
        }
    }
    for (uint32_t i = 0; i < GUESTS; i++)
        judge_visitor(w, &w->guest[i]);
    judge_bits(w);
}
