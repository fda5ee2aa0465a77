/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOG_WORDS_H
#define LOG_WORDS_H

/*
 * The words of a line, as a set: what a line says does not depend on their order.
 * And the few things that do have a place: a number behind a name, a device.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

/* A part of a line; not terminated, and any bytes may be in it. */
struct log_span {
    const char *begin;
    const char *end;
};

/* One bit for each word or group of words. */
enum log_word {
    W_ACPI,
    W_ADDRESS,
    W_ALL,
    W_AMD,
    W_APIC,
    W_BAD, /* corrupt, invalid, incorrect, failure, unable */
    W_BIOS,
    W_BROKEN,
    W_BUG,
    W_CALLBACKS,
    W_CHECKSUM,
    W_CLEARED,
    W_COMPAT,
    W_COMPLETION,
    W_COPY,
    W_CPU,
    W_DESCRIPTOR,
    W_DESPITE,
    W_DETAIL, /* a line that is known and of no interest */
    W_DEVICE,
    W_DISABLE,
    W_DMAR,
    W_DRHD,
    W_EIM,
    W_ENABLE,
    W_ENABLED,
    W_ENTRY, /* irte */
    W_ERRATUM,
    W_ERROR,
    W_FAIL,
    W_FAULT,
    W_FEATURE,
    W_FIRMWARE,
    W_GRAPHICS,
    W_HARDWARE,
    W_IN,
    W_INCONSISTENT,
    W_INVALIDATION,
    W_IOAPIC,
    W_IOMMU,
    W_IR,
    W_IRQ,
    W_KDUMP,
    W_MALFUNCTION,
    W_MAPPING,
    W_NOT,
    W_ONES,
    W_OPT,
    W_OPTOUT,
    W_OUT,
    W_OVERRIDE,
    W_PLATFORM,
    W_POST,
    W_QUEUE,
    W_REASON,
    W_REMAP,
    W_REQUEST,
    W_ROUTING,
    W_SKIPPED,
    W_STATUS,
    W_SUPPORT,
    W_SUPPRESSED,
    W_SWITCHED,
    W_TABLE, /* and its parts; parse, map */
    W_WORDS_64,
};

_Static_assert(W_WORDS_64 <= 64, "a set has 64 bits");

/* Words beyond the first 64. */
enum log_word_more {
    M_TBOOT,
    M_TIME,
    M_VTD,
    M_WAIT,
    M_WILL,
    M_X2APIC,
    M_XAPIC,
    M_XEN,
    M_ZERO,
    M_SID,
    M_IDENTIFIER,
    M_COMMAND,
    M_LINE,
    M_VERSION,
    M_FREEBSD,
    M_VIRTUAL,
    M_BRIDGE,
    M_ACCESS,
    M_DMA,
    M_EXCEED,
    M_FORCING,
    M_FOUND,
    M_OVERFLOW,
    M_PERMITTED,
    M_PRESENT,
    M_PROGRAMMING,
    M_RESERVED,
    M_SMMU,
    M_SOURCE,
    M_WAS,
    M_GENODE, /* hi=, the first name of a raw record */
    M_HYPERVISOR,
    M_WORDS_32,
};

_Static_assert(M_WORDS_32 <= 32, "a set has 32 bits");

struct log_words {
    uint64_t set;
    uint32_t more;
};

#define W(word) (UINT64_C(1) << W_##word)
#define M(word) (UINT32_C(1) << M_##word)

struct log_words log_words_of(struct log_span line);

/* The first @key in the line, letters in either case; NULL if there is none. */
const char *log_find(struct log_span line, const char *key);
/* The same, where neither end of the key touches a letter, a digit or "_". */
const char *log_find_word(struct log_span line, const char *key);

/* Whether a byte may be in a name: a letter, a digit or "_". */
bool log_is_name(char c);

/* Whether a word is in a list, which NULL ends. */
bool log_is_listed(const char *word, const char *const *list);

/* A number at the front of a span, behind blanks and punctuation that are passed
 * over. */
struct log_number {
    uint64_t hex;
    uint64_t decimal;
    bool is_decimal; /* each digit is a decimal one */
    bool prefixed;   /* 0x in front, or h behind */
    const char *end;
};

/* False if there is none, or one of more than 64 bits. */
bool log_number(struct log_span at, struct log_number *out);
/* A hexadecimal number behind the word @key. */
bool log_value(struct log_span line, const char *key, uint64_t *out);
/* A decimal number behind @key, of at most nine digits. */
bool log_decimal(struct log_span line, const char *key, unsigned int *out);

/* A device, [segment:]bus:device.function. */
bool log_device(struct log_span at, uint16_t *segment, uint16_t *sid);

/* The number of "dmar3" or "IOMMU 3"; -1 if the line has none. */
int log_unit_number(struct log_span line);

/* The line without what mail puts in front of a quoted one. */
struct log_span log_unquoted(struct log_span line);
/* Whether a kernel, or a program that prints its log, has put something in front. */
bool log_has_mark(struct log_span line);
/* Whether the line is what somebody wrote, and not what a system printed. */
bool log_is_prose(struct log_span line);

/* Joins lines that "quoted-printable" has broken. False: the line goes on in the next
 * one. log_mail_end() gives what is left behind the last line, if there is something. */
bool log_mail_line(struct log_facts *f, struct log_span *line);
bool log_mail_end(struct log_facts *f, struct log_span *line);
/* Whether the line ends with a word that another one has to follow, as of lines that
 * mail has wrapped; whether @line is the rest of such a line; and both in one. */
bool log_is_unfinished(struct log_span line);
bool log_goes_on(struct log_span held, struct log_span line);
struct log_span log_wrap_join(struct log_facts *f, struct log_span line);

/* Keeps a line for quoting: blanks at both ends dropped, what is not printable ASCII
 * replaced. */
void log_keep(struct log_place *p, struct log_span line, unsigned long number);

/* What each kind of line is for: true if the line was one. */
bool log_unit_line(struct log_boot *b, struct log_span line,
                   struct log_words words, unsigned long number);
bool log_bridge_line(struct log_boot *b, struct log_span line);
bool log_fault_line(struct log_facts *f, struct log_span line,
                    struct log_words words, unsigned long number);
bool log_queue_line(struct log_facts *f, struct log_span line,
                    struct log_words words, unsigned long number);
bool log_command_line(struct log_boot *b, struct log_span line,
                      unsigned long number);
/* What the words say; LOG_FACTS if nothing is known. */
enum log_fact log_rule(struct log_words words);

/* The fault that is waited for is over, whatever is known of it. */
void log_fault_flush(struct log_facts *f);

#endif
