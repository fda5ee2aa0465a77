/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_XEN_TYPES_H
#define VTDPI_XEN_TYPES_H

/*
 * The types of Xen, for the library (VTDPI_TYPES_HEADER of vtdpi/config.h).
 * xen/lib.h is here for ASSERT().
 */
#include <xen/compiler.h>
#include <xen/types.h>

#include <xen/lib.h>

#endif
