/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_BHYVE_TYPES_H
#define VTDPI_BHYVE_TYPES_H

/* Where the library has its types from in FreeBSD's kernel: vtdpi.mk names this
 * header as VTDPI_TYPES_HEADER. */

#include <sys/types.h>

#include <sys/stddef.h>
#include <sys/stdint.h>

#endif
