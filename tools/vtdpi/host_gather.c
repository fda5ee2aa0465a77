/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine has, as far as its files can be read. Each source is read by itself,
 * and nothing is concluded here. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "log.h"
#include "tool.h"

static struct span small_read(struct root *r, const char *path, char **bytes)
{
    enum root_state state;
    struct span text;

    *bytes = root_read(r, path, SMALL_BYTES, &text.length, &state, true);
    text.at = *bytes;
    return text;
}

/* The unit with registers at @base, which may be new; NULL if there is no room. */
static struct host_unit *unit_at(struct host *h, uint64_t base)
{
    struct host_unit *u;

    for (size_t i = 0; i < h->unit_count; i++) {
        if (h->unit[i].base == base)
            return &h->unit[i];
    }
    if (h->unit_count == HOST_UNITS)
        return NULL;
    u = &h->unit[h->unit_count++];
    u->base = base;
    return u;
}

static void unit_caps(struct host_unit *u, const char *from, uint32_t version,
                      uint64_t cap, uint64_t ecap)
{
    u->caps_from = from;
    u->version = version;
    u->cap = cap;
    u->ecap = ecap;
    u->silent = vtdpi_caps_decode(version, cap, ecap, &u->caps) != 0;
}

/* Each scope with a path of several hops is taken for one that leads somewhere: which
 * bridges there are decides about a source id, not whether an IOAPIC has a unit. */
static bool any_bridge(void *ctx, uint16_t segment, uint16_t sid,
                       uint8_t *secondary, uint8_t *subordinate)
{
    (void)ctx;
    (void)segment;
    *secondary = (uint8_t)(vtdpi_sid_bus(sid) + 1);
    *subordinate = 255;
    return *secondary != 0;
}

static void dmar_units(struct host *h, const struct vtdpi_dmar *dmar)
{
    struct vtdpi_dmar_struct s = {0};

    while (vtdpi_dmar_next(dmar, &s) > 0) {
        struct vtdpi_dmar_drhd drhd;
        struct host_unit *u;

        if (s.type != VTDPI_DMAR_DRHD ||
            vtdpi_dmar_get_drhd(dmar, &s, &drhd) != 0)
            continue;
        u = unit_at(h, drhd.base);
        if (u == NULL)
            return;
        /* As Linux numbers units. */
        (void)snprintf(u->name, sizeof(u->name), "dmar%u", drhd.index);
        u->in_dmar = true;
        u->window_bytes = drhd.window_bytes;
        u->segment = drhd.segment;
        u->include_all = drhd.include_all;
    }
}

static void dmar_take(struct host *h, const char *bytes, size_t size)
{
    static const struct vtdpi_source_pci_ops bridges = {any_bridge};
    struct vtdpi_dmar_problem where;
    struct vtdpi_dmar dmar;
    int rc = vtdpi_dmar_open(bytes, size, VTDPI_DMAR_ACCEPT_BAD_CHECKSUM, &dmar,
                             NULL);

    h->dmar = ACPI_BAD;
    if (rc != 0) {
        h->dmar_problem = vtdpi_strerror(rc);
        return;
    }
    h->has_flags = true;
    h->dmar_flags = dmar.flags;
    h->dmar_bad_checksum = !dmar.checksum_ok;
    memcpy(h->oem_id, dmar.oem_id, sizeof(h->oem_id));
    memcpy(h->oem_table_id, dmar.oem_table_id, sizeof(h->oem_table_id));
    rc = vtdpi_dmar_check(&dmar, &where);
    if (rc != 0)
        h->dmar_problem = vtdpi_strerror(rc);
    h->dmar = rc == 0 || where.note ? ACPI_GOOD : ACPI_BAD;
    dmar_units(h, &dmar);
    h->uncovered_count = vtdpi_dmar_uncovered_ioapics(
        &dmar, &bridges, NULL, h->ioapic, h->ioapic_count, h->uncovered);
}

static enum host_acpi acpi_of(enum root_state state, enum root_state folder)
{
    if (state == ROOT_READ)
        return ACPI_GOOD;
    if (state == ROOT_REFUSED)
        return ACPI_REFUSED;
    if (state == ROOT_FAILED)
        return ACPI_BAD;
    return folder == ROOT_READ ? ACPI_ABSENT : ACPI_UNKNOWN;
}

static void acpi_gather(struct host *h, struct root *r)
{
    const enum root_state folder = root_look(r, PATH_TABLES);
    json_t *const ivrs = root_list(r, PATH_TABLES, "IVRS");
    enum root_state state;
    size_t size;
    char *bytes = root_read(r, PATH_MADT, TABLE_BYTES, &size, &state, false);

    h->ivrs = json_array_size(ivrs) != 0;
    json_decref(ivrs);
    h->madt = acpi_of(state, folder);
    if (bytes != NULL &&
        !host_parse_madt((const unsigned char *)bytes, size, h->ioapic,
                         HOST_IOAPICS, &h->ioapic_count))
        h->madt = ACPI_BAD;
    free(bytes);
    bytes = root_read(r, PATH_DMAR, TABLE_BYTES, &size, &state, false);
    h->dmar = acpi_of(state, folder);
    if (bytes != NULL)
        dmar_take(h, bytes, size);
    free(bytes);
}

