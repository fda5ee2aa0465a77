/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_QI_H
#define VTDPI_QI_H

/**
 * @file
 * @brief Queued invalidation: descriptors, and the queue of a unit.
 *
 * The queue is a ring of descriptors in memory. A submission is a batch of
 * descriptors with one wait descriptor behind them, written under one hold of
 * the unit's lock; its ticket is polled or waited for with no lock held. Any
 * number of submitters share the queue, in thread or interrupt context, the
 * host's own context, IOTLB and device-TLB invalidations included.
 *
 * **What completes a submission.** Each ring slot has a status word. The wait
 * descriptor in slot i makes hardware write the submission's sequence number
 * to status word i; equal means done, and nothing else does. Sequence numbers
 * are never 0, and never the value that the status word holds already, so
 * neither a late write for an earlier owner of the slot nor a wrap is mistaken
 * for completion. All waits have FN = 1, so submissions complete in order.
 *
 * **When slots are used again.** The slots of a submission are used again when the
 * submission has completed or failed, oldest submission first. A submission whose
 * deadline has passed was given up. Its slots are used again when its wait has
 * completed after all, or when the queue head has passed it: hardware fetches nothing
 * behind its head.
 *
 * **Errors.** The caller that polls looks at the Fault Status Register and repairs the
 * queue for everybody (vtdpi_qi_recover()):
 *
 * | error | what is done | who gets it |
 * |-------|--------------|-------------|
 * | IQE   | only the descriptor at the head is replaced, by a wait that writes 0 to its own slot's status word; IQE is cleared, the tail is written again (QEMU goes on only then) | the submission it belongs to: VTDPI_EIQE |
 * | ITE   | IQER is read, ITE cleared; submissions whose wait was aborted are written again at the tail | VTDPI_EITE: see below |
 * | ICE   | cleared | VTDPI_EICE: see below |
 *
 * ITE and ICE name a device. Each submission fails of which a device-TLB invalidation
 * for that device was fetched. If the unit names no device (source id 0), each
 * submission fails of which any device-TLB invalidation was fetched: the library does
 * not know which of them to try again, and trying the wrong one could go on for ever.
 * Submissions without device-TLB invalidations get neither error.
 *
 * A head is not believed if it lies behind the last head or beyond the tail. Then no
 * descriptor is replaced, and only descriptors behind the last true head count as
 * fetched. Waits that an ITE has aborted are not written again in that case, and end
 * with their deadlines.
 *
 * **What a failed submission leaves.** After any error code, any part of the
 * submission may have been executed, and no part will be written again. So the caller
 * relies on no part of it. For interrupt entries that means: written, dirty. The queue
 * goes on working for all other submissions.
 *
 * **Stalled.** A queue is stalled when a wait on it was given up after
 * VTDPI_QI_TIMEOUT_US or more. Other waits with a deadline then fail at once: they do
 * not wait for as long again. The stall ends when the status word of that wait is
 * written, when the head has moved, or when an error was recovered from. A wait on a
 * stalled queue reads IQH at most once in VTDPI_QI_TIMEOUT_US, so one late answer of
 * the unit ends the stall. Descriptors are still accepted, and are executed when the
 * unit goes on.
 *
 * **Coherence.** The ring and the status words are in ordinary write-back
 * memory and are never cleaned, whatever ECAP.C says: that bit is about tables
 * that the unit walks, its accesses to the queue are snooped always.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/config.h"
#include "vtdpi/platform.h"
#include "vtdpi/regs.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** Longest block of one IEC descriptor: 2^15 entries. */
#define VTDPI_IEC_ORDER_MAX        15

/** Longest block of pages of one descriptor: the whole address space. */
#define VTDPI_QI_PAGES_ORDER_MAX   52

/** Largest domain id. A unit has fewer: CAP.ND. */
#define VTDPI_DOMAIN_MAX           UINT32_C(0xffff)

/** Largest PASID. A unit may have fewer: ECAP.PSS. */
#define VTDPI_PASID_MAX            UINT32_C(0xfffff)

/** Most device-TLB invalidations that may wait for one device. */
#define VTDPI_QI_PENDING_MAX       32

/** Largest order of a ring: 2^7 pages. */
#define VTDPI_QI_ORDER_MAX         7

/** Default of struct vtdpi_qi_params.device_timeout_us: what a device may take
 *  to answer an invalidation before its unit reports a time-out, and a bit. */
#define VTDPI_QI_DEVICE_TIMEOUT_US UINT64_C(100000000)

/**
 * @brief An invalidation descriptor of either width.
 *
 * A queue of 128-bit descriptors uses the first two words; the others are zero.
 *
 * @spec{VT-d, Invalidation Descriptors}
 */
struct vtdpi_qi_desc {
    uint64_t qw[4]; /**< 64-bit words, lowest first. */
};

VTDPI_STATIC_ASSERT(sizeof(struct vtdpi_qi_desc) == 32,
                    "the wider descriptor is 256 bits");

/** @brief Width of a queue's descriptors. */
enum vtdpi_qi_width {
    VTDPI_QI_128 = 0, /**< 128 bits: any unit. */
    VTDPI_QI_256 = 1, /**< 256 bits: units with ECAP.SMTS. */
};

