/* SPDX-License-Identifier: BSD-2-Clause */
/* How the host calls this library, and the operations that no other subject has. */
#include "library.h"

enum {
    BOUND = 1, /* for vtdpi_pcpu_choose() */
};

static struct vtdpi_vcpu *vcpu_of(unsigned int vcpu)
{
    return &library.vcpu[vcpu];
}

static struct vtdpi_pcpu *pcpu_of(unsigned int cpu)
{
    return &library.cpu[cpu].pcpu;
}

static void run(unsigned int vcpu, unsigned int cpu)
{
    vtdpi_vcpu_run(vcpu_of(vcpu), pcpu_of(cpu));
}

static void preempt(unsigned int vcpu)
{
    vtdpi_vcpu_preempt(vcpu_of(vcpu));
}

static bool is_there(void *pcpu)
{
    return ((const struct vtdpi_pcpu *)pcpu)->online != 0;
}

static void await_pcpu(unsigned int cpu)
{
    if (world.scenario->late_pcpu)
        op_idle(is_there, pcpu_of(cpu));
}

static enum block_result block(unsigned int vcpu, unsigned int cpu,
                               bool committed)
{
    const enum vtdpi_block_result result =
        committed ? vtdpi_vcpu_block_committed(vcpu_of(vcpu), pcpu_of(cpu))
                  : vtdpi_vcpu_block(vcpu_of(vcpu), pcpu_of(cpu));

    if (result == VTDPI_BLOCKED)
        return BLOCK_BLOCKED;
    return result == VTDPI_BLOCK_OFFLINE ? BLOCK_IS_OFFLINE : BLOCK_PENDING;
}

static bool blocked(unsigned int vcpu)
{
    return vcpu_of(vcpu)->blocked_on != NULL;
}

static bool sync_vcpu(unsigned int vcpu, uint64_t taken[VTDPI_PIR_WORDS])
{
    return subject_sync(vcpu_of(vcpu), taken);
}

static void discard(unsigned int vcpu)
{
    subject_discard(vcpu_of(vcpu));
}

static unsigned int index_of(const void *host_vcpu)
{
    return (unsigned int)((const struct host_vcpu *)host_vcpu - host.vcpu);
}

static bool has_page(void *v)
{
    return page_ref_of(index_of(v))->page != NULL;
}

static bool has_room(void *v)
{
    return library.s.room > slot_of(index_of(v)) / VTDPI_PAGE_SLOTS;
}

static bool await_slot(unsigned int vcpu)
{
    if (world.scenario->grows)
        op_idle(has_room, &host.vcpu[vcpu]);
    else if (world.scenario->late_page)
        op_idle(has_page, &host.vcpu[vcpu]);
    else
        return false;
    return true;
}

/* As soon as there is room for its page, which may not be there yet. */
static bool attach(unsigned int vcpu)
{
    struct host_vcpu *const cookie = &host.vcpu[vcpu];
    const uint32_t slot = slot_of(vcpu);
    int err;

    if (world.scenario->adopts != 0)
        return attach_released(cookie) == 0;
    err = vtdpi_vcpu_attach(&library.s, vcpu_of(vcpu), slot, cookie);
    if (err == VTDPI_ENOPAGE && world.scenario->grows) {
        op_idle(has_page, cookie);
        err = vtdpi_vcpu_attach(&library.s, vcpu_of(vcpu), slot, cookie);
    }
    return err == 0;
}

static bool unreferenced(void *v)
{
    return vtdpi_vcpu_refs(v) == 0;
}

/* Detach would find its current sequence as it was. */
static bool scan_moved(void *arg)
{
    const struct vtdpi_vcpu *const v = arg;
    const uint64_t now =
        v->detach_next < CPUS ? pcpu_of(v->detach_next)->scan : library.s.scan;

    return v->detach_seq == 0 || now != v->detach_seq;
}

static void detach(unsigned int vcpu)
{
    struct vtdpi_vcpu *const v = vcpu_of(vcpu);
    int err;

    for (;;) {
        op_phase(1);
        err = vtdpi_vcpu_detach_begin(v);
        if (err != VTDPI_EBUSY)
            break;
        ex_host(unreferenced, v);
    }
    if (err != 0)
        ex_fail("X: detach_begin returns %d", err);
    for (;;) {
        op_phase(2);
        if (vtdpi_vcpu_detach_poll(v) || world.bug == HOST_DETACH_AT_ONCE)
            break;
        /* Once more at once: that must not change anything. */
        if (vtdpi_vcpu_detach_poll(v))
            break;
        op_phase(3);
        ex_host(scan_moved, v);
    }
}

static void post(unsigned int vcpu, uint8_t vector, bool urgent)
{
    (void)vtdpi_vcpu_post(vcpu_of(vcpu), vector, urgent);
}

