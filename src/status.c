/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of the error codes of status.h, one each, in the order of the codes. */
#include "vtdpi/status.h"

struct status_text {
    int err;
    const char *text;
};

static const struct status_text status_texts[] = {
    {VTDPI_OK, "success"},
    {VTDPI_ENOENT, "nothing there: no such unit, entry or structure"},
    {VTDPI_EIO, "hardware does not answer: it is gone or not decoded"},
    {VTDPI_EAGAIN, "what was compared has changed since; look again"},
    {VTDPI_EBUSY, "still in use or referenced; try later"},
    {VTDPI_EINVAL, "an argument is NULL or outside its documented range"},
    {VTDPI_ENOSPC, "no free room of the size asked for"},
    {VTDPI_ERANGE, "a value does not fit where it has to go"},
    {VTDPI_EOPNOTSUPP, "this machine or this build cannot do that"},
    {VTDPI_ETIMEDOUT, "the deadline passed before hardware answered"},
    {VTDPI_EALIGN, "memory or an address is not aligned as documented"},
    {VTDPI_EVECTOR, "vector below 16, which cannot be an interrupt"},
    {VTDPI_EPCPU, "pCPU number out of range, or that pCPU is not set up"},
    {VTDPI_EPAGE, "PID page number out of range"},
    {VTDPI_ESLOT, "slot number out of range"},
    {VTDPI_ENOPAGE, "the PID page of that slot is not present"},
    {VTDPI_ESLOTBUSY, "the slot belongs to another vCPU"},
    {VTDPI_EPAGEBUSY, "a PID page with that number is present already"},
    {VTDPI_EATTACHED, "attached already"},
    {VTDPI_EDETACHED, "not attached"},
    {VTDPI_ECLOSED, "the vCPU is being detached or the target is closed"},
    {VTDPI_EINDEX, "interrupt index outside the table"},
    {VTDPI_EFREE, "that interrupt index is not allocated"},
    {VTDPI_EDIRTY, "an earlier change is written but not flushed yet"},
    {VTDPI_EMODE, "the vCPU's instance uses another APIC mode than the table"},
    {VTDPI_EIRTE_RESERVED, "a reserved bit is set"},
    {VTDPI_EIRTE_VECTOR, "vector below 16 with a delivery mode that uses it"},
    {VTDPI_EIRTE_DLM, "reserved delivery mode"},
    {VTDPI_EIRTE_DST, "destination does not fit the interrupt mode"},
    {VTDPI_EIRTE_SVT, "reserved source validation type"},
    {VTDPI_EIRTE_SQ, "source-id qualifier used without its validation type"},
    {VTDPI_EIRTE_BUS, "bus range whose first bus is above its last"},
    {VTDPI_EIRTE_RH, "redirection hint does not match the delivery mode"},
    {VTDPI_EIRTE_TM, "trigger mode does not match the delivery mode"},
    {VTDPI_EIRTE_PDA_ALIGN, "descriptor address not 64-byte aligned"},
    {VTDPI_EIRTE_PDA_WIDTH, "descriptor address above the host address width"},
    {VTDPI_EIRTE_FORMAT, "the entry is of the other format"},
    {VTDPI_EIRTE_SOURCE, "no source was chosen; any must be spelled out"},
    {VTDPI_EIRTE_ABSENT, "fields are set in an entry that is not present"},
    {VTDPI_EIRTE_PDA, "the entry posts to another descriptor"},
    {VTDPI_EMSI_ADDRESS, "not an interrupt address (FEExxxxxh)"},
    {VTDPI_EMSI_FORMAT, "the request is of the other format"},
    {VTDPI_EMSI_RESERVED, "a reserved field of the request is not zero"},
    {VTDPI_ERTE_RESERVED, "a reserved field of the IOAPIC entry is not zero"},
    {VTDPI_EDMAR_SIGNATURE, "not a DMAR table"},
    {VTDPI_EDMAR_LENGTH, "table shorter than its header or than it claims"},
    {VTDPI_EDMAR_CHECKSUM, "table checksum is wrong"},
    {VTDPI_EDMAR_STRUCT, "remapping structure with an impossible length"},
    {VTDPI_EDMAR_SCOPE, "device scope with an impossible length"},
    {VTDPI_EDMAR_BASE, "unit with a register base that is zero or misaligned"},
    {VTDPI_EDMAR_TAIL, "zero bytes behind the last remapping structure"},
    {VTDPI_EOPTION, "option that is not known, or has an unknown value"},
    {VTDPI_ENOQI, "the unit has no queued invalidation"},
    {VTDPI_ENOIR, "the unit has no interrupt remapping"},
    {VTDPI_ENOEIM, "the unit has no extended interrupt mode"},
    {VTDPI_ENOPI, "a unit that uses the table has no posted-interrupt support"},
    {VTDPI_EFRO, "fault records (CAP.FRO) are outside the window or misplaced"},
    {VTDPI_EIRO,
     "IOTLB registers (ECAP.IRO) are outside the window or misplaced"},
    {VTDPI_EQFULL, "no free slot in the invalidation queue"},
    {VTDPI_EIQE, "invalidation queue error: a descriptor was refused"},
    {VTDPI_EITE, "invalidation time-out error: a device did not answer"},
    {VTDPI_EICE, "invalidation completion error: unexpected answer"},
    {VTDPI_EQOFF, "the invalidation queue is not enabled"},
    {VTDPI_ESTATE, "the unit is in a state in which that is not possible"},
    {VTDPI_ECFIS, "compatibility-format interrupts are still accepted"},
    {VTDPI_EFOREIGN, "the unit is enabled already, by somebody else"},
    {VTDPI_ENOTABLE, "the unit is on the list of no table"},
    {VTDPI_EDMAR_TWICE, "two units with one register base"},
    {VTDPI_EDMAR_OVERLAP, "two units whose register windows overlap"},
    {VTDPI_EDMAR_ALL, "two units for all other functions of one segment"},
    {VTDPI_EDMAR_ID, "two units claim one IOAPIC, HPET or ACPI device"},
    {VTDPI_EINFLIGHT, "another call is changing the same thing; call again"},
    {VTDPI_EDUE, "more changes came while they were applied; call again"},
    {VTDPI_ENOHOST, "the interrupt is not posted, and has no host form"},
    {VTDPI_EBUG, "an internal invariant does not hold: a bug, report it"},
};

#define STATUS_TEXTS (sizeof(status_texts) / sizeof(status_texts[0]))

const char *vtdpi_strerror(int err)
{
    for (size_t i = 0; i < STATUS_TEXTS; i++) {
        if (status_texts[i].err == err)
            return status_texts[i].text;
    }
    return "unknown error";
}