/**
 * @brief Slots of a ring.
 *
 * @param order  The ring has 2^order pages of 4 KiB; 0 to 7.
 * @param width  Width of its descriptors.
 *
 * @return Number of descriptors, which is also the number of status words.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint32_t vtdpi_qi_slots(unsigned int order,
                                     enum vtdpi_qi_width width)
{
    VTDPI_ASSERT(order <= VTDPI_QI_ORDER_MAX);
    return (UINT32_C(4096) << order) / (width == VTDPI_QI_256 ? 32 : 16);
}

/**
 * @brief Encode: forget all cached interrupt entries.
 *
 * @param out  Receives the descriptor. Not NULL.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Interrupt Entry Cache Invalidate Descriptor}
 */
VTDPI_INLINE void vtdpi_qi_encode_iec_global(struct vtdpi_qi_desc *out)
{
    const struct vtdpi_qi_desc d = {{VTDPI_QI_IEC, 0, 0, 0}};

    *out = d;
}

/**
 * @brief Encode: forget the cached interrupt entries of an aligned block.
 *
 * @param out    Receives the descriptor; untouched on error. Not NULL.
 * @param first  First index of the block.
 * @param order  The block has 2^order entries; at most 15. A unit takes no
 *               more than its ECAP.MHMV, which the caller checks.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_ERANGE  @p order is above 15.
 * @retval VTDPI_EALIGN  @p first is not a multiple of 2^order.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Interrupt Entry Cache Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_iec(struct vtdpi_qi_desc *out, uint16_t first,
                                     unsigned int order)
{
    struct vtdpi_qi_desc d = {{VTDPI_QI_IEC | VTDPI_IEC_G, 0, 0, 0}};

    if (order > VTDPI_IEC_ORDER_MAX)
        return VTDPI_ERANGE;
    if ((first & ((1u << order) - 1)) != 0)
        return VTDPI_EALIGN;
    d.qw[0] |= VTDPI_FIELD_PUT(order, VTDPI_IEC_IM);
    d.qw[0] |= VTDPI_FIELD_PUT(first, VTDPI_IEC_IIDX);
    *out = d;
    return 0;
}

/**
 * @brief Encode: write a status word when everything before has completed.
 *
 * SW = 1 and FN = 1: later descriptors start after this one has completed.
 *
 * @param out     Receives the descriptor; untouched on error. Not NULL.
 * @param status  Physical address of the 32-bit word to write; 4-byte aligned.
 * @param data    What to write.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_EALIGN  @p status is not 4-byte aligned.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Invalidation Wait Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_wait(struct vtdpi_qi_desc *out,
                                      uint64_t status, uint32_t data)
{
    const struct vtdpi_qi_desc d = {{VTDPI_QI_WAIT | VTDPI_WAIT_SW |
                                         VTDPI_WAIT_FN |
                                         VTDPI_FIELD_PUT(data, VTDPI_WAIT_DATA),
                                     status, 0, 0}};

    if (status % 4 != 0)
        return VTDPI_EALIGN;
    *out = d;
    return 0;
}

/**
 * @brief Encode: forget all cached context entries.
 *
 * An encoder of the host's own invalidations, like those that follow: the
 * library itself submits none of them. Which invalidations a change of DMA
 * tables needs, and in which order, the specification says.
 *
 * @param out  Receives the descriptor. Not NULL.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Context-cache Invalidate Descriptor}
 */
VTDPI_INLINE void vtdpi_qi_encode_context_global(struct vtdpi_qi_desc *out)
{
    const struct vtdpi_qi_desc d = {
        {VTDPI_QI_CONTEXT | VTDPI_FIELD_PUT(VTDPI_QI_GLOBAL, VTDPI_CONTEXT_G),
         0, 0, 0}};

    *out = d;
}

/**
 * @brief Encode: forget the cached context entries of a domain.
 *
 * @param out     Receives the descriptor; untouched on error. Not NULL.
 * @param domain  Domain id, below the unit's number of domains (CAP.ND), which
 *                the caller checks.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_ERANGE  @p domain has more than 16 bits.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Context-cache Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_context_domain(struct vtdpi_qi_desc *out,
                                                uint32_t domain)
{
    const struct vtdpi_qi_desc d = {
        {VTDPI_QI_CONTEXT | VTDPI_FIELD_PUT(VTDPI_QI_DOMAIN, VTDPI_CONTEXT_G) |
             VTDPI_FIELD_PUT(domain, VTDPI_CONTEXT_DID),
         0, 0, 0}};

    if (domain > VTDPI_DOMAIN_MAX)
        return VTDPI_ERANGE;
    *out = d;
    return 0;
}

/**
 * @brief Encode: forget the cached context entries of a device.
 *
 * @param out            Receives the descriptor; untouched on error. Not NULL.
 * @param domain         Domain id that the entries had; as for a domain.
 * @param sid            Source id of the device.
 * @param function_mask  How many of the upper bits of the function number in
 *                       @p sid do not count, 0 to 3: 1 ignores bit 2, 2 ignores
 *                       bits 2:1, 3 ignores bits 2:0.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_ERANGE  @p domain has more than 16 bits, or @p function_mask is
 *                       above 3.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Context-cache Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_context_device(struct vtdpi_qi_desc *out,
                                                uint32_t domain, uint16_t sid,
                                                unsigned int function_mask)
{
    struct vtdpi_qi_desc d = {{VTDPI_QI_CONTEXT, 0, 0, 0}};

    if (domain > VTDPI_DOMAIN_MAX || function_mask > 3)
        return VTDPI_ERANGE;
    d.qw[0] |= VTDPI_FIELD_PUT(VTDPI_QI_SELECTIVE, VTDPI_CONTEXT_G);
    d.qw[0] |= VTDPI_FIELD_PUT(domain, VTDPI_CONTEXT_DID);
    d.qw[0] |= VTDPI_FIELD_PUT(sid, VTDPI_CONTEXT_SID);
    d.qw[0] |= VTDPI_FIELD_PUT(function_mask, VTDPI_CONTEXT_FM);
    *out = d;
    return 0;
}

/**
 * @brief Whether pages are a block that one descriptor can name.
 *
 * @param address  Address of the first page.
 * @param order    The block has 2^order pages of 4 KiB.
 *
 * @retval 0             They are.
 * @retval VTDPI_ERANGE  @p order is above 52.
 * @retval VTDPI_EALIGN  @p address is not a multiple of the block's size.
 *
 * @anyctx @waitfree
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_check_pages(uint64_t address, unsigned int order)
{
    if (order > VTDPI_QI_PAGES_ORDER_MAX)
        return VTDPI_ERANGE;
    return (address & ((UINT64_C(4096) << order) - 1)) == 0 ? 0 : VTDPI_EALIGN;
}

/** @brief What an IOTLB invalidation does besides; a mask. */
enum vtdpi_qi_iotlb_flags {
    /** Wait for the DMA writes that have used what is forgotten. Only for a unit
     *  with CAP.DWD, which the caller checks. */
    VTDPI_QI_DRAIN_WRITES = 1,
    /** The same for DMA reads. Only with CAP.DRD. */
    VTDPI_QI_DRAIN_READS = 2,
    /** The invalidation hint: no entry above the last level was changed, so the
     *  unit may keep those. */
    VTDPI_QI_LEAF_ONLY = 4,
};