static bool ref(unsigned int vcpu)
{
    return vtdpi_vcpu_ref(vcpu_of(vcpu)) == 0;
}

static void unref(unsigned int vcpu)
{
    vtdpi_vcpu_unref(vcpu_of(vcpu));
}

static void handle_wakeup(unsigned int cpu, uint8_t vector)
{
    (void)vtdpi_pcpu_handle_wakeup(pcpu_of(cpu), vector);
}

static void offline(unsigned int cpu)
{
    (void)vtdpi_pcpu_offline(pcpu_of(cpu));
}

static void online(unsigned int cpu)
{
    vtdpi_pcpu_online(pcpu_of(cpu));
}

/* The guest takes what is in its IRR, of which RVI was the highest before the
 * host's virtual APIC may have added to it. */
static void take_irr(struct host_vcpu *v, uint8_t rvi)
{
    const unsigned int n = index_of(v);
    const uint64_t set = vectors_in_irr(n);

    for (unsigned int i = 0; i < VECTORS; i++) {
        if ((v->owed >> i & 1) != 0 && vector_of(i) > rvi)
            ex_fail("V: merge returns %u, and %u was posted", rvi,
                    vector_of(i));
        ex_touch(irr_word(n, vector_of(i)), true);
        *irr_word(n, vector_of(i)) &= ~(UINT64_C(1) << vector_of(i) % 32);
    }
    if ((v->owed & ~set) != 0)
        ex_fail("V: vectors %x taken from PIR, %x in the IRR",
                (unsigned int)v->owed, (unsigned int)set);
    v->owed = 0;
    v->got |= set;
}

static void op_merge(unsigned int vcpu)
{
    struct host_vcpu *const v = &host.vcpu[vcpu];
    struct host_thread *const t = &host.thread[ex_running()];
    uint8_t rvi;

    t->harvests = 1;
    rvi = subject_merge(vcpu_of(vcpu), host.vapic[vcpu]);
    t->harvests = 0;
    ex_host(NULL, NULL);
    take_irr(v, rvi);
    if (rvi != 0)
        v->woken = 1;
}

static void op_choose(const struct op *op)
{
    struct vtdpi_pcpu *const p =
        vtdpi_pcpu_choose(pcpu_of(op->cpu), BOUND, NULL);
    struct op on = *op;

    if (p == NULL)
        return; /* no pCPU is online */
    on.cpu = (uint8_t)((struct library_cpu *)(void *)p - library.cpu);
    op_block(&host.vcpu[op->vcpu], &on);
}

/* After S3: what was pending is lost. In the guest nobody is then, so that
 * only WNVs matter. */
static void op_rescan(unsigned int cpu)
{
    ex_host(NULL, NULL);
    host.cpu[cpu].irr &= ~IRR_WNVS;
    (void)vtdpi_pcpu_rescan(pcpu_of(cpu));
}

static void own(const struct op *op)
{
    switch (op->kind) {
    case OP_MERGE:
        op_merge(op->vcpu);
        break;
    case OP_CHOOSE:
        op_choose(op);
        break;
    case OP_RESCAN:
        op_rescan(op->cpu);
        break;
    case OP_ADD_PAGE:
        add_page(page_of(slot_of(op->vcpu)));
        break;
    case OP_GROW:
        grow();
        break;
    case OP_ADD_PCPU:
        add_pcpu(op->cpu);
        break;
    case OP_ADOPT:
        op_adopt(&host.vcpu[op->vcpu]);
        break;
    case OP_ADOPT_PAGE:
        op_adopt_page(op->vcpu);
        break;
    case OP_RELEASE:
        op_release(&host.vcpu[op->vcpu]);
        break;
    default:
        ex_fail("not an operation of this role");
    }
}

static void arenas(struct ex_range more[EX_ARENAS])
{
    more[0] = (struct ex_range){&library, sizeof library};
}

const struct hooks library_hooks = {
    .arenas = arenas,
    .set_up = library_set_up,
    .ranges = library_ranges,
    .pid = library_pid,
    .run = run,
    .preempt = preempt,
    .await_pcpu = await_pcpu,
    .block = block,
    .blocked = blocked,
    .sync = sync_vcpu,
    .discard = discard,
    .await_slot = await_slot,
    .attach = attach,
    .detach = detach,
    .post = post,
    .ref = ref,
    .unref = unref,
    .handle_wakeup = handle_wakeup,
    .offline = offline,
    .online = online,
    .own = own,
    .check_step = library_check_step,
    .may_notify = library_may_notify,
    .check_control = library_check_control,
    .check_word = library_check_word,
    .check_free = library_check_free,
    .check_wake = library_check_wake,
    .print_vcpu = library_print_vcpu,
    .print_cpu = library_print_cpu,
    .print_name = library_print_name,
};
