/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of interrupt requests: messages and IOAPIC entries, in both formats. */
#include "vtdpi/format.h"

#include "format_sink.h"

/* An IOAPIC entry in compatibility format: regs.h has only what remapping
 * needs. */
#define COMPAT_RTE_DLM  VTDPI_BITS64(10, 8)
#define COMPAT_RTE_DM   VTDPI_BIT64(11)
#define COMPAT_RTE_DEST VTDPI_BITS64(63, 56)

static VTDPI_COLD void remappable_put(struct vtdpi_sink_ *s,
                                      const struct vtdpi_msi *msi)
{
    const uint64_t address = msi->address_lo;
    const bool shv = (address & VTDPI_MSI_ADDR_SHV) != 0;
    const uint64_t handle =
        VTDPI_FIELD_GET(address, VTDPI_MSI_ADDR_HANDLE_14_0) |
        VTDPI_FIELD_GET(address, VTDPI_MSI_ADDR_HANDLE_15) << 15;
    const uint64_t subhandle = msi->data & VTDPI_MSI_DATA_SUBHANDLE;

    vtdpi_sink_bit_(s, "SHV", shv);
    vtdpi_sink_number_(s, "handle", handle);
    vtdpi_sink_number_(s, "subhandle", subhandle);
    vtdpi_sink_number_(s, "index", handle + (shv ? subhandle : 0));
}

static VTDPI_COLD void compat_put(struct vtdpi_sink_ *s,
                                  const struct vtdpi_msi *msi,
                                  enum vtdpi_compat_dest form)
{
    static const struct vtdpi_sink_field_ address_fields[] = {
        {VTDPI_COMPAT_ADDR_RH, "RH"},
        {VTDPI_COMPAT_ADDR_DM, "DM"},
    };
    static const struct vtdpi_sink_field_ data_fields[] = {
        {VTDPI_COMPAT_DATA_TRIGGER, "TM"},
        {VTDPI_COMPAT_DATA_LEVEL, "level"},
        {VTDPI_COMPAT_DATA_DLM, "DLM"},
        {VTDPI_COMPAT_DATA_VECTOR, "V"},
    };
    uint64_t dest = VTDPI_FIELD_GET(msi->address_lo, VTDPI_COMPAT_ADDR_DEST);

    if (form == VTDPI_COMPAT_DEST_15)
        dest |= VTDPI_FIELD_GET(msi->address_lo, VTDPI_COMPAT_ADDR_EXT_DEST)
                << 8;
    else if (form == VTDPI_COMPAT_DEST_32)
        dest |= msi->address_hi & VTDPI_COMPAT_HI_DEST;
    vtdpi_sink_number_(s, "DST", dest);
    vtdpi_sink_fields_(s, msi->address_lo, address_fields,
                       VTDPI_SINK_COUNT_(address_fields));
    vtdpi_sink_fields_(s, msi->data, data_fields,
                       VTDPI_SINK_COUNT_(data_fields));
}

VTDPI_COLD size_t vtdpi_format_msi(char *buf, size_t size,
                                   const struct vtdpi_msi *msi,
                                   enum vtdpi_compat_dest form)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);
    struct vtdpi_msi_request request;
    struct vtdpi_compat_msi compat;
    int rc;

    if ((msi->address_lo & VTDPI_MSI_ADDR_FORMAT) != 0) {
        vtdpi_sink_word_(&s, "format", "remappable");
        remappable_put(&s, msi);
        rc = vtdpi_msi_decode(msi, &request);
    } else {
        vtdpi_sink_word_(&s, "format", "compatibility");
        compat_put(&s, msi, form);
        rc = vtdpi_compat_msi_decode(msi, form, &compat);
    }
    vtdpi_sink_number_(&s, "address",
                       (uint64_t)msi->address_hi << 32 | msi->address_lo);
    vtdpi_sink_number_(&s, "data", msi->data);
    vtdpi_sink_error_(&s, rc);
    return vtdpi_sink_end_(&s);
}

/* What both formats have at the same place. */
static const struct vtdpi_sink_field_ rte_fields[] = {
    {VTDPI_RTE_VECTOR, "V"},     {VTDPI_RTE_DELIVERY_STATUS, "DS"},
    {VTDPI_RTE_POLARITY, "POL"}, {VTDPI_RTE_REMOTE_IRR, "RIRR"},
    {VTDPI_RTE_TRIGGER, "TM"},   {VTDPI_RTE_MASK, "MASK"},
};

VTDPI_COLD size_t vtdpi_format_rte(char *buf, size_t size, uint64_t rte)
{
    static const struct vtdpi_sink_field_ compat_fields[] = {
        {COMPAT_RTE_DEST, "DST"},
        {COMPAT_RTE_DM, "DM"},
        {COMPAT_RTE_DLM, "DLM"},
    };
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);
    const bool remappable = (rte & VTDPI_RTE_FORMAT) != 0;

    if (remappable) {
        vtdpi_sink_word_(&s, "format", "remappable");
        vtdpi_sink_number_(&s, "index",
                           VTDPI_FIELD_GET(rte, VTDPI_RTE_INDEX_14_0) |
                               VTDPI_FIELD_GET(rte, VTDPI_RTE_INDEX_15) << 15);
    } else {
        vtdpi_sink_word_(&s, "format", "compatibility");
        vtdpi_sink_fields_(&s, rte, compat_fields,
                           VTDPI_SINK_COUNT_(compat_fields));
    }
    vtdpi_sink_fields_(&s, rte, rte_fields, VTDPI_SINK_COUNT_(rte_fields));
    vtdpi_sink_number_(&s, "rte", rte);
    if (remappable)
        (void)vtdpi_sink_reserved_(&s, rte & VTDPI_RTE_RESERVED);
    return vtdpi_sink_end_(&s);
}
