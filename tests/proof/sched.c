/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proofs about the transitions of sched.h, one at a time, from every control
 * word and with every PIR: only SN, NV and NDST change, ON and the reserved bits
 * stay. Not about interleavings: those are explored (docs/explore.md).
 */
#include "src/sched_vcpu.c"

#include "proof.h"

#define NV_BITS   UINT64_C(0x0000000000ff0000)
#define NDST_BITS UINT64_C(0xffffffff00000000)

/* Pages of the instance; wakeup vectors take turns from page to page. */
#define PAGES     4

/* One vCPU in any slot, any number of wakeup vectors, and two pCPUs. */
static struct vtdpi_pid pid;
static struct vtdpi_sched sched;
static struct vtdpi_pcpu pcpu[2];
static struct vtdpi_vcpu vcpu;
/* Blocked bits and wake marks of each page, then the summary. */
static uint64_t bitmap[2][2 * PAGES + 1];
static uint64_t marks[2]; /* the page's wake marks, before */
static uint32_t page;     /* of the slot */
static uint64_t before;
static uint64_t bit; /* of the slot */
static uint8_t wnv;  /* its wakeup vector */

static unsigned int ipis;

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    CLAIM(apic_id == pcpu[1].apic_id && vector == wnv);
    ipis++;
}

static const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi};

static void any_state(void)
{
    for (int i = 0; i < 4; i++)
        pid.pir[i] = nondet_u64();
    before = nondet_u64();
    pid.control = before;
    sched.ops = &ops;
    sched.first_pages = sched.room = PAGES;
    sched.anv = nondet_u8();
    sched.wnv_count = 1u << nondet_u8() % 7;
    vcpu.slot = nondet_u8();
    page = vcpu.slot / 64;
    bit = UINT64_C(1) << (vcpu.slot % 64);
    wnv = nondet_u8();
    sched.wnv[page % sched.wnv_count] = wnv;
    for (int i = 0; i < 2; i++) {
        pcpu[i].sched = &sched;
        pcpu[i].leaf = &bitmap[i][0];
        pcpu[i].first_chunks = 1;
        pcpu[i].summary = &bitmap[i][2 * PAGES];
        pcpu[i].ndst = nondet_u32();
        pcpu[i].apic_id = nondet_u32();
        pcpu[i].online = nondet_bool();
        for (int j = 0; j < 2 * PAGES; j++)
            bitmap[i][j] = nondet_u64();
        bitmap[i][2 * PAGES] = nondet_u64();
        bitmap[i][2 * page] &= ~bit;
        marks[i] = bitmap[i][2 * page + 1];
    }
    vcpu.sched = &sched;
    vcpu.pid = &pid;
    if (nondet_bool()) {
        vcpu.blocked_on = &pcpu[0];
        bitmap[0][2 * page] |= bit;
    }
}

/* The word with these in place of SN, NV and NDST. */
static uint64_t word(uint64_t sn, uint8_t nv, uint64_t ndst)
{
    return (before & ~(NV_BITS | NDST_BITS | 2)) | sn << 1 |
           (uint64_t)nv << 16 | ndst << 32;
}

static bool marked(int i)
{
    return (bitmap[i][2 * page] & bit) != 0;
}

/* The wake marks are as before; only the vCPU's own on pCPU 1 is clear if the
 * vCPU has @entered there. */
static bool wake_marks_kept(bool entered)
{
    return bitmap[0][2 * page + 1] == marks[0] &&
           bitmap[1][2 * page + 1] == (entered ? marks[1] & ~bit : marks[1]);
}

void proof_sched_run(void)
{
    any_state();
    vtdpi_vcpu_run(&vcpu, &pcpu[1]);
    CLAIM(pid.control == word(0, sched.anv, pcpu[1].ndst));
    CLAIM(wake_marks_kept(false));
    CLAIM(!marked(0) && !marked(1) && vcpu.blocked_on == NULL);
}

void proof_sched_preempt(void)
{
    any_state();
    vtdpi_vcpu_preempt(&vcpu);
    CLAIM(pid.control == word(1, sched.anv, before >> 32));
    CLAIM(wake_marks_kept(false));
    CLAIM(!marked(0) && !marked(1) && vcpu.blocked_on == NULL);
}

/* Blocked exactly if nothing is posted and the pCPU is online; then, and only
 * then, marked there. ON is neither set nor cleared. */
void proof_sched_block(void)
{
    const bool was_blocked = (any_state(), vcpu.blocked_on != NULL);
    const bool posted =
        (pid.pir[0] | pid.pir[1] | pid.pir[2] | pid.pir[3]) != 0;
    const enum vtdpi_block_result r = vtdpi_vcpu_block(&vcpu, &pcpu[1]);
    const bool blocked = r == VTDPI_BLOCKED;

    CLAIM((r == VTDPI_BLOCK_OFFLINE) == (pcpu[1].online == 0));
    CLAIM(blocked == (pcpu[1].online != 0 && !posted && (before & 1) == 0));
    CLAIM(((pid.control ^ before) & ~(NV_BITS | NDST_BITS | 2)) == 0);
    CLAIM(!marked(0) && marked(1) == blocked);
    CLAIM(vcpu.blocked_on == (blocked ? &pcpu[1] : NULL));
    CLAIM(!blocked || (bitmap[1][2 * PAGES] >> page & 1) != 0);
    CLAIM(wake_marks_kept(pcpu[1].online != 0));
    if (blocked)
        CLAIM(pid.control == word(0, wnv, pcpu[1].ndst));
    else if (was_blocked)
        CLAIM((pid.control & NV_BITS) == (uint64_t)sched.anv << 16);
    REACH(r == VTDPI_BLOCK_PENDING && (before & 1) == 0);
}

/* As above, but it never gives up for what is posted: it notifies. */
void proof_sched_committed(void)
{
    enum vtdpi_block_result r;
    bool due;

    any_state();
    due = (before & 1) != 0 ||
          (pid.pir[0] | pid.pir[1] | pid.pir[2] | pid.pir[3]) != 0;
    r = vtdpi_vcpu_block_committed(&vcpu, &pcpu[1]);
    CLAIM(r == (pcpu[1].online != 0 ? VTDPI_BLOCKED : VTDPI_BLOCK_OFFLINE));
    CLAIM(!marked(0) && marked(1) == (r == VTDPI_BLOCKED));
    CLAIM(ipis == (r == VTDPI_BLOCKED && due ? 1 : 0));
    CLAIM(wake_marks_kept(pcpu[1].online != 0));
    if (r == VTDPI_BLOCKED)
        CLAIM(pid.control == (word(0, wnv, pcpu[1].ndst) | due));
}
