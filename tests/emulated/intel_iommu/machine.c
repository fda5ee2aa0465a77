/* SPDX-License-Identifier: BSD-2-Clause */
/* The unit: found by the firmware table, reached by the platform callbacks. */

#include "kernel.h"

#define TABLE_MAX     65536
#define RING_BYTES    8192
#define STATUS_MAX    512
#define STORAGE_WORDS 8192

#define FIRST_VECTOR  0x20
#define HAW           39 /* of the processors; any memory here is below 4 GiB */
#define CPUID_1_CX16  (1u << 13)
#define CACHE_LINE    64
#define IOAPIC_SOURCE 0xff00u /* bus ffh, device 0, function 0 */
#define UNIT_BASE     UINT64_C(0xfed90000)

struct machine machine;

static struct vtdpi_irte entries[TABLE_MAX]
    __attribute__((__aligned__(TABLE_MAX * 16)));
static unsigned char ring[RING_BYTES] __attribute__((__aligned__(4096)));
static uint32_t status[STATUS_MAX];
static uint64_t storage[STORAGE_WORDS];
static bool locked;

/*
 * The platform. ctx is the unit's base.
 */

static uint64_t at(void *ctx, uint32_t off)
{
    return *(const uint64_t *)ctx + off;
}

static uint32_t read32(void *ctx, uint32_t off)
{
    return mmio_read32(at(ctx, off));
}

static void write32(void *ctx, uint32_t off, uint32_t value)
{
    mmio_write32(at(ctx, off), value);
}

static uint64_t read64(void *ctx, uint32_t off)
{
    return mmio_read64(at(ctx, off));
}

static void write64(void *ctx, uint32_t off, uint64_t value)
{
    mmio_write64(at(ctx, off), value);
}

static uint64_t clock_us(void *ctx)
{
    (void)ctx;
    return now_us();
}

static void relax(void *ctx)
{
    (void)ctx;
    pause();
}

static uintptr_t lock(void *ctx)
{
    const uint64_t flags = interrupts_save();

    (void)ctx;
    while (__atomic_exchange_n(&locked, true, __ATOMIC_ACQUIRE))
        pause();
    return flags;
}

static void unlock(void *ctx, uintptr_t token)
{
    (void)ctx;
    __atomic_store_n(&locked, false, __ATOMIC_RELEASE);
    interrupts_restore(token);
}

/* QEMU has ECAP.C = 0, so this is called; tests look at what for. */
static void clean(void *ctx, const void *p, size_t len)
{
    const char *const end = (const char *)p + len;

    (void)ctx;
    machine.cleaned = (uintptr_t)p;
    machine.cleaned_bytes = len;
    for (const char *line = p; line < end; line += CACHE_LINE)
        __asm__ volatile("clflush %0" : : "m"(*line));
    __asm__ volatile("mfence" : : : "memory");
}

static void log_line(void *ctx, enum vtdpi_log_level level, const char *text)
{
    (void)ctx;
    print("log %u: %s\n", (unsigned int)level, text);
}

const struct vtdpi_platform_ops machine_ops = {
    .read32 = read32,
    .write32 = write32,
    .read64 = read64,
    .write64 = write64,
    .now_us = clock_us,
    .lock = lock,
    .unlock = unlock,
    .clean = clean,
    .relax = relax,
    .log = log_line,
};

/*
 * Finding it.
 */

static bool bridge_buses(void *ctx, uint16_t segment, uint16_t rid,
                         uint8_t *secondary, uint8_t *subordinate)
{
    const bool is_bridge = (pci_read8(rid, 0x0e) & 0x7f) == 1;

    (void)ctx;
    if (segment != 0 || !is_bridge)
        return false;
    *secondary = pci_read8(rid, 0x19);
    *subordinate = pci_read8(rid, 0x1a);
    return true;
}

static const struct vtdpi_source_pci_ops pci = {bridge_buses};

static void find_unit(struct vtdpi_dmar *dmar)
{
    struct vtdpi_dmar_drhd drhd = {0};
    struct vtdpi_dmar_drhd io_drhd = {0};
    size_t length = 0;
    struct vtdpi_dmar_problem at = {0};
    const void *const table = acpi_find("DMAR", &length);
    bool found;

    check(table != NULL && vtdpi_dmar_open(table, length, 0, dmar, NULL) == 0 &&
              vtdpi_dmar_check(dmar, &at) == 0,
          "the DMAR table is well-formed");
    check((dmar->flags & VTDPI_DMAR_INTR_REMAP) != 0,
          "it says that interrupts can be remapped");
    found = vtdpi_dmar_find_pci(dmar, &pci, NULL, 0, machine.edu, &drhd) == 0;
    check(found && drhd.base == UNIT_BASE, "the device's unit is at %lx",
          drhd.base);
    found = ioapic_find(&machine.io) &&
            vtdpi_dmar_find_id(dmar, &pci, NULL, VTDPI_DMAR_SCOPE_IOAPIC,
                               machine.io.id, &io_drhd, &machine.io_rid) == 0;
    check(found && io_drhd.base == UNIT_BASE && machine.io_rid == IOAPIC_SOURCE,
          "the IOAPIC's, too, and its requests come from %x", machine.io_rid);
    machine.registers = drhd.base;
    machine.registers_bytes = drhd.window_bytes;
}

