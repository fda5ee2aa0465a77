/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults, and errors of invalidation queues.
 *
 * One fault may be told by one line or by three, and several console lines may have
 * been joined. So a line is cut where a device begins, each piece gives what it has to
 * the fault that is waited for, and a reason completes the fault.
 *
 * Kernels print the number of a reason as 37, as 0x25 or as 25, which are all one
 * reason. A prefix decides; without one the text behind the number does; without both
 * the habit of the kernel.
 */
#include <string.h>

#include "log_words.h"

#include "vtdpi/regs.h"

enum {
    ADDRESS_INDEX_SHIFT = 48, /* of the index in a record's first word */
    INFO_INDEX_SHIFT = 36,    /* of the index in FI, bits 63:12 of the word */
    DEVICE_SCAN = 64,         /* bytes behind a name that a device may be in */
};

#define REASON_FIRST VTDPI_FR_REQUEST_RESERVED
#define REASON_LAST  VTDPI_FR_PID_RESERVED

static bool reason_is_interrupt(uint64_t reason)
{
    return reason >= REASON_FIRST && reason <= REASON_LAST;
}

/* Parts of a reason's text: all of them are in it. Only a line that has the word of
 * @needs is looked at. */
struct reason_text {
    uint16_t reason;
    struct log_words needs;
    const char *parts[3];
};

static const struct reason_text reason_texts[] = {
    {VTDPI_FR_COMPAT_BLOCKED, {W(COMPAT), 0}, {"compatibility", "block", NULL}},
    {VTDPI_FR_SOURCE_ID, {0, M(SOURCE)}, {"source-id", NULL, NULL}},
    {VTDPI_FR_SOURCE_ID, {0, M(SOURCE)}, {"source id", "verif", NULL}},
    {VTDPI_FR_NOT_PRESENT, {0, M(PRESENT)}, {"present", "irte", NULL}},
    {VTDPI_FR_INDEX, {0, M(EXCEED)}, {"index", "exceed", "table"}},
    {VTDPI_FR_TABLE_ACCESS, {0, M(ACCESS)}, {"access", "irta", NULL}},
    {VTDPI_FR_TABLE_ACCESS, {0, M(ACCESS)}, {"error", "access", "remap"}},
    {VTDPI_FR_REQUEST_RESERVED,
     {0, M(RESERVED)},
     {"reserved", "decoded", NULL}},
    {VTDPI_FR_IRTE_RESERVED, {0, M(RESERVED)}, {"reserved", "irte", NULL}},
    {VTDPI_FR_PID_ACCESS, {0, M(ACCESS)}, {"access", "posted", "descriptor"}},
    {VTDPI_FR_PID_RESERVED,
     {0, M(RESERVED)},
     {"reserved", "posted", "descriptor"}},
};

/* The reason that the text is of, or LOG_REASON_UNKNOWN. */
static uint16_t reason_of_text(struct log_span line, struct log_words words)
{
    for (size_t n = 0; n < sizeof(reason_texts) / sizeof(reason_texts[0]);
         n++) {
        const struct reason_text *const t = &reason_texts[n];
        bool all = (words.set & t->needs.set) == t->needs.set &&
                   (words.more & t->needs.more) == t->needs.more;

        for (unsigned int i = 0; all && i < 3 && t->parts[i] != NULL; i++)
            all = log_find(line, t->parts[i]) != NULL;
        if (all)
            return t->reason;
    }
    return LOG_REASON_UNKNOWN;
}

/* Xen 3: "iommu_fault:DMA Read: 0:1f.2 addr 7b000 REASON 6 iommu->reg = ...", which says
 * DMA of interrupts, too. */
static const char old_xen[] = "iommu_fault:";

/* Xen has "reason 22 - Present field ...", in hexadecimal. */
static bool is_xen_style(struct log_span line, const struct log_number *n)
{
    return (line.end - n->end > 2 && n->end[0] == ' ' && n->end[1] == '-') ||
           log_find(line, old_xen) != NULL;
}

static bool reason_take(struct log_fault *fault, struct log_span piece,
                        struct log_words words)
{
    const uint16_t told = reason_of_text(piece, words);
    const char *const p = log_find_word(piece, "reason");
    struct log_number n = {0};
    const bool has_number =
        p != NULL &&
        log_number((struct log_span){p + strlen("reason"), piece.end}, &n);

