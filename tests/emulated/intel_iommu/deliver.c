/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages: the entry chosen, its vector, its processor, and every change. */

#include "kernel.h"

#define MESSAGES    8
#define MEMBERS     64
#define SVT_EXACT   1
#define SVT_BUSES   2
#define DLM_LOWEST  1
#define VECTOR_BASE 0x30
#define VECTOR_SPAN 0xa0

struct vtdpi_source source_of(const struct oracle_entry *e)
{
    if (e->svt == SVT_EXACT)
        return vtdpi_source_exact(e->sid, (enum vtdpi_sq)e->sq);
    if (e->svt == SVT_BUSES)
        return vtdpi_source_bus_range((uint8_t)(e->sid >> 8), (uint8_t)e->sid);
    return vtdpi_source_any_unverified();
}

struct vtdpi_irte_remapped form_of(const struct oracle_entry *e)
{
    return (struct vtdpi_irte_remapped){
        .present = true,
        .fpd = e->fpd,
        .dm = e->dm,
        .rh = e->rh,
        .tm = e->tm,
        .avail = e->avail,
        .vector = e->vector,
        .dlm = (enum vtdpi_dlm)e->dlm,
        .mode = machine.mode,
        .dst = e->dst,
        .source = source_of(e),
    };
}

struct oracle_entry entry_for(uint8_t vector, unsigned int cpu)
{
    return (struct oracle_entry){.vector = vector,
                                 .dst = cpu_apic_id(cpu),
                                 .sid = machine.edu,
                                 .svt = SVT_EXACT};
}

bool table_has(uint32_t index, const struct oracle_entry *e)
{
    struct vtdpi_irte irte;

    return vtdpi_table_read(&machine.table, index, &irte) == 0 &&
           irte.lo == oracle_lo(e) && irte.hi == oracle_hi(e) &&
           !vtdpi_table_is_dirty(&machine.table, index);
}

bool was_cleaned(uint32_t index)
{
    const uintptr_t entry = (uintptr_t)&machine.entries[index];
    const bool yes =
        machine.cleaned <= entry && entry + sizeof(machine.entries[0]) <=
                                        machine.cleaned + machine.cleaned_bytes;

    machine.cleaned_bytes = 0;
    return yes;
}

struct arrival arrival_expected(unsigned int cpu, uint8_t vector)
{
    machine.fired++;
    return (struct arrival){cpu, vector, trap_count(cpu, vector)};
}

static bool has_arrived(void *arg)
{
    const struct arrival *a = arg;

    return trap_count(a->cpu, a->vector) != a->before;
}

bool arrived(struct arrival *a)
{
    return wait_until(has_arrived, a) &&
           trap_count(a->cpu, a->vector) == a->before + 1;
}

uint32_t arrivals(void)
{
    uint32_t n = 0;

    for (unsigned int c = 0; c < cpu_count(); c++) {
        for (unsigned int v = VECTOR_BASE; v < VECTOR_WORK; v++)
            n += trap_count(c, (uint8_t)v);
    }
    return n;
}

bool fires(uint16_t base, uint16_t sub, const struct oracle_entry *e,
           unsigned int cpu)
{
    struct arrival a = arrival_expected(cpu, e->vector);

    oracle_msi(base, sub);
    oracle_delivery((uint16_t)(base + sub), e, false);
    edu_raise();
    return arrived(&a);
}

static uint32_t allocate(uint32_t count)
{
    uint32_t first = 0;

    if (vtdpi_table_alloc(&machine.table, count, NULL, &first) != 0)
        panic("no %u indexes are free", count);
    return first;
}

static void start(struct vtdpi_irq *irq, uint32_t index,
                  const struct oracle_entry *e)
{
    const struct vtdpi_source source = source_of(e);

    if (vtdpi_irq_init(irq, vtdpi_table_backend(&machine.table), index, &source,
                       NULL) != 0)
        panic("no interrupt for index %u", index);
}

