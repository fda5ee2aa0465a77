/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks that follow a wild pointer: a schedule that fails, and not the end of the
 * program; and hooks in which a loop does not end. The fiber never goes on, so the
 * signal's frame may stay where it is.
 */
#define _DEFAULT_SOURCE

#include <signal.h>
#include <sys/time.h>

#include "foreign.h"
#include "internal.h"

enum {
    TICK = 200000, /* us of this process's time */
    TICKS = 15,
};

static void crashed(int number)
{
    if (ex.running == EX_NOBODY) {
        (void)signal(number, SIG_DFL);
        return; /* the explorer itself: the access is made again */
    }
    ex_fail("E: the hooks access memory that is not there");
    ex_fiber_yield();
}

/* A loop without an access to memory. Replays of the schedule wait less. */
static void ticked(int number)
{
    static unsigned int patience = TICKS;
    static unsigned int ticks;
    static uint64_t resumed;

    (void)number;
    if (ex.running == EX_NOBODY || resumed != ex_resumed)
        ticks = 0;
    resumed = ex_resumed;
    if (++ticks <= patience)
        return;
    patience = 1;
    ticks = 0;
    ex_fail("X: a loop that does not end, without an access in it");
    ex_fiber_yield();
}

static bool watch(void)
{
    const struct itimerval each = {{0, TICK}, {0, TICK}};
    struct sigaction action = {.sa_handler = ticked};

    action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_RESTART;
    return sigaction(SIGVTALRM, &action, NULL) == 0 &&
           setitimer(ITIMER_VIRTUAL, &each, NULL) == 0;
}

bool foreign_catch_crashes(void)
{
    static _Alignas(16) unsigned char stack[65536];
    const stack_t where = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = crashed};

    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    return sigaltstack(&where, NULL) == 0 &&
           sigaction(SIGSEGV, &action, NULL) == 0 &&
           sigaction(SIGBUS, &action, NULL) == 0 && watch();
}
