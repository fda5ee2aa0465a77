/* SPDX-License-Identifier: BSD-2-Clause */
/* The result of vtdpi log: schema/log.json says what is in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault_help.h"
#include "log_json.h"
#include "log_words.h"
#include "tool.h"

#include "vtdpi/fault.h"
#include "vtdpi/regs.h"
#include "vtdpi/source.h"

static const char *const remapping_words[] = {"unknown", "off", "on"};
static const char *const mode_words[] = {"unknown", "xAPIC", "x2APIC"};
static const char *const posting_words[] = {"unknown", "not possible", "off",
                                            "on"};
static const char *const read_words[] = {"nothing", "text", "prefix", "decimal",
                                         "hexadecimal"};
static const char *const queue_words[LOG_QUEUE_KINDS] = {
    [LOG_QUEUE_ERROR] = "queue error (IQE)",
    [LOG_QUEUE_TIMEOUT] = "time-out of a device (ITE)",
    [LOG_QUEUE_COMPLETION] = "unexpected completion (ICE)",
    [LOG_QUEUE_DESCRIPTOR] = "invalid descriptor",
    [LOG_QUEUE_WAIT] = "wait descriptor without an answer",
};

static json_t *number(unsigned long value)
{
    return json_integer((json_int_t)value);
}

static json_t *line_number(unsigned long line)
{
    return line == 0 ? json_null() : number(line);
}

static json_t *said(enum log_said what)
{
    return what == LOG_SAID_NOTHING ? json_null()
                                    : json_boolean(what == LOG_SAID_YES);
}

static json_t *why_json(const struct log_verdict *v)
{
    json_t *const list = json_array();

    for (unsigned int i = 0; i < v->why_count; i++) {
        const struct log_place *const p = v->why[i].place;

        (void)json_array_append_new(
            list, json_pack("{s:s, s:o, s:s?}", "says", v->why[i].says, "line",
                            line_number(p == NULL ? 0 : p->line), "text",
                            p == NULL || p->line == 0 ? NULL : p->text));
    }
    return list;
}

static json_t *version_json(const struct log_unit *u)
{
    return u->has_version ? json_sprintf("%u.%u", u->major, u->minor)
                          : json_null();
}

static json_t *word_or_null(bool has, uint64_t word)
{
    return has ? json_word(word) : json_null();
}

static json_t *unit_json(const struct log_unit *u)
{
    json_t *const o =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "number",
                  u->number < 0 ? json_null() : json_integer(u->number), "base",
                  word_or_null(u->has_base, u->base), "version",
                  version_json(u), "cap", word_or_null(u->has_cap, u->cap),
                  "ecap", word_or_null(u->has_ecap, u->ecap), "include_all",
                  (int)u->include_all, "answers", (int)!log_unit_dead(u));

    (void)json_object_set_new(o, "QI", said(log_unit_qi(u)));
    (void)json_object_set_new(o, "IR", said(log_unit_ir(u)));
    (void)json_object_set_new(o, "EIM", said(log_unit_eim(u)));
    (void)json_object_set_new(o, "PI", said(log_unit_pi(u)));
    (void)json_object_set_new(o, "line", line_number(u->place.line));
    return o;
}

static json_t *units_json(const struct log_boot *b)
{
    struct log_unit *const units = calloc(LOG_UNITS_MAX, sizeof(*units));
    json_t *const list = json_array();

    if (units == NULL)
        return list;
    memcpy(units, b->units, b->unit_count * sizeof(*units));
    qsort(units, b->unit_count, sizeof(*units), log_unit_order);
    for (unsigned int i = 0; i < b->unit_count; i++)
        (void)json_array_append_new(list, unit_json(&units[i]));
    free(units);
    return list;
}

/* Names of columns in which two units are not the same. */
static json_t *differences_json(const json_t *units)
{
    static const char *const columns[] = {"version", "QI",  "IR",  "EIM",
                                          "PI",      "cap", "ecap"};
    json_t *const list = json_array();

    for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++) {
        const json_t *first = NULL;
        const json_t *unit;
        size_t i;
        bool differ = false;

        json_array_foreach(units, i, unit)
        {
            const json_t *const value = json_object_get(unit, columns[c]);

            if (json_is_null(value))
                continue;
            differ = differ || (first != NULL && !json_equal(first, value));
            first = value;
        }
        if (differ)
            (void)json_array_append_new(list, json_string(columns[c]));
    }
    return list;
}

