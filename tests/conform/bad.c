/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small driver of interrupt remapping with one switch for each bug that the phases
 * look for: bad --bug NAME, then the options of the trial. Without a bug every phase
 * has to pass; with one, the phase that is named beside that bug has to fail, and no
 * other. bite.py sees to that. The driver dereferences pointers to registers, as most
 * do, and knows nothing of this library but names of bits.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtdpi/conform.h"
#include "vtdpi/regs.h"

/* Name, and the phases that have to fail. */
#define BUGS(X)                                  \
    X(none, "")                                  \
    X(own_clflush, "")                           \
    X(event_is_nmi, "")                          \
    X(quick, "")                                 \
    X(dies_in_init, "deliver")                   \
    X(wrong_dest, "deliver")                     \
    X(clears_others, "deliver")                  \
    X(any_source, "source-id")                   \
    X(any_function, "source-id")                 \
    X(keep_cfi, "cfi")                           \
    X(assume_eim, "eim")                         \
    X(narrow_dest, "eim")                        \
    X(no_global_flush, "sirtp-flush")            \
    X(echo_one_shot, "one-shot")                 \
    X(own_bits_only, "foreign-bits")             \
    X(command_not_awaited, "slow-commands")      \
    X(impatient, "slow-commands")                \
    X(command_without_deadline, "stuck-command") \
    X(command_failure_lost, "stuck-command")     \
    X(live_queue, "firmware-queue")              \
    X(keep_table, "firmware-remapping")          \
    X(keep_records, "fault-event")               \
    X(keep_mask, "fault-event")                  \
    X(silent_resume, "fault-event")              \
    X(event_nowhere, "fault-event")              \
    X(nmi_nowhere, "fault-event")                \
    X(lower_first, "upper-first")                \
    X(two_stores, "one-step")                    \
    X(absent_between, "one-step")                \
    X(not_cleaned, "clean-first")                \
    X(cleaned_too_late, "clean-first")           \
    X(change_not_flushed, "flush")               \
    X(index_forgotten, "flush")                  \
    X(bit7, "flush clean-first post-affinity")   \
    X(absent_not_flushed, "caching-mode")        \
    X(free_not_flushed, "free-flush")            \
    X(head_is_tail, "wait")                      \
    X(status_on_stack, "late-status")            \
    X(tail_not_wrapped, "tail-wrap")             \
    X(queue_without_deadline, "stuck-queue")     \
    X(queue_failure_lost, "stuck-queue")         \
    X(iqe_ignored, "refused")                    \
    X(iqe_not_replaced, "refused")               \
    X(ite_ignored, "aborted")                    \
    X(faults_without_end, "gone")                \
    X(ones_are_done, "gone")                     \
    X(one_record, "fault-records")               \
    X(records_from_zero, "fault-records")        \
    X(wraps_early, "fault-records")              \
    X(keep_overflow, "fault-overflow")           \
    X(old_tail, "resume")                        \
    X(old_tail_unseen, "resume")                 \
    X(post_in_two, "post-one-step")              \
    X(post_not_flushed, "post-flush")            \
    X(not_drained, "post-drain")                 \
    X(drained_too_early, "post-drain")           \
    X(affinity_unposts, "post-affinity")         \
    X(odd_access, "accesses")

#define ENUM(name, phase)   BUG_##name,
#define STRING(name, phase) {#name, phase},
enum bug {
    BUGS(ENUM)
};
static const struct {
    const char *name;
    const char *phase;
} bugs[] = {BUGS(STRING)};

static enum bug bug;
#define HAS(name) (bug == BUG_##name)

enum {
    ENTRIES = 256,
    RING_BYTES = 4096,
    DEADLINE_US = 20000,
    FAILED = -1,
    GONE = -2,
    GONE_WORD = -1,
};
#define LASTING \
    (VTDPI_GCMD_TE | VTDPI_GCMD_QIE | VTDPI_GCMD_IRE | VTDPI_GCMD_CFI)

