/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_VERSION_H
#define VTDPI_VERSION_H

/**
 * @file
 * @brief The version of the headers and of the library that was linked.
 *
 * The file VERSION is the source; a test checks that this header agrees.
 */

#include "vtdpi/compiler.h"

VTDPI_BEGIN_DECLS

/* The three numbers of VERSION. */
#define VTDPI_VERSION_MAJOR 0 /**< Grows with incompatible changes. */
#define VTDPI_VERSION_MINOR 1 /**< Grows with compatible additions. */
#define VTDPI_VERSION_PATCH 0 /**< Grows with corrections. */

/** Version of these headers as one number that grows with each release. */
#define VTDPI_VERSION                                           \
    ((VTDPI_VERSION_MAJOR << 16) | (VTDPI_VERSION_MINOR << 8) | \
     VTDPI_VERSION_PATCH)

/** Version of these headers as text. */
#define VTDPI_VERSION_TEXT "0.1.0"

/**
 * @brief Version of the library that was linked.
 *
 * @return VTDPI_VERSION as the library was compiled with it. Differs from the
 *         macro when headers and library do not belong together.
 *
 * @anyctx @waitfree
 */
VTDPI_API uint32_t vtdpi_version(void);

VTDPI_END_DECLS

#endif
