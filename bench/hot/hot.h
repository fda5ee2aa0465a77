/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_HOT_H
#define BENCH_HOT_H

/* Distance of the peers' vCPUs that is kind to them: not a multiple of what
 * caches are indexed by. */
enum {
    SPREAD = 4416,
};

/* The experiments: each prints its lines of figures. */
void hot_scan(void);
void hot_storm(void);
void hot_pair(void);
void hot_post(void);
void hot_harvest(void);
void hot_run(void);
void hot_neighbours(void);

#endif