    fault->reason = LOG_REASON_UNKNOWN;
    fault->read_as = LOG_READ_NOTHING;
    if (has_number && n.prefixed && n.hex <= UINT8_MAX) {
        fault->reason = (uint16_t)n.hex;
        fault->read_as = LOG_READ_PREFIX;
    } else if (told != LOG_REASON_UNKNOWN) {
        fault->reason = told;
        fault->read_as = LOG_READ_TEXT;
    } else if (has_number && n.is_decimal && n.decimal <= UINT8_MAX &&
               !is_xen_style(piece, &n)) {
        fault->reason = (uint16_t)n.decimal;
        fault->read_as = LOG_READ_DECIMAL;
    } else if (has_number && n.hex <= UINT8_MAX) {
        fault->reason = (uint16_t)n.hex;
        fault->read_as = LOG_READ_HEX;
    }
    return fault->reason != LOG_REASON_UNKNOWN;
}

/* The first device within a few bytes behind @key. */
static bool device_behind(struct log_span piece, const char *key,
                          struct log_fault *fault)
{
    struct log_span at = piece;

    at.begin = log_find(piece, key);
    if (at.begin == NULL)
        return false;
    at.begin += strlen(key);
    if (at.end - at.begin > DEVICE_SCAN)
        at.end = at.begin + DEVICE_SCAN;
    for (; at.begin < at.end; at.begin++) {
        /* "Read: 0:1f.2" has no segment 0xead. */
        if (!log_is_name(at.begin[-1]) &&
            log_device(at, &fault->segment, &fault->sid))
            return true;
    }
    return false;
}

static bool source_take(struct log_fault *fault, struct log_span piece,
                        struct log_words words)
{
    uint64_t sid;

    /* A source id as a number: FreeBSD, and raw records. */
    if (((words.more & M(SID)) != 0 && log_value(piece, "sid", &sid)) ||
        ((words.more & M(GENODE)) != 0 && log_value(piece, "source", &sid))) {
        fault->segment = 0;
        fault->sid = (uint16_t)sid;
        fault->has_sid = sid <= UINT16_MAX;
        return fault->has_sid;
    }
    fault->has_sid = device_behind(piece, "device", fault) ||
                     device_behind(piece, "identifier", fault) ||
                     device_behind(piece, old_xen, fault);
    return fault->has_sid;
}

static void index_take(struct log_pending *p, struct log_span piece)
{
    uint64_t value;

    if (log_value(piece, "fault index", &value)) {
        p->fault.has_index = true;
        p->fault.index = value;
        p->interrupt = true;
    } else if (log_value(piece, "info", &value)) {
        p->has_address = true;
        p->address = value >> INFO_INDEX_SHIFT;
    } else if (log_value(piece, "addr", &value)) {
        p->has_address = true;
        p->address = value >> ADDRESS_INDEX_SHIFT;
    }
}

/* syslog: "message repeated 3 times: [ DMAR: ...]". */
static void times_take(struct log_pending *p, struct log_span line)
{
    unsigned int times;

    if (log_decimal(line, "message repeated", &times) && times > 0)
        p->fault.count = times;
}

static void kind_take(struct log_pending *p, struct log_span piece,
                      struct log_words words)
{
    if ((words.set & W(REMAP)) != 0 && log_find(piece, "intr-remap") != NULL)
        p->interrupt = true;
    if ((words.more & M(DMA)) != 0 && (log_find(piece, "dma read") != NULL ||
                                       log_find(piece, "dma write") != NULL))
        p->dma = true;
}

static void count_more(struct log_count *c, const struct log_fault *fault)
{
    if (c->count == 0)
        c->first = fault->first.line;
    c->count += fault->count;
    c->last = fault->first.line;
}

static bool fault_same(const struct log_fault *a, const struct log_fault *b)
{
    return a->has_sid == b->has_sid && a->sid == b->sid &&
           a->segment == b->segment && a->has_index == b->has_index &&
           a->index == b->index && a->reason == b->reason && a->unit == b->unit;
}

