/* SPDX-License-Identifier: BSD-2-Clause */
/* Usual causes of a fault by its reason, and what to check, in plain words. */
#include "log.h"

#include "vtdpi/regs.h"

enum {
    LINES_MAX = 5, /* the last one is NULL */
};

struct reason_help {
    const char *causes[LINES_MAX];
    const char *checks[LINES_MAX];
};

#define REASON_FIRST VTDPI_FR_REQUEST_RESERVED
#define REASON_COUNT (VTDPI_FR_PID_RESERVED - VTDPI_FR_REQUEST_RESERVED + 1)

static const struct reason_help helps[REASON_COUNT] = {
    [VTDPI_FR_REQUEST_RESERVED - REASON_FIRST] =
        {{"the device's message has bits set that the remappable format "
          "reserves",
          "a driver or firmware composed the message by hand"},
         {"decode the device's MSI address and data (lspci -vv, vtdpi msi)"}},
    [VTDPI_FR_INDEX - REASON_FIRST] =
        {{"the device sends more messages than entries were given to it",
          "handle and subhandle add up to an index beyond the table",
          "another kernel, which had a larger table, programmed the device"},
         {"compare the index with the size of the table (IRTA.S)",
          "reset the device, or look for a driver that was not told"}},
    [VTDPI_FR_NOT_PRESENT - REASON_FIRST] =
        {{"the interrupt was freed while the device went on to send",
          "the entry was written, and the cache of entries was not "
          "invalidated",
          "the index belongs to the table of another unit",
          "the device kept a message of an earlier kernel (kdump, kexec)"},
         {"which interrupt has this index (vtdpi table of a dump)",
          "whether the driver stops the device before it frees the vectors",
          "whether the unit named here serves the device (--dmar)"}},
    [VTDPI_FR_TABLE_ACCESS - REASON_FIRST] =
        {{"the table pointer (IRTA) does not lead to memory that the unit may "
          "read",
          "the table was freed or moved while remapping was on"},
         {"IRTA of the unit, and whether memory there is in use as the table"}},
    [VTDPI_FR_IRTE_RESERVED - REASON_FIRST] =
        {{"the entry has reserved bits set",
          "a posted entry on a unit that cannot post (CAP.PI = 0)",
          "an entry with an x2APIC id on a unit in xAPIC mode",
          "an entry that was half written when the unit read it"},
         {"decode the entry (vtdpi irte HIGH LOW)",
          "CAP.PI and IRTA.EIME of the unit"}},
    [VTDPI_FR_COMPAT_BLOCKED - REASON_FIRST] =
        {{"the device sends a message that was not remapped: firmware set it "
          "up, or a driver before remapping was on",
          "an IOAPIC pin or an HPET keeps an entry in compatibility format "
          "(after resume, after kexec)",
          "a guest gave its own message to the device",
          "the interrupts of devices behind a VMD controller carry the "
          "controller's id"},
         {"which device this is: f0:1f.0 and the like are IOAPICs (--dmar)",
          "the device's MSI address: bit 4 has to be 1 (lspci -vv, "
          "vtdpi msi)",
          "whether a driver is bound to the device at all"}},
    [VTDPI_FR_SOURCE_ID - REASON_FIRST] =
        {{"the request carries another id than the entry expects: a bridge "
          "or a quirk of the device changes it",
          "the entry belongs to another device, and the device uses a stale "
          "or forged index",
          "firmware tells a wrong id for an IOAPIC or HPET in the DMAR table"},
         {"SID, SQ and SVT of the entry at this index (vtdpi table)",
          "whether a device with this id exists (lspci -s)",
          "the scopes of the DMAR table (vtdpi dmar)"}},
    [VTDPI_FR_PID_ACCESS - REASON_FIRST] =
        {{"a posted entry points to a descriptor that is not in memory",
          "the descriptor was freed before the entry was changed back"},
         {"PDA of the entry at this index (vtdpi table)",
          "the order in which a VM's interrupts and vCPUs are destroyed"}},
    [VTDPI_FR_PID_RESERVED - REASON_FIRST] =
        {{"a posted entry points to memory that is no descriptor, or no "
          "longer one",
          "the descriptor was written with reserved bits set"},
         {"PDA of the entry at this index (vtdpi table)",
          "the descriptor (vtdpi pid)"}},
};

static const struct reason_help unknown = {
    {"the log does not have the reason of these faults"},
    {"the lines behind the ones quoted, which may have been filtered out"},
};

static const struct reason_help *help_of(uint16_t reason)
{
    if (reason < REASON_FIRST || reason >= REASON_FIRST + REASON_COUNT)
        return &unknown;
    return &helps[reason - REASON_FIRST];
}

const char *const *log_reason_causes(uint16_t reason)
{
    return help_of(reason)->causes;
}

const char *const *log_reason_checks(uint16_t reason)
{
    return help_of(reason)->checks;
}
