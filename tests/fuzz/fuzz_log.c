/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: any bytes as a log, line by line. The first byte chooses whether lines
 * come as they are or behind a word that makes each line worth a look.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/vtdpi/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly as long as the line: ASan sees a read beyond it. */
static void line_give(struct log_facts *f, const char *front,
                      const uint8_t *text, size_t length, unsigned long number)
{
    const size_t before = strlen(front);
    char *const line = malloc(before + length);

    if (line == NULL)
        return;
    memcpy(line, front, before);
    if (length > 0)
        memcpy(line + before, text, length);
    log_line(f, line, before + length, number);
    free(line);
}

static unsigned long faults_of_groups(const struct log_facts *f)
{
    unsigned long sum = f->fault_others.count;

    for (unsigned int i = 0; i < f->fault_count; i++)
        sum += f->faults[i].count;
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct log_facts facts;
    struct log_facts *const f = &facts;
    const char *const front = size > 0 && (*data & 1) != 0 ? "DMAR: " : "";
    struct log_verdict v;
    unsigned long number = 0;

    log_init(f);
    for (size_t at = 0; at < size;) {
        const uint8_t *const feed = memchr(data + at, '\n', size - at);
        const size_t length =
            feed == NULL ? size - at : (size_t)(feed - data) - at;

        line_give(f, front, data + at, length, ++number);
        at += length + 1;
    }
    log_end(f);
    log_judge(f, &v);
    if (f->lines != number || f->about + f->unknown > number ||
        faults_of_groups(f) != f->fault_total ||
        f->boot.unit_count > LOG_UNITS_MAX || f->fault_count > LOG_FAULTS_MAX ||
        v.why_count > LOG_WHY_MAX || (v.remapping == 0 && v.why_count == 0))
        abort();
    return 0;
}
