/* SPDX-License-Identifier: BSD-2-Clause */
/* What is usually behind a fault of interrupt remapping, and what to look at. */
#include "decode.h"

static const char *const causes[] = {
    [VTDPI_FR_REQUEST_RESERVED - VTDPI_FR_REQUEST_RESERVED] =
        "The message of the device is not one that the system wrote: data bits "
        "31:16 are set, or another reserved field. Decode it by vtdpi msi.",
    [VTDPI_FR_INDEX - VTDPI_FR_REQUEST_RESERVED] =
        "The message names an entry behind the end of the table. Mostly it is "
        "of "
        "a kernel before this one, or of firmware. Decode it by vtdpi msi, and "
        "compare the index with the size of the table (IRTA.S).",
    [VTDPI_FR_NOT_PRESENT - VTDPI_FR_REQUEST_RESERVED] =
        "The interrupt was freed while the device still sends it: a driver "
        "that "
        "does not silence its device, or a device that was in use before a "
        "kexec or a crash. Find the driver of the source id.",
    [VTDPI_FR_TABLE_ACCESS - VTDPI_FR_REQUEST_RESERVED] =
        "The unit cannot read the table: its address (IRTA) is wrong, or the "
        "memory is gone. This is a bug of the system.",
    [VTDPI_FR_IRTE_RESERVED - VTDPI_FR_REQUEST_RESERVED] =
        "The entry is damaged, or made for another unit: posted format in a "
        "unit "
        "without CAP.PI, a destination of 32 bits with IRTA.EIME=0. Decode it "
        "by "
        "vtdpi irte.",
    [VTDPI_FR_COMPAT_BLOCKED - VTDPI_FR_REQUEST_RESERVED] =
        "The device or the IOAPIC pin still has the message from before "
        "remapping "
        "was switched on: it was programmed by firmware, was reset behind the "
        "system's back, or is programmed by a driver that goes around the "
        "system.",
    [VTDPI_FR_SOURCE_ID - VTDPI_FR_REQUEST_RESERVED] =
        "The request carries another source id than the entry has. Mostly the "
        "device is behind a bridge that replaces source ids, or uses several. "
        "Compare the source id with SID, SVT and SQ of the entry. Otherwise "
        "the "
        "device uses an interrupt that is not its own.",
    [VTDPI_FR_PID_ACCESS - VTDPI_FR_REQUEST_RESERVED] =
        "The unit cannot read or write the posted-interrupt descriptor: the "
        "address (PDA) in the entry is wrong, or the memory was freed while "
        "the "
        "entry still posts to it.",
    [VTDPI_FR_PID_RESERVED - VTDPI_FR_REQUEST_RESERVED] =
        "The posted-interrupt descriptor is damaged, or its memory is in use "
        "for "
        "something else. Decode it by vtdpi pid.",
};

const char *fault_causes(uint8_t reason)
{
    const unsigned int i = (unsigned int)reason - VTDPI_FR_REQUEST_RESERVED;

    return i < sizeof(causes) / sizeof(causes[0]) ? causes[i] : NULL;
}
