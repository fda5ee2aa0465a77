/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_H
#define HOST_H

/*
 * `vtdpi host`: what was found on a machine (host_gather.c), what follows from that
 * (host_judge.c), and both as JSON (host_json.c) and text (host_text.c).
 */

#include <jansson.h>

#include "host_parse.h"
#include "host_root.h"
#include "vtdpi/caps.h"
#include "vtdpi/dmar.h"

enum {
    HOST_IOAPICS = 256,
};

struct host_unit {
    char name[HOST_NAME];
    uint64_t base;
    bool in_dmar;
    bool in_sysfs;
    const char *caps_from; /* sysfs, log or debugfs; NULL: caps are not known */
    bool silent;           /* registers read as all ones or as zeros */
    uint64_t cap;
    uint64_t ecap;
    uint32_t version;
    struct vtdpi_caps caps;
    uint32_t window_bytes;
    uint16_t segment;
    bool include_all;
    enum fact running;
    enum fact eime;
    bool has_table;
    unsigned long remapped; /* rows of debugfs' table */
    unsigned long posted;
};

/* What the kernel's log says by itself (log.h); the last boot in the log counts. */
struct host_log {
    enum fact remapping;
    enum fact x2apic;
    bool erratum; /* remapping is off because of a faulty chipset */
    bool optout;  /* firmware's request was obeyed */
    bool ioapic_uncovered;
    bool bad_table;
};

/* What is known of an ACPI table. */
enum host_acpi {
    ACPI_UNKNOWN, /* there is no folder of tables */
    ACPI_ABSENT,  /* there is no such table */
    ACPI_REFUSED, /* only root may read the table */
    ACPI_BAD,     /* the table is none, or is malformed */
    ACPI_GOOD
};

struct host {
    enum host_acpi dmar;
    bool has_flags; /* the table has a good header */
    uint8_t dmar_flags;
    char oem_id[7];
    char oem_table_id[9];
    const char *dmar_problem; /* the library's text, or NULL */
    bool dmar_bad_checksum;
    bool ivrs; /* AMD's table */
    enum host_acpi madt;
    uint8_t ioapic[HOST_IOAPICS];
    size_t ioapic_count;
    uint8_t uncovered[HOST_IOAPICS];
    size_t uncovered_count;
    struct host_unit unit[HOST_UNITS];
    size_t unit_count;
    size_t sysfs_units;
    bool has_cpu;
    struct host_cpu cpu;
    bool has_options;
    struct host_options options;
    json_t *arguments; /* those of the command line that matter */
    bool has_interrupts;
    struct host_interrupts interrupts;
    enum root_state log_state;
    struct host_log log;
    bool has_tables;
    enum fact kvm; /* kvm_intel is there */
    enum fact enable_apicv;
    enum fact device_posting;    /* enable_device_posted_irqs */
    enum fact unsafe_interrupts; /* allow_unsafe_interrupts of VFIO */
    bool xen;
    char release[65]; /* of the kernel, or empty */
};

enum {
    ANSWER_REMAPPING,
    ANSWER_X2APIC,
    ANSWER_POSTING,
    ANSWER_COUNT
};
extern const char *const answer_names[ANSWER_COUNT];

struct answer {
    enum fact works;    /* now */
    enum fact possible; /* on this machine, with other settings */
    const char *from;   /* what says that it works or not; NULL: a conclusion */
};

struct judgement {
    struct answer answer[ANSWER_COUNT];
    const char *headline; /* in place of the answers, or NULL */
    json_t *why;
    json_t *next;
};

struct host *host_gather(struct root *r);
void host_free(struct host *h);

void host_judge(const struct host *h, struct judgement *j);
/* "yes", "no", "off" (possible, but off; or off and nothing more known), "unknown". */
const char *answer_word(const struct answer *a);

/* Takes the references of @j. */
json_t *host_json(const struct host *h, struct judgement *j,
                  const struct root *r);
void host_text(const json_t *result);

/* A string for JSON and terminals, whatever the bytes: "?" for what is not printable
 * ASCII. */
json_t *json_printable(const char *text, size_t length);

/* What `vtdpi collect` shares: the paths, and limits of their sizes. */
#define PATH_DMAR       "sys/firmware/acpi/tables/DMAR"
#define PATH_MADT       "sys/firmware/acpi/tables/APIC"
#define PATH_IVRS       "sys/firmware/acpi/tables/IVRS"
#define PATH_TABLES     "sys/firmware/acpi/tables"
#define PATH_UNITS      "sys/class/iommu"
#define PATH_CPUINFO    "proc/cpuinfo"
#define PATH_CMDLINE    "proc/cmdline"
#define PATH_INTERRUPTS "proc/interrupts"
#define PATH_RELEASE    "proc/sys/kernel/osrelease"
#define PATH_KVM        "sys/module/kvm_intel"
#define PATH_APICV      PATH_KVM "/parameters/enable_apicv"
#define PATH_DEVICES    PATH_KVM "/parameters/enable_device_posted_irqs"
#define PATH_UNSAFE \
    "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
#define PATH_HYPERVISOR "sys/hypervisor/type"
#define PATH_DEBUG      "sys/kernel/debug/iommu/intel"
#define PATH_REGSET     PATH_DEBUG "/iommu_regset"
#define PATH_ENTRIES    PATH_DEBUG "/ir_translation_struct"

enum {
    SMALL_BYTES = 4096,
    TABLE_BYTES = 1 << 20,  /* ACPI */
    TEXT_BYTES = 64 << 20,  /* interrupts, tables of entries, a log */
    CPUINFO_BYTES = 1 << 16 /* the first processor */
};

#endif
