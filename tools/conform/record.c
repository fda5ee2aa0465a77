/* SPDX-License-Identifier: BSD-2-Clause */
/* What a phase finds, written into memory that the parent shares. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

struct record *record;

static bool has_findings(const struct record *r)
{
    for (unsigned int i = 0; i < r->count; i++) {
        if (!r->findings[i].is_note)
            return true;
    }
    return r->lost != 0;
}

bool has_failed(void)
{
    return has_findings(record);
}

enum verdict record_verdict(const struct record *r)
{
    if (has_findings(r))
        return VERDICT_FAIL;
    return r->skipped ? VERDICT_SKIP : VERDICT_PASS;
}

/* NULL: no room. */
static struct finding *finding_new(void)
{
    if (record->count == FINDINGS_MAX) {
        record->lost++;
        return NULL;
    }
    return &record->findings[record->count++];
}

static struct finding *add(uintptr_t where, enum vtdpi_model_severity severity,
                           const char *format, va_list arguments)
{
    struct finding *f = finding_new();

    if (f == NULL)
        return NULL;
    memset(f, 0, sizeof(*f));
    f->severity = severity;
    f->where[0] = where;
    (void)vsnprintf(f->text, sizeof(f->text), format, arguments);
    return f;
}

/* Parts of a phase often come to the same line, in the same way. */
static void once(const struct finding *latest)
{
    for (const struct finding *f = record->findings; f != latest; f++) {
        if (f->severity == latest->severity && f->is_note == latest->is_note &&
            strcmp(f->text, latest->text) == 0 &&
            memcmp(f->where, latest->where, sizeof(f->where)) == 0) {
            record->count--;
            return;
        }
    }
}

void find_where(uintptr_t where, enum vtdpi_model_severity severity,
                const char *format, ...)
{
    struct finding *f;
    va_list arguments;

    va_start(arguments, format);
    f = add(where, severity, format, arguments);
    va_end(arguments);
    if (f == NULL)
        return;
    frames_find(where, f->where);
    once(f);
}

void trace_take(struct trace *t)
{
    memset(t, 0, sizeof(*t));
    frames_find(driver_was_at(), t->frames);
}

void find_trace(const struct trace *t, enum vtdpi_model_severity severity,
                const char *format, ...)
{
    struct finding *f;
    va_list arguments;

    va_start(arguments, format);
    f = add(0, severity, format, arguments);
    va_end(arguments);
    if (f == NULL)
        return;
    memcpy(f->where, t->frames, sizeof(f->where));
    once(f);
}

void find(enum vtdpi_model_severity severity, const char *format, ...)
{
    struct finding *f;
    va_list arguments;

    va_start(arguments, format);
    f = add(0, severity, format, arguments);
    va_end(arguments);
    if (f != NULL)
        once(f);
}

void note(const char *format, ...)
{
    struct finding *f;
    va_list arguments;

    if (record->count == FINDINGS_MAX)
        return; /* a note is never counted as lost */
    va_start(arguments, format);
    f = add(0, VTDPI_MODEL_HARMLESS, format, arguments);
    va_end(arguments);
    f->is_note = true;
    once(f);
}

unsigned int findings_made(void)
{
    return record->count + record->lost;
}

_Noreturn void end_phase(void)
{
    record->ended = true;
    _exit(0);
}

_Noreturn void skip(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(record->reason, sizeof(record->reason), format, arguments);
    va_end(arguments);
    record->skipped = true;
    end_phase();
}
