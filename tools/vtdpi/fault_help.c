/* SPDX-License-Identifier: BSD-2-Clause */
/* Usual causes of a fault by its reason, and what to check, in plain words. */
#include "fault_help.h"

#include <stdio.h>

#include "vtdpi/regs.h"

#define REASON_FIRST VTDPI_FR_REQUEST_RESERVED
#define REASON_COUNT (VTDPI_FR_PID_RESERVED - VTDPI_FR_REQUEST_RESERVED + 1)

static const struct fault_help helps[REASON_COUNT] = {
    [VTDPI_FR_REQUEST_RESERVED - REASON_FIRST] =
        {{"the device's message has bits set that the remappable format "
          "reserves, such as bits 31:16 of the data",
          "a driver or firmware composed the message by hand"},
         {"decode the device's MSI address and data (lspci -vv, vtdpi msi)"}},
    [VTDPI_FR_INDEX - REASON_FIRST] =
        {{"the device sends more messages than entries were given to it",
          "handle and subhandle add up to an index beyond the table",
          "firmware, or an earlier kernel with a larger table, programmed the "
          "device"},
         {"decode the device's MSI address and data (lspci -vv, vtdpi msi)",
          "compare the index with the size of the table (IRTA.S)",
          "reset the device, or look for a driver that was not told"}},
    [VTDPI_FR_NOT_PRESENT - REASON_FIRST] =
        {{"the interrupt was freed while the device went on to send",
          "the entry was written, and the cache of entries was not "
          "invalidated",
          "the index belongs to the table of another unit",
          "the device kept a message of an earlier kernel (kdump, kexec)"},
         {"which interrupt has this index (vtdpi table of a dump)",
          "whether the driver stops the device before it frees the vectors",
          "whether the unit that reports serves the device "
          "(vtdpi log --dmar)"}},
    [VTDPI_FR_TABLE_ACCESS - REASON_FIRST] =
        {{"the system wrote a wrong table pointer (IRTA), which does not lead "
          "to memory that the unit may read",
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
          "the device was reset behind the system's back, or a driver goes "
          "around the system",
          "the interrupts of devices behind a VMD controller carry the "
          "controller's id"},
         {"which device this is: f0:1f.0 and the like are IOAPICs "
          "(vtdpi log --dmar)",
          "the device's MSI address: bit 4 has to be 1 (lspci -vv, "
          "vtdpi msi)",
          "whether a driver is bound to the device at all"}},
    [VTDPI_FR_SOURCE_ID - REASON_FIRST] =
        {{"the request carries another id than the entry expects: the device "
          "is behind a bridge that replaces ids, or uses several",
          "the entry belongs to another device, and the device uses a stale "
          "or forged index",
          "firmware tells a wrong id for an IOAPIC or HPET in the DMAR table"},
         {"SID, SQ and SVT of the entry at this index (vtdpi table)",
          "whether a device with this id exists (lspci -s)",
          "the scopes of the DMAR table (vtdpi dmar)"}},
    [VTDPI_FR_PID_ACCESS - REASON_FIRST] =
        {{"the address of the descriptor (PDA) in a posted entry is wrong",
          "the descriptor was freed before the entry was changed back"},
         {"PDA of the entry at this index (vtdpi table)",
          "the order in which a VM's interrupts and vCPUs are destroyed"}},
    [VTDPI_FR_PID_RESERVED - REASON_FIRST] =
        {{"a posted entry points to memory that is no descriptor, or is in use "
          "for something else by now",
          "the descriptor was written with reserved bits set"},
         {"PDA of the entry at this index (vtdpi table)",
          "the descriptor (vtdpi pid)"}},
};

const struct fault_help *fault_help(uint64_t reason)
{
    if (reason < REASON_FIRST || reason >= REASON_FIRST + REASON_COUNT)
        return NULL;
    return &helps[reason - REASON_FIRST];
}

static void list_write(char *text, const char *head, const char *const *list)
{
    size_t length = 0;

    for (unsigned int i = 0; list[i] != NULL && length < FAULT_HELP_BYTES; i++)
        length += (size_t)snprintf(text + length, FAULT_HELP_BYTES - length,
                                   "%s%s%s", i == 0 ? head : "; ", list[i],
                                   list[i + 1] == NULL ? "." : "");
}

void fault_help_write(struct fault_help_text *text,
                      const struct fault_help *help)
{
    list_write(text->causes, "Usual causes: ", help->causes);
    list_write(text->checks, "To check: ", help->checks);
}
