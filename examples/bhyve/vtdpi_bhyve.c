/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The module: vectors, verdict, callbacks of the library, hw.vmm.vtdpi.
 */

#include "vtdpi_bhyve_internal.h"

#include <sys/sysctl.h>

#include <machine/cpu.h>
#include <machine/cpufunc.h>
#include <machine/md_var.h>
#include <machine/specialreg.h>
#include <vm/vm.h>
#include <vm/pmap.h>

/* vtdpi_bhyve_wakeup.S */
inthand_t Xvtdpi_wakeup, Xvtdpi_wakeup_pti;

MALLOC_DEFINE(M_VTDPI, "vtdpi", "VT-d posted interrupts");

struct vtdpi_bhyve vtdpi_bhyve = {.wnv = -1};

SYSCTL_DECL(_hw_vmm);
SYSCTL_NODE(_hw_vmm, OID_AUTO, vtdpi, CTLFLAG_RW | CTLFLAG_MPSAFE, 0,
            "VT-d posted interrupts");

static char options_text[64];
SYSCTL_STRING(_hw_vmm_vtdpi, OID_AUTO, options, CTLFLAG_RDTUN, options_text,
              sizeof(options_text),
              "intpost=off keeps devices from posting; see vtdpi/caps.h");

static char verdict_text[64] = "not set up";
SYSCTL_STRING(_hw_vmm_vtdpi, OID_AUTO, verdict, CTLFLAG_RD, verdict_text, 0,
              "How far this machine gets");

static char reasons_text[512];
SYSCTL_STRING(_hw_vmm_vtdpi, OID_AUTO, reasons, CTLFLAG_RD, reasons_text, 0,
              "Everything that keeps devices from posting");

SYSCTL_INT(_hw_vmm_vtdpi, OID_AUTO, wakeup_vector, CTLFLAG_RD, &vtdpi_bhyve.wnv,
           0, "Wakeup notification vector, or -1");

/* The counters live while the port is up. */
static int sysctl_count(SYSCTL_HANDLER_ARGS)
{
    uint64_t value = 0;

    (void)arg1;
    if (vtdpi_bhyve.up)
        value = counter_u64_fetch(vtdpi_bhyve.counts[arg2]);
    return (sysctl_handle_64(oidp, &value, 0, req));
}

static int sysctl_posted(SYSCTL_HANDLER_ARGS)
{
    uint64_t value = 0;

    (void)arg1;
    (void)arg2;
    if (vtdpi_bhyve.up)
        value = vtdpi_bhyve_vm_posted();
    return (sysctl_handle_64(oidp, &value, 0, req));
}
SYSCTL_PROC(_hw_vmm_vtdpi, OID_AUTO, posted,
            CTLTYPE_U64 | CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, 0, sysctl_posted,
            "QU", "Messages that are posted now");

#define COUNTER(which, name, text)                               \
    SYSCTL_PROC(_hw_vmm_vtdpi, OID_AUTO, name,                   \
                CTLTYPE_U64 | CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, \
                VTDPI_COUNT_##which, sysctl_count, "QU", text)

COUNTER(SETUPS, setups, "Messages set up with a host interrupt");
COUNTER(CHANGES, changes, "Messages changed without touching it");
COUNTER(MOVES, moves, "Changes of entries that were posted, or became so");
COUNTER(REROUTES, reroutes, "Times the routes of a VM were looked at again");
COUNTER(REBINDS, rebinds,
        "Host forms that the kernel has changed while posted");
COUNTER(OVERWRITTEN, overwritten,
        "Entries found changed without the re-bind hook");
COUNTER(FAILURES, failures, "Changes of entries that failed");
COUNTER(SOFT_POSTS, soft_posts, "Vectors posted by software");
COUNTER(SOFT_IPIS, soft_ipis, "Notifications sent by software");
COUNTER(BLOCKS, blocks, "Times a vCPU went to sleep with the wakeup vector");
COUNTER(WAKEUP_INTRS, wakeup_intrs, "Wakeup interrupts");
COUNTER(WAKEUPS, wakeups, "vCPUs woken by them");

/* Callbacks of the library. */

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    const int cpu = (int)apic_cpuid(apic_id);

    (void)ctx;
    /*
     * The vCPU is in its run bracket on the CPU that the active vector is for, or
     * was when ON was set. On that CPU itself it is not in the guest, since this
     * thread or interrupt is running: the next entry looks at the descriptor.
     */
    if (vector == vtdpi_bhyve.anv && cpu == (int)curcpu)
        return;
    vtdpi_bhyve_count(VTDPI_COUNT_SOFT_IPIS, 1);
    /* A write of the x2APIC ICR is not ordered behind earlier stores. */
    if (x2apic_mode != 0) {
        mfence();
        lfence();
    }
    ipi_cpu(cpu, vector);
}

