/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of what fault.h reports. */
#include "vtdpi/format.h"

#include "format_sink.h"

static VTDPI_COLD void request_put(struct vtdpi_sink_ *s,
                                   const struct vtdpi_fault *f)
{
    vtdpi_sink_number_(s, "record", f->record);
    vtdpi_sink_sid_(s, "SID", f->sid);
    vtdpi_sink_number_(s, "FR", f->reason);
}

static VTDPI_COLD void raw_put(struct vtdpi_sink_ *s,
                               const struct vtdpi_fault *f)
{
    vtdpi_sink_number_(s, "hi", f->hi);
    vtdpi_sink_number_(s, "lo", f->lo);
    vtdpi_sink_reason_(s, vtdpi_fault_reason_text(f->reason));
}

static VTDPI_COLD void interrupt_put(struct vtdpi_sink_ *s,
                                     const struct vtdpi_fault *f)
{
    vtdpi_sink_word_(s, "fault", "interrupt");
    request_put(s, f);
    if (f->has_index)
        vtdpi_sink_number_(s, "IINDEX", f->index);
    if (f->owner != NULL)
        vtdpi_sink_number_(s, "owner", (uintptr_t)f->owner);
    raw_put(s, f);
}

static VTDPI_COLD void dma_put(struct vtdpi_sink_ *s,
                               const struct vtdpi_fault *f)
{
    vtdpi_sink_word_(s, "fault", "DMA");
    request_put(s, f);
    vtdpi_sink_bit_(s, "T", (f->hi & VTDPI_FRCD_HI_T) != 0);
    vtdpi_sink_number_(s, "FI", VTDPI_FIELD_GET(f->lo, VTDPI_FRCD_LO_FI));
    raw_put(s, f);
}

static VTDPI_COLD void status_put(struct vtdpi_sink_ *s, const char *kind,
                                  uint32_t status)
{
    static const struct vtdpi_sink_field_ fields[] = {
        {VTDPI_FSTS_PFO, "PFO"}, {VTDPI_FSTS_PPF, "PPF"},
        {VTDPI_FSTS_AFO, "AFO"}, {VTDPI_FSTS_APF, "APF"},
        {VTDPI_FSTS_IQE, "IQE"}, {VTDPI_FSTS_ICE, "ICE"},
        {VTDPI_FSTS_ITE, "ITE"}, {VTDPI_FSTS_PRO, "PRO"},
    };

    vtdpi_sink_word_(s, "fault", kind);
    vtdpi_sink_number_(s, "FSTS", status);
    vtdpi_sink_fields_(s, status, fields, VTDPI_SINK_COUNT_(fields));
}

/* The queue's head stood at a descriptor; it is the culprit after an IQE. */
static VTDPI_COLD void queue_put(struct vtdpi_sink_ *s,
                                 const struct vtdpi_fault_queue *q)
{
    vtdpi_sink_word_(s, "fault", "queue");
    vtdpi_sink_number_(s, "IQE", q->iqe);
    vtdpi_sink_number_(s, "ITE", q->ite);
    vtdpi_sink_number_(s, "ICE", q->ice);
    vtdpi_sink_number_(s, "IQEI", q->iqei);
    vtdpi_sink_number_(s, "ITESID", q->ite_sid);
    vtdpi_sink_number_(s, "ICESID", q->ice_sid);
    vtdpi_sink_number_(s, "FSTS", q->error.fsts);
    vtdpi_sink_number_(s, "IQER", q->error.iqer);
    vtdpi_sink_number_(s, "slot", q->error.slot);
    vtdpi_sink_reason_(s, vtdpi_strerror(q->code));
    vtdpi_sink_char_(s, ';');
    vtdpi_format_qi_fields_(s, &q->error.desc);
}

VTDPI_COLD size_t vtdpi_format_fault(char *buf, size_t size,
                                     const struct vtdpi_fault *fault)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    switch (fault->kind) {
    case VTDPI_FAULT_INTERRUPT:
        interrupt_put(&s, fault);
        break;
    case VTDPI_FAULT_DMA:
        dma_put(&s, fault);
        break;
    case VTDPI_FAULT_OVERFLOW:
        status_put(&s, "overflow", fault->status);
        break;
    case VTDPI_FAULT_QUEUE:
        queue_put(&s, &fault->queue);
        break;
    case VTDPI_FAULT_STATUS:
        status_put(&s, "status", fault->status);
        break;
    default:
        vtdpi_sink_word_(&s, "fault", "unknown");
        break;
    }
    return vtdpi_sink_end_(&s);
}
