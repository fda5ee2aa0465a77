/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DECODE_H
#define DECODE_H

/*
 * What the commands share that take structures as words: decode.c, registers.c,
 * encode.c and explain.c.
 */

#include "tool.h"
#include "vtdpi/format.h"

enum {
    WORDS_MAX = 64,
};

/* What a command takes. */
struct words_form {
    /* Names of the words by place, "hi|high" for two names of one word. NULL: the
     * word has no name. */
    const char *name[WORDS_MAX];
    unsigned int max; /* words */
    /* Digits of a number that is written without a gap and fills all words, the
     * first word first; 0: there is no such number. */
    unsigned int whole_digits;
    bool repeat; /* each word may have the first name */
    bool
        dump; /* of memory: addresses with a colon are passed over, and up to 128
                    digits are kept as they are */
    const char *skip; /* a name that is passed over with its word, or NULL */
};

/* A word as it was written. */
struct words_token {
    const char *digits; /* in the text; not terminated */
    unsigned int length;
};

struct words {
    uint64_t word[WORDS_MAX];
    struct words_token token[WORDS_MAX];
    unsigned int count;
    uint64_t named;     /* the words that came with a name, a bit each */
    char wrong[200];    /* what is wrong with the text */
    unsigned long line; /* where; 0: with the text as a whole */
};

/* Words of a text, which has to last as long as @words is used. False: see
 * words->wrong. */
bool words_read(struct words *words, const char *text,
                const struct words_form *form);

/* Whether a word is FFFFFFFFFFFFFFFFh, or all are; and whether all are zero. */
bool words_all(const uint64_t *words, unsigned int count, uint64_t value);

/* A message about words->wrong, for words from standard input with the line there.
 * Returns an exit status. */
int words_complain(const struct words *words, bool from_input,
                   const char *command);

/* Whether the arguments are "-" alone, which stands for standard input. */
bool arguments_are_input(char **arguments, int count);
/* The arguments as one text, with blanks between them; to be freed. "-" alone stands
 * for standard input. NULL: no memory, or a complaint about the input was made. */
char *arguments_join(char **arguments, int count);

/* A line of format.h as {"text", "fields", "wrong"}; NULL: no memory. */
json_t *line_json(const char *line);
/* Prints "text" of such an object; what is wrong in colour. */
void line_print(const json_t *line);

/* A field of a line of format.h, in words. */
struct field_text {
    const char *where; /* CAP, ECAP, IRTE, PID, MSI, RTE, fault, descriptor */
    const char *name;
    const char *text;
};
extern const struct field_text field_texts[];
extern const size_t field_text_count;

#endif
