/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PID-pointer table of ipiv.c. What must hold, by the letters of the
 * documentation:
 *
 *  P  nothing is posted to a PID whose vCPU is detached, nor to memory that is no
 *     PID
 *  G  a vCPU that a valid entry names has a reference
 *  E  at the end references and holds balance, and the next owner of the slot has
 *     nothing in its PID
 *  C  calls return what their contract says
 *  X  nobody waits for ever: no IPI to the vCPU that halts is lost
 */
#include "ipis.h"

#include <string.h>

#include "vtdpi/ipiv.h"
#include "world.h"

enum {
    NEXT = VCPUS, /* the next owner of slot 0 */
    ENTRIES = 2,
    ID = 1, /* the entry: another number than that of the vCPU */
};

/* Halves of an address that both have bits. */
#define PHYS UINT64_C(0x500040000)

static struct {
    _Alignas(4096) unsigned char memory[VTDPI_PAGE_SIZE];
    _Alignas(4096) uint64_t entries[ENTRIES];
    struct vtdpi_ipiv table;
    struct vtdpi_sched sched;
    struct vtdpi_page_ref pages[1];
    struct vtdpi_pcpu *pcpus[1];
    struct vtdpi_pcpu pcpu;
    uint64_t bitmap[VTDPI_BITMAP_WORDS(1)];
    /* What changes from here on. */
    struct vtdpi_pid_page page;
    struct vtdpi_vcpu vcpu[VCPUS + 1];
    struct vtdpi_target *targets[ENTRIES];
    uint64_t stay[IPIS_SENDERS]; /* odd: in the guest */
    uint64_t pending;            /* WNV, in the local APIC */
    uint64_t woken;
    uint64_t got;  /* IPIs that vCPU 0 has taken, a bit each */
    uint64_t done; /* the thread of vCPU 0 */
    uint64_t gone; /* vCPU 0 */
} ipis;

static const struct ipis *script;
static bool beside;
static unsigned int bug;

/* Vectors in two words of PIR. */
static unsigned int vector_of(unsigned int sender, unsigned int n)
{
    return 0x42 + 64 * sender + n;
}

static struct vtdpi_pid *pid_of(unsigned int slot)
{
    return (struct vtdpi_pid *)(void *)ipis.memory + slot;
}

static unsigned int sent_by(unsigned int sender)
{
    return script->stays[sender] * script->each;
}

/* The processor. */

/* The slot of a PID; VCPUS: none. */
static unsigned int slot_at(uint64_t addr)
{
    unsigned int slot = 0;

    while (slot < VCPUS && addr != PHYS + slot * sizeof(struct vtdpi_pid))
        slot++;
    return slot;
}

/* Something is posted to @pid. */
static void check_target(const struct vtdpi_pid *pid)
{
    if (pid == pid_of(0) && ipis.gone != 0)
        ex_fail("P: a post to a vCPU of somebody else");
    else if (pid == pid_of(0) && ipis.vcpu[0].target.refs == 0)
        ex_fail("P: a post to a vCPU whose detach has begun");
}

/* One step, as the processor does that under a lock. */
static void notify(struct vtdpi_pid *pid)
{
    ex_host(NULL, NULL);
    ex_touch(&pid->control, true);
    ex_observe(pid->control);
    if ((pid->control & (VTDPI_PID_ON | VTDPI_PID_SN)) != 0)
        return;
    check_target(pid);
    pid->control |= VTDPI_PID_ON;
    if (VTDPI_FIELD_GET(pid->control, VTDPI_PID_NV) == WNV)
        ipis.pending = 1;
}

/* False: a VM exit. */
static bool post_by_table(unsigned int vector)
{
    const uint64_t entry = ex_load(&ipis.entries[ID]);
    const unsigned int slot = slot_at(entry & ~VTDPI_IPIV_VALID);

    if ((entry & VTDPI_IPIV_VALID) == 0)
        return false;
    if (slot == VCPUS) {
        ex_fail("P: a processor posts to %llx, which is no PID",
                (unsigned long long)(entry & ~VTDPI_IPIV_VALID));
        return true;
    }
    (void)ex_or(&pid_of(slot)->pir[vector / 64], UINT64_C(1) << vector % 64);
    notify(pid_of(slot));
    return true;
}

/* The host. */

static void enter_guest(unsigned int sender, unsigned int stay)
{
    if (bug == HOST_ENTERS_UNFENCED)
        ex_store(&ipis.stay[sender], 2 * stay + 1);
    else
        (void)ex_exchange(&ipis.stay[sender], 2 * stay + 1);
}

static void leave_guest(unsigned int sender, unsigned int stay)
{
    ex_store(&ipis.stay[sender], 2 * stay + 2);
}

