/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The timeline: a line an event, with the vCPU that each pCPU runs. Events can
 * lie between the atomic steps of another one; their lines come after the line
 * of that one, marked "+".
 */

#include "demo.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOLD   "1"
#define DIM    "2"
#define RED    "1;31"
#define GREEN  "32"
#define YELLOW "33"
#define CYAN   "36"

bool timeline_wants_colour(void)
{
    const char *const no = getenv("NO_COLOR");
    const char *const term = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

/* Text, padded to a width, in a colour if there is any. */
static void put(const struct demo *d, const char *colour, int width,
                const char *text)
{
    if (d->colour && text[0] != '\0')
        printf("\033[%sm%-*s\033[0m", colour, width, text);
    else
        printf("%-*s", width, text);
}

void put_fields(const char *line)
{
    enum {
        WIDTH = 90
    };

    while (strlen(line) > WIDTH) {
        size_t n = WIDTH;

        while (n > 1 && line[n] != ' ')
            n--;
        printf("    %.*s\n", (int)n, line);
        line += n + 1;
    }
    printf("    %s\n", line);
}

void put_heading(const struct demo *d, const char *text)
{
    put(d, BOLD, 0, text);
    putchar('\n');
}

void put_result(const struct demo *d, bool good, const char *text)
{
    put(d, good ? GREEN : RED, 0, text);
    putchar('\n');
}

void timeline_start(struct demo *d)
{
    struct timeline *const t = &d->timeline;

    *t = (struct timeline){.show = d->options.show};
    if (t->show == 0)
        return;
    puts("p0 to p3: the vCPU in the guest there (-: offline). +: between two "
         "atomic steps of the\nline above. ANV, WNV: active and wakeup "
         "notification; none: not sent, since SN (suppress)\nor ON (one is "
         "outstanding) is set.\n");
    put_heading(d, "  event  p0 p1 p2 p3  who     what happens                "
                   "       what follows");
}

void timeline_end(const struct demo *d)
{
    const struct timeline *const t = &d->timeline;

    if (t->show != 0 && t->events > t->shown)
        printf("    ...  and %" PRIu64 " more; --all shows them\n",
               t->events - t->shown);
}

/* Compose. */

static void append(char *text, size_t size, const char *format, va_list args)
{
    const size_t used = strlen(text);

    (void)vsnprintf(text + used, size - used, format, args);
}

void line_begin(struct demo *d, struct line *l, const char *who, ...)
{
    va_list args;

    *l = (struct line){.outer = d->timeline.current};
    d->timeline.current = l;
    va_start(args, who);
    append(l->who, sizeof(l->who), who, args);
    va_end(args);
}

void line_what(struct demo *d, const char *format, ...)
{
    struct line *const l = d->timeline.current;
    va_list args;

    if (l == NULL)
        return;
    l->in_then = false;
    va_start(args, format);
    append(l->what, sizeof(l->what), format, args);
    va_end(args);
}

void line_then(struct demo *d, const char *format, ...)
{
    struct line *const l = d->timeline.current;
    va_list args;

    if (l == NULL)
        return;
    l->in_then = true;
    if (l->then[0] != '\0')
        strncat(l->then, ", ", sizeof(l->then) - strlen(l->then) - 1);
    va_start(args, format);
    append(l->then, sizeof(l->then), format, args);
    va_end(args);
}

void line_vectors(struct demo *d, const uint64_t set[VTDPI_PIR_WORDS])
{
    struct line *const l = d->timeline.current;
    char *text;
    size_t size;

    if (l == NULL)
        return;
    text = l->in_then ? l->then : l->what;
    size = l->in_then ? sizeof(l->then) : sizeof(l->what);
    for (unsigned int v = 0; v < VECTORS; v++) {
        const size_t used = strlen(text);

        if ((set[v / 64] >> v % 64 & 1) != 0)
            (void)snprintf(text + used, size - used, " %02x", v);
    }
}

void line_none(struct demo *d, const struct vcpu *v)
{
    const uint64_t control = machine_pid(d, v->pda)->control;

    if ((control & VTDPI_PID_ON) != 0)
        line_then(d, "none: ON");
    else if ((control & VTDPI_PID_SN) != 0)
        line_then(d, "none: SN");
    else
        line_then(d, "none");
}

/* Print. */

static void put_lanes(const struct demo *d)
{
    char text[8];

    for (unsigned int i = 0; i < PCPUS; i++) {
        if (d->pcpu[i].in_guest)
            (void)snprintf(text, sizeof(text), "v%u",
                           d->pcpu[i].running->number);
        else
            (void)snprintf(text, sizeof(text), "%s",
                           d->pcpu[i].offline ? "-" : ".");
        put(d, d->pcpu[i].in_guest ? GREEN : DIM, 3, text);
    }
}

static void put_text(const struct demo *d, const struct line *l)
{
    const bool wakes =
        strstr(l->then, "wakes") != NULL || strstr(l->then, "WNV") != NULL;

    putchar(' ');
    put(d, CYAN, 7, l->who);
    putchar(' ');
    if (l->then[0] == '\0') {
        printf("%s\n", l->what);
        return;
    }
    printf("%-34s ", l->what);
    put(d, wakes ? YELLOW : DIM, 0, l->then);
    putchar('\n');
}

/* One event that comes seldom is shown in any case. */
static bool is_shown(struct timeline *t, const struct line *l)
{
    const bool late = t->events > t->show;

    if (late && (t->show == 0 || !l->notable || t->notable_shown))
        return false;
    if (late)
        puts("    ...");
    t->notable_shown |= l->notable;
    t->shown++;
    return true;
}

void line_end(struct demo *d, struct line *l)
{
    struct timeline *const t = &d->timeline;

    t->current = l->outer;
    if (l->outer != NULL) {
        if (t->between_count < LINES_BETWEEN)
            t->between[t->between_count++] = *l;
        return;
    }
    t->events++;
    if (is_shown(t, l)) {
        printf("%7" PRIu64 "  ", t->events);
        put_lanes(d);
        put_text(d, l);
        for (unsigned int i = 0; i < t->between_count; i++) {
            printf("      +              ");
            put_text(d, &t->between[i]);
        }
    }
    t->between_count = 0;
}
