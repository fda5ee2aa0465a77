/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt requests, encoded and decoded. Pure: words in, words out. Fields are
 * in regs.h; what a message of a guest means is decided in route.c.
 */
#include "vtdpi/msi.h"

#include "internal.h"
#include "vtdpi/index.h"

static bool is_interrupt_address(uint32_t address_lo)
{
    return (address_lo & VTDPI_MSI_ADDR_BASE_MASK) == VTDPI_MSI_ADDR_BASE;
}

int vtdpi_msi_encode(uint32_t index, struct vtdpi_msi *out)
{
    return vtdpi_msi_encode_block(index, 1, out);
}

int vtdpi_msi_encode_block(uint32_t base, uint32_t count, struct vtdpi_msi *out)
{
    if (out == NULL || count > VTDPI_MSI_BLOCK_MAX ||
        !vtdpi_is_power_of_2_(count))
        return VTDPI_EINVAL;
    if (base >= VTDPI_INDEX_COUNT_MAX)
        return VTDPI_EINDEX;
    /* Also keeps base + count - 1 from passing the last index. */
    if (base % count != 0)
        return VTDPI_EALIGN;
    out->address_lo =
        (uint32_t)(VTDPI_MSI_ADDR_BASE | VTDPI_MSI_ADDR_FORMAT |
                   VTDPI_MSI_ADDR_SHV |
                   VTDPI_FIELD_PUT(base, VTDPI_MSI_ADDR_HANDLE_14_0) |
                   VTDPI_FIELD_PUT(base >> 15, VTDPI_MSI_ADDR_HANDLE_15));
    out->address_hi = 0;
    out->data = 0;
    return 0;
}

VTDPI_COLD int vtdpi_msi_decode(const struct vtdpi_msi *msi,
                                struct vtdpi_msi_request *out)
{
    uint32_t handle;
    uint32_t subhandle;
    bool shv;

    if (msi == NULL || out == NULL)
        return VTDPI_EINVAL;
    if (!is_interrupt_address(msi->address_lo) || msi->address_hi != 0)
        return VTDPI_EMSI_ADDRESS;
    if ((msi->address_lo & VTDPI_MSI_ADDR_FORMAT) == 0)
        return VTDPI_EMSI_FORMAT;
    if ((msi->data & VTDPI_MSI_DATA_RESERVED) != 0)
        return VTDPI_EMSI_RESERVED;

    handle =
        (uint32_t)(VTDPI_FIELD_GET(msi->address_lo,
                                   VTDPI_MSI_ADDR_HANDLE_14_0) |
                   VTDPI_FIELD_GET(msi->address_lo, VTDPI_MSI_ADDR_HANDLE_15)
                       << 15);
    shv = (msi->address_lo & VTDPI_MSI_ADDR_SHV) != 0;
    subhandle =
        shv ? (uint32_t)VTDPI_FIELD_GET(msi->data, VTDPI_MSI_DATA_SUBHANDLE)
            : 0;
    if (handle + subhandle >= VTDPI_INDEX_COUNT_MAX)
        return VTDPI_EINDEX;
    out->index = handle + subhandle;
    out->handle = (uint16_t)handle;
    out->subhandle = (uint16_t)subhandle;
    out->shv = shv;
    return 0;
}

int vtdpi_msi_rte_encode(const struct vtdpi_msi_rte *fields, uint64_t *out)
{
    if (fields == NULL || out == NULL)
        return VTDPI_EINVAL;
    if (fields->index >= VTDPI_INDEX_COUNT_MAX)
        return VTDPI_EINDEX;
    *out = VTDPI_RTE_FORMAT |
           VTDPI_FIELD_PUT(fields->index, VTDPI_RTE_INDEX_14_0) |
           VTDPI_FIELD_PUT(fields->index >> 15, VTDPI_RTE_INDEX_15) |
           VTDPI_FIELD_PUT(fields->vector, VTDPI_RTE_VECTOR) |
           (fields->active_low ? VTDPI_RTE_POLARITY : 0) |
           (fields->level ? VTDPI_RTE_TRIGGER : 0) |
           (fields->masked ? VTDPI_RTE_MASK : 0);
    return 0;
}

