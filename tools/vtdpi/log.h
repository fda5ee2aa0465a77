/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOG_H
#define LOG_H

/*
 * What a log tells of VT-d.
 *
 * A log is given line by line to log_line(). Each line is understood by the words and
 * the numbers in it, whatever stands in front of them and in which order they come. So
 * one reader serves every kernel and every way to print a log. The facts have a fixed
 * size, however long the log is. log_verdict() judges the facts, and log_json() makes
 * the result of the command.
 *
 * Read first: log_words.h (words of a line), then log.c (what is done with a line).
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtdpi/caps.h"

enum {
    LOG_TEXT_BYTES = 200,   /* of a line that is kept */
    LOG_UNITS_MAX = 256,    /* units, IOAPICs and HPETs; more are counted */
    LOG_BRIDGES_MAX = 1024, /* of PCI; more are not kept */
    LOG_FAULTS_MAX = 256,   /* groups of faults */
    LOG_FAULT_SLOTS = 1024, /* of the hash over these groups */
    LOG_OPTIONS_MAX = 24,
    LOG_REASON_UNKNOWN = 0x100,
    LOG_PENDING_LINES = 16, /* after so many lines an event is over */
    LOG_HELD_BYTES = 512,   /* of a line that mail has broken */
};

/* A line that is quoted. */
struct log_place {
    unsigned long line; /* 0: there is none */
    char text[LOG_TEXT_BYTES];
};

/* What a line can say, apart from units and faults. */
enum log_fact {
    LOG_REMAP_ON,
    LOG_REMAP_OFF,
    LOG_XEN_REMAP_ON,
    LOG_XEN_REMAP_OFF,
    LOG_MODE_X2APIC, /* of interrupt remapping */
    LOG_MODE_XAPIC,
    LOG_CPU_X2APIC, /* of the CPUs */
    LOG_CPU_XAPIC,
    LOG_POST_ON,
    LOG_POST_OFF,
    LOG_POST_NO_UNIT, /* a unit that does not support posting */
    LOG_POST_NO_CPU,
    LOG_POST_FAILED,
    LOG_VTD_OFF, /* not remapping alone */
    LOG_QI_WILL, /* printed just before remapping is set up in x2APIC mode */
    LOG_QI_FAILED,
    LOG_NO_X2APIC,
    LOG_NO_EIM,
    LOG_OPT_OUT,
    LOG_ERRATUM,
    LOG_BIOS_BROKEN,
    LOG_ALL_ONES,
    LOG_BASE_ZERO,
    LOG_IOAPIC_UNCOVERED,
    LOG_IOAPIC_SKIPPED,
    LOG_COMPAT_OPEN,
    LOG_COPIED,
    LOG_COPY_FAILED,
    LOG_PRE_ENABLED,
    LOG_TABLE,
    LOG_TABLE_BAD,
    LOG_OPT_IN,
    LOG_TXT,
    LOG_INCONSISTENT,
    LOG_GRAPHICS_OFF,
    LOG_DMA_ON,
    LOG_MALFUNCTION,
    LOG_NO_ENTRY,
    LOG_FAULT_STATUS,
    LOG_FAULT_OVERFLOW,
    LOG_SUPPRESSED,
    LOG_AMD,
    LOG_ARM,
    LOG_GUEST,     /* the kernel found a hypervisor below */
    LOG_ACTIVATED, /* Jailhouse took the machine over */
    LOG_DMA_SET_UP,
    LOG_KNOWN, /* known, and of no interest here */
    LOG_FACTS
};

struct log_seen {
    unsigned long count;
    struct log_place first;
    unsigned long
        last; /* line: of two that contradict, the later one decides */
};

/* What is said of a unit. */
enum log_said {
    LOG_SAID_NOTHING,
    LOG_SAID_NO,
    LOG_SAID_YES
};

