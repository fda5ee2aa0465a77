/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proofs about format.h: nothing is written behind the end of the buffer, the text
 * is terminated, and numbers are what the words hold.
 *
 * Only vtdpi_sink_char_() and vtdpi_sink_end_() store into a buffer. Both are proved
 * for every buffer and every length, so a whole line needs no proof of its own as to
 * where it writes. The line of a unit, which looks names up by numbers, is proved to
 * end and to read only what is there; without a buffer.
 */
#include "src/format.c"
#include "src/format_unit.c"
#include "src/status.c"

#include "proof.h"

void *malloc(size_t size);

/* A character goes to its place or is dropped, whatever came before. */
void proof_format_char(void)
{
    const size_t size = nondet_u32();
    const size_t len = nondet_u32();
    char *const buf = size == 0 ? NULL : malloc(size);
    struct vtdpi_sink_ s = {buf, size, len};

    vtdpi_sink_char_(&s, 'x');
    CLAIM(s.len == len + 1 && s.buf == buf && s.size == size);
    CLAIM(len >= size || buf[len] == 'x');
    REACH(size > 0 && len == size - 1);
}

void proof_format_end(void)
{
    const size_t size = nondet_u32();
    const size_t len = nondet_u32();
    char *const buf = size == 0 ? NULL : malloc(size);
    struct vtdpi_sink_ s = {buf, size, len};

    CLAIM(vtdpi_sink_end_(&s) == len);
    if (size == 0)
        return;
    CLAIM(len >= size || buf[len] == '\0');
    CLAIM(len < size || buf[size - 1] == '\0');
}

/* All sixteen digits, each in its place. */
void proof_format_digits(void) /* unwind 18 */
{
    const uint64_t value = nondet_u64();
    const uint8_t i = nondet_u8();
    char text[17];
    struct vtdpi_sink_ s = vtdpi_sink_begin_(text, sizeof(text));
    uint64_t digit;

    vtdpi_sink_digits_(&s, value, 16);
    CLAIM(vtdpi_sink_end_(&s) == 16);
    ASSUME(i < 16);
    digit = bits(value, 63 - 4 * i, 60 - 4 * i);
    CLAIM(text[i] == (char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
}

/* Leading zeros are left out down to as many digits as asked for. */
void proof_format_leading(void) /* unwind 18 */
{
    const uint64_t value = nondet_u64();
    const uint8_t digits = nondet_u8();
    struct vtdpi_sink_ s = vtdpi_sink_begin_(NULL, 0);

    ASSUME(digits >= 1 && digits <= 16);
    vtdpi_sink_digits_(&s, value, digits);
    CLAIM(s.len >= digits && s.len <= 16);
    CLAIM(s.len == 16 || value >> 4 * s.len == 0);
    CLAIM(s.len == digits || value >> 4 * (s.len - 1) != 0);
}

/* Of a unit only what is looked up: state and command may be any number. */
void proof_format_unit(void) /* unwind 86 */
{
    struct vtdpi_unit unit = {0};

    unit.state = nondet_u32();
    unit.stuck = nondet_u32();
    CLAIM(vtdpi_format_unit(NULL, 0, &unit) > 0);
}
