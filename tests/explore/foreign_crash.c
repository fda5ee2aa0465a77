/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks that follow a wild pointer: a schedule that fails, and not the end of the
 * program. The fiber never goes on, so the signal's frame may stay where it is.
 */
#define _DEFAULT_SOURCE

#include <signal.h>

#include "foreign.h"
#include "internal.h"

static void crashed(int number)
{
    if (ex.running == EX_NOBODY) {
        (void)signal(number, SIG_DFL);
        return; /* the explorer itself: the access is made again */
    }
    ex_fail("E: the hooks access memory that is not there");
    ex_fiber_yield();
}

bool foreign_catch_crashes(void)
{
    static _Alignas(16) unsigned char stack[65536];
    const stack_t where = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = crashed};

    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    return sigaltstack(&where, NULL) == 0 &&
           sigaction(SIGSEGV, &action, NULL) == 0 &&
           sigaction(SIGBUS, &action, NULL) == 0;
}
