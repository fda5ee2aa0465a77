/* SPDX-License-Identifier: BSD-2-Clause */
/* The report: for people, for programs (JSON), for test suites (TAP). */
#include <jansson.h>
#include <string.h>

#include "engine.h"

enum {
    PLACES_MAX = 512,
    CALLERS_MAX = 4, /* that are told */
};

static struct place places[PLACES_MAX];
static size_t place_count;

static const struct place *place_at(uintptr_t address)
{
    for (size_t i = 0; i < place_count; i++) {
        if (places[i].address == address)
            return &places[i];
    }
    return NULL;
}

static void place_add(uintptr_t address)
{
    if (address != 0 && place_count < PLACES_MAX && place_at(address) == NULL)
        places[place_count++].address = address;
}

static void places_collect(const struct result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct record *r = &results[i].record;

        for (unsigned int k = 0; k < r->count; k++) {
            for (unsigned int n = 0; n < FRAMES_MAX; n++)
                place_add(r->findings[k].where[n]);
        }
    }
    places_find(places, place_count);
}

/* Known, and not of Rust's own library: pointers are read and written in there. */
static bool line_is_told(const struct line *l)
{
    return l->file[0] != '\0' && strncmp(l->file, "/rustc/", 7) != 0;
}

/* The lines of a finding that are told, the innermost first. Returns how many. */
static unsigned int lines_of(const struct finding *f,
                             const struct line *lines[CALLERS_MAX + 1])
{
    unsigned int count = 0;

    for (unsigned int n = 0; n < FRAMES_MAX && f->where[n] != 0; n++) {
        const struct place *const p = place_at(f->where[n]);

        for (unsigned int k = 0;
             p != NULL && k < INLINED_MAX && count <= CALLERS_MAX; k++) {
            if (line_is_told(&p->lines[k]))
                lines[count++] = &p->lines[k];
        }
    }
    return count;
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
    const struct line *lines[CALLERS_MAX + 1];
    const unsigned int count = lines_of(f, lines);

    fprintf(out, "        %s: %s\n", severity_of(f), f->text);
    for (unsigned int i = 0; i < count; i++)
        fprintf(out, "            %s %s, in %s\n", i == 0 ? "at" : "by",
                lines[i]->file, lines[i]->function);
    if (count == 0 && f->where[0] != 0)
        fprintf(out, "            at address %#lx\n",
                (unsigned long)f->where[0]);
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

static void tap_finding(FILE *out, const struct finding *f)
{
    const struct line *lines[CALLERS_MAX + 1];
    const unsigned int count = lines_of(f, lines);

    fprintf(out, "# %s: %s", severity_of(f), f->text);
    for (unsigned int i = 0; i < count; i++)
        fprintf(out, ", %s %s", i == 0 ? "at" : "by", lines[i]->file);
    fputc('\n', out);
}

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
        for (unsigned int k = 0; k < r->count; k++)
            tap_finding(out, &r->findings[k]);
        if (v == VERDICT_FAIL)
            fprintf(out, "# rule: VT-d specification, %s\n",
                    results[i].phase->rule);
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

static void json_line(json_t *out, const struct line *l)
{
    (void)json_object_set_new(out, "place", string_of(l->file));
    (void)json_object_set_new(out, "function", string_of(l->function));
}

static json_t *json_callers(const struct line *const *lines, unsigned int count)
{
    json_t *out = json_array();

    for (unsigned int i = 0; i < count; i++) {
        json_t *caller = json_object();

        json_line(caller, lines[i]);
        (void)json_array_append_new(out, caller);
    }
    return out;
}

static json_t *json_finding(const struct finding *f)
{
    const struct line *lines[CALLERS_MAX + 1];
    const unsigned int count = lines_of(f, lines);
    json_t *out = json_object();

    (void)json_object_set_new(out, "severity", string_of(severity_of(f)));
    (void)json_object_set_new(out, "text", string_of(f->text));
    if (count != 0) {
        json_line(out, lines[0]);
        (void)json_object_set_new(out, "callers",
                                  json_callers(lines + 1, count - 1));
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
