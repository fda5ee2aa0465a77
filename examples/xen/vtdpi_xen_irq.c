/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts: pins of IOAPICs, messages of devices and of HPETs. What Xen's
 * intremap.c did, over irq.h and msi.h.
 *
 * Xen hands over what it would have programmed without remapping. That becomes the
 * host form of the interrupt, and the caller gets back what selects the entry. A
 * device's object is in its struct msi_desc; a pin's is here. The source to verify
 * is looked up once, when an index is allocated, so nothing is looked up at
 * teardown.
 *
 * One call of irq.h at a time for each unit: intremap.lock is held over all. So no
 * call finds an interrupt claimed, and the lock is inside of desc->lock.
 */
#include "vtdpi_xen_unit.h"

#include <xen/irq.h>

#include <vtdpi/msi.h>

#include <asm/apic.h>
#include <asm/io_apic.h>

/* Fields of an IOAPIC's redirection table entry that is not remapped. */
#define RTE_VECTOR   VTDPI_BITS64(7, 0)
#define RTE_DLM      VTDPI_BITS64(10, 8)
#define RTE_DM       VTDPI_BIT64(11)
#define RTE_STATUS   VTDPI_BIT64(12)
#define RTE_LOW      VTDPI_BIT64(13)
#define RTE_IRR      VTDPI_BIT64(14)
#define RTE_LEVEL    VTDPI_BIT64(15)
#define RTE_MASKED   VTDPI_BIT64(16)
#define RTE_DEST32   VTDPI_BITS64(63, 32)
#define RTE_DEST8    VTDPI_BITS64(63, 56)

/* What only the IOAPIC itself knows. */
#define RTE_LIVE     (RTE_STATUS | RTE_IRR)

/* Bit 48 of an entry in remappable format. */
#define RTE_REMAPPED VTDPI_BIT64(48)

/* A pin of an IOAPIC. */
struct irq_pin {
    struct vtdpi_irq irq;
    int index;    /* -1: none yet */
    uint64_t rte; /* as Xen wrote it last */
};

static struct irq_pin **irq_pins; /* of each IOAPIC */

int vtdpi_xen_pins_init(void)
{
    struct irq_pin **pins;

    if (irq_pins != NULL)
        return 0;
    pins = xzalloc_array(struct irq_pin *, nr_ioapics);
    if (pins == NULL)
        return -ENOMEM;
    for (unsigned int apic = 0; apic < nr_ioapics; apic++) {
        pins[apic] = xzalloc_array(struct irq_pin, nr_ioapic_entries[apic]);
        if (pins[apic] == NULL)
            goto fail;
        for (int pin = 0; pin < nr_ioapic_entries[apic]; pin++)
            pins[apic][pin].index = -1;
    }
    irq_pins = pins;
    return 0;

fail:
    for (unsigned int apic = 0; apic < nr_ioapics; apic++)
        xfree(pins[apic]);
    xfree(pins);
    return -ENOMEM;
}

static int irq_to_errno(int rc)
{
    return rc == 0 ? 0 : rc == VTDPI_ENOSPC ? -ENOSPC : -EINVAL;
}

/* The PCI function that an IOAPIC's requests come from. */
static int irq_ioapic_source(unsigned int apic, struct vtdpi_source *source)
{
    const unsigned int id = IO_APIC_ID(apic);
    const struct acpi_drhd_unit *drhd = ioapic_to_drhd(id);
    const struct acpi_ioapic_unit *ioapic;

    list_for_each_entry(ioapic, &drhd->ioapic_list,
                        list) if (ioapic->apic_id == id)
    {
        *source = vtdpi_source_exact(ioapic->ioapic.info, VTDPI_SQ_ALL);
        return 0;
    }
    printk(XENLOG_ERR VTDPREFIX " IOAPIC %#x has no source id\n", id);
    return -ENODEV;
}

