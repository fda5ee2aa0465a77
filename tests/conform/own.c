/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control: this library's own driver under trial, by pointers to registers, or with
 * --callbacks by the functions of conform.h. Every phase has to pass.
 */
#include <string.h>

#include "vtdpi/conform.h"
#include "vtdpi/vtdpi.h"

enum {
    ENTRIES = 256,
    PAGE = 4096,
    STORAGE_BYTES = 4096,
    RECORDS_MAX = 64, /* of one run of the handler */
};

static _Alignas(PAGE) struct vtdpi_irte entries[ENTRIES];
static _Alignas(PAGE) uint8_t ring[PAGE];
static _Alignas(PAGE) uint32_t status[PAGE / sizeof(uint32_t)];
static _Alignas(64) uint8_t storage[STORAGE_BYTES];
static struct vtdpi_table table;
static struct vtdpi_table_unit link;
static struct vtdpi_unit unit;
static struct vtdpi_irq irqs[ENTRIES]; /* by index */
static struct vtdpi_fault_reader reader;
static struct vtdpi_sched sched;
static struct vtdpi_pid_page page;
static struct vtdpi_vcpu vcpu;
static enum vtdpi_apic_mode mode;

static uint32_t pointer_read32(void *ctx, uint32_t off)
{
    (void)ctx;
    return *(volatile uint32_t *)(uintptr_t)(VTDPI_CONFORM_REGISTERS + off);
}

static uint64_t pointer_read64(void *ctx, uint32_t off)
{
    (void)ctx;
    return *(volatile uint64_t *)(uintptr_t)(VTDPI_CONFORM_REGISTERS + off);
}

static void pointer_write32(void *ctx, uint32_t off, uint32_t value)
{
    (void)ctx;
    *(volatile uint32_t *)(uintptr_t)(VTDPI_CONFORM_REGISTERS + off) = value;
}

static void pointer_write64(void *ctx, uint32_t off, uint64_t value)
{
    (void)ctx;
    *(volatile uint64_t *)(uintptr_t)(VTDPI_CONFORM_REGISTERS + off) = value;
}

static uint32_t call_read32(void *ctx, uint32_t off)
{
    (void)ctx;
    return vtdpi_conform_read32(off);
}

static uint64_t call_read64(void *ctx, uint32_t off)
{
    (void)ctx;
    return vtdpi_conform_read64(off);
}

static void call_write32(void *ctx, uint32_t off, uint32_t value)
{
    (void)ctx;
    vtdpi_conform_write32(off, value);
}

static void call_write64(void *ctx, uint32_t off, uint64_t value)
{
    (void)ctx;
    vtdpi_conform_write64(off, value);
}

static uint64_t now_us(void *ctx)
{
    (void)ctx;
    return vtdpi_conform_now_us();
}

static uintptr_t lock(void *ctx)
{
    (void)ctx;
    return 1;
}

static void unlock(void *ctx, uintptr_t token)
{
    (void)ctx;
    (void)token;
}

static void clean(void *ctx, const void *p, size_t n)
{
    (void)ctx;
    vtdpi_conform_clean(p, n);
}

static void relax(void *ctx)
{
    (void)ctx;
    vtdpi_conform_pause();
}

static void log_line(void *ctx, enum vtdpi_log_level level, const char *text)
{
    (void)ctx;
    vtdpi_conform_log("%d: %s", (int)level, text);
}

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    (void)apic_id;
    (void)vector;
}

static struct vtdpi_platform_ops ops = {
    .read32 = pointer_read32,
    .read64 = pointer_read64,
    .write32 = pointer_write32,
    .write64 = pointer_write64,
    .now_us = now_us,
    .lock = lock,
    .unlock = unlock,
    .clean = clean,
    .relax = relax,
    .log = log_line,
    .send_ipi = send_ipi,
};

static void report(void *ctx, const struct vtdpi_fault *fault)
{
    (void)ctx;
    (void)fault;
}

static int table_up(void)
{
    const struct vtdpi_table_params params = {
        .entries = entries,
        .phys = (uintptr_t)entries,
        .count = ENTRIES,
        .storage = storage,
        .storage_size = sizeof(storage),
        .mode = mode,
        .haw = 52,
    };
    const int rc = vtdpi_table_init(&table, &params);

    return rc != 0 ? rc : vtdpi_table_add_unit(&table, &link, &unit);
}

static int unit_up(void)
{
    const struct vtdpi_unit_config config = {
        .take_over = true,
        .qi =
            {
                .ring = ring,
                .ring_phys = (uintptr_t)ring,
                .status = status,
                .status_phys = (uintptr_t)status,
                .submitters = 2,
            },
    };

    return vtdpi_unit_enable(&unit, &config);
}

