/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Chance. It decides what happens next, and what happens on the way: between
 * any two atomic accesses of the library (see atomic.h) something may happen
 * elsewhere, on pCPUs that are not busy. Nothing is scripted; the same seed
 * gives the same run.
 */

#include "demo.h"

#include "atomic.h"

/* Of so many atomic accesses one is preceded by an event. */
#define ACCESSES_PER_EVENT 6

/* At most so many events between the steps of one. */
#define EVENTS_BETWEEN     4

/* While the hypervisor is replaced, which takes many more steps, only devices act.
 * One in so many accesses is then preceded by an interrupt, and so many interrupts
 * come while no hypervisor is there. */
#define ACCESSES_PER_SENT  400
#define SENT_WITHOUT_HOST  3

/* An atomic access does not say whose it is: the one global of the demo. */
static struct demo *world;

static const struct {
    unsigned int weight;
    bool (*happen)(struct demo *d);
} events[] = {
    {40, host_interrupt},
    {40, host_guest_handles},
    {40, host_schedule},
    {30, interrupts_raise},
    {12, host_halt},
    {8, host_emulated_device},
    {4, host_preempt},
    {2, interrupts_retarget},
    {1, host_hotplug},
    {2, interrupts_change_form},
    {1, interrupts_move_host_form},
    {1, replace_hypervisor},
};

/* splitmix64: any seed is as good as any other. */
static uint64_t random64(struct demo *d)
{
    uint64_t z = d->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t world_random(struct demo *d, uint32_t below)
{
    return (uint32_t)((random64(d) >> 32) * below >> 32);
}

/* One event, if chance picks one that can happen now. */
static bool try_event(struct demo *d)
{
    const unsigned int kinds = sizeof(events) / sizeof(events[0]);
    unsigned int total = 0;
    uint32_t pick;
    unsigned int i;

    for (i = 0; i < kinds; i++)
        total += events[i].weight;
    pick = world_random(d, total);
    for (i = 0; pick >= events[i].weight; i++)
        pick -= events[i].weight;
    return events[i].happen(d);
}

void world_step(void)
{
    struct demo *const d = world;

    if (d == NULL || d->between || d->steps_left == 0 ||
        world_random(d, d->replacing ? ACCESSES_PER_SENT
                                     : ACCESSES_PER_EVENT) != 0)
        return;
    d->between = true;
    if (d->replacing ? interrupts_raise(d) : try_event(d)) {
        d->steps_left--;
        d->account.between++;
    }
    d->between = false;
}

void world_begin_replacement(struct demo *d)
{
    d->replacing = true;
    d->steps_left = LINES_BETWEEN;
}

/* Nobody takes a step, so time is told in interrupts. */
void world_goes_on(struct demo *d)
{
    d->between = true;
    for (unsigned int i = 0; i < SENT_WITHOUT_HOST && d->steps_left != 0; i++)
        d->steps_left -= interrupts_raise(d);
    d->between = false;
}

void world_end_replacement(struct demo *d)
{
    d->replacing = false;
    d->steps_left = 0;
}

void world_run(struct demo *d, uint64_t count)
{
    d->random = d->options.seed;
    world = d;
    for (uint64_t n = 0; n < count; n++) {
        do
            d->steps_left = EVENTS_BETWEEN;
        while (!try_event(d));
        account_check(d);
    }
    world = NULL; /* from here on nothing new is raised */
}
