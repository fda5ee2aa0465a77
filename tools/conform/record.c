/* SPDX-License-Identifier: BSD-2-Clause */
/* What a phase finds, written into memory that the parent shares. */
#include <stdio.h>
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

static void find_at(uintptr_t where, enum vtdpi_model_severity severity,
                    const char *format, va_list arguments)
{
    struct finding *f = finding_new();

    if (f == NULL)
        return;
    f->severity = severity;
    f->where[0] = where;
    (void)vsnprintf(f->text, sizeof(f->text), format, arguments);
}

void find_where(uintptr_t where, enum vtdpi_model_severity severity,
                const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    find_at(where, severity, format, arguments);
    va_end(arguments);
    if (record->lost == 0)
        frames_find(where, record->findings[record->count - 1].where);
}

void find(enum vtdpi_model_severity severity, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    find_at(0, severity, format, arguments);
    va_end(arguments);
}

void note(const char *format, ...)
{
    va_list arguments;

    if (record->count == FINDINGS_MAX)
        return; /* a note is never counted as lost */
    va_start(arguments, format);
    find_at(0, VTDPI_MODEL_HARMLESS, format, arguments);
    va_end(arguments);
    record->findings[record->count - 1].is_note = true;
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