VTDPI_COLD int vtdpi_msi_rte_decode(uint64_t rte, struct vtdpi_msi_rte *out)
{
    if (out == NULL)
        return VTDPI_EINVAL;
    if ((rte & VTDPI_RTE_FORMAT) == 0)
        return VTDPI_EMSI_FORMAT;
    if ((rte & VTDPI_RTE_RESERVED) != 0)
        return VTDPI_ERTE_RESERVED;
    out->index = (uint32_t)(VTDPI_FIELD_GET(rte, VTDPI_RTE_INDEX_14_0) |
                            VTDPI_FIELD_GET(rte, VTDPI_RTE_INDEX_15) << 15);
    out->vector = (uint8_t)VTDPI_FIELD_GET(rte, VTDPI_RTE_VECTOR);
    out->active_low = (rte & VTDPI_RTE_POLARITY) != 0;
    out->level = (rte & VTDPI_RTE_TRIGGER) != 0;
    out->masked = (rte & VTDPI_RTE_MASK) != 0;
    out->delivery_status = (rte & VTDPI_RTE_DELIVERY_STATUS) != 0;
    out->remote_irr = (rte & VTDPI_RTE_REMOTE_IRR) != 0;
    return 0;
}

/* The address bits that other forms use for the destination have to be zero in
 * this form. */
static VTDPI_COLD int check_compat_dest(const struct vtdpi_msi *msi,
                                        enum vtdpi_compat_dest form)
{
    uint32_t hi_used = 0;

    if (form == VTDPI_COMPAT_DEST_32)
        hi_used = (uint32_t)VTDPI_COMPAT_HI_DEST;
    if ((msi->address_hi & ~hi_used) != 0)
        return VTDPI_EMSI_ADDRESS;
    if ((msi->address_lo & VTDPI_MSI_ADDR_FORMAT) != 0)
        return VTDPI_EMSI_FORMAT;
    if (form != VTDPI_COMPAT_DEST_15 &&
        (msi->address_lo & VTDPI_COMPAT_ADDR_EXT_DEST) != 0)
        return VTDPI_EMSI_RESERVED;
    return 0;
}

VTDPI_COLD int vtdpi_compat_msi_decode(const struct vtdpi_msi *msi,
                                       enum vtdpi_compat_dest form,
                                       struct vtdpi_compat_msi *out)
{
    uint64_t dest;
    int rc;

    if (msi == NULL || out == NULL || (unsigned int)form > VTDPI_COMPAT_DEST_32)
        return VTDPI_EINVAL;
    if (!is_interrupt_address(msi->address_lo))
        return VTDPI_EMSI_ADDRESS;
    rc = check_compat_dest(msi, form);
    if (rc != 0)
        return rc;
    if ((msi->data & VTDPI_COMPAT_DATA_RESERVED) != 0)
        return VTDPI_EMSI_RESERVED;

    /* The parts that this form does not use were found to be zero. */
    dest = VTDPI_FIELD_GET(msi->address_lo, VTDPI_COMPAT_ADDR_DEST) |
           VTDPI_FIELD_GET(msi->address_lo, VTDPI_COMPAT_ADDR_EXT_DEST) << 8 |
           VTDPI_FIELD_GET(msi->address_hi, VTDPI_COMPAT_HI_DEST) << 8;
    out->dest = (uint32_t)dest;
    out->vector = (uint8_t)VTDPI_FIELD_GET(msi->data, VTDPI_COMPAT_DATA_VECTOR);
    out->dlm =
        (enum vtdpi_dlm)VTDPI_FIELD_GET(msi->data, VTDPI_COMPAT_DATA_DLM);
    out->rh = (msi->address_lo & VTDPI_COMPAT_ADDR_RH) != 0;
    out->dm = (msi->address_lo & VTDPI_COMPAT_ADDR_DM) != 0;
    out->level = (msi->data & VTDPI_COMPAT_DATA_TRIGGER) != 0;
    out->assert_level = (msi->data & VTDPI_COMPAT_DATA_LEVEL) != 0;
    return 0;
}

VTDPI_COLD int vtdpi_compat_msi_to_remapped(const struct vtdpi_msi *msi,
                                            enum vtdpi_compat_dest form,
                                            enum vtdpi_apic_mode mode,
                                            struct vtdpi_irte_remapped *out)
{
    struct vtdpi_compat_msi parts;
    const int rc =
        out == NULL ? VTDPI_EINVAL : vtdpi_compat_msi_decode(msi, form, &parts);

    if (rc != 0)
        return rc;
    *out = (struct vtdpi_irte_remapped){
        .present = true,
        .dm = parts.dm,
        .rh = parts.rh,
        .tm = parts.level,
        .vector = parts.vector,
        .dlm = parts.dlm,
        .mode = mode,
        .dst = parts.dest,
    };
    return 0;
}
