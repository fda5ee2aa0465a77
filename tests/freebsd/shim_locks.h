/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BHYVE_SHIM_LOCKS_H
#define TESTS_BHYVE_SHIM_LOCKS_H

/* What the kernel side of the cases shares. */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mutex.h>
#include <sys/sx.h>
#include <vm/vm.h>
#include <vm/pmap.h>
#include <machine/md_var.h>
#include <machine/segments.h>
#include <machine/smp.h>
#include <x86/apicvar.h>

#include "shim.h"
#include "shim_cases.h"

#define check(expr)                                                     \
    do {                                                                \
        if (!(expr))                                                    \
            shim_fail("%s:%d: %s is false", __FILE__, __LINE__, #expr); \
    } while (0)

MALLOC_DECLARE(M_CASE);

extern struct mtx spin_a;
extern struct mtx spin_b;
extern struct mtx def_a;
extern struct mtx def_b;
extern struct sx sx_a;
extern struct sx sx_b;
extern int channel;

/* Sends an interrupt whose entry is @h, and waits until it was handled. */
void shim_case_interrupt(void (*h)(void));

/* How often one was; and the entry for the next. */
extern int handled;
extern void (*handler)(void);
inthand_t shim_case_gate;

#endif
