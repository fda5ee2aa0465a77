/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: any bytes as a file for vtdpi dmar, and as the structures of a table, in
 * binary and as a dump. The finding of the library's check has to be among the
 * problems.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/vtdpi/dmar_file.h"
#include "../../tools/vtdpi/dmar_text.h"

#include "dmar_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text goes nowhere. */
static void quiet(void)
{
    static bool done;

    if (!done && freopen("/dev/null", "w", stdout) == NULL)
        abort();
    done = true;
}

static bool finding_is_there(const json_t *report)
{
    const json_t *const check = json_object_get(report, "check");
    const json_t *const problems = json_object_get(report, "problems");
    size_t i;
    json_t *p;

    if (json_is_null(check))
        return true;
    json_array_foreach(problems, i, p)
    {
        if (json_equal(json_object_get(p, "offset"),
                       json_object_get(check, "offset")))
            return true;
    }
    return false;
}

/* Whether there was a table. */
static bool look(const uint8_t *bytes, size_t size)
{
    struct input_fault fault;
    struct dmar_file file;
    json_t *report;

    if (!dmar_parse(bytes, size, &file, &fault)) {
        if (fault.text[0] == '\0')
            abort();
        return false;
    }
    report = dmar_report(&file);
    if (report == NULL || !finding_is_there(report))
        abort();
    dmar_print(report);
    json_decref(report);
    dmar_drop(&file);
    return true;
}

/* The same as a dump. */
static void look_at_dump(const uint8_t *table, size_t size)
{
    char *const text = malloc(size * 5 + 64);
    size_t used = 0;

    if (text == NULL)
        return;
    for (size_t i = 0; i < size; i++) {
        if (i % 16 == 0)
            used += (size_t)sprintf(text + used, "\n%04zx:", i);
        used += (size_t)sprintf(text + used, " %02x", table[i]);
    }
    if (!look((const uint8_t *)text, used))
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dmar_build header;
    uint8_t *table;

    quiet();
    (void)look(data, size);
    dmar_begin(&header, 1, 39);
    table = malloc(header.length + size);
    if (table == NULL)
        return 0;
    memcpy(table, header.bytes, header.length);
    if (size > 0)
        memcpy(table + header.length, data, size);
    dmar_seal(table, header.length + size);
    if (!look(table, header.length + size))
        abort();
    look_at_dump(table, header.length + size);
    free(table);
    return 0;
}