static json_t *device_json(bool has, uint16_t segment, uint16_t sid)
{
    const unsigned int bus = sid >> 8;
    const unsigned int device = sid >> 3 & 31;
    const unsigned int function = sid & 7;

    if (!has)
        return json_null();
    if (segment != 0)
        return json_sprintf("%04x:%02x:%02x.%x", segment, bus, device,
                            function);
    return json_sprintf("%02x:%02x.%x", bus, device, function);
}

static json_t *scopes_json(const struct log_boot *b)
{
    json_t *const list = json_array();

    for (unsigned int i = 0; i < b->scope_count; i++) {
        const struct log_scope *const s = &b->scopes[i];

        (void)json_array_append_new(
            list,
            json_pack("{s:s, s:o, s:o, s:o, s:o}", "kind",
                      s->hpet ? "HPET" : "IOAPIC", "id",
                      s->has_id ? json_integer(s->id) : json_null(), "device",
                      device_json(s->has_sid, s->segment, s->sid), "base",
                      word_or_null(s->has_base, s->base), "line",
                      line_number(s->line)));
    }
    return list;
}

static json_t *strings(const char *const *list)
{
    json_t *const out = json_array();

    for (; *list != NULL; list++)
        (void)json_array_append_new(out, json_string(*list));
    return out;
}

/* "IOAPIC 8, unit 2": of the table if there is one, otherwise of a Xen log. */
static json_t *resolved_json(const struct log_facts *f,
                             const struct log_fault *x,
                             const struct log_dmar *d)
{
    char text[256];

    if (!x->has_sid)
        return json_null();
    if (d != NULL) {
        log_dmar_name(d, &f->boot, x->segment, x->sid, text, sizeof(text));
        return json_string(text);
    }
    for (unsigned int i = 0; i < f->boot.scope_count; i++) {
        const struct log_scope *const s = &f->boot.scopes[i];

        if (s->has_sid && s->sid == x->sid && s->segment == x->segment)
            return json_string(s->hpet ? "HPET" : "IOAPIC");
    }
    return json_null();
}

static json_t *fault_json(const struct log_facts *f, const struct log_fault *x,
                          const struct log_dmar *d)
{
    static const struct fault_help unknown = {
        {"the log does not have the reason of these faults"},
        {"the lines behind the ones quoted, which may have been filtered out"},
    };
    const bool known = x->reason != LOG_REASON_UNKNOWN;
    const struct fault_help *const found = fault_help(x->reason);
    const struct fault_help *const help = found != NULL ? found : &unknown;
    json_t *const o = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "device",
        device_json(x->has_sid, x->segment, x->sid), "is",
        resolved_json(f, x, d), "unit",
        x->unit < 0 ? json_null() : json_integer(x->unit), "index",
        word_or_null(x->has_index, x->index), "reason",
        word_or_null(known, x->reason), "reason_text",
        known ? vtdpi_fault_reason_text((uint8_t)x->reason) : "not in the log",
        "reason_read_as", read_words[x->read_as]);

    (void)json_object_set_new(
        o, "index_counts", json_boolean(x->reason != VTDPI_FR_COMPAT_BLOCKED));
    (void)json_object_set_new(o, "count", number(x->count));
    (void)json_object_set_new(o, "first", number(x->first.line));
    (void)json_object_set_new(o, "last", number(x->last));
    (void)json_object_set_new(o, "last_boot", json_integer(x->last_boot));
    (void)json_object_set_new(o, "text", json_string(x->first.text));
    (void)json_object_set_new(o, "causes", strings(help->causes));
    (void)json_object_set_new(o, "check", strings(help->checks));
    return o;
}

