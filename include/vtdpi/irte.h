/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_IRTE_H
#define VTDPI_IRTE_H

/**
 * @file
 * @brief Entries of an interrupt-remapping table (IRTEs), in both formats.
 *
 * Encoders are pure: the same fields give the same 128 bits, reserved bits are
 * zero, and nothing is written when a field is refused. For every accepted x,
 * decode(encode(x)) = x, and for every entry that vtdpi_irte_validate()
 * accepts, encode(decode(entry)) = entry.
 *
 * **Entries that are not present.** Hardware looks at nothing but FPD in an
 * entry with P = 0 and leaves the rest to software. Here such an entry holds
 * FPD, AVAIL and IM and nothing else, in both formats: half-filled entries
 * that one bit would bring to life do not exist. The all-zero entry is valid;
 * a zero-initialised `struct vtdpi_irte_remapped` encodes to it.
 *
 * **Stricter than hardware.** Three things that hardware puts up with are
 * refused, since they can only be mistakes: a qualifier (SQ) that is not used,
 * level trigger with a delivery mode that is edge-triggered by nature, and a
 * bus range that holds no bus.
 */

#include "vtdpi/atomic.h"
#include "vtdpi/compiler.h"
#include "vtdpi/pid.h"
#include "vtdpi/regs.h"
#include "vtdpi/source.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/**
 * @brief Interrupt-remapping table entry, as hardware reads it.
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
struct vtdpi_irte {
    VTDPI_ALIGNAS(16) uint64_t lo; /**< Bits 63:0. */
    uint64_t hi;                   /**< Bits 127:64. */
};

VTDPI_STATIC_ASSERT(sizeof(struct vtdpi_irte) == 16, "an IRTE is 16 bytes");
VTDPI_STATIC_ASSERT(offsetof(struct vtdpi_irte, lo) == 0, "P is bit 0");
VTDPI_STATIC_ASSERT(offsetof(struct vtdpi_irte, hi) == 64 / 8,
                    "SID starts at bit 64");

/** @brief Delivery modes, as DLM and the data of an MSI hold them. */
enum vtdpi_dlm {
    VTDPI_DLM_FIXED = 0,  /**< To all destinations. */
    VTDPI_DLM_LOWEST = 1, /**< To one of the destinations; needs RH = 1. */
    VTDPI_DLM_SMI = 2,    /**< System management; vector not used. */
    VTDPI_DLM_NMI = 4,    /**< Non-maskable; vector not used. */
    VTDPI_DLM_INIT = 5,   /**< INIT; vector not used. */
    VTDPI_DLM_EXTINT = 7, /**< As from an 8259; vector not used. */
};

/** @brief The fields of an entry in remapped format. */
struct vtdpi_irte_remapped {
    bool present;               /**< P. If false, all but fpd, avail and mode
                                    is zero. */
    bool fpd;                   /**< Do not record faults of this entry. */
    bool dm;                    /**< Destination is logical. */
    bool rh;                    /**< Redirection hint. */
    bool tm;                    /**< Level-triggered. */
    uint8_t avail;              /**< Software's own, 0 to 15. */
    uint8_t vector;             /**< Host vector. */
    enum vtdpi_dlm dlm;         /**< Delivery mode. */
    enum vtdpi_apic_mode mode;  /**< How the unit (IRTA.EIME) takes dst. */
    uint32_t dst;               /**< APIC id, or logical destination; at most
                                    255 in xAPIC mode. */
    struct vtdpi_source source; /**< Who may use the entry. */
};

/** @brief The fields of an entry in posted format. */
struct vtdpi_irte_posted {
    bool present;   /**< P. If false, all but fpd and avail is zero. */
    bool fpd;       /**< Do not record faults of this entry. */
    bool urgent;    /**< URG: notify even when SN is set. */
    uint8_t avail;  /**< Software's own, 0 to 15. */
    uint8_t vector; /**< Guest vector: the bit of PIR to set. */
    uint64_t pda;   /**< Physical address of the PID, 64-byte aligned. */
    struct vtdpi_source source; /**< Who may use the entry. */
};