/**
 * @brief Encode: forget the cached translations of a domain.
 *
 * @param out     Receives the descriptor; untouched on error. Not NULL.
 * @param domain  Domain id; as vtdpi_qi_encode_context_domain().
 * @param drain   VTDPI_QI_DRAIN_WRITES, VTDPI_QI_DRAIN_READS, both or neither.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_EINVAL  @p drain has another flag.
 * @retval VTDPI_ERANGE  @p domain has more than 16 bits.
 *
 * @anyctx @waitfree
 * @spec{VT-d, IOTLB Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_iotlb_domain(struct vtdpi_qi_desc *out,
                                              uint32_t domain,
                                              unsigned int drain)
{
    struct vtdpi_qi_desc d = {{VTDPI_QI_IOTLB, 0, 0, 0}};

    if (domain > VTDPI_DOMAIN_MAX)
        return VTDPI_ERANGE;
    if (drain > (VTDPI_QI_DRAIN_WRITES | VTDPI_QI_DRAIN_READS))
        return VTDPI_EINVAL;
    d.qw[0] |= VTDPI_FIELD_PUT(VTDPI_QI_DOMAIN, VTDPI_IOTLB_G);
    d.qw[0] |= VTDPI_FIELD_PUT(domain, VTDPI_IOTLB_DID);
    d.qw[0] |= (drain & VTDPI_QI_DRAIN_WRITES) != 0 ? VTDPI_IOTLB_DW : 0;
    d.qw[0] |= (drain & VTDPI_QI_DRAIN_READS) != 0 ? VTDPI_IOTLB_DR : 0;
    *out = d;
    return 0;
}

/**
 * @brief Encode: forget all cached translations.
 *
 * @param out    Receives the descriptor; untouched on error. Not NULL.
 * @param drain  As vtdpi_qi_encode_iotlb_domain().
 *
 * @retval 0             Encoded.
 * @retval VTDPI_EINVAL  @p drain has another flag.
 *
 * @anyctx @waitfree
 * @spec{VT-d, IOTLB Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_iotlb_global(struct vtdpi_qi_desc *out,
                                              unsigned int drain)
{
    struct vtdpi_qi_desc d;
    const int rc = vtdpi_qi_encode_iotlb_domain(&d, 0, drain);

    if (rc != 0)
        return rc;
    d.qw[0] &= ~VTDPI_IOTLB_G;
    d.qw[0] |= VTDPI_FIELD_PUT(VTDPI_QI_GLOBAL, VTDPI_IOTLB_G);
    *out = d;
    return 0;
}

/**
 * @brief Encode: forget the cached translations of pages of a domain.
 *
 * @param out      Receives the descriptor; untouched on error. Not NULL.
 * @param domain   Domain id; as vtdpi_qi_encode_context_domain().
 * @param address  DMA address of the first page; a multiple of the block's size.
 * @param order    The block has 2^order pages of 4 KiB. A unit takes no more
 *                 than its CAP.MAMV, and none without CAP.PSI, which the caller
 *                 checks.
 * @param flags    Of enum vtdpi_qi_iotlb_flags.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_EINVAL  @p flags has another flag.
 * @retval VTDPI_ERANGE  @p domain has more than 16 bits, or @p order is above
 *                       52.
 * @retval VTDPI_EALIGN  @p address is not a multiple of the block's size.
 *
 * @anyctx @waitfree
 * @spec{VT-d, IOTLB Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_iotlb_pages(struct vtdpi_qi_desc *out,
                                             uint32_t domain, uint64_t address,
                                             unsigned int order,
                                             unsigned int flags)
{
    struct vtdpi_qi_desc d;
    int rc = vtdpi_qi_check_pages(address, order);

    if (rc == 0)
        rc = vtdpi_qi_encode_iotlb_domain(
            &d, domain, flags & ~VTDPI_CAST_(unsigned int, VTDPI_QI_LEAF_ONLY));
    if (rc != 0)
        return rc;
    d.qw[0] |= VTDPI_FIELD_PUT(VTDPI_QI_SELECTIVE, VTDPI_IOTLB_G);
    d.qw[1] = address | VTDPI_FIELD_PUT(order, VTDPI_IOTLB_HI_AM);
    d.qw[1] |= (flags & VTDPI_QI_LEAF_ONLY) != 0 ? VTDPI_IOTLB_HI_IH : 0;
    *out = d;
    return 0;
}

/** @brief A device whose TLB is to forget something. */
struct vtdpi_qi_device {
    uint16_t sid; /**< Source id. */
    /** Source id of its physical function, which for a physical function is
     *  its own. 0 on a unit without ECAP.DIT, which reserves the field. */
    uint16_t pfsid;
    /** How many invalidations may wait for the device: its ATS capability's
     *  Invalidate Queue Depth, 0 to 31, in which 0 means 32; 32 is taken, too. */
    uint32_t max_pending;
};

