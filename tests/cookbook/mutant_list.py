# SPDX-License-Identifier: BSD-2-Clause
"""Bugs in the programs of the cookbook, and in the library and the model below them.
Each takes away what its program claims, so the program has to notice. See
mutants.py."""

import dataclasses

from mutation import Mutant


@dataclasses.dataclass(frozen=True)
class Bug(Mutant):
    program: str = dataclasses.field(default="", kw_only=True)


UNIT = "examples/cookbook/start_unit.h"


def bug(program, name, file, old, new):
    """In a file of the tree; without one, in the program itself."""
    file = file or f"examples/cookbook/{program}.c"
    return Bug(f"{program}: {name}", ((file, old, new),), program=program)


NOBODY_IS_TOLD = (
    "entries are changed and no unit is told", "src/table_commit.c",
    "    rc = vtdpi_qi_submit(vtdpi_unit_qi(unit), descs, n, ticket);\n",
    "    *ticket = (struct vtdpi_qi_ticket){0};\n    rc = 0;\n")

MUTANTS = (
    bug("01_post_and_harvest", "a harvest leaves ON set", "include/vtdpi/pid.h",
        "        (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);\n\n"
        "    return vtdpi_pid_take(pid, out);",
        "        (void)vtdpi_atomic_and64(&pid->control, ~UINT64_C(0));\n\n"
        "    return vtdpi_pid_take(pid, out);"),
    bug("01_post_and_harvest", "a harvest looks at PIR only if ON is set",
        "include/vtdpi/pid.h",
        "        (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);\n\n"
        "    return vtdpi_pid_take(pid, out);",
        "        (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);\n"
        "    else\n        return false;\n\n"
        "    return vtdpi_pid_take(pid, out);"),
    bug("01_post_and_harvest", "a post under SN notifies", "include/vtdpi/pid.h",
        "        if ((old & VTDPI_PID_SN) != 0 && !urgent)\n"
        "            n.result = VTDPI_POST_SUPPRESSED;\n",
        "        if (false && !urgent)\n"
        "            n.result = VTDPI_POST_SUPPRESSED;\n"),
    bug("02_own_unit", *NOBODY_IS_TOLD),
    bug("02_own_unit", "sources are not verified", None,
        "vtdpi_source_exact(0x0310, VTDPI_SQ_ALL)",
        "vtdpi_source_any_unverified()"),
    bug("02_own_unit", "the unit does not join its table", UNIT,
        '    must(vtdpi_table_add_unit(&table, &member, &unit), "join");\n', ""),
    bug("02_own_unit", "the unit stays on", None,
        '    must(vtdpi_unit_disable(&unit), "disable");\n', ""),
    bug("03_delegated_unit", "invalidate takes no note", None,
        "    vtdpi_flush_add(flush, first, count); /* commit flushes all of them */\n",
        "    (void)flush, (void)first, (void)count;\n"),
    bug("03_delegated_unit", "commit does not flush", None,
        "flush->used || flush->global ? driver_flush() : 0", "0"),
    bug("03_delegated_unit", "an entry keeps its host form", None,
        "    return vtdpi_irte_replace(&ram.table[index], old != NULL ? old : &any,\n"
        "                              replacement);\n",
        "    (void)replacement;\n"
        "    return vtdpi_irte_replace(&ram.table[index], old != NULL ? old : &any,\n"
        "                              &any);\n"),
    bug("03_delegated_unit", "the reference of an old entry is never given back",
        "src/irq.c",
        "        irq->stale[irq->stale[0] == NULL ? 0 : 1] = irq->live.target;\n",
        "        irq->stale[1] = NULL;\n"),
    bug("04_batch", *NOBODY_IS_TOLD),
    bug("04_batch", "each change is flushed by itself", None,
        "vtdpi_irq_batch_set_host(batch, &irqs[i], &form)",
        "vtdpi_irq_set_host(&irqs[i], &form)"),
    bug("04_batch", "the commit is left out", None,
        '    must(vtdpi_irq_batch_commit(&batch), "commit");\n', ""),
    bug("05_multi_message_msi", *NOBODY_IS_TOLD),
    bug("05_multi_message_msi", "all messages share an entry", "src/msi.c",
        "                   VTDPI_MSI_ADDR_SHV |\n"
        "                   VTDPI_FIELD_PUT(base, VTDPI_MSI_ADDR_HANDLE_14_0) |",
        "                   VTDPI_FIELD_PUT(base, VTDPI_MSI_ADDR_HANDLE_14_0) |"),
    bug("06_guest_msi_to_entry", "the work is not applied", None,
        "            vtdpi_vm_apply(&work); /* changes entries, waits for units */\n",
        "            ;\n"),
    bug("06_guest_msi_to_entry", "posting stays off", None,
        ".posting = true", ".posting = false"),
    bug("06_guest_msi_to_entry", "any delivery mode is posted", "src/route.c",
        "        return VTDPI_ROUTE_NMI;\n", "        break;\n"),
    bug("07_block_and_wake", "block does not look at PIR", "src/sched_vcpu.c",
        "    if (vtdpi_pid_pir_pending(v->pid)) {\n"
        "        vtdpi_vcpu_preempt(v);",
        "    if (false) {\n"
        "        vtdpi_vcpu_preempt(v);"),
    bug("07_block_and_wake", "a handler sets no wake mark", "src/sched_blocked.h",
        "    return bits & ~vtdpi_atomic_or64(wake_marks(leaf), bits);\n",
        "    (void)leaf;\n    return bits;\n"),
    bug("07_block_and_wake", "an offline wakes nobody", "src/sched_pcpu.c",
        "    (void)vtdpi_atomic_xchg64(&p->online, 0);\n"
        "    return wake_all_blocked(p);\n",
        "    (void)vtdpi_atomic_xchg64(&p->online, 0);\n    return 0;\n"),
    bug("07_block_and_wake", "the thread sleeps whatever block says", None,
        "== VTDPI_BLOCKED && !woken;", "!= VTDPI_BLOCK_OFFLINE && !woken;"),
    bug("08_teardown", "an index is freed under its entry", "src/table.c",
        "             VTDPI_IRTE_LO_P) != 0)\n            return VTDPI_EBUSY;\n",
        "             VTDPI_IRTE_LO_P) != 0)\n            continue;\n"),
    bug("08_teardown", "the interrupt is not torn down", None,
        'expect(0, vtdpi_irq_teardown(&irq), "  1. the interrupt");',
        "(void)irq;"),
    bug("08_teardown", "the pCPU does not go offline", None,
        "    (void)vtdpi_pcpu_offline(&pcpu);", "   "),
    bug("09_faults", "a record is not cleared", "src/fault.c",
        "    u->ops->write64(u->ctx, record_offset(u, i) + 8, VTDPI_FRCD_HI_F);\n",
        "    u->ops->write64(u->ctx, record_offset(u, i) + 8, 0);\n"),
    bug("09_faults", "the event is never enabled", None,
        '    must(vtdpi_fault_event_enable(&unit, VTDPI_X2APIC, 0, 0xf5), "event");\n',
        ""),
    bug("09_faults", "sources are not verified", None,
        "vtdpi_source_exact(0x0310, VTDPI_SQ_ALL)",
        "vtdpi_source_any_unverified()"),
    bug("10_live_update", "the page is made new", None,
        "vtdpi_sched_adopt_page(", "vtdpi_sched_add_page("),
    bug("10_live_update", "the adoption is never ended", None,
        '    must(vtdpi_table_flush_all(&table), "flush");\n', ""),
    bug("10_live_update", "the table is made new", None,
        "    table_params.adopt = true;\n", ""),
    bug("10_live_update", "the unit is made new", None,
        "    unit_config.adopt = true;\n", ""),
    bug("11_host_msi", *NOBODY_IS_TOLD),
    bug("11_host_msi", "the handler looks once and leaves ON", "src/hostmsi.c",
        "    return vtdpi_pid_harvest(&h->pid, out);\n}\n\n"
        "uint32_t vtdpi_hostmsi_handle",
        "    return false;\n}\n\nuint32_t vtdpi_hostmsi_handle"),
    bug("11_host_msi", "the old CPU is not harvested", None,
        "vtdpi_hostmsi_harvest(&ram.cpus[0], left)",
        "vtdpi_hostmsi_harvest(&ram.cpus[1], left)"),
    bug("12_test_on_the_model", "the model does not mind a stale cache",
        "src/model/model_command.c",
        "    if (bit == VTDPI_GCMD_IRE && on && m->iec_unflushed)\n",
        "    if (false)\n"),
    bug("12_test_on_the_model", "the mistake is in both versions", None,
        "    if (flush) {\n", "    if (false && flush) {\n"),
)

LISTS = {"bugs": MUTANTS}
