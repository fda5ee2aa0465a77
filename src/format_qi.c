/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of an invalidation descriptor: a table of each type's fields. */
#include "vtdpi/format.h"

#include "format_sink.h"

enum {
    FIELDS_MAX = 7,
};

/* Fields with a mask of 0 are not there. */
struct desc_kind {
    uint64_t reserved[2]; /* bits that have to be zero */
    struct vtdpi_sink_field_ fields[2][FIELDS_MAX];
    char name[24];
};

static const struct desc_kind desc_kinds[] = {
    [VTDPI_QI_CONTEXT] =
        {
            .name = "context-cache",
            .reserved = {VTDPI_CONTEXT_RESERVED, UINT64_MAX},
            .fields = {{{VTDPI_CONTEXT_G, "G"},
                        {VTDPI_CONTEXT_DID, "DID"},
                        {VTDPI_CONTEXT_SID, "SID"},
                        {VTDPI_CONTEXT_FM, "FM"}}},
        },
    [VTDPI_QI_IOTLB] =
        {
            .name = "IOTLB",
            .reserved = {VTDPI_IOTLB_RESERVED, VTDPI_IOTLB_HI_RESERVED},
            .fields = {{{VTDPI_IOTLB_G, "G"},
                        {VTDPI_IOTLB_DW, "DW"},
                        {VTDPI_IOTLB_DR, "DR"},
                        {VTDPI_IOTLB_DID, "DID"}},
                       {{VTDPI_IOTLB_HI_AM, "AM"},
                        {VTDPI_IOTLB_HI_IH, "IH"},
                        {VTDPI_IOTLB_HI_ADDR, "ADDR[63:12]"}}},
        },
    [VTDPI_QI_DEV_TLB] =
        {
            .name = "device-TLB",
            .reserved = {VTDPI_DEV_TLB_RESERVED, VTDPI_DEV_TLB_HI_RESERVED},
            .fields = {{{VTDPI_DEV_TLB_PFSID_3_0, "PFSID[3:0]"},
                        {VTDPI_DEV_TLB_MIP, "MIP"},
                        {VTDPI_DEV_TLB_SID, "SID"},
                        {VTDPI_DEV_TLB_PFSID_15_4, "PFSID[15:4]"}},
                       {{VTDPI_DEV_TLB_HI_S, "S"},
                        {VTDPI_DEV_TLB_HI_ADDR, "ADDR[63:12]"}}},
        },
    [VTDPI_QI_IEC] =
        {
            .name = "IEC",
            .reserved = {VTDPI_IEC_RESERVED, UINT64_MAX},
            .fields = {{{VTDPI_IEC_G, "G"},
                        {VTDPI_IEC_IM, "IM"},
                        {VTDPI_IEC_IIDX, "IIDX"}}},
        },
    [VTDPI_QI_WAIT] =
        {
            .name = "wait",
            .reserved = {VTDPI_WAIT_RESERVED, VTDPI_BITS64(1, 0)},
            .fields = {{{VTDPI_WAIT_IF, "IF"},
                        {VTDPI_WAIT_SW, "SW"},
                        {VTDPI_WAIT_FN, "FN"},
                        {VTDPI_WAIT_PD, "PD"},
                        {VTDPI_WAIT_DATA, "DATA"}},
                       {{VTDPI_BITS64(63, 2), "ADDR[63:2]"}}},
        },
    [VTDPI_QI_PASID_IOTLB] =
        {
            .name = "PASID-IOTLB",
            .reserved = {VTDPI_PASID_CACHE_RESERVED, VTDPI_IOTLB_HI_RESERVED},
            .fields = {{{VTDPI_PASID_CACHE_G, "G"},
                        {VTDPI_PASID_CACHE_DID, "DID"},
                        {VTDPI_PASID_CACHE_PASID, "PASID"}},
                       {{VTDPI_IOTLB_HI_AM, "AM"},
                        {VTDPI_IOTLB_HI_IH, "IH"},
                        {VTDPI_IOTLB_HI_ADDR, "ADDR[63:12]"}}},
        },
    [VTDPI_QI_PASID_CACHE] =
        {
            .name = "PASID-cache",
            .reserved = {VTDPI_PASID_CACHE_RESERVED, UINT64_MAX},
            .fields = {{{VTDPI_PASID_CACHE_G, "G"},
                        {VTDPI_PASID_CACHE_DID, "DID"},
                        {VTDPI_PASID_CACHE_PASID, "PASID"}}},
        },
    [VTDPI_QI_PASID_DEV_TLB] =
        {
            .name = "PASID-device-TLB",
            .reserved = {VTDPI_PASID_DEV_TLB_RESERVED,
                         VTDPI_PASID_DEV_TLB_HI_RESERVED},
            .fields = {{{VTDPI_PASID_DEV_TLB_MIP, "MIP"},
                        {VTDPI_PASID_DEV_TLB_PFSID_3_0, "PFSID[3:0]"},
                        {VTDPI_PASID_DEV_TLB_SID, "SID"},
                        {VTDPI_PASID_DEV_TLB_PASID, "PASID"},
                        {VTDPI_PASID_DEV_TLB_PFSID_15_4, "PFSID[15:4]"}},
                       {{VTDPI_PASID_DEV_TLB_HI_G, "G"},
                        {VTDPI_PASID_DEV_TLB_HI_S, "S"},
                        {VTDPI_PASID_DEV_TLB_HI_ADDR, "ADDR[63:12]"}}},
        },
    /* Its fields are page requests': raw words are all that is said. */
    [VTDPI_QI_PAGE_GROUP_RESPONSE] = {.name = "page-group-response"},
};

