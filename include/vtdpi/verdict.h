/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_VERDICT_H
#define VTDPI_VERDICT_H

/**
 * @file
 * @brief The verdict: how far a machine gets, and what is in the way.
 *
 * Posting is a property of the whole machine. One unit without it, or one
 * IOAPIC outside every unit, turns it off everywhere, and the peers do not
 * say which. vtdpi_verdict_decide() names each obstacle and where it is.
 *
 * Pure functions: no register is read and nothing is remembered here.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/caps.h"
#include "vtdpi/compiler.h"

VTDPI_BEGIN_DECLS

/** @brief How far the machine gets; a larger value includes the smaller. */
enum vtdpi_verdict {
    VTDPI_VERDICT_NONE = 0,      /**< No interrupt remapping. */
    VTDPI_VERDICT_REMAPPING = 1, /**< Remapping, no posting. */
    VTDPI_VERDICT_POSTING = 2,   /**< Remapping and posting. */
};

/** @brief One cause why the verdict is not "posting". */
enum vtdpi_verdict_reason_code {
    /* These leave no remapping. */

    VTDPI_VERDICT_REASON_INTREMAP_OFF = 1, /**< Option intremap=off. */
    VTDPI_VERDICT_REASON_FIRMWARE = 2, /**< DMAR flag INTR_REMAP is clear. */
    VTDPI_VERDICT_REASON_X2APIC_OPTOUT =
        3,                            /**< CPUs in x2APIC mode, which firmware
                                          asked to avoid; not overridden. */
    VTDPI_VERDICT_REASON_NO_UNIT = 4, /**< There is no unit at all. */
    VTDPI_VERDICT_REASON_UNIT_UNREADABLE =
        5, /**< The unit does not answer: registers
                                          read as all ones or as zeros. */
    VTDPI_VERDICT_REASON_UNIT_NO_QI = 6,  /**< Unit without ECAP.QI. */
    VTDPI_VERDICT_REASON_UNIT_NO_IR = 7,  /**< Unit without ECAP.IR. */
    VTDPI_VERDICT_REASON_UNIT_NO_EIM = 8, /**< CPUs in x2APIC mode, unit without
                                          ECAP.EIM. */
    VTDPI_VERDICT_REASON_UNIT_EIME = 9, /**< A running unit's IRTA.EIME differs
                                          from the CPUs' mode. */
    VTDPI_VERDICT_REASON_IOAPIC = 10,   /**< IOAPIC that no unit covers. */

    /* These leave remapping. */

    VTDPI_VERDICT_REASON_INTPOST_OFF = 11, /**< Option intpost=off. */
    VTDPI_VERDICT_REASON_NO_CX16 = 12, /**< CPU or build without CMPXCHG16B. */
    VTDPI_VERDICT_REASON_UNIT_NO_PI = 13, /**< Unit without CAP.PI. */

    /* This leaves no remapping. */

    VTDPI_VERDICT_REASON_UNIT_REGISTERS =
        14, /**< Fault records (CAP.FRO) or IOTLB registers (ECAP.IRO) lie inside
                 the fixed registers or outside the window: vtdpi_unit_probe()
                 refuses the unit. */
};

/** @brief What the number in vtdpi_verdict_reason.where names. */
enum vtdpi_verdict_where {
    VTDPI_VERDICT_WHERE_HOST = 0, /**< The whole machine; where is 0. */
    VTDPI_VERDICT_WHERE_UNIT =
        1, /**< A unit: index into vtdpi_verdict_facts.units. */
    VTDPI_VERDICT_WHERE_IOAPIC = 2, /**< An IOAPIC: its enumeration id. */
};

/** @brief A cause, and where it is. */
struct vtdpi_verdict_reason {
    enum vtdpi_verdict_reason_code code; /**< Why. */
    uint32_t where; /**< Where; see vtdpi_verdict_reason_where(). */
};

