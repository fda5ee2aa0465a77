/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_STATUS_H
#define VTDPI_STATUS_H

/**
 * @file
 * @brief Error codes: one name, one cause.
 *
 * Functions return 0 or a negative code. Compare by name. What a platform
 * callback returned is passed through unchanged, so a host may see its own
 * codes, too.
 */

#include "vtdpi/compiler.h"

VTDPI_BEGIN_DECLS

/** @brief What can go wrong. Numbers are frozen. */
enum vtdpi_err {
    /** Success. */
    VTDPI_OK = 0,

    /* Standard causes; the numbers are errno's, frozen as ours. */

    /** Nothing there: no such unit, entry or structure. */
    VTDPI_ENOENT = -2,
    /** Hardware does not answer: registers read as all ones, or those that
     *  describe a unit as zeros. It is gone or not decoded. */
    VTDPI_EIO = -5,
    /** What was compared has changed since; look again. */
    VTDPI_EAGAIN = -11,
    /** Still in use or referenced; try later. */
    VTDPI_EBUSY = -16,
    /** An argument is NULL or outside its documented range. */
    VTDPI_EINVAL = -22,
    /** No free room of the size asked for. */
    VTDPI_ENOSPC = -28,
    /** A value does not fit where it has to go. */
    VTDPI_ERANGE = -34,
    /** This machine or this build cannot do that. */
    VTDPI_EOPNOTSUPP = -95,
    /** The deadline passed before hardware answered. */
    VTDPI_ETIMEDOUT = -110,

    /* Arguments. */

    /** Memory or an address is not aligned as documented. */
    VTDPI_EALIGN = -1000,
    /** Vector below 16, which cannot be an interrupt. */
    VTDPI_EVECTOR = -1001,
    /** pCPU number out of range, or that pCPU is not set up. */
    VTDPI_EPCPU = -1002,
    /** PID page number out of range. */
    VTDPI_EPAGE = -1003,
    /** Slot number out of range. */
    VTDPI_ESLOT = -1004,
    /** The PID page of that slot is not present. */
    VTDPI_ENOPAGE = -1005,
    /** The slot belongs to another vCPU. */
    VTDPI_ESLOTBUSY = -1006,
    /** A PID page with that number is present already. */
    VTDPI_EPAGEBUSY = -1007,
    /** Attached already. */
    VTDPI_EATTACHED = -1008,
    /** Not attached. */
    VTDPI_EDETACHED = -1009,
    /** The vCPU is being detached, or the target is closed: no new reference. */
    VTDPI_ECLOSED = -1010,
    /** Interrupt index outside the table. */
    VTDPI_EINDEX = -1011,
    /** That interrupt index is not allocated. */
    VTDPI_EFREE = -1012,
    /** An earlier change is written but not flushed yet. */
    VTDPI_EDIRTY = -1013,
    /** The vCPU's instance and the table use different APIC modes. */
    VTDPI_EMODE = -1014,

    /* Contents of an interrupt-remapping-table entry. */

    /** A reserved bit is set. */
    VTDPI_EIRTE_RESERVED = -1020,
    /** Vector below 16 with a delivery mode that uses it. */
    VTDPI_EIRTE_VECTOR = -1021,
    /** Reserved delivery mode. */
    VTDPI_EIRTE_DLM = -1022,
    /** Destination does not fit the interrupt mode. */
    VTDPI_EIRTE_DST = -1023,
    /** Reserved source validation type. */
    VTDPI_EIRTE_SVT = -1024,
    /** Source-id qualifier used without its validation type. */
    VTDPI_EIRTE_SQ = -1025,
    /** Bus range whose first bus is above its last. */
    VTDPI_EIRTE_BUS = -1026,
    /** Redirection hint does not match the delivery mode. */
    VTDPI_EIRTE_RH = -1027,
    /** Trigger mode does not match the delivery mode. */
    VTDPI_EIRTE_TM = -1028,
    /** Descriptor address not 64-byte aligned. */
    VTDPI_EIRTE_PDA_ALIGN = -1029,
    /** Descriptor address above the host address width. */
    VTDPI_EIRTE_PDA_WIDTH = -1030,
    /** The entry is of the other format. */
    VTDPI_EIRTE_FORMAT = -1031,
    /** No source was chosen; "any" must be spelled out. */
    VTDPI_EIRTE_SOURCE = -1032,
    /** More than FPD, AVAIL and IM in an entry that is not present. */
    VTDPI_EIRTE_ABSENT = -1033,
    /** The entry posts to another descriptor. */
    VTDPI_EIRTE_PDA = -1034,

