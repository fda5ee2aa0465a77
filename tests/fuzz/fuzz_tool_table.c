/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: any bytes as a file for vtdpi table, and as a table that is known to be
 * binary. The first byte chooses the options.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../tools/vtdpi/table_dump.h"
#include "../../tools/vtdpi/table_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text goes nowhere. */
static void quiet(void)
{
    static bool done;

    if (!done && freopen("/dev/null", "w", stdout) == NULL)
        abort();
    done = true;
}

static void look(const uint8_t *data, size_t size, bool raw,
                 const struct table_rules *rules)
{
    struct input_fault fault;
    struct table_dump dump;
    json_t *report;

    if (!table_parse(data, size, raw, &dump, &fault)) {
        if (fault.text[0] == '\0')
            abort();
        return;
    }
    report = table_report(&dump, rules);
    if (report == NULL ||
        json_array_size(json_object_get(report, "entries")) != dump.entry_count)
        abort();
    table_print(report);
    json_decref(report);
    table_drop(&dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table_rules rules = {MODE_AUTO, 64};

    quiet();
    if (size == 0)
        return 0;
    rules.mode = (enum table_mode)(data[0] % 3);
    rules.haw = data[0] / 3 % 64 + 1;
    look(data + 1, size - 1, false, &rules);
    look(data + 1, (size - 1) / 16 * 16, true, &rules);
    return 0;
}
