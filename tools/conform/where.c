/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the driver's source, by addr2line of the binutils. */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

/* How far the program lies from where it was linked to. */
static int take_first(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    *(uintptr_t *)bias = info->dlpi_addr;
    return 1;
}

static uintptr_t load_bias(void)
{
    uintptr_t bias = 0;

    (void)dl_iterate_phdr(take_first, &bias);
    return bias;
}

/* Opens addr2line with a question for each address. The program's name may have any
 * character but a quote. */
static FILE *ask(const struct place *places, size_t count)
{
    const uintptr_t bias = load_bias();
    char program[512];
    char command[4096];
    ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    size_t used;

    if (n <= 0 || memchr(program, '\'', (size_t)n) != NULL)
        return NULL;
    program[n] = '\0';
    used = (size_t)snprintf(command, sizeof(command),
                            "addr2line -f -C -e '%s' 2>/dev/null", program);
    for (size_t i = 0; i < count && used + 20 < sizeof(command); i++)
        used +=
            (size_t)snprintf(command + used, sizeof(command) - used, " 0x%lx",
                             (unsigned long)(places[i].address - bias));
    return popen(command, "r");
}

static bool line_read(FILE *in, char *line, size_t size)
{
    if (fgets(line, (int)size, in) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

/* Unknown is "??"; behind the line number may be a discriminator. */
static void place_tidy(struct place *p)
{
    p->file[strcspn(p->file, " ")] = '\0';
    if (p->file[0] == '?')
        p->file[0] = '\0';
    if (p->function[0] == '?')
        p->function[0] = '\0';
}

void places_find(struct place *places, size_t count)
{
    FILE *in = count != 0 ? ask(places, count) : NULL;

    if (in == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!line_read(in, places[i].function, sizeof(places[i].function)) ||
            !line_read(in, places[i].file, sizeof(places[i].file)))
            break;
        place_tidy(&places[i]);
    }
    (void)pclose(in);
}
