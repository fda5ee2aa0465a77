# SPDX-License-Identifier: BSD-2-Clause
"""The bugs that fuzz_unit has to notice, see mutants.py: what is replaced in a
copy of the library."""

from mutation import Mutant

UNIT = "src/unit.c"
TABLE = "src/table.c"
COMMIT = "src/table_commit.c"
IRQ = "src/irq.c"
QI = "src/qi.c"


def bug(name, file, old, new):
    return Mutant(name, ((file, old, new),))


MUTANTS = [
    bug("a unit that does not answer is OFF", UNIT,
        "unit_set_state(u, rc == VTDPI_EIO ? VTDPI_UNIT_GONE"
        " : VTDPI_UNIT_FAILED);",
        "unit_set_state(u, rc == VTDPI_EIO ? VTDPI_UNIT_OFF"
        " : VTDPI_UNIT_FAILED);"),
    bug("a command is written over one that is late", UNIT,
        "while (u->pending != 0 && rc == 0)", "while (false)"),
    bug("a command has no deadline worth the name", UNIT,
        "if (now - start >= VTDPI_CMD_TIMEOUT_US)\n            return VTDPI_ETIM",
        "if (now - start >= 50 * UINT64_C(1000000))\n            return VTDPI_ETIM"),
    bug("EIME stays set", UNIT,
        "if ((irta & VTDPI_IRTA_EIME) == 0 && !u->eime_left)", "if (true)"),
    bug("what others left in the cache stays", UNIT,
        "if (u->caps.esirtps)", "if (true)"),
    bug("what is held is not let go", UNIT,
        "    u->pending = 0;\n    u->ops->unlock(u->ctx, token);",
        "    u->pending = 0;"),
    bug("a unit that remaps is given up", UNIT,
        "(gsts & GCMD_IRE) != 0)\n        return VTDPI_EBUSY;",
        "false)\n        return VTDPI_EBUSY;"),
    bug("a dirty index is freed", TABLE,
        "if (dirty_get(t, i))\n            return VTDPI_EDIRTY;",
        ""),
    bug("a failed flush leaves the index clean", TABLE,
        "if (rc == 0)\n        dirty_clear(t, index);\n    return rc;",
        "dirty_clear(t, index);\n    return rc;"),
    bug("a line is not cleaned", TABLE,
        "vtdpi_table_clean_(u->unit, entry, sizeof(*entry));", ""),
    bug("absent entries are cached, and not flushed", TABLE,
        "caching = caching || u->unit->caps.cm;", ""),
    bug("a unit leaves that is on", TABLE,
        "return state == VTDPI_UNIT_OFF ||",
        "return state == VTDPI_UNIT_ON || state == VTDPI_UNIT_OFF ||"),
    bug("a unit that others left on leaves a table that is being adopted", TABLE,
        "(state != VTDPI_UNIT_FOREIGN || !vtdpi_table_is_adopted_(t))", "true"),
    bug("a unit without posting joins posted entries", TABLE,
        "rc = posted_close(t);", "(void)posted_close;"),
    bug("an adopted table becomes clean early", TABLE,
        "return vtdpi_table_is_adopted_(t) ? VTDPI_EQOFF",
        "return false ? VTDPI_EQOFF"),
    bug("an adoption ends for nobody", TABLE,
        "rc = adopted && vtdpi_table_units_(t) == NULL", "rc = false"),
    bug("a unit that others left on joins late", TABLE,
        "if (vtdpi_unit_state(unit) == VTDPI_UNIT_FOREIGN &&", "if (false &&"),
    bug("an adoption ends beside a unit that others left on", COMMIT,
        "*rc = vtdpi_table_is_adopted_(t) ? VTDPI_EQOFF : 0;", "*rc = 0;"),
    bug("changes skip a unit that failed", COMMIT,
        "        if (!vtdpi_qi_is_open_(&unit->qi))\n"
        "            *rc = VTDPI_EQOFF;\n"
        "        break;",
        "        return true;"),
    bug("changes skip a unit that does not answer", COMMIT,
        "*rc = VTDPI_EIO;", ""),
    bug("the drain is left out", COMMIT,
        "if (rc == 0 && flush->drain)", "if (false)"),
    bug("only the first block of a range is flushed", COMMIT,
        "at < r->first + r->count;", "at <= r->first;"),
    bug("a wait counts for nothing", COMMIT,
        "if (f->rc != 0)\n        rc = f->rc;", "rc = f->rc;"),
    bug("references go though the flush failed", IRQ,
        "if (rc == 0)\n            irq_settle(irq);", "irq_settle(irq);"),
    bug("the old reference goes before the flush", IRQ,
        "irq->stale[irq->stale[0] == NULL ? 0 : 1] = irq->live.target;",
        "vtdpi_target_unref(irq->live.target);"),
    bug("an interrupt that is torn down again is forgotten", IRQ,
        "if (!irq->dirty || vtdpi_irq_batch_has(b, irq))\n        return 0;",
        "if (irq->down || !irq->dirty || vtdpi_irq_batch_has(b, irq))\n"
        "        return 0;"),
    bug("a queue that is off keeps its tickets", QI,
        "while (qi->oldest != NULL) {\n        const uint64_t word",
        "while (false) {\n        const uint64_t word"),
    bug("what was given up succeeded", QI,
        "ticket_resolve(qi, t, code);\n            qi->stats",
        "ticket_resolve(qi, t, 0);\n            qi->stats"),
]

LISTS = {"mutants": MUTANTS}
