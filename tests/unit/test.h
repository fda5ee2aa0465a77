/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_H
#define VTDPI_TEST_H

/* What cmocka.h needs before it, in one place. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
