# SPDX-License-Identifier: BSD-2-Clause
"""What mutants.py breaks."""

import dataclasses

from bit_list import HOOKS, bits
from mutant import (
    COMMIT,
    FAULT,
    IRQ,
    IRTE,
    QI,
    QI_H,
    RECOVER,
    REGS,
    RING,
    SCALABLE,
    TABLE,
    UNIT,
    Step,
    X2APIC,
    one,
)
from mutant_unit_list import BRING_UP_STEPS, TAKE_DOWN_STEPS

QUEUE_STEPS = [
    one(
        "queue: tail not reset",
        QI,
        "    fsts_clear(qi);\n    ring_publish_tail(qi);\n",
        "    fsts_clear(qi);\n",
    ),
    one(
        "queue: size left out",
        QI,
        "VTDPI_FIELD_PUT(qi->order, VTDPI_IQA_QS)",
        "VTDPI_FIELD_PUT(0, VTDPI_IQA_QS)",
        X2APIC,
    ),
    one(
        "queue: width left out",
        QI,
        "qi->words == 4 ? VTDPI_IQA_DW : 0",
        "qi->words == 5 ? VTDPI_IQA_DW : 0",
        SCALABLE,
    ),
    one(
        "queue: tail not published",
        QI,
        "    batch_seal(qi, t);\n    ring_publish_tail(qi);\n",
        "    batch_seal(qi, t);\n",
    ),
    one(
        "queue: tail published before the wait is written",
        QI,
        "    batch_seal(qi, t);\n    ring_publish_tail(qi);\n",
        "    ring_publish_tail(qi);\n    batch_seal(qi, t);\n",
    ),
    one(
        "queue: tail in slots",
        RING,
        "(uint64_t)qi->tail * qi->words * sizeof(uint64_t)",
        "(uint64_t)qi->tail * qi->words",
    ),
    one(
        "queue: wraps too late",
        RING,
        "    return (slot + n) & (qi->slots - 1);\n",
        "    return (slot + n) & (2 * qi->slots - 1);\n",
    ),
    one(
        "queue: wraps too early",
        RING,
        "    return (slot + n) & (qi->slots - 1);\n",
        "    return (slot + n) & (qi->slots / 2 - 1);\n",
    ),
    one(
        "queue: status word of another slot",
        RING,
        "(uint64_t)slot * sizeof(uint32_t)",
        "(uint64_t)(slot ^ 1) * sizeof(uint32_t)",
    ),
    one(
        "queue: one status word for all",
        RING,
        "qi->status_phys + (uint64_t)slot * sizeof(uint32_t)",
        "qi->status_phys + 0 * (uint64_t)slot",
    ),
    one(
        "queue: sequence stands still",
        RING,
        "        qi->sequence++;\n",
        "        qi->sequence = 1;\n",
    ),
    one(
        "queue: second word of a slot not written",
        RING,
        "    vtdpi_atomic_store64_relaxed(&word[1], desc->qw[1]);\n",
        "",
    ),
    one(
        "queue: upper words of a wide slot not written",
        RING,
        "    vtdpi_atomic_store64_relaxed(&word[2], desc->qw[2]);\n",
        "",
        SCALABLE,
    ),
    one(
        "wait: no fence",
        QI_H,
        "                                         VTDPI_WAIT_FN |\n",
        "",
    ),
    one(
        "wait: no status write",
        QI_H,
        "VTDPI_QI_WAIT | VTDPI_WAIT_SW |",
        "VTDPI_QI_WAIT |",
    ),
    one(
        "IEC: global for an index",
        QI_H,
        "{{VTDPI_QI_IEC | VTDPI_IEC_G, 0, 0, 0}}",
        "{{VTDPI_QI_IEC, 0, 0, 0}}",
    ),
    one(
        "IEC: index for global",
        QI_H,
        "{{VTDPI_QI_IEC, 0, 0, 0}}",
        "{{VTDPI_QI_IEC | VTDPI_IEC_G, 0, 0, 0}}",
    ),
    one(
        "IEC: mask left out",
        QI_H,
        "    d.qw[0] |= VTDPI_FIELD_PUT(order, VTDPI_IEC_IM);\n",
        "",
    ),
    one(
        "IEC: index left out",
        QI_H,
        "    d.qw[0] |= VTDPI_FIELD_PUT(first, VTDPI_IEC_IIDX);\n",
        "    (void)first;\n",
    ),
    one(
        "IEC: mask one bit up",
        REGS,
        "#define VTDPI_IEC_IM   VTDPI_BITS64(31, 27)",
        "#define VTDPI_IEC_IM   VTDPI_BITS64(31, 28)",
    ),
    one(
        "recovery: IQE not cleared",
        RECOVER,
        "    vtdpi_wr32_(qi->ops, qi->ctx, VTDPI_FSTS_REG, fsts);\n",
        "",
    ),
    one(
        "recovery: descriptor not replaced",
        RECOVER,
        "    slot_write_wait(qi, qi->head, 0);\n",
        "",
    ),
    one(
        "recovery: next descriptor replaced",
        RECOVER,
        "    slot_write_wait(qi, qi->head, 0);\n",
        "    slot_write_wait(qi, ring_advance(qi, qi->head, 1), 0);\n",
    ),
    one(
        "recovery: tail not written again",
        RECOVER,
        "    if ((fsts & VTDPI_FSTS_IQE) != 0)\n        ring_publish_tail(qi);\n",
        "",
    ),
    one(
        "recovery: replaced after clearing",
        RECOVER,
        "    if ((fsts & VTDPI_FSTS_IQE) != 0 && head == HEAD_VALID)\n"
        "        ring_repair_iqe(qi);\n",
        "    vtdpi_wr32_(qi->ops, qi->ctx, VTDPI_FSTS_REG, fsts);\n"
        "    ring_publish_tail(qi);\n"
        "    if ((fsts & VTDPI_FSTS_IQE) != 0 && head == HEAD_VALID)\n"
        "        ring_repair_iqe(qi);\n",
    ),
]

