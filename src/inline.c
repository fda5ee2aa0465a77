/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Emits every function that a header defines as a real symbol: for debuggers,
 * for -O0 and for languages that cannot include C.
 */
#define VTDPI_INLINE VTDPI_API

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#include "vtdpi/vtdpi.h"
