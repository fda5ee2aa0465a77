/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_CAPS_H
#define VTDPI_CAPS_H

/**
 * @file
 * @brief What a remapping unit can do, what the user wants, and the verdict.
 *
 * Pure functions: no register is read and nothing is remembered here.
 *
 * Posting is a property of the whole machine. One unit without it, or one
 * IOAPIC outside every unit, turns it off everywhere, and the peers do not
 * say which. vtdpi_verdict_decide() names each obstacle and where it is.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/**
 * @brief Decoded Version, Capability and Extended Capability Registers.
 *
 * One-bit fields carry the specification's names. The raw words are kept for
 * hosts that look at fields which do not concern interrupts.
 */
struct vtdpi_caps {
    uint64_t cap;            /**< Capability Register, raw. */
    uint64_t ecap;           /**< Extended Capability Register, raw. */
    uint32_t register_bytes; /**< Bytes from the base up to the end of the
                                   last register that CAP and ECAP place;
                                   a multiple of 4096. */
    uint16_t fault_offset;   /**< CAP.FRO in bytes: first fault record. */
    uint16_t fault_count;    /**< CAP.NFR as a number of records, 1..256. */
    uint16_t iotlb_offset;   /**< ECAP.IRO in bytes. */
    uint8_t version_major;   /**< VER, major number. */
    uint8_t version_minor;   /**< VER, minor number. */
    uint8_t guest_width;     /**< CAP.MGAW as a number of bits, 1..64. */
    uint8_t sagaw;           /**< CAP.SAGAW, raw. */
    uint8_t nd;              /**< CAP.ND, raw. */
    uint8_t mhmv;            /**< ECAP.MHMV: one IEC descriptor covers at
                                   most 2^mhmv entries. */
    bool rwbf;               /**< Write buffer needs an explicit flush. */
    bool cm;                 /**< Caching mode: not-present is cached. */
    bool pi;                 /**< Posted interrupts. */
    bool fl5lp;              /**< 5-level first-stage paging. */
    bool esirtps;            /**< SIRTP invalidates the IEC by itself. */
    bool esrtps;             /**< SRTP invalidates by itself. */
    bool coherent;           /**< ECAP.C: the unit snoops table memory. */
    bool qi;                 /**< Queued invalidation. */
    bool dt;                 /**< Device TLBs. */
    bool ir;                 /**< Interrupt remapping. */
    bool eim;                /**< Extended interrupt mode (x2APIC ids). */
    bool pt;                 /**< DMA pass-through. */
    bool sc;                 /**< Snoop control. */
    bool smts;               /**< Scalable mode: 256-bit descriptors. */
};

/**
 * @brief Decode the registers that describe a unit.
 *
 * @param ver   Version Register.
 * @param cap   Capability Register.
 * @param ecap  Extended Capability Register.
 * @param out   Receives the result. Not NULL. Zeroed on failure, which reads
 *              as a unit that can do nothing.
 *
 * @retval 0          Decoded.
 * @retval VTDPI_EIO  The unit does not answer: one of the words is all ones, or
 *                    all three are zero. Nothing decodes that address, or the
 *                    unit is gone or has no power.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Capability Register; Extended Capability Register}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_caps_decode(uint32_t ver, uint64_t cap, uint64_t ecap,
                  struct vtdpi_caps *out);

/**
 * @brief What the user asked for.
 *
 * Start from vtdpi_options_init(); a zeroed structure has everything off.
 */
struct vtdpi_options {
    bool intremap;             /**< Interrupt remapping may be used. */
    bool intpost;              /**< Posting may be used. */
    bool ignore_x2apic_optout; /**< Firmware's request to stay out of x2APIC
                                    mode is not obeyed. */
};

/**
 * @brief Set the defaults: remapping and posting wanted, firmware obeyed.
 *
 * @param options  Not NULL.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD void vtdpi_options_init(struct vtdpi_options *options);

/**
 * @brief Apply a text such as "intpost=off,x2apic_optout=ignore".
 *
 * Items are NAME=VALUE, separated by single commas, without blanks; the last
 * of several items with one name counts. The empty text changes nothing.
 *
 * | name          | values         | default | meaning                       |
 * |---------------|----------------|---------|-------------------------------|
 * | intremap      | on, off        | on      | use interrupt remapping       |
 * | intpost       | on, off        | on      | use posting (needs remapping) |
 * | x2apic_optout | honour, ignore | honour  | firmware's X2APIC_OPT_OUT     |
 *
 * There is no option that turns source-id verification off.
 *
 * @param text          Zero-terminated. Not NULL.
 * @param options       Changed only on success. Not NULL.
 * @param error_offset  On failure receives the offset in @p text of the name
 *                      or value that is not known (of the item, if it has no
 *                      "="). May be NULL.
 *
 * @retval 0              Applied.
 * @retval VTDPI_EOPTION  An item is empty, has no "=", or has a name or value
 *                        that is not in the table.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_options_parse(const char *text, struct vtdpi_options *options,
                    size_t *error_offset);

/** @brief How far the machine gets; a larger value includes the smaller. */
enum vtdpi_verdict {
    VTDPI_VERDICT_NONE = 0,      /**< No interrupt remapping. */
    VTDPI_VERDICT_REMAPPING = 1, /**< Remapping, no posting. */
    VTDPI_VERDICT_POSTING = 2,   /**< Remapping and posting. */
};

