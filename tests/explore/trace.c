/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedules: run again, made shorter, written and read. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    MINIMISE_STEPS = 1 << 23,
};

/* How hard a schedule is to read: context switches first. */
struct size {
    uint32_t switches;
    uint32_t steps;
};

static struct size size_of(const struct ex_schedule *s)
{
    struct size z = {0, s->length};

    for (uint32_t i = 1; i < s->length; i++)
        z.switches += s->step[i] != s->step[i - 1];
    return z;
}

static bool smaller(struct size x, struct size y)
{
    return x.switches < y.switches ||
           (x.switches == y.switches && x.steps < y.steps);
}

/* Steps of all replays since ex_minimise() began: a loop that does not end is long. */
static uint64_t replayed;

/* Take a step and look. False when the execution is over. */
static bool go(struct ex_schedule *run, uint8_t step,
               void (*each)(uint8_t step))
{
    bool final;

    (void)ex_step(step);
    run->step[run->length++] = step;
    replayed++;
    final = ex_look();
    if (!final && run->length == EX_STEPS)
        ex_fail_endless();
    if (each != NULL)
        each(step);
    return !final && ex_failure() == NULL;
}

bool ex_replay(const struct ex_world *world, bool tso,
               struct ex_schedule *schedule, void (*each)(uint8_t step))
{
    static struct ex_schedule run;
    bool going = true;

    run.length = 0;
    ex_begin(world, tso);
    for (uint32_t i = 0; i < schedule->length && going; i++) {
        if ((ex_possible() & (1U << schedule->step[i])) != 0)
            going = go(&run, schedule->step[i], each);
    }
    while (going && ex_possible() != 0) {
        uint8_t step = run.length == 0 ? 0 : run.step[run.length - 1];

        if ((ex_possible() & (1U << step)) == 0)
            step = (uint8_t)__builtin_ctz(ex_possible());
        going = go(&run, step, each);
    }
    *schedule = run;
    return ex_failure() != NULL;
}

/* Whether @candidate fails in the same way and is smaller than @best, which it
 * then becomes. */
static bool better(const struct ex_world *world, bool tso, char property,
                   struct ex_schedule *candidate, struct ex_schedule *best)
{
    if (replayed > MINIMISE_STEPS)
        return false;
    if (!ex_replay(world, tso, candidate, NULL) ||
        ex_failure()[0] != property ||
        !smaller(size_of(candidate), size_of(best)))
        return false;
    *best = *candidate;
    return true;
}

static uint32_t block_end(const struct ex_schedule *s, uint32_t begin)
{
    uint32_t end = begin + 1;

    while (end < s->length && s->step[end] == s->step[begin])
        end++;
    return end;
}

static uint32_t last_block(const struct ex_schedule *s)
{
    uint32_t begin = s->length;

    while (begin > 0 && s->step[begin - 1] == s->step[s->length - 1])
        begin--;
    return begin;
}

static void drop(struct ex_schedule *s, uint32_t begin, uint32_t end)
{
    memmove(&s->step[begin], &s->step[end], s->length - end);
    s->length -= end - begin;
}

/* Exchange the block before @middle with the one behind it. */
static void swap_blocks(struct ex_schedule *s, uint32_t begin, uint32_t middle)
{
    const uint32_t end = block_end(s, middle);
    const uint8_t first = s->step[begin];
    const uint8_t second = s->step[middle];

    memset(&s->step[begin], second, end - middle);
    memset(&s->step[begin + end - middle], first, middle - begin);
}

/* One change that helps; false if there is none. */
static bool shrink(const struct ex_world *world, bool tso, char property,
                   struct ex_schedule *best)
{
    static struct ex_schedule try;

    for (uint32_t i = 0; i < best->length; i = block_end(best, i)) {
        const uint32_t end = block_end(best, i);

        try = *best;
        drop(&try, i, end);
        if (better(world, tso, property, &try, best))
            return true;
        if (end == best->length)
            break;
        try = *best;
        swap_blocks(&try, i, end);
        if (better(world, tso, property, &try, best))
            return true;
    }
    /* The last block goes on as far as it can, whatever its length here. */
    for (uint32_t i = 0; i < last_block(best); i++) {
        try = *best;
        drop(&try, i, i + 1);
        if (better(world, tso, property, &try, best))
            return true;
    }
    return false;
}

void ex_minimise(const struct ex_world *world, bool tso,
                 struct ex_schedule *schedule)
{
    char property;

    if (!ex_replay(world, tso, schedule, NULL))
        return;
    property = ex_failure()[0];
    replayed = 0;
    while (shrink(world, tso, property, schedule))
        ;
    (void)ex_replay(world, tso, schedule, NULL);
}

void ex_schedule_print(const struct ex_schedule *schedule, FILE *out)
{
    for (uint32_t i = 0; i < schedule->length; i = block_end(schedule, i)) {
        const uint32_t n = block_end(schedule, i) - i;

        (void)fprintf(out, "%s%u", i == 0 ? "" : ",", schedule->step[i]);
        if (n > 1)
            (void)fprintf(out, "*%u", n);
    }
}

bool ex_schedule_parse(struct ex_schedule *schedule, const char *text)
{
    schedule->length = 0;
    while (*text != '\0') {
        char *end;
        const unsigned long step = strtoul(text, &end, 10);
        unsigned long count = 1;

        if (end == text || step >= 2 * EX_FIBERS)
            return false;
        text = end;
        if (*text == '*') {
            count = strtoul(text + 1, &end, 10);
            if (end == text + 1)
                return false;
            text = end;
        }
        if (count > EX_STEPS - schedule->length)
            return false;
        memset(&schedule->step[schedule->length], (int)step, count);
        schedule->length += (uint32_t)count;
        if (*text == ',')
            text++;
        else if (*text != '\0')
            return false;
    }
    return true;
}
