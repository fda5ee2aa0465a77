/* SPDX-License-Identifier: BSD-2-Clause */
/* The report: for people, for programs (JSON), for test suites (TAP). */
#include <jansson.h>
#include <string.h>

#include "engine.h"

enum {
    PLACES_MAX = 256,
};

static struct place places[PLACES_MAX];
static size_t place_count;

static void places_collect(const struct result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct record *r = &results[i].record;

        for (unsigned int k = 0; k < r->count; k++) {
            if (r->findings[k].where != 0 && place_count < PLACES_MAX)
                places[place_count++].address = r->findings[k].where;
        }
    }
    places_find(places, place_count);
}

/* NULL: it has none that is known. */
static const struct place *place_of(const struct finding *f)
{
    for (size_t i = 0; f->where != 0 && i < place_count; i++) {
        if (places[i].address == f->where && places[i].file[0] != '\0')
            return &places[i];
    }
    return NULL;
}

static size_t verdicts(const struct result *results, size_t count,
                       enum verdict verdict)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += record_verdict(&results[i].record) == verdict;
    return n;
}

static const char *severity_of(const struct finding *f)
{
    return f->is_note ? "note" : vtdpi_model_severity_name(f->severity);
}

/*
 * Text.
 */

static const char *paint(bool color, enum verdict v)
{
    static const char *const codes[] = {"\033[32m", "\033[1;31m", "\033[33m"};

    return color ? codes[v] : "";
}

static void text_finding(FILE *out, const struct finding *f)
{
    const struct place *place = place_of(f);

    fprintf(out, "        %s: %s\n", severity_of(f), f->text);
    if (place != NULL)
        fprintf(out, "            at %s, in %s\n", place->file,
                place->function);
    else if (f->where != 0)
        fprintf(out, "            at address %#lx\n", (unsigned long)f->where);
}

static void text_findings(FILE *out, const struct record *r)
{
    for (unsigned int i = 0; i < r->count; i++)
        text_finding(out, &r->findings[i]);
    if (r->lost != 0)
        fprintf(out, "        and %u more\n", r->lost);
}

static void text_result(FILE *out, bool color, const struct result *result)
{
    static const char *const names[] = {"ok", "FAIL", "skip"};
    const struct record *r = &result->record;
    const enum verdict v = record_verdict(r);

    fprintf(out, "  %s%-4s%s  %-18s  %s\n", paint(color, v), names[v],
            color ? "\033[0m" : "", result->phase->name,
            result->phase->question);
    if (v == VERDICT_SKIP)
        fprintf(out, "        %s\n", r->reason);
    text_findings(out, r);
    if (v == VERDICT_FAIL)
        fprintf(out, "        rule: VT-d specification, %s\n",
                result->phase->rule);
}

static bool text_print(FILE *out, bool color, const char *name,
                       const struct result *results, size_t count)
{
    fprintf(out, "%s\n", name);
    for (size_t i = 0; i < count; i++)
        text_result(out, color, &results[i]);
    fprintf(out, "%zu passed, %zu failed, %zu skipped\n",
            verdicts(results, count, VERDICT_PASS),
            verdicts(results, count, VERDICT_FAIL),
            verdicts(results, count, VERDICT_SKIP));
    return fflush(out) == 0;
}

/*
 * TAP.
 */

static bool tap_print(FILE *out, const char *name, const struct result *results,
                      size_t count)
{
    fprintf(out, "TAP version 13\n1..%zu\n# %s\n", count, name);
    for (size_t i = 0; i < count; i++) {
        const struct record *r = &results[i].record;
        const enum verdict v = record_verdict(r);

        fprintf(out, "%s %zu - %s%s%s\n", v == VERDICT_FAIL ? "not ok" : "ok",
                i + 1, results[i].phase->name,
                v == VERDICT_SKIP ? " # SKIP " : "",
                v == VERDICT_SKIP ? r->reason : "");
        for (unsigned int k = 0; k < r->count; k++) {
            const struct place *place = place_of(&r->findings[k]);

            fprintf(out, "# %s: %s%s%s\n", severity_of(&r->findings[k]),
                    r->findings[k].text, place != NULL ? ", at " : "",
                    place != NULL ? place->file : "");
        }
    }
    return fflush(out) == 0;
}

/*
 * JSON. A line of the driver's source may have bytes that are no UTF-8.
 */

static json_t *string_of(const char *text)
{
    json_t *string = json_string(text);

    return string != NULL ? string : json_string("?");
}

static json_t *json_finding(const struct finding *f)
{
    const struct place *place = place_of(f);
    json_t *out = json_object();

    (void)json_object_set_new(out, "severity", string_of(severity_of(f)));
    (void)json_object_set_new(out, "text", string_of(f->text));
    if (place != NULL) {
        (void)json_object_set_new(out, "place", string_of(place->file));
        (void)json_object_set_new(out, "function", string_of(place->function));
    }
    return out;
}

static json_t *json_findings(const struct record *r)
{
    json_t *out = json_array();

    for (unsigned int i = 0; i < r->count; i++)
        (void)json_array_append_new(out, json_finding(&r->findings[i]));
    return out;
}

static json_t *json_result(const struct result *result)
{
    static const char *const names[] = {"pass", "fail", "skip"};
    const struct record *r = &result->record;
    const enum verdict v = record_verdict(r);
    json_t *out = json_object();

    (void)json_object_set_new(out, "name", string_of(result->phase->name));
    (void)json_object_set_new(out, "question",
                              string_of(result->phase->question));
    (void)json_object_set_new(out, "rule", string_of(result->phase->rule));
    (void)json_object_set_new(out, "verdict", string_of(names[v]));
    if (v == VERDICT_SKIP)
        (void)json_object_set_new(out, "reason", string_of(r->reason));
    (void)json_object_set_new(out, "findings", json_findings(r));
    (void)json_object_set_new(out, "more", json_integer(r->lost));
    return out;
}

static bool json_print(FILE *out, const char *name,
                       const struct result *results, size_t count)
{
    json_t *root = json_object();
    json_t *phase_list = json_array();
    bool good;

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(phase_list, json_result(&results[i]));
    (void)json_object_set_new(root, "driver", string_of(name));
    (void)json_object_set_new(root, "phases", phase_list);
    good = json_dumpf(root, out, JSON_INDENT(2)) == 0;
    json_decref(root);
    fputc('\n', out);
    return good && fflush(out) == 0;
}

bool report_print(FILE *out, enum format format, bool color,
                  const char *driver_name, const struct result *results,
                  size_t count)
{
    places_collect(results, count);
    switch (format) {
    case FORMAT_JSON:
        return json_print(out, driver_name, results, count);
    case FORMAT_TAP:
        return tap_print(out, driver_name, results, count);
    case FORMAT_TEXT:
        break;
    }
    return text_print(out, color, driver_name, results, count);
}