static void wake(void *ctx, void *cookie)
{
    (void)ctx;
    vtdpi_bhyve_notify(cookie);
}

static void relax(void *ctx)
{
    (void)ctx;
    cpu_spinwait();
}

static const struct vtdpi_platform_ops platform_ops = {
    .send_ipi = send_ipi,
    .wake = wake,
    .relax = relax,
};

/* Without a vector for wakeups nobody blocks. */
static const struct vtdpi_platform_ops platform_ops_no_wakeup = {
    .send_ipi = send_ipi,
    .relax = relax,
};

/* The verdict. */

static void reason(const char *text, const char *where, u_int number)
{
    const size_t used = strlen(reasons_text);
    const char *const comma = used > 0 ? ", " : "";

    if (*where != '\0')
        (void)snprintf(reasons_text + used, sizeof(reasons_text) - used,
                       "%s%s (%s %u)", comma, text, where, number);
    else
        (void)snprintf(reasons_text + used, sizeof(reasons_text) - used, "%s%s",
                       comma, text);
}

static void options_get(struct vtdpi_caps_options *options)
{
    vtdpi_caps_options_init(options);
    if (vtdpi_caps_options_parse(options_text, options, NULL) != 0)
        printf("vtdpi: hw.vmm.vtdpi.options is not understood: \"%s\"\n",
               options_text);
}

/* What the driver says of its units; true if it has switched all of them on.
 * Sleeps. */
static bool units_get(struct vtdpi_verdict_unit *facts, struct vtdpi_caps *caps,
                      u_int n)
{
    struct vtdpi_dmar_unit_info info;
    bool on = true;

    for (u_int i = 0; i < n; i++) {
        const u_int number = vtdpi_bhyve.units[i].number;

        if (vtdpi_dmar_ops->unit_info(number, &info) != 0)
            continue;
        if (vtdpi_caps_decode(info.ver, info.cap, info.ecap, &caps[i]) == 0)
            facts[i].caps = &caps[i];
        facts[i].eime =
            info.eime ? VTDPI_VERDICT_EIME_SET : VTDPI_VERDICT_EIME_CLEAR;
        on = on && info.ir_enabled;
        if (facts[i].caps != NULL && !caps[i].coherent)
            reason("devices stay remapped, the table is not cached", "unit",
                   number);
    }
    return (on);
}

/* The library numbers the units that it is given, the driver leaves holes. */
static void reason_of(const struct vtdpi_verdict_reason *r)
{
    static const char *const where_texts[] = {"", "unit", "IOAPIC"};
    const enum vtdpi_verdict_where where = vtdpi_verdict_reason_where(r->code);

    reason(vtdpi_verdict_reason_text(r->code), where_texts[where],
           where == VTDPI_VERDICT_WHERE_UNIT
               ? vtdpi_bhyve.units[r->where].number
               : r->where);
}

static enum vtdpi_verdict verdict_list(const struct vtdpi_verdict_facts *facts,
                                       const struct vtdpi_caps_options *options)
{
    struct vtdpi_verdict_reason list[16];
    enum vtdpi_verdict verdict;
    size_t count;

    verdict = vtdpi_verdict_decide(facts, options, list, nitems(list), &count);
    for (size_t i = 0; i < MIN(count, nitems(list)); i++)
        reason_of(&list[i]);
    return (verdict);
}

/*
 * IOAPICs and the firmware's flags are the business of the driver, which switches
 * remapping on. What is judged here is the units, the CPUs and the options.
 */
static enum vtdpi_verdict verdict_reach(void)
{
    const u_int n = vtdpi_bhyve.unit_count;
    struct vtdpi_verdict_unit *const units =
        malloc(sizeof(*units) * MAX(n, 1), M_VTDPI, M_WAITOK | M_ZERO);
    struct vtdpi_caps *const caps =
        malloc(sizeof(*caps) * MAX(n, 1), M_VTDPI, M_WAITOK | M_ZERO);
    struct vtdpi_verdict_facts facts = {
        .units = units,
        .unit_count = n,
        .firmware_intr_remap = true,
        .cpu_x2apic = x2apic_mode != 0,
        .cpu_cx16 = (cpu_feature2 & CPUID2_CX16) != 0,
    };
    struct vtdpi_caps_options options;
    enum vtdpi_verdict verdict;