static int events_up(void)
{
    const int rc = vtdpi_fault_clear_all(&reader);

    return rc != 0 ? rc : vtdpi_fault_event_enable(&unit, mode, 0, 0x60);
}

static int init(void)
{
    const struct vtdpi_fault_params faults = {
        .unit = &unit,
        .table = &table,
        .report = report,
    };
    int rc = vtdpi_unit_probe(&unit, &ops, NULL, VTDPI_CONFORM_WINDOW);

    if (rc == 0) {
        mode = vtdpi_unit_caps(&unit)->eim ? VTDPI_X2APIC : VTDPI_XAPIC;
        rc = table_up();
    }
    if (rc == 0)
        rc = unit_up();
    if (rc == 0)
        rc = vtdpi_fault_init(&reader, &faults);
    return rc != 0 ? rc : events_up();
}

static int set(uint16_t sid, uint8_t vector, uint32_t apic_id,
               struct vtdpi_conform_message *msg)
{
    const struct vtdpi_irte_remapped host = {
        .present = true,
        .vector = vector,
        .mode = mode,
        .dst = apic_id,
    };

    (void)sid;
    return vtdpi_irq_set_host(&irqs[msg->index], &host);
}

static int map(uint16_t sid, uint8_t vector, uint32_t apic_id,
               struct vtdpi_conform_message *out)
{
    const struct vtdpi_source source = vtdpi_source_exact(sid, VTDPI_SQ_ALL);
    uint32_t index;
    int rc = vtdpi_table_alloc(&table, 1, NULL, &index);

    if (rc == 0)
        rc = vtdpi_irq_init(&irqs[index], vtdpi_table_backend(&table), index,
                            &source, NULL);
    if (rc != 0)
        return rc;
    *out = (struct vtdpi_conform_message){
        .address = 0xfee00010 | index << 5,
        .index = index,
    };
    return set(sid, vector, apic_id, out);
}

static int release(uint16_t sid, const struct vtdpi_conform_message *msg)
{
    const int rc = vtdpi_irq_teardown(&irqs[msg->index]);

    (void)sid;
    return rc != 0 ? rc : vtdpi_table_free(&table, msg->index, 1);
}

static int suspend(void)
{
    return vtdpi_unit_suspend(&unit);
}

static int resume(void)
{
    const int rc = vtdpi_unit_resume(&unit);

    return rc != 0 ? rc : events_up();
}

static void fault(void)
{
    bool more = true;

    while (more && vtdpi_fault_handle(&reader, RECORDS_MAX, &more) == 0)
        ;
}

static void *where_table(size_t *bytes)
{
    *bytes = sizeof(entries);
    return entries;
}

/* A vCPU in the first slot of the page, which is the descriptor. */
static int vcpu_up(void *pid)
{
    static struct vtdpi_page_ref page_slot;
    static struct vtdpi_pcpu *pcpu_slots[1];
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = &page_slot,
        .max_pages = 1,
        .pcpus = pcpu_slots,
        .max_pcpus = 1,
        .apic_mode = mode,
        .anv = 0xf2,
    };
    int rc;

    rc = vtdpi_sched_init(&sched, &params);
    if (rc == 0)
        rc = vtdpi_sched_add_page(&sched, 0, &page, pid, (uintptr_t)pid);
    return rc != 0 ? rc : vtdpi_vcpu_attach(&sched, &vcpu, 0, &vcpu);
}

static int post(uint16_t sid, uint8_t vector, void *pid,
                struct vtdpi_conform_message *msg)
{
    const int rc = vcpu_up(pid);

    (void)sid;
    return rc != 0 ? rc : vtdpi_irq_post(&irqs[msg->index], &vcpu, vector);
}

static int unpost(uint16_t sid, struct vtdpi_conform_message *msg)
{
    (void)sid;
    return vtdpi_irq_unpost(&irqs[msg->index]);
}

static const struct vtdpi_conform_driver driver = {
    .name = "libvtdpi's own driver",
    .init = init,
    .map = map,
    .change = set,
    .free = release,
    .suspend = suspend,
    .resume = resume,
    .fault = fault,
    .table = where_table,
    .post = post,
    .unpost = unpost,
    .x2apic = true,
};

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--callbacks") == 0) {
        ops.read32 = call_read32;
        ops.read64 = call_read64;
        ops.write32 = call_write32;
        ops.write64 = call_write64;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    return vtdpi_conform_main(argc, argv, &driver);
}