/**
 * @brief Whether an entry is in posted format (IM = 1).
 *
 * @param irte  Entry, not a live one (see vtdpi_irte_read()). Not NULL.
 *
 * @return IM.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
VTDPI_INLINE bool vtdpi_irte_is_posted(const struct vtdpi_irte *irte)
{
    return (irte->lo & VTDPI_IRTE_LO_IM) != 0;
}

/**
 * @brief Encode an entry in remapped format.
 *
 * @param fields  What to encode.
 * @param out     Receives the entry. Not a live one: vtdpi_irte_replace()
 *                writes those. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0                   Encoded.
 * @retval VTDPI_EINVAL        An argument is NULL, or the mode is neither
 *                             xAPIC nor x2APIC.
 * @retval VTDPI_ERANGE        AVAIL above 15, or SQ above 3.
 * @retval VTDPI_EIRTE_ABSENT  Not present, and a field is not zero.
 * @retval VTDPI_EIRTE_SOURCE  No source was chosen.
 * @retval VTDPI_EIRTE_SVT     The source is VTDPI_SOURCE_RESERVED or unknown.
 * @retval VTDPI_EIRTE_SQ      SQ set, and the source is not an exact one.
 * @retval VTDPI_EIRTE_BUS     First bus above the last.
 * @retval VTDPI_EIRTE_DLM     Not a delivery mode.
 * @retval VTDPI_EIRTE_RH      Lowest priority without redirection hint.
 * @retval VTDPI_EIRTE_TM      Level trigger with SMI, NMI, INIT or ExtINT.
 * @retval VTDPI_EIRTE_VECTOR  Fixed or lowest priority with a vector below 16.
 * @retval VTDPI_EIRTE_DST     Destination above 255 in xAPIC mode.
 *
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irte_encode_remapped(const struct vtdpi_irte_remapped *fields,
                           struct vtdpi_irte *out);

/**
 * @brief Encode an entry in posted format.
 *
 * That the PID lies below the host address width is not known here;
 * vtdpi_irte_validate() checks it.
 *
 * @param fields  What to encode.
 * @param out     Receives the entry. Not a live one. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0                      Encoded.
 * @retval VTDPI_EINVAL           An argument is NULL.
 * @retval VTDPI_ERANGE           AVAIL above 15, or SQ above 3.
 * @retval VTDPI_EIRTE_ABSENT     Not present, and a field is not zero.
 * @retval VTDPI_EIRTE_PDA_ALIGN  The PID's address is not a multiple of 64.
 * @retval VTDPI_EIRTE_SOURCE     No source was chosen.
 * @retval VTDPI_EIRTE_SVT        The source is VTDPI_SOURCE_RESERVED or
 *                                unknown.
 * @retval VTDPI_EIRTE_SQ         SQ set, and the source is not an exact one.
 * @retval VTDPI_EIRTE_BUS        First bus above the last.
 * @retval VTDPI_EIRTE_VECTOR     Vector below 16.
 *
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Posted Interrupts}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irte_encode_posted(const struct vtdpi_irte_posted *fields,
                         struct vtdpi_irte *out);

/**
 * @brief Take an entry in remapped format apart.
 *
 * Judges nothing, so that a broken entry can be printed: reserved bits are
 * dropped, SVT = 3 becomes VTDPI_SOURCE_RESERVED, DLM may be a reserved value.
 *
 * @param irte  Entry, not a live one.
 * @param mode  How the unit takes destinations. In xAPIC mode only bits 47:40
 *              are the destination.
 * @param out   Receives the fields. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0                   Decoded.
 * @retval VTDPI_EINVAL        An argument is NULL, or the mode is neither
 *                             xAPIC nor x2APIC.
 * @retval VTDPI_EIRTE_FORMAT  The entry is in posted format.
 *
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irte_decode_remapped(const struct vtdpi_irte *irte,
                           enum vtdpi_apic_mode mode,
                           struct vtdpi_irte_remapped *out);

/**
 * @brief Take an entry in posted format apart.
 *
 * Judges nothing, as vtdpi_irte_decode_remapped().
 *
 * @param irte  Entry, not a live one.
 * @param out   Receives the fields. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0                   Decoded.
 * @retval VTDPI_EINVAL        An argument is NULL.
 * @retval VTDPI_EIRTE_FORMAT  The entry is in remapped format.
 *
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Posted Interrupts}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irte_decode_posted(const struct vtdpi_irte *irte,
                         struct vtdpi_irte_posted *out);

/**
 * @brief Name the first thing that is wrong with an entry.
 *
 * Accepts exactly what the encoder of its format can make, with the PID below
 * the host address width. The checks are made in the order listed.
 *
 * @param irte  Entry in either format, not a live one.
 * @param mode  How the unit takes destinations.
 * @param haw   Host address width in bits, 1 to 64.
 *
 * @anyctx @waitfree
 *
 * @retval 0                      Nothing is wrong.
 * @retval VTDPI_EINVAL           An argument is NULL or out of range.
 * @retval VTDPI_EIRTE_ABSENT     Not present, and more than FPD, AVAIL and IM
 *                                is set.
 * @retval VTDPI_EIRTE_RESERVED   A reserved bit of its format is set.
 * @retval VTDPI_EIRTE_SVT        SVT = 3.
 * @retval VTDPI_EIRTE_SQ         SQ is set and SVT is not 1.
 * @retval VTDPI_EIRTE_BUS        SVT = 2 and the first bus is above the last.
 * @retval VTDPI_EIRTE_DLM        DLM is 3 or 6 (remapped).
 * @retval VTDPI_EIRTE_RH         Lowest priority without RH (remapped).
 * @retval VTDPI_EIRTE_TM         Level trigger with SMI, NMI, INIT or ExtINT
 *                                (remapped).
 * @retval VTDPI_EIRTE_VECTOR     Vector below 16 (posted, fixed and lowest
 *                                priority).
 * @retval VTDPI_EIRTE_DST        Destination bits outside 47:40 in xAPIC mode
 *                                (remapped).
 * @retval VTDPI_EIRTE_PDA_WIDTH  The PID does not lie below the host address
 *                                width (posted).
 *
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Remapped Interrupts}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irte_validate(const struct vtdpi_irte *irte, enum vtdpi_apic_mode mode,
                    unsigned int haw);

/**
 * @brief Read a live entry.
 *
 * Two 64-bit loads. Hardware never writes an entry, so a caller who is the
 * only writer (table.h: one call per index at a time) reads what it wrote
 * last. With other writers the two words may belong to different values; as
 * `old` of vtdpi_irte_replace() such a pair is harmless, since the
 * compare-and-swap looks at all 16 bytes at once.
 *
 * @param entry  Entry in a table. Not NULL.
 * @param out    Receives a copy. Not NULL.
 *
 * @anyctx @waitfree @order{none; vtdpi_irte_replace() checks the copy}
 */
