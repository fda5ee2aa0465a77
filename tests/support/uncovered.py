# SPDX-License-Identifier: BSD-2-Clause
"""Lines of src with a branch that no unit test takes, and why; for coverage.py.

A line is named by its file and its text, or by its text and that of the line above
if others have the same. A reason is one of those below, or text.
"""

RACE = ("taken only if another CPU changes the word between two accesses; tests/race "
        "and tests/explore do that")
TORN = ("taken only if an entry changes while it is read; the retry and its end are "
        "in tests/race/race_format.c")
NEVER = "cannot fail here: what is asked for was checked before"
OPTIONAL = "the callback is optional, and the hosts of these tests have it"
GUARD = "a bound of the loop that another condition ends before"
BUILD = "the level is a constant of the build, and " + OPTIONAL
FORMS = ("the library is compiled in two forms, and gcovr adds up their branches by "
         "number: the form with hooks has one more")

_LINES = [
    ("src/bind.c", "if (v != NULL && vtdpi_vcpu_hold(v) != 0) {", NEVER),
    ("src/dmar.c", "if (rc < 0 || before.offset != s->offset)", NEVER),
    ("src/dmar.c", "while ((rc = vtdpi_dmar_next(dmar, &before)) > 0 &&",
     "ends so only for a structure that the caller made up, inside the last one"),
    ("src/dmar.c", "if (vtdpi_dmar_get_hop(dmar, scope, hop, &device, &function) != 0 ||",
     NEVER),
    ("src/format.c", "if (s->len != 0)",
     "no line begins with a reason or with what is wrong"),
    ("src/format_bind.c", "default:", NEVER),
    ("src/format_bind.c", "switch ((enum binding_state)state) {", NEVER),
    ("src/format_irte.c", "for (unsigned int i = 0; i < READ_TRIES; i++) {", TORN),
    ("src/format_irte.c", "if (vtdpi_atomic_load64_acquire(&entry->lo) == out->lo &&",
     TORN),
    ("src/format_irte.c", "vtdpi_atomic_load64_acquire(&entry->hi) == out->hi)", TORN),
    ("src/format_irte.c", "if (whole)", TORN),
    ("src/format_qi.c", "while (n < FIELDS_MAX && fields[n].mask != 0)", GUARD),
    ("src/format_table.c", "if (!whole) {", TORN),
    ("src/format_irte.c", "return false;", TORN),
    ("src/format_irte.c", 'vtdpi_sink_bit_(&s, "changing", true);', TORN),
    ("src/format_table.c", "(vtdpi_atomic_load64_relaxed(&t->entries[index].lo) &",
     FORMS),
    ("src/format_table.c", "!vtdpi_table_is_allocated(t, index))", RACE),
    ("src/format_table.c", "return vtdpi_table_is_allocated(t, index) ||", FORMS),
    ("src/hostmsi.c",
     "return vtdpi_atomic_load64(&h->target.refs) != 0 ? VTDPI_EBUSY : 0;", FORMS),
    ("src/index.c", "} while (!vtdpi_atomic_cas64(leaf, &old, old ^ bits));", RACE),
    ("src/internal.h", "if (ops->relax != NULL)", OPTIONAL),
    ("src/internal.h", "if ((int)level <= VTDPI_LOG_LEVEL && ops->log != NULL)", BUILD),
    ("src/irq.c", "if ((w & CLAIM_HELD) == 0)", RACE),
    ("src/irq.c", "if (!vtdpi_atomic_cas64(&irq->claim, &w, next))", RACE),
    ("src/irq.c", "if (vtdpi_atomic_cas64(&irq->claim, &w, w & ~CLAIM_HELD))", RACE),
    ("src/irq.c", "if (vtdpi_atomic_cas64(&irq->claim, &w, w | CLAIM_HELD))", FORMS),
    ("src/irq.c", "if (!vtdpi_atomic_cas64(&irq->claim, &w,", RACE),
    ("src/irq.c",
     "return rc != 0 ? rc : irq_change(b, irq, &irq->live.irte, host, 0);", NEVER),
    ("src/irq.c", "switch (order->verb) {", NEVER),
    ("src/irq.c", "if (irq_defer(irq, host))", RACE),
    ("src/irq.c", "w & ~(deferred ? CLAIM_DEFERRED : CLAIM_HELD)))\ncontinue;", RACE),
    ("src/irq.c",
     "rc = vtdpi_irte_encode_posted(&fields, &out->irte);\n"
     "if (rc != 0)", NEVER),
    ("src/qi.c", "if (word_is_resolved(vtdpi_atomic_load64_relaxed(&t->word)))", RACE),
    ("src/qi.c", "bool stalled = vtdpi_atomic_load64_relaxed(&qi->stall) != 0 &&",
     FORMS),
    ("src/qi.c", "if (vtdpi_atomic_load64_relaxed(&qi->stall) != 0)", FORMS),
    ("src/qi.c", "if (!word_is_resolved(word)) {", RACE),
    ("src/qi.c", "} else if (code != VTDPI_EBUSY) {", NEVER),
    ("src/qi.c", "return word_is_resolved(word) ? word_code(word) : VTDPI_EBUSY;", NEVER),
    ("src/qi.c",
     "vtdpi_atomic_store64_relaxed(&qi->stall, word_is_resolved(word) ? 0 : word);",
     RACE),
    ("src/qi_recover.c",
     "if (word_is_complete(qi, vtdpi_atomic_load64_relaxed(&t->word)))", FORMS),
    ("src/qi_ring.h", "if (vtdpi_qi_encode_wait(&desc, at, data) == 0)", NEVER),
    ("src/sched.c", "vtdpi_atomic_load64(&p->scan) % 2 != 0)", FORMS),
    ("src/sched.c", "if (page != NULL && vtdpi_atomic_load64(&page->claimed) != 0)",
     FORMS),
    ("src/sched.c",
     "if (vtdpi_atomic_load64(&p->online) != 0 || vtdpi_pcpu_blocked(p) != 0 ||",
     FORMS),
    ("src/sched_vcpu.c",
     "if ((vtdpi_atomic_and64(&page->held, ~slot_bit(slot)) & slot_bit(slot)) ==",
     FORMS),
    ("src/sched_vcpu.c", "} while (!vtdpi_atomic_cas64(&t->refs, &old, old + one));",
     RACE),
    ("src/sched_vcpu.c", "while (!vtdpi_atomic_cas64(&t->refs, &old, old - one))",
     RACE),
    ("src/sched_vcpu.c", "} while (!vtdpi_atomic_cas64(&v->pid->control, &old,", RACE),
    ("src/sched_vcpu.c", "if (s->ops->relax != NULL)", OPTIONAL),
    ("src/table.c", "if (vtdpi_index_reserve(&t->index, i, 1) != 0)", NEVER),
    ("src/table.c", "} while (!vtdpi_atomic_cas64(&t->posted, &old, old + 1));", RACE),
    ("src/table.c", "while (!vtdpi_atomic_cas64(&t->posted, &old, old - 1))", RACE),
    ("src/table.c",
     "rc = vtdpi_index_init(&t->index, words, params->count);\n"
     "if (rc != 0)", NEVER),
    ("src/table.c",
     "for (int i = 0; i < ENTRY_REPLACE_TRIES && rc == VTDPI_EAGAIN; i++) {",
     RACE),
    ("src/table_commit.c", "if (used == COMMIT_DESCS_MAX ||", NEVER),
    ("src/unit.c", "if (vtdpi_atomic_load64_relaxed(&unit->flush_wb) == 0)", FORMS),
    ("src/unit.c", "return rc != 0 ? rc : vtdpi_qi_wait(&u->qi, &ticket, 0);",
     "the queue was opened just now, so it is neither full nor closed"),
    ("src/table_dirty.h", "!vtdpi_atomic_cas64(word, &old,", RACE),
]

REASONS = {(path, source): reason for path, source, reason in _LINES}
