/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_MSI_H
#define VTDPI_MSI_H

/**
 * @file
 * @brief Interrupt requests: what a device or an IOAPIC is programmed with.
 *
 * A request in remappable format names an index of the interrupt-remapping
 * table; encode and decode. One in compatibility format names a destination
 * and a vector; a guest writes those, and a host's own code composes them before
 * it knows of remapping. They are only decoded here. Each decoder reports a request of the other format as VTDPI_EMSI_FORMAT.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/irte.h"
#include "vtdpi/regs.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** Largest number of messages that one MSI capability can send. */
#define VTDPI_MSI_BLOCK_MAX 32

/** @brief A message as the three registers of an MSI or MSI-X entry hold it. */
struct vtdpi_msi {
    uint32_t address_lo; /**< Address, bits 31:0. */
    uint32_t address_hi; /**< Address, bits 63:32. */
    uint32_t data;       /**< Data. */
};

/** @brief A remappable message, taken apart. */
struct vtdpi_msi_request {
    uint32_t index;     /**< Index it selects: handle, plus subhandle if shv. */
    uint16_t handle;    /**< From the address. */
    uint16_t subhandle; /**< From the data; 0 if not shv. */
    bool shv;           /**< Subhandle valid. */
};

/** @brief An IOAPIC redirection table entry in remappable format.
 *
 *  A pin that is masked and has no vector yet (at boot, most of them) needs no entry
 *  in the table: vtdpi_irq_set_host() with NULL, and @p masked here. */
struct vtdpi_msi_rte {
    uint32_t index;  /**< Index of the entry it selects, 0 to 65535. */
    uint8_t vector;  /**< What a CPU's EOI broadcast is matched against: the
                          pin number or the vector, as the host likes. The
                          vector delivered is the one of the IRTE. */
    bool active_low; /**< Polarity. */
    bool level;      /**< Trigger mode. */
    bool masked;     /**< Mask. */
    bool delivery_status; /**< Read-only: a request is pending. */
    bool remote_irr;      /**< Read-only: an EOI is awaited. */
};

/** @brief Where a compatibility-format message keeps its destination. */
enum vtdpi_compat_dest {
    /** Address bits 19:12. */
    VTDPI_COMPAT_DEST_8 = 0,
    /** The same, and bits 14:8 of it in address bits 11:5: the extended
     *  destination id of several hypervisors. */
    VTDPI_COMPAT_DEST_15 = 1,
    /** The same, and bits 31:8 of it in address bits 63:40: the x2APIC form
     *  between a VMM and KVM. */
    VTDPI_COMPAT_DEST_32 = 2,
};

/** @brief A compatibility-format message, taken apart. */
struct vtdpi_compat_msi {
    uint32_t dest;      /**< Destination id. */
    uint8_t vector;     /**< Guest vector, unchecked. */
    enum vtdpi_dlm dlm; /**< Delivery mode; 3 and 6 are reserved values. */
    bool rh;            /**< Redirection hint. */
    bool dm;            /**< Destination is logical. */
    bool level;         /**< Trigger mode: level. */
    bool assert_level;  /**< Level bit: assert. Means nothing for edge. */
};