struct log_unit {
    int number; /* -1: not said */
    bool has_base;
    bool has_version;
    bool has_cap;
    bool has_ecap;
    bool include_all;
    bool no_eim; /* a line says so */
    uint8_t major;
    uint8_t minor;
    enum log_said qi; /* of lines without registers */
    enum log_said ir;
    enum log_said pi;
    uint64_t base;
    uint64_t cap;
    uint64_t ecap;
    struct log_place place; /* that of the registers if there is one */
};

/* An IOAPIC or an HPET, as a log lists it. */
struct log_scope {
    bool hpet;
    bool has_id;
    bool has_base;
    bool has_sid;
    uint8_t id;
    int unit; /* number, or -1 */
    uint16_t segment;
    uint16_t sid;
    uint64_t base;
    unsigned long line;
};

/* A PCI bridge and the buses below it. */
struct log_bridge {
    uint16_t segment;
    uint16_t sid;
    uint8_t secondary;
    uint8_t subordinate;
};

/* How the number of a reason was read. */
enum log_read_as {
    LOG_READ_NOTHING,
    LOG_READ_TEXT,    /* the text after the number tells */
    LOG_READ_PREFIX,  /* 0x or h */
    LOG_READ_DECIMAL, /* as kernels print that have no 0x */
    LOG_READ_HEX,     /* as Xen prints */
};

/* A fault, or a group of equal faults. */
struct log_fault {
    bool has_sid;
    bool has_index;
    uint16_t segment;
    uint16_t sid;
    uint16_t reason; /* LOG_REASON_UNKNOWN: the log does not say */
    int unit;        /* number, or -1 */
    uint64_t index;  /* as printed */
    enum log_read_as read_as;
    unsigned long count;
    unsigned int last_boot;
    unsigned long last;
    struct log_place first;
};

/* A fault whose lines have not all been seen. */
struct log_pending {
    bool active;
    bool interrupt;
    bool dma;
    bool has_address;
    uint64_t address;
    unsigned long latest; /* line */
    struct log_fault fault;
};

enum log_queue_kind {
    LOG_QUEUE_ERROR,
    LOG_QUEUE_TIMEOUT,
    LOG_QUEUE_COMPLETION,
    LOG_QUEUE_DESCRIPTOR,
    LOG_QUEUE_WAIT,
    LOG_QUEUE_KINDS
};

struct log_queue_error {
    unsigned long count;
    bool has_detail;
    uint64_t detail;
    unsigned long last;
    struct log_place first;
};

struct log_count {
    unsigned long count;
    unsigned long first;
    unsigned long last;
};

/* Facts of one boot: each boot begins with new ones. */
struct log_boot {
    unsigned long line; /* where the boot begins; 0: not seen */
    bool xen;
    bool xen_version; /* the line that begins a boot was there */
    bool linux_version;
    bool freebsd;
    bool jailhouse;
    bool any; /* a fact was found */
    unsigned int kernel_major;
    unsigned int kernel_minor;
    bool kernel_is_mixed; /* of RHEL */
    struct log_seen seen[LOG_FACTS];
    struct log_unit units[LOG_UNITS_MAX];
    unsigned int unit_count;
    unsigned int unit_more;
    struct log_scope scopes[LOG_UNITS_MAX];
    unsigned int scope_count;
    struct log_bridge bridges[LOG_BRIDGES_MAX];
    unsigned int bridge_count;
    struct log_place options[LOG_OPTIONS_MAX]; /* the texts of options alone */
    unsigned int option_count;
    unsigned long command_line; /* where it is */
    int uncovered_ioapic;       /* id, or -1 */
    bool has_current; /* Xen: lines that follow belong to this unit, */
    uint64_t current_base;
    int current_unit; /* or to this one */
};

