/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_IPIV_H
#define VTDPI_IPIV_H

/**
 * @file
 * @brief The PID-pointer table of IPI virtualization.
 *
 * **Never run on hardware.** No emulator at hand has IPI virtualization. What is
 * here follows the SDM and Linux's use; docs/ipi-virtualization.md names both.
 *
 * A processor with IPI virtualization takes an IPI that a guest sends, reads the
 * entry of the addressed vCPU in the guest's PID-pointer table, and posts the
 * vector to the PID that the entry names: PIR, then ON and the notification, as a
 * unit does. There is no VM exit. If the entry is not valid, or the id lies behind
 * the last entry, there is an APIC-write VM exit, and the host delivers the IPI.
 * So an entry may be set and cleared at any time, and no IPI is lost by that.
 *
 * Each vCPU of a VM has the same three values in its VMCS:
 *
 * | VMCS field                 | encoding | value                          |
 * |----------------------------|----------|--------------------------------|
 * | PID-pointer table address  | 2042H    | vtdpi_ipiv_phys()              |
 * | last PID-pointer index     | 0008H    | vtdpi_ipiv_last()              |
 * | tertiary processor-based controls, bit 4 | 2034H | 1: "IPI virtualization" |
 *
 * **References.** An entry is a reference on its target, as a posted form is:
 * vtdpi_vcpu_detach() says VTDPI_EBUSY, and a host that asks vtdpi_vcpu_refs()
 * whether to block finds that something can post. The reference outlives the
 * entry. A processor may have read the entry, and post later; nothing drains that.
 * The posts of a vCPU are done when the vCPU is out of the guest. So an entry goes
 * in three steps:
 *
 * 1. vtdpi_ipiv_clear(): no entry of the guest reads the address from now on.
 * 2. The host waits until each vCPU of the VM has been out of the guest once: it
 *    is out now, or it was made to exit. A vCPU that is out counts at once.
 * 3. vtdpi_ipiv_settled(): the reference is given back, and the entry can be set.
 *
 * **Who calls.** Calls for one entry are serialised by the caller; calls for
 * different entries are not. Processors read the table at any time. Nothing here
 * takes a lock, allocates, sleeps or calls back.
 *
 * docs/architecture.md explains the words that have a meaning of their own.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/sched.h"
#include "vtdpi/status.h"

VTDPI_BEGIN_DECLS

/** Most entries: the last index has 16 bits in the VMCS. */
#define VTDPI_IPIV_COUNT_MAX 65536

/** The table is aligned to that, its physical address too. */
#define VTDPI_IPIV_ALIGN     4096

/** Bit 0 of an entry: bits 63:6 are those of a PID's address. An entry that is not
 *  valid is 0. */
#define VTDPI_IPIV_VALID     UINT64_C(1)

/** @brief A PID-pointer table; the host embeds it in its VM. */
struct vtdpi_ipiv {
    /* private: */
    uint64_t *entries;             /* what processors read */
    struct vtdpi_target **targets; /* whose reference an entry has; or NULL */
    uint64_t phys;
    uint32_t count;
    uint32_t width;
    enum vtdpi_apic_mode mode;
};

/** @brief What vtdpi_ipiv_init() needs. */
struct vtdpi_ipiv_params {
    /** The table: @p count entries of write-back memory, physically contiguous,
     *  aligned to VTDPI_IPIV_ALIGN. Of no one else: the guest cannot write it. */
    uint64_t *entries;
    uint64_t phys; /**< Its physical address. */
    /** Memory for @p count pointers. */
    struct vtdpi_target **targets;
    /** The highest x2APIC id that a vCPU of the guest may have, and 1; up to
     *  VTDPI_IPIV_COUNT_MAX. The table does not grow. */
    uint32_t count;
    /** The processors' physical-address width (MAXPHYADDR), 32 to 52. */
    uint32_t width;
    /** How the host's APICs are addressed: processors read NDST by that. */
    enum vtdpi_apic_mode mode;
};

