/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invalidation queue of each unit, over qi.h: what Xen's qinval.c did.
 *
 * Xen owns the register GCMD, so this file switches QIE itself, between
 * vtdpi_qi_program() and vtdpi_qi_open(). Everything else about the ring is the
 * library's. Xen's callers cannot go on with memory that a unit may still use.
 * So every wait here lasts until the unit has answered, as in Xen, and says so on
 * the console.
 */
#include "vtdpi_xen_unit.h"

#include "../ats.h"

/* The granularity in Xen's arguments, which are images of registers. */
enum {
    CONTEXT_SHIFT = 61, /* CCMD */
    IOTLB_SHIFT = 60,   /* IOTLB */
    FLUSH_GLOBAL = 1,
    FLUSH_DOMAIN = 2,
    FLUSH_SELECTIVE = 3,
};

static uint32_t cf_check queue_read32(void *ctx, uint32_t off)
{
    const struct vtdpi_xen_unit *unit = ctx;

    return dmar_readl(unit->iommu->reg, off);
}

static void cf_check queue_write32(void *ctx, uint32_t off, uint32_t value)
{
    const struct vtdpi_xen_unit *unit = ctx;

    dmar_writel(unit->iommu->reg, off, value);
}

static uint64_t cf_check queue_read64(void *ctx, uint32_t off)
{
    const struct vtdpi_xen_unit *unit = ctx;

    return dmar_readq(unit->iommu->reg, off);
}

static void cf_check queue_write64(void *ctx, uint32_t off, uint64_t value)
{
    const struct vtdpi_xen_unit *unit = ctx;

    dmar_writeq(unit->iommu->reg, off, value);
}

static uint64_t cf_check queue_now_us(void *ctx)
{
    return NOW() / MICROSECS(1);
}

static uintptr_t cf_check queue_lock(void *ctx)
{
    struct vtdpi_xen_unit *unit = ctx;
    unsigned long flags;

    spin_lock_irqsave(&unit->iommu->register_lock, flags);
    return flags;
}

static void cf_check queue_unlock(void *ctx, uintptr_t token)
{
    struct vtdpi_xen_unit *unit = ctx;

    spin_unlock_irqrestore(&unit->iommu->register_lock, token);
}

static void cf_check queue_relax(void *ctx)
{
    cpu_relax();
}

static void cf_check queue_log(void *ctx, enum vtdpi_log_level level,
                               const char *text)
{
    const struct vtdpi_xen_unit *unit = ctx;

    if (level == VTDPI_LOG_ERROR)
        printk(XENLOG_ERR VTDPREFIX " IOMMU#%u: %s\n", unit->iommu->index,
               text);
    else
        printk(XENLOG_WARNING VTDPREFIX " IOMMU#%u: %s\n", unit->iommu->index,
               text);
}

static const struct vtdpi_platform_ops queue_ops = {
    .read32 = queue_read32,
    .write32 = queue_write32,
    .read64 = queue_read64,
    .write64 = queue_write64,
    .now_us = queue_now_us,
    .lock = queue_lock,
    .unlock = queue_unlock,
    .relax = queue_relax,
    .log = queue_log,
};

static void cf_check queue_tell(void *ctx, uint64_t waited_us)
{
    const struct vtdpi_xen_unit *unit = ctx;

    printk(XENLOG_WARNING VTDPREFIX
           " IOMMU#%u: no answer to an invalidation for %lu ms\n",
           unit->iommu->index, waited_us / 1000);
}

/* Submit and wait. A full ring empties by itself: everybody who has something
 * in it polls, with no lock held. */
static int queue_submit(struct vtdpi_xen_unit *unit,
                        const struct vtdpi_qi_desc *descs, uint32_t count)
{
    struct vtdpi_qi_ticket ticket;
    int rc;

    do {
        rc = vtdpi_qi_submit(&unit->qi, descs, count, &ticket);
        if (rc != VTDPI_EQFULL)
            break;
        cpu_relax();
    } while (true);
    if (rc == 0)
        rc = vtdpi_qi_wait_until_done(&unit->qi, &ticket, 0, queue_tell, unit);
    return rc;
}

int vtdpi_xen_invalidate(struct vtdpi_xen_unit *unit,
                         const struct vtdpi_qi_desc *descs, uint32_t count)
{
    const int rc = queue_submit(unit, descs, count);

    if (rc == 0)
        return 0;
    printk(XENLOG_ERR VTDPREFIX " IOMMU#%u: invalidation failed: %s\n",
           unit->iommu->index, vtdpi_strerror(rc));
    return rc == VTDPI_EITE || rc == VTDPI_EICE ? -ETIMEDOUT : -EIO;
}

int iommu_flush_iec_global(struct vtd_iommu *iommu)
{
    struct vtdpi_qi_desc desc;

    vtdpi_qi_encode_iec_global(&desc);
    return vtdpi_xen_invalidate(iommu->vtdpi, &desc, 1);
}

