# SPDX-License-Identifier: BSD-2-Clause
"""Bugs in the demo, and in the library below it, that the demo's account has to
notice. See mutants.py."""

from mutation import Mutant

HOST = "examples/quickstart/host.c"
MACHINE = "examples/quickstart/machine.c"
VM = "examples/quickstart/vm.c"
REPLACE = "examples/quickstart/replace.c"

SYNC = "    if (!vtdpi_vcpu_sync(&v->pi, taken))\n"


def bug(name, file, *pairs):
    return Mutant(name, tuple((file, a, b) for a, b in pairs))


def drop(name, vector):
    """Some of the unit's notifications with this vector get lost."""
    return bug(name, MACHINE, (
        "    machine_notify(ctx, n->apic_id, n->nv);\n",
        "    static unsigned int count;\n\n"
        f"    if (n->nv != {vector} || ++count % 8 != 0)\n"
        "        machine_notify(ctx, n->apic_id, n->nv);\n"))


MUTANTS = (
    bug("block does not look at PIR", "src/sched_vcpu.c", (
        "    if (vtdpi_pid_pir_pending(v->pid)) {\n"
        "        vtdpi_vcpu_preempt(v);",
        "    if (false) {\n"
        "        vtdpi_vcpu_preempt(v);"), (
        "(old & VTDPI_PID_ON) != 0 || vtdpi_pid_pir_pending(v->pid)",
        "(old & VTDPI_PID_ON) != 0")),
    bug("changed entries are not written back", MACHINE, (
        "void machine_start_unit(struct demo *d, struct unit *u, bool adopt)\n{\n",
        "static void no_clean(void *ctx, const void *p, size_t len)\n{\n"
        "    (void)ctx;\n    (void)p;\n    (void)len;\n}\n\n"
        "void machine_start_unit(struct demo *d, struct unit *u, bool adopt)\n{\n"
        "    static struct vtdpi_platform_ops ops;\n\n"), (
        "    must(vtdpi_unit_probe(&u->driver, &vtdpi_model_platform_ops,",
        "    ops = vtdpi_model_platform_ops;\n    ops.clean = no_clean;\n"
        "    must(vtdpi_unit_probe(&u->driver, &ops,")),
    bug("some harvests are left out", HOST, (
        SYNC,
        "    static unsigned int n;\n\n"
        "    if (++n % 8 == 0 || !vtdpi_vcpu_sync(&v->pi, taken))\n")),
    bug("PIR is harvested before ON is cleared", HOST, (
        SYNC,
        "    struct vtdpi_pid *const pid = vtdpi_vcpu_pid(&v->pi);\n"
        "    uint64_t any = 0;\n\n"
        "    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {\n"
        "        taken[i] = vtdpi_atomic_xchg64(&pid->pir[i], 0);\n"
        "        any |= taken[i];\n    }\n"
        "    (void)vtdpi_pid_test_and_clear_on(pid);\n"
        "    if (any == 0)\n")),
    bug("entries are changed and no unit is told", "src/table_commit.c", (
        "    rc = vtdpi_qi_submit(vtdpi_unit_qi(unit), descs, n, ticket);\n",
        "    *ticket = (struct vtdpi_qi_ticket){0};\n    rc = 0;\n")),
    bug("some IPIs of the library get lost", HOST, (
        "    machine_notify(ctx, apic_id, vector);\n",
        "    static unsigned int n;\n\n"
        "    if (++n % 8 != 0)\n"
        "        machine_notify(ctx, apic_id, vector);\n")),
    bug("a message is written, and its entry does not follow", VM, (
        "    must(vtdpi_binding_set_message(b, message), "
        "\"vtdpi_binding_set_message\");\n"
        "    apply_and_unlock(d, &b, 1);\n",
        "    must(vtdpi_binding_set_message(b, message), "
        "\"vtdpi_binding_set_message\");\n"
        "    unlock(d);\n")),
    bug("an unmask brings no message into force", "src/bind.c", (
        "    b->masked = false;\n    message_apply(b);\n",
        "    b->masked = false;\n")),
    bug("another vector for the same vCPU is no change", "src/bind.c", (
        "           (v == NULL || b->vector == b->decision.vector);\n",
        "           (v == NULL || b->vector != 0);\n")),
    bug("a page that is adopted loses what was posted", "src/sched.c", (
        "    page_open(page, memory, phys, UINT64_MAX);\n",
        "    page_open(page, memory, phys, UINT64_MAX);\n"
        "    for (uint32_t i = 0; i < VTDPI_PAGE_SLOTS; i++)\n"
        "        page->pids[i].pir[1] = 0;\n")),
    bug("a slot that is adopted is attached", "src/sched_vcpu.c", (
        "    if (!adopted)\n        vtdpi_pid_init(",
        "    if (true)\n        vtdpi_pid_init(")),
    bug("vCPUs are adopted, and not woken", REPLACE, (
        "        v->state = READY;\n",
        "        v->state = v->state == RUNNING ? READY : v->state;\n")),
    bug("a unit stops remapping while it is taken over", MACHINE, (
        "        .adopt = adopt,\n        .qi =",
        "        .take_over = adopt,\n        .qi =")),
    bug("the table is not adopted", MACHINE, (
        "        .adopt = adopt,\n    };\n", "    };\n")),
    bug("the guest's message is not set after the take-over", VM, (
        "    must(vtdpi_binding_set_message(b, &i->message),\n"
        "         \"vtdpi_binding_set_message\");\n", "")),
    drop("some notifications get lost", "ANV"),
    drop("some wakeups get lost", "WNV"),
)

LISTS = {"bugs": MUTANTS}