static _Alignas(4096) uint64_t table[ENTRIES][2];
static _Alignas(4096) uint64_t ring[RING_BYTES / 16][2];
static uint32_t status_word;
static uint32_t tail;      /* bytes */
static uint32_t used;      /* entries */
static uint64_t cap;       /* as the unit has told, when it still answered */
static uint64_t own_bits;  /* that this driver has set in GCMD */
static uint64_t before[2]; /* the entry that is posted, in remapped format */
static bool posted;
static bool eime;

static uint32_t get(uint32_t off)
{
    return *(volatile uint32_t *)(uintptr_t)(VTDPI_CONFORM_REGISTERS + off);
}

static uint64_t get64(uint32_t off)
{
    return *(volatile uint64_t *)(uintptr_t)(VTDPI_CONFORM_REGISTERS + off);
}

static void put(uint32_t off, uint64_t value)
{
    *(volatile uint32_t *)(uintptr_t)(VTDPI_CONFORM_REGISTERS + off) =
        (uint32_t)value;
}

static void put64(uint32_t off, uint64_t value)
{
    *(volatile uint64_t *)(uintptr_t)(VTDPI_CONFORM_REGISTERS + off) = value;
}

/* Ten times what a slow unit takes, if a look at the clock is short. */
static uint64_t deadline_us(void)
{
    return HAS(quick) ? DEADLINE_US / 20 : DEADLINE_US;
}

/* Commands. */

static int await(uint64_t bit, bool on)
{
    const uint64_t start = vtdpi_conform_now_us();

    for (;;) {
        const uint32_t status = get(VTDPI_GSTS_REG);

        if (status == (uint32_t)GONE_WORD && !HAS(ones_are_done))
            return GONE;
        if (((status & bit) != 0) == on)
            return 0;
        if (HAS(impatient) || (!HAS(command_without_deadline) &&
                               vtdpi_conform_now_us() - start > deadline_us()))
            return FAILED;
        if (!HAS(quick))
            vtdpi_conform_pause();
    }
}

static int command(uint64_t bit, bool on)
{
    const uint32_t status = get(VTDPI_GSTS_REG);
    uint64_t value = HAS(own_bits_only) ? own_bits : status & LASTING;
    int rc;

    if (status == (uint32_t)GONE_WORD)
        return GONE;
    if (HAS(echo_one_shot))
        value |= status & VTDPI_GSTS_IRTPS;
    value = on ? value | bit : value & ~bit;
    own_bits = value & LASTING;
    put(VTDPI_GCMD_REG, value);
    if (HAS(command_not_awaited) && bit == VTDPI_GCMD_SIRTP)
        return 0;
    rc = await(bit, on);
    return HAS(command_failure_lost) && rc == FAILED ? 0 : rc;
}

/* The queue. */

static void push(uint64_t lo, uint64_t hi)
{
    ring[tail % RING_BYTES / 16][0] = lo;
    ring[tail % RING_BYTES / 16][1] = hi;
    tail += 16;
    if (!HAS(tail_not_wrapped) || tail > RING_BYTES)
        tail %= RING_BYTES;
}

/* 0: go on. An error is cleared, so that the queue moves again. */
static int queue_error(void)
{
    const uint32_t fsts = get(VTDPI_FSTS_REG);
    uint64_t errors = VTDPI_FSTS_IQE | VTDPI_FSTS_ITE;

    if (fsts == (uint32_t)GONE_WORD)
        return GONE;
    if (HAS(iqe_ignored))
        errors &= ~VTDPI_FSTS_IQE;
    if (HAS(ite_ignored))
        errors &= ~VTDPI_FSTS_ITE;
    if ((fsts & errors) == 0)
        return 0;
    /* A descriptor that was refused is refused again, unless another takes its place. */
    if ((fsts & errors & VTDPI_FSTS_IQE) != 0 && !HAS(iqe_not_replaced)) {
        uint64_t *const at = ring[get64(VTDPI_IQH_REG) % RING_BYTES / 16];

        at[0] = VTDPI_QI_WAIT;
        at[1] = 0;
    }
    put(VTDPI_FSTS_REG, fsts & errors);
    return FAILED;
}