static int cf_check queue_flush_context(struct vtd_iommu *iommu, uint16_t did,
                                        uint16_t sid, uint8_t function_mask,
                                        uint64_t type, bool non_present)
{
    struct vtdpi_qi_desc desc;
    int rc = 0;

    if (non_present) {
        /* Nothing of the kind is cached; 1 asks for the write buffer. */
        if (!cap_caching_mode(iommu->cap))
            return 1;
        did = 0; /* what entries that are not present are cached under */
    }
    switch (type >> CONTEXT_SHIFT) {
    case FLUSH_GLOBAL:
        vtdpi_qi_encode_context_global(&desc);
        break;
    case FLUSH_DOMAIN:
        rc = vtdpi_qi_encode_context_domain(&desc, did);
        break;
    case FLUSH_SELECTIVE:
        rc = vtdpi_qi_encode_context_device(&desc, did, sid, function_mask);
        break;
    default:
        rc = VTDPI_EINVAL;
        break;
    }
    if (rc != 0)
        return -EINVAL;
    return vtdpi_xen_invalidate(iommu->vtdpi, &desc, 1);
}

static int queue_encode_iotlb(const struct vtd_iommu *iommu, uint16_t did,
                              uint64_t addr, unsigned int order, uint64_t type,
                              struct vtdpi_qi_desc *desc)
{
    unsigned int drain = 0;

    if (cap_write_drain(iommu->cap))
        drain |= VTDPI_QI_DRAIN_WRITES;
    if (cap_read_drain(iommu->cap))
        drain |= VTDPI_QI_DRAIN_READS;
    switch (type >> IOTLB_SHIFT) {
    case FLUSH_GLOBAL:
        return vtdpi_qi_encode_iotlb_global(desc, drain);
    case FLUSH_DOMAIN:
        return vtdpi_qi_encode_iotlb_domain(desc, did, drain);
    case FLUSH_SELECTIVE:
        addr &= ~((UINT64_C(4096) << order) - 1);
        return vtdpi_qi_encode_iotlb_pages(desc, did, addr, order, drain);
    default:
        return VTDPI_EINVAL;
    }
}

static int cf_check queue_flush_iotlb(struct vtd_iommu *iommu, uint16_t did,
                                      uint64_t addr, unsigned int order,
                                      uint64_t type, bool non_present,
                                      bool dev_iotlb)
{
    struct vtdpi_qi_desc desc;
    int rc, dev_rc = 0;

    if (non_present && !cap_caching_mode(iommu->cap))
        return 1;
    if (queue_encode_iotlb(iommu, did, addr, order, type, &desc) != 0)
        return -EINVAL;
    rc = vtdpi_xen_invalidate(iommu->vtdpi, &desc, 1);
    if (dev_iotlb)
        dev_rc = dev_invalidate_iotlb(iommu, did, addr, order, type);
    return rc != 0 ? rc : dev_rc;
}

/* The device did not answer. Xen takes the device away from its domain. After that the
 * translations that the device has cached do not matter. */
static int queue_device_failed(struct vtd_iommu *iommu, struct pci_dev *pdev,
                               uint16_t did)
{
    struct domain *d;

    if (pdev->broken)
        return 0; /* known, and its domain need not be told again */
    d = rcu_lock_domain_by_id(did_to_domain_id(iommu, did));
    if (d != NULL) {
        iommu_dev_iotlb_flush_timeout(d, pdev);
        rcu_unlock_domain(d);
    }
    return -ETIMEDOUT;
}

int qinval_device_iotlb_sync(struct vtd_iommu *iommu, struct pci_dev *pdev,
                             uint16_t did, uint16_t size, uint64_t addr)
{
    const struct vtdpi_qi_device device = {
        .sid = pdev->sbdf.bdf,
        .max_pending = pdev->ats.queue_depth,
    };
    /* The ones below the first zero of a page number say how large it is. */
    const unsigned int order =
        size != 0 ? find_first_zero_bit(&(unsigned long){addr >> 12}, 64) + 1
                  : 0;
    struct vtdpi_qi_desc desc;
    int rc;

    addr &= ~((UINT64_C(4096) << order) - 1);
    if (vtdpi_qi_encode_dev_tlb(&desc, &device, addr, order) != 0)
        return -EINVAL;
    rc = vtdpi_xen_invalidate(iommu->vtdpi, &desc, 1);
    return rc == -ETIMEDOUT ? queue_device_failed(iommu, pdev, did) : rc;
}

/* In place of the queue, on units that have no registers for this. */
static int cf_check queue_no_context(struct vtd_iommu *iommu, uint16_t did,
                                     uint16_t sid, uint8_t function_mask,
                                     uint64_t type, bool non_present)
{
    WARN();
    return -EIO;
}

