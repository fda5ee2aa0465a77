/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_COUNTER_H
#define SHIM_SYS_COUNTER_H

#include <sys/types.h>

typedef uint64_t *counter_u64_t;

counter_u64_t counter_u64_alloc(int flags);
void counter_u64_free(counter_u64_t c);
void counter_u64_add(counter_u64_t c, int64_t inc);
uint64_t counter_u64_fetch(counter_u64_t c);
void counter_u64_zero(counter_u64_t c);

#endif