/* Some firmware tells the wrong function of an HPET, so that is not verified. */
static int irq_hpet_source(unsigned int id, struct vtdpi_source *source)
{
    const struct acpi_drhd_unit *drhd = hpet_to_drhd(id);
    const struct acpi_hpet_unit *hpet;

    if (drhd != NULL)
        list_for_each_entry(hpet, &drhd->hpet_list, list) if (hpet->id == id)
        {
            *source = vtdpi_source_exact(hpet->bdf, VTDPI_SQ_IGNORE_2_0);
            return 0;
        }
    printk(XENLOG_ERR VTDPREFIX " HPET %u has no source id\n", id);
    return -ENODEV;
}

static enum vtdpi_sq irq_phantom_sq(const struct pci_dev *pdev)
{
    switch (pdev->phantom_stride) {
    case 1:
        return VTDPI_SQ_IGNORE_2_0;
    case 2:
        return VTDPI_SQ_IGNORE_2_1;
    case 4:
        return VTDPI_SQ_IGNORE_2;
    default:
        return VTDPI_SQ_ALL;
    }
}

/* Conventional PCI: the bridge nearest to the root that replaces source ids. */
static int irq_bridged_source(const struct pci_dev *pdev,
                              struct vtdpi_source *source)
{
    uint8_t bus = pdev->bus, devfn = pdev->devfn, secondary;

    switch (find_upstream_bridge(pdev->seg, &bus, &devfn, &secondary)) {
    case 0: /* in the root complex */
        *source = vtdpi_source_exact(pdev->sbdf.bdf, VTDPI_SQ_ALL);
        return 0;
    case 1:
        if (pdev_type(pdev->seg, bus, devfn) == DEV_TYPE_PCIe2PCI_BRIDGE)
            *source = vtdpi_source_bus_range(bus, pdev->bus);
        else
            *source = vtdpi_source_exact(PCI_BDF(bus, devfn), VTDPI_SQ_ALL);
        return 0;
    default:
        printk(XENLOG_ERR VTDPREFIX " no bridge above %pp\n", &pdev->sbdf);
        return -ENODEV;
    }
}

static int irq_device_source(const struct pci_dev *pdev,
                             struct vtdpi_source *source)
{
    switch (pdev->type) {
    case DEV_TYPE_PCIe_ENDPOINT:
    case DEV_TYPE_PCIe_BRIDGE:
    case DEV_TYPE_PCIe2PCI_BRIDGE:
    case DEV_TYPE_PCI_HOST_BRIDGE:
        *source = vtdpi_source_exact(pdev->sbdf.bdf, irq_phantom_sq(pdev));
        return 0;
    case DEV_TYPE_PCI:
    case DEV_TYPE_LEGACY_PCI_BRIDGE:
    case DEV_TYPE_PCI2PCIe_BRIDGE:
        return irq_bridged_source(pdev, source);
    default:
        printk(XENLOG_ERR VTDPREFIX " %pp is of an unknown type\n",
               &pdev->sbdf);
        return -ENODEV;
    }
}

/* The host form of a pin; VTDPI_EIRTE_VECTOR for one that has no vector yet. */
static int irq_pin_form(const struct vtdpi_backend *backend, uint64_t rte,
                        struct vtdpi_irte_remapped *form)
{
    const enum vtdpi_dlm dlm = VTDPI_FIELD_GET(rte, RTE_DLM);
    const struct vtdpi_irte_remapped f = {
        .present = true,
        .dm = (rte & RTE_DM) != 0,
        .rh = dlm == VTDPI_DLM_LOWEST,
        .tm = (rte & RTE_LEVEL) != 0,
        .vector = VTDPI_FIELD_GET(rte, RTE_VECTOR),
        .dlm = dlm,
        .mode = backend->mode,
        .dst = backend->mode == VTDPI_X2APIC ? VTDPI_FIELD_GET(rte, RTE_DEST32)
                                             : VTDPI_FIELD_GET(rte, RTE_DEST8),
    };