static size_t fields_count(const struct vtdpi_sink_field_ *fields)
{
    size_t n = 0;

    while (n < FIELDS_MAX && fields[n].mask != 0)
        n++;
    return n;
}

static VTDPI_COLD void words_put(struct vtdpi_sink_ *s,
                                 const struct vtdpi_qi_desc *d)
{
    vtdpi_sink_number_(s, "qw0", d->qw[0]);
    vtdpi_sink_number_(s, "qw1", d->qw[1]);
    if ((d->qw[2] | d->qw[3]) != 0) {
        vtdpi_sink_number_(s, "qw2", d->qw[2]);
        vtdpi_sink_number_(s, "qw3", d->qw[3]);
    }
}

VTDPI_COLD void vtdpi_format_qi_fields_(struct vtdpi_sink_ *s,
                                        const struct vtdpi_qi_desc *desc)
{
    /* Bits 11:9 are the high part of the type; no type uses them so far. */
    const uint64_t type = VTDPI_FIELD_GET(desc->qw[0], VTDPI_QI_TYPE);
    const struct desc_kind *kind;

    if (type == 0 || type >= VTDPI_SINK_COUNT_(desc_kinds)) {
        vtdpi_sink_number_(s, "TYPE", type);
        words_put(s, desc);
        vtdpi_sink_wrong_(s, "unknown type");
        return;
    }
    kind = &desc_kinds[type];
    vtdpi_sink_word_(s, "desc", kind->name);
    vtdpi_sink_number_(s, "TYPE", type);
    for (unsigned int i = 0; i < 2; i++)
        vtdpi_sink_fields_(s, desc->qw[i], kind->fields[i],
                           fields_count(kind->fields[i]));
    words_put(s, desc);
    for (unsigned int i = 0; i < 2; i++) {
        if (vtdpi_sink_reserved_(s, desc->qw[i] & kind->reserved[i])) {
            vtdpi_sink_text_(s, i == 0 ? " in qw0" : " in qw1");
            return;
        }
    }
}

VTDPI_COLD size_t vtdpi_format_qi_desc(char *buf, size_t size,
                                       const struct vtdpi_qi_desc *desc)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    vtdpi_format_qi_fields_(&s, desc);
    return vtdpi_sink_end_(&s);
}
