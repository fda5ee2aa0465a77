/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The machine: memory, remapping units and their common table. What a host
 * does once, at boot: probe the units, reach the verdict, set up the table,
 * enable the units on it.
 */

#include "demo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtdpi/verdict.h"

/* CAP and ECAP of a Xeon-SP. Every second unit does not snoop (ECAP.C = 0), so
 * that entries have to be cleaned. */
#define XEON_VER           0x10
#define REGISTER_BYTES     4096u /* of a unit, mapped */
#define QUEUE_BYTES        4096u /* of a ring, and of status words */
#define XEON_CAP           UINT64_C(0x08d2078c106f0466)
#define XEON_ECAP          UINT64_C(0xf020df)
#define XEON_ECAP_NO_SNOOP UINT64_C(0xf020de)

/* Memory. */

static size_t memory_needed(const struct demo *d)
{
    /* The table, the PID pages; per unit two queues: a ring and, in a page, its
     * status words. */
    return (1 + PID_PAGES + 4 * (size_t)d->unit_count) * 4096;
}

static void memory_start(struct demo *d)
{
    d->memory_size = memory_needed(d);
    d->memory = aligned_alloc(4096, d->memory_size);
    if (d->memory == NULL)
        die("out of memory");
    for (size_t i = 0; i < d->memory_size; i++)
        d->memory[i] = 0;
    /* As high as the machine's addresses go, so that all bits are used. */
    d->memory_phys = UINT64_C(1) << (d->haw - 1);
}

void *machine_memory(struct demo *d, size_t size, size_t align, uint64_t *phys)
{
    const size_t at = (d->memory_used + align - 1) / align * align;

    if (at + size > d->memory_size)
        die("out of memory");
    d->memory_used = at + size;
    *phys = d->memory_phys + at;
    return d->memory + at;
}

/* The descriptor at an address, for those who only look. */
const struct vtdpi_pid *machine_pid(const struct demo *d, uint64_t pda)
{
    return (const void *)(d->memory + (pda - d->memory_phys));
}

static void *map(void *ctx, uint64_t phys, size_t len)
{
    const struct demo *const d = ctx;
    const uint64_t at = phys - d->memory_phys;

    if (at > d->memory_size || len > d->memory_size - at)
        return NULL;
    return d->memory + at;
}

/* Interrupts on their way to a pCPU. */

/* x2APIC ids: not the pCPU's number, and one needs more than 8 bits. */
uint32_t machine_apic_id(unsigned int pcpu)
{
    static const uint32_t ids[PCPUS] = {0x00, 0x02, 0x04, 0x106};

    return ids[pcpu];
}

struct pcpu *machine_pcpu(struct demo *d, uint32_t apic_id)
{
    for (unsigned int i = 0; i < PCPUS; i++) {
        if (machine_apic_id(i) == apic_id)
            return &d->pcpu[i];
    }
    die("interrupt for an APIC id that no pCPU has");
    return NULL;
}

/* A notification, from a unit or from a CPU: the local APIC has it now, the
 * pCPU takes it when chance says so. */
void machine_notify(struct demo *d, uint32_t apic_id, uint8_t vector)
{
    struct pcpu *const p = machine_pcpu(d, apic_id);

    p->pending[vector] = !p->offline;
    d->account.sent[vector]++;
    line_then(d, "%s to p%u", vector == ANV ? "ANV" : "WNV", p->number);
}

static void notify(void *ctx, const struct vtdpi_model_notification *n)
{
    machine_notify(ctx, n->apic_id, n->nv);
}

/* Units. */

static void table_memory_start(struct demo *d)
{
    const size_t size = TABLE_ENTRIES * sizeof(struct vtdpi_irte);

    d->entries = machine_memory(d, size, size, &d->entries_phys);
    d->shadow = aligned_alloc(64, size);
    d->table_storage = calloc(1, vtdpi_table_storage_size(TABLE_ENTRIES));
    if (d->shadow == NULL || d->table_storage == NULL)
        die("out of memory");
    vtdpi_model_view_init(&d->view, d->entries_phys, d->entries, d->shadow,
                          size);
}

void machine_start_table(struct demo *d, bool adopt)
{
    const struct vtdpi_table_params params = {
        .entries = d->entries,
        .phys = d->entries_phys,
        .count = TABLE_ENTRIES,
        .storage = d->table_storage,
        .storage_size = vtdpi_table_storage_size(TABLE_ENTRIES),
        .mode = VTDPI_X2APIC,
        .haw = d->haw,
        .adopt = adopt,
    };

    must(vtdpi_table_init(&d->table, &params), "vtdpi_table_init");
}

static void power_up(struct demo *d, struct unit *u)
{
    const struct vtdpi_model_params params = {
        .ver = XEON_VER,
        .cap = XEON_CAP,
        .ecap = u->ecap,
        .ctx = d,
        .map = map,
        .iec = u->cache,
        .iec_slots = TABLE_ENTRIES,
        .notify = notify,
        .views = &d->view,
        .view_count = 1,
        .host_address_width = d->haw,
        .seed = d->options.seed,
    };

    must(vtdpi_model_init(&u->hardware, &params), "vtdpi_model_init");
    for (unsigned int i = 0; i < 2; i++) {
        struct queue *const q = &u->queues[i];

        q->ring = machine_memory(d, QUEUE_BYTES, 4096, &q->ring_phys);
        q->status = machine_memory(d, QUEUE_BYTES, 4096, &q->status_phys);
    }
}