    /* Interrupt requests (MSI, IOAPIC RTE). */

    /** Not an interrupt address (FEExxxxxh). */
    VTDPI_EMSI_ADDRESS = -1040,
    /** The request is of the other format. */
    VTDPI_EMSI_FORMAT = -1041,
    /** A reserved field of the request is not zero. */
    VTDPI_EMSI_RESERVED = -1042,
    /** A reserved field of the IOAPIC entry is not zero. */
    VTDPI_ERTE_RESERVED = -1043,

    /* The ACPI DMAR table. */

    /** Not a DMAR table. */
    VTDPI_EDMAR_SIGNATURE = -1050,
    /** Table shorter than its header or than it claims. */
    VTDPI_EDMAR_LENGTH = -1051,
    /** Table checksum is wrong. */
    VTDPI_EDMAR_CHECKSUM = -1052,
    /** Remapping structure with an impossible length. */
    VTDPI_EDMAR_STRUCT = -1053,
    /** Device scope with an impossible length. */
    VTDPI_EDMAR_SCOPE = -1054,
    /** Unit with a register base that is zero or misaligned. */
    VTDPI_EDMAR_BASE = -1055,
    /** Zero bytes behind the last remapping structure; the rest is good. */
    VTDPI_EDMAR_TAIL = -1056,

    /* Capabilities and options. */

    /** Option that is not known, or has an unknown value. */
    VTDPI_EOPTION = -1060,
    /** The unit has no queued invalidation. */
    VTDPI_ENOQI = -1061,
    /** The unit has no interrupt remapping. */
    VTDPI_ENOIR = -1062,
    /** The unit has no extended interrupt mode. */
    VTDPI_ENOEIM = -1063,
    /** A unit that uses the table has no posted-interrupt support. */
    VTDPI_ENOPI = -1064,
    /** Fault records (CAP.FRO) outside of the register window, or within other
     *  registers. */
    VTDPI_EFRO = -1065,
    /** IOTLB registers (ECAP.IRO) outside of the register window, or within
     *  other registers. */
    VTDPI_EIRO = -1066,

    /* Invalidation queue and unit. */

    /** No free slot in the invalidation queue. */
    VTDPI_EQFULL = -1070,
    /** Invalidation queue error: a descriptor was refused. */
    VTDPI_EIQE = -1071,
    /** Invalidation time-out error: a device did not answer. */
    VTDPI_EITE = -1072,
    /** Invalidation completion error: unexpected answer. */
    VTDPI_EICE = -1073,
    /** The invalidation queue is not enabled. */
    VTDPI_EQOFF = -1074,
    /** The unit is in a state in which that is not possible. */
    VTDPI_ESTATE = -1075,
    /** Compatibility-format interrupts are still accepted. */
    VTDPI_ECFIS = -1076,
    /** The unit is enabled already, by somebody else. */
    VTDPI_EFOREIGN = -1077,
    /** The unit is on the list of no table. */
    VTDPI_ENOTABLE = -1078,

    /* Units of the ACPI DMAR table that contradict each other. */

    /** Two units with one register base. */
    VTDPI_EDMAR_TWICE = -1090,
    /** Two units whose register windows overlap. */
    VTDPI_EDMAR_OVERLAP = -1091,
    /** Two units for all other functions of one segment. */
    VTDPI_EDMAR_ALL = -1092,
    /** Two units that claim one IOAPIC, HPET or ACPI device. */
    VTDPI_EDMAR_ID = -1093,

    /* Bindings of a VM. */

    /** Another call is changing the same thing; call again. */
    VTDPI_EINFLIGHT = -1094,
    /** More changes came while they were applied; call again. */
    VTDPI_EDUE = -1095,
    /** The interrupt is not posted, and has no host form. */
    VTDPI_ENOHOST = -1096,

    /* Never expected. */

    /** An internal invariant does not hold: a bug, report it. */
    VTDPI_EBUG = -1999,
};

/**
 * @brief Text of an error code.
 *
 * @param err  A code that a function of the library returned, or 0.
 *
 * @return A sentence without a full stop; never NULL. "unknown error" for a
 *         code that is not the library's own.
 *
 * @anyctx @waitfree
 */
VTDPI_API const char *vtdpi_strerror(int err);

VTDPI_END_DECLS

#endif