/**
 * @brief Encode: make a device forget translations that it has cached.
 *
 * @param out      Receives the descriptor; untouched on error. Not NULL.
 * @param device   The device. Not NULL.
 * @param address  DMA address of the first page; a multiple of the block's size.
 * @param order    The block has 2^order pages of 4 KiB; 52 with address 0 is
 *                 everything.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_ERANGE  @p order is above 52, or max_pending above 32.
 * @retval VTDPI_EALIGN  @p address is not a multiple of the block's size.
 *
 * @anyctx @waitfree
 * @spec{VT-d, Device-TLB Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_dev_tlb(struct vtdpi_qi_desc *out,
                                         const struct vtdpi_qi_device *device,
                                         uint64_t address, unsigned int order)
{
    struct vtdpi_qi_desc d = {{VTDPI_QI_DEV_TLB, address, 0, 0}};
    const uint32_t pfsid = device->pfsid;
    const int rc = vtdpi_qi_check_pages(address, order);

    if (rc != 0 || device->max_pending > VTDPI_QI_PENDING_MAX)
        return rc != 0 ? rc : VTDPI_ERANGE;
    d.qw[0] |= VTDPI_FIELD_PUT(pfsid, VTDPI_DEV_TLB_PFSID_3_0);
    d.qw[0] |= VTDPI_FIELD_PUT(pfsid >> 4, VTDPI_DEV_TLB_PFSID_15_4);
    d.qw[0] |= VTDPI_FIELD_PUT(device->max_pending, VTDPI_DEV_TLB_MIP);
    d.qw[0] |= VTDPI_FIELD_PUT(device->sid, VTDPI_DEV_TLB_SID);
    if (order != 0) /* ATS: ones below the highest bit of the block */
        d.qw[1] |= VTDPI_DEV_TLB_HI_S | ((UINT64_C(2048) << order) - 4096);
    *out = d;
    return 0;
}

/**
 * @brief Encode: forget all cached PASID-table entries.
 *
 * This encoder and the next are for scalable mode, in which a queue has 256-bit
 * descriptors.
 *
 * @param out  Receives the descriptor. Not NULL.
 *
 * @anyctx @waitfree
 * @spec{VT-d, PASID-cache Invalidate Descriptor}
 */
VTDPI_INLINE void vtdpi_qi_encode_pasid_cache_global(struct vtdpi_qi_desc *out)
{
    const struct vtdpi_qi_desc d = {
        {VTDPI_QI_PASID_CACHE |
             VTDPI_FIELD_PUT(VTDPI_QI_PASID_CACHE_GLOBAL, VTDPI_PASID_CACHE_G),
         0, 0, 0}};

    *out = d;
}

