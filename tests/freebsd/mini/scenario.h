/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MINI_SCENARIO_H
#define MINI_SCENARIO_H

/* What is played on the miniature bhyve. No kernel header is needed here. */

#include <stdbool.h>
#include <stdint.h>

struct mini_run {
    uint64_t seed;
    bool lockstep;
    unsigned int scale; /* per cent of the usual length */
};

/* What happened, of all runs since the program began. */
struct mini_totals {
    uint64_t raised; /* by devices */
    uint64_t posted;
    uint64_t remapped;
    uint64_t software;
    uint64_t delivered;
    uint64_t merged;
    uint64_t in_guest; /* notifications taken in the guest */
    uint64_t sleeps;
    uint64_t blocks;
    uint64_t wakeups;
    uint64_t moves;
    uint64_t rebinds;
    uint64_t reroutes;
    uint64_t failures;
    uint64_t migrations;
    uint64_t preemptions;
    uint64_t capped;
};
extern struct mini_totals mini_totals;

struct mini_scenario {
    const char *name;
    void (*play)(const struct mini_run *run);
};

extern const struct mini_scenario mini_scenarios[];
extern const unsigned int mini_scenario_count;

/* From power-on to power-off; ends the program if anything is wrong. */
void mini_play(const struct mini_scenario *s, const struct mini_run *run);

/* The scenarios (storm.c, directed.c, many.c, routes.c, contend.c and
 * units.c). */
void mini_storm(const struct mini_run *run);
void mini_storm_vectors_gone(const struct mini_run *run);
void mini_storm_off(const struct mini_run *run);
void mini_storm_destroy(const struct mini_run *run);
void mini_storm_failures(const struct mini_run *run);
void mini_running(const struct mini_run *run);
void mini_entry(const struct mini_run *run);
void mini_frozen(const struct mini_run *run);
void mini_asleep(const struct mini_run *run);
void mini_at_block(const struct mini_run *run);
void mini_masked(const struct mini_run *run);
void mini_equal(const struct mini_run *run);
void mini_mask(const struct mini_run *run);
void mini_between(const struct mini_run *run);
void mini_flush(const struct mini_run *run);
void mini_deaf(const struct mini_run *run);
void mini_rebind(const struct mini_run *run);
void mini_retarget(const struct mini_run *run);
void mini_in_flight(const struct mini_run *run);
void mini_reinit(const struct mini_run *run);
void mini_reset(const struct mini_run *run);
void mini_snapshot(const struct mini_run *run);
void mini_many(const struct mini_run *run);
void mini_reload(const struct mini_run *run);
void mini_init_fails(const struct mini_run *run);
void mini_logical(const struct mini_run *run);
void mini_apic_off(const struct mini_run *run);
void mini_late(const struct mini_run *run);
void mini_gone(const struct mini_run *run);
void mini_overtaken(const struct mini_run *run);
void mini_waits(const struct mini_run *run);
void mini_rebind_waits(const struct mini_run *run);
void mini_hole(const struct mini_run *run);
void mini_behind_hole(const struct mini_run *run);
void mini_unhooked(const struct mini_run *run);

#endif
