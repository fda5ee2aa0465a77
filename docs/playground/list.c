/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DELIBERATELY BROKEN, and in no library: a list of blocked vCPUs with a lock on each
 * pCPU, as the peers have it, for the playground. Without a window the design loses no
 * wakeup in the prepared sequences. Each window opens a race of docs/races.md; read
 * tools/explore/list_and_lock.c for the design with all its windows, and for an
 * explorer that finds them.
 *
 * Every shared word is read and written by atomic.h, so that the page can stop a call
 * before each access. Links are numbers of vCPUs, plus one; 0 ends a list.
 */
#include "design.h"

enum {
    NOWHERE = PCPUS,
};

static struct {
    enum window window;
    uint64_t head[PCPUS];
    uint64_t lock[PCPUS];
    uint64_t online[PCPUS];
    uint64_t next[VCPUS];
    uint64_t listed_on[VCPUS];
} list;

void list_init(enum window w)
{
    list.window = w;
    for (uint32_t v = 0; v < VCPUS; v++)
        list.listed_on[v] = NOWHERE;
}

/* With interrupts off, or a handler on this pCPU would wait for ever. */
static void lock_take(uint32_t p)
{
    if (list.window == LIST_UNLOCKED)
        return;
    page_interrupts(0);
    while (vtdpi_atomic_xchg64(&list.lock[p], 1) != 0)
        ;
}

static void lock_give(uint32_t p)
{
    if (list.window == LIST_UNLOCKED)
        return;
    vtdpi_atomic_store64_release(&list.lock[p], 0);
    page_interrupts(1);
}

static void enlist(uint32_t v, uint32_t p)
{
    lock_take(p);
    vtdpi_atomic_store64_release(&list.next[v],
                                 vtdpi_atomic_load64(&list.head[p]));
    vtdpi_atomic_store64_release(&list.head[p], v + 1);
    list.listed_on[v] = p;
    lock_give(p);
}

static void delist(uint32_t v)
{
    const uint64_t p = list.listed_on[v];
    uint64_t *link;
    uint64_t n;

    if (p == NOWHERE)
        return;
    lock_take((uint32_t)p);
    for (link = &list.head[p]; (n = vtdpi_atomic_load64(link)) != 0;
         link = &list.next[n - 1]) {
        if (n == v + 1) {
            vtdpi_atomic_store64_release(link,
                                         vtdpi_atomic_load64(&list.next[v]));
            break;
        }
    }
    list.listed_on[v] = NOWHERE;
    lock_give((uint32_t)p);
}

/* NV, NDST and SN in one step; ON stays. Returns the word before. */
static uint64_t destination_set(struct vtdpi_pid *pid, uint8_t nv, uint32_t p,
                                bool sn)
{
    const struct vtdpi_pid_control c = {false, sn, nv, p};

    return vtdpi_pid_replace(pid, VTDPI_PID_SN | VTDPI_PID_NV | VTDPI_PID_NDST,
                             vtdpi_pid_control_encode(&c));
}

void list_run(uint32_t v, struct vtdpi_pid *pid, uint32_t p)
{
    delist(v);
    (void)destination_set(pid, ANV, p, false);
}

bool list_harvest(struct vtdpi_pid *pid, uint64_t out[VTDPI_PIR_WORDS])
{
    /* Window: what was posted under SN is in PIR, and ON is clear. */
    if (list.window == PIR_UNSEEN &&
        (vtdpi_pid_snapshot(pid) & VTDPI_PID_ON) == 0)
        return false;
    return vtdpi_pid_harvest(pid, out);
}

void list_preempt(uint32_t v, struct vtdpi_pid *pid)
{
    const struct vtdpi_pid_control c =
        vtdpi_pid_control_decode(vtdpi_pid_snapshot(pid));

    (void)destination_set(pid, ANV, c.ndst, true);
    delist(v);
}