    options_get(&options);
    if (!units_get(units, caps, n))
        options.intremap = false; /* hw.dmar.ir=0, or the like */
    verdict = verdict_list(&facts, &options);
    free(caps, M_VTDPI);
    free(units, M_VTDPI);
    return (verdict);
}

static void verdict_init(void)
{
    enum vtdpi_verdict verdict;

    reasons_text[0] = '\0';
    verdict = verdict_reach();
    if (!vtdpi_bhyve.active)
        reason("the processor does not post, or use_apic_pir is 0", "", 0);
    else if (vtdpi_bhyve.wnv < 0)
        reason("no vector left for wakeups", "", 0);
    if (vtdpi_bhyve.unit_count == 0)
        reason("hw.dmar.enable is 0, or the kernel lacks the hook", "", 0);
    vtdpi_bhyve.posting =
        verdict == VTDPI_VERDICT_POSTING && vtdpi_bhyve.wnv >= 0;
    if (verdict == VTDPI_VERDICT_POSTING && !vtdpi_bhyve.posting)
        verdict = VTDPI_VERDICT_REMAPPING;
    (void)snprintf(verdict_text, sizeof(verdict_text), "%s",
                   vtdpi_verdict_text(verdict));
    if (bootverbose || vtdpi_bhyve.posting)
        printf("vtdpi: %s%s%s\n", verdict_text,
               reasons_text[0] != '\0' ? ": " : "", reasons_text);
}

/*
 * Under page-table isolation user mode has the kernel's own text mapped, but
 * no module's. An interrupt of user mode begins with these page tables, so the
 * page that holds the entry is added to them first, and removed when no gate
 * names it any more. The stub does not cross a page.
 */
#ifdef KLD_MODULE
static void entry_map(void)
{
    const vm_offset_t page = trunc_page((vm_offset_t)&Xvtdpi_wakeup_pti);

    pmap_pti_add_kva(page, page + PAGE_SIZE, true);
}

static void entry_unmap(void)
{
    const vm_offset_t page = trunc_page((vm_offset_t)&Xvtdpi_wakeup_pti);

    pmap_pti_remove_kva(page, page + PAGE_SIZE);
}
#else
static void entry_map(void)
{
}

static void entry_unmap(void)
{
}
#endif

/* Without a vector of bhyve's no notification is sent, and any number does. */
#define NO_ANV 255

static void vectors_init(int pirvec)
{
    vtdpi_bhyve.active = pirvec >= 0;
    vtdpi_bhyve.anv = (uint8_t)(pirvec >= 0 ? pirvec : NO_ANV);
    vtdpi_bhyve.wnv = -1;
    entry_map();
    /* -1 if the vectors for this are used up: then devices do not post. */
    if (pirvec >= 0)
        vtdpi_bhyve.wnv =
            lapic_ipi_alloc(pti != 0 ? &Xvtdpi_wakeup_pti : &Xvtdpi_wakeup);
}

int vtdpi_bhyve_modinit(int pirvec)
{
    int error;

    sx_init(&vtdpi_bhyve.lock, "vtdpi");
    LIST_INIT(&vtdpi_bhyve.vms);
    for (u_int i = 0; i < VTDPI_COUNTS; i++)
        vtdpi_bhyve.counts[i] = counter_u64_alloc(M_WAITOK);
    vectors_init(pirvec);
    error = vtdpi_bhyve_pool_init(
        vtdpi_bhyve.wnv >= 0 ? &platform_ops : &platform_ops_no_wakeup,
        vtdpi_bhyve.anv, vtdpi_bhyve.wnv);
    vtdpi_bhyve.up = true;
    if (error != 0) {
        vtdpi_bhyve_modcleanup();
        return (error);
    }
    if (vtdpi_dmar_ops != NULL)
        vtdpi_bhyve_dmar_init();
    verdict_init();
    return (0);
}

void vtdpi_bhyve_modcleanup(void)
{
    if (!vtdpi_bhyve.up)
        return;
    KASSERT(LIST_EMPTY(&vtdpi_bhyve.vms), ("vtdpi: a VM is left"));
    vtdpi_bhyve.posting = false;
    vtdpi_bhyve_dmar_fini();
    if (vtdpi_bhyve.wnv >= 0)
        lapic_ipi_free(vtdpi_bhyve.wnv);
    vtdpi_bhyve.wnv = -1;
    entry_unmap();
    vtdpi_bhyve_pool_fini();
    vtdpi_bhyve.up = false;
    for (u_int i = 0; i < VTDPI_COUNTS; i++)
        counter_u64_free(vtdpi_bhyve.counts[i]);
    sx_destroy(&vtdpi_bhyve.lock);
}
