/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt-remapping table of each unit: its backend for irq.h, its indexes,
 * and switching interrupt remapping on and off.
 *
 * Xen maps a table page by page, and its queue is on before the table is. So
 * neither table.h nor unit.h fit; the backend is this file's own.
 */
#include "vtdpi_xen_unit.h"

#include <asm/apic.h>
#include <asm/io_apic.h>

/* More descriptors than this for one commit become one global invalidation. */
#define TABLE_DESCS_MAX    8

#define TABLE_PAGE_ENTRIES (PAGE_SIZE / sizeof(struct vtdpi_irte))

static struct vtdpi_irte *table_map(const struct vtd_iommu *iommu,
                                    uint32_t index)
{
    struct vtdpi_irte *page = map_vtd_domain_page(
        iommu->intremap.maddr + index / TABLE_PAGE_ENTRIES * PAGE_SIZE);

    return page + index % TABLE_PAGE_ENTRIES;
}

static bool table_is_present(const struct vtdpi_irte *irte)
{
    return (irte->lo & VTDPI_IRTE_LO_P) != 0;
}

static int cf_check table_replace(void *ctx, struct vtdpi_flush *flush,
                                  uint32_t index, const struct vtdpi_irte *old,
                                  const struct vtdpi_irte *replacement)
{
    const struct vtdpi_xen_unit *unit = ctx;
    struct vtd_iommu *iommu = unit->iommu;
    struct vtdpi_irte *entry = table_map(iommu, index);
    struct vtdpi_irte found;
    int rc;

    ASSERT(spin_is_locked(&iommu->intremap.lock));
    vtdpi_irte_read(entry, &found);
    rc = vtdpi_irte_replace(entry, old != NULL ? old : &found, replacement);
    if (rc == 0) {
        /* Ordered before the write of IQT, or of IRE, by the unit's lock. */
        iommu_sync_cache(entry, sizeof(*entry));
        /* What the console prints beside the table. */
        iommu->intremap.num += table_is_present(replacement);
        iommu->intremap.num -= table_is_present(&found);
        if (!table_is_present(&found) && cap_caching_mode(iommu->cap))
            vtdpi_flush_add(flush, index, 1);
    }
    unmap_vtd_domain_page(entry);
    return rc;
}

static int cf_check table_invalidate(void *ctx, struct vtdpi_flush *flush,
                                     uint32_t first, uint32_t count)
{
    vtdpi_flush_add(flush, first, count);
    return 0;
}

/* The descriptors of a flush; returns how many. */
static uint32_t table_encode(const struct vtdpi_xen_unit *unit,
                             const struct vtdpi_flush *flush,
                             struct vtdpi_qi_desc descs[TABLE_DESCS_MAX])
{
    const unsigned int order_max =
        VTDPI_FIELD_GET(unit->iommu->ecap, VTDPI_ECAP_MHMV);
    uint32_t used = 0;

    for (uint32_t i = 0; i < flush->used && !flush->global; i++) {
        uint32_t at = flush->ranges[i].first;
        uint32_t left = flush->ranges[i].count;

        while (left != 0) {
            unsigned int order = at != 0 ? ffs(at) - 1u : order_max;

            order = min(order, order_max);
            order = min(order, flsl(left) - 1u);
            if (used == TABLE_DESCS_MAX ||
                vtdpi_qi_encode_iec(&descs[used], at, order) != 0) {
                vtdpi_qi_encode_iec_global(&descs[0]);
                return 1;
            }
            used++;
            at += 1u << order;
            left -= 1u << order;
        }
    }
    if (flush->global) {
        vtdpi_qi_encode_iec_global(&descs[0]);
        return 1;
    }
    return used;
}

/*
 * Xen's callers can do nothing about a flush that failed, and some free what the
 * old entry names. So this repeats the flush, globally, until it succeeds; a unit
 * that is gone for good holds its CPU here, as it does in Xen.
 */