/* Without a block nobody else does that. */
static void wake_sleeper(void)
{
    ex_host(NULL, NULL);
    ipis.woken = 1;
}

/* By software, out of the guest: to the vCPU that a host finds by its own map. */
static void post_by_host(unsigned int vector)
{
    struct vtdpi_vcpu *const v = &ipis.vcpu[0];

    if (vtdpi_vcpu_hold(v) != 0)
        return; /* it is being detached */
    (void)vtdpi_vcpu_post(v, (uint8_t)vector, false);
    vtdpi_vcpu_unhold(v);
    if (script->sleeps)
        wake_sleeper();
}

static void run_sender(void *arg)
{
    const unsigned int sender = (unsigned int)(uintptr_t)arg;
    unsigned int n = 0;

    for (unsigned int i = 0; i < script->stays[sender]; i++) {
        uint64_t missed = 0;

        ex_start(i + 1);
        enter_guest(sender, i);
        for (unsigned int k = 0; k < script->each; k++, n++) {
            if (!post_by_table(vector_of(sender, n)))
                missed |= UINT64_C(1) << n;
        }
        leave_guest(sender, i);
        for (unsigned int k = 0; k < sent_by(sender); k++) {
            if ((missed & UINT64_C(1) << k) != 0)
                post_by_host(vector_of(sender, k));
        }
    }
}

static bool is_woken(void *arg)
{
    (void)arg;
    return ipis.woken != 0;
}

static bool has_all(void)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < IPIS_SENDERS; i++)
        count += sent_by(i);
    return (unsigned int)__builtin_popcountll(ipis.got) == count;
}

static void take_all(struct vtdpi_vcpu *v)
{
    uint64_t pir[VTDPI_PIR_WORDS] = {0};

    (void)vtdpi_vcpu_sync(v, pir);
    ipis.got |= pir[1] | pir[2] << 32;
}

/* False: called off. */
static bool may_sleep(struct vtdpi_vcpu *v)
{
    if (script->sleeps && vtdpi_vcpu_refs(v) == 0) {
        vtdpi_vcpu_preempt(v);
        return true;
    }
    return vtdpi_vcpu_block(v, &ipis.pcpu) == VTDPI_BLOCKED;
}

static void run_vcpu(void *arg)
{
    struct vtdpi_vcpu *const v = &ipis.vcpu[0];

    (void)arg;
    for (;;) {
        ex_start(1);
        vtdpi_vcpu_run(v, &ipis.pcpu);
        take_all(v);
        if (has_all())
            break;
        ex_host(NULL, NULL);
        ipis.woken = 0;
        if (may_sleep(v))
            ex_host(is_woken, NULL);
    }
    vtdpi_vcpu_preempt(v);
    ex_host(NULL, NULL);
    ipis.done = 1;
}

static bool is_pending(void *arg)
{
    (void)arg;
    return ipis.pending != 0;
}

static void run_handler(void *arg)
{
    (void)arg;
    for (;;) {
        ex_start(1);
        ex_host(is_pending, NULL);
        ipis.pending = 0;
        (void)vtdpi_pcpu_handle_wakeup(&ipis.pcpu, WNV);
    }
}

/* Callbacks of the library, called by fibers. */

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    (void)apic_id;
    ex_host(NULL, NULL);
    if (vector == WNV)
        ipis.pending = 1;
}

static void wake(void *ctx, void *cookie)
{
    (void)ctx;
    (void)cookie;
    ex_host(NULL, NULL);
    ipis.woken = 1;
}

/* The administrator. */

static void expect(const char *call, int rc, int expected)
{
    if (rc != expected)
        ex_fail("C: %s returns %d", call, rc);
}

static bool has_left(void *arg)
{
    const uint64_t *const word = arg;

    return *word % 2 == 0;
}

static void wait_for_exits(void)
{
    for (unsigned int i = 0; i < IPIS_SENDERS; i++) {
        if (bug == HOST_SETTLED_AT_ONCE)
            return;
        if (ex_load(&ipis.stay[i]) % 2 != 0)
            ex_host(has_left, &ipis.stay[i]);
    }
}

static bool has_no_hold(void *arg)
{
    (void)arg;
    return vtdpi_vcpu_holds(&ipis.vcpu[0]) == 0;
}

static bool scan_is_over(void *arg)
{
    (void)arg;
    return ipis.pcpu.scan % 2 == 0;
}

static bool is_done(void *arg)
{
    (void)arg;
    return ipis.done != 0;
}