    if (f.vector < 16 && (dlm == VTDPI_DLM_FIXED || dlm == VTDPI_DLM_LOWEST))
        return VTDPI_EIRTE_VECTOR;
    *form = f;
    return 0;
}

/* Allocate an index for a pin that has none. */
static int irq_pin_index(struct vtdpi_xen_unit *unit, unsigned int apic,
                         struct irq_pin *p)
{
    struct vtdpi_source source;
    int rc, index;

    if (p->index >= 0)
        return 0;
    rc = irq_ioapic_source(apic, &source);
    if (rc != 0)
        return rc;
    index = vtdpi_xen_index_alloc(unit, 1);
    if (index < 0)
        return index;
    rc = vtdpi_irq_init(&p->irq, &unit->backend, index, &source, NULL);
    if (rc != 0) {
        vtdpi_xen_index_free(unit, index, 1);
        return irq_to_errno(rc);
    }
    p->index = index;
    return 0;
}

/* Set what the pin's entry says; under intremap.lock. */
static int irq_pin_set(struct vtdpi_xen_unit *unit, unsigned int apic,
                       struct irq_pin *p, uint64_t rte)
{
    struct vtdpi_irte_remapped form;
    int rc = irq_pin_index(unit, apic, p);

    if (rc != 0)
        return rc;
    rc = irq_pin_form(&unit->backend, rte, &form);
    if (rc == 0)
        rc = vtdpi_irq_set_host(&p->irq, &form);
    else if (rte & RTE_MASKED)
        rc = vtdpi_irq_set_host(&p->irq, NULL);
    if (rc == 0)
        p->rte = rte;
    return irq_to_errno(rc);
}

/* The entry is right before the pin is unmasked: it is written first. */
void cf_check io_apic_write_remap_rte(unsigned int apic, unsigned int pin,
                                      uint64_t rte)
{
    struct vtd_iommu *iommu = ioapic_to_iommu(IO_APIC_ID(apic));
    struct irq_pin *p = &irq_pins[apic][pin];
    struct IO_APIC_route_entry raw;
    unsigned long flags;
    int rc;

    spin_lock_irqsave(&iommu->intremap.lock, flags);
    rc = irq_pin_set(iommu->vtdpi, apic, p, rte);
    spin_unlock_irqrestore(&iommu->intremap.lock, flags);
    if (rc == 0) {
        const struct vtdpi_msi_rte fields = {
            .index = p->index,
            .vector = VTDPI_FIELD_GET(rte, RTE_VECTOR), /* for directed EOI */
            .active_low = (rte & RTE_LOW) != 0,
            .level = (rte & RTE_LEVEL) != 0,
            .masked = (rte & RTE_MASKED) != 0,
        };
        uint64_t remapped;

        rc = irq_to_errno(vtdpi_msi_rte_encode(&fields, &remapped));
        raw.raw = remapped;
    }
    if (rc == 0)
        __ioapic_write_entry(apic, pin, true, raw);
    else
        printk(XENLOG_ERR VTDPREFIX
               " IOAPIC %#x pin %u stays as it was, error %d\n",
               IO_APIC_ID(apic), pin, rc);
}

/* Half of an entry, as Xen wrote it and with what the IOAPIC itself knows. */
unsigned int cf_check io_apic_read_remap_rte(unsigned int apic,
                                             unsigned int reg)
{
    const unsigned int pin = (reg - 0x10) / 2;
    struct vtd_iommu *iommu = ioapic_to_iommu(IO_APIC_ID(apic));
    const struct irq_pin *p;
    unsigned long flags;
    uint64_t raw, rte;

    if (irq_pins == NULL || irq_pins[apic][pin].index < 0)
        return __io_apic_read(apic, reg);
    p = &irq_pins[apic][pin];
    raw = __ioapic_read_entry(apic, pin, true).raw;
    if (!(raw & RTE_REMAPPED))
        return reg & 1 ? raw >> 32 : raw;
    spin_lock_irqsave(&iommu->intremap.lock, flags);
    rte = p->rte;
    spin_unlock_irqrestore(&iommu->intremap.lock, flags);
    rte = (rte & ~(uint64_t)(RTE_LIVE | RTE_MASKED)) |
          (raw & (RTE_LIVE | RTE_MASKED));
    return reg & 1 ? rte >> 32 : rte;
}

