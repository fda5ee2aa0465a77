/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EMULATED_INTERNAL_H
#define EMULATED_INTERNAL_H

/* What crosses the files of the runtime. */

#include "runtime.h"

/* console.c */
void console_start(void);

/* clock.c */
void clock_start(void);

/* trap.c */
void trap_start(void);
void trap_load(void); /* the table, on this CPU */

/* cpu.c */
void cpu_start_boot(void);
void cpu_count_trap(uint8_t vector);

#endif
