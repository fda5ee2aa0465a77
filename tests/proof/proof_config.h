/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PROOF_CONFIG_H
#define TESTS_PROOF_CONFIG_H

/* A precondition of the library's own functions is one more claim. */
#include "proof.h"

#ifdef PROBE
#define VTDPI_ASSERT(expr) ((void)(expr))
#else
#define VTDPI_ASSERT(expr) CLAIM(expr)
#endif

#endif
