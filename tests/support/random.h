/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SUPPORT_RANDOM_H
#define VTDPI_SUPPORT_RANDOM_H

/* Numbers that are the same in every run with the same seed: xorshift64. */

#include <stdint.h>

/* 0 to n - 1. @p seed is not 0, and moves on. */
static inline uint32_t random_below(uint64_t *seed, uint32_t n)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)((*seed >> 33) % n);
}

#endif