/**
 * @brief Encode: forget the cached PASID-table entries of a domain.
 *
 * @param out     Receives the descriptor; untouched on error. Not NULL.
 * @param domain  Domain id; as vtdpi_qi_encode_context_domain().
 *
 * @retval 0             Encoded.
 * @retval VTDPI_ERANGE  @p domain has more than 16 bits.
 *
 * @anyctx @waitfree
 * @spec{VT-d, PASID-cache Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_pasid_cache_domain(struct vtdpi_qi_desc *out,
                                                    uint32_t domain)
{
    struct vtdpi_qi_desc d = {{VTDPI_QI_PASID_CACHE, 0, 0, 0}};

    if (domain > VTDPI_DOMAIN_MAX)
        return VTDPI_ERANGE;
    d.qw[0] |=
        VTDPI_FIELD_PUT(VTDPI_QI_PASID_CACHE_DOMAIN, VTDPI_PASID_CACHE_G);
    d.qw[0] |= VTDPI_FIELD_PUT(domain, VTDPI_PASID_CACHE_DID);
    *out = d;
    return 0;
}

/**
 * @brief Encode: forget the cached PASID-table entries of a PASID of a domain.
 *
 * @param out     Receives the descriptor; untouched on error. Not NULL.
 * @param domain  Domain id; as vtdpi_qi_encode_context_domain().
 * @param pasid   PASID.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_ERANGE  @p domain has more than 16 bits, or @p pasid more than
 *                       20.
 *
 * @anyctx @waitfree
 * @spec{VT-d, PASID-cache Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_pasid_cache(struct vtdpi_qi_desc *out,
                                             uint32_t domain, uint32_t pasid)
{
    struct vtdpi_qi_desc d = {{VTDPI_QI_PASID_CACHE, 0, 0, 0}};

    if (domain > VTDPI_DOMAIN_MAX || pasid > VTDPI_PASID_MAX)
        return VTDPI_ERANGE;
    d.qw[0] |=
        VTDPI_FIELD_PUT(VTDPI_QI_PASID_CACHE_SELECTIVE, VTDPI_PASID_CACHE_G);
    d.qw[0] |= VTDPI_FIELD_PUT(domain, VTDPI_PASID_CACHE_DID);
    d.qw[0] |= VTDPI_FIELD_PUT(pasid, VTDPI_PASID_CACHE_PASID);
    *out = d;
    return 0;
}

/**
 * @brief Encode: forget the cached translations of a PASID of a domain.
 *
 * @param out     Receives the descriptor; untouched on error. Not NULL.
 * @param domain  Domain id; as vtdpi_qi_encode_context_domain().
 * @param pasid   PASID.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_ERANGE  @p domain has more than 16 bits, or @p pasid more than
 *                       20.
 *
 * @anyctx @waitfree
 * @spec{VT-d, PASID-based-IOTLB Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_pasid_iotlb(struct vtdpi_qi_desc *out,
                                             uint32_t domain, uint32_t pasid)
{
    struct vtdpi_qi_desc d = {{VTDPI_QI_PASID_IOTLB, 0, 0, 0}};

    if (domain > VTDPI_DOMAIN_MAX || pasid > VTDPI_PASID_MAX)
        return VTDPI_ERANGE;
    d.qw[0] |= VTDPI_FIELD_PUT(VTDPI_QI_PASID_IOTLB_ALL, VTDPI_PASID_CACHE_G);
    d.qw[0] |= VTDPI_FIELD_PUT(domain, VTDPI_PASID_CACHE_DID);
    d.qw[0] |= VTDPI_FIELD_PUT(pasid, VTDPI_PASID_CACHE_PASID);
    *out = d;
    return 0;
}

/**
 * @brief Encode: forget the cached translations of pages of a PASID.
 *
 * @param out        Receives the descriptor; untouched on error. Not NULL.
 * @param domain     Domain id; as vtdpi_qi_encode_context_domain().
 * @param pasid      PASID.
 * @param address    Address of the first page; a multiple of the block's size.
 * @param order      The block has 2^order pages of 4 KiB; at most CAP.MAMV,
 *                   which the caller checks.
 * @param leaf_only  The invalidation hint, see VTDPI_QI_LEAF_ONLY.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_ERANGE  @p domain has more than 16 bits, @p pasid more than 20,
 *                       or @p order is above 52.
 * @retval VTDPI_EALIGN  @p address is not a multiple of the block's size.
 *
 * @anyctx @waitfree
 * @spec{VT-d, PASID-based-IOTLB Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int
vtdpi_qi_encode_pasid_iotlb_pages(struct vtdpi_qi_desc *out, uint32_t domain,
                                  uint32_t pasid, uint64_t address,
                                  unsigned int order, bool leaf_only)
{
    struct vtdpi_qi_desc d;
    int rc = vtdpi_qi_check_pages(address, order);

    if (rc == 0)
        rc = vtdpi_qi_encode_pasid_iotlb(&d, domain, pasid);
    if (rc != 0)
        return rc;
    d.qw[0] |= VTDPI_FIELD_PUT(VTDPI_QI_PASID_IOTLB_PAGES, VTDPI_PASID_CACHE_G);
    d.qw[1] = address | VTDPI_FIELD_PUT(order, VTDPI_IOTLB_HI_AM);
    d.qw[1] |= leaf_only ? VTDPI_IOTLB_HI_IH : 0;
    *out = d;
    return 0;
}

/**
 * @brief Encode: make a device forget translations of a PASID.
 *
 * @param out      Receives the descriptor; untouched on error. Not NULL.
 * @param device   The device. Not NULL.
 * @param pasid    PASID.
 * @param address  Address of the first page; a multiple of the block's size.
 * @param order    The block has 2^order pages of 4 KiB; 52 with address 0 is
 *                 everything.
 *
 * @retval 0             Encoded.
 * @retval VTDPI_ERANGE  @p pasid has more than 20 bits, @p order is above 52,
 *                       or max_pending above 32.
 * @retval VTDPI_EALIGN  @p address is not a multiple of the block's size.
 *
 * @anyctx @waitfree
 * @spec{VT-d, PASID-based-Device-TLB Invalidate Descriptor}
 */
VTDPI_MUST_CHECK
VTDPI_INLINE int vtdpi_qi_encode_pasid_dev_tlb(
    struct vtdpi_qi_desc *out, const struct vtdpi_qi_device *device,
    uint32_t pasid, uint64_t address, unsigned int order)
{
    struct vtdpi_qi_desc d = {{VTDPI_QI_PASID_DEV_TLB, address, 0, 0}};
    const uint32_t pfsid = device->pfsid;
    const int rc = vtdpi_qi_check_pages(address, order);

    if (pasid > VTDPI_PASID_MAX || device->max_pending > VTDPI_QI_PENDING_MAX)
        return VTDPI_ERANGE;
    if (rc != 0)
        return rc;
    d.qw[0] |= VTDPI_FIELD_PUT(device->max_pending, VTDPI_PASID_DEV_TLB_MIP);
    d.qw[0] |= VTDPI_FIELD_PUT(pfsid, VTDPI_PASID_DEV_TLB_PFSID_3_0);
    d.qw[0] |= VTDPI_FIELD_PUT(pfsid >> 4, VTDPI_PASID_DEV_TLB_PFSID_15_4);
    d.qw[0] |= VTDPI_FIELD_PUT(device->sid, VTDPI_PASID_DEV_TLB_SID);
    d.qw[0] |= VTDPI_FIELD_PUT(pasid, VTDPI_PASID_DEV_TLB_PASID);
    if (order != 0) /* ATS: ones below the highest bit of the block */
        d.qw[1] |=
            VTDPI_PASID_DEV_TLB_HI_S | ((UINT64_C(2048) << order) - 4096);
    *out = d;
    return 0;
}

