/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_XEN_UNIT_H
#define VTDPI_XEN_UNIT_H

/*
 * What the port keeps for one remapping unit, and what its files share. Read
 * vtdpi_xen_queue.c, vtdpi_xen_table.c and vtdpi_xen_irq.c in that order.
 *
 * Locks, outermost first: desc->lock of an interrupt; intremap.lock of the unit,
 * over every call of irq.h; register_lock, which is the lock that qi.h asks for.
 * All are taken with interrupts off.
 */
#include <xen/sched.h>

#include <xen/iommu.h>
#include <xen/pci.h>

#include <vtdpi/backend.h>
#include <vtdpi/index.h>
#include <vtdpi/irq.h>
#include <vtdpi/qi.h>

#include "../vtd/iommu.h"

#include "../vtd/dmar.h"
#include "../vtd/extern.h"
#include "../vtd/vtd.h"

/* One unit; struct vtd_iommu points to it once its queue is set up. */
struct vtdpi_xen_unit {
    struct vtd_iommu *iommu;
    struct vtdpi_qi qi;
    struct vtdpi_index index;
    struct vtdpi_backend backend;
    bool remapping; /* entries may be cached: IRE is set, or about to be */
};

/* Switch a bit of GCMD that stays, and wait for its status. With register_lock
 * held. */
void vtdpi_xen_command(struct vtd_iommu *iommu, uint32_t bit, bool on);

/* Submit descriptors and wait, however long that takes; 0 or an errno of Xen. */
int vtdpi_xen_invalidate(struct vtdpi_xen_unit *unit,
                         const struct vtdpi_qi_desc *descs, uint32_t count);

/* Allocate a run of indexes, or free one; count is rounded up to a power of 2. */
int vtdpi_xen_index_alloc(struct vtdpi_xen_unit *unit, unsigned int count);
void vtdpi_xen_index_free(struct vtdpi_xen_unit *unit, int first,
                          unsigned int count);

/* Room for the pins of all IOAPICs; 0 or an errno of Xen. */
int vtdpi_xen_pins_init(void);

#endif