static int cf_check table_commit(void *ctx, struct vtdpi_flush *flush)
{
    struct vtdpi_xen_unit *unit = ctx;
    struct vtdpi_qi_desc descs[TABLE_DESCS_MAX];
    uint32_t count;

    /* Nothing is cached with remapping off; on comes with a global flush. */
    if (!unit->remapping)
        return 0;
    count = table_encode(unit, flush, descs);
    while (count != 0 && vtdpi_xen_invalidate(unit, descs, count) != 0) {
        vtdpi_qi_encode_iec_global(&descs[0]);
        count = 1;
    }
    if (flush->drain)
        (void)dmar_readq(unit->iommu->reg, DMAR_CAP_REG);
    return 0;
}

static const struct vtdpi_backend_ops table_ops = {
    .replace = table_replace,
    .invalidate = table_invalidate,
    .commit = table_commit,
};

/* Smallest power of two from count on. */
static uint32_t table_run(unsigned int count)
{
    return count <= 1 ? 1 : 1u << fls(count - 1);
}

int vtdpi_xen_index_alloc(struct vtdpi_xen_unit *unit, unsigned int count)
{
    uint32_t first;
    const int rc = vtdpi_index_alloc(&unit->index, table_run(count), &first);

    if (rc == 0)
        return first;
    printk(XENLOG_ERR VTDPREFIX " IOMMU#%u: no %u interrupt entries: %s\n",
           unit->iommu->index, count, vtdpi_strerror(rc));
    return rc == VTDPI_ENOSPC ? -ENOSPC : -EINVAL;
}

void vtdpi_xen_index_free(struct vtdpi_xen_unit *unit, int first,
                          unsigned int count)
{
    if (vtdpi_index_free(&unit->index, first, table_run(count)) != 0)
        ASSERT_UNREACHABLE();
}

/* The table and its indexes, kept from the first time on. */
static int table_init(struct vtdpi_xen_unit *unit)
{
    struct vtd_iommu *iommu = unit->iommu;
    const size_t size = vtdpi_index_storage_size(IREMAP_ENTRY_NR);
    uint64_t *storage;

    if (iommu->intremap.maddr != 0)
        return 0;
    storage = _xmalloc(size, sizeof(*storage));
    if (storage == NULL)
        return -ENOMEM;
    iommu->intremap.maddr =
        alloc_pgtable_maddr(IREMAP_ARCH_PAGE_NR, iommu->node);
    if (iommu->intremap.maddr == 0 ||
        vtdpi_index_init(&unit->index, storage, IREMAP_ENTRY_NR) != 0) {
        xfree(storage);
        return -ENOMEM;
    }
    iommu->intremap.num = 0;
    unit->backend.ops = &table_ops;
    unit->backend.ctx = unit;
    unit->backend.haw = paddr_bits;
    unit->backend.no_posting = !cap_intr_post(iommu->cap);
    return 0;
}

/* Latch the table. Entries that are changed from here on are flushed. */
static void table_latch(struct vtdpi_xen_unit *unit, bool eim)
{
    struct vtd_iommu *iommu = unit->iommu;
    unsigned long flags;

    unit->backend.mode = eim ? VTDPI_X2APIC : VTDPI_XAPIC;
    unit->remapping = true;
    spin_lock_irqsave(&iommu->register_lock, flags);
    dmar_writeq(iommu->reg, DMAR_IRTA_REG,
                iommu->intremap.maddr | IRTA_REG_TABLE_SIZE |
                    (eim ? IRTA_EIME : 0));
    vtdpi_xen_command(iommu, DMA_GCMD_SIRTP, true);
    spin_unlock_irqrestore(&iommu->register_lock, flags);
}

