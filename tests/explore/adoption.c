/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PID pages that another kernel has left: units post to them from the beginning, and
 * the host adopts the pages, the slots of its vCPUs, and gives slots back.
 *
 * The other kernel has ended in the middle of what it did. A was about to block on
 * pCPU 0: WNV is armed, and PIR was not looked at. To B a unit has posted, and the
 * notification is pending on pCPU 1. If B has no vCPU any more, the interrupt's entry
 * still names its PID.
 */
#include "library.h"

static uint64_t notified(unsigned int cpu, uint8_t nv)
{
    return (uint64_t)library.cpu[cpu].pcpu.ndst << 32 | (uint64_t)nv << 16;
}

static bool is_adopted(unsigned int vcpu)
{
    return (world.scenario->adopts >> vcpu & 1) != 0;
}

/* What would do harm, in those words of the page that are state. The others stay as
 * they will be written. */
static void spoil_page(unsigned int page)
{
    struct vtdpi_pid_page *const p = &library.page[page];

    p->claimed = p->held = 0;
    p->cookie[0] = p->cookie[1] = &host.vcpu[C];
    p->pids = NULL;
    library.pages[page].page = NULL;
    library.pages[page].pids = NULL;
}

/* Vector 70 of B was posted before. */
void set_up_adoption(void)
{
    struct vtdpi_pid *const b = pid_of(B);

    for (unsigned int i = 0; i < world.leaves; i++)
        spoil_page(i);
    pid_of(A)->control = notified(0, wnv(wnv_number(A)));
    b->control = notified(1, ANV) | CTL_ON;
    b->pir[vector_of(V70) / 64] = UINT64_C(1) << vector_of(V70) % 64;
    host.vcpu[B].posted = UINT64_C(1) << V70;
    host.cpu[1].irr = IRR_ANV;
    for (unsigned int i = A; i <= B; i++) {
        host.vcpu[i].held = HELD;
        host.vcpu[i].open = is_adopted(i);
    }
    if (!is_adopted(B))
        host.entry = B + 1;
}

static bool has_page(void *v)
{
    return page_ref_of((unsigned int)((struct host_vcpu *)v - host.vcpu))
               ->page != NULL;
}

static bool was_given(void *v)
{
    return ((struct host_vcpu *)v)->held == 0;
}

static void give_once(struct host_vcpu *v)
{
    if (v->held == 0)
        ex_fail("D: the slot of %c is given out twice",
                (char)('A' + (v - host.vcpu)));
    v->held = 0;
}

void op_adopt_page(unsigned int vcpu)
{
    const unsigned int page = page_of(slot_of(vcpu));

    if (vcpu == B && page == page_of(slot_of(A)))
        return; /* it was adopted for A */
    if (vtdpi_sched_adopt_page(&library.s, page_number(page),
                               &library.page[page], library.memory[page],
                               page * VTDPI_PAGE_SIZE) != 0)
        ex_fail("X: the page cannot be adopted");
}

/* The thread ends if the slot was given back beside this. */
void op_adopt(struct host_vcpu *v)
{
    const unsigned int i = (unsigned int)(v - host.vcpu);
    struct host_thread *const t = &host.thread[ex_running()];
    uint64_t control;

    op_idle(has_page, v);
    if (vtdpi_vcpu_adopt(&library.s, &library.vcpu[i], slot_of(i), v) != 0) {
        if (v->held == HELD)
            ex_fail("X: a slot that is held cannot be adopted");
        while (world.scenario->script[ex_running()].op[t->next + 1].kind !=
               OP_END)
            t->next++;
        return;
    }
    ex_host(NULL, NULL);
    give_once(v);
    v->attached = 1;
    v->came = 1;
    control = pid_of(i)->control;
    if ((control & CTL_SN) == 0 || (uint8_t)(control >> 16) != ANV)
        ex_fail("S: %c is adopted, and not preempted", (char)('A' + i));
}

/* What the PID holds is lost: no entry names it. */
void op_release(struct host_vcpu *v)
{
    const unsigned int i = (unsigned int)(v - host.vcpu);

    ex_host(NULL, NULL);
    if (v->held == HELD) {
        v->held = HELD_RELEASING;
        v->dropped |= vectors_in(pid_of(i)->pir);
    }
    if (vtdpi_sched_release_slot(&library.s, slot_of(i)) != 0)
        return;
    ex_host(NULL, NULL);
    give_once(v);
}

/* To a slot of an adopted page: at once, and when the slot was given back. */
int attach_released(struct host_vcpu *v)
{
    const unsigned int i = (unsigned int)(v - host.vcpu);
    struct vtdpi_vcpu *const vcpu = &library.vcpu[i];
    const uint32_t slot = slot_of(i);
    int err;

    op_idle(has_page, v);
    err = vtdpi_vcpu_attach(&library.s, vcpu, slot, v);
    if (err != VTDPI_ESLOTBUSY) {
        if (v->held == HELD)
            ex_fail("D: a slot that is held is attached");
        return err;
    }
    op_idle(was_given, v);
    return vtdpi_vcpu_attach(&library.s, vcpu, slot, v);
}