static int cf_check queue_no_iotlb(struct vtd_iommu *iommu, uint16_t did,
                                   uint64_t addr, unsigned int order,
                                   uint64_t type, bool non_present,
                                   bool dev_iotlb)
{
    WARN();
    return -EIO;
}

void vtdpi_xen_command(struct vtd_iommu *iommu, uint32_t bit, bool on)
{
    uint32_t sts = dmar_readl(iommu->reg, DMAR_GSTS_REG);
    const uint32_t keep = sts & ~((uint32_t)VTDPI_GCMD_ONE_SHOT | bit);

    ASSERT(spin_is_locked(&iommu->register_lock));
    dmar_writel(iommu->reg, DMAR_GCMD_REG, on ? keep | bit : keep);
    IOMMU_WAIT_OP(iommu, DMAR_GSTS_REG, dmar_readl, !(sts & bit) == !on, sts);
}

/* Two slots for each CPU that waits, and one, see struct vtdpi_qi_params. */
static unsigned int queue_order(void)
{
    const size_t slots = 2 * nr_cpu_ids + 1;

    return get_order_from_bytes(slots * sizeof(struct qinval_entry));
}

/* Memory for a unit and its queue, kept from then on. */
static struct vtdpi_xen_unit *queue_unit_alloc(struct vtd_iommu *iommu)
{
    struct vtdpi_xen_unit *unit = xzalloc(struct vtdpi_xen_unit);
    const unsigned int order = queue_order();
    const uint32_t slots = vtdpi_qi_slots(order, VTDPI_QI_128);
    const unsigned int status_order =
        get_order_from_bytes(slots * sizeof(uint32_t));
    struct vtdpi_qi_params params = {
        .ring = alloc_xenheap_pages(order, MEMF_node(iommu->node)),
        .order = order,
        .width = VTDPI_QI_128,
        .status = alloc_xenheap_pages(status_order, MEMF_node(iommu->node)),
        .submitters = nr_cpu_ids,
    };

    if (unit == NULL || params.ring == NULL || params.status == NULL)
        goto fail;
    unit->iommu = iommu;
    memset(params.status, 0, slots * sizeof(uint32_t));
    params.ring_phys = virt_to_maddr(params.ring);
    params.status_phys = virt_to_maddr(params.status);
    if (vtdpi_qi_init(&unit->qi, &queue_ops, unit, &params) != 0)
        goto fail;
    iommu->qinval_maddr = params.ring_phys;
    return unit;

fail:
    free_xenheap_pages(params.status, status_order);
    free_xenheap_pages(params.ring, order);
    xfree(unit);
    return NULL;
}

int enable_qinval(struct vtd_iommu *iommu)
{
    unsigned long flags;

    if (!ecap_queued_inval(iommu->ecap) || !iommu_qinval)
        return -ENOENT;
    if ((dmar_readl(iommu->reg, DMAR_GSTS_REG) & DMA_GSTS_QIES) &&
        iommu->vtdpi != NULL)
        return 0;
    if (iommu->vtdpi == NULL)
        iommu->vtdpi = queue_unit_alloc(iommu);
    if (iommu->vtdpi == NULL)
        return -ENOMEM;

    vtdpi_qi_program(&iommu->vtdpi->qi);
    spin_lock_irqsave(&iommu->register_lock, flags);
    vtdpi_xen_command(iommu, DMA_GCMD_QIE, true);
    spin_unlock_irqrestore(&iommu->register_lock, flags);
    vtdpi_qi_open(&iommu->vtdpi->qi);
    iommu->flush.context = queue_flush_context;
    iommu->flush.iotlb = queue_flush_iotlb;
    return 0;
}

void disable_qinval(struct vtd_iommu *iommu)
{
    struct vtdpi_xen_unit *unit = iommu->vtdpi;
    unsigned long flags;
    int rc;

    if (!ecap_queued_inval(iommu->ecap))
        return;
    /* Firmware may have left a queue of its own. */
    rc = unit != NULL ? vtdpi_qi_close(&unit->qi, 0) : 0;
    if (rc != 0 && rc != VTDPI_EQOFF)
        printk(XENLOG_WARNING VTDPREFIX " IOMMU#%u: queue not drained: %s\n",
               iommu->index, vtdpi_strerror(rc));
    spin_lock_irqsave(&iommu->register_lock, flags);
    if (dmar_readl(iommu->reg, DMAR_GSTS_REG) & DMA_GSTS_QIES)
        vtdpi_xen_command(iommu, DMA_GCMD_QIE, false);
    spin_unlock_irqrestore(&iommu->register_lock, flags);
    if (unit != NULL)
        vtdpi_qi_abort(&unit->qi);

    if (has_register_based_invalidation(iommu)) {
        iommu->flush.context = vtd_flush_context_reg;
        iommu->flush.iotlb = vtd_flush_iotlb_reg;
    } else {
        iommu->flush.context = queue_no_context;
        iommu->flush.iotlb = queue_no_iotlb;
    }
}