/* Software posters may hold the vCPU for a while. */
static void detach(void)
{
    int rc;

    while ((rc = vtdpi_vcpu_detach_begin(&ipis.vcpu[0])) == VTDPI_EBUSY &&
           vtdpi_vcpu_refs(&ipis.vcpu[0]) == 0)
        ex_host(has_no_hold, NULL);
    expect("detach", rc, 0);
    if (rc != 0)
        return;
    while (!vtdpi_vcpu_detach_poll(&ipis.vcpu[0]))
        ex_host(scan_is_over, NULL);
    ipis.gone = 1;
    expect("attach", vtdpi_vcpu_attach(&ipis.sched, &ipis.vcpu[NEXT], 0, &ipis),
           0);
}

static void set(unsigned int vcpu, int expected)
{
    expect("set",
           vtdpi_ipiv_set(&ipis.table, ID, vtdpi_vcpu_target(&ipis.vcpu[vcpu])),
           expected);
}

static void settled(int expected)
{
    expect("settled", vtdpi_ipiv_settled(&ipis.table, ID), expected);
}

static void run_op(enum ipis_op op)
{
    switch (op) {
    case IPIS_SET:
        set(0, 0);
        if (script->sleeps && bug != HOST_NO_WAKE_AFTER_SET)
            wake_sleeper();
        break;
    case IPIS_SET_OTHER:
        set(1, 0);
        break;
    case IPIS_SET_TAKEN:
        set(1, VTDPI_EBUSY);
        break;
    case IPIS_SET_UNSETTLED:
        set(1, VTDPI_EDIRTY);
        break;
    case IPIS_CLEAR:
        expect("clear", vtdpi_ipiv_clear(&ipis.table, ID), 0);
        break;
    case IPIS_EXITS:
        wait_for_exits();
        break;
    case IPIS_SETTLED:
        settled(0);
        break;
    case IPIS_SETTLED_SET:
        settled(VTDPI_EBUSY);
        break;
    case IPIS_SETTLED_TWICE:
        settled(VTDPI_ENOENT);
        break;
    case IPIS_JOIN:
        ex_host(is_done, NULL);
        break;
    case IPIS_DETACH:
        detach();
        break;
    case IPIS_DETACH_BUSY:
        expect("detach", vtdpi_vcpu_detach(&ipis.vcpu[0]), VTDPI_EBUSY);
        break;
    case IPIS_END:
        break;
    }
}

/* No step between two calls: what a clear leaves in the store buffer may still be
 * there when the administrator looks who is in the guest. */
static void run_admin(void *arg)
{
    (void)arg;
    if (beside || script->sleeps)
        run_op(IPIS_SET);
    for (unsigned int i = 0; script->op[i] != IPIS_END; i++) {
        ex_forget(i + 1);
        run_op(script->op[i]);
    }
}

/* Properties. */

static void check_step(void *ctx)
{
    const uint64_t entry = ipis.entries[ID];
    const unsigned int slot = slot_at(entry & ~VTDPI_IPIV_VALID);

    (void)ctx;
    if ((entry & VTDPI_IPIV_VALID) != 0 && slot < VCPUS &&
        vtdpi_vcpu_refs(&ipis.vcpu[slot]) == 0)
        ex_fail("G: the entry names vCPU %u, which has no reference", slot);
}

static void check_vcpu(unsigned int i)
{
    const bool named = ipis.targets[ID] == &ipis.vcpu[i].target;

    if (vtdpi_vcpu_refs(&ipis.vcpu[i]) != (named ? 1 : 0))
        ex_fail("E: vCPU %u has %u references", i,
                (unsigned int)vtdpi_vcpu_refs(&ipis.vcpu[i]));
    if (vtdpi_vcpu_holds(&ipis.vcpu[i]) != 0)
        ex_fail("E: vCPU %u is held", i);
}

static void check_final(void *ctx)
{
    (void)ctx;
    for (unsigned int i = 0; ex_fiber(i)->entry != run_handler; i++) {
        if (ex_fiber(i)->kind != EX_DONE)
            ex_fail("X: %s waits for ever", ex_fiber(i)->name);
    }
    for (unsigned int i = 0; i <= VCPUS; i++)
        check_vcpu(i);
    if (ipis.gone != 0 && vtdpi_pid_pending(pid_of(0)))
        ex_fail("E: the next owner of the slot has something posted");
}

/* A post sets bits of PIR. Of what is written there that is the only thing. */
static void written(void *ctx, const uint64_t *addr, uint64_t old,
                    uint64_t value)
{
    const struct vtdpi_pid *const pid = pid_of(0);

    (void)ctx;
    if (addr >= pid->pir && addr < pid->pir + VTDPI_PIR_WORDS &&
        (value & ~old) != 0)
        check_target(pid);
}

/* Set up. */