/**
 * @brief Memory and size of a queue, given by the host.
 *
 * Ring and status words may be freed when all of this holds:
 *
 * - vtdpi_qi_abort() was called with GSTS.QIES = 0. A unit of unit.h is OFF or
 *   FORSAKEN then.
 * - Every call on the queue that began before that has returned.
 * - The queue was drained, or device_timeout_us has passed since vtdpi_qi_abort().
 *   The unit fetches nothing more, but a descriptor that it has fetched may wait for
 *   a device that long before the unit writes the status word.
 *
 * The queue was not drained if vtdpi_qi_close() has returned an error. The same is
 * true if vtdpi_unit_enable(), vtdpi_unit_disable(), vtdpi_unit_suspend() or
 * vtdpi_unit_resume() has returned an error since the unit was last ON.
 */
struct vtdpi_qi_params {
    /** The ring: 2^order pages, 4 KiB aligned, write-back, contents ignored. */
    void *ring;
    /** Physical address of @ref ring as the unit sees it. */
    uint64_t ring_phys;
    /** Size of the ring, 0 to 7: 2^order pages. */
    unsigned int order;
    /** Width of a descriptor. */
    enum vtdpi_qi_width width;
    /** Status words, vtdpi_qi_slots() of them, 4-byte aligned, write-back,
     *  zeroed. */
    uint32_t *status;
    /** Physical address of @ref status as the unit sees it. */
    uint64_t status_phys;
    /** How many submissions may be in flight at once: one per CPU and interrupt
     *  level that waits in place, plus the tickets kept for later. The ring
     *  must hold two slots for each, and one; then submissions of one
     *  descriptor never find it full. */
    uint32_t submitters;
    /** For how long at most a deadline stands still while another submitter's
     *  device-TLB invalidation is ahead in the queue; microseconds. 0:
     *  VTDPI_QI_DEVICE_TIMEOUT_US. */
    uint64_t device_timeout_us;
};

/**
 * @brief One submission in flight.
 *
 * The caller's memory. A ticket whose submission succeeded stays where it is
 * until it is resolved: until vtdpi_qi_poll() returns anything but VTDPI_EBUSY,
 * or vtdpi_qi_wait(), vtdpi_qi_wait_until_done() or vtdpi_qi_give_up() returns. All zeros is a ticket that
 * is resolved, with success.
 */
struct vtdpi_qi_ticket {
    /* private: */
    uint64_t word;  /* in flight: wait slot << 32 | sequence; resolved: code
                     * << 32 */
    uint32_t first; /* slot of the first descriptor */
    uint32_t count; /* descriptors before the wait */
    struct vtdpi_qi_ticket *next; /* younger */
    struct vtdpi_qi_ticket *prev; /* older */
};

/** @brief What the queue has been through. */
struct vtdpi_qi_stats {
    uint64_t submissions; /**< Accepted. */
    uint64_t iqe;         /**< Invalidation queue errors seen. */
    uint64_t ite;         /**< Invalidation time-outs seen. */
    uint64_t ice;         /**< Invalidation completion errors seen. */
    uint64_t resubmitted; /**< Submissions written again after a time-out. */
    uint64_t given_up;    /**< Deadlines that passed. */
};

/** @brief The last error that the queue recovered from. */
struct vtdpi_qi_error {
    uint32_t fsts;             /**< FSTS: which of IQE, ITE, ICE. 0: none. */
    uint32_t slot;             /**< Slot that the head was at. */
    uint64_t iqer;             /**< IQER: reason and source ids. */
    struct vtdpi_qi_desc desc; /**< What was in the slot. */
};

/**
 * @brief A queue. struct vtdpi_unit embeds one; it needs nothing of unit.h.
 */
struct vtdpi_qi {
    /* private: */
    /* Written by vtdpi_qi_init() only, so read without the lock. */
    const struct vtdpi_platform_ops *ops;
    void *ctx;
    uint64_t *ring;
    uint64_t ring_phys;
    const uint32_t *status;
    uint64_t status_phys;
    uint64_t device_timeout_us;
    uint32_t slots;
    uint32_t words; /* 64-bit words of a slot */
    uint32_t order;
    /* The rest is protected by the unit's lock. */
    uint32_t head; /* hardware's head is here or later */
    uint32_t tail; /* next slot to write */
    uint32_t sequence;
    bool live; /* from open to abort: registers may be looked at */
    bool open; /* submissions are accepted */
    struct vtdpi_qi_ticket *oldest;
    struct vtdpi_qi_ticket *youngest;
    struct vtdpi_qi_stats stats;
    struct vtdpi_qi_error error;
    uint32_t error_tail; /* tail when it was found */
    uint32_t stall_head; /* head when a wait was given up */
    uint64_t stall;      /* word of that wait; 0: the queue is not stalled */
    uint64_t stall_seen; /* when IQH was read for it last, microseconds */
};