static unsigned int fault_slot(const struct log_fault *x)
{
    const uint64_t mixed =
        ((uint64_t)x->sid << 32 ^ (uint64_t)x->segment << 48 ^ x->index << 9 ^
         (uint64_t)x->reason ^ (uint64_t)(unsigned int)x->unit << 20) *
        UINT64_C(0x9e3779b97f4a7c15);

    return (unsigned int)(mixed >> 54); /* ten bits: LOG_FAULT_SLOTS */
}

/* The group of equal faults; NULL if there are too many groups for a new one. */
static struct log_fault *fault_group(struct log_facts *f,
                                     const struct log_fault *x)
{
    unsigned int slot = fault_slot(x);

    /* Slots are never full: there are more of them than groups. */
    for (; f->fault_slots[slot] != 0; slot = (slot + 1) % LOG_FAULT_SLOTS) {
        struct log_fault *const g = &f->faults[f->fault_slots[slot] - 1];

        if (fault_same(g, x))
            return g;
    }
    if (f->fault_count == LOG_FAULTS_MAX)
        return NULL;
    f->faults[f->fault_count] = *x;
    f->faults[f->fault_count].count = 0;
    f->fault_slots[slot] = (uint16_t)++f->fault_count;
    return &f->faults[f->fault_count - 1];
}

static bool pending_is_interrupt(const struct log_pending *p)
{
    return reason_is_interrupt(p->fault.reason) ||
           (p->fault.reason == LOG_REASON_UNKNOWN && p->interrupt && !p->dma);
}

void log_fault_flush(struct log_facts *f)
{
    struct log_pending p = f->pending;
    struct log_fault *group;

    f->pending = (struct log_pending){
        .fault = {.unit = -1, .reason = LOG_REASON_UNKNOWN, .count = 1}};
    if (!p.active || (!p.fault.has_sid && p.fault.reason == LOG_REASON_UNKNOWN))
        return;
    f->boot.any = true;
    if (!pending_is_interrupt(&p)) {
        count_more(&f->fault_dma, &p.fault);
        return;
    }
    if (!p.fault.has_index && p.has_address) {
        p.fault.has_index = true;
        p.fault.index = p.address;
    }
    f->fault_total += p.fault.count;
    group = fault_group(f, &p.fault);
    if (group == NULL) {
        count_more(&f->fault_others, &p.fault);
        return;
    }
    group->count += p.fault.count;
    group->last = p.fault.first.line;
    group->last_boot = f->boots;
}

static void pending_begin(struct log_facts *f, struct log_span line,
                          unsigned long number)
{
    struct log_pending *const p = &f->pending;

    p->active = true;
    p->latest = number;
    if (p->fault.first.line == 0)
        log_keep(&p->fault.first, line, number);
}

static void piece_take(struct log_facts *f, struct log_span line,
                       struct log_span piece, struct log_words words,
                       unsigned long number)
{
    struct log_pending *const p = &f->pending;
    struct log_fault seen = {.unit = -1};
    const bool has_source = source_take(&seen, piece, words);

    if (has_source && p->fault.has_sid)
        log_fault_flush(f);
    if (!p->active || number != p->latest)
        pending_begin(f, line, number);
    if (has_source) {
        p->fault.has_sid = true;
        p->fault.sid = seen.sid;
        p->fault.segment = seen.segment;
    }
    kind_take(p, piece, words);
    times_take(p, line);
    index_take(p, piece);
    if (reason_take(&p->fault, piece, words))
        log_fault_flush(f);
}

/* Whether the line tells of a fault, or goes on with one that is waited for. */
static bool is_piece(const struct log_facts *f, struct log_span line,
                     struct log_words w)
{
    const bool marked =
        (w.set & (W(DMAR) | W(IOMMU) | W(REMAP) | W(DRHD))) != 0 ||
        (w.more & (M(VTD) | M(XEN))) != 0;
    const bool reason = (w.set & W(REASON)) != 0;
    const bool fault = (w.set & W(FAULT)) != 0;

