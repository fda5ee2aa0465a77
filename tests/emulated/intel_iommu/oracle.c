/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

#define CAP_REG    0x08
#define ECAP_REG   0x10
#define GCMD_REG   0x18
#define IQT_REG    0x88
#define IQA_REG    0x90
#define IEDATA_REG 0xa4
#define IRTA_REG   0xb8

#define IEC        0x04u
#define IEC_INDEX  0x10u
#define EIME       0x800u
#define IQA_DW     0x800u

/* Read by compare.py: all that comes before is firmware's. */
#define MARK       0xbe91u

struct oracle oracle;

static uint32_t bit(unsigned int n)
{
    return UINT32_C(1) << n;
}

void oracle_look(uint64_t registers)
{
    const uint64_t cap = mmio_read64(registers + CAP_REG);
    const uint64_t ecap = mmio_read64(registers + ECAP_REG);

    /* Bits 33:24, in units of 16 bytes. */
    oracle.records = (uint32_t)(cap >> 24 & 0x3ff) * 16;
    oracle.caching = (cap >> 7 & 1) != 0;
    oracle.wide = (ecap >> 43 & 1) != 0;
}

void oracle_begin(uint64_t registers)
{
    mmio_write32(registers + IEDATA_REG, MARK);
    oracle_write(IEDATA_REG, 4, MARK);
}

static uint32_t slots(void)
{
    return (oracle.wide ? 128u : 256u) << oracle.order;
}

uint32_t oracle_slot(uint32_t slot, uint32_t n)
{
    return (slot + n) % slots();
}

void oracle_write(uint32_t offset, unsigned int size, uint64_t value)
{
    oracle_line("write %x %u %lx\n", offset, size, value);
}

void oracle_command(unsigned int n, bool on)
{
    /* The status of SIRTP and SRTP is not a command: never written back. */
    const uint32_t lasting = oracle.gsts & ~bit(GCMD_SIRTP) & ~bit(GCMD_SRTP);
    const uint32_t value = on ? lasting | bit(n) : lasting & ~bit(n);

    oracle_write(GCMD_REG, 4, value);
    oracle_line("command %x %x\n", oracle.gsts, value);
    if (n == GCMD_QIE) {
        oracle_line("queue %u\n", on);
        if (on)
            oracle_line("queue-at %lx %x\n", oracle.ring, slots());
    } else if (n == GCMD_SIRTP) {
        oracle_line("table %lx %x\n", oracle.table, 1u << oracle.table_order);
    } else if (n == GCMD_IRE) {
        oracle_line("remapping %u\n", on);
    } else if (n == GCMD_SRTP) {
        oracle_line("root %lx 0\n", oracle.root);
    } else if (n == GCMD_TE) {
        oracle_line("translation %u\n", on);
    }
    oracle.gsts = on ? oracle.gsts | bit(n) : oracle.gsts & ~bit(n);
}

void oracle_queue_on(void)
{
    oracle.tail = 0;
    oracle_publish(0);
    oracle_write(IQA_REG, 8,
                 oracle.ring | (oracle.wide ? IQA_DW : 0) | oracle.order);
    oracle_command(GCMD_QIE, true);
}

void oracle_latch_table(void)
{
    oracle_write(IRTA_REG, 8,
                 oracle.table | (oracle.eime ? EIME : 0) |
                     (oracle.table_order - 1));
    oracle_command(GCMD_SIRTP, true);
}

void oracle_remap(void)
{
    oracle_latch_table();
    oracle_flush(NULL, 0);
    /* It stays on if the unit is adopted; what is on is not commanded. */
    if ((oracle.gsts & bit(GCMD_IRE)) == 0)
        oracle_command(GCMD_IRE, true);
}

void oracle_enable(void)
{
    oracle_queue_on();
    oracle_remap();
}

void oracle_remap_no_more(void)
{
    oracle_command(GCMD_IRE, false);
    if (oracle.eime) {
        oracle_write(IRTA_REG, 8, oracle.table | (oracle.table_order - 1));
        oracle_command(GCMD_SIRTP, true);
    }
}

void oracle_disable(void)
{
    oracle_remap_no_more();
    oracle_publish(1);
    oracle_wait(oracle.tail);
    oracle_command(GCMD_QIE, false);
}

void oracle_publish(uint32_t slots)
{
    const uint32_t tail = oracle_slot(oracle.tail, slots);

    oracle_write(IQT_REG, 8, tail * (oracle.wide ? 32 : 16));
    oracle_line("tail %x\n", tail);
}

