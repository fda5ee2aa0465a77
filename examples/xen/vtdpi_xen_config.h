/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_XEN_CONFIG_H
#define VTDPI_XEN_CONFIG_H

/*
 * The library's knobs in Xen (VTDPI_CONFIG_HEADER of vtdpi/config.h). Every file
 * of the hypervisor is compiled with this header, since struct msi_desc holds an
 * object of the library.
 */
#define VTDPI_TYPES_HEADER "vtdpi_xen_types.h"

/* Xen marks its landing pads by hand (-mmanual-endbr). */
#define VTDPI_BY_POINTER   cf_check

/* Checked where Xen checks its own: in debug builds. */
#define VTDPI_ASSERT(expr) ASSERT(expr)

#endif
