/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_DMAR_H
#define VTDPI_DMAR_H

/**
 * @file
 * @brief What the port asks of FreeBSD's DMAR driver, which owns the
 *        interrupt-remapping tables and the invalidation queues.
 *
 * The driver is part of the kernel, the port of vmm.ko. So the kernel holds
 * one pointer, vtdpi_dmar_ops, in a file that is always compiled (msi.c), and
 * the driver points it to its operations once remapping is on. HOOKS.md says
 * what each of them is made of.
 *
 * An index belongs to the driver, as it does today. While a message of a
 * passed-through device uses it, the port changes its entry: it adopts the
 * index after bus_setup_intr() and lets go of it before the kernel can free
 * it. What the kernel wants to write until then (a new CPU or vector for the
 * host interrupt) it offers to the port first: see vtdpi_dmar_rebind_t.
 */

#include <sys/param.h>

/** @brief A remapping unit, as the verdict needs it. */
struct vtdpi_dmar_unit_info {
    uint64_t cap;    /**< Capability Register. */
    uint64_t ecap;   /**< Extended Capability Register. */
    uint32_t ver;    /**< Version Register. */
    u_int irte_cnt;  /**< Entries in its table. */
    u_int haw;       /**< Host address width in bits, from the DMAR table. */
    bool ir_enabled; /**< The driver has switched remapping on. */
    bool eime;       /**< Destinations are x2APIC ids (IRTA.EIME). */
};

/** @brief The table entry of a host interrupt. */
struct vtdpi_dmar_entry {
    u_int unit;  /**< Number of the unit, below unit_count(). */
    u_int index; /**< Index in its table: msi.c calls it the cookie. */
};

/**
 * @brief The kernel wants entry @p index to be @p lo, @p hi: a host form.
 *
 * @return True if the port has taken it over: it keeps the form, and writes it
 *         now or when posting ends. False: not an index of the port's, the
 *         driver goes on as before.
 *
 * Called for every remapped interrupt of the host, of any unit, in thread
 * context with the unit's lock held, from there until the
 * driver has written the entry itself if it has to. So no entry is adopted
 * between the question and the write. Before it returns true, it may drop the
 * lock, sleep, and take the lock again: no other mutex is held.
 */
typedef bool vtdpi_dmar_rebind_t(u_int unit, u_int index, uint64_t lo,
                                 uint64_t hi);

/** @brief The driver's operations. Thread context; none of them may fail
 *         where it is not said. */
struct vtdpi_dmar_ops {
    /** One more than the highest number of a unit. The numbers below it have
     *  holes: a unit that did not attach leaves one. */
    u_int (*unit_count)(void);

    /** Describe unit @p unit. ENXIO: no unit of that number is there. */
    int (*unit_info)(u_int unit, struct vtdpi_dmar_unit_info *info);

    /** Find the entry of host interrupt @p irq (rman_get_start() of the
     *  resource). ENOENT: no message-signalled one. EOPNOTSUPP: not remapped. */
    int (*lookup)(u_int irq, struct vtdpi_dmar_entry *entry);

    /** With the lock held: address of an entry in the live table, 16-byte
     *  aligned. */
    void *(*irte)(u_int unit, u_int index);

    /** DMAR_LOCK of the unit, a default mutex. Serialises all changes of its
     *  entries, the port's and the kernel's. */
    void (*lock)(u_int unit);

    /** DMAR_UNLOCK. */
    void (*unlock)(u_int unit);

    /** With the lock held: invalidate entries @p first to @p first + @p count
     *  - 1 in the interrupt entry cache and wait. 0, or an errno. */
    int (*invalidate)(u_int unit, u_int first, u_int count);

    /** With the lock held: read one register of the unit, which pushes what
     *  it has posted before into memory. */
    void (*drain)(u_int unit);

    /** Set or clear (NULL) the port's function. On return no call of the
     *  former one is under way. No lock held. */
    void (*set_rebind)(vtdpi_dmar_rebind_t *rebind);
};

/** The driver's operations; NULL: the kernel has none, or remapping is off. */
extern const struct vtdpi_dmar_ops *vtdpi_dmar_ops;

#endif