/**
 * @brief Set up a queue over the host's memory; no register is touched.
 *
 * Once for each queue: a queue that was aborted is used again by
 * vtdpi_qi_program() and vtdpi_qi_open(), which keep its sequence numbers, its
 * counters and its last error. A queue is set up anew only when its memory may
 * be freed, see struct vtdpi_qi_params.
 *
 * @param qi      The queue. Not NULL.
 * @param ops     Callbacks: read32, write32, read64, write64, now_us, lock and
 *                unlock. Kept.
 * @param ctx     Their context: one unit. The lock is that of the unit.
 * @param params  Memory and size. Copied.
 *
 * @retval 0             Set up; next is vtdpi_qi_program().
 * @retval VTDPI_EINVAL  A pointer or callback is NULL, order is above 7, width
 *                       is neither value, or submitters is 0.
 * @retval VTDPI_EALIGN  The ring (4 KiB) or the status words (4 bytes) are not
 *                       aligned, virtually or physically.
 * @retval VTDPI_ERANGE  The ring, or the status words, would go on behind the
 *                       last physical address, 2^64 - 1.
 * @retval VTDPI_ENOSPC  The ring has fewer than 2 * submitters + 1 slots.
 *
 * @thread
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_qi_init(struct vtdpi_qi *qi, const struct vtdpi_platform_ops *ops,
              void *ctx, const struct vtdpi_qi_params *params);

/**
 * @brief Give the queue's address to the unit, which has its queue off.
 *
 * Clears what others left in the Fault Status Register: those of IQE, ITE, ICE,
 * PFO, AFO, APF and PRO that read as one. Sets the tail and the head to 0 and
 * programs IQA. unit.h calls this function. A host that issues GCMD.QIE by
 * itself calls it, too, in the order program, QIE on, open.
 *
 * @param qi  The queue.
 *
 * @pre GSTS.QIES is 0; no ticket is in flight.
 *
 * @thread @locks{unit}
 * @spec{VT-d, Invalidation Queue Address Register}
 */
VTDPI_API void vtdpi_qi_program(struct vtdpi_qi *qi);

/**
 * @brief Accept submissions.
 *
 * @param qi  The queue.
 *
 * @pre vtdpi_qi_program() and then GSTS.QIES = 1.
 *
 * @thread @locks{unit}
 */
VTDPI_API void vtdpi_qi_open(struct vtdpi_qi *qi);

/**
 * @brief Refuse submissions from now on, and wait until those in flight are
 *        done.
 *
 * @param qi          The queue.
 * @param timeout_us  Deadline; 0: VTDPI_QI_TIMEOUT_US.
 *
 * @retval 0                All descriptors have been executed.
 * @retval VTDPI_EQOFF      The queue was not open.
 * @retval VTDPI_EQFULL     Closed, but the ring is full; nothing was waited
 *                          for.
 * @retval VTDPI_EIO        Closed; the unit reads as all ones.
 * @retval VTDPI_ETIMEDOUT  Closed, but not all were executed in time.
 * @retval VTDPI_EIQE       Closed; the unit refused the wait descriptor that would
 *                          have told when all are executed.
 *
 * @thread @waits{timeout_us} @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_qi_close(struct vtdpi_qi *qi,
                                                         uint64_t timeout_us);

/**
 * @brief Refuse submissions, and resolve all tickets: those in flight with
 *        VTDPI_EQOFF.
 *
 * @param qi  The queue.
 *
 * @pre GSTS.QIES is 0, or the unit does not answer. A unit that answers again
 *      later may still execute what is in the ring, so the memory of the queue
 *      stays until vtdpi_qi_abort() was called with GSTS.QIES = 0.
 *
 * @thread @locks{unit}
 */
VTDPI_API void vtdpi_qi_abort(struct vtdpi_qi *qi);

/**
 * @brief Submit descriptors, and a wait descriptor behind them.
 *
 * Never waits: one lock hold and, unless the ring looks full, one register
 * write.
 *
 * @param qi      The queue.
 * @param descs   Descriptors, copied as they are. NULL only if @p count is 0.
 * @param count   How many; 0 waits for all that was submitted before.
 * @param ticket  Not in flight; contents ignored. Not NULL.
 *
 * @retval 0             Submitted. The ticket must be resolved.
 * @retval VTDPI_EINVAL  @p count and its wait cannot fit the ring even when
 *                       it is empty.
 * @retval VTDPI_ERANGE  A descriptor uses more than 128 bits on a queue of
 *                       128-bit descriptors.
 * @retval VTDPI_EQOFF   The queue is not open.
 * @retval VTDPI_EQFULL  Too few free slots at the moment.
 * @retval VTDPI_EIO     The ring looks full, and the unit reads as all ones.
 *
 * On error nothing was submitted and the ticket is resolved, with that code.
 *
 * @anyctx @locks{unit}
 * @spec{VT-d, Queued Invalidation Interface}
 */
VTDPI_API VTDPI_MUST_CHECK int
vtdpi_qi_submit(struct vtdpi_qi *qi, const struct vtdpi_qi_desc *descs,
                uint32_t count, struct vtdpi_qi_ticket *ticket);

