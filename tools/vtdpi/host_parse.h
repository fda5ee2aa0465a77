/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_PARSE_H
#define HOST_PARSE_H

/*
 * Parsers of the files that `vtdpi host` reads. They are pure: a file is a piece of
 * memory that may contain anything and has no terminator, and what is not understood
 * is passed over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of text. */
struct span {
    const char *at;
    size_t length;
};

/* Takes the next line, without its end, or the next word (blanks and tabs are between
 * words) from the front of @rest. False at the end. */
bool span_line(struct span *rest, struct span *line);
bool span_word(struct span *rest, struct span *word);
/* The same for words of a kernel's command line, where "a b" in quotes is one word. */
bool span_argument(struct span *rest, struct span *word);
/* Whether @s is, begins with, or contains @text. */
bool span_is(struct span s, const char *text);
bool span_begins(struct span s, const char *text);
bool span_has(struct span s, const char *text);
/* What of @s follows the first @text; empty if @text does not occur. */
struct span span_after(struct span s, const char *text);
/* A number in hexadecimal, with or without 0x, and nothing behind. */
bool span_hex(struct span s, uint64_t *value);

/* What is known about a question. */
enum fact {
    FACT_UNKNOWN,
    FACT_NO,
    FACT_YES
};

struct host_cpu {
    char vendor[16];
    enum fact vmx;
    enum fact x2apic;
    enum fact cx16;
    enum fact hypervisor;
    /* From the line "vmx flags", which kernels before 5.6 do not print. */
    enum fact posted_interrupts;
    enum fact apicv;
};

/* /proc/cpuinfo; the first processor counts. */
void host_parse_cpuinfo(struct span text, struct host_cpu *cpu);

struct host_options {
    enum fact intremap;    /* intremap=on or off, nointremap */
    enum fact intel_iommu; /* intel_iommu=on or off */
    enum fact apicv;       /* kvm_intel.enable_apicv= */
    bool nopost;
    bool no_x2apic_optout;
    bool posted_msi;
    bool nosid;
    bool nox2apic;
    bool noapic;
    bool iommu_off;
};

/* /proc/cmdline. */
void host_parse_cmdline(struct span text, struct host_options *o);
/* Whether a word of the command line is about interrupts or IOMMUs. */
bool host_argument_matters(struct span word);

enum {
    ROW_PIN,
    ROW_PIW,
    ROW_NPI,
    ROW_PMN,
    ROW_COUNT
};
extern const char *const host_row_names[ROW_COUNT];

struct host_interrupts {
    unsigned long remapped; /* device rows whose chip's name has IR- */
    unsigned long plain;    /* device rows of IO-APIC or MSI without */
    bool xen;               /* rows of Xen's event channels */
    bool has[ROW_COUNT];
    uint64_t sum[ROW_COUNT]; /* over all CPUs */
};

/* /proc/interrupts. */
void host_parse_interrupts(struct span text, struct host_interrupts *i);

enum {
    HOST_UNITS = 256,
    HOST_NAME = 24
};

/* A unit as a text names it. */
struct host_register_set {
    char name[HOST_NAME];
    uint64_t base;
    uint64_t cap;
    uint64_t ecap;
    uint32_t version;
    enum fact running; /* GSTS.IRES */
    enum fact eime;    /* IRTA.EIME */
    bool has_caps;     /* cap and ecap are known */
};

/* debugfs' iommu_regset; returns the number of units. */
size_t host_parse_regset(struct span text, struct host_register_set *set,
                         size_t capacity);

/* debugfs' ir_translation_struct: rows of a unit. */
struct host_table {
    char name[HOST_NAME];
    unsigned long remapped;
    unsigned long posted;
    bool off; /* "Interrupt Remapping is not enabled" */
};
/* Returns the number of units. */
size_t host_parse_table(struct span text, struct host_table *table,
                        size_t capacity);

/* sysfs' version, "1:0", as the Version Register has it. */
bool host_parse_version(struct span text, uint32_t *version);
/* A module's parameter: Y or 1, N or 0. */
enum fact host_parse_bool(struct span text);

/* Ids of the IOAPICs in a MADT; false if that is no such table. */
bool host_parse_madt(const unsigned char *table, size_t size, uint8_t *ids,
                     size_t capacity, size_t *count);

#endif
