# SPDX-License-Identifier: BSD-2-Clause
"""What mutants.py breaks: the minivisor, and the library below it."""

from mutation import Mutant

HERE = "examples/minivisor/"

# A name, the file, what stands there once, what replaces it.
BUGS = (
    ("no harvest before VM entry", HERE + "vcpu.c",
     "    take(v);\n    set_rvi(v);", "    set_rvi(v);"),
    ("RVI not set", HERE + "vcpu.c",
     "    set_rvi(v);\n", "    (void)set_rvi;\n"),
    ("RVI not the highest vector", HERE + "vcpu.c",
     "| v->highest);", "| (v->highest & 0xf0));"),
    ("the woken mark is not sticky", HERE + "scheduler.c",
     "    if (v->woken)\n", "    if (0)\n"),
    ("wake does not queue the vCPU", HERE + "scheduler.c",
     "        timeline(EVENT_WAKES, cpu_self(), v->number, 0, 0);\n"
     "        enqueue(v);\n",
     "        timeline(EVENT_WAKES, cpu_self(), v->number, 0, 0);\n"),
    ("no EOI by the host", HERE + "scheduler.c",
     "    apic_eoi();\n    if (vector == WNV", "    if (vector == WNV"),
    ("no EOI by the guest", HERE + "guest.c",
     "    wrmsr(X2APIC_EOI, 0);\n", ""),
    ("WNV ignored on a VM exit", HERE + "vcpu.c",
     "        scheduler_interrupt(p, vector);\n",
     "        if (vector != WNV)\n"
     "            scheduler_interrupt(p, vector);\n"
     "        else\n            apic_eoi();\n"),
    ("entered after block without run", HERE + "vcpu.c",
     "    if (next == ENTER)\n        vtdpi_vcpu_run(&v->pi, &p->pi);\n", ""),
    ("not run on the new pCPU after a preemption", HERE + "vcpu.c",
     "        return halt_or_go_on(p, v);\n    vtdpi_vcpu_run(&v->pi, &p->pi);\n",
     "        return halt_or_go_on(p, v);\n    if (p->runs < 3)\n"
     "        vtdpi_vcpu_run(&v->pi, &p->pi);\n"),
    ("SVI is lost", HERE + "vcpu.c",
     "(status & 0xff00) | v", "(status & 0) | v"),
    ("an EOI exits", HERE + "vmx.c",
     "EOI_EXIT_BITMAP + 2 * i, 0);", "EOI_EXIT_BITMAP + 2 * i, 1);"),
    ("another vCPU's descriptor in the VMCS", HERE + "vcpu.c",
     "{.pid = vtdpi_vcpu_pda(&v->pi),",
     "{.pid = vtdpi_vcpu_pda(&host.vcpu[0].pi),"),
    ("the VMCS has another vector than ANV", HERE + "vcpu.c",
     ".anv = ANV}", ".anv = KICK}"),
    ("no acknowledgement on exit", HERE + "vmx.c",
     "EXIT_HOST_64 | EXIT_ACKNOWLEDGE | EXIT", "EXIT_HOST_64 | EXIT"),
    ("no posted-interrupt processing", HERE + "vmx.c",
     "                 PIN_POSTED_INTERRUPTS,", "                 0,"),
    ("the unit's notification is not sent", HERE + "interrupts.c",
     "    apic_ipi(n->apic_id, n->nv);\n", ""),

    ("run leaves SN as it is", "src/sched_vcpu.c",
     "PID_OWNED,\n"
     "                            pid_destination(v->sched->anv, p->ndst));",
     "PID_OWNED & ~VTDPI_PID_SN,\n"
     "                            pid_destination(v->sched->anv, p->ndst));"),
    ("run leaves NDST as it is", "src/sched_vcpu.c",
     "PID_OWNED,\n"
     "                            pid_destination(v->sched->anv, p->ndst));",
     "VTDPI_PID_SN | VTDPI_PID_NV,\n"
     "                            pid_destination(v->sched->anv, 0));\n"
     "    (void)p;"),
    ("run leaves the blocked bit", "src/sched_vcpu.c",
     "    blocked_take_back(p, v->slot);\n}",
     "    if (v->slot > 64000)\n        blocked_take_back(p, v->slot);\n}"),
    ("block sets no summary bit", "src/sched_blocked.h",
     "        (void)vtdpi_atomic_or64(summary, leaf_bit(page));\n}",
     "        (void)summary;\n}"),
    ("block does not look at PIR", "src/sched_vcpu.c",
     "    if (vtdpi_pid_pir_pending(v->pid)) {\n        vtdpi_vcpu_preempt(v);",
     "    if (v->slot > 64000) {\n        vtdpi_vcpu_preempt(v);"),
    ("block keeps ANV", "src/sched_vcpu.c",
     "pid_destination(vcpu_wnv(v), p->ndst);\n    uint64_t old",
     "pid_destination(v->sched->anv, p->ndst);\n    uint64_t old"),
    ("block leaves SN set", "src/sched_vcpu.c",
     "                                 (old & ~PID_OWNED) | destination));",
     "                                 (old & ~(PID_OWNED & ~VTDPI_PID_SN)) |\n"
     "                                     destination));"),
    ("block names the wrong pCPU", "src/sched_vcpu.c",
     "pid_destination(vcpu_wnv(v), p->ndst);\n    uint64_t old",
     "pid_destination(vcpu_wnv(v), p->ndst ^ 3);\n    uint64_t old"),
    ("block does not look whether the pCPU is online", "src/sched_blocked.h",
     "    if (vtdpi_atomic_load64(&p->online) != 0)\n        return true;",
     "    if (p != NULL)\n        return true;"),
    ("offline wakes nobody", "src/sched_pcpu.c",
     "(blocked_leaf(p, i));\n\n        if (bits != 0)",
     "(blocked_leaf(p, i));\n\n        if (bits != 0 && i > 99)"),
    ("the wakeup handler skips a page", "src/sched_pcpu.c",
     "        bits = slots_notified(&refs[i], bits);",
     "        bits = i == 2 ? 0 : slots_notified(&refs[i], bits);"),
    ("harvest does not clear ON", "include/vtdpi/pid.h",
     "        (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);\n\n"
     "    return vtdpi_pid_take(pid, out);",
     "        (void)0;\n\n"
     "    return vtdpi_pid_take(pid, out);"),
    ("harvest leaves a word of PIR", "include/vtdpi/pid.h",
     "        if (out[i] != 0)\n            out[i] =",
     "        if (i == 2)\n            out[i] = 0;\n"
     "        if (out[i] != 0)\n            out[i] ="),
    ("merge sets a neighbouring vector", "include/vtdpi/pid.h",
     "[i * VTDPI_VAPIC_IRR_STRIDE], bits);",
     "[i * VTDPI_VAPIC_IRR_STRIDE], bits << 1);"),
    ("merge says nothing if nothing is new", "include/vtdpi/pid.h",
     "    for (int i = 7; i >= 0; i--) {\n        const uint32_t word =",
     "    else\n        return 0;\n"
     "    for (int i = 7; i >= 0; i--) {\n        const uint32_t word ="),
    ("post sets ON and tells nobody", "src/sched_vcpu.c",
     "    if (n.result == VTDPI_POST_NOTIFY)\n        vtdpi_vcpu_send(v, &n);\n",
     ""),
    ("no flush of the interrupt entry cache", "src/table_commit.c",
     "    if (n == 0)\n        return 0;\n    rc = vtdpi_qi_submit(",
     "    if (n <= COMMIT_DESCS_MAX)\n        return 0;\n    rc = vtdpi_qi_submit("),
    ("the flush is not waited for", "src/table_commit.c",
     "    rc = vtdpi_unit_wait(f->unit, &f->ticket, 0);",
     "    rc = 0;"),
    ("a message is written, and its entry does not follow", HERE + "vm.c",
     "\"vtdpi_binding_set_message\");\n    apply_and_unlock(&b, 1);\n",
     "\"vtdpi_binding_set_message\");\n    give_lock();\n"),
    ("another vector for the same vCPU is no change", "src/bind.c",
     "           (v == NULL || b->vector == b->decision.vector);\n",
     "           (v == NULL || b->vector != 0);\n"),
    ("a level-triggered message is posted", "src/route.c",
     "    if (msg->level)\n        return VTDPI_ROUTE_LEVEL;\n", ""),
    ("a posted entry has a wrong vector", "src/irte.c",
     "             VTDPI_FIELD_PUT(f->vector, VTDPI_IRTE_LO_VECTOR) |\n"
     "             VTDPI_FIELD_PUT(f->pda >> 6",
     "             VTDPI_FIELD_PUT(f->vector ^ 1, VTDPI_IRTE_LO_VECTOR) |\n"
     "             VTDPI_FIELD_PUT(f->pda >> 6"),
    ("a posted entry has a wrong PDA", "src/irte.c",
     "             VTDPI_FIELD_PUT(f->pda >> 6, VTDPI_IRTE_LO_PDA);",
     "             VTDPI_FIELD_PUT(f->pda >> 6 ^ 0x40, VTDPI_IRTE_LO_PDA);"),
    ("a message has no format bit", "src/msi.c",
     "        (uint32_t)(VTDPI_MSI_ADDR_BASE | VTDPI_MSI_ADDR_FORMAT |\n"
     "                   VTDPI_MSI_ADDR_SHV |\n"
     "                   VTDPI_FIELD_PUT(base, VTDPI",
     "        (uint32_t)(VTDPI_MSI_ADDR_BASE |\n"
     "                   VTDPI_MSI_ADDR_SHV |\n"
     "                   VTDPI_FIELD_PUT(base, VTDPI"),
    ("the tail of the queue is not written", "src/qi_ring.h",
     "VTDPI_IQT_REG, iqt_value(qi));",
     "VTDPI_IQT_REG, UINT64_C(0));"),
)

MUTANTS = tuple(Mutant(name, (tuple(change),)) for name, *change in BUGS)
LISTS = {"bugs": MUTANTS}