/* With a queue of its own. The one of before is free afterwards. */
static void enable(struct unit *u, bool adopt)
{
    const struct queue *const before = &u->queues[u->queue];
    const struct queue *const q = &u->queues[u->queue ^ 1];
    const struct vtdpi_unit_config config = {
        .adopt = adopt,
        .qi = {.ring = q->ring,
               .ring_phys = q->ring_phys,
               .status = q->status,
               .status_phys = q->status_phys,
               .submitters = PCPUS},
    };

    must(vtdpi_unit_enable(&u->driver, &config), "vtdpi_unit_enable");
    u->queue ^= 1;
    memset(before->ring, 0, QUEUE_BYTES);
    memset(before->status, 0, QUEUE_BYTES);
}

void machine_start_unit(struct demo *d, struct unit *u, bool adopt)
{
    must(vtdpi_unit_probe(&u->driver, &vtdpi_model_platform_ops, &u->hardware,
                          REGISTER_BYTES),
         "vtdpi_unit_probe");
    /* The unit is enabled with the table that it joins. */
    must(vtdpi_table_add_unit(&d->table, &u->link, &u->driver),
         "vtdpi_table_add_unit");
    enable(u, adopt);
}

void machine_start(struct demo *d)
{
    memory_start(d);
    table_memory_start(d);
    machine_start_table(d, false);
    for (unsigned int i = 0; i < d->unit_count; i++) {
        d->units[i].ecap = i % 2 == 0 ? XEON_ECAP_NO_SNOOP : XEON_ECAP;
        power_up(d, &d->units[i]);
        machine_start_unit(d, &d->units[i], false);
    }
}

void machine_stop(struct demo *d)
{
    for (unsigned int i = 0; i < d->unit_count; i++) {
        must(vtdpi_unit_disable(&d->units[i].driver), "vtdpi_unit_disable");
        must(vtdpi_table_remove_unit(&d->table, &d->units[i].driver),
             "vtdpi_table_remove_unit");
    }
    free(d->table_storage);
    free(d->shadow);
    free(d->memory);
    free(d->units);
}

/* What it is. */

static void print_verdict(const struct demo *d)
{
    struct vtdpi_verdict_unit *const units =
        calloc(d->unit_count, sizeof(*units));
    const struct vtdpi_verdict_facts facts = {
        .units = units,
        .unit_count = d->unit_count,
        .firmware_intr_remap = d->firmware_intr_remap,
        .firmware_x2apic_optout = d->firmware_x2apic_optout,
        .cpu_x2apic = true,
        .cpu_cx16 = VTDPI_HAVE_CX16,
    };
    struct vtdpi_caps_options options;
    struct vtdpi_verdict_reason reasons[4];
    size_t count;

    if (units == NULL)
        die("out of memory");
    for (unsigned int i = 0; i < d->unit_count; i++)
        units[i].caps = vtdpi_unit_caps(&d->units[i].driver);
    vtdpi_caps_options_init(&options);
    printf("verdict: %s\n", vtdpi_verdict_text(vtdpi_verdict_decide(
                                &facts, &options, reasons, 4, &count)));
    for (size_t i = 0; i < count && i < 4; i++)
        printf("         %s\n", vtdpi_verdict_reason_text(reasons[i].code));
    if (count != 0)
        puts("         A host would obey; this demo goes on, since it takes "
             "from the table\n         only units and scopes.");
    free(units);
}

static void print_device(const struct device *v)
{
    printf("    %-4s %04x:%02x:%02x.%x   %s\n", v->name, v->segment,
           v->sid >> 8, v->sid >> 3 & 0x1f, v->sid & 7, v->why);
}

static void print_note(const struct demo *d)
{
    printf("note: offset %zu (%zxh)", d->note.offset, d->note.offset);
    if (d->note.other_table != NULL)
        printf(" and %zu (%zxh)", d->note.other_offset, d->note.other_offset);
    printf(": %s\n", vtdpi_strerror(d->table_note));
}

void machine_print(const struct demo *d)
{
    char line[VTDPI_FORMAT_MAX];

    for (unsigned int i = 0; i < d->unit_count; i++) {
        const struct unit *const u = &d->units[i];

        (void)vtdpi_format_unit(line, sizeof(line), &u->driver);
        printf("unit %u at %" PRIx64 ", %s\n", i, u->base,
               vtdpi_unit_caps(&u->driver)->coherent
                   ? "coherent"
                   : "not coherent: entries are cleaned");
        put_fields(line);
        for (unsigned int n = 0; n < DEVICES; n++) {
            if (d->devices[n].unit == i)
                print_device(&d->devices[n]);
        }
    }
    print_verdict(d);
    if (d->table_note != 0)
        print_note(d);
}