static bool unit_file(struct root *r, const char *name, const char *file,
                      uint64_t *value, uint32_t *version)
{
    char path[512];
    struct span text;
    struct span word;
    char *bytes;
    bool good;

    (void)snprintf(path, sizeof(path), PATH_UNITS "/%s/intel-iommu/%s", name,
                   file);
    text = small_read(r, path, &bytes);
    good = bytes != NULL &&
           (version != NULL ? host_parse_version(text, version)
                            : span_word(&text, &word) && span_hex(word, value));
    free(bytes);
    return good;
}

static void sysfs_unit(struct host *h, struct root *r, const char *name)
{
    uint64_t base;
    uint64_t cap;
    uint64_t ecap;
    uint32_t version = 0;
    struct host_unit *u;

    if (!unit_file(r, name, "address", &base, NULL))
        return;
    u = unit_at(h, base);
    if (u == NULL)
        return;
    (void)snprintf(u->name, sizeof(u->name), "%s", name);
    u->in_sysfs = true;
    h->sysfs_units++;
    if (!unit_file(r, name, "cap", &cap, NULL) ||
        !unit_file(r, name, "ecap", &ecap, NULL))
        return;
    (void)unit_file(r, name, "version", NULL, &version);
    unit_caps(u, "sysfs", version, cap, ecap);
}

static void sysfs_gather(struct host *h, struct root *r)
{
    json_t *const names = root_list(r, PATH_UNITS, "dmar");
    json_t *name;
    size_t i;

    json_array_foreach(names, i, name)
        sysfs_unit(h, r, json_string_value(name));
    json_decref(names);
}

/* What else says something of units: it counts where sysfs says nothing. */
static void unit_add(struct host *h, const struct host_register_set *set,
                     const char *from)
{
    struct host_unit *const u = unit_at(h, set->base);

    if (u == NULL)
        return;
    if (u->name[0] == '\0')
        memcpy(u->name, set->name, sizeof(u->name));
    if (set->has_caps && u->caps_from == NULL)
        unit_caps(u, from, set->version, set->cap, set->ecap);
    if (set->running != FACT_UNKNOWN)
        u->running = set->running;
    if (set->eime != FACT_UNKNOWN)
        u->eime = set->eime;
}

/* A unit whose registers the log has. */
static void log_unit_add(struct host *h, const struct log_unit *u)
{
    struct host_register_set set = {
        .base = u->base,
        .cap = u->cap,
        .ecap = u->ecap,
        .version = (uint32_t)(u->major << 4 | u->minor),
        .has_caps = true,
    };

    if (!u->has_base || !u->has_cap || !u->has_ecap)
        return;
    if (u->number >= 0)
        (void)snprintf(set.name, sizeof(set.name), "dmar%d", u->number);
    else
        (void)snprintf(set.name, sizeof(set.name), "0x%llx",
                       (unsigned long long)u->base);
    unit_add(h, &set, "log");
}

static void log_take(struct host *h, const struct log_facts *f)
{
    const struct log_seen *const seen = f->boot.seen;
    struct log_verdict v;

    log_judge(f, &v);
    if (v.said)
        h->log.remapping = v.remapping == LOG_REMAPPING_ON ? FACT_YES : FACT_NO;
    if (v.mode != LOG_MODE_UNKNOWN)
        h->log.x2apic = v.mode == LOG_MODE_IS_X2APIC ? FACT_YES : FACT_NO;
    h->log.erratum = seen[LOG_ERRATUM].count != 0;
    h->log.optout = seen[LOG_OPT_OUT].count != 0;
    h->log.ioapic_uncovered = seen[LOG_IOAPIC_UNCOVERED].count != 0;
    h->log.bad_table = seen[LOG_TABLE_BAD].count != 0;
    for (unsigned int i = 0; i < f->boot.unit_count; i++)
        log_unit_add(h, &f->boot.units[i]);
}

static void log_gather(struct host *h, struct root *r)
{
    struct log_facts *const f = malloc(sizeof(*f));
    unsigned long number = 0;
    struct span line;
    struct span text;
    char *const bytes = root_log(r, TEXT_BYTES, &text.length, &h->log_state);

    text.at = bytes;
    if (bytes != NULL && f != NULL) {
        log_init(f);
        while (span_line(&text, &line))
            log_line(f, line.at, line.length, ++number);
        log_end(f);
        log_take(h, f);
    }
    free(bytes);
    free(f);
}

