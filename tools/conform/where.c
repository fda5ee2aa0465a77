/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the driver's source, by addr2line of the binutils. */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

enum {
    ASKED_MAX = 128, /* addresses of a command */
};

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
    used =
        (size_t)snprintf(command, sizeof(command),
                         "addr2line -a -i -f -C -e '%s' 2>/dev/null", program);
    for (size_t i = 0; i < count; i++)
        used +=
            (size_t)snprintf(command + used, sizeof(command) - used, " 0x%lx",
                             (unsigned long)(places[i].address - bias));
    return popen(command, "r");
}

/* Unknown is "??"; behind the line number may be a discriminator. */
static void line_tidy(struct line *l)
{
    l->file[strcspn(l->file, " ")] = '\0';
    if (l->file[0] == '?')
        l->file[0] = '\0';
    if (l->function[0] == '?')
        l->function[0] = '\0';
}

/* One line, of which the end is lost if there is no room: names that C++ and Rust make can
 * be of any length. */
static bool text_read(FILE *in, char *text, size_t size)
{
    int c;

    if (fgets(text, (int)size, in) == NULL)
        return false;
    if (strchr(text, '\n') == NULL) {
        do
            c = getc(in);
        while (c != '\n' && c != EOF);
    }
    text[strcspn(text, "\n")] = '\0';
    return true;
}

/* An answer is the address, and then two lines for each function that is inlined there,
 * the innermost first. */
static void answers_read(FILE *in, struct place *places, size_t count)
{
    struct line unwanted;
    struct line l;
    unsigned int k = 0;
    size_t i = 0;

    while (text_read(in, l.function, sizeof(l.function))) {
        if (strncmp(l.function, "0x", 2) == 0) {
            i++;
            k = 0;
        } else if (text_read(in, l.file, sizeof(l.file)) && i != 0 &&
                   i <= count) {
            line_tidy(&l);
            *(k < INLINED_MAX ? &places[i - 1].lines[k++] : &unwanted) = l;
        }
    }
}

/* In parts, since a command has an end. */
void places_find(struct place *places, size_t count)
{
    while (count != 0) {
        const size_t n = count < ASKED_MAX ? count : ASKED_MAX;
        FILE *const in = ask(places, n);

        if (in == NULL)
            return;
        answers_read(in, places, n);
        (void)pclose(in);
        places += n;
        count -= n;
    }
}
