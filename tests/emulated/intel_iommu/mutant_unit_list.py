# SPDX-License-Identifier: BSD-2-Clause
"""What mutants.py breaks in the life of a unit."""

from mutant import REGS, UNIT, X2APIC, XAPIC, Step, one

# The first lines of each step of unit_bring_up(), to be moved about.
FIRST = "    int rc = 0;\n\n"
LATCHED = "    int rc = table_latch(u);\n\n"
LATCH = "    if (rc == 0)\n        rc = table_latch(u);\n"
FLUSH = "    if (rc == 0)\n        rc = cache_flush(u);\n"
REMAP = "    if (rc == 0)\n        rc = command_run(u, GCMD_IRE, true);\n"
BLOCK = "    if (rc == 0)\n        rc = cfi_block(u);\n"
BRING_UP = LATCHED + FLUSH + REMAP + BLOCK


def order(name, *steps):
    return one("bring-up: " + name, UNIT, BRING_UP, FIRST + "".join(steps))


BRING_UP_STEPS = [
    one(
        "bring-up: no queue",
        UNIT,
        "        rc = queue_start(u);\n",
        "        (void)queue_start;\n",
    ),
    one(
        "bring-up: QIE not commanded",
        UNIT,
        "    rc = command_run(u, GCMD_QIE, true);\n",
        "    rc = 0;\n",
    ),
    one(
        "bring-up: queue closed",
        UNIT,
        "    vtdpi_qi_open(&u->qi);\n",
        "",
    ),
    one(
        "bring-up: queue not programmed",
        UNIT,
        "    vtdpi_qi_program(&u->qi);\n",
        "",
    ),
    order("no table", FLUSH, REMAP, BLOCK + "    (void)table_latch;\n"),
    order("cache not flushed", LATCH, REMAP, BLOCK + "    (void)cache_flush;\n"),
    order("remapping not commanded", LATCH, FLUSH, BLOCK),
    order("flushed before latched", FLUSH, LATCH, REMAP, BLOCK),
    order("remapping before latched", REMAP, LATCH, FLUSH, BLOCK),
    order("remapping before flushed", LATCH, REMAP, FLUSH, BLOCK),
    order("latched twice", LATCH, LATCH, FLUSH, REMAP, BLOCK),
    order("flushed twice", LATCH, FLUSH, FLUSH, REMAP, BLOCK),
    Step(
        "bring-up: compatibility format not blocked",
        (
            (
                UNIT,
                BRING_UP,
                LATCHED + FLUSH + REMAP + "    (void)cfi_block;\n",
            ),
        ),
        survives="QEMU never sets CFIS; tests/unit/test_unit.c looks",
    ),
    one(
        "bring-up: compatibility format let pass",
        UNIT,
        "    const int rc = command_run(u, GCMD_CFI, false);\n",
        "    const int rc = command_run(u, GCMD_CFI, true);\n",
    ),
    one(
        "IRTA not written",
        UNIT,
        "    vtdpi_wr64_(u->ops, u->ctx, VTDPI_IRTA_REG, "
        "irta_value(&u->irt));\n",
        "    (void)irta_value(&u->irt);\n",
    ),
    one(
        "SIRTP not commanded",
        UNIT,
        "irta_value(&u->irt));\n    rc = command_run(u, GCMD_SIRTP, true);\n",
        "irta_value(&u->irt));\n    rc = 0;\n",
    ),
    one(
        "SIRTP before IRTA",
        UNIT,
        "    vtdpi_wr64_(u->ops, u->ctx, VTDPI_IRTA_REG, "
        "irta_value(&u->irt));\n"
        "    rc = command_run(u, GCMD_SIRTP, true);\n",
        "    rc = command_run(u, GCMD_SIRTP, true);\n"
        "    vtdpi_wr64_(u->ops, u->ctx, VTDPI_IRTA_REG, "
        "irta_value(&u->irt));\n",
    ),
    one(
        "IRTA: EIME left out",
        UNIT,
        "(irt_is_extended(irt) ? VTDPI_IRTA_EIME : 0)",
        "(irt_is_extended(irt) ? 0 : 0)",
        X2APIC,
    ),
    one(
        "IRTA: EIME always",
        UNIT,
        "(irt_is_extended(irt) ? VTDPI_IRTA_EIME : 0)",
        "VTDPI_IRTA_EIME",
        XAPIC,
    ),
    one(
        "IRTA: S too large",
        UNIT,
        "irt->order - 1",
        "irt->order",
    ),
    one(
        "IRTA: S too small",
        UNIT,
        "irt->order - 1",
        "irt->order - 2",
    ),
    one(
        "flush of the cache: skipped as if SIRTP did it",
        UNIT,
        "    if (u->caps.esirtps)\n",
        "    if (!u->caps.esirtps)\n",
    ),
    one(
        "flush of the cache: one entry",
        UNIT,
        "    rc = vtdpi_unit_submit_iec_global(u, &ticket);\n",
        "    rc = vtdpi_unit_submit_iec(u, 0, 0, &ticket);\n",
    ),
    one(
        "GCMD: QIE not repeated",
        UNIT,
        "VTDPI_GCMD_EAFL | VTDPI_GCMD_QIE |",
        "VTDPI_GCMD_EAFL |",
    ),
    one(
        "GCMD: IRE not repeated",
        UNIT,
        "                VTDPI_GCMD_IRE | VTDPI_GCMD_CFI))",
        "                VTDPI_GCMD_CFI))",
    ),
    one(
        "GCMD: one-shot bits repeated",
        UNIT,
        "    uint32_t value = gsts & GCMD_LASTING & ~bit;\n",
        "    uint32_t value = gsts & ~bit;\n",
    ),
    one(
        "GCMD: written though so already",
        UNIT,
        "    if ((bit & GCMD_LASTING) != 0 && ((gsts & bit) != 0) == on)\n",
        "    if (false)\n",
    ),
    one(
        "GCMD: bits swapped",
        REGS,
        "#define VTDPI_GCMD_QIE   VTDPI_BIT64(26)",
        "#define VTDPI_GCMD_QIE   VTDPI_BIT64(27)",
    ),
]