VTDPI_INLINE void vtdpi_irte_read(const struct vtdpi_irte *entry,
                                  struct vtdpi_irte *out)
{
    out->lo = vtdpi_atomic_load64_relaxed(&entry->lo);
    out->hi = vtdpi_atomic_load64_relaxed(&entry->hi);
}

/**
 * @brief Replace a live entry in one step.
 *
 * A 16-byte compare-and-swap and nothing else: the unit sees the old entry or
 * the new one, never halves of both (the PID's address spans both words). The
 * unit may use the old entry until the line was cleaned, the interrupt entry
 * cache was invalidated and the wait is over: table.h does these three.
 *
 * @param entry        Entry in a table; 16-byte aligned.
 * @param old          What the caller takes the entry to be.
 * @param replacement  What it shall be. Not checked: from an encoder.
 *
 * @anyctx @waitfree @order{SC when it writes}
 *
 * @retval 0                 Replaced.
 * @retval VTDPI_EINVAL      An argument is NULL. Nothing was written.
 * @retval VTDPI_EALIGN      @p entry is not 16-byte aligned. Nothing was
 *                           written.
 * @retval VTDPI_EOPNOTSUPP  Built with VTDPI_HAVE_CX16 = 0. Nothing was
 *                           written.
 * @retval VTDPI_EAGAIN      The entry is not @p old. Nothing was written.
 *
 * @spec{VT-d, Interrupt Remapping Table Entry (IRTE) for Posted Interrupts}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_irte_replace(struct vtdpi_irte *entry, const struct vtdpi_irte *old,
                   const struct vtdpi_irte *replacement);

VTDPI_END_DECLS

#endif
