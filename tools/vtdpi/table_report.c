/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of vtdpi table: a dump and what is wrong in it, as JSON. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "problem.h"
#include "table_dump.h"
#include "table_lint.h"
#include "table_text.h"
#include "tool.h"
#include "vtdpi/format.h"

static const char *delivery_name(unsigned int dlm)
{
    static const char *const names[] = {"fixed", "lowest", "SMI", NULL,
                                        "NMI",   "INIT",   NULL,  "ExtINT"};

    return names[dlm & 7] != NULL ? names[dlm & 7] : "reserved";
}

/* Fields of an entry in remapped format. */
static void remapped_json(json_t *object, const struct table_entry *e,
                          enum vtdpi_apic_mode mode)
{
    struct vtdpi_irte_remapped r;

    if (vtdpi_irte_decode_remapped(&e->irte, mode, &r) != 0)
        return;
    (void)json_object_set_new(object, "vector", json_integer(r.vector));
    (void)json_object_set_new(object, "destination", json_word(r.dst));
    (void)json_object_set_new(object, "delivery",
                              json_string(delivery_name(r.dlm)));
    (void)json_object_set_new(object, "logical", json_boolean(r.dm));
    (void)json_object_set_new(object, "level", json_boolean(r.tm));
}

/* Fields of an entry in posted format. */
static void posted_json(json_t *object, const struct table_entry *e)
{
    struct vtdpi_irte_posted p;

    if (vtdpi_irte_decode_posted(&e->irte, &p) != 0)
        return;
    (void)json_object_set_new(object, "vector", json_integer(p.vector));
    (void)json_object_set_new(object, "pda", json_word(p.pda));
    (void)json_object_set_new(object, "urgent", json_boolean(p.urgent));
}

static json_t *entry_json(const struct table_dump *d,
                          const struct table_entry *e,
                          const struct table_rules *rules)
{
    const enum vtdpi_apic_mode mode =
        rules->mode == MODE_XAPIC ? VTDPI_XAPIC : VTDPI_X2APIC;
    const bool posted = vtdpi_irte_is_posted(&e->irte);
    char source[TABLE_SOURCE_MAX];
    char line[VTDPI_FORMAT_MAX];
    json_t *object;

    table_source(e, source);
    (void)vtdpi_format_irte(line, sizeof(line), &e->irte, mode, rules->haw);
    object = json_pack(
        "{s:s, s:I, s:I, s:b, s:s, s:s, s:o, s:o, s:s}", "unit",
        d->units[e->unit].name, "index", (json_int_t)e->index, "line",
        (json_int_t)e->line, "present", table_is_present(e), "format",
        posted ? "posted" : "remapped", "source", source, "high",
        json_word(e->irte.hi), "low", json_word(e->irte.lo), "text", line);
    if (posted)
        posted_json(object, e);
    else
        remapped_json(object, e, mode);
    return object;
}

static json_t *unit_json(const struct table_unit *u)
{
    static const char *const known[] = {
        [KNOWN_NOT] = NULL, [KNOWN_NO] = "no", [KNOWN_YES] = "yes"};

    return json_pack("{s:s, s:I, s:I, s:s?, s:o?}", "name", u->name, "entries",
                     (json_int_t)u->count, "size", (json_int_t)u->size,
                     "posting", known[u->posting], "address",
                     u->address != 0 ? json_word(u->address) : NULL);
}

struct device {
    uint16_t unit;
    char source[TABLE_SOURCE_MAX];
    json_int_t remapped;
    json_int_t posted;
};

static int by_device(const void *a, const void *b)
{
    const struct device *const x = a;
    const struct device *const y = b;

    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return strcmp(x->source, y->source);
}

/* One for each entry, sorted; then those of one device become one. */
static size_t devices_count(const struct table_dump *d, struct device *list)
{
    size_t count = 0;
    size_t devices = 0;

    for (size_t i = 0; i < d->entry_count; i++) {
        const struct table_entry *const e = &d->entries[i];
        const bool posted = vtdpi_irte_is_posted(&e->irte);

        if (!table_is_present(e))
            continue;
        list[count] = (struct device){e->unit, "", !posted, posted};
        table_source(e, list[count++].source);
    }
    qsort(list, count, sizeof(list[0]), by_device);
    for (size_t i = 0; i < count; i++) {
        if (devices == 0 || by_device(&list[devices - 1], &list[i]) != 0) {
            list[devices++] = list[i];
        } else {
            list[devices - 1].remapped += list[i].remapped;
            list[devices - 1].posted += list[i].posted;
        }
    }
    return devices;
}

static json_t *devices_json(const struct table_dump *d)
{
    struct device *const list = calloc(d->entry_count + 1, sizeof(list[0]));
    json_t *const array = json_array();
    const size_t count = list == NULL ? 0 : devices_count(d, list);

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(
            array,
            json_pack("{s:s, s:s, s:I, s:I}", "unit",
                      d->units[list[i].unit].name, "source", list[i].source,
                      "remapped", list[i].remapped, "posted", list[i].posted));
    free(list);
    return array;
}

static json_t *totals_json(const struct table_dump *d)
{
    json_int_t tally[2] = {0};
    json_int_t present = 0;

    for (size_t i = 0; i < d->entry_count; i++) {
        if (!table_is_present(&d->entries[i]))
            continue;
        present++;
        tally[vtdpi_irte_is_posted(&d->entries[i].irte)]++;
    }
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I}", "entries", (json_int_t)d->entry_count,
        "present", present, "remapped", tally[0], "posted", tally[1], "lines",
        (json_int_t)d->lines, "other_lines", (json_int_t)d->other_lines);
}

json_t *table_report(const struct table_dump *d,
                     const struct table_rules *given)
{
    struct table_rules rules = *given;
    json_t *const units = json_array();
    json_t *const entries = json_array();
    json_t *problems;

    if (rules.mode == MODE_AUTO)
        rules.mode = table_mode_guess(d);
    problems = table_lint(d, &rules);
    for (size_t i = 0; i < d->unit_count; i++)
        (void)json_array_append_new(units, unit_json(&d->units[i]));
    for (size_t i = 0; i < d->entry_count; i++)
        (void)json_array_append_new(entries,
                                    entry_json(d, &d->entries[i], &rules));
    return json_pack(
        "{s:s, s:s, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "form", d->form,
        "mode", rules.mode == MODE_XAPIC ? "xAPIC" : "x2APIC", "mode_given",
        given->mode != MODE_AUTO, "host_address_width", (int)rules.haw,
        "totals", totals_json(d), "units", units, "entries", entries, "devices",
        devices_json(d), "counts", problems_counts(problems), "problems",
        problems);
}