    if ((w.set & (W(REQUEST) | W(DEVICE))) == (W(REQUEST) | W(DEVICE)))
        return marked || (reason && fault);
    if ((w.more & M(GENODE)) != 0)
        return reason && fault && log_find_word(line, "source") != NULL;
    if ((w.more & M(IDENTIFIER)) != 0)
        return log_find(line, "source identifier") != NULL;
    if ((w.more & M(SID)) != 0 && fault)
        return marked && reason;
    if (reason && log_find(line, old_xen) != NULL)
        return true;
    if (fault && reason)
        return marked || f->pending.fault.has_sid ||
               log_find(line, "fault info") != NULL;
    return (w.set & W(REMAP)) != 0 && (w.set & W(IRQ)) != 0 &&
           (reason || (log_find(line, "intr-remap") != NULL &&
                       reason_of_text(line, w) != LOG_REASON_UNKNOWN));
}

/* "VT-d fault event reported by IOMMU 1:", before the lines that tell the fault. */
static bool header_line(struct log_facts *f, struct log_span line,
                        unsigned long number)
{
    const char *const event = log_find(line, "vt-d fault event");

    if (event == NULL)
        return false;
    log_fault_flush(f);
    pending_begin(f, line, number);
    f->pending.fault.unit = log_unit_number((struct log_span){event, line.end});
    f->boot.jailhouse = true;
    return true;
}

/* Cuts the line in front of each device but the first. */
static void line_cut(struct log_facts *f, struct log_span line,
                     struct log_words words, unsigned long number)
{
    static const char mark[] = "request device";
    struct log_span piece = line;
    const char *at = log_find(line, mark);

    while (at != NULL) {
        at = log_find((struct log_span){at + 1, line.end}, mark);
        if (at == NULL)
            break;
        piece.end = at;
        piece_take(f, line, piece, words, number);
        piece.begin = at;
        piece.end = line.end;
    }
    piece_take(f, line, piece, words, number);
}

bool log_fault_line(struct log_facts *f, struct log_span line,
                    struct log_words words, unsigned long number)
{
    const bool header = (words.set & W(FAULT)) != 0 &&
                        (words.more & M(VTD)) != 0 &&
                        header_line(f, line, number);

    if (!header && f->pending.active &&
        number - f->pending.latest > LOG_PENDING_LINES)
        log_fault_flush(f);
    if (!is_piece(f, line, words))
        return header;
    /* FreeBSD names the unit in the line. */
    if ((words.more & M(SID)) != 0) {
        log_fault_flush(f);
        f->pending.fault.unit = log_unit_number(line);
    }
    line_cut(f, line, words, number);
    return true;
}

static enum log_queue_kind queue_kind(struct log_words w)
{
    if ((w.set & W(COMPLETION)) != 0)
        return LOG_QUEUE_COMPLETION;
    if ((w.more & M(WAIT)) != 0)
        return LOG_QUEUE_WAIT;
    if ((w.more & M(TIME)) != 0)
        return LOG_QUEUE_TIMEOUT;
    if ((w.set & W(DESCRIPTOR)) != 0)
        return LOG_QUEUE_DESCRIPTOR;
    return LOG_QUEUE_ERROR;
}

static bool is_queue_error(struct log_words w)
{
    const bool subject =
        (w.set & (W(DMAR) | W(IOMMU))) != 0 || (w.more & M(VTD)) != 0;

    if (!subject || (w.set & W(CLEARED)) != 0 || (w.more & M(WILL)) != 0)
        return false;
    if ((w.set & W(INVALIDATION)) != 0)
        return (w.set & W(ERROR)) != 0 || (w.more & M(TIME)) != 0;
    return (w.set & (W(BAD) | W(DESCRIPTOR))) == (W(BAD) | W(DESCRIPTOR));
}

bool log_queue_line(struct log_facts *f, struct log_span line,
                    struct log_words words, unsigned long number)
{
    struct log_queue_error *q;
    uint64_t detail;

    if (!is_queue_error(words) || log_is_prose(line))
        return false;
    f->boot.any = true;
    q = &f->queue[queue_kind(words)];
    if (q->count++ == 0)
        log_keep(&q->first, line, number);
    q->last = number;
    if (log_value(line, "sid", &detail) || log_value(line, "reason", &detail)) {
        q->has_detail = true;
        q->detail = detail;
    }
    return true;
}
