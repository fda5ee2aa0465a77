/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of the Capability and Extended Capability Registers. What concerns DMA
 * translation only is named here and not in regs.h: the library does not use it.
 */
#include "vtdpi/format.h"

#include "format_sink.h"

static const struct vtdpi_sink_field_ cap_fields[] = {
    {VTDPI_CAP_ND, "ND"},
    {VTDPI_BIT64(3), "AFL"},
    {VTDPI_CAP_RWBF, "RWBF"},
    {VTDPI_BIT64(5), "PLMR"},
    {VTDPI_BIT64(6), "PHMR"},
    {VTDPI_CAP_CM, "CM"},
    {VTDPI_CAP_SAGAW, "SAGAW"},
    {VTDPI_CAP_MGAW, "MGAW"},
    {VTDPI_BIT64(22), "ZLR"},
    {VTDPI_CAP_FRO, "FRO"},
    {VTDPI_BITS64(37, 34), "SLLPS"},
    {VTDPI_BIT64(39), "PSI"},
    {VTDPI_CAP_NFR, "NFR"},
    {VTDPI_BITS64(53, 48), "MAMV"},
    {VTDPI_BIT64(54), "DWD"},
    {VTDPI_BIT64(55), "DRD"},
    {VTDPI_BIT64(56), "FL1GP"},
    {VTDPI_CAP_PI, "PI"},
    {VTDPI_CAP_FL5LP, "FL5LP"},
    {VTDPI_CAP_ESIRTPS, "ESIRTPS"},
    {VTDPI_CAP_ESRTPS, "ESRTPS"},
};

static const struct vtdpi_sink_field_ ecap_fields[] = {
    {VTDPI_ECAP_C, "C"},         {VTDPI_ECAP_QI, "QI"},
    {VTDPI_ECAP_DT, "DT"},       {VTDPI_ECAP_IR, "IR"},
    {VTDPI_ECAP_EIM, "EIM"},     {VTDPI_ECAP_PT, "PT"},
    {VTDPI_ECAP_SC, "SC"},       {VTDPI_ECAP_IRO, "IRO"},
    {VTDPI_ECAP_MHMV, "MHMV"},   {VTDPI_BIT64(26), "NEST"},
    {VTDPI_BIT64(29), "PRS"},    {VTDPI_BIT64(30), "ERS"},
    {VTDPI_BIT64(31), "SRS"},    {VTDPI_BIT64(33), "NWFS"},
    {VTDPI_BIT64(34), "EAFS"},   {VTDPI_BITS64(39, 35), "PSS"},
    {VTDPI_BIT64(40), "PASID"},  {VTDPI_BIT64(41), "DIT"},
    {VTDPI_BIT64(42), "PDS"},    {VTDPI_ECAP_SMTS, "SMTS"},
    {VTDPI_BIT64(44), "VCS"},    {VTDPI_BIT64(45), "SLADS"},
    {VTDPI_BIT64(46), "SLTS"},   {VTDPI_BIT64(47), "FLTS"},
    {VTDPI_BIT64(48), "SMPWCS"}, {VTDPI_BIT64(49), "RPS"},
};

static VTDPI_COLD size_t register_put(struct vtdpi_sink_ *s, const char *name,
                                      uint64_t value,
                                      const struct vtdpi_sink_field_ *fields,
                                      size_t count)
{
    vtdpi_sink_number_(s, name, value);
    vtdpi_sink_fields_(s, value, fields, count);
    vtdpi_sink_error_(s, value == UINT64_MAX ? VTDPI_EIO : 0);
    return vtdpi_sink_end_(s);
}

VTDPI_COLD size_t vtdpi_format_cap(char *buf, size_t size, uint64_t cap)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    return register_put(&s, "CAP", cap, cap_fields,
                        VTDPI_SINK_COUNT_(cap_fields));
}

VTDPI_COLD size_t vtdpi_format_ecap(char *buf, size_t size, uint64_t ecap)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    return register_put(&s, "ECAP", ecap, ecap_fields,
                        VTDPI_SINK_COUNT_(ecap_fields));
}