/* How many entries the object that heads them stands for. */
static unsigned int irq_msi_count(const struct msi_desc *desc)
{
    return desc->msi_attrib.type == PCI_CAP_ID_MSI ? desc->msi.nvec : 1;
}

/* Give all messages of a capability a run of indexes; under intremap.lock. */
static int irq_msi_init(struct vtdpi_xen_unit *unit, struct msi_desc *desc)
{
    const unsigned int count = irq_msi_count(desc);
    struct vtdpi_source source;
    int index, rc;

    rc = desc->dev != NULL ? irq_device_source(desc->dev, &source)
                           : irq_hpet_source(desc->hpet_id, &source);
    if (rc != 0)
        return rc;
    index = vtdpi_xen_index_alloc(unit, count);
    if (index < 0)
        return index;
    for (unsigned int i = 0; i < count; i++) {
        memset(&desc[i].vtdpi, 0, sizeof(desc[i].vtdpi));
        rc = vtdpi_irq_init(&desc[i].vtdpi, &unit->backend, index + i, &source,
                            NULL);
        if (rc != 0) {
            vtdpi_xen_index_free(unit, index, count);
            return irq_to_errno(rc);
        }
    }
    for (unsigned int i = 0; i < count; i++)
        desc[i].remap_index = index + i;
    return 0;
}

/* The host form of a message; 1 if there is none, since no CPU was left. */
static int irq_msi_form(const struct vtdpi_backend *backend,
                        const struct msi_msg *msg,
                        struct vtdpi_irte_remapped *form)
{
    const struct vtdpi_msi msi = {
        .address_lo = msg->address_lo,
        .address_hi = msg->address_hi,
        .data = msg->data,
    };
    int rc;

    if (msg->address_lo == 0)
        return 1;
    /* The address has no room for 32 bits of it; dest32 has them. */
    rc = vtdpi_compat_msi_to_remapped(&msi, VTDPI_COMPAT_DEST_8, backend->mode,
                                      form);
    if (rc == 0 && backend->mode == VTDPI_X2APIC)
        form->dst = msg->dest32;
    return irq_to_errno(rc);
}

/* What the device has to send: message nr of a run. */
static int irq_msi_compose(const struct msi_desc *desc, struct msi_msg *msg)
{
    const unsigned int nr =
        desc->msi_attrib.type == PCI_CAP_ID_MSI ? desc->msi_attrib.entry_nr : 0;
    const unsigned int count = irq_msi_count(desc - nr);
    const uint32_t run = count <= 1 ? 1 : 1u << fls(count - 1);
    struct vtdpi_msi msi;
    const int rc = vtdpi_msi_encode_block(desc->remap_index - nr, run, &msi);

    if (rc != 0)
        return irq_to_errno(rc);
    msg->address_lo = msi.address_lo;
    msg->address_hi = msi.address_hi;
    msg->data = msi.data + nr;
    return 0;
}

/* Under intremap.lock. */
static int irq_msi_set(struct vtdpi_xen_unit *unit, struct msi_desc *desc,
                       struct msi_msg *msg)
{
    struct vtdpi_irte_remapped form;
    int rc = desc->remap_index < 0 ? irq_msi_init(unit, desc) : 0;

    if (rc != 0)
        return rc;
    rc = irq_msi_form(&unit->backend, msg, &form);
    if (rc < 0)
        return rc;
    rc = vtdpi_irq_set_host(&desc->vtdpi, rc == 0 ? &form : NULL);
    if (rc != 0)
        return irq_to_errno(rc);
    return irq_msi_compose(desc, msg);
}

