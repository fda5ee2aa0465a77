/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_CPUFUNC_H
#define SHIM_MACHINE_CPUFUNC_H

#include <sys/types.h>

/* The interrupt flag of the processor, as the thread has it. */
void disable_intr(void);
void enable_intr(void);
register_t intr_disable(void);
void intr_restore(register_t flags);
void ia32_pause(void);

/* Full barriers; not fences, which ThreadSanitizer does not know. */
static inline __unused void mfence(void)
{
    uint64_t own = 0;

    (void)__atomic_fetch_or(&own, 1, __ATOMIC_SEQ_CST);
}

static inline __unused void lfence(void)
{
    mfence();
}

#endif
