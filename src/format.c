/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text sink under format.h, and the pieces that lines are made of. Read
 * format_sink.h first.
 *
 * Nothing here loops longer than the text of one field, and nothing calls back,
 * locks or allocates: a panic may use all of it.
 */
#include "vtdpi/source.h"
#include "vtdpi/status.h"

#include "format_sink.h"

/* What is in the last byte gives way to the terminator. */
void vtdpi_sink_char_(struct vtdpi_sink_ *s, char c)
{
    if (s->len < s->size)
        s->buf[s->len] = c;
    s->len++;
}

size_t vtdpi_sink_end_(struct vtdpi_sink_ *s)
{
    if (s->size != 0)
        s->buf[s->len < s->size ? s->len : s->size - 1] = '\0';
    return s->len;
}

VTDPI_COLD void vtdpi_sink_text_(struct vtdpi_sink_ *s, const char *text)
{
    for (; *text != '\0'; text++)
        vtdpi_sink_char_(s, *text);
}

VTDPI_COLD void vtdpi_sink_digits_(struct vtdpi_sink_ *s, uint64_t value,
                                   unsigned int digits)
{
    static const char hex[] = "0123456789abcdef";

    for (unsigned int i = 16; i-- > 0;) {
        const uint64_t rest = value >> 4 * i;

        if (rest != 0 || i < digits)
            vtdpi_sink_char_(s, hex[rest % 16]);
    }
}

VTDPI_COLD void vtdpi_sink_name_(struct vtdpi_sink_ *s, const char *name)
{
    if (s->len != 0)
        vtdpi_sink_char_(s, ' ');
    vtdpi_sink_text_(s, name);
    vtdpi_sink_char_(s, '=');
}

VTDPI_COLD void vtdpi_sink_number_(struct vtdpi_sink_ *s, const char *name,
                                   uint64_t value)
{
    vtdpi_sink_name_(s, name);
    vtdpi_sink_text_(s, "0x");
    vtdpi_sink_digits_(s, value, 1);
}

VTDPI_COLD void vtdpi_sink_bit_(struct vtdpi_sink_ *s, const char *name,
                                bool bit)
{
    vtdpi_sink_name_(s, name);
    vtdpi_sink_char_(s, bit ? '1' : '0');
}

VTDPI_COLD void vtdpi_sink_word_(struct vtdpi_sink_ *s, const char *name,
                                 const char *word)
{
    vtdpi_sink_name_(s, name);
    vtdpi_sink_text_(s, word);
}

VTDPI_COLD void vtdpi_sink_fields_(struct vtdpi_sink_ *s, uint64_t value,
                                   const struct vtdpi_sink_field_ *fields,
                                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t mask = fields[i].mask;

        if ((mask & (mask - 1)) == 0)
            vtdpi_sink_bit_(s, fields[i].name, (value & mask) != 0);
        else
            vtdpi_sink_number_(s, fields[i].name,
                               (value & mask) >> __builtin_ctzll(mask));
    }
}

VTDPI_COLD void vtdpi_sink_sid_(struct vtdpi_sink_ *s, const char *name,
                                uint16_t sid)
{
    vtdpi_sink_number_(s, name, sid);
    vtdpi_sink_name_(s, "BDF");
    vtdpi_sink_digits_(s, vtdpi_sid_bus(sid), 2);
    vtdpi_sink_char_(s, ':');
    vtdpi_sink_digits_(s, vtdpi_sid_device(sid), 2);
    vtdpi_sink_char_(s, '.');
    vtdpi_sink_digits_(s, vtdpi_sid_function(sid), 1);
}

static VTDPI_COLD void sink_phrase(struct vtdpi_sink_ *s, const char *head,
                                   const char *phrase)
{
    if (s->len != 0)
        vtdpi_sink_char_(s, ' ');
    vtdpi_sink_text_(s, head);
    vtdpi_sink_text_(s, phrase);
}

VTDPI_COLD void vtdpi_sink_reason_(struct vtdpi_sink_ *s, const char *reason)
{
    sink_phrase(s, "reason: ", reason);
}

VTDPI_COLD void vtdpi_sink_wrong_(struct vtdpi_sink_ *s, const char *wrong)
{
    sink_phrase(s, "wrong: ", wrong);
}

VTDPI_COLD void vtdpi_sink_error_(struct vtdpi_sink_ *s, int err)
{
    if (err != 0)
        vtdpi_sink_wrong_(s, vtdpi_strerror(err));
}

VTDPI_COLD bool vtdpi_sink_reserved_(struct vtdpi_sink_ *s, uint64_t bits)
{
    if (bits == 0)
        return false;
    vtdpi_sink_wrong_(s, "reserved bits 0x");
    vtdpi_sink_digits_(s, bits, 1);
    return true;
}