TABLE_STEPS = [
    one(
        "table: changed entry not flushed",
        TABLE,
        "        return VTDPI_EINDEX;\n"
        "    vtdpi_flush_add(flush, first, count);\n",
        "        return VTDPI_EINDEX;\n    (void)flush;\n",
    ),
    one(
        "table: changed pin entry not flushed",
        TABLE,
        "    if (dirty || (old.lo & VTDPI_IRTE_LO_P) != 0)\n",
        "    if (dirty)\n",
    ),
    one(
        "table: new entry flushed",
        TABLE,
        "        if (caching)\n",
        "        (void)caching;\n        if (true)\n",
    ),
    one(
        "table: new entry of a caching unit not flushed",
        TABLE,
        "        if (caching)\n",
        "        (void)caching;\n        if (false)\n",
        SCALABLE,
    ),
    one(
        "table: entry not cleaned",
        TABLE,
        "            vtdpi_table_clean_(u->unit, entry, sizeof(*entry));\n",
        "",
    ),
    one(
        "table: stays dirty",
        TABLE,
        "    rc = changes_commit(t, &flush);\n"
        "    if (rc == 0)\n"
        "        dirty_clear(t, index);\n"
        "    return rc;\n"
        "}\n"
        "\n"
        "int vtdpi_table_f",
        "    rc = changes_commit(t, &flush);\n"
        "    return rc;\n"
        "}\n"
        "\n"
        "int vtdpi_table_f",
    ),
    one(
        "commit: always global",
        COMMIT,
        "    bool global = flush->global;\n",
        "    bool global = true;\n",
    ),
    one(
        "commit: never global",
        COMMIT,
        "    bool global = flush->global;\n",
        "    bool global = false;\n",
    ),
    one(
        "commit: blocks too small",
        COMMIT,
        "    block = UINT32_C(1) << order;\n",
        "    order = 0;\n    block = UINT32_C(1) << order;\n",
    ),
    one(
        "commit: blocks not aligned",
        COMMIT,
        "uint32_t at = r->first & ~(block - 1);",
        "uint32_t at = r->first;",
    ),
    one(
        "commit: not waited for",
        COMMIT,
        "    rc = vtdpi_unit_wait(f->unit, &f->ticket, 0);\n",
        "    rc = 0;\n",
    ),
    one(
        "commit: a unit that sleeps is flushed",
        COMMIT,
        "    case VTDPI_UNIT_SUSPENDED:\n",
        "",
    ),
    one(
        "flush: neighbours kept apart",
        "src/backend.c",
        "    if (first > r_end || end < r->first)\n",
        "    if (first >= r_end || end <= r->first)\n",
    ),
    one(
        "irte: upper half not replaced",
        IRTE,
        "replacement->hi",
        "old->hi",
    ),
    one(
        "irq: a changed entry counts as new",
        IRQ,
        "old == NULL || irte_present(&irq->live.irte);",
        "old == NULL;",
    ),
    one(
        "irq: a new entry counts as changed",
        IRQ,
        "old == NULL || irte_present(&irq->live.irte);",
        "true;",
    ),
]