static void set_up_vcpus(void)
{
    static const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi,
                                                  .wake = wake};
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = ipis.pages,
        .max_pages = 1,
        .pcpus = ipis.pcpus,
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv = {WNV},
    };

    ex_require(vtdpi_sched_init(&ipis.sched, &params));
    ex_require(
        vtdpi_sched_add_page(&ipis.sched, 0, &ipis.page, ipis.memory, PHYS));
    ex_require(vtdpi_pcpu_init(&ipis.sched, &ipis.pcpu, 0, 0, ipis.bitmap));
    vtdpi_pcpu_online(&ipis.pcpu);
    for (uint32_t i = 0; i < VCPUS; i++) {
        ex_require(vtdpi_vcpu_attach(&ipis.sched, &ipis.vcpu[i], i, &ipis));
        vtdpi_vcpu_run(&ipis.vcpu[i], &ipis.pcpu); /* SN is clear */
    }
}

static void set_up_table(void)
{
    const struct vtdpi_ipiv_params params = {
        .entries = ipis.entries,
        .phys = PHYS + VTDPI_PAGE_SIZE,
        .targets = ipis.targets,
        .count = ENTRIES,
        .width = 46,
        .mode = VTDPI_X2APIC,
    };

    ex_require(vtdpi_ipiv_init(&ipis.table, &params));
    if (!beside && !script->sleeps)
        run_op(IPIS_SET);
}

static void set_up_ranges(void)
{
    ex_range(ipis.memory, VCPUS * sizeof(struct vtdpi_pid));
    ex_range(ipis.entries, sizeof ipis.entries);
    ex_range(&ipis.pcpu, sizeof ipis.pcpu);
    ex_range(ipis.bitmap, sizeof ipis.bitmap);
    ex_range(&ipis.page, sizeof ipis - offsetof(__typeof__(ipis), page));
}

static void set_up(void *ctx)
{
    static const char *const name[IPIS_SENDERS] = {"cpu1", "cpu2"};

    (void)ctx;
    memset(&ipis, 0, sizeof ipis);
    set_up_vcpus();
    set_up_table();
    set_up_ranges();
    for (uintptr_t i = 0; i < IPIS_SENDERS; i++) {
        if (script->stays[i] != 0)
            (void)ex_spawn(name[i], run_sender, (void *)i);
    }
    (void)ex_spawn("admin", run_admin, NULL);
    if (script->halts)
        (void)ex_spawn("vcpu0", run_vcpu, NULL);
    (void)ex_spawn("apic", run_handler, NULL);
}

const struct ex_world *ipis_new(const struct ipis *s, bool set_beside,
                                unsigned int host_bug)
{
    static struct ex_world w = {
        .arena = &ipis,
        .arena_size = sizeof ipis,
        .setup = set_up,
        .check = check_step,
        .check_final = check_final,
        .written = written,
    };

    script = s;
    beside = set_beside;
    bug = host_bug;
    return &w;
}

/* Traces. */

void ipis_print(FILE *out)
{
    (void)fprintf(
        out, " entry=%llx stays=%llu,%llu got=%llx%s%s;",
        (unsigned long long)ipis.entries[ID], (unsigned long long)ipis.stay[0],
        (unsigned long long)ipis.stay[1], (unsigned long long)ipis.got,
        ipis.pending != 0 ? " WNV" : "", ipis.gone != 0 ? " gone" : "");
    for (unsigned int i = 0; i < VCPUS; i++)
        (void)fprintf(out, " vcpu%u: refs=%llx control=%llx", i,
                      (unsigned long long)ipis.vcpu[i].target.refs,
                      (unsigned long long)pid_of(i)->control);
    (void)fputc('\n', out);
}

void ipis_print_name(FILE *out, const uint64_t *addr)
{
    const unsigned char *const at = (const unsigned char *)addr;

    if (addr == &ipis.entries[ID])
        (void)fputs("entry", out);
    for (unsigned int i = 0; i < IPIS_SENDERS; i++) {
        if (addr == &ipis.stay[i])
            (void)fprintf(out, "stay[%u]", i);
    }
    for (unsigned int i = 0; i <= VCPUS; i++) {
        if (addr == &ipis.vcpu[i].target.refs)
            (void)fprintf(out, "vcpu%u.refs", i);
    }
    if (at >= ipis.memory && at < ipis.memory + sizeof ipis.memory)
        (void)fprintf(out, "pid[%u]+%u", (unsigned int)(at - ipis.memory) / 64,
                      (unsigned int)(at - ipis.memory) % 64);
}

const char *ipis_doing(unsigned int fiber)
{
    const struct ex_fiber *const f = ex_fiber(fiber);

    if (f->entry == run_sender)
        return "sends IPIs";
    if (f->entry == run_admin)
        return "changes the entry";
    return f->entry == run_vcpu ? "halts" : "wakeup handler";
}
