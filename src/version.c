/* SPDX-License-Identifier: BSD-2-Clause */
#include "vtdpi/version.h"

uint32_t vtdpi_version(void)
{
    return VTDPI_VERSION;
}