static bool set(struct vtdpi_irq *irq, const struct oracle_entry *e)
{
    const struct vtdpi_irte_remapped form = form_of(e);

    return vtdpi_irq_set_host(irq, &form) == 0 &&
           table_has(vtdpi_irq_index(irq), e) &&
           was_cleaned(vtdpi_irq_index(irq));
}

/* An entry that is there is changed, and flushed. */
static bool change(struct vtdpi_irq *irq, const struct oracle_entry *e)
{
    oracle_flush_one((uint16_t)vtdpi_irq_index(irq));
    return set(irq, e);
}

/* It was not present. */
static bool create(struct vtdpi_irq *irq, const struct oracle_entry *e)
{
    oracle_new((uint16_t)vtdpi_irq_index(irq));
    return set(irq, e);
}

static bool end(struct vtdpi_irq *irq)
{
    oracle_flush_one((uint16_t)vtdpi_irq_index(irq));
    return vtdpi_irq_teardown(irq) == 0 &&
           vtdpi_table_free(&machine.table, vtdpi_irq_index(irq), 1) == 0;
}

void test_deliver(void)
{
    const uint32_t index = allocate(1);
    struct oracle_entry e = entry_for(0x51, 0);
    struct vtdpi_irq irq = {0};

    start(&irq, index, &e);
    edu_select(index);
    check(create(&irq, &e) && fires((uint16_t)index, 0, &e, 0),
          "a message arrives on CPU 0");
    check(!set(&irq, &e) && table_has(index, &e),
          "the same form again costs nothing");
    for (unsigned int c = 1; c < cpu_count(); c++) {
        e = entry_for((uint8_t)(0x51 + c), c);
        check(change(&irq, &e) && fires((uint16_t)index, 0, &e, c),
              "changed, it arrives on CPU %u, APIC id %u, vector %x", c,
              cpu_apic_id(c), e.vector);
    }
    check(end(&irq), "it is torn down");
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Each change is a wait descriptor and an IEC one: the queue wraps every 128
 * or 256 of them. */
void test_retargets(unsigned int rounds)
{
    const uint32_t index = allocate(1);
    struct oracle_entry e = entry_for(VECTOR_BASE, 0);
    struct vtdpi_irq irq = {0};
    uint32_t random = 0x2545f491;
    unsigned int good = 0;

    start(&irq, index, &e);
    edu_select(index);
    if (!create(&irq, &e))
        panic("no entry to begin with");
    for (unsigned int i = 0; i < rounds; i++) {
        const uint32_t r = next_random(&random);
        const unsigned int cpu = r % cpu_count();
        const uint8_t old = e.vector;

        /* Never the same again: that would cost nothing. */
        e = entry_for((uint8_t)(VECTOR_BASE + (r >> 8) % VECTOR_SPAN), cpu);
        if (e.vector == old)
            e.vector++;
        good += change(&irq, &e) && fires((uint16_t)index, 0, &e, cpu);
    }
    check(good == rounds, "%u of %u changes were delivered as they said", good,
          rounds);
    check(ring_is_clean(), "no descriptor has reserved words set");
    check(end(&irq), "the interrupt is torn down");
}

/* The logical id of a CPU: in x2APIC mode given by hardware, in xAPIC mode by
 * the runtime. */
static uint32_t logical_id(unsigned int cpu)
{
    const uint32_t id = cpu_apic_id(cpu);

    if (machine.mode == VTDPI_XAPIC)
        return UINT32_C(1) << cpu;
    return (id & ~0xfu) << 12 | UINT32_C(1) << (id & 0xf);
}

/* Every field of an entry, one at a time, to the CPU with the largest id. */
void test_formats(void)
{
    const uint32_t index = allocate(1);
    const unsigned int cpu = cpu_count() - 1;
    const struct oracle_entry plain = entry_for(0x71, cpu);
    struct oracle_entry e = plain;
    struct vtdpi_irq irq = {0};

    start(&irq, index, &plain);
    edu_select(index);
    e.fpd = true;
    check(create(&irq, &e) && fires((uint16_t)index, 0, &e, cpu), "FPD");
    e = plain;
    e.avail = 0xf;
    check(change(&irq, &e) && fires((uint16_t)index, 0, &e, cpu), "AVAIL");
    e = plain;
    e.dm = true;
    e.dst = logical_id(cpu);
    check(change(&irq, &e) && fires((uint16_t)index, 0, &e, cpu),
          "logical destination %x", e.dst);
    e.rh = true;
    e.dlm = DLM_LOWEST;
    check(change(&irq, &e) && fires((uint16_t)index, 0, &e, cpu),
          "lowest priority, with redirection hint");
    e = plain;
    e.vector = 0xef;
    check(change(&irq, &e) && fires((uint16_t)index, 0, &e, cpu), "vector ef");
    check(end(&irq), "torn down");
}

static void source_accepts(const char *what, const struct oracle_entry *e)
{
    const uint32_t index = allocate(1);
    struct vtdpi_irq irq = {0};

    start(&irq, index, e);
    edu_select(index);
    check(create(&irq, e) && fires((uint16_t)index, 0, e, 0) && end(&irq),
          "source: %s", what);
}

void test_sources(void)
{
    struct oracle_entry e = entry_for(0x61, 0);

    source_accepts("exactly this function", &e);
    e.sid ^= 4;
    e.sq = 1;
    source_accepts("bit 2 ignored", &e);
    e.sid ^= 2;
    e.sq = 2;
    source_accepts("bits 2:1 ignored", &e);
    e.sid ^= 1;
    e.sq = 3;
    source_accepts("bits 2:0 ignored", &e);
    e.sq = 0;
    e.svt = SVT_BUSES;
    e.sid = 0x0000; /* from bus 0 to bus 0 */
    source_accepts("a range of buses", &e);
    e.svt = 0;
    e.sid = 0;
    source_accepts("any", &e);
}

/* Interrupts of a batch, each with its vector on one of the CPUs. */
static struct oracle_entry member(unsigned int i, unsigned int shift)
{
    return entry_for((uint8_t)(VECTOR_BASE + i + shift),
                     (i + shift) % cpu_count());
}

static bool member_fires(uint16_t base, unsigned int i, unsigned int shift)
{
    const struct oracle_entry e = member(i, shift);

    edu_select(base + i);
    return fires((uint16_t)(base + i), 0, &e, (i + shift) % cpu_count());
}

/* Change the members that are in mask in one batch; what is to be flushed the
 * caller has told the oracle. */
static bool change_members(struct vtdpi_irq *irqs, uint64_t mask,
                           unsigned int shift, uint32_t capacity)
{
    struct vtdpi_flush_range ranges[RANGES_MAX];
    struct vtdpi_irq_batch batch;
    bool ok = vtdpi_irq_batch_begin(&batch, vtdpi_table_backend(&machine.table),
                                    ranges, capacity) == 0;

    for (unsigned int i = 0; i < MEMBERS; i++) {
        const struct oracle_entry e = member(i, shift);
        const struct vtdpi_irte_remapped form = form_of(&e);

        if ((mask >> i & 1) != 0)
            ok = ok && vtdpi_irq_batch_set_host(&batch, &irqs[i], &form) == 0;
    }
    return vtdpi_irq_batch_commit(&batch) == 0 && ok;
}

static bool end_members(struct vtdpi_irq *irqs, uint32_t base)
{
    struct vtdpi_flush_range range;
    struct vtdpi_irq_batch batch;
    bool ok = vtdpi_irq_batch_begin(&batch, vtdpi_table_backend(&machine.table),
                                    &range, 1) == 0;

    for (unsigned int i = 0; i < MEMBERS; i++)
        ok = ok && vtdpi_irq_batch_teardown(&batch, &irqs[i]) == 0;
    return vtdpi_irq_batch_commit(&batch) == 0 && ok &&
           vtdpi_table_free(&machine.table, base, MEMBERS) == 0;
}

void test_batches(void)
{
    static struct vtdpi_irq irqs[MEMBERS];
    const uint16_t base = (uint16_t)allocate(MEMBERS);
    const struct oracle_block all = {base, 6};
    const struct oracle_block eight = {base, 3};
    const struct oracle_block three[] = {
        {base, 0}, {(uint16_t)(base + 9), 0}, {(uint16_t)(base + 62), 0}};
    const struct oracle_entry any = member(0, 0);

    for (unsigned int i = 0; i < MEMBERS; i++)
        start(&irqs[i], base + i, &any);
    if (oracle.caching)
        oracle_flush(&all, 1);
    check(change_members(irqs, ~UINT64_C(0), 0, RANGES_MAX) &&
              member_fires(base, 63, 0),
          "64 new entries");
    oracle_flush(&all, 1);
    check(change_members(irqs, ~UINT64_C(0), 1, 1) &&
              member_fires(base, 0, 1) && member_fires(base, 17, 1),
          "64 changed: one descriptor");
    oracle_flush(three, 3);
    check(change_members(irqs, UINT64_C(0x4000000000000201), 2, RANGES_MAX) &&
              member_fires(base, 9, 2) && member_fires(base, 8, 1),
          "3 changed, far apart: three descriptors");
    oracle_flush(&eight, 1);
    check(change_members(irqs, 0x7e, 3, RANGES_MAX) && member_fires(base, 6, 3),
          "6 in a row, not aligned: one descriptor for 8");
    oracle_flush(NULL, 0);
    check(change_members(irqs, UINT64_C(0x155555555), 4, RANGES_MAX) &&
              member_fires(base, 32, 4),
          "17 scattered: a global invalidation");
    oracle_flush(NULL, 0);
    check(change_members(irqs, 0x15, 5, 2) && member_fires(base, 4, 5),
          "3 scattered with room for 2: a global invalidation");
    oracle_flush(&all, 1);
    check(end_members(irqs, base), "64 torn down: one descriptor");
}

/* One device, several messages: consecutive indexes, told apart by the number
 * that the device adds to the data. The edu device has one message, so the
 * test adds it. */
void test_blocks(void)
{
    const uint16_t base = (uint16_t)allocate(MESSAGES);
    struct vtdpi_irq irqs[MESSAGES] = {{0}};
    struct vtdpi_msi msi = {0};
    bool ok = vtdpi_msi_encode_block(base, MESSAGES, &msi) == 0 &&
              msi.address_lo == oracle_address(base) && msi.address_hi == 0 &&
              msi.data == 0;

    for (unsigned int i = 0; i < MESSAGES; i++) {
        const struct oracle_entry e = member(i, 0);

        start(&irqs[i], base + i, &e);
        ok = ok && create(&irqs[i], &e);
    }
    for (unsigned int i = 0; i < MESSAGES; i++) {
        const struct oracle_entry e = member(i, 0);

        edu_program(&msi);
        ok = ok && fires(base, (uint16_t)i, &e, i % cpu_count());
        msi.data++;
    }
    check(ok, "%u messages of a block: each its own entry", MESSAGES);
    for (unsigned int i = 0; i < MESSAGES; i++)
        ok = ok && end(&irqs[i]);
    check(ok, "the block is torn down");
}

/* The first and the last index, and the ones where a bit of the handle moves
 * to another place of the address. */
void test_indexes(void)
{
    const uint32_t count = vtdpi_table_count(&machine.table);
    const uint32_t indexes[] = {0,         count / 2 - 1, count / 2,
                                count - 1, 0x1234,        0x8001};

    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        const struct oracle_entry e = entry_for(0x77, 0);
        struct vtdpi_irq irq = {0};

        if (indexes[i] >= count)
            continue;
        if (vtdpi_table_reserve(&machine.table, indexes[i], 1, NULL) != 0)
            panic("index %x is not free", indexes[i]);
        start(&irq, indexes[i], &e);
        edu_select(indexes[i]);
        check(create(&irq, &e) && fires((uint16_t)indexes[i], 0, &e, 0) &&
                  end(&irq),
              "index %x", indexes[i]);
    }
}
