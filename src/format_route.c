/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of a decision of route.h. */
#include "vtdpi/format.h"

#include "format_sink.h"

static const char *decision_kind(enum vtdpi_route_kind kind)
{
    switch (kind) {
    case VTDPI_ROUTE_REMAP:
        return "remap";
    case VTDPI_ROUTE_POST:
        return "post";
    case VTDPI_ROUTE_REJECT:
        return "reject";
    default:
        return "unknown";
    }
}

/* The reasons that name a vCPU: see struct vtdpi_route_decision. */
static bool decision_has_vcpu(enum vtdpi_route_reason reason)
{
    switch (reason) {
    case VTDPI_ROUTE_POSTABLE:
    case VTDPI_ROUTE_DETACHED:
    case VTDPI_ROUTE_POSTING_OFF:
    case VTDPI_ROUTE_NO_POSTING:
    case VTDPI_ROUTE_UNREACHABLE:
        return true;
    default:
        return false;
    }
}

VTDPI_COLD void
vtdpi_format_decision_fields_(struct vtdpi_sink_ *s,
                              const struct vtdpi_route_decision *d)
{
    vtdpi_sink_word_(s, "decision", decision_kind(d->kind));
    if (decision_has_vcpu(d->reason))
        vtdpi_sink_number_(s, "vCPU", d->vcpu);
    vtdpi_sink_number_(s, "V", d->vector);
}

VTDPI_COLD size_t vtdpi_format_decision(char *buf, size_t size,
                                        const struct vtdpi_route_decision *d)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    vtdpi_format_decision_fields_(&s, d);
    vtdpi_sink_reason_(&s, vtdpi_route_reason_text(d->reason));
    return vtdpi_sink_end_(&s);
}
