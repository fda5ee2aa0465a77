/* SPDX-License-Identifier: BSD-2-Clause */
#include "peers.h"

static void pause_cpu(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static void lock(struct ticket_lock *l)
{
    const uint32_t drawn =
        __atomic_fetch_add((uint32_t *)(void *)l, 0x10000, __ATOMIC_SEQ_CST);
    const uint16_t ticket = (uint16_t)(drawn >> 16);
    uint16_t served = (uint16_t)drawn;

    while (served != ticket) {
        pause_cpu();
        served = __atomic_load_n(&l->served, __ATOMIC_ACQUIRE);
    }
}

static void unlock(struct ticket_lock *l)
{
    __atomic_store_n(&l->served, (uint16_t)(l->served + 1), __ATOMIC_RELEASE);
}

void peer_list_init(struct peer_list *l)
{
    l->lock.served = 0;
    l->lock.next = 0;
    l->head.next = &l->head;
    l->head.prev = &l->head;
}

static struct peer_vcpu *vcpu_of(struct node *n)
{
    return (struct peer_vcpu *)(void *)((char *)n -
                                        offsetof(struct peer_vcpu, node));
}

uint32_t peer_list_scan(struct peer_list *l)
{
    uint32_t woken = 0;

    lock(&l->lock);
    for (struct node *n = l->head.next; n != &l->head; n = n->next) {
        struct peer_vcpu *const v = vcpu_of(n);

        if ((BENCH_READ(&v->pid.control) & VTDPI_PID_ON) != 0) {
            v->woken++;
            woken++;
        }
    }
    unlock(&l->lock);
    return woken;
}

uint32_t peer_list_scan_unlink(struct peer_list *l)
{
    struct node *next;
    uint32_t woken = 0;

    lock(&l->lock);
    for (struct node *n = l->head.next; n != &l->head; n = next) {
        struct peer_vcpu *const v = vcpu_of(n);

        next = n->next;
        if ((BENCH_READ(&v->pid.control) & VTDPI_PID_ON) != 0) {
            n->prev->next = next;
            next->prev = n->prev;
            v->woken++;
            woken++;
        }
    }
    unlock(&l->lock);
    return woken;
}

bool peer_run_same(struct peer_vcpu *v, uint8_t wnv, uint32_t cpu)
{
    const uint64_t control = BENCH_READ(&v->pid.control);

    if (VTDPI_FIELD_GET(control, VTDPI_PID_NV) == wnv || v->cpu != cpu)
        return false;
    return (BENCH_AND(&v->pid.control, ~VTDPI_PID_SN) & VTDPI_PID_SN) == 0;
}

static uint64_t set_control(struct vtdpi_pid *pid, uint8_t nv, uint32_t ndst)
{
    uint64_t old = BENCH_READ(&pid->control);
    uint64_t new;

    do {
        new = (old & VTDPI_PID_ON) | VTDPI_FIELD_PUT(nv, VTDPI_PID_NV) |
              VTDPI_FIELD_PUT(ndst, VTDPI_PID_NDST);
    } while (!__atomic_compare_exchange_n(&pid->control, &old, new, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    return old;
}

bool peer_block(struct peer_list *l, struct peer_vcpu *v, uint8_t wnv,
                uint32_t ndst)
{
    lock(&l->lock);
    v->node.prev = l->head.prev;
    v->node.next = &l->head;
    l->head.prev->next = &v->node;
    l->head.prev = &v->node;
    unlock(&l->lock);
    return (set_control(&v->pid, wnv, ndst) & VTDPI_PID_ON) != 0;
}

void peer_unblock(struct peer_list *l, struct peer_vcpu *v, uint8_t anv,
                  uint32_t ndst)
{
    lock(&l->lock);
    v->node.prev->next = v->node.next;
    v->node.next->prev = v->node.prev;
    unlock(&l->lock);
    (void)set_control(&v->pid, anv, ndst);
}