TAKE_DOWN_STEPS = [
    one(
        "take-down: remapping stays on",
        UNIT,
        "    int rc = remapping_stop(u);\n    int first;\n",
        "    int rc = 0;\n    int first;\n",
    ),
    one(
        "take-down: EIME stays",
        UNIT,
        "    if ((irta & VTDPI_IRTA_EIME) == 0 && !u->eime_left)\n        return 0;\n",
        "    if ((irta & VTDPI_IRTA_EIME) != 0)\n        return 0;\n",
    ),
    one(
        "take-down: EIME cleared, not latched",
        UNIT,
        "irta & ~VTDPI_IRTA_EIME);\n    rc = command_run(u, GCMD_SIRTP, true);\n",
        "irta & ~VTDPI_IRTA_EIME);\n    rc = 0;\n",
        X2APIC,
    ),
    one(
        "take-down: queue not drained",
        UNIT,
        "    const int drained = vtdpi_qi_close(&u->qi, 0);\n",
        "    const int drained = 0;\n",
    ),
    one(
        "take-down: QIE stays",
        UNIT,
        "drained : command_run(u, GCMD_QIE, false);\n",
        "drained : 0;\n",
    ),
    one(
        "take-down: queue before remapping",
        UNIT,
        "    int rc = remapping_stop(u);\n    int first;\n",
        "    int rc = queue_stop(u);\n    int first;\n\n"
        "    rc = remapping_stop(u);\n",
    ),
    one(
        "foreign: taken though not allowed",
        UNIT,
        "take_over ? remapping_stop(u) : VTDPI_EFOREIGN",
        "remapping_stop(u)",
    ),
    one(
        "foreign: remapping stays on",
        UNIT,
        "take_over ? remapping_stop(u) : VTDPI_EFOREIGN",
        "take_over ? 0 : VTDPI_EFOREIGN",
    ),
    one(
        "foreign: queue stays on",
        UNIT,
        "        foreign_drain(u);\n    return command_run(u, GCMD_QIE, false);\n",
        "        foreign_drain(u);\n    return 0;\n",
    ),
    one(
        "foreign: adopted whatever its size",
        UNIT,
        "(VTDPI_IRTA_EIME | VTDPI_IRTA_S)) ==\n",
        "VTDPI_IRTA_EIME) ==\n",
    ),
    one(
        "foreign: never adopted",
        UNIT,
        "    return u->config.adopt && (gsts & GCMD_IRE) != 0 &&\n",
        "    return false && u->config.adopt && (gsts & GCMD_IRE) != 0 &&\n",
    ),
    one(
        "resume: firmware's unit taken over unasked",
        UNIT,
        "    return unit_enable(unit, take_over, true);\n",
        "    return unit_enable(unit, true, true);\n",
    ),
]
