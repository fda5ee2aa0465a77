/* SPDX-License-Identifier: BSD-2-Clause */
/* The version that the library was built as; version.h has that of the headers. */
#include "vtdpi/version.h"

uint32_t vtdpi_version(void)
{
    return VTDPI_VERSION;
}
