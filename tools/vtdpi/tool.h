/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOL_H
#define TOOL_H

/*
 * What the commands of vtdpi share.
 *
 * A command reads its input, makes one JSON object of what it has found, and gives
 * the object to result_print() together with a function that prints it as text. So
 * the JSON has whatever the text says.
 */

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses. */
enum {
    STATUS_GOOD = 0,    /* nothing is wrong; the answer is yes */
    STATUS_WRONG = 1,   /* something is wrong; the answer is no */
    STATUS_USAGE = 2,   /* the command line is not one */
    STATUS_INPUT = 3,   /* input cannot be read, or is not what it has to be */
    STATUS_UNKNOWN = 4, /* there is too little to tell */
};

struct command {
    const char *name;
    const char *summary;
    /* @argv[0] is the name for messages; the result is an exit status. */
    int (*run)(int argc, char **argv);
};

extern const struct command commands[];
extern const size_t command_count;

/* The commands, one file for each family. */
int decode_irte(int argc, char **argv);
int host_main(int argc, char **argv);
int collect_main(int argc, char **argv);
int table_command(int argc, char **argv);
int log_command(int argc, char **argv);
int dmar_command(int argc, char **argv);
int decode_pid(int argc, char **argv);
int decode_msi(int argc, char **argv);
int decode_rte(int argc, char **argv);
int decode_cap(int argc, char **argv);
int decode_ecap(int argc, char **argv);
int decode_fault(int argc, char **argv);
int decode_qi(int argc, char **argv);
int encode(int argc, char **argv);
int explain(int argc, char **argv);

/* Parse, with the options that every command has: --json, --color and --width. The
 * process ends at a mistake. */
void command_parse(const struct argp *argp, int argc, char **argv, void *input);

/* The number of the option @name; a mistake ends the process. */
unsigned int option_number(const char *name, const char *text, unsigned int min,
                           unsigned int max, struct argp_state *state);

/* How text looks; set by the common options. */
struct style {
    bool json;
    bool color;
    unsigned int width; /* columns */
};
extern struct style style;

/* Prints @result, as JSON or by @text, and drops the reference. Returns @status, or
 * STATUS_INPUT if the output cannot be written. */
int result_print(json_t *result, void (*text)(const json_t *result),
                 int status);

/* False, having complained once: the output cannot be written. */
bool output_flush(void);

/* ANSI colours, or nothing: put around words. */
enum tint {
    TINT_NONE,
    TINT_GOOD,
    TINT_WARN,
    TINT_BAD,
    TINT_BOLD
};
const char *tint(enum tint tint);

/* A paragraph within the width of the output; lines after the first begin with
 * @indent blanks. @column is where the first line begins, after what was printed. */
void print_wrapped(const char *text, unsigned int column, unsigned int indent);

/* Puts "?" in place of control characters, and of what is no UTF-8: a text from a file
 * must not move a terminal's cursor. */
void text_clean(char *text);

/* A message for stderr, with the name of the program. Returns @status. */
int complain(int status, const char *format, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/* A word as JSON: a string of 0x and hexadecimal digits, since numbers of JSON are
 * exact to 53 bits only. */
json_t *json_word(uint64_t word);

/* Members of an object; one that is missing is 0, "" or false. */
json_int_t member_integer(const json_t *object, const char *name);
const char *member_string(const json_t *object, const char *name);
bool member_boolean(const json_t *object, const char *name);

/* A number in @text, hexadecimal with or without 0x; false if that is none, or does not
 * fit 64 bits. */
bool word_parse(const char *text, uint64_t *word);
/* The same for a number of an option: decimal, or hexadecimal with 0x. */
bool number_parse(const char *text, uint64_t *number);

/* Input, from a file or, by the name "-", from standard input. */

/* The name for messages. */
const char *input_name(const char *name);

/* What a file is by its first bytes if it is no text, as "compressed by gzip"; NULL: it
 * is text. */
const char *not_text(const unsigned char *bytes, size_t size);
/* Bytes of the mark that some editors put in front of text in UTF-8: 3, or 0. */
size_t text_mark(const unsigned char *bytes, size_t size);
/* What a known program made, or text that is not in ASCII's bytes; NULL otherwise. */
const char *foreign_form(const unsigned char *bytes, size_t size);

/* Longest line that is looked at; the rest of a longer one is skipped. */
#define LINE_BYTES 65536

/* Lines in constant memory, whatever the file. */
struct lines {
    const char *name;     /* for messages */
    unsigned long number; /* of the line, from 1 */
    char *text;    /* terminated, without line feed and carriage return */
    size_t length; /* without the terminator; the text may contain zeros */
    bool cut;      /* the line was longer than LINE_BYTES */
    const char *not_text; /* of the first bytes: see not_text() */
    int error;            /* errno of a read that failed, or 0 */
    /* private: */
    int fd;
    bool ended;
    char *buffer;
    size_t begin;
    size_t end;
};

/* Returns 0 or an exit status, having complained. */
int lines_open(struct lines *l, const char *name);
bool lines_next(struct lines *l);
void lines_close(struct lines *l);

/* A whole file, to be freed. NULL having complained: also if there are more than @max
 * bytes. */
unsigned char *file_read(const char *name, size_t max, size_t *size);

#endif
