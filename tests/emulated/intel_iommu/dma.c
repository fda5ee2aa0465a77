/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMA translation, which is the host's: tables of its own, its commands and
 * invalidations through the library, and a device whose DMA shows that it is
 * on. Two pages of the device's are somewhere else in memory, and nothing else
 * is mapped.
 */

#include "kernel.h"

#define CAP_REG        0x08
#define RTADDR_REG     0x20
#define SAGAW_4_LEVELS (UINT64_C(1) << 10)

#define PRESENT        0x1u
#define READ_WRITE     0x3u
#define AW_3_LEVELS    0x1u
#define AW_4_LEVELS    0x2u
#define DOMAIN         0x1234u
#define LEVELS_MAX     4

/* What the device takes the pages for: within its 28 bits of address, and beyond
 * the memory that there is. */
#define DMA_FROM       UINT64_C(0x0abcd000)
#define DMA_TO         UINT64_C(0x0abce000)

static uint64_t root[512] __attribute__((__aligned__(4096)));
static uint64_t context[512] __attribute__((__aligned__(4096)));
static uint64_t level[LEVELS_MAX][512] __attribute__((__aligned__(4096)));
static uint64_t from[512] __attribute__((__aligned__(4096)));
static uint64_t to[512] __attribute__((__aligned__(4096)));

static void write_back(const void *p, size_t length)
{
    machine_ops.clean(&machine.registers, p, length);
    machine.cleaned_bytes = 0; /* not the library's */
}

/* Entry of an address in a table; 1 is the last level. */
static uint64_t *entry(uint64_t address, unsigned int depth)
{
    return &level[depth - 1][address >> (3 + 9 * depth) & 511];
}

static void build_tables(void)
{
    const bool four =
        (mmio_read64(machine.registers + CAP_REG) & SAGAW_4_LEVELS) != 0;
    const unsigned int levels = four ? 4 : 3;
    uint64_t *const function = &context[2 * (machine.edu & 0xff)];

    *entry(DMA_FROM, 1) = (uintptr_t)from | READ_WRITE;
    *entry(DMA_TO, 1) = (uintptr_t)to | READ_WRITE;
    for (unsigned int depth = 2; depth <= levels; depth++)
        *entry(DMA_FROM, depth) = (uintptr_t)level[depth - 2] | READ_WRITE;
    function[0] = (uintptr_t)level[levels - 1] | PRESENT;
    function[1] = DOMAIN << 8 | (four ? AW_4_LEVELS : AW_3_LEVELS);
    root[2 * (machine.edu >> 8)] = (uintptr_t)context | PRESENT;
    write_back(root, sizeof(root));
    write_back(context, sizeof(context));
    write_back(level, sizeof(level));
}

/* One invalidation of the host's. */
static bool forget(const struct vtdpi_qi_desc *desc)
{
    struct vtdpi_qi *const qi = vtdpi_unit_qi(&machine.unit);
    struct vtdpi_qi_ticket ticket;

    return vtdpi_qi_submit(qi, desc, 1, &ticket) == 0 &&
           vtdpi_qi_wait(qi, &ticket, 0) == 0;
}

/* One invalidation as the unit sees it: what it reads; then, between the two,
 * what it does. */
static void oracle_begins(const char *type, uint64_t lo, uint64_t hi)
{
    oracle_publish(2);
    oracle_line("head %x\n", oracle.tail);
    oracle_line("descriptor %s %016lx %016lx\n", type, lo, hi);
}

static void oracle_ends(void)
{
    oracle_wait(oracle_slot(oracle.tail, 1));
}

static bool forget_everything(void)
{
    struct vtdpi_qi_desc contexts;
    struct vtdpi_qi_desc pages;

    oracle_begins("context-cache", 0x11, 0);
    oracle_line("context-cache all\n");
    oracle_ends();
    oracle_begins("iotlb", 0xd2, 0);
    oracle_line("iotlb all\n");
    oracle_ends();
    vtdpi_qi_encode_context_global(&contexts);
    return vtdpi_qi_encode_iotlb_global(
               &pages, VTDPI_QI_DRAIN_WRITES | VTDPI_QI_DRAIN_READS) == 0 &&
           forget(&contexts) && forget(&pages);
}

/* The queue is in use by the host: a device, its domain, two of its pages. */
bool dma_forget(void)
{
    struct vtdpi_qi_desc device;
    struct vtdpi_qi_desc domain;
    struct vtdpi_qi_desc pages;

    oracle_begins("context-cache",
                  (uint64_t)machine.edu << 32 | DOMAIN << 16 | 0x31, 0);
    oracle_line("context-cache device %x 0\n", machine.edu);
    oracle_ends();
    oracle_begins("iotlb", DOMAIN << 16 | 0x22, 0);
    oracle_line("iotlb domain %x\n", DOMAIN);
    oracle_ends();
    oracle_begins("iotlb", DOMAIN << 16 | 0x32, DMA_TO | 0x41);
    oracle_line("iotlb pages %x %lx 1\n", DOMAIN, DMA_TO);
    oracle_ends();
    return vtdpi_qi_encode_context_device(&device, DOMAIN, machine.edu, 0) ==
               0 &&
           vtdpi_qi_encode_iotlb_domain(&domain, DOMAIN, 0) == 0 &&
           vtdpi_qi_encode_iotlb_pages(&pages, DOMAIN, DMA_TO, 1,
                                       VTDPI_QI_LEAF_ONLY) == 0 &&
           forget(&device) && forget(&domain) && forget(&pages);
}

bool dma_on(void)
{
    build_tables();
    oracle_write(RTADDR_REG, 8, (uintptr_t)root);
    machine_ops.write64(&machine.registers, RTADDR_REG, (uintptr_t)root);
    oracle.root = (uintptr_t)root;
    oracle_command(GCMD_SRTP, true);
    if (vtdpi_unit_command(&machine.unit, (uint32_t)VTDPI_GCMD_SRTP, true) != 0)
        return false;
    if (!forget_everything())
        return false;
    oracle_command(GCMD_TE, true);
    return vtdpi_unit_command(&machine.unit, (uint32_t)VTDPI_GCMD_TE, true) ==
           0;
}

bool dma_off(void)
{
    oracle_command(GCMD_TE, false);
    return vtdpi_unit_command(&machine.unit, (uint32_t)VTDPI_GCMD_TE, false) ==
           0;
}

/* A page goes into the device and comes out of it somewhere else. */
bool dma_works(void)
{
    static uint64_t pattern = 0x1234567800000000;

    for (unsigned int i = 0; i < 512; i++) {
        from[i] = ++pattern;
        to[i] = 0;
    }
    edu_copy(DMA_FROM, false);
    edu_copy(DMA_TO, true);
    for (unsigned int i = 0; i < 512; i++) {
        if (to[i] != from[i])
            return false;
    }
    return true;
}
