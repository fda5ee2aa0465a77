/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The remapping unit and the interrupts of the assigned devices: how a host
 * brings a unit up, and how it calls irq.h; vm.c calls bind.h.
 *
 * The unit is the library's model of a unit. CPU_UNIT works through the queue of
 * the unit and plays the devices; the other CPUs wait for it here. On a machine
 * with a real unit read32 to write64 would be accesses to its registers, and
 * nothing else would change.
 */

#include "minivisor.h"

/* CAP and ECAP of a Xeon-SP. */
#define XEON_VER       0x10
#define REGISTER_BYTES 4096u /* of a unit, mapped */
#define XEON_CAP       UINT64_C(0x08d2078c106f0466)
#define XEON_ECAP      UINT64_C(0xf020df)
#define HAW            46

static struct vtdpi_model_iec_entry cache[TABLE_ENTRIES];
static _Alignas(PAGE) struct vtdpi_irte entries[TABLE_ENTRIES];
static _Alignas(PAGE) uint64_t ring[PAGE / 8];
static _Alignas(PAGE) uint32_t status[PAGE / 4];
static uint64_t storage[TABLE_ENTRIES / 8];
static struct vtdpi_table_unit link;
static struct vtdpi_platform_ops ops;

/* The unit's end. */

/* Physical memory as the unit sees it: all of it, pointers are addresses. */
static void *map(void *ctx, uint64_t phys, size_t len)
{
    (void)ctx;
    (void)len;
    return phys < UINT64_C(3) << 30 ? (void *)(uintptr_t)phys : NULL;
}

/* A notification: a real interrupt, to NDST with NV as the descriptor says. */
static void notify(void *ctx, const struct vtdpi_model_notification *n)
{
    (void)ctx;
    account_sent(n->nv);
    apic_ipi(n->apic_id, n->nv);
}

static void relax(void *ctx)
{
    (void)ctx;
    pause();
}

/* Before CPU_UNIT is started. */
void interrupts_power_up(void)
{
    const struct vtdpi_model_params params = {
        .ver = XEON_VER,
        .cap = XEON_CAP,
        .ecap = XEON_ECAP,
        .map = map,
        .iec = cache,
        .iec_slots = TABLE_ENTRIES,
        .notify = notify,
        .relax = relax,
        .host_address_width = HAW,
        .concurrent = true,
        .manual = true, /* CPU_UNIT moves the queue */
    };

    must(vtdpi_model_init(&host.model, &params), "vtdpi_model_init");
}

/* The host's end. */

static uint64_t clock(void *ctx)
{
    (void)ctx;
    return now_us();
}

static void start_table(void)
{
    const struct vtdpi_table_params params = {
        .entries = entries,
        .phys = (uintptr_t)entries,
        .count = TABLE_ENTRIES,
        .storage = storage,
        .storage_size = sizeof(storage),
        .mode = VTDPI_X2APIC,
        .haw = HAW,
    };

    must(vtdpi_table_init(&host.table, &params), "vtdpi_table_init");
}

static void start_unit(void)
{
    const struct vtdpi_unit_config config = {
        .qi = {.submitters = CPUS,
               .ring = ring,
               .ring_phys = (uintptr_t)ring,
               .status = status,
               .status_phys = (uintptr_t)status},
    };

    ops = vtdpi_model_platform_ops;
    ops.now_us = clock; /* the CPUs' time, not the model's */
    ops.relax = relax;
    must(vtdpi_unit_probe(&host.unit, &ops, &host.model, REGISTER_BYTES),
         "vtdpi_unit_probe");
    /* The unit is enabled with the table that it joins. */
    must(vtdpi_table_add_unit(&host.table, &link, &host.unit),
         "vtdpi_table_add_unit");
    must(vtdpi_unit_enable(&host.unit, &config), "vtdpi_unit_enable");
}

/* Interrupts. */

static void set_host_form(struct interrupt *i)
{
    const struct vtdpi_irte_remapped form = {
        .present = true,
        .dlm = VTDPI_DLM_FIXED,
        .mode = VTDPI_X2APIC,
        .vector = (uint8_t)(HOST_VECTOR + i->number),
        .dst = cpu_apic_id(CPU_FIRST + i->number % PCPUS),
    };

    must(vtdpi_irq_set_host(&i->pi, &form), "vtdpi_irq_set_host");
}

static void start_interrupt(struct interrupt *i, uint32_t index)
{
    /* Only this device may raise it. */
    const struct vtdpi_source source = vtdpi_source_exact(i->rid, VTDPI_SQ_ALL);

    must(vtdpi_irq_init(&i->pi, vtdpi_table_backend(&host.table), index,
                        &source, NULL),
         "vtdpi_irq_init");
    set_host_form(i);
    vm_bind(i);
    vm_move(i, &host.vcpu[i->number % VCPUS],
            (uint8_t)(VECTOR_DEVICE + 16 * i->number));
}

static void start_device(unsigned int device)
{
    struct vtdpi_msi msi;
    uint32_t index;

    must(vtdpi_table_alloc(&host.table, MESSAGES, NULL, &index),
         "vtdpi_table_alloc");
    must(vtdpi_msi_encode_block(index, MESSAGES, &msi),
         "vtdpi_msi_encode_block");
    for (unsigned int m = 0; m < MESSAGES; m++) {
        struct interrupt *const i = &host.interrupts[device * MESSAGES + m];

        i->number = device * MESSAGES + m;
        i->rid = (uint16_t)(0x3b00 + 8 * device);
        i->msi = msi;
        i->msi.data += m;
        start_interrupt(i, index + m);
    }
}

/* CPU_UNIT is in devices_loop() already: it works through the queue. */
void interrupts_start(void)
{
    start_table();
    start_unit();
    vm_start();
    for (unsigned int device = 0; device < DEVICES; device++)
        start_device(device);
}

void interrupts_stop(void)
{
    for (unsigned int n = 0; n < INTERRUPTS; n++) {
        vm_unbind(&host.interrupts[n]);
        must(vtdpi_irq_teardown(&host.interrupts[n].pi), "vtdpi_irq_teardown");
    }
    for (unsigned int n = 0; n < INTERRUPTS; n += MESSAGES)
        must(vtdpi_table_free(&host.table,
                              vtdpi_irq_index(&host.interrupts[n].pi),
                              MESSAGES),
             "vtdpi_table_free");
    vm_stop();
    must(vtdpi_unit_disable(&host.unit), "vtdpi_unit_disable");
    must(vtdpi_table_remove_unit(&host.table, &host.unit),
         "vtdpi_table_remove_unit");
}
