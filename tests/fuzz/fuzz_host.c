/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer: any bytes as each of the files that vtdpi host reads, and that vtdpi
 * collect cuts. The first byte chooses the file. fuzz_log.c reads logs. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect_keep.h"
#include "host_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void terminated(const char *name, size_t size)
{
    require(memchr(name, '\0', size) != NULL);
    for (; *name != '\0'; name++)
        require(*name > ' ' && *name < 0x7f);
}

static void debugfs_parse(struct span text)
{
    enum {
        FEW = 3
    };
    struct host_register_set set[FEW];
    struct host_table table[FEW];
    size_t count = host_parse_regset(text, set, FEW);

    require(count <= FEW);
    while (count-- > 0)
        terminated(set[count].name, HOST_NAME);
    count = host_parse_table(text, table, FEW);
    require(count <= FEW);
    while (count-- > 0)
        terminated(table[count].name, HOST_NAME);
}

static void madt_parse(struct span text)
{
    uint8_t ids[4];
    size_t count = SIZE_MAX;

    (void)host_parse_madt((const unsigned char *)text.at, text.length, ids,
                          sizeof(ids), &count);
    require(count <= sizeof(ids));
}

static void small_parse(struct span text)
{
    uint32_t version = 0;
    uint64_t value = 0;
    struct host_options options;
    struct host_cpu cpu;

    if (host_parse_version(text, &version))
        require(version <= 0xff);
    (void)host_parse_bool(text);
    (void)span_hex(text, &value);
    host_parse_cmdline(text, &options);
    host_parse_cpuinfo(text, &cpu);
    if (cpu.vendor[0] != '\0')
        terminated(cpu.vendor, sizeof(cpu.vendor));
}

/* What is kept of a text is not longer than the text and the ends of its lines, and
 * is kept whole if it is cut once more. */
static void keep(struct span text, void (*cut)(struct span text, FILE *to))
{
    char *once = NULL;
    char *twice = NULL;
    size_t length = 0;
    size_t again = 0;
    FILE *to = open_memstream(&once, &length);

    require(to != NULL);
    cut(text, to);
    require(fclose(to) == 0 && length <= 2 * text.length + 1);
    to = open_memstream(&twice, &again);
    require(to != NULL);
    cut((struct span){once, length}, to);
    require(fclose(to) == 0 && again == length &&
            memcmp(once, twice, length) == 0);
    free(once);
    free(twice);
}

static void interrupts_parse(struct span text)
{
    struct host_interrupts i;

    host_parse_interrupts(text, &i);
    for (size_t r = 0; r < ROW_COUNT; r++)
        require(i.has[r] || i.sum[r] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Exactly as long as the text: ASan sees a read beyond it. */
    char *const copy = malloc(size + (size == 0));
    struct span text = {copy, size == 0 ? 0 : size - 1};

    require(copy != NULL);
    if (size > 1)
        memcpy(copy + 1, data + 1, size - 1);
    text.at = copy + (size > 0);
    switch (size == 0 ? 0 : data[0] % 7) {
    case 0:
        debugfs_parse(text);
        break;
    case 1:
        madt_parse(text);
        break;
    case 2:
        small_parse(text);
        break;
    case 3:
        interrupts_parse(text);
        break;
    case 4:
        keep(text, keep_log);
        break;
    case 5:
        keep(text, keep_interrupts);
        break;
    default:
        keep(text, keep_cmdline);
        keep(text, keep_cpuinfo);
        break;
    }
    free(copy);
    return 0;
}
