/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_FUZZ_UNIT_CALLS_H
#define VTDPI_FUZZ_UNIT_CALLS_H

/*
 * The calls of unit.h, qi.h, table.h, irq.h, fault.h and the attaching of sched.h,
 * with arguments from the input, and what their hardware and their host may do in
 * between. A call whose precondition does not hold is left out.
 */

#include "unit_rules.h"

/* Most inputs begin with units that are on. */
void call_first(struct fuzz *f);

/* One call, as the input says. */
void call_next(struct fuzz *f);

/* Those that the end of an input needs, too. */
int call_enable(struct fuzz *f, uint32_t u, bool take_over);
int call_open_queue(struct fuzz *f, uint32_t u);
int call_command(struct fuzz *f, uint32_t u, uint64_t bit, bool on);
int call_disable(struct fuzz *f, uint32_t u);
int call_resume(struct fuzz *f, uint32_t u);
int call_forsake(struct fuzz *f, uint32_t u);
int call_add(struct fuzz *f, uint32_t u, uint32_t table);
int call_remove(struct fuzz *f, uint32_t u);
int call_wait(struct fuzz *f, uint32_t u, struct fuzz_ticket *t, uint64_t us);
int call_commit(struct fuzz *f);
int call_teardown(struct fuzz *f, struct fuzz_irq *q);
int call_free_irq(struct fuzz *f, struct fuzz_irq *q);
int call_set(struct fuzz *f, uint32_t table, uint32_t index,
             const struct vtdpi_irte *irte);
int call_free_plain(struct fuzz *f, uint32_t table, uint32_t index);
int call_flush_all(struct fuzz *f, uint32_t table);
int call_detach(struct fuzz *f, uint32_t v);

#endif