FAULT_STEPS = [
    one(
        "fault: record not cleared",
        FAULT,
        "        record_clear(u, i);\n",
        "        (void)record_clear;\n",
    ),
    one(
        "fault: first word cleared instead",
        FAULT,
        "record_offset(u, i) + 8, VTDPI_FRCD_HI_F",
        "record_offset(u, i), VTDPI_FRCD_HI_F",
    ),
    one(
        "fault: words swapped",
        FAULT,
        "    vtdpi_fault_decode(lo, hi, &fault);\n",
        "    vtdpi_fault_decode(hi, lo, &fault);\n",
    ),
    one(
        "fault: overflow not cleared",
        FAULT,
        "        vtdpi_wr32_(u->ops, u->ctx, VTDPI_FSTS_REG, cleared);\n",
        "",
    ),
    one(
        "fault: reason one bit down",
        REGS,
        "#define VTDPI_FRCD_HI_FR     VTDPI_BITS64(39, 32)",
        "#define VTDPI_FRCD_HI_FR     VTDPI_BITS64(38, 31)",
    ),
    one(
        "fault: index one bit down",
        REGS,
        "#define VTDPI_FRCD_LO_IINDEX VTDPI_BITS64(63, 48)",
        "#define VTDPI_FRCD_LO_IINDEX VTDPI_BITS64(62, 47)",
    ),
    one(
        "fault: records elsewhere",
        REGS,
        "#define VTDPI_CAP_FRO     VTDPI_BITS64(33, 24)",
        "#define VTDPI_CAP_FRO     VTDPI_BITS64(33, 25)",
    ),
    one(
        "event: not unmasked",
        FAULT,
        "    if (rc == 0)\n        rc = event_set_mask(unit, false);\n",
        "",
    ),
    one(
        "event: not masked while its message changes",
        FAULT,
        "    const int rc = event_set_mask(u, true);\n\n    if (rc != 0)",
        "    const int rc = 0;\n\n    if (rc != 0)",
    ),
    one(
        "event: data and address swapped",
        FAULT,
        "VTDPI_FEDATA_REG, data);\n"
        "    vtdpi_wr32_(u->ops, u->ctx, VTDPI_FEADDR_REG, address);",
        "VTDPI_FEDATA_REG, address);\n"
        "    vtdpi_wr32_(u->ops, u->ctx, VTDPI_FEADDR_REG, data);",
    ),
    one(
        "event: upper address left out",
        FAULT,
        "    vtdpi_wr32_(u->ops, u->ctx, VTDPI_FEUADDR_REG, upper);\n",
        "    (void)upper;\n",
    ),
]

HOST_STEPS = [
    one(
        "host: its queue goes off with remapping",
        UNIT,
        "unit_take_down(unit, rc == 0);\n",
        "unit_take_down(unit, false);\n",
    ),
    one(
        "host: its queue begins anew with remapping",
        UNIT,
        "    if (rc == 0 && kept)\n"
        "        unit_set_state(u, VTDPI_UNIT_QUEUE);\n"
        "    else if (rc == 0)\n"
        "        rc = queue_start(u);\n",
        "    if (rc == 0)\n        rc = queue_start(u);\n",
    ),
    one(
        "host: its TE is lost with the next command",
        UNIT,
        "    ((uint32_t)(VTDPI_GCMD_TE | VTDPI_GCMD_EAFL | VTDPI_GCMD_QIE |",
        "    ((uint32_t)(VTDPI_GCMD_EAFL | VTDPI_GCMD_QIE |",
    ),
    one(
        "host: a domain for all contexts",
        QI_H,
        "VTDPI_FIELD_PUT(VTDPI_QI_GLOBAL, VTDPI_CONTEXT_G)",
        "VTDPI_FIELD_PUT(VTDPI_QI_DOMAIN, VTDPI_CONTEXT_G)",
    ),
    one(
        "host: domain id one bit up",
        REGS,
        "#define VTDPI_IOTLB_DID VTDPI_BITS64(31, 16)",
        "#define VTDPI_IOTLB_DID VTDPI_BITS64(32, 17)",
    ),
    one(
        "host: number of pages one bit up",
        REGS,
        "#define VTDPI_IOTLB_HI_AM   VTDPI_BITS64(5, 0)",
        "#define VTDPI_IOTLB_HI_AM   VTDPI_BITS64(6, 1)",
    ),
    one(
        "host: hint at a reserved bit",
        REGS,
        "#define VTDPI_IOTLB_HI_IH   VTDPI_BIT64(6)",
        "#define VTDPI_IOTLB_HI_IH   VTDPI_BIT64(7)",
    ),
]

STEPS = (
    BRING_UP_STEPS + TAKE_DOWN_STEPS + QUEUE_STEPS + HOST_STEPS + TABLE_STEPS
    + FAULT_STEPS
)
BITS = tuple(bits())

# A wait that is in vain is given up earlier than in the tests: everything that
# the library as it is waits for comes within milliseconds.
PATIENCE_US = 5000000
PATIENCE = (
    "tests/emulated/runtime/meson.build",
    "runtime_c_args = [\n",
    f"runtime_c_args = [\n  '-DPATIENCE_US=UINT64_C({PATIENCE_US})',\n",
)

# What the tree has before any of them; the changes of a step come on top.
PREPARED = (PATIENCE, *HOOKS)
LISTS = {
    "steps": [
        dataclasses.replace(step, changes=PREPARED + step.changes)
        for step in STEPS
    ],
    "single bits": BITS,
    "change that flips them": [Step("the hooks of single bits", PREPARED)],
}