static bool over(const volatile uint32_t *word)
{
    return HAS(head_is_tail) ? get64(VTDPI_IQH_REG) == tail : *word == 1;
}

static int flush_by(volatile uint32_t *word, uint64_t lo)
{
    const uint64_t start = vtdpi_conform_now_us();

    *word = 0;
    push(lo, 0);
    push(VTDPI_QI_WAIT | VTDPI_WAIT_SW | UINT64_C(1) << 32, (uintptr_t)word);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    put64(VTDPI_IQT_REG, tail);
    if (HAS(drained_too_early))
        (void)get(VTDPI_GSTS_REG);
    for (uint32_t n = 1; !over(word); n++) {
        /* Now and then: a read would wait for posts in flight. */
        const int rc = n % 16 == 0 ? queue_error() : 0;

        if (rc != 0)
            return rc;
        if (!HAS(queue_without_deadline) &&
            vtdpi_conform_now_us() - start > deadline_us())
            return HAS(queue_failure_lost) ? 0 : FAILED;
        vtdpi_conform_pause();
    }
    return 0;
}

static int flush(uint64_t lo)
{
    uint32_t on_stack = 0;

    return flush_by(HAS(status_on_stack) ? &on_stack : &status_word, lo);
}

static int flush_all(void)
{
    return flush(VTDPI_QI_IEC);
}

static int flush_index(uint32_t index)
{
    return flush(VTDPI_QI_IEC | VTDPI_IEC_G | (uint64_t)index << 32);
}

/* Up and down. */

static int queue_on(void)
{
    int rc = 0;

    if ((get(VTDPI_GSTS_REG) & VTDPI_GSTS_QIES) != 0 && !HAS(live_queue))
        rc = command(VTDPI_GCMD_QIE, false);
    if (rc != 0)
        return rc;
    if (!HAS(old_tail) && !HAS(old_tail_unseen))
        tail = 0;
    put64(VTDPI_IQT_REG, 0);
    put64(VTDPI_IQA_REG, (uintptr_t)ring);
    return command(VTDPI_GCMD_QIE, true);
}

static int table_on(void)
{
    const uint32_t status = get(VTDPI_GSTS_REG);
    int rc;

    if (status == (uint32_t)GONE_WORD)
        return GONE;
    if (HAS(keep_table) && (status & VTDPI_GSTS_IRES) != 0)
        return 0;
    eime = HAS(assume_eim) || (get64(VTDPI_ECAP_REG) & VTDPI_ECAP_EIM) != 0;
    put64(VTDPI_IRTA_REG, (uintptr_t)table | (eime ? VTDPI_IRTA_EIME : 0) | 7);
    rc = command(VTDPI_GCMD_SIRTP, true);
    if (rc == 0 && !HAS(no_global_flush))
        rc = flush_all();
    if (HAS(old_tail_unseen) && rc == FAILED)
        rc = 0;
    if (rc == 0 && !HAS(keep_cfi) &&
        (get(VTDPI_GSTS_REG) & VTDPI_GSTS_CFIS) != 0)
        rc = command(VTDPI_GCMD_CFI, false);
    return rc != 0 ? rc : command(VTDPI_GCMD_IRE, true);
}

static uint32_t record_offset(uint32_t i)
{
    return (uint32_t)VTDPI_FIELD_GET(cap, VTDPI_CAP_FRO) * 16 + i * 16 +
           12; /* the word with F */
}

static uint32_t records(void)
{
    return (uint32_t)VTDPI_FIELD_GET(cap, VTDPI_CAP_NFR) + 1;
}

static bool record_clear(uint32_t i)
{
    const uint32_t f = UINT32_C(1) << 31;

    if ((get(record_offset(i)) & f) == 0)
        return false;
    put(record_offset(i), f);
    return true;
}

static void status_clear(void)
{
    put(VTDPI_FSTS_REG,
        HAS(keep_overflow) ? 0 : get(VTDPI_FSTS_REG) & VTDPI_FSTS_PFO);
}

