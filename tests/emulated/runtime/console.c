/* SPDX-License-Identifier: BSD-2-Clause */
/* Serial output, results, and the end. */

#include <stdarg.h>

#include "internal.h"

#define COM1          0x3f8
#define COM_LCR       3
#define COM_LSR       5
#define LCR_8N1       0x03
#define LCR_DLAB      0x80
#define LSR_THRE      0x20
#define LSR_TEMT      0x40

#define DEBUG_CONSOLE 0xe9

#define LINE_MAX      512

#define QEMU_EXIT     0xf4
#define QEMU_PASSED   0x10 /* status 33 */
#define QEMU_FAILED   0x11 /* status 35 */
#define BOCHS_EXIT    0x8900

static struct {
    bool locked;
    bool strict;
    unsigned int passed;
    unsigned int failed;
} console;

void console_start(void)
{
    /* Bochs obeys the line control register, and its reset value means five
     * bits. */
    out8(COM1 + COM_LCR, LCR_DLAB | LCR_8N1);
    out8(COM1, 1); /* 115200 */
    out8(COM1 + 1, 0);
    out8(COM1 + COM_LCR, LCR_8N1);
}

static void put(char c)
{
    while ((in8(COM1 + COM_LSR) & LSR_THRE) == 0)
        pause();
    out8(COM1, (uint8_t)c);
}

static void put_text(const char *text)
{
    for (; *text != '\0'; text++)
        put(*text);
}

/* A line under way. */
struct line {
    char text[LINE_MAX];
    size_t length;
};

static void add(struct line *line, char c)
{
    if (line->length < sizeof(line->text) - 1)
        line->text[line->length++] = c;
}

static void add_number(struct line *line, uint64_t n, unsigned int base,
                       int width, char pad)
{
    char digits[20];
    int count = 0;

    do {
        digits[count++] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n != 0);
    for (int i = count; i < width; i++)
        add(line, pad);
    while (count > 0)
        add(line, digits[--count]);
}

/* One argument as unsigned or signed number of the modifier's size. */
static uint64_t number(va_list *args, bool is_long, bool is_signed)
{
    if (is_long)
        return va_arg(*args, uint64_t);
    if (is_signed)
        return (uint64_t)(int64_t)va_arg(*args, int);
    return va_arg(*args, unsigned int);
}

/* What follows a "%"; returns the last character of it. */
static const char *add_argument(struct line *line, const char *f, va_list *args)
{
    const char pad = *f == '0' ? '0' : ' ';
    bool is_long = false;
    int width = 0;
    uint64_t n;

    for (; *f >= '0' && *f <= '9'; f++)
        width = width * 10 + (*f - '0');
    for (; *f == 'l' || *f == 'z'; f++)
        is_long = true;
    switch (*f) {
    case 's':
        for (const char *s = va_arg(*args, const char *); *s != '\0'; s++)
            add(line, *s);
        break;
    case 'c':
        add(line, (char)va_arg(*args, int));
        break;
    case 'd':
        n = number(args, is_long, true);
        if ((int64_t)n < 0)
            add(line, '-');
        add_number(line, (int64_t)n < 0 ? 0 - n : n, 10, width, pad);
        break;
    case 'u':
    case 'x':
        n = number(args, is_long, false);
        add_number(line, n, *f == 'x' ? 16 : 10, width, pad);
        break;
    default:
        add(line, *f);
        break;
    }
    return f;
}

static void add_format(struct line *line, const char *format, va_list *args)
{
    for (const char *f = format; *f != '\0'; f++) {
        if (*f == '%')
            f = add_argument(line, f + 1, args);
        else
            add(line, *f);
    }
    line->text[line->length] = '\0';
}

static void put_line(const struct line *line)
{
    const uint64_t flags = interrupts_save();

    while (__atomic_exchange_n(&console.locked, true, __ATOMIC_ACQUIRE))
        pause();
    put_text(line->text);
    __atomic_store_n(&console.locked, false, __ATOMIC_RELEASE);
    interrupts_restore(flags);
}

void print(const char *format, ...)
{
    struct line line = {.length = 0};
    va_list args;

    va_start(args, format);
    add_format(&line, format, &args);
    va_end(args);
    put_line(&line);
}

void debug_print(const char *format, ...)
{
    struct line line = {.length = 0};
    const char *text = line.text;
    va_list args;

    va_start(args, format);
    add_format(&line, format, &args);
    va_end(args);
    __asm__ volatile("rep outsb"
                     : "+S"(text), "+c"(line.length)
                     : "d"(DEBUG_CONSOLE)
                     : "memory");
}

void check_strictly(bool on)
{
    console.strict = on;
}

bool check(bool ok, const char *format, ...)
{
    struct line line = {.length = 0};
    va_list args;

    for (const char *s = ok ? "PASS " : "FAIL "; *s != '\0'; s++)
        add(&line, *s);
    va_start(args, format);
    add_format(&line, format, &args);
    va_end(args);
    add(&line, '\n');
    line.text[line.length] = '\0';
    put_line(&line);
    __atomic_fetch_add(ok ? &console.passed : &console.failed, 1,
                       __ATOMIC_RELAXED);
    if (!ok && console.strict)
        finish();
    return ok;
}

__attribute__((__noreturn__)) static void switch_off(bool passed)
{
    interrupts_off();
    /* The tail would be lost: both emulators stop at once. */
    while ((in8(COM1 + COM_LSR) & LSR_TEMT) == 0)
        pause();
    out8(QEMU_EXIT, passed ? QEMU_PASSED : QEMU_FAILED);
    for (const char *s = "Shutdown"; *s != '\0'; s++)
        out8(BOCHS_EXIT, (uint8_t)*s);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void panic(const char *format, ...)
{
    struct line line = {.length = 0};
    va_list args;

    interrupts_off();
    va_start(args, format);
    add_format(&line, format, &args);
    va_end(args);
    /* Without the lock: its holder may be this very CPU. */
    put_text("\nPANIC ");
    put_text(line.text);
    put_text("\n");
    switch_off(false);
}

void finish(void)
{
    print("%u passed, %u failed\n", console.passed, console.failed);
    switch_off(console.failed == 0 && console.passed > 0);
}