void oracle_block(uint32_t slot, const struct oracle_block *b)
{
    uint64_t lo = IEC;

    if (b != NULL)
        lo |= IEC_INDEX | (uint64_t)b->order << 27 | (uint64_t)b->first << 32;
    oracle_line("head %x\n", slot);
    oracle_line("descriptor iec %016lx %016x\n", lo, 0u);
    oracle_line("iec %u %x %x\n", b != NULL, b != NULL ? b->first : 0,
                b != NULL ? b->order : 0u);
}

void oracle_wait(uint32_t slot)
{
    const uint64_t word = oracle.status + 4 * slot;

    /* Status write and fence; the value is anything but the one before. */
    oracle_line("head %x\n", slot);
    oracle_line("descriptor wait ????????00000065 %016lx\n", word);
    oracle_line("status %lx *\n", word);
    oracle.tail = oracle_slot(slot, 1);
}

void oracle_flush(const struct oracle_block *blocks, unsigned int n)
{
    const unsigned int count = n == 0 ? 1 : n;

    oracle_publish(count + 1);
    for (unsigned int i = 0; i < count; i++)
        oracle_block(oracle_slot(oracle.tail, i), n == 0 ? NULL : &blocks[i]);
    oracle_wait(oracle_slot(oracle.tail, count));
}

void oracle_flush_one(uint16_t index)
{
    const struct oracle_block block = {index, 0};

    oracle_flush(&block, 1);
}

void oracle_new(uint16_t index)
{
    if (oracle.caching)
        oracle_flush_one(index);
}

uint64_t oracle_lo(const struct oracle_entry *e)
{
    const uint64_t dst =
        oracle.eime ? (uint64_t)e->dst << 32 : (uint64_t)e->dst << 40;

    return UINT64_C(1) | (uint64_t)e->fpd << 1 | (uint64_t)e->dm << 2 |
           (uint64_t)e->rh << 3 | (uint64_t)e->tm << 4 | (uint64_t)e->dlm << 5 |
           (uint64_t)e->avail << 8 | (uint64_t)e->vector << 16 | dst;
}

uint64_t oracle_hi(const struct oracle_entry *e)
{
    return (uint64_t)e->sid | (uint64_t)e->sq << 16 | (uint64_t)e->svt << 18;
}

/* Index bits 14:0 and format; bit 15 of the index is bit 2. */
static uint32_t address(uint16_t index)
{
    return 0xfee00010u | (index & 0x7fffu) << 5 | (uint32_t)(index >> 15) << 2;
}

uint32_t oracle_address(uint16_t index)
{
    return address(index) | 0x8u;
}

uint64_t oracle_rte(uint16_t index, uint8_t vector, bool active_low, bool level,
                    bool masked)
{
    return vector | (uint64_t)(index >> 15) << 11 | (uint64_t)active_low << 13 |
           (uint64_t)level << 15 | (uint64_t)masked << 16 | UINT64_C(1) << 48 |
           (uint64_t)(index & 0x7fff) << 49;
}

void oracle_msi(uint16_t base, uint16_t sub)
{
    oracle_line("request %x %x\n", oracle_address(base), sub);
}

void oracle_pin(uint16_t index, uint8_t vector, bool level)
{
    oracle_line("request %x %x\n", address(index),
                vector | (level ? 0x8000u : 0u));
}

void oracle_read_entry(uint16_t index, uint64_t lo, uint64_t hi)
{
    oracle_line("entry %x %016lx %016lx\n", index, lo, hi);
}

void oracle_delivery(uint16_t index, const struct oracle_entry *e, bool pin)
{
    oracle_read_entry(index, oracle_lo(e), oracle_hi(e));
    oracle_line("remap %x %x %x %x %x %x\n", index, e->tm, e->vector, e->dlm,
                e->dst, e->dm);
    oracle_line("type %s\n", pin ? "IOAPIC" : "MSI");
}

void oracle_fault(uint8_t reason, uint16_t index, uint16_t sid)
{
    /* QEMU traces it without F, which it sets afterwards. */
    oracle_line("record 0 %016lx %016lx\n", (uint64_t)index << 48,
                (uint64_t)reason << 32 | sid);
    oracle_line("pending 1\n");
}

void oracle_clear_record(void)
{
    oracle_write(oracle.records + 8, 8, UINT64_C(1) << 63);
    oracle_line("pending 0\n");
}

void oracle_event(uint32_t address, uint32_t data)
{
    oracle_line("event %x %x\n", address, data);
}