/**
 * @brief Look once whether a submission is done, and repair the queue if it
 *        has stopped.
 *
 * @param qi      The queue.
 * @param ticket  Of a submission to this queue; or all zeros.
 *
 * @retval 0            Done: everything submitted with it has completed.
 * @retval VTDPI_EBUSY  In flight: not resolved.
 * @retval VTDPI_EIQE   One of its descriptors was refused by the unit. The
 *                      others were executed, or will be.
 * @retval VTDPI_EITE   A device did not answer one of its device-TLB
 *                      invalidations.
 * @retval VTDPI_EICE   A device gave an answer nobody waited for while its
 *                      device-TLB invalidations were in flight.
 * @retval VTDPI_EQOFF  The queue was switched off before it was done.
 * @retval VTDPI_EIO    The unit reads as all ones.
 * @retval other        The code that a call before has returned: a resolved
 *                      ticket keeps its code.
 *
 * @anyctx @locks{unit}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_qi_poll(struct vtdpi_qi *qi,
                                             struct vtdpi_qi_ticket *ticket);

/**
 * @brief Poll until a submission is resolved or its deadline has passed.
 *
 * While device-TLB invalidations of other submissions are ahead in the queue, the
 * deadline stands still, for device_timeout_us at most. The submission's own
 * device-TLB invalidations do not stop the deadline: choose one that leaves the
 * device time to answer.
 *
 * @param qi          The queue.
 * @param ticket      Of a submission to this queue; or all zeros.
 * @param timeout_us  Deadline from now on; 0: VTDPI_QI_TIMEOUT_US.
 *
 * @retval 0                Done.
 * @retval VTDPI_ETIMEDOUT  Given up, at once if the queue is stalled. Hardware
 *                          may still execute it at any later time; its slots
 *                          stay in use until then.
 * @retval VTDPI_EIQE       As vtdpi_qi_poll().
 * @retval VTDPI_EITE       As vtdpi_qi_poll().
 * @retval VTDPI_EICE       As vtdpi_qi_poll().
 * @retval VTDPI_EQOFF      As vtdpi_qi_poll().
 * @retval VTDPI_EIO        As vtdpi_qi_poll().
 *
 * @post The ticket is resolved.
 *
 * @anyctx @waits{timeout_us} @locks{unit}
 */
VTDPI_API VTDPI_MUST_CHECK int vtdpi_qi_wait(struct vtdpi_qi *qi,
                                             struct vtdpi_qi_ticket *ticket,
                                             uint64_t timeout_us);

/**
 * @brief Poll until a submission is resolved, and tell the host how long that
 *        takes.
 *
 * For hosts that must not free memory, or give a device away, before the unit has
 * forgotten it. There is no deadline: a queue that is stalled is polled like any
 * other, and a unit that never answers keeps the caller here until @p tell gives
 * the ticket up. Time passes for @p tell also while device-TLB invalidations of
 * others are ahead.
 *
 * After 0 all descriptors were executed. After any other code, VTDPI_EIO and
 * VTDPI_EQOFF included, the unit may have forgotten nothing: it may go on using what
 * it has cached, also when it answers again or its queue is on again. The host keeps
 * the memory, and submits again when the unit is back.
 *
 * @param qi         The queue.
 * @param ticket     Of a submission to this queue; or all zeros.
 * @param period_us  Period of @p tell; 0: VTDPI_QI_TIMEOUT_US.
 * @param tell       Called each time the period has passed once more, in the
 *                   caller's context, without a lock of the library. It may
 *                   sleep if the caller may, and may call vtdpi_qi_give_up(),
 *                   which ends the wait. Not NULL.
 * @param ctx        Passed to @p tell, with the microseconds waited so far.
 *
 * @retval 0                Done.
 * @retval VTDPI_ETIMEDOUT  @p tell has given it up.
 * @retval VTDPI_EIQE       As vtdpi_qi_poll().
 * @retval VTDPI_EITE       As vtdpi_qi_poll().
 * @retval VTDPI_EICE       As vtdpi_qi_poll().
 * @retval VTDPI_EQOFF      As vtdpi_qi_poll().
 * @retval VTDPI_EIO        As vtdpi_qi_poll().
 *
 * @post The ticket is resolved.
 *
 * @anyctx @waits{none} @locks{unit}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_qi_wait_until_done(
    struct vtdpi_qi *qi, struct vtdpi_qi_ticket *ticket, uint64_t period_us,
    void (*tell)(void *ctx, uint64_t waited_us), void *ctx);

/**
 * @brief Resolve a ticket now: with its result, or with VTDPI_ETIMEDOUT if that is
 *        not known.
 *
 * @param qi      The queue.
 * @param ticket  Of a submission to this queue; or all zeros.
 *
 * @return As vtdpi_qi_wait().
 *
 * @post The ticket is resolved.
 *
 * @anyctx @locks{unit}
 */
VTDPI_API int vtdpi_qi_give_up(struct vtdpi_qi *qi,
                               struct vtdpi_qi_ticket *ticket);

/**
 * @brief Look at the Fault Status Register and recover from queue errors.
 *
 * vtdpi_qi_poll() does it by itself; a host's fault interrupt handler may, too.
 * Other bits of the register are left alone.
 *
 * @param qi  The queue.
 *
 * @retval 0            No error was pending.
 * @retval VTDPI_EIQE   Recovered from (the gravest is returned).
 * @retval VTDPI_EITE   Recovered from.
 * @retval VTDPI_EICE   Recovered from.
 * @retval VTDPI_EQOFF  The queue is off; nothing was looked at.
 * @retval VTDPI_EIO    The unit reads as all ones.
 *
 * @anyctx @locks{unit}
 * @spec{VT-d, Fault Status Register}
 */
VTDPI_API VTDPI_COLD int vtdpi_qi_recover(struct vtdpi_qi *qi);

/**
 * @brief What the queue has been through, and its last error.
 *
 * @param qi     The queue.
 * @param stats  Receives the counters; may be NULL.
 * @param error  Receives the last error; may be NULL.
 *
 * @anyctx @locks{unit}
 */
VTDPI_API void vtdpi_qi_report(struct vtdpi_qi *qi,
                               struct vtdpi_qi_stats *stats,
                               struct vtdpi_qi_error *error);

VTDPI_END_DECLS

#endif