/* Of all that posting needs QEMU's unit lacks one thing. */
static void judge(const struct vtdpi_dmar *dmar)
{
    const struct vtdpi_verdict_unit unit = {.caps = &machine.caps};
    uint8_t uncovered[1] = {machine.io.id};
    struct vtdpi_verdict_facts facts = {
        .units = &unit,
        .unit_count = 1,
        .uncovered_ioapics = uncovered,
        .uncovered_ioapic_count = vtdpi_dmar_uncovered_ioapics(
            dmar, &pci, NULL, uncovered, 1, uncovered),
        .firmware_intr_remap = (dmar->flags & VTDPI_DMAR_INTR_REMAP) != 0,
        .firmware_x2apic_optout =
            (dmar->flags & VTDPI_DMAR_X2APIC_OPT_OUT) != 0,
        .cpu_x2apic = machine.mode == VTDPI_X2APIC,
        .cpu_cx16 = (cpuid(1, 0).ecx & CPUID_1_CX16) != 0,
    };
    struct vtdpi_caps_options options;
    struct vtdpi_verdict_reason reasons[4];
    enum vtdpi_verdict verdict;
    size_t n = 0;

    vtdpi_caps_options_init(&options);
    verdict = vtdpi_verdict_decide(&facts, &options, reasons, 4, &n);
    print("verdict: %s\n", vtdpi_verdict_text(verdict));
    for (size_t i = 0; i < n && i < 4; i++)
        print("reason: %s (%u)\n", vtdpi_verdict_reason_text(reasons[i].code),
              reasons[i].where);
    check(verdict == VTDPI_VERDICT_REMAPPING && n == 1 &&
              reasons[0].code == VTDPI_VERDICT_REASON_UNIT_NO_PI &&
              reasons[0].where == 0,
          "posting is off since unit 0 has CAP.PI = 0, and for nothing else");
}

static void configure(unsigned int table_order, unsigned int queue_order)
{
    const struct vtdpi_table_params params = {
        .entries = entries,
        .phys = (uintptr_t)entries,
        .count = UINT32_C(1) << table_order,
        .storage = storage,
        .storage_size = sizeof(storage),
        .mode = machine.mode,
        .haw = HAW,
    };

    check(vtdpi_table_init(&machine.table, &params) == 0, "a table is set up");
    machine.entries = entries;
    memset(ring, 0xff, sizeof(ring)); /* its contents do not matter */
    machine.config = (struct vtdpi_unit_config){
        .qi =
            {
                .ring = ring,
                .ring_phys = (uintptr_t)ring,
                .order = queue_order,
                .width = machine.caps.smts ? VTDPI_QI_256 : VTDPI_QI_128,
                .status = status,
                .status_phys = (uintptr_t)status,
                .submitters = 2 * CPU_MAX,
            },
    };
    oracle.ring = (uintptr_t)ring;
    oracle.status = (uintptr_t)status;
    oracle.table = (uintptr_t)entries;
    oracle.order = queue_order;
    oracle.table_order = table_order;
    oracle.eime = machine.mode == VTDPI_X2APIC;
}

/* The upper halves of wide descriptors, which QEMU does not trace, once every
 * slot has been used. */
bool ring_is_clean(void)
{
    const uint64_t *const word = (const uint64_t *)ring;
    bool clean_so_far = true;

    if (!oracle.wide)
        return true;
    for (size_t i = 0; i < (4096u << oracle.order) / 8; i += 4)
        clean_so_far = clean_so_far && (word[i + 2] | word[i + 3]) == 0;
    return clean_so_far;
}

static void note_fault(void *ctx, const struct vtdpi_fault *fault)
{
    (void)ctx;
    if (machine.fault_count < FAULTS_MAX)
        machine.faults[machine.fault_count] = *fault;
    machine.fault_count++;
}

void machine_find(enum vtdpi_apic_mode mode, unsigned int table_order,
                  unsigned int queue_order)
{
    struct vtdpi_fault_params params = {
        .unit = &machine.unit, .table = &machine.table, .report = note_fault};
    struct vtdpi_dmar dmar;

    machine.mode = mode;
    edu_find();
    find_unit(&dmar);
    check(vtdpi_unit_probe(&machine.unit, &machine_ops, &machine.registers,
                           machine.registers_bytes) == 0,
          "the unit can be driven");
    machine.caps = *vtdpi_unit_caps(&machine.unit);
    print("unit: version %u.%u, CAP %lx, ECAP %lx\n",
          machine.caps.version_major, machine.caps.version_minor,
          machine.caps.cap, machine.caps.ecap);
    judge(&dmar);
    oracle_look(machine.registers);
    configure(table_order, queue_order);
    check(vtdpi_table_add_unit(&machine.table, &machine.link, &machine.unit) ==
                  0 &&
              machine.cleaned == (uintptr_t)entries,
          "the table is written back for a unit that does not snoop");
    machine.cleaned_bytes = 0;
    check(vtdpi_fault_init(&machine.reader, &params) == 0,
          "a fault reader is set up");
    for (unsigned int v = FIRST_VECTOR; v < VECTOR_WORK; v++)
        trap_handle((uint8_t)v, trap_count_only, NULL);
}