static void regset_gather(struct host *h, struct root *r)
{
    struct host_register_set *const set = calloc(HOST_UNITS, sizeof(*set));
    enum root_state state;
    struct span text;
    char *const bytes =
        root_read(r, PATH_REGSET, TEXT_BYTES, &text.length, &state, true);

    text.at = bytes;
    if (bytes != NULL && set != NULL) {
        const size_t count = host_parse_regset(text, set, HOST_UNITS);

        for (size_t i = 0; i < count; i++)
            unit_add(h, &set[i], "debugfs");
    }
    free(bytes);
    free(set);
}

static void table_add(struct host *h, const struct host_table *table)
{
    for (size_t i = 0; i < h->unit_count; i++) {
        struct host_unit *const u = &h->unit[i];

        if (strcmp(u->name, table->name) != 0)
            continue;
        u->has_table = true;
        u->remapped = table->remapped;
        u->posted = table->posted;
        if (table->off && u->running == FACT_UNKNOWN)
            u->running = FACT_NO;
    }
}

static void table_gather(struct host *h, struct root *r)
{
    struct host_table *const table = calloc(HOST_UNITS, sizeof(*table));
    enum root_state state;
    struct span text;
    char *const bytes =
        root_read(r, PATH_ENTRIES, TEXT_BYTES, &text.length, &state, true);

    text.at = bytes;
    if (bytes != NULL && table != NULL) {
        const size_t count = host_parse_table(text, table, HOST_UNITS);

        h->has_tables = true;
        for (size_t i = 0; i < count; i++)
            table_add(h, &table[i]);
    }
    free(bytes);
    free(table);
}

static void proc_gather(struct host *h, struct root *r)
{
    enum root_state state;
    struct span text;
    char *bytes =
        root_read(r, PATH_CPUINFO, CPUINFO_BYTES, &text.length, &state, false);

    text.at = bytes;
    if (bytes != NULL) {
        host_parse_cpuinfo(text, &h->cpu);
        h->has_cpu = h->cpu.vendor[0] != '\0';
    }
    free(bytes);
    bytes =
        root_read(r, PATH_INTERRUPTS, TEXT_BYTES, &text.length, &state, false);
    text.at = bytes;
    if (bytes != NULL) {
        host_parse_interrupts(text, &h->interrupts);
        h->has_interrupts = true;
    }
    free(bytes);
}

static void cmdline_gather(struct host *h, struct root *r)
{
    enum root_state state;
    struct span word;
    struct span text;
    char *const bytes =
        root_read(r, PATH_CMDLINE, TABLE_BYTES, &text.length, &state, false);

    h->arguments = json_array();
    if (bytes == NULL)
        return;
    text.at = bytes;
    h->has_options = true;
    host_parse_cmdline(text, &h->options);
    while (span_argument(&text, &word) && !span_is(word, "--")) {
        if (host_argument_matters(word))
            (void)json_array_append_new(h->arguments,
                                        json_printable(word.at, word.length));
    }
    free(bytes);
}

static enum fact parameter(struct root *r, const char *path)
{
    char *bytes;
    const struct span text = small_read(r, path, &bytes);
    const enum fact value =
        bytes == NULL ? FACT_UNKNOWN : host_parse_bool(text);

    free(bytes);
    return value;
}

static void kernel_gather(struct host *h, struct root *r)
{
    const enum root_state modules = root_look(r, "sys/module");
    struct span text;
    struct span word;
    char *bytes;

    if (modules == ROOT_READ)
        h->kvm = root_look(r, PATH_KVM) == ROOT_READ ? FACT_YES : FACT_NO;
    h->enable_apicv = parameter(r, PATH_APICV);
    h->device_posting = parameter(r, PATH_DEVICES);
    h->unsafe_interrupts = parameter(r, PATH_UNSAFE);
    text = small_read(r, PATH_HYPERVISOR, &bytes);
    h->xen = bytes != NULL && span_begins(text, "xen");
    free(bytes);
    text = small_read(r, PATH_RELEASE, &bytes);
    if (bytes != NULL && span_word(&text, &word)) {
        for (size_t i = 0; i < word.length && i + 1 < sizeof(h->release); i++)
            h->release[i] =
                word.at[i] > ' ' && word.at[i] < 0x7f ? word.at[i] : '?';
    }
    free(bytes);
}

struct host *host_gather(struct root *r)
{
    struct host *const h = calloc(1, sizeof(*h));

    if (h == NULL)
        return NULL;
    /* DMAR before the rest: the order of units is that of the table. */
    acpi_gather(h, r);
    sysfs_gather(h, r);
    proc_gather(h, r);
    cmdline_gather(h, r);
    kernel_gather(h, r);
    log_gather(h, r);
    regset_gather(h, r);
    table_gather(h, r);
    return h;
}

void host_free(struct host *h)
{
    json_decref(h->arguments);
    free(h);
}
