/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_FORMAT_SINK_H
#define VTDPI_FORMAT_SINK_H

/*
 * Where the text of format.h goes: a caller's buffer and the length of all the
 * text so far. The text may be longer than the buffer; what does not fit is
 * counted and dropped. Only vtdpi_sink_char_() and vtdpi_sink_end_() store into
 * the buffer, so the proof that nothing is written behind the end is about
 * these two (tests/proof/format.c).
 *
 * A line is made of fields, "name=value", with one blank between two of them.
 * The functions below that take a name put the blank.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/irte.h"
#include "vtdpi/pid.h"
#include "vtdpi/qi.h"
#include "vtdpi/route.h"

struct vtdpi_sink_ {
    char *buf; /* may be NULL if size is 0 */
    size_t size;
    size_t len; /* of the whole text, without its terminator */
};

/* A field of a 64-bit word. */
struct vtdpi_sink_field_ {
    uint64_t mask;
    char name[16];
};

#define VTDPI_SINK_COUNT_(fields) (sizeof(fields) / sizeof((fields)[0]))

static inline struct vtdpi_sink_ vtdpi_sink_begin_(char *buf, size_t size)
{
    const struct vtdpi_sink_ s = {buf, size, 0};

    return s;
}

void vtdpi_sink_char_(struct vtdpi_sink_ *s, char c);

/* Terminates what is in the buffer. Returns the length of the whole text. */
size_t vtdpi_sink_end_(struct vtdpi_sink_ *s);

void vtdpi_sink_text_(struct vtdpi_sink_ *s, const char *text);

/* At least @digits of them, without 0x. */
void vtdpi_sink_digits_(struct vtdpi_sink_ *s, uint64_t value,
                        unsigned int digits);

/* The blank, the name and "=". */
void vtdpi_sink_name_(struct vtdpi_sink_ *s, const char *name);

/* name=0x... */
void vtdpi_sink_number_(struct vtdpi_sink_ *s, const char *name,
                        uint64_t value);

/* name=0 or name=1 */
void vtdpi_sink_bit_(struct vtdpi_sink_ *s, const char *name, bool bit);

/* name=word */
void vtdpi_sink_word_(struct vtdpi_sink_ *s, const char *name,
                      const char *word);

/* Each field of @value: of one bit as a bit, wider ones as a number. */
void vtdpi_sink_fields_(struct vtdpi_sink_ *s, uint64_t value,
                        const struct vtdpi_sink_field_ *fields, size_t count);

/* name=0x..., and BDF=bus:device.function */
void vtdpi_sink_sid_(struct vtdpi_sink_ *s, const char *name, uint16_t sid);

/* "reason: " and a phrase. */
void vtdpi_sink_reason_(struct vtdpi_sink_ *s, const char *reason);

/* "wrong: " and a phrase; last in its line. */
void vtdpi_sink_wrong_(struct vtdpi_sink_ *s, const char *wrong);

/* The same with the text of an error; nothing if @err is 0. */
void vtdpi_sink_error_(struct vtdpi_sink_ *s, int err);

/* The same for bits that have to be zero. Returns whether one is set. */
bool vtdpi_sink_reserved_(struct vtdpi_sink_ *s, uint64_t bits);

/* A line that is only part of another one. */

/* One value of a live entry. False if the entry went on changing, so that the two
 * words may be of different values. */
bool vtdpi_format_irte_read_(const struct vtdpi_irte *entry,
                             struct vtdpi_irte *out);

/* Without what is wrong: vtdpi_irte_validate() says it. */
void vtdpi_format_irte_fields_(struct vtdpi_sink_ *s,
                               const struct vtdpi_irte *irte,
                               enum vtdpi_apic_mode mode);
/* Returns whether the line has ended with what is wrong. */
bool vtdpi_format_pid_fields_(struct vtdpi_sink_ *s,
                              const struct vtdpi_pid *pid);
void vtdpi_format_qi_fields_(struct vtdpi_sink_ *s,
                             const struct vtdpi_qi_desc *desc);
void vtdpi_format_decision_fields_(struct vtdpi_sink_ *s,
                                   const struct vtdpi_route_decision *d);

#endif
