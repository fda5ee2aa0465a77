/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pCPU a vCPU blocks on, so that no pCPU's handler has to look at too
 * many: vtdpi_pcpu_choose(). Nothing but how long lists grow depends on what
 * is done here, so all loads and stores are relaxed. Read "Balance" at the top
 * of vtdpi/sched.h, and blocked_estimate() in sched_blocked.h.
 */
#include "vtdpi/sched.h"
#include "sched_blocked.h"
#include "sched_internal.h"

/* How many others are compared, and which share of the bound is placed
 * elsewhere before the own list is counted again. */
#define CHOICES    2
#define AWAY_SHARE 8

static bool pcpu_is_online(const struct vtdpi_pcpu *p)
{
    return vtdpi_atomic_load64_relaxed(&p->online) != 0;
}

/* Marsaglia's xorshift; the state is never 0. */
static uint32_t pcpu_draw(struct vtdpi_pcpu *p, uint32_t below)
{
    uint64_t x = vtdpi_atomic_load64_relaxed(&p->random);

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    vtdpi_atomic_store64_relaxed(&p->random, x);
    return (uint32_t)((x >> 32) * below >> 32);
}

/* A random one, or the next after it that is there, online and not @here. */
static struct vtdpi_pcpu *pcpu_some_other(struct vtdpi_pcpu *here)
{
    const struct vtdpi_sched *const s = here->sched;
    uint32_t n = pcpu_draw(here, s->max_pcpus);

    for (uint32_t i = 0; i < s->max_pcpus; i++) {
        struct vtdpi_pcpu *const p = pcpu_found(s, n);

        if (p != NULL && p != here && pcpu_is_online(p))
            return p;
        n = n + 1 == s->max_pcpus ? 0 : n + 1;
    }
    return NULL;
}

/* The shortest list of @here's, which has @least, and those of some others. */
static struct vtdpi_pcpu *pcpu_shortest(struct vtdpi_pcpu *here, uint32_t least)
{
    struct vtdpi_pcpu *best = here;

    for (unsigned int i = 0; i < CHOICES; i++) {
        struct vtdpi_pcpu *const p = pcpu_some_other(here);
        const uint32_t n = p == NULL ? least : blocked_estimate(p, least);

        if (n < least) {
            best = p;
            least = n;
        }
    }
    return best;
}

/* The list is to be counted, or was full not long ago, or here is offline. */
static VTDPI_NOINLINE struct vtdpi_pcpu *
pcpu_count_and_choose(struct vtdpi_pcpu *here, uint32_t bound)
{
    uint64_t away = vtdpi_atomic_load64_relaxed(&here->away_left);
    uint32_t least = UINT32_MAX;

    if (away != 0) {
        away--;
    } else if (pcpu_is_online(here)) {
        least = blocked_estimate(here, UINT32_MAX);
        if (least < bound) {
            vtdpi_atomic_store64_relaxed(&here->here_left, bound - least - 1);
            return here;
        }
        away = bound / AWAY_SHARE;
    }
    vtdpi_atomic_store64_relaxed(&here->away_left, away);
    return pcpu_shortest(here, least);
}

struct vtdpi_pcpu *vtdpi_pcpu_choose(struct vtdpi_pcpu *here, uint32_t bound)
{
    const uint64_t left = vtdpi_atomic_load64_relaxed(&here->here_left);

    /* At the bound or above: of a call with a larger one. */
    if (left == 0 || left >= bound || !pcpu_is_online(here))
        return pcpu_count_and_choose(here, bound);
    vtdpi_atomic_store64_relaxed(&here->here_left, left - 1);
    return here;
}