/** @brief One cause why the verdict is not "posting". */
enum vtdpi_reason_code {
    /* These leave no remapping. */

    VTDPI_REASON_INTREMAP_OFF = 1,    /**< Option intremap=off. */
    VTDPI_REASON_FIRMWARE = 2,        /**< DMAR flag INTR_REMAP is clear. */
    VTDPI_REASON_X2APIC_OPTOUT = 3,   /**< CPUs in x2APIC mode, which firmware
                                          asked to avoid; not overridden. */
    VTDPI_REASON_NO_UNIT = 4,         /**< There is no unit at all. */
    VTDPI_REASON_UNIT_UNREADABLE = 5, /**< The unit does not answer: registers
                                          read as all ones or as zeros. */
    VTDPI_REASON_UNIT_NO_QI = 6,      /**< Unit without ECAP.QI. */
    VTDPI_REASON_UNIT_NO_IR = 7,      /**< Unit without ECAP.IR. */
    VTDPI_REASON_UNIT_NO_EIM = 8,     /**< CPUs in x2APIC mode, unit without
                                          ECAP.EIM. */
    VTDPI_REASON_UNIT_EIME = 9,       /**< A running unit's IRTA.EIME differs
                                          from the CPUs' mode. */
    VTDPI_REASON_IOAPIC = 10,         /**< IOAPIC that no unit covers. */

    /* These leave remapping. */

    VTDPI_REASON_INTPOST_OFF = 11, /**< Option intpost=off. */
    VTDPI_REASON_NO_CX16 = 12,     /**< CPU or build without CMPXCHG16B. */
    VTDPI_REASON_UNIT_NO_PI = 13,  /**< Unit without CAP.PI. */
};

/** @brief What the number in vtdpi_reason.where names. */
enum vtdpi_place {
    VTDPI_PLACE_HOST = 0,   /**< The whole machine; where is 0. */
    VTDPI_PLACE_UNIT = 1,   /**< A unit: index into vtdpi_facts.units. */
    VTDPI_PLACE_IOAPIC = 2, /**< An IOAPIC: its enumeration id. */
};

/** @brief A cause and its place. */
struct vtdpi_reason {
    enum vtdpi_reason_code code; /**< Why. */
    uint32_t where;              /**< Where; see vtdpi_reason_place(). */
};

/** @brief Whether IRTA.EIME of a unit can still be chosen. */
enum vtdpi_eime {
    VTDPI_EIME_FREE = 0,  /**< Remapping is off: it will follow the CPUs. */
    VTDPI_EIME_CLEAR = 1, /**< Remapping runs with EIME = 0. */
    VTDPI_EIME_SET = 2,   /**< Remapping runs with EIME = 1. */
};

/** @brief One unit, as the verdict sees it. */
struct vtdpi_unit_facts {
    /** NULL, or zeroed by vtdpi_caps_decode(): the unit does not answer. */
    const struct vtdpi_caps *caps;
    /** Other than FREE where somebody else owns the running unit. */
    enum vtdpi_eime eime;
};

/** @brief What the verdict is reached from. */
struct vtdpi_facts {
    const struct vtdpi_unit_facts
        *units;        /**< All units; hot-added ones, too. */
    size_t unit_count; /**< Their number. */
    /** Enumeration ids of those IOAPICs of the machine that no unit covers,
     *  as from vtdpi_dmar_uncovered_ioapics(). */
    const uint8_t *uncovered_ioapics;
    size_t uncovered_ioapic_count; /**< Their number; 0: all are covered. */
    bool firmware_intr_remap;      /**< DMAR flag INTR_REMAP. */
    bool firmware_x2apic_optout;   /**< DMAR flag X2APIC_OPT_OUT. */
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
vtdpi_verdict_decide(const struct vtdpi_facts *facts,
                     const struct vtdpi_options *options,
                     struct vtdpi_reason *list, size_t capacity, size_t *count);

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
vtdpi_reason_limit(enum vtdpi_reason_code code);

/**
 * @brief What `where` means for a reason.
 *
 * @param code  A reason.
 *
 * @return Its kind of place; HOST for a value that is not a reason.
 *
 * @anyctx @waitfree
 */
VTDPI_API VTDPI_COLD enum vtdpi_place
vtdpi_reason_place(enum vtdpi_reason_code code);

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
VTDPI_API VTDPI_COLD const char *vtdpi_reason_text(enum vtdpi_reason_code code);

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