/**
 * @brief Encode the message of one interrupt.
 *
 * Subhandle valid, subhandle 0: the form that also serves a block.
 *
 * @param index  Index in the interrupt-remapping table, 0 to 65535.
 * @param out    Receives the message. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Encoded.
 * @retval VTDPI_EINVAL  @p out is NULL.
 * @retval VTDPI_EINDEX  @p index is above 65535.
 *
 * @spec{VT-d, Interrupt Requests in Remappable Format}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_msi_encode(uint32_t index,
                                                struct vtdpi_msi *out);

/**
 * @brief Encode the message of a multi-message MSI.
 *
 * The device adds the number of the message to the data, which is the
 * subhandle: message i selects index @p base + i.
 *
 * @param base   First index of the block, a multiple of @p count.
 * @param count  Messages: a power of two, 1 to VTDPI_MSI_BLOCK_MAX.
 * @param out    Receives the message as the host programs it. Untouched on
 *               error.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Encoded.
 * @retval VTDPI_EINVAL  @p out is NULL, or @p count is not as above.
 * @retval VTDPI_EINDEX  @p base is above 65535.
 * @retval VTDPI_EALIGN  @p base is not a multiple of @p count.
 *
 * @spec{VT-d, Interrupt Requests in Remappable Format}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_msi_encode_block(uint32_t base, uint32_t count, struct vtdpi_msi *out);

/**
 * @brief Take a remappable message apart.
 *
 * Hardware does not look at address bits 1:0 nor, with SHV = 0, at the
 * subhandle; both are dropped. That the index lies in the table is not known
 * here.
 *
 * @param msi  The message as it goes out: with the number of the message
 *             added to the data, if it is one of a block.
 * @param out  Receives the parts. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0                    Decoded.
 * @retval VTDPI_EINVAL         An argument is NULL.
 * @retval VTDPI_EMSI_ADDRESS   The address is not FEExxxxxh.
 * @retval VTDPI_EMSI_FORMAT    Compatibility format.
 * @retval VTDPI_EMSI_RESERVED  Data bits 31:16 are not zero.
 * @retval VTDPI_EINDEX         Handle and subhandle add up to more than 65535.
 *
 * @spec{VT-d, Interrupt Requests in Remappable Format}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_msi_decode(const struct vtdpi_msi *msi,
                                                struct vtdpi_msi_request *out);

/**
 * @brief Encode an IOAPIC redirection table entry.
 *
 * The read-only bits (delivery status, remote IRR) are left zero, whatever
 * @p fields says.
 *
 * @param fields  What to encode.
 * @param out     Receives the entry: low word in bits 31:0. The low word has the
 *                mask bit. So write the high word first, unless the entry is
 *                masked. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0             Encoded.
 * @retval VTDPI_EINVAL  An argument is NULL.
 * @retval VTDPI_EINDEX  The index is above 65535.
 *
 * @spec{VT-d, I/OxAPIC Programming}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_msi_rte_encode(const struct vtdpi_msi_rte *fields, uint64_t *out);

/**
 * @brief Take an IOAPIC redirection table entry apart.
 *
 * @param rte  The entry: low word in bits 31:0.
 * @param out  Receives the fields. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0                    Decoded.
 * @retval VTDPI_EINVAL         @p out is NULL.
 * @retval VTDPI_EMSI_FORMAT    Compatibility format.
 * @retval VTDPI_ERTE_RESERVED  Bits 10:8 or 47:17 are not zero.
 *
 * @spec{VT-d, I/OxAPIC Programming}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_msi_rte_decode(uint64_t rte,
                                                    struct vtdpi_msi_rte *out);

/**
 * @brief Take a guest's compatibility-format message apart.
 *
 * Only the bits: what the destination means and whether the interrupt can be
 * posted is route.h's part. A vector below 16 and a reserved delivery mode
 * are therefore not errors here.
 *
 * @param msi   The message as the guest programmed it.
 * @param form  Where this guest was told to put the destination.
 * @param out   Receives the parts. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0                    Decoded.
 * @retval VTDPI_EINVAL         An argument is NULL, or @p form is unknown.
 * @retval VTDPI_EMSI_ADDRESS   The address is not FEExxxxxh, the part of its
 *                              high word that @p form uses aside.
 * @retval VTDPI_EMSI_FORMAT    Remappable format.
 * @retval VTDPI_EMSI_RESERVED  Data bits 31:16 or 13:11 are not zero, or
 *                              address bits 11:5 if @p form does not use them.
 *
 * @spec{SDM, Message Signalled Interrupts}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_compat_msi_decode(const struct vtdpi_msi *msi,
                        enum vtdpi_compat_dest form,
                        struct vtdpi_compat_msi *out);

/**
 * @brief Turn a compatibility-format message of the host's own into the fields of
 *        an entry that does the same.
 *
 * For vtdpi_irq_set_host(), in hosts whose interrupt code composes such a message. A
 * host that keeps a 32-bit destination beside the message (Xen) passes
 * VTDPI_COMPAT_DEST_8 and writes dst of the result itself.
 *
 * The level bit (assert) is not looked at: an entry has none. Whether the fields
 * make an entry, vtdpi_irte_encode_remapped() says.
 *
 * @param msi   The message.
 * @param form  Where the host puts the destination.
 * @param mode  How the unit takes destinations: the mode of the backend.
 * @param out   Receives the fields: present, source VTDPI_SOURCE_UNSET, fpd and
 *              avail 0. Untouched on error.
 *
 * @anyctx @waitfree
 *
 * @retval 0                    Done.
 * @retval VTDPI_EINVAL         An argument is NULL, or @p form is unknown.
 * @retval VTDPI_EMSI_ADDRESS   As vtdpi_compat_msi_decode().
 * @retval VTDPI_EMSI_FORMAT    The same.
 * @retval VTDPI_EMSI_RESERVED  The same.
 *
 * @spec{SDM, Message Signalled Interrupts}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_compat_msi_to_remapped(
    const struct vtdpi_msi *msi, enum vtdpi_compat_dest form,
    enum vtdpi_apic_mode mode, struct vtdpi_irte_remapped *out);

VTDPI_END_DECLS

#endif