static void events_on(bool resumes)
{
    for (uint32_t i = 0; i < records() && !HAS(keep_records); i++)
        (void)record_clear(i);
    if (!HAS(keep_records))
        put(VTDPI_FSTS_REG, VTDPI_FSTS_PFO);
    if ((!HAS(event_nowhere) && !HAS(nmi_nowhere)) || !resumes) {
        put(VTDPI_FEDATA_REG,
            HAS(event_is_nmi) || HAS(nmi_nowhere) ? 0x400 : 0x60);
        put(VTDPI_FEADDR_REG, 0xfee00000);
        put(VTDPI_FEUADDR_REG, 0);
    }
    if (!HAS(keep_mask))
        put(VTDPI_FECTL_REG, 0);
}

static int up(bool resumes)
{
    int rc = queue_on();

    if (rc == 0)
        rc = table_on();
    if (rc == 0 && (!HAS(silent_resume) || !resumes))
        events_on(resumes);
    return rc;
}

static int init(void)
{
    if (HAS(odd_access))
        (void)get64(VTDPI_VER_REG);
    if (HAS(dies_in_init))
        abort();
    cap = get64(VTDPI_CAP_REG);
    return cap == (uint64_t)GONE_WORD ? GONE : up(false);
}

static int resume(void)
{
    return up(true);
}

static int suspend(void)
{
    const int rc = command(VTDPI_GCMD_IRE, false);

    return rc != 0 ? rc : command(VTDPI_GCMD_QIE, false);
}

static void fault(void)
{
    const uint32_t n = records() - (HAS(wraps_early) ? 1 : 0);
    uint32_t fsts = get(VTDPI_FSTS_REG);
    uint32_t i = HAS(records_from_zero)
                     ? 0
                     : (uint32_t)VTDPI_FIELD_GET(fsts, VTDPI_FSTS_FRI);

    if (HAS(faults_without_end)) {
        for (; (fsts & VTDPI_FSTS_PPF) != 0; fsts = get(VTDPI_FSTS_REG))
            (void)record_clear(i++ % n);
    } else if (fsts == (uint32_t)GONE_WORD) {
        return;
    }
    for (uint32_t k = 0; k < n; k++, i = i + 1 < n ? i + 1 : 0) {
        const bool was_set = record_clear(i);

        if ((HAS(one_record) && was_set) ||
            (HAS(records_from_zero) && !was_set))
            break;
    }
    status_clear();
}

/* Entries. */

static void clean(const uint64_t *entry)
{
    if (HAS(own_clflush))
        __asm__ volatile("clflush %0" : : "m"(*entry) : "memory");
    else
        vtdpi_conform_clean(entry, 16);
}

static void store(uint32_t index, uint64_t lo, uint64_t hi)
{
    volatile uint64_t *e = table[index];

    if (HAS(lower_first))
        e[0] = lo;
    e[1] = hi;
    e[0] = lo;
}

static uint64_t form(uint8_t vector, uint32_t apic_id)
{
    const bool wide = eime && !HAS(wrong_dest);
    const unsigned int narrow = HAS(narrow_dest) ? 41 : 40;

    if (HAS(bit7))
        vector &= 0x7f;
    return VTDPI_IRTE_LO_P | (uint64_t)vector << 16 |
           (uint64_t)apic_id << (wide ? 32 : narrow);
}

static uint64_t source(uint16_t sid)
{
    return UINT64_C(1) << 18 |
           (HAS(any_function) ? UINT64_C(3) << 16 : UINT64_C(0)) | sid;
}

static int map(uint16_t sid, uint8_t vector, uint32_t apic_id,
               struct vtdpi_conform_message *out)
{
    const uint32_t index = used++;

    if (HAS(clears_others) && index != 0)
        memset(table, 0, index * sizeof(table[0]));
    store(index, form(vector, apic_id), HAS(any_source) ? 0 : source(sid));
    if (!HAS(not_cleaned))
        clean(table[index]);
    out->index = index;
    out->address = 0xfee00010 | index << 5;
    out->data = 0;
    if ((cap & VTDPI_CAP_CM) != 0 && !HAS(absent_not_flushed))
        return flush_index(index);
    return 0;
}