/* All messages of a capability in one batch: one flush. Under intremap.lock. */
static void irq_msi_teardown(struct vtdpi_xen_unit *unit, struct msi_desc *desc)
{
    const unsigned int count = irq_msi_count(desc);
    struct vtdpi_flush_range range;
    struct vtdpi_irq_batch batch;
    int rc;

    if (desc->remap_index < 0 || count == 0)
        return;
    rc = vtdpi_irq_batch_begin(&batch, &unit->backend, &range, 1);
    for (unsigned int i = 0; i < count && rc == 0; i++)
        rc = vtdpi_irq_batch_teardown(&batch, &desc[i].vtdpi);
    rc = vtdpi_irq_batch_commit(&batch) ?: rc;
    if (rc != 0) {
        /* The backend refuses no teardown; if it did, nobody gets the run. */
        printk(XENLOG_ERR VTDPREFIX " entries %d to %d are lost: %s\n",
               desc->remap_index, desc->remap_index + (int)count - 1,
               vtdpi_strerror(rc));
        return;
    }
    vtdpi_xen_index_free(unit, desc->remap_index, count);
    for (unsigned int i = 0; i < count; i++)
        desc[i].remap_index = -1;
}

int cf_check msi_msg_write_remap_rte(struct msi_desc *desc, struct msi_msg *msg)
{
    struct acpi_drhd_unit *drhd = desc->dev != NULL
                                      ? acpi_find_matched_drhd_unit(desc->dev)
                                      : hpet_to_drhd(desc->hpet_id);
    struct vtdpi_xen_unit *unit;
    unsigned long flags;
    int rc = 0;

    if (drhd == NULL)
        return -EINVAL;
    unit = drhd->iommu->vtdpi;
    spin_lock_irqsave(&drhd->iommu->intremap.lock, flags);
    if (msg == NULL)
        irq_msi_teardown(unit, desc);
    else
        rc = irq_msi_set(unit, desc, msg);
    spin_unlock_irqrestore(&drhd->iommu->intremap.lock, flags);
    return rc;
}

int __init cf_check intel_setup_hpet_msi(struct msi_desc *desc)
{
    struct vtd_iommu *iommu = hpet_to_iommu(desc->hpet_id);
    unsigned long flags;
    int rc;

    if (iommu->intremap.maddr == 0)
        return 0;
    spin_lock_irqsave(&iommu->intremap.lock, flags);
    desc->remap_index = -1;
    rc = irq_msi_init(iommu->vtdpi, desc);
    spin_unlock_irqrestore(&iommu->intremap.lock, flags);
    return rc;
}

/* Post a message to a vCPU, or no longer if that is NULL: then the host form
 * delivers, which Xen's affinity code has kept up to date. */
int pi_update_irte(struct vtdpi_vcpu *vcpu, const struct pirq *pirq,
                   const uint8_t gvec)
{
    struct irq_desc *desc = pirq_spin_lock_irq_desc(pirq, NULL);
    struct acpi_drhd_unit *drhd;
    struct msi_desc *msi;
    int rc = VTDPI_EINVAL;

    if (desc == NULL)
        return -EINVAL;
    msi = desc->msi_desc;
    drhd = msi != NULL && msi->dev != NULL && msi->remap_index >= 0
               ? acpi_find_matched_drhd_unit(msi->dev)
               : NULL;
    if (drhd != NULL) {
        spin_lock(&drhd->iommu->intremap.lock);
        rc = vcpu != NULL ? vtdpi_irq_post(&msi->vtdpi, vcpu, gvec)
                          : vtdpi_irq_unpost(&msi->vtdpi);
        spin_unlock(&drhd->iommu->intremap.lock);
    }
    spin_unlock_irq(&desc->lock);
    return irq_to_errno(rc);
}
