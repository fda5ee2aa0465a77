/* SPDX-License-Identifier: BSD-2-Clause */
/* Files as lines or as a whole, and numbers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

enum {
    TEXT_LOOK = 4096, /* bytes that tell whether a file is text */
};

/* A digit's value, or -1. */
static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool word_parse(const char *text, uint64_t *word)
{
    uint64_t value = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        const int d = digit(*text);

        if (d < 0 || value >> 60 != 0)
            return false;
        value = value << 4 | (uint64_t)d;
    }
    *word = value;
    return true;
}

bool number_parse(const char *text, uint64_t *number)
{
    char *end;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return word_parse(text, number);
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

const char *input_name(const char *name)
{
    return strcmp(name, "-") == 0 ? "standard input" : name;
}

struct magic {
    const char *begin;
    size_t length;
    const char *is;
};

static const struct magic magics[] = {
    {"\x1f\x8b", 2, "compressed by gzip"},
    {"\xfd"
     "7zXZ",
     5, "compressed by xz"},
    {"\x28\xb5\x2f\xfd", 4, "compressed by zstd"},
    {"BZh", 3, "compressed by bzip2"},
    {"PK\x03\x04", 4, "an archive of zip"},
    {"\xff\xfe", 2, "text in UTF-16 (iconv -f UTF-16 makes it readable)"},
    {"\xfe\xff", 2, "text in UTF-16 (iconv -f UTF-16 makes it readable)"},
    {"\x7f"
     "ELF",
     4, "a program"},
    {"LPKSHHRH", 8, "a journal of systemd (journalctl --file prints it)"},
};

const char *foreign_form(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        if (size >= magics[i].length &&
            memcmp(bytes, magics[i].begin, magics[i].length) == 0)
            return magics[i].is;
    }
    return NULL;
}

size_t text_mark(const unsigned char *bytes, size_t size)
{
    return size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

const char *not_text(const unsigned char *bytes, size_t size)
{
    const char *const form = foreign_form(bytes, size);

    if (form != NULL)
        return form;
    for (size_t i = 0; i < size && i < TEXT_LOOK; i++) {
        if (bytes[i] == '\0' || bytes[0] == 0xff ||
            (bytes[i] < 0x20 && strchr("\t\r\n\f\033", bytes[i]) == NULL))
            return "binary";
    }
    return NULL;
}

/* -1 having complained. */
static int input_open(const char *name)
{
    int fd;

    if (strcmp(name, "-") == 0)
        return STDIN_FILENO;
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        (void)complain(STATUS_INPUT, "%s: %s", name, strerror(errno));
    return fd;
}

static void input_close(int fd)
{
    if (fd != STDIN_FILENO)
        (void)close(fd);
}

static ssize_t read_some(int fd, void *to, size_t size)
{
    ssize_t n;

    do {
        n = read(fd, to, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Room for a whole line behind what one read gives, and for a terminator. */
enum {
    BUFFER_BYTES = 4 * LINE_BYTES,
    WHOLE_BYTES = 65536, /* room for a whole file, at first */
};

int lines_open(struct lines *l, const char *name)
{
    memset(l, 0, sizeof(*l));
    l->name = input_name(name);
    l->fd = input_open(name);
    if (l->fd < 0)
        return STATUS_INPUT;
    l->buffer = malloc(BUFFER_BYTES + 1);
    if (l->buffer == NULL) {
        input_close(l->fd);
        return complain(STATUS_INPUT, "no memory");
    }
    return 0;
}

/* More bytes behind what is left, which moves to the front. */
static void refill(struct lines *l)
{
    ssize_t n;

    memmove(l->buffer, l->buffer + l->begin, l->end - l->begin);
    l->end -= l->begin;
    l->begin = 0;
    n = read_some(l->fd, l->buffer + l->end, BUFFER_BYTES - l->end);
    if (n > 0) {
        if (l->number == 0 && l->end == 0)
            l->not_text = not_text((const unsigned char *)l->buffer, (size_t)n);
        l->end += (size_t)n;
        return;
    }
    l->ended = true;
    l->error = n < 0 ? errno : 0;
}

/* Passes over the rest of a line that is too long. */
static void skip_rest(struct lines *l)
{
    for (;;) {
        char *const feed =
            memchr(l->buffer + l->begin, '\n', l->end - l->begin);

        if (feed != NULL) {
            l->begin = (size_t)(feed - l->buffer) + 1;
            return;
        }
        l->begin = l->end;
        if (l->ended)
            return;
        refill(l);
    }
}

static void line_take(struct lines *l, size_t length)
{
    l->text = l->buffer + l->begin;
    l->number++;
    while (length > 0 && l->text[length - 1] == '\r')
        length--;
    l->length = length;
    l->text[length] = '\0';
}

bool lines_next(struct lines *l)
{
    for (;;) {
        const size_t have = l->end - l->begin;
        char *const feed = memchr(l->buffer + l->begin, '\n', have);
        const size_t length =
            feed != NULL ? (size_t)(feed - l->buffer) - l->begin : have;

        l->cut = length > LINE_BYTES;
        if (l->cut) {
            /* The text stays where it is while the rest is passed over: the
             * buffer's first part is not read into. */
            static char first[LINE_BYTES + 1];

            memcpy(first, l->buffer + l->begin, LINE_BYTES);
            skip_rest(l);
            l->text = first;
            l->length = LINE_BYTES;
            first[LINE_BYTES] = '\0';
            l->number++;
            return true;
        }
        if (feed != NULL || (l->ended && have > 0)) {
            line_take(l, length);
            l->begin += length + (feed != NULL);
            return true;
        }
        if (l->ended)
            return false;
        refill(l);
    }
}

void lines_close(struct lines *l)
{
    input_close(l->fd);
    free(l->buffer);
    l->buffer = NULL;
}

struct whole {
    unsigned char *bytes;
    size_t have;
    size_t room; /* at most one byte more than a file may have */
};

static int whole_grow(struct whole *w, size_t max)
{
    size_t room = w->room == 0 ? WHOLE_BYTES : 2 * w->room;
    unsigned char *more;

    if (room > max)
        room = max + 1;
    more = realloc(w->bytes, room);
    if (more == NULL)
        return complain(STATUS_INPUT, "no memory");
    w->bytes = more;
    w->room = room;
    return 0;
}

/* Returns 0 at the end of the file. */
static int whole_read(struct whole *w, int fd, const char *name, size_t max)
{
    ssize_t n;

    do {
        if (w->have > max)
            return complain(STATUS_INPUT, "%s: more than %zu bytes", name, max);
        if (w->have == w->room && whole_grow(w, max) != 0)
            return STATUS_INPUT;
        n = read_some(fd, w->bytes + w->have, w->room - w->have);
        if (n < 0)
            return complain(STATUS_INPUT, "%s: %s", name, strerror(errno));
        w->have += (size_t)n;
    } while (n > 0);
    return 0;
}

unsigned char *file_read(const char *name, size_t max, size_t *size)
{
    const int fd = input_open(name);
    struct whole w = {0};
    int status;

    if (fd < 0)
        return NULL;
    status = whole_read(&w, fd, input_name(name), max);
    input_close(fd);
    if (status != 0) {
        free(w.bytes);
        return NULL;
    }
    *size = w.have;
    return w.bytes;
}