struct log_facts {
    struct log_boot boot;
    unsigned int boots;
    struct log_pending pending;
    struct log_fault faults[LOG_FAULTS_MAX];
    uint16_t fault_slots[LOG_FAULT_SLOTS]; /* group + 1, or 0 */
    unsigned int fault_count;
    unsigned long fault_total;
    struct log_count fault_others;
    struct log_count fault_dma;
    unsigned long suppressed;
    struct log_queue_error queue[LOG_QUEUE_KINDS];
    char held[LOG_HELD_BYTES]; /* what comes before the next line */
    size_t held_length;
    char wrapped[LOG_HELD_BYTES]; /* a line that seems to go on */
    size_t wrapped_length;
    unsigned long wrapped_number;
    unsigned long lines;
    unsigned long about;   /* lines that were understood */
    unsigned long unknown; /* lines about VT-d that were not */
    unsigned long cut;
    struct log_place unknown_first;
};

void log_init(struct log_facts *f);

/* A line, which may have any bytes; @number is that of the line in its file, from 1. */
void log_line(struct log_facts *f, const char *text, size_t length,
              unsigned long number);

/* After the last line. */
void log_end(struct log_facts *f);

/* Whether log_line() has to look at a line: a quick look for a few words. A line
 * that has none of them says nothing about VT-d. */
bool log_filter(const char *text, size_t length);

enum log_remapping {
    LOG_REMAPPING_UNKNOWN,
    LOG_REMAPPING_OFF,
    LOG_REMAPPING_ON
};

enum log_mode {
    LOG_MODE_UNKNOWN,
    LOG_MODE_IS_XAPIC,
    LOG_MODE_IS_X2APIC
};

enum log_posting {
    LOG_POSTING_UNKNOWN,
    LOG_POSTING_NOT_POSSIBLE,
    LOG_POSTING_OFF,
    LOG_POSTING_ON
};

enum {
    LOG_WHY_MAX = 16,
    LOG_WHY_BYTES = 200
};

struct log_why {
    char says[LOG_WHY_BYTES];
    const struct log_place *place; /* NULL: no line says so */
};

struct log_verdict {
    enum log_remapping remapping;
    bool said; /* a line says that remapping is on or off */
    enum log_mode mode;
    enum log_posting posting;
    struct log_why why[LOG_WHY_MAX];
    unsigned int why_count;
};

void log_judge(const struct log_facts *f, struct log_verdict *v);

/* An exit status: good if remapping is on and nothing below is found; wrong if
 * remapping is off, if there is a fault of an interrupt, an error of a queue, or a
 * unit that does not answer; unknown otherwise. */
int log_status(const struct log_facts *f, const struct log_verdict *v);

/* Compares two struct log_unit for qsort(): by number, those without one behind, then
 * by base. */
int log_unit_order(const void *left, const void *right);
/* The registers of a unit. False if the log does not have them, or if they are those
 * of a unit that does not answer. */
bool log_unit_caps(const struct log_unit *u, struct vtdpi_caps *caps);
/* All ones, or all zeros. */
bool log_unit_dead(const struct log_unit *u);
/* What registers or lines say of queued invalidation, remapping, posting and x2APIC
 * ids. */
enum log_said log_unit_qi(const struct log_unit *u);
enum log_said log_unit_ir(const struct log_unit *u);
enum log_said log_unit_pi(const struct log_unit *u);
enum log_said log_unit_eim(const struct log_unit *u);

/* Whether one of the options has this text: "intremap=" has "intremap=off,nosid", and
 * a value is one of those between commas. Returns the option, or NULL. */
const struct log_place *log_option_find(const struct log_boot *b,
                                        const char *name, const char *value);

/* Which device a source id is, of a DMAR table. */
struct log_dmar;
/* NULL having complained. */
struct log_dmar *log_dmar_open(const char *name);
void log_dmar_close(struct log_dmar *d);
/* Fills @text; bridges of the machine are those of @boot. */
void log_dmar_name(const struct log_dmar *d, const struct log_boot *boot,
                   uint16_t segment, uint16_t sid, char *text, size_t size);

/* The result of the command; @d may be NULL. */
json_t *log_json(const struct log_facts *f, const struct log_verdict *v,
                 const char *file, const struct log_dmar *d);
void log_print(const json_t *result);

#endif