/**
 * @brief Initialise a table: no entry is valid.
 *
 * Memory that @p params names may hold anything before. It is the table's until
 * vtdpi_ipiv_fini().
 *
 * @param t       The table. Not NULL.
 * @param params  See there; may be temporary, except for what it points to.
 *
 * @retval 0             Done.
 * @retval VTDPI_EINVAL  A pointer is NULL, or the count, the width or the mode is out
 *                       of range.
 * @retval VTDPI_EALIGN  The table, or its physical address, is not aligned to
 *                       VTDPI_IPIV_ALIGN.
 * @retval VTDPI_ERANGE  The table does not end below the physical-address width; a
 *                       VM entry with that address would fail.
 *
 * Nothing has changed after an error.
 *
 * @pre No VMCS that is in use names the table.
 *
 * @thread @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_ipiv_init(struct vtdpi_ipiv *t, const struct vtdpi_ipiv_params *params);

/**
 * @brief End a table: its memory may be freed.
 *
 * @param t  The table. Not NULL.
 *
 * @retval 0             Done; the table has no entries any more.
 * @retval VTDPI_EINVAL  @p t is NULL.
 * @retval VTDPI_EBUSY   An entry is set, or is cleared and not settled. Nothing has
 *                       changed.
 *
 * @pre No VMCS that is in use names the table.
 *
 * @thread @waitfree
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_ipiv_fini(struct vtdpi_ipiv *t);

/**
 * @brief For the VMCS field "PID-pointer table address".
 *
 * @param t  The table. Not NULL.
 *
 * @return Its physical address.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint64_t vtdpi_ipiv_phys(const struct vtdpi_ipiv *t)
{
    return t->phys;
}

/**
 * @brief For the VMCS field "last PID-pointer index".
 *
 * @param t  The table. Not NULL.
 *
 * @return The number of its last entry, and not how many it has.
 *
 * @anyctx @waitfree
 */
VTDPI_INLINE uint16_t vtdpi_ipiv_last(const struct vtdpi_ipiv *t)
{
    return VTDPI_CAST_(uint16_t, t->count - 1);
}

/**
 * @brief Set an entry: processors post the guest's IPIs for this id to the target.
 *
 * The vCPU may sleep without a vtdpi_vcpu_block(), because it had no references. Then
 * SN is set, and an IPI by the entry wakes nobody. So the host wakes such a vCPU once
 * after the call, and the vCPU blocks by vtdpi_vcpu_block() from then on.
 *
 * A processor that has looked already makes a VM exit for the IPI that it sends.
 *
 * @param t       The table. Not NULL.
 * @param id      The guest's x2APIC id of the vCPU. In a guest whose APICs are in
 *                xAPIC mode id 255 addresses all of them: such a guest has no vCPU
 *                there, and the entry stays not valid.
 * @param target  vtdpi_vcpu_target() of the vCPU. Not NULL.
 *
 * @retval 0              Set; the entry has a reference.
 * @retval VTDPI_EINVAL   A pointer is NULL.
 * @retval VTDPI_EINDEX   @p id is not below the table's count.
 * @retval VTDPI_EBUSY    The entry is set, to this target or to another.
 * @retval VTDPI_EDIRTY   The entry is cleared and not settled.
 * @retval VTDPI_ECLOSED  The target is not open: its vCPU is not attached, or its
 *                        detach has begun.
 * @retval VTDPI_EMODE    The target's NDST is written for the other APIC mode.
 * @retval VTDPI_ERANGE   The descriptor is not below the physical-address width;
 *                        processors would take the entry as not valid.
 *
 * Nothing has changed after an error.
 *
 * @thread @lockfree @order{release: the reference before the entry}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_ipiv_set(struct vtdpi_ipiv *t, uint32_t id, struct vtdpi_target *target);

/**
 * @brief Clear an entry: it is not valid from now on. Its reference stays.
 *
 * After the call the host looks which vCPUs of the VM are in the guest. A vCPU that
 * enters has a full barrier between the mark that the host looks at and the VM
 * entry.
 *
 * @param t   The table. Not NULL.
 * @param id  The guest's x2APIC id.
 *
 * @retval 0             Cleared; vtdpi_ipiv_settled() is due.
 * @retval VTDPI_EINVAL  @p t is NULL.
 * @retval VTDPI_EINDEX  @p id is not below the table's count.
 * @retval VTDPI_ENOENT  The entry is not set.
 * @retval VTDPI_EDIRTY  The entry is cleared already, and not settled.
 *
 * Nothing has changed after an error.
 *
 * @thread @waitfree @order{SC: the entry before the host's look at vCPUs}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int vtdpi_ipiv_clear(struct vtdpi_ipiv *t,
                                                           uint32_t id);

/**
 * @brief Give the reference of a cleared entry back.
 *
 * @param t   The table. Not NULL.
 * @param id  The guest's x2APIC id.
 *
 * @retval 0             Given back; the entry may be set again.
 * @retval VTDPI_EINVAL  @p t is NULL.
 * @retval VTDPI_EINDEX  @p id is not below the table's count.
 * @retval VTDPI_ENOENT  The entry is not set, nor is a reference left.
 * @retval VTDPI_EBUSY   The entry is set: vtdpi_ipiv_clear() first.
 *
 * Nothing has changed after an error.
 *
 * @pre Each vCPU whose VMCS names the table has been out of the guest once since
 *      vtdpi_ipiv_clear() has returned. The library cannot see that: a host that
 *      calls too early lets a processor post to a PID of somebody else.
 *
 * @thread @lockfree @order{SC: given back after the exits}
 */
VTDPI_API VTDPI_COLD VTDPI_MUST_CHECK int
vtdpi_ipiv_settled(struct vtdpi_ipiv *t, uint32_t id);

VTDPI_END_DECLS

#endif
