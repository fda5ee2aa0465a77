/* SPDX-License-Identifier: BSD-2-Clause */
/* From the boot code to main(). */

#include "internal.h"

#define MULTIBOOT_LOADER  0x2badb002u
#define MULTIBOOT_CMDLINE 0x04u
#define DISK_LOADER       0x6b736964u /* mbr.S */
#define COMMAND_LINE_MAX  256

#define PIC_1_MASK        0x21
#define PIC_2_MASK        0xa1

static char command_line[COMMAND_LINE_MAX];

void runtime_main(uint32_t magic, uint32_t information);

static void copy_command_line(uint32_t magic, uint32_t information)
{
    const uint32_t *mbi = (const uint32_t *)(uintptr_t)information;
    const char *text = "";

    if (magic == DISK_LOADER)
        text = (const char *)(uintptr_t)information;
    else if (magic == MULTIBOOT_LOADER && (mbi[0] & MULTIBOOT_CMDLINE) != 0)
        text = (const char *)(uintptr_t)mbi[4];
    for (size_t i = 0; i < COMMAND_LINE_MAX - 1 && text[i] != '\0'; i++)
        command_line[i] = text[i];
}

bool command_line_has(const char *line, const char *word)
{
    while (*line != '\0') {
        const char *w = word;

        while (*w != '\0' && *line == *w) {
            line++;
            w++;
        }
        if (*w == '\0' && (*line == '\0' || *line == ' '))
            return true;
        while (*line != '\0' && *line != ' ')
            line++;
        while (*line == ' ')
            line++;
    }
    return false;
}

void runtime_main(uint32_t magic, uint32_t information)
{
    copy_command_line(magic, information);
    console_start();
    cpu_start_boot();
    trap_start();
    out8(PIC_1_MASK, 0xff);
    out8(PIC_2_MASK, 0xff);
    clock_start();
    (void)main(command_line);
    finish();
}