int enable_intremap(struct vtd_iommu *iommu, int eim)
{
    const uint32_t sts = dmar_readl(iommu->reg, DMAR_GSTS_REG);
    unsigned long flags;
    int rc;

    ASSERT(ecap_intr_remap(iommu->ecap) && iommu_intremap);
    if (!platform_supports_intremap()) {
        printk(XENLOG_ERR VTDPREFIX
               " the firmware asks not to remap interrupts\n");
        return -EINVAL;
    }
    if ((sts & DMA_GSTS_IRES) && iommu->vtdpi != NULL &&
        iommu->intremap.maddr != 0)
        return 0;
    if (!(sts & DMA_GSTS_QIES) || iommu->vtdpi == NULL) {
        printk(XENLOG_ERR VTDPREFIX
               " IOMMU#%u: no interrupt remapping without a queue\n",
               iommu->index);
        return -EINVAL;
    }
    if (!eim && (sts & DMA_GSTS_CFIS))
        printk(XENLOG_WARNING VTDPREFIX
               " IOMMU#%u: the firmware lets interrupts pass that are not"
               " remapped: pass-through is not secure\n",
               iommu->index);

    rc = table_init(iommu->vtdpi) ?: vtdpi_xen_pins_init();
    if (rc != 0)
        return rc;
    table_latch(iommu->vtdpi, eim);
    /* Units keep what they have cached of another table. */
    rc = iommu_flush_iec_global(iommu);
    if (rc != 0)
        return rc;
    spin_lock_irqsave(&iommu->register_lock, flags);
    vtdpi_xen_command(iommu, DMA_GCMD_IRE, true);
    spin_unlock_irqrestore(&iommu->register_lock, flags);
    return 0;
}

void disable_intremap(struct vtd_iommu *iommu)
{
    unsigned long flags;
    uint64_t irta;

    if (!ecap_intr_remap(iommu->ecap))
        return;
    spin_lock_irqsave(&iommu->register_lock, flags);
    if (!(dmar_readl(iommu->reg, DMAR_GSTS_REG) & DMA_GSTS_IRES)) {
        spin_unlock_irqrestore(&iommu->register_lock, flags);
        return;
    }
    vtdpi_xen_command(iommu, DMA_GCMD_IRE, false);
    /* EIME outlives IRE, and a kernel in xAPIC mode may be next. */
    if (ecap_eim(iommu->ecap)) {
        irta = dmar_readq(iommu->reg, DMAR_IRTA_REG);
        if (irta & IRTA_EIME)
            dmar_writeq(iommu->reg, DMAR_IRTA_REG, irta & ~IRTA_EIME);
    }
    if (iommu->vtdpi != NULL)
        iommu->vtdpi->remapping = false;
    spin_unlock_irqrestore(&iommu->register_lock, flags);
}

bool __init cf_check intel_iommu_supports_eim(void)
{
    struct acpi_drhd_unit *drhd;

    if (!iommu_qinval || !iommu_intremap || list_empty(&acpi_drhd_units))
        return false;
    for (unsigned int apic = 0; apic < nr_ioapics; apic++)
        if (ioapic_to_drhd(IO_APIC_ID(apic)) == NULL) {
            printk(XENLOG_WARNING VTDPREFIX " no unit has IOAPIC %#x\n",
                   IO_APIC_ID(apic));
            return false;
        }
    for_each_drhd_unit(drhd) if (!ecap_queued_inval(drhd->iommu->ecap) ||
                                 !ecap_intr_remap(drhd->iommu->ecap) ||
                                 !ecap_eim(drhd->iommu->ecap)) return false;
    return true;
}

/* Called before the CPUs switch to x2APIC mode, at boot and on resume. */
int cf_check intel_iommu_enable_eim(void)
{
    struct acpi_drhd_unit *drhd;

    if (system_state < SYS_STATE_active && !platform_supports_x2apic())
        return -ENXIO;
    for_each_drhd_unit(drhd)
    {
        clear_fault_bits(drhd->iommu);
        disable_intremap(drhd->iommu); /* what the firmware left on */
        disable_qinval(drhd->iommu);
    }
    for_each_drhd_unit(drhd) if (enable_qinval(drhd->iommu) != 0) return -EIO;
    for_each_drhd_unit(drhd) if (enable_intremap(drhd->iommu, 1) !=
                                 0) return -EIO;
    return 0;
}

void cf_check intel_iommu_disable_eim(void)
{
    struct acpi_drhd_unit *drhd;

    for_each_drhd_unit(drhd) disable_intremap(drhd->iommu);
    for_each_drhd_unit(drhd) disable_qinval(drhd->iommu);
}
