/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The macros of the headers in a file of a user's, as C and as C++: what they
 * expand to has to pass the warnings of that file.
 */
#include "vtdpi/vtdpi.h"

uint64_t expand_macros(uint32_t pages, uint8_t bus, uint16_t vcpus,
                       uint64_t word);

uint64_t expand_macros(uint32_t pages, uint8_t bus, uint16_t vcpus,
                       uint64_t word)
{
    uint64_t sum = VTDPI_BITMAP_WORDS(pages);

    sum += VTDPI_SID(bus, 3, 1);
    sum += VTDPI_VM_HEADS(vcpus);
    sum += VTDPI_ROUTE_MAP_KEYS(vcpus);
    sum += VTDPI_ROUTE_MAP_BYTES(vcpus);
    sum += VTDPI_FIELD_GET(word, VTDPI_PID_NDST);
    sum += VTDPI_FIELD_PUT(bus, VTDPI_PID_NV);
    sum += VTDPI_BIT64(bus) + VTDPI_BITS64(7, 4);
    return sum;
}