/** @brief Whether IRTA.EIME of a unit can still be chosen. */
enum vtdpi_verdict_eime {
    VTDPI_VERDICT_EIME_FREE =
        0, /**< Remapping is off: it will follow the CPUs. */
    VTDPI_VERDICT_EIME_CLEAR = 1, /**< Remapping runs with EIME = 0. */
    VTDPI_VERDICT_EIME_SET = 2,   /**< Remapping runs with EIME = 1. */
};

/** @brief One unit, as the verdict sees it. */
struct vtdpi_verdict_unit {
    /** NULL, or zeroed by vtdpi_caps_decode(): the unit does not answer. */
    const struct vtdpi_caps *caps;
    /** Other than FREE where somebody else owns the running unit. */
    enum vtdpi_verdict_eime eime;
    /** Size of the register window in bytes, as vtdpi_unit_probe() gets it
     *  (struct vtdpi_dmar_drhd). 0: not known, and not judged. */
    uint32_t window_bytes;
};

/** @brief What the verdict is reached from. */
struct vtdpi_verdict_facts {
    const struct vtdpi_verdict_unit
        *units;        /**< All units; hot-added ones, too. */
    size_t unit_count; /**< Their number. */
    /** Enumeration ids of those IOAPICs of the machine that no unit covers,
     *  as from vtdpi_dmar_uncovered_ioapics(). */
    const uint8_t *uncovered_ioapics;
    size_t uncovered_ioapic_count; /**< Their number; 0: all are covered. */
    /** VTDPI_DMAR_INTR_REMAP is set in the flags of the DMAR table. A list of a
     *  bridge that was added has no flags; those of the table count. */
    bool firmware_intr_remap;
    /** VTDPI_DMAR_X2APIC_OPT_OUT is set there. The other flags are about DMA
     *  translation and are no obstacle. */
    bool firmware_x2apic_optout;
    bool cpu_x2apic; /**< CPUs run, or will run, in x2APIC mode. */
    bool cpu_cx16;   /**< All CPUs have CMPXCHG16B. */
};

/**
 * @brief Decide how far this machine gets, and list everything in the way.
 *
 * All conditions are always looked at: the list is complete, in the order
 * host, units by index, IOAPICs, and within each in the order of the codes.
 * Removing one obstacle therefore never uncovers another.
 *
 * @param facts    Not NULL.
 * @param options  As parsed. Not NULL.
 * @param list     Receives the first @p capacity reasons. May be NULL if
 *                 @p capacity is 0.
 * @param capacity Number of elements of @p list.
 * @param count    Receives the number of reasons found, which may be larger
 *                 than @p capacity. May be NULL.
 *
 * @return The verdict; VTDPI_VERDICT_POSTING exactly if there is no reason.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD enum vtdpi_verdict
vtdpi_verdict_decide(const struct vtdpi_verdict_facts *facts,
                     const struct vtdpi_caps_options *options,
                     struct vtdpi_verdict_reason *list, size_t capacity,
                     size_t *count);

/**
 * @brief The best verdict that a reason leaves possible.
 *
 * @param code  A reason.
 *
 * @return NONE or REMAPPING; NONE for a value that is not a reason.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD enum vtdpi_verdict
vtdpi_verdict_reason_limit(enum vtdpi_verdict_reason_code code);

/**
 * @brief What `where` means for a reason.
 *
 * @param code  A reason.
 *
 * @return What it names; HOST for a value that is not a reason.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD enum vtdpi_verdict_where
vtdpi_verdict_reason_where(enum vtdpi_verdict_reason_code code);

/**
 * @brief Text of a reason.
 *
 * @param code  A reason.
 *
 * @return A phrase without a full stop; never NULL. "unknown reason" for a
 *         value that is not a reason.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD const char *
vtdpi_verdict_reason_text(enum vtdpi_verdict_reason_code code);

/**
 * @brief Text of a verdict.
 *
 * @param verdict  A verdict.
 *
 * @return "no interrupt remapping", "interrupt remapping without posting" or
 *         "interrupt remapping with posting"; never NULL.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD const char *vtdpi_verdict_text(enum vtdpi_verdict verdict);

VTDPI_END_DECLS

#endif
