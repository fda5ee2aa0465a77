/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emits every function that a header defines as a real symbol: for debuggers,
 * for -O0 and for languages that cannot include C. Compiled for size: a
 * caller of these pays for a call anyway, C callers have their own inline copies.
 */
#define VTDPI_INLINE VTDPI_API VTDPI_COLD

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#include "vtdpi/vtdpi.h"
