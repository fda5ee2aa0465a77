/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single operations on PIDs that are in the first-level cache: posting by
 * software, harvesting, scheduling in. 64 PIDs take turns, so that no
 * operation waits for the one before it on the same line.
 */
#include "hot.h"

#include "measure.h"
#include "peers.h"

enum {
    PIDS = 64,
    TURNS = 64, /* over all of them, in a sample */
};

static struct vtdpi_pid pids[PIDS];
static uint64_t sink;

/* What is compared starts from this state. */
struct state {
    void (*set_up)(struct vtdpi_pid *pid, uint8_t vector);
};

/*
 * A sampling function: sets all PIDs up, untimed, then times one operation on
 * each. Not a function that is handed one: the call would cost as much as the
 * operation.
 */
#define SAMPLE(name, operation)                                 \
    static double name(void *subject)                           \
    {                                                           \
        const struct state *const state = subject;              \
        uint64_t total = 0;                                     \
                                                                \
        for (int turn = 0; turn < TURNS; turn++) {              \
            const uint8_t vector = (uint8_t)(32 + chance(200)); \
            uint64_t begin;                                     \
                                                                \
            for (int i = 0; i < PIDS; i++)                      \
                state->set_up(&pids[i], vector);                \
            begin = ticks();                                    \
            for (int i = 0; i < PIDS; i++)                      \
                sink += operation(&pids[i], vector);            \
            total += ticks() - begin;                           \
        }                                                       \
        total -= TURNS * ticks_empty();                         \
        return ticks_ns(total) / (PIDS * TURNS);                \
    }

static void set(struct vtdpi_pid *pid, uint64_t control, int words)
{
    for (int i = 0; i < 4; i++)
        pid->pir[i] = i < words ? UINT64_C(0x100) : 0;
    pid->control = control | VTDPI_FIELD_PUT(0xf2, VTDPI_PID_NV) |
                   VTDPI_FIELD_PUT(3, VTDPI_PID_NDST);
}

/* Post. */

static void on_clear(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    set(pid, 0, 0);
}

static void on_set(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    set(pid, VTDPI_PID_ON, 0);
}

static void both_set(struct vtdpi_pid *pid, uint8_t vector)
{
    set(pid, VTDPI_PID_ON, 0);
    pid->pir[vector / 64] |= UINT64_C(1) << (vector % 64);
}

static inline uint64_t post_ours(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vtdpi_pid_record(pid, vector);
    return vtdpi_pid_notify(pid, false).result == VTDPI_POST_NOTIFY;
}
SAMPLE(sample_post_ours, post_ours)

static inline uint64_t post_two_rmw(struct vtdpi_pid *pid, uint8_t vector)
{
    return peer_post_two_rmw(pid, vector);
}
SAMPLE(sample_post_two_rmw, post_two_rmw)

static void compare(const char *experiment, const char *variant,
                    const struct design *designs, unsigned int count)
{
    const struct series series = {experiment, variant, 0, designs, count, 101};

    measure(&series);
}

static void post(const char *variant,
                 void (*set_up)(struct vtdpi_pid *pid, uint8_t vector))
{
    struct state state = {set_up};
    const struct design designs[] = {
        {"one pass", sample_post_ours, &state},
        {"two RMW", sample_post_two_rmw, &state},
    };

    compare("post", variant, designs, 2);
}

void hot_post(void)
{
    post("ON clear, bit clear", on_clear);
    post("ON set, bit clear", on_set);
    post("ON set, bit set", both_set);
}

/* Harvest. */

static void words_0(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    set(pid, 0, 0);
}

static void words_1(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    set(pid, 0, 1);
}

static void words_4(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    set(pid, 0, 4);
}

static inline uint64_t harvest_ours(struct vtdpi_pid *pid, uint8_t vector)
{
    uint64_t out[4];

    (void)vector;
    (void)vtdpi_pid_harvest(pid, out);
    return out[0] + out[1] + out[2] + out[3];
}
SAMPLE(sample_harvest_ours, harvest_ours)

static inline uint64_t harvest_xchg_all(struct vtdpi_pid *pid, uint8_t vector)
{
    uint64_t out[4];

    (void)vector;
    peer_harvest_xchg_all(pid, out);
    return out[0] + out[1] + out[2] + out[3];
}
SAMPLE(sample_harvest_xchg_all, harvest_xchg_all)

static inline uint64_t harvest_load_first(struct vtdpi_pid *pid, uint8_t vector)
{
    uint64_t out[4];

    (void)vector;
    peer_harvest_load_first(pid, out);
    return out[0] + out[1] + out[2] + out[3];
}
SAMPLE(sample_harvest_load_first, harvest_load_first)

static void harvest(const char *variant,
                    void (*set_up)(struct vtdpi_pid *pid, uint8_t vector))
{
    struct state state = {set_up};
    const struct design designs[] = {
        {"per word", sample_harvest_ours, &state},
        {"exchange all", sample_harvest_xchg_all, &state},
        {"load first", sample_harvest_load_first, &state},
    };

    compare("harvest", variant, designs, 3);
}

void hot_harvest(void)
{
    harvest("0 words", words_0);
    harvest("1 word", words_1);
    harvest("4 words", words_4);
}

/* Schedule in: the control word, as vtdpi_vcpu_run() changes it. */

#define PLACE (VTDPI_PID_SN | VTDPI_PID_NV | VTDPI_PID_NDST)

static void elsewhere(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    set(pid, VTDPI_PID_SN, 0);
}

static void here(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    pid->control = VTDPI_FIELD_PUT(0xf2, VTDPI_PID_NV) |
                   VTDPI_FIELD_PUT(9, VTDPI_PID_NDST);
}

static inline uint64_t run_ours(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    return vtdpi_pid_replace(pid, PLACE,
                             VTDPI_FIELD_PUT(0xf2, VTDPI_PID_NV) |
                                 VTDPI_FIELD_PUT(9, VTDPI_PID_NDST));
}
SAMPLE(sample_run_ours, run_ours)

static inline uint64_t run_three_rmw(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    peer_run_three_rmw(pid, 0xf2, 9);
    return 0;
}
SAMPLE(sample_run_three_rmw, run_three_rmw)

static inline uint64_t run_stores(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    peer_run_stores(pid, 0xf2, 9);
    return 0;
}
SAMPLE(sample_run_stores, run_stores)

static inline uint64_t run_unit(struct vtdpi_pid *pid, uint8_t vector)
{
    (void)vector;
    peer_one_cas(pid);
    return 0;
}
SAMPLE(sample_run_unit, run_unit)

static void schedule_in(const char *variant,
                        void (*set_up)(struct vtdpi_pid *pid, uint8_t vector))
{
    struct state state = {set_up};
    const struct design designs[] = {
        {"one CAS", sample_run_ours, &state},
        {"three RMW", sample_run_three_rmw, &state},
        {"stores, RMW", sample_run_stores, &state},
        {"RMW unit", sample_run_unit, &state},
    };

    compare("schedule-in", variant, designs, 4);
}

void hot_run(void)
{
    schedule_in("change", elsewhere);
    schedule_in("no change", here);
}
