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

/* With how many other pCPUs a full one is compared; and after how many choices of
 * another pCPU, as a part of the bound, the own list is counted again. */
#define CHOICES    2
#define AWAY_SHARE 8

/* The pCPUs that may be chosen: the host's mask, or all if there is none. The
 * host may change its mask at any time, so the words are atomic. */
static bool set_has(const uint64_t *set, uint32_t number)
{
    return set == NULL || (vtdpi_atomic_load64_relaxed(&set[number / 64]) &
                           VTDPI_BIT64(number % 64)) != 0;
}

static bool pcpu_is_online(const struct vtdpi_pcpu *p)
{
    return vtdpi_atomic_load64_relaxed(&p->online) != 0;
}

static bool pcpu_is_choice(const struct vtdpi_pcpu *p, const uint64_t *set)
{
    return pcpu_is_online(p) && set_has(set, p->number);
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

/* A random number of the set, each with the same chance: a set is often a run
 * of numbers, so the next one after a random number would be mostly the first
 * of the run. 0 if the set is empty. */
static VTDPI_COLD uint32_t set_draw(struct vtdpi_pcpu *here,
                                    const uint64_t *set)
{
    const uint32_t max = here->sched->max_pcpus;
    const uint32_t words = set == NULL ? 0 : (max + 63) / 64;
    uint32_t count = 0;
    uint32_t n;

    for (uint32_t i = 0; i < words; i++)
        count += blocked_count_bits(vtdpi_atomic_load64_relaxed(&set[i]));
    n = pcpu_draw(here, set == NULL ? max : count);
    for (uint32_t i = 0; i < words; i++) {
        uint64_t bits = vtdpi_atomic_load64_relaxed(&set[i]);

        for (; bits != 0; bits &= bits - 1) {
            if (n-- == 0)
                return i * 64 + (unsigned int)__builtin_ctzll(bits);
        }
    }
    return set == NULL ? n : 0;
}

/* A random one of the set, or the next of the set after it that is there,
 * online and not @here. */
static VTDPI_COLD VTDPI_NOINLINE struct vtdpi_pcpu *
pcpu_some_other(struct vtdpi_pcpu *here, const uint64_t *set)
{
    const struct vtdpi_sched *const s = here->sched;
    uint32_t n = set_draw(here, set);

    for (uint32_t i = 0; i < s->max_pcpus; i++, n++) {
        struct vtdpi_pcpu *p;

        if (n >= s->max_pcpus)
            n = 0;
        p = set_has(set, n) ? pcpu_found(&s->pcpus[n]) : NULL;
        if (p != NULL && p != here && pcpu_is_online(p))
            return p;
    }
    return NULL;
}

/* The pCPU with the shortest list: @best, whose list has @least vCPUs, or one of some
 * others. */
static VTDPI_COLD struct vtdpi_pcpu *pcpu_shortest(struct vtdpi_pcpu *here,
                                                   const uint64_t *set,
                                                   struct vtdpi_pcpu *best,
                                                   uint32_t least)
{
    for (unsigned int i = 0; i < CHOICES; i++) {
        struct vtdpi_pcpu *const p = pcpu_some_other(here, set);
        const uint32_t n = p == NULL ? least : blocked_estimate(p, least);

        if (n < least) {
            best = p;
            least = n;
        }
    }
    return best;
}

/* The slow way: the list of @here has to be counted, or was full not long ago, or
 * @here may not be chosen. */
static VTDPI_COLD VTDPI_NOINLINE struct vtdpi_pcpu *
pcpu_count_and_choose(struct vtdpi_pcpu *here, uint32_t bound,
                      const uint64_t *set)
{
    const bool choice = pcpu_is_choice(here, set);
    uint64_t away = vtdpi_atomic_load64_relaxed(&here->away_left);
    uint32_t least = UINT32_MAX;

    if (away != 0) {
        away--;
    } else if (choice) {
        least = blocked_estimate(here, UINT32_MAX);
        if (least < bound) {
            vtdpi_atomic_store64_relaxed(&here->here_left, bound - least - 1);
            return here;
        }
        away = bound / AWAY_SHARE;
    }
    vtdpi_atomic_store64_relaxed(&here->away_left, away);
    return pcpu_shortest(here, set, choice ? here : NULL, least);
}

struct vtdpi_pcpu *vtdpi_pcpu_choose(struct vtdpi_pcpu *here, uint32_t bound,
                                     const uint64_t *set)
{
    const uint64_t left = vtdpi_atomic_load64_relaxed(&here->here_left);

    /* A number at the bound or above is from a call with a larger bound. */
    if (left == 0 || left >= bound || !pcpu_is_choice(here, set))
        return pcpu_count_and_choose(here, bound, set);
    vtdpi_atomic_store64_relaxed(&here->here_left, left - 1);
    return here;
}
