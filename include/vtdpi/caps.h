/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_CAPS_H
#define VTDPI_CAPS_H

/**
 * @file
 * @brief What a remapping unit can do, and what the user wants.
 *
 * Pure functions: no register is read and nothing is remembered here. What
 * follows for the whole machine is decided in verdict.h.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
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
 * Start from vtdpi_caps_options_init(); a zeroed structure has everything off.
 */
struct vtdpi_caps_options {
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
VTDPI_API VTDPI_COLD void
vtdpi_caps_options_init(struct vtdpi_caps_options *options);

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
vtdpi_caps_options_parse(const char *text, struct vtdpi_caps_options *options,
                         size_t *error_offset);

VTDPI_END_DECLS

#endif
