/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_CHOOSE_H
#define VTDPI_CHOOSE_H

/**
 * @file
 * @brief Which pCPU a vCPU blocks on, so that no pCPU's handler has to look at
 *        too many.
 *
 * A wakeup handler's time grows with the number of vCPUs that are blocked on
 * its pCPU. That number is small where vCPUs are spread, and large where many
 * are packed on few pCPUs. vtdpi_vcpu_block() takes any online pCPU, so the
 * choice is a matter of balance, and of what is near.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/sched.h"

VTDPI_BEGIN_DECLS

/**
 * @brief Choose the pCPU for a vtdpi_vcpu_block(): this one, until about
 *        @p bound vCPUs are blocked here; then the one of two random others on
 *        which fewer are.
 *
 * A pCPU counts its own list and from then on counts down, so that a call which
 * chooses @p here reads and writes plain words of @p here alone. When that
 * count is used up it counts again. While the list is full, the lists of two
 * others are counted for each call, and the own one every @p bound / 8 calls.
 * A count reads the summary and the leaf words that are not empty.
 *
 * The bound is kept against what comes from @p here; what others send does not
 * count until the next time. A smaller one than at the call before holds at
 * once. All pCPUs use about the same bound: that of the list which a handler
 * may look at, times the number of wakeup vectors; with 0 the shortest of three
 * lists is chosen each time, with UINT32_MAX @p here.
 *
 * @param here   The pCPU on which the caller runs. Not NULL.
 * @param bound  How many vCPUs may be blocked here before others are asked.
 *
 * @return An online pCPU; @p here, whatever its state, if no other is online.
 *         It may be offline by the time of the block, which then says
 *         VTDPI_BLOCK_OFFLINE; choose again.
 *
 * @pre Preemption off: calls for one @p here do not overlap. If they do, a
 *      count is wrong by one or two, and no more.
 *
 * @anyctx @waitfree @order{none: the counts are estimates}
 */
VTDPI_API VTDPI_MUST_CHECK struct vtdpi_pcpu *
vtdpi_pcpu_choose(struct vtdpi_pcpu *here, uint32_t bound);

VTDPI_END_DECLS

#endif