/* False if the pCPU is offline. */
static bool enlist_if_online(uint32_t v, uint32_t p)
{
    /* Window: offline may clear the flag and look at the list from here on. */
    if (list.window == FLAG_FIRST) {
        if (vtdpi_atomic_load64(&list.online[p]) == 0)
            return false;
        enlist(v, p);
        return true;
    }
    enlist(v, p);
    if (vtdpi_atomic_load64(&list.online[p]) != 0)
        return true;
    delist(v);
    return false;
}

/* Whether something came that nobody will be notified of. */
static bool posted_before(struct vtdpi_pid *pid, uint64_t old)
{
    /* Windows: a notification that went to ANV has woken nobody. */
    if (list.window == ON_UNSEEN || list.window == TWO_STEPS)
        return false;
    if ((old & VTDPI_PID_ON) != 0)
        return true;
    return list.window != PIR_UNSEEN && vtdpi_pid_pir_pending(pid);
}

enum vtdpi_block_result list_block(uint32_t v, struct vtdpi_pid *pid,
                                   uint32_t p)
{
    uint64_t old;

    /* Window: what is posted from here on is not seen. */
    if (list.window == TWO_STEPS &&
        (vtdpi_pid_snapshot(pid) & VTDPI_PID_ON) != 0)
        return VTDPI_BLOCK_PENDING;
    /* On the list first, or a wakeup finds nobody. */
    if (list.window != LISTED_LAST && !enlist_if_online(v, p))
        return VTDPI_BLOCK_OFFLINE;
    old = destination_set(pid, WNV, p, false);
    if (posted_before(pid, old)) {
        list_preempt(v, pid);
        return VTDPI_BLOCK_PENDING;
    }
    if (list.window == LISTED_LAST && !enlist_if_online(v, p)) {
        list_preempt(v, pid);
        return VTDPI_BLOCK_OFFLINE;
    }
    return VTDPI_BLOCKED;
}

void list_handle_wakeup(uint32_t p, struct vtdpi_pid *const pids[VCPUS])
{
    bool woken[VCPUS] = {false};

    lock_take(p);
    for (uint64_t n = vtdpi_atomic_load64(&list.head[p]); n != 0;
         n = vtdpi_atomic_load64(&list.next[n - 1])) {
        if ((vtdpi_pid_snapshot(pids[n - 1]) & VTDPI_PID_ON) != 0) {
            page_wake((uint32_t)n - 1);
            woken[n - 1] = true;
        }
    }
    lock_give(p);
    /* Window: a vCPU that was woken may have run and blocked again by now. */
    for (uint32_t v = 0; v < VCPUS; v++) {
        if (list.window == CLEARED_LATE && woken[v])
            delist(v);
    }
}

void list_online(uint32_t p)
{
    (void)vtdpi_atomic_xchg64(&list.online[p], 1);
}

void list_offline(uint32_t p)
{
    (void)vtdpi_atomic_xchg64(&list.online[p], 0);
    lock_take(p);
    for (uint64_t n = vtdpi_atomic_load64(&list.head[p]); n != 0;
         n = vtdpi_atomic_load64(&list.next[n - 1]))
        page_wake((uint32_t)n - 1);
    lock_give(p);
}

/* For the page, which makes no step of these. */

uint32_t list_place(const void *at)
{
    const uint64_t *const word = at;

    for (uint32_t p = 0; p < PCPUS; p++) {
        if (word == &list.head[p])
            return PLACE_LIST | p << 8;
        if (word == &list.lock[p])
            return PLACE_LOCK | p << 8;
        if (word == &list.online[p])
            return PLACE_ONLINE | p << 8;
    }
    for (uint32_t v = 0; v < VCPUS; v++) {
        if (word == &list.next[v])
            return PLACE_NEXT | v << 8;
    }
    return PLACE_OTHER;
}

uint32_t list_bits(uint32_t p)
{
    uint32_t bits = 0;

    for (uint64_t n = list.head[p]; n != 0 && (bits >> (n - 1) & 1) == 0;
         n = list.next[n - 1])
        bits |= UINT32_C(1) << (n - 1);
    return bits;
}

bool list_is_locked(uint32_t p)
{
    return list.lock[p] != 0;
}

bool list_is_online(uint32_t p)
{
    return list.online[p] != 0;
}
