/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BHYVE_SHIM_CASES_H
#define TESTS_BHYVE_SHIM_CASES_H

/* Uses and misuses of the kernel interfaces, one at a time. */

struct shim_case {
    const char *name;
    void (*run)(void);
    /* Part of what the shim says before it ends the program; NULL: nothing is
     * wrong. */
    const char *message;
};

/* Misuses (shim_cases.c and shim_pti.c), and what has to work (shim_good.c). */
extern const struct shim_case shim_cases[];
extern const unsigned int shim_case_count;
extern const struct shim_case shim_pti[];
extern const unsigned int shim_pti_count;
extern const struct shim_case shim_good[];
extern const unsigned int shim_good_count;

/* Boots, runs a case and shuts down. */
void shim_case_run(const struct shim_case *c, int lockstep);

#endif
