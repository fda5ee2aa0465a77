/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_ATOMIC_HOOK_H
#define VTDPI_TEST_ATOMIC_HOOK_H

/*
 * The atomic accesses of the test build are counted, and a hook is called
 * before each of them, so that a test can act between any two steps of the
 * library. Single-threaded tests only.
 */

#include <stdbool.h>

enum hook_kind {
    HOOK_LOAD,
    HOOK_STORE,
    HOOK_RMW, /* read-modify-write: a locked instruction on x86 */
};

struct hook {
    /* Called before each access, unless one is being hooked already. */
    void (*before)(void *ctx, enum hook_kind kind, const void *addr);
    void *ctx;
    bool inside;
    unsigned int loads;
    unsigned int stores;
    unsigned int locked;
};

extern struct hook hook;

void hook_access(enum hook_kind kind, const void *addr);
void hook_reset(void);

#define VTDPI_ATOMIC_POINT(kind, p) hook_access(HOOK_##kind, p)

#endif