static json_t *count_json(const struct log_count *c)
{
    return json_pack("{s:o, s:o, s:o}", "count", number(c->count), "first",
                     line_number(c->first), "last", line_number(c->last));
}

static json_t *faults_json(const struct log_facts *f, const struct log_dmar *d)
{
    json_t *const list = json_array();

    for (unsigned int i = 0; i < f->fault_count; i++)
        (void)json_array_append_new(list, fault_json(f, &f->faults[i], d));
    return list;
}

static json_t *queue_json(const struct log_facts *f)
{
    json_t *const list = json_array();

    for (unsigned int i = 0; i < LOG_QUEUE_KINDS; i++) {
        const struct log_queue_error *const q = &f->queue[i];

        if (q->count != 0)
            (void)json_array_append_new(
                list,
                json_pack("{s:s, s:o, s:o, s:o, s:o, s:s}", "kind",
                          queue_words[i], "detail",
                          word_or_null(q->has_detail, q->detail), "count",
                          number(q->count), "first", number(q->first.line),
                          "last", number(q->last), "text", q->first.text));
    }
    return list;
}

static json_t *lines_json(const struct log_facts *f)
{
    const bool has = f->unknown != 0;

    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s?}", "read",
                     number(f->lines), "understood", number(f->about),
                     "unknown", number(f->unknown), "cut", number(f->cut),
                     "unknown_line",
                     line_number(has ? f->unknown_first.line : 0),
                     "unknown_text", has ? f->unknown_first.text : NULL);
}

static const char *system_of(const struct log_boot *b)
{
    if (b->xen)
        return b->linux_version ? "Xen, with Linux" : "Xen";
    if (b->jailhouse)
        return "Jailhouse";
    if (b->freebsd)
        return "FreeBSD";
    return b->linux_version ? "Linux" : "not said";
}

/* A name that any JSON can have. */
static json_t *name_json(const char *file)
{
    struct log_place kept;

    log_keep(&kept, (struct log_span){file, file + strlen(file)}, 1);
    return json_string(kept.text);
}

json_t *log_json(const struct log_facts *f, const struct log_verdict *v,
                 const char *file, const struct log_dmar *d)
{
    json_t *const units = units_json(&f->boot);
    json_t *const o = json_pack(
        "{s:o, s:{s:s, s:s, s:s}, s:o, s:o, s:s, s:i, s:o}", "file",
        name_json(file), "verdict", "remapping", remapping_words[v->remapping],
        "mode", mode_words[v->mode], "posting", posting_words[v->posting],
        "why", why_json(v), "next", log_next_json(f, v), "system",
        system_of(&f->boot), "boots", (int)f->boots, "boot_line",
        line_number(f->boot.line));

    if (o == NULL) {
        json_decref(units);
        return NULL;
    }
    (void)json_object_set_new(o, "differences", differences_json(units));
    (void)json_object_set_new(o, "units", units);
    (void)json_object_set_new(o, "units_more", json_integer(f->boot.unit_more));
    (void)json_object_set_new(o, "scopes", scopes_json(&f->boot));
    (void)json_object_set_new(o, "options", log_options_json(&f->boot));
    (void)json_object_set_new(o, "notes", log_notes_json(f));
    (void)json_object_set_new(o, "faults", faults_json(f, d));
    (void)json_object_set_new(o, "faults_total", number(f->fault_total));
    (void)json_object_set_new(o, "faults_others", count_json(&f->fault_others));
    (void)json_object_set_new(o, "faults_dma", count_json(&f->fault_dma));
    (void)json_object_set_new(o, "suppressed", number(f->suppressed));
    (void)json_object_set_new(o, "queue_errors", queue_json(f));
    (void)json_object_set_new(o, "lines", lines_json(f));
    return o;
}