static void store_changed(uint32_t index, uint64_t lo)
{
    volatile uint64_t *e = table[index];

    if (HAS(two_stores))
        e[0] = (e[0] & UINT32_MAX) | (lo & ~(uint64_t)UINT32_MAX);
    if (HAS(absent_between))
        e[0] = 0;
    e[0] = lo;
}

static int change(uint16_t sid, uint8_t vector, uint32_t apic_id,
                  struct vtdpi_conform_message *msg)
{
    int rc = 0;

    before[0] = form(vector, apic_id);
    before[1] = source(sid);
    if (posted && !HAS(affinity_unposts))
        return 0;
    store_changed(msg->index, before[0]);
    if (!HAS(cleaned_too_late))
        clean(table[msg->index]);
    if (HAS(index_forgotten))
        rc = flush_index(0);
    else if (!HAS(change_not_flushed))
        rc = flush_index(msg->index);
    if (HAS(cleaned_too_late))
        clean(table[msg->index]);
    return rc;
}

static int release(uint16_t sid, const struct vtdpi_conform_message *msg)
{
    (void)sid;
    table[msg->index][0] = 0;
    clean(table[msg->index]);
    return HAS(free_not_flushed) ? 0 : flush_index(msg->index);
}

/* Both words at once; compiled with -mcx16. */
static void store_both(uint32_t index, uint64_t lo, uint64_t hi)
{
    __extension__ typedef unsigned __int128 both;
    both *const e = (both *)(void *)table[index];
    both old = *e;

    while (!__sync_bool_compare_and_swap(e, old, (both)hi << 64 | lo))
        old = *e;
}

static int post(uint16_t sid, uint8_t vector, void *pid,
                struct vtdpi_conform_message *msg)
{
    const uint64_t pda = (uintptr_t)pid;
    const uint64_t lo = VTDPI_IRTE_LO_P | UINT64_C(1) << 15 |
                        (uint64_t)vector << 16 | (pda >> 6 & 0x3ffffff) << 38;
    const uint64_t hi = (pda & ~(uint64_t)UINT32_MAX) | UINT64_C(1) << 18 | sid;

    before[0] = table[msg->index][0];
    before[1] = table[msg->index][1];
    posted = true;
    if (HAS(post_in_two))
        store(msg->index, lo, hi);
    else
        store_both(msg->index, lo, hi);
    clean(table[msg->index]);
    return HAS(post_not_flushed) ? 0 : flush_index(msg->index);
}

static int unpost(uint16_t sid, struct vtdpi_conform_message *msg)
{
    int rc;

    (void)sid;
    posted = false;
    store_both(msg->index, before[0], before[1]);
    clean(table[msg->index]);
    rc = flush_index(msg->index);
    if (!HAS(not_drained) && !HAS(drained_too_early))
        (void)get(VTDPI_GSTS_REG);
    return rc;
}

static void *where_table(size_t *bytes)
{
    *bytes = sizeof(table);
    return table;
}

static const struct vtdpi_conform_driver driver = {
    .name = "a driver with one bug",
    .init = init,
    .map = map,
    .change = change,
    .free = release,
    .suspend = suspend,
    .resume = resume,
    .fault = fault,
    .table = where_table,
    .post = post,
    .unpost = unpost,
    .x2apic = true,
};

static int list(void)
{
    for (size_t i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
        printf("%s %s\n", bugs[i].name, bugs[i].phase);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--bugs") == 0)
        return list();
    if (argc >= 3 && strcmp(argv[1], "--bug") == 0) {
        for (size_t i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++) {
            if (strcmp(argv[2], bugs[i].name) == 0)
                bug = (enum bug)i;
        }
        argv[2] = argv[0];
        argv += 2;
        argc -= 2;
    }
    return vtdpi_conform_main(argc, argv, &driver);
}
