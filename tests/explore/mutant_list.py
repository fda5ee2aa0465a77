# SPDX-License-Identifier: BSD-2-Clause
"""The seeded bugs: what is replaced in a copy of the library, and which
scenario has to notice. See mutants.py."""

import dataclasses

from mutation import Mutant

BLOCKED = "src/sched_blocked.h"
SCHED = "src/sched.c"
VCPU = "src/sched_vcpu.c"
PCPU = "src/sched_pcpu.c"
PID = "include/vtdpi/pid.h"
IRQ = "src/irq.c"
BIND = "src/bind.c"
HOSTMSI = "src/hostmsi.c"
IPIV = "src/ipiv.c"


@dataclasses.dataclass(frozen=True)
class Bug(Mutant):
    by: str = ""  # scenario that kills it: name, or name/leaves/memory
    origin: str = ""  # a section of docs/races.md; may be empty
    host: str = ""  # an error of the host, of world.h, in place of changes


def changes(file, pairs):
    """Pairs of text and replacement in @file, or triples that name another."""
    return tuple(p if len(p) == 3 else (file, *p) for p in pairs)


def blocked(name, by, origin, *pairs):
    return Bug(name, changes(BLOCKED, pairs), by, origin)


def sched(name, by, origin, *pairs):
    return Bug(name, changes(SCHED, pairs), by, origin)


def vcpu(name, by, origin, *pairs):
    return Bug(name, changes(VCPU, pairs), by, origin)


def pcpu(name, by, origin, *pairs):
    return Bug(name, changes(PCPU, pairs), by, origin)


def pid(name, by, origin, *pairs):
    return Bug(name, changes(PID, pairs), by, origin)


def irq(name, by, origin, *pairs):
    return Bug(name, changes(IRQ, pairs), by, origin)


def bind(name, by, origin, *pairs):
    return Bug(name, changes(BIND, pairs), by, origin)


def hostmsi(name, by, origin, *pairs):
    return Bug(name, changes(HOSTMSI, pairs), by, origin)


def ipiv(name, by, origin, *pairs):
    return Bug(name, changes(IPIV, pairs), by, origin)


def host(name, by, origin):
    return Bug(f"host: {name}", (), by, origin, name)


def plainly(bug):
    """The same bug below a host that arms its woken mark by a plain store."""
    return dataclasses.replace(bug, host="arms-plainly")


def same_host(name, why):
    return Bug(f"host: {name}", survives=why, host=name)


def same_vcpu(name, why, *pairs):
    return Mutant(name, changes(VCPU, pairs), survives=why)


def same_pcpu(name, why, *pairs):
    return Mutant(name, changes(PCPU, pairs), survives=why)


def same_pid(name, why, *pairs):
    return Mutant(name, changes(PID, pairs), survives=why)


# Pieces of the sources that several mutants replace.
UNHOLD = """    if (v != NULL)
        vtdpi_vcpu_unhold(v);
    /* Affinity"""
PUBLISH = """    if (!vtdpi_atomic_cas64(&irq->claim, &w, next))
        return false;
"""
ENTRY_SET = """    vtdpi_atomic_store64_release(&t->entries[id],
                                 target->pda | VTDPI_IPIV_VALID);
"""
ENTRY_CLEAR = "    (void)vtdpi_atomic_xchg64(&t->entries[id], 0);\n"
PLACE = "place_write(&irq->deferred[second ? 1 : 0], host);"
NEXT = "    next = (w & ~CLAIM_PLACE) + CLAIM_NUMBER;\n"
GIVE_BACK = """    if (again)
        target_unref(place_read(&irq->deferred[old]).target);
"""
TAKE_OVER = """        if (!vtdpi_atomic_cas64(&irq->claim, &w,
                                w & ~(deferred ? CLAIM_DEFERRED : CLAIM_HELD)))
            continue;
"""
DESTINATION = """PID_OWNED,
                            pid_destination(v->sched->anv, p->ndst)"""
RUN = f"""    (void)vtdpi_pid_replace(v->pid, {DESTINATION});
    blocked_leave(v);"""
SET_LEAF = "    (void)vtdpi_atomic_or64(leaf, slot_bit(slot));\n"
SET_SUMMARY = """    if ((vtdpi_atomic_load64(summary) & leaf_bit(page)) == 0)
        (void)vtdpi_atomic_or64(summary, leaf_bit(page));
"""
SET_AGAIN = """    if (bits != 0)
        (void)vtdpi_atomic_or64(summary, leaf_bit);
"""
NOTIFIED = "        bits = slots_notified(&refs[i], bits);\n"
SET_THEN_LOOK = """    blocked_set(p, leaf, slot);
    if (vtdpi_atomic_load64(&p->online)"""
LOOK = "    if (vtdpi_atomic_load64(&p->online)"
RECHECK = """    if (vtdpi_atomic_load64(&p->online) != 0)
        return true;
    blocked_clear(leaf, slot);
    return false;"""
GO_OFFLINE = """    (void)vtdpi_atomic_xchg64(&p->online, 0);
    return wake_all_blocked(p);"""
GROW_ROOM = ("    (void)vtdpi_atomic_xchg64(&s->room, "
             "room + VTDPI_CHUNK_PAGES);\n")
ADOPT = """\
        (void)vtdpi_pid_replace(&page->pids[i], VTDPI_PID_SN | VTDPI_PID_NV,
                                VTDPI_PID_SN |
                                    VTDPI_FIELD_PUT(s->anv, VTDPI_PID_NV));
"""
GROW_REFS = """    vtdpi_atomic_store_ptr_release(
        (void **)&s->chunks[chunks_of(room - s->first_pages)], refs);
"""
POLL = """    for (; v->detach_next <= s->max_pcpus; v->detach_next++) {
        if (!scan_passed(v, scan_sequence(s, v->detach_next)))
            return false;
    }
"""
CLEAR_ON = """    if ((vtdpi_atomic_load64(&pid->control) & VTDPI_PID_ON) != 0)
        (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);

"""
HARVESTED = """        any |= out[i];
    }
    return any != 0;"""
LAST_LOOK = "    return vtdpi_pid_harvest(&h->pid, out);\n"
LOOK_WITH_ON = """    if (--*looks != 0) {
        if (vtdpi_pid_take(&h->pid, out))
            return true;
        *looks = 0;
    }
"""
OFFLINE_CLOSE = "    const int rc = vtdpi_target_close(&h->target);\n"
OFFLINE_HARVEST = """    if (rc == 0)
        (void)vtdpi_pid_harvest(&h->pid, out);
"""
NOTIFY_CAS = """    } while (n.result == VTDPI_POST_NOTIFY &&
             !vtdpi_atomic_cas64(&pid->control, &old, old | VTDPI_PID_ON));

    n.nv"""
BLOCK = """    if (!blocked_enter(v, p))
        return VTDPI_BLOCK_OFFLINE;
    if (!destination_set_wakeup(v, p)) {
        blocked_take_back(p, v->slot);
        return VTDPI_BLOCK_PENDING;
    }
    v->blocked_on = p;
"""
SECOND_LOOK = """    if (vtdpi_pid_pir_pending(v->pid)) {
        vtdpi_vcpu_preempt(v);
        return VTDPI_BLOCK_PENDING;
    }
"""
TAKE_BACK = "    blocked_clear(blocked_leaf(p, page_of_slot(slot)), slot);\n"

UNMARK = """    if (!blocked_set_online(p, leaf, v->slot))
        return false;
    wake_mark_clear(leaf, v->slot);
"""
UNMARK_WORD = """    if ((vtdpi_atomic_load64(word) & slot_bit(slot)) != 0)
        (void)vtdpi_atomic_and64(word, ~slot_bit(slot));
"""
COMMITTED = """    old = vtdpi_pid_replace(v->pid, PID_OWNED,
                            pid_destination(vcpu_wnv(v), p->ndst));
"""
SELF = """        (void)vtdpi_pid_test_and_set_on(v->pid);
        ipi_send(v->sched, p->apic_id, vcpu_wnv(v));
    }
"""
# Clearing the wake mark elsewhere, in one of both kinds of block.
UNMARK_CALL = "    wake_mark_clear(leaf, v->slot);\n"
UNMARK_HERE = ("    wake_mark_clear(blocked_leaf(p, page_of_slot(v->slot)),"
               " v->slot);\n")
NO_UNMARK = (UNMARK, UNMARK.replace(UNMARK_CALL, ""))
UNMARK_IN_COMMITTED = (COMMITTED, UNMARK_HERE + COMMITTED)
UNMARK_IN_BLOCK = (
    "    if (!destination_set_wakeup(v, p)) {\n",
    UNMARK_HERE + "    if (!destination_set_wakeup(v, p)) {\n",
)
LOOK_AT_MARKS = "        bits = wake_unmarked(leaf, bits);\n"
WOKEN = """            woken +=
                slots_wake(s, page_found(&refs[i]), wake_mark_set(leaf, bits));
"""
WAKE_ALL = ("            (void)wake_mark_set(leaf, bits);\n" +
            WOKEN.replace("wake_mark_set(leaf, bits)", "bits"))
START = "    scan_begin(&p->scan);\n"
OWN = "p->sched->stripe << (index % 64)"

# Offline as an earlier form of the protocol had it, and Xen has: entries are
# moved to another pCPU under their owners' feet.
MOVING = """    struct vtdpi_pcpu *const q =
        p->sched->pcpus[0] == p ? p->sched->pcpus[1] : p->sched->pcpus[0];

    (void)vtdpi_atomic_xchg64(&p->online, 0);
    for (uint32_t i = 0; i < sched_room(p->sched); i++) {
        uint64_t bits = vtdpi_atomic_load64(blocked_leaf(p, i));

        for (; bits != 0; bits &= bits - 1) {
            const uint32_t slot = i * 64 + (uint32_t)__builtin_ctzll(bits);
            const struct vtdpi_pid_page *const page =
                p->sched->pages[i].page;
            uint64_t *const control = (uint64_t *)(uintptr_t)
                &page->pids[slot % 64].control;
            uint64_t old = vtdpi_atomic_load64(control);

            blocked_set(q, blocked_leaf(q, i), slot);
            if ((old & VTDPI_PID_NV) != pid_destination(p->sched->anv, 0))
                (void)vtdpi_atomic_cas64(
                    control, &old,
                    (old & ~VTDPI_PID_NDST) | pid_destination(0, q->ndst));
            blocked_clear(blocked_leaf(p, i), slot);
        }
    }
    return 0;"""

MUTANTS = [
    # The bitmap and its summary.
    blocked("bit is not set", "1c", "", (SET_LEAF, "")),
    blocked("summary is not set", "1c", "", (SET_SUMMARY, "")),
    blocked("summary is set before the leaf", "1a", "the summary",
          (SET_LEAF + SET_SUMMARY, SET_SUMMARY + SET_LEAF)),
    blocked("summary is tested before the leaf is set", "1a", "the summary",
          (SET_LEAF + SET_SUMMARY,
           "    const bool clear = (vtdpi_atomic_load64(summary) &\n"
           "                        leaf_bit(page)) == 0;\n\n" + SET_LEAF +
           "    if (clear)\n"
           "        (void)vtdpi_atomic_or64(summary, leaf_bit(page));\n")),
    blocked("leaf is set by a plain store", "1a", "the summary",
          (SET_LEAF,
           "    vtdpi_atomic_store64_release(\n"
           "        leaf, vtdpi_atomic_load64(leaf) | slot_bit(slot));\n")),
    blocked("summary is set by a plain store", "1a/2", "the summary",
          (SET_SUMMARY,
           "    vtdpi_atomic_store64_release(\n"
           "        summary, vtdpi_atomic_load64(summary) | leaf_bit(page));\n")),
    blocked("no second look at the leaf", "7a", "the summary",
          ("    bits = blocked_look(leaf);\n" + SET_AGAIN +
           "    return bits;", "    bits = 0;\n    return bits;")),
    blocked("summary is not set again", "7a", "the summary", (SET_AGAIN, "")),
    blocked("summary is cleared by a plain store", "1a/1/tso", "the summary",
          ("    (void)vtdpi_atomic_and64(summary, ~leaf_bit);\n",
           "    vtdpi_atomic_store64_release(\n"
           "        summary,\n"
           "        vtdpi_atomic_load64(summary) & ~leaf_bit);\n")),
    pcpu("summary is cleared before the leaf is read at all", "1a", "",
          ("        uint64_t bits = blocked_look(leaf);\n",
           "        uint64_t bits;\n\n"
           "        (void)vtdpi_atomic_and64(&p->summary[word], ~leaf_bit(i));\n"
           "        bits = blocked_look(leaf);\n"),
          (BLOCKED, SET_AGAIN, "")),
    vcpu("owner clears the summary of an empty leaf", "1b", "the summary",
          (TAKE_BACK, TAKE_BACK +
           "    if (vtdpi_atomic_load64(blocked_leaf(p, page_of_slot(slot))) == 0)\n"
           "        (void)vtdpi_atomic_and64(&p->summary[0],\n"
           "                                 ~leaf_bit(page_of_slot(slot)));\n")),
    vcpu("owner clears the summary and looks again", "1b", "the summary",
          (TAKE_BACK, TAKE_BACK +
           "    if (vtdpi_atomic_load64(blocked_leaf(p, page_of_slot(slot))) == 0) {\n"
           "        (void)vtdpi_atomic_and64(&p->summary[0],\n"
           "                                 ~leaf_bit(page_of_slot(slot)));\n"
           "        if (vtdpi_atomic_load64(blocked_leaf(p, page_of_slot(slot))) != 0)\n"
           "            (void)vtdpi_atomic_or64(&p->summary[0],\n"
           "                                    leaf_bit(page_of_slot(slot)));\n"
           "    }\n")),
    pcpu("handler clears the bits", "9", "clearing late",
          (NOTIFIED, NOTIFIED +
           "        (void)vtdpi_atomic_and64(leaf, ~bits);\n")),
    pcpu("handler clears ON", "1a", "clearing late",
          ("        on |= (vtdpi_pid_snapshot(&pids[i]) & VTDPI_PID_ON)"
           " << i;",
           "        on |= (vtdpi_atomic_and64((uint64_t *)(uintptr_t)\n"
           "                   &pids[i].control, ~VTDPI_PID_ON) &\n"
           "               VTDPI_PID_ON) << i;")),
    pcpu("handler wakes only the first", "1b", "",
          ("    for (uint64_t b = bits; b != 0; b &= b - 1) {\n"
           "        /* NULL",
           "    for (uint64_t b = bits; b != 0; b = 0) {\n        /* NULL")),
    pcpu("handler takes PIR for the doorbell", "1a", "",
          ("        on |= (vtdpi_pid_snapshot(&pids[i]) & VTDPI_PID_ON)"
           " << i;",
           "        on |= (uint64_t)(vtdpi_atomic_load64(\n"
           "                  &pids[i].pir[1]) != 0) << i;")),
    # The wake marks.
    plainly(vcpu("wake mark is looked at before the bit is set", "20/1/tso",
         "one wake for each block",
         (UNMARK, UNMARK_CALL + UNMARK.replace(UNMARK_CALL, "")))),
    pcpu("wake mark is set after the wake", "20", "one wake for each block",
         (WOKEN, "            woken += slots_wake(s, page_found(&refs[i]), bits);\n"
          "            (void)wake_mark_set(leaf, bits);\n")),
    blocked("wake mark is set by a plain store", "20", "",
            ("    return bits & ~vtdpi_atomic_or64(wake_marks(leaf), bits);",
             "    uint64_t *const word = wake_marks(leaf);\n"
             "    const uint64_t old = vtdpi_atomic_load64(word);\n\n"
             "    vtdpi_atomic_store64_release(word, old | bits);\n"
             "    return bits & ~old;")),
    blocked("wake mark is cleared by a plain store", "20", "",
            (UNMARK_WORD,
             "    const uint64_t old = vtdpi_atomic_load64(word);\n\n"
             "    if ((old & slot_bit(slot)) != 0)\n"
             "        vtdpi_atomic_store64_release(word, old & ~slot_bit(slot));\n")),
    vcpu("block: wake mark is cleared after the compare-and-swap", "1a",
         "one wake for each block",
         NO_UNMARK, UNMARK_IN_COMMITTED,
         (BLOCK, BLOCK + UNMARK_HERE)),
    vcpu("block: wake mark is cleared last", "20", "one wake for each block",
         NO_UNMARK, UNMARK_IN_COMMITTED,
         (SECOND_LOOK, SECOND_LOOK + UNMARK_HERE)),
    vcpu("block: wake mark is not cleared", "20", "",
         NO_UNMARK, UNMARK_IN_COMMITTED),
    vcpu("committed: wake mark is cleared after the compare-and-swap", "13d",
         "one wake for each block",
         NO_UNMARK, UNMARK_IN_BLOCK,
         (COMMITTED, COMMITTED + UNMARK_HERE)),
    vcpu("committed: wake mark is cleared last", "13c", "one wake for each block",
         NO_UNMARK, UNMARK_IN_BLOCK,
         (SELF, SELF + UNMARK_HERE)),
    vcpu("committed: wake mark is not cleared", "13c", "",
         NO_UNMARK, UNMARK_IN_BLOCK),
    vcpu("run: clears the wake mark", "9", "",
         (RUN, "    if (v->blocked_on != NULL)\n"
          "        wake_mark_clear(blocked_leaf(v->blocked_on,\n"
          "                                     page_of_slot(v->slot)), v->slot);\n" + RUN)),
    vcpu("preempt: clears the wake mark", "20", "",
         ("                            VTDPI_PID_SN | pid_destination(v->sched->anv, 0)"
          ");\n    blocked_leave(v);",
          "                            VTDPI_PID_SN | pid_destination(v->sched->anv, 0)"
          ");\n    if (v->blocked_on != NULL)\n"
          "        wake_mark_clear(blocked_leaf(v->blocked_on,\n"
          "                                     page_of_slot(v->slot)), v->slot);\n"
          "    blocked_leave(v);")),
    pcpu("handler clears the wake marks", "20", "clearing late",
         (WOKEN, WOKEN +
          "        if (bits != 0)\n"
          "            (void)vtdpi_atomic_and64(wake_marks(leaf), ~bits);\n")),
    pcpu("handler wakes those who are marked", "20", "one wake for each block",
         (LOOK_AT_MARKS, ""), (WOKEN, WAKE_ALL)),
    pcpu("offline and rescan skip those who are marked", "5b",
         "one wake for each block",
         ("        const uint64_t bits = blocked_look(blocked_leaf(p, i));\n\n"
          "        if (bits != 0)\n",
          "        const uint64_t bits =\n"
          "            wake_unmarked(blocked_leaf(p, i),\n"
          "                          blocked_look(blocked_leaf(p, i)));\n\n"
          "        if (bits != 0)\n")),
    pcpu("offline and rescan set wake marks", "5b", "",
         ("s, page_found(vtdpi_sched_page_ref(s, i)), bits);",
          "s, page_found(vtdpi_sched_page_ref(s, i)),\n"
          "                wake_mark_set(blocked_leaf(p, i), bits));")),
    # Several wakeup vectors.
    pcpu("summary of the other vectors' pages is cleared", "18b/2", "",
         (START, START +
          "    (void)vtdpi_atomic_and64(&p->summary[0], own);\n")),
    pcpu("handler looks at the other vectors' pages", "18a/2", "",
         (OWN, "~(p->sched->stripe << (index % 64))")),
    pcpu("handler looks at the first vector's pages", "18a/2", "",
         (OWN, "p->sched->stripe")),
    pcpu("handler looks at the lower half of the pages", "18a/2", "",
         (OWN, "UINT64_MAX >> 32 << index * 32")),
    pcpu("handler serves the first vector only", "18a/2", "",
         ("    while (i < s->wnv_count && s->wnv[i] != vector)\n"
          "        i++;", "    if (s->wnv[0] != vector)\n"
          "        i = s->wnv_count;")),
    pcpu("handler of another vector keeps the sequence even", "18d/2", "",
         ("    scan_begin(&p->scan);\n",
          "    if (vector == p->sched->wnv[0])\n"
          "        scan_begin(&p->scan);\n"),
         ("    scan_end(&p->scan);\n",
          "    if (vector == p->sched->wnv[0])\n"
          "        scan_end(&p->scan);\n")),
    pcpu("offline: wakes those of the first vector", "18e/2", "",
         ("        const uint64_t bits = blocked_look(blocked_leaf(p, i));\n\n"
          "        if (bits != 0)\n",
          "        const uint64_t bits =\n"
          "            (s->stripe & leaf_bit(i)) != 0\n"
          "                ? blocked_look(blocked_leaf(p, i)) : 0;\n\n"
          "        if (bits != 0)\n")),
    vcpu("block: the first vector, not the slot's", "18a/2", "",
          ("    return v->sched->wnv[wnv_index(v->sched, v->slot)];",
           "    return v->sched->wnv[0];")),
    vcpu("block: vector by the pCPU, not by the slot", "18a/2", "",
          ("    const uint64_t destination = pid_destination(vcpu_wnv(v), p->ndst);",
           "    const uint64_t destination =\n"
           "        pid_destination(v->sched->wnv[p->ndst % v->sched->wnv_count],\n"
           "              p->ndst);")),
    vcpu("committed: sends the first vector", "18c/2", "",
          ("p->apic_id, vcpu_wnv(v));", "p->apic_id, v->sched->wnv[0]);")),
    # Transitions of the owner.
    vcpu("run: bit cleared before NV", "1c", "list and vector",
          (RUN, "    blocked_leave(v);\n" + RUN.split("\n    blocked_leave")[0])),
    vcpu("run: bit left set", "1c", "", (RUN, RUN.split("\n    blocked_leave")[0])),
    vcpu("run: NV stays WNV", "1c", "a wakeup vector left armed",
          (RUN, RUN.replace(DESTINATION,
                            "VTDPI_PID_SN | VTDPI_PID_NDST, "
                            "pid_destination(0, p->ndst)"))),
    vcpu("run: NDST moved first, NV and the bit later", "2", "NDST moved alone",
          (RUN, "    (void)vtdpi_pid_replace(v->pid, VTDPI_PID_NDST,\n"
           "                            pid_destination(0, p->ndst));\n" + RUN)),
    vcpu("run: NDST left where it was", "2", "",
          (RUN, RUN.replace(DESTINATION,
                            "VTDPI_PID_SN | VTDPI_PID_NV, "
                            "pid_destination(v->sched->anv, 0)"))),
    vcpu("run: SN left set", "3a", "",
          (RUN, RUN.replace("PID_OWNED,", "VTDPI_PID_NV | VTDPI_PID_NDST,"))),
    vcpu("preempt: bit left set", "6a", "woken and not scheduled",
          ("                            VTDPI_PID_SN | pid_destination(v->sched->anv, 0)"
           ");\n    blocked_leave(v);",
           "                            VTDPI_PID_SN | pid_destination(v->sched->anv, 0)"
           ");")),
    vcpu("preempt: bit cleared before NV", "3c", "list and vector",
          ("    (void)vtdpi_pid_replace(v->pid, VTDPI_PID_SN | VTDPI_PID_NV,",
           "    blocked_leave(v);\n"
           "    (void)vtdpi_pid_replace(v->pid, VTDPI_PID_SN | VTDPI_PID_NV,")),
    vcpu("removal by a condition that is evaluated again", "5d",
          "removal by a condition",
          ("    v->blocked_on = NULL;\n    blocked_take_back",
           "    v->blocked_on = NULL;\n"
           "    if (vtdpi_vcpu_refs(v) == 0 &&\n"
           "        vtdpi_atomic_load64(&p->online) == 0)\n"
           "        return;\n    blocked_take_back")),
    vcpu("bit removed by NDST, not by memory", "6a", "bits left behind",
          (RUN, RUN.replace(
              "    blocked_leave(v);",
              "    if (v->blocked_on != NULL)\n"
              "        v->blocked_on = p;\n    blocked_leave(v);"))),
    # block.
    blocked("block: no online re-check", "5e", "block against offline",
          (RECHECK, "    return true;")),
    blocked("block: online tested before the bit", "5e", "block against offline",
          ("    blocked_set(p, leaf, slot);\n" + RECHECK,
           "    if (vtdpi_atomic_load64(&p->online) == 0)\n"
           "        return false;\n    blocked_set(p, leaf, slot);\n"
           "    return true;")),
    blocked("block: bit left after OFFLINE", "5d", "",
          ("        return true;\n    blocked_clear(leaf, slot);\n    return false;",
           "        return true;\n    return false;")),
    vcpu("block: bit left after PENDING", "6a", "",
          ("        blocked_take_back(p, v->slot);\n        return VTDPI_BLOCK_PENDING;",
           "        return VTDPI_BLOCK_PENDING;")),
    vcpu("block: no look at PIR", "3c", "posts under SN", (SECOND_LOOK, "")),
    vcpu("block: looks at PIR before SN is clear", "3c", "posts under SN",
          (BLOCK, "    if (vtdpi_pid_pir_pending(v->pid))\n"
           "        return VTDPI_BLOCK_PENDING;\n" + BLOCK),
          (SECOND_LOOK, "")),
    vcpu("block: ON is not looked at", "1c", "",
          ("        if ((old & VTDPI_PID_ON) != 0)\n"
           "            return false;\n    } while", "    } while")),
    vcpu("block: ON tested before, not in the compare-and-swap", "1c",
          "test and change in two steps",
          ("    do {\n        if ((old & VTDPI_PID_ON) != 0)\n"
           "            return false;\n    } while (!vtdpi_atomic_cas64",
           "    if ((old & VTDPI_PID_ON) != 0)\n        return false;\n"
           "    do {\n    } while (!vtdpi_atomic_cas64")),
    vcpu("block: bit set after the compare-and-swap", "1c", "list and vector",
          (BLOCKED, SET_THEN_LOOK, LOOK),
          ("        blocked_take_back(p, v->slot);\n        return VTDPI_BLOCK_PENDING;\n"
           "    }\n",
           "        return VTDPI_BLOCK_PENDING;\n    }\n"
           "    blocked_set(p, blocked_leaf(p, page_of_slot(v->slot)), v->slot);\n")),
    vcpu("block: bit set last", "1c", "list and vector",
          (BLOCKED, SET_THEN_LOOK, LOOK),
          ("        blocked_take_back(p, v->slot);\n        return VTDPI_BLOCK_PENDING;\n"
           "    }\n", "        return VTDPI_BLOCK_PENDING;\n    }\n"),
          (SECOND_LOOK + "    return VTDPI_BLOCKED;",
           SECOND_LOOK + "    blocked_set(p, blocked_leaf(p, page_of_slot(v->slot)), v->slot);\n    return VTDPI_BLOCKED;")),
    vcpu("block when blocked: no preempt first", "15", "removal by a condition",
          ("    if (v->blocked_on != NULL)\n        vtdpi_vcpu_preempt(v);\n"
           "    leaf = blocked", "    leaf = blocked")),
    vcpu("block: control loaded twice", "1c", "control word loaded twice",
          ("    } while (!vtdpi_atomic_cas64(&v->pid->control, &old,\n"
           "                                 (old & ~PID_OWNED) | destination));",
           "        uint64_t now = vtdpi_atomic_load64(&v->pid->control);\n\n"
           "        if (vtdpi_atomic_cas64(&v->pid->control, &now,\n"
           "                               (old & ~PID_OWNED) | destination))\n"
           "            break;\n        old = now;\n    } while (true);")),
    vcpu("committed: ON is not looked at", "13a", "",
          ("    if ((old & VTDPI_PID_ON) != 0 || vtdpi_pid_pir_pending(v->pid))"
           " {", "    if (vtdpi_pid_pir_pending(v->pid)) {")),
    vcpu("committed: PIR is not looked at", "13a", "posts under SN",
          ("    if ((old & VTDPI_PID_ON) != 0 || vtdpi_pid_pir_pending(v->pid))"
           " {", "    if ((old & VTDPI_PID_ON) != 0) {")),
    vcpu("committed: ON is not set", "13a", "",
          ("        (void)vtdpi_pid_test_and_set_on(v->pid);\n", "")),
    vcpu("committed: no notification of its own", "13a",
          "a sleep that cannot be cancelled",
          ("        ipi_send(v->sched, p->apic_id, vcpu_wnv(v));\n", "")),
    # offline.
    pcpu("offline: flag after the scan", "5e", "block against offline",
          (GO_OFFLINE, "    const uint32_t n = wake_all_blocked(p);\n\n"
           "    (void)vtdpi_atomic_xchg64(&p->online, 0);\n    return n;")),
    pcpu("offline: flag by a plain store", "5e/1/tso", "store buffers",
          ("    (void)vtdpi_atomic_xchg64(&p->online, 0);\n    return",
           "    vtdpi_atomic_store64_release(&p->online, 0);\n    return"),
          ("    scan_begin(&s->scan);\n    for (uint32_t i = 0; "
           "i < pages; i++) {\n        const uint64_t bits",
           "    for (uint32_t i = 0; i < pages; i++) {\n"
           "        const uint64_t bits"),
          ("    scan_end(&s->scan);\n    return woken;",
           "    return woken;")),
    pcpu("offline: scans by the summary", "7d", "the summary",
          ("        const uint64_t bits = blocked_look(blocked_leaf(p, i));\n",
           "        const uint64_t bits =\n"
           "            (vtdpi_atomic_load64(&p->summary[i / 64]) & leaf_bit(i))"
           " != 0 ? blocked_look(blocked_leaf(p, i)) : 0;\n")),
    pcpu("offline: wakes only those with ON", "5e", "offline that moves vCPUs",
          ("s, page_found(vtdpi_sched_page_ref(s, i)), bits);",
           "s, page_found(vtdpi_sched_page_ref(s, i)),\n"
           "                slots_notified(vtdpi_sched_page_ref(s, i), bits));")),
    pcpu("offline: moves entries to another pCPU", "5b",
          "offline that moves vCPUs", (GO_OFFLINE, MOVING)),
    pcpu("offline: shares the handler's sequence", "5d", "scans that overlap",
          ("    scan_begin(&s->scan);\n    for (uint32_t i = 0; "
           "i < pages; i++) {\n        const uint64_t bits",
           "    scan_begin(&p->scan);\n    for (uint32_t i = 0; "
           "i < pages; i++) {\n        const uint64_t bits"),
          ("    scan_end(&s->scan);\n    return woken;",
           "    scan_end(&p->scan);\n    return woken;")),
    # detach.
    pcpu("scan is never odd", "6b", "",
          ("    (void)vtdpi_atomic_xchg64(seq, s + 1);", "    (void)s;"),
          ("    vtdpi_atomic_store64_release(seq, "
           "vtdpi_atomic_load64_relaxed(seq) + 1);", "    (void)seq;")),
    pcpu("scan ends before its wakes", "6b", "",
          ("    scan_begin(&p->scan);\n",
           "    scan_begin(&p->scan);\n    scan_end(&p->scan);\n"),
          ("own);\n    scan_end(&p->scan);\n", "own);\n")),
    pcpu("scan stays odd", "6b", "",
          ("    vtdpi_atomic_store64_release(seq, "
           "vtdpi_atomic_load64_relaxed(seq) + 1);", "    (void)seq;")),
    pcpu("scan becomes odd by a plain store", "5d/1/tso", "store buffers",
          ("    (void)vtdpi_atomic_xchg64(seq, s + 1);",
           "    vtdpi_atomic_store64_release(seq, s + 1);")),
    vcpu("attach leaves the slot without a cookie", "6b", "",
          ("    vtdpi_atomic_store_ptr_release("
           "&page->cookie[slot % VTDPI_PAGE_SLOTS],\n"
           "                                   cookie);\n", "")),
    vcpu("detach without quiescence", "6b", "detach against scans", (POLL, "")),
    vcpu("detach ignores offline and rescan", "5d", "detach against scans",
          (POLL, POLL.replace("<= s", "< s"))),
    vcpu("detach skips the second pCPU", "6a", "detach against scans",
          (POLL, POLL.replace("        if (!scan", "        if (v->detach_next != 1 && !scan"))),
    sched("page is found before its contents are there", "22a", "",
          ("    page_open(page, memory, phys, 0);\n",
           "    page_publish(vtdpi_sched_page_ref(s, number), page, memory);\n"
           "    page_open(page, memory, phys, 0);\n")),
    # Adopting.
    sched("adopt: control is stored plainly", "28a", "",
          (ADOPT, "        vtdpi_atomic_store64_relaxed(&page->pids[i].control,\n"
                  "            (vtdpi_atomic_load64_relaxed(&page->pids[i].control) &\n"
                  "             ~VTDPI_PID_NV) | VTDPI_PID_SN |\n"
                  "            VTDPI_FIELD_PUT(s->anv, VTDPI_PID_NV));\n")),
    sched("adopt: ON is cleared", "28a", "",
          (ADOPT, ADOPT.replace("| VTDPI_PID_NV,", "| VTDPI_PID_NV | VTDPI_PID_ON,"))),
    sched("adopt: PIR is cleared", "28a", "",
          (ADOPT, ADOPT + "    for (uint32_t i = 0; i < 2; i++)\n"
                  "        (void)vtdpi_atomic_xchg64(&page->pids[i].pir[3], 0);\n")),
    sched("adopt: SN stays as it is", "28a", "",
          (ADOPT, ADOPT.replace("VTDPI_PID_SN |", ""))),
    sched("adopt: NV stays as it is", "28a", "",
          (ADOPT, "        (void)vtdpi_pid_replace(&page->pids[i], VTDPI_PID_SN, "
                  "VTDPI_PID_SN);\n")),
    sched("adopt: slots are not held", "28a", "",
          ("page_open(page, memory, phys, UINT64_MAX)",
           "page_open(page, memory, phys, 0)")),
    sched("adopt: slots are held, and free", "28b", "",
          ("&page->claimed, held)", "&page->claimed, 0)")),
    sched("adopt: page is found before its PIDs are preempted", "28a", "",
          ("    page_open(page, memory, phys, UINT64_MAX);\n",
           "    page_open(page, memory, phys, UINT64_MAX);\n"
           "    page_publish(vtdpi_sched_page_ref(s, number), page, page->pids);\n")),
    vcpu("adopt: PID is initialised", "28a", "",
         ("    if (!adopted)\n", "")),
    vcpu("a held slot is taken by a load and a store", "28c", "",
         ("    if ((vtdpi_atomic_and64(&page->held, ~slot_bit(slot)) & slot_bit(slot)) ==\n"
          "        0)\n"
          "        return VTDPI_ESLOTBUSY;\n",
          "    const uint64_t held = vtdpi_atomic_load64(&page->held);\n"
          "    if ((held & slot_bit(slot)) == 0)\n"
          "        return VTDPI_ESLOTBUSY;\n"
          "    vtdpi_atomic_store64_release(&page->held, held & ~slot_bit(slot));\n")),
    # Growing.
    sched("room is made before the page references are there", "23a", "",
          (GROW_REFS, GROW_ROOM + GROW_REFS),
          (GROW_ROOM + "    return 0;", "    return 0;")),
    sched("a pCPU's part of a chunk is not zeroed", "23a", "",
          ("    words_clear(chunk, VTDPI_CHUNK_WORDS);\n", "")),
    sched("room is made before a pCPU's part is there", "23a", "",
          ("    vtdpi_atomic_store64_release(at, (uintptr_t)chunk);\n",
           GROW_ROOM.replace("s->room, room", "p->sched->room,\n"
                             "                              sched_room(p->sched)") +
           "    vtdpi_atomic_store64_release(at, (uintptr_t)chunk);\n"
           "    (void)vtdpi_atomic_xchg64(&p->sched->room,\n"
           "                              p->sched->first_pages);\n")),
    pcpu("handler looks at the pages that there were at first", "23a", "",
         ("    words = chunks_of(sched_room(p->sched));\n",
          "    words = p->first_chunks;\n")),
    pcpu("offline: pages are counted before the flag", "23b",
         "block against offline",
         ("static VTDPI_COLD uint32_t wake_all_blocked(struct vtdpi_pcpu *p)\n",
          "static VTDPI_COLD uint32_t wake_all_blocked(struct vtdpi_pcpu *p,\n"
          "                                            uint32_t pages)\n"),
         ("    struct vtdpi_sched *const s = p->sched;\n"
          "    const uint32_t pages = sched_room(s);\n",
          "    struct vtdpi_sched *const s = p->sched;\n"),
         (GO_OFFLINE, "    const uint32_t pages = sched_room(p->sched);\n\n" +
          GO_OFFLINE.replace("(p);", "(p, pages);")),
         ("    return wake_all_blocked(p);\n}\n\nuint32_t vtdpi_pcpu_blocked",
          "    return wake_all_blocked(p, sched_room(p->sched));\n}\n\n"
          "uint32_t vtdpi_pcpu_blocked")),
    vcpu("detach waits for the first pCPU only", "6a", "detach against scans",
          (POLL, "    if (!scan_passed(v, scan_sequence(s, 0)))\n"
           "        return false;\n")),
    vcpu("detach waits for the pCPU NDST only", "6a", "detach against scans",
          (POLL, "    const uint32_t ndst = (uint32_t)(v->pid->control >> 32);"
           "\n\n    for (; v->detach_next < s->max_pcpus; v->detach_next++) {\n"
           "        const struct vtdpi_pcpu *const p ="
           " s->pcpus[v->detach_next];\n\n"
           "        if (p->ndst == ndst &&\n"
           "            !scan_passed(v, scan_sequence(s, v->detach_next)))\n"
           "            return false;\n    }\n")),
    vcpu("detach waits one poll", "6b", "",
          ("(v->detach_seq != 0 && now != v->detach_seq)",
           "v->detach_seq != 0")),
    vcpu("detach leaves it blocked", "6b", "",
          ("    vtdpi_vcpu_preempt(v);\n    page = page_of_vcpu(v);",
           "    page = page_of_vcpu(v);")),
    vcpu("detach ignores references", "16", "freed while an entry names it",
          ("    if (!vtdpi_atomic_cas64(&t->refs, &none, 0))\n"
           "        return none == 0 ? VTDPI_ECLOSED : VTDPI_EBUSY;",
           "    (void)vtdpi_atomic_xchg64(&t->refs, 0);\n    (void)none;")),
    vcpu("detach looks at the references, then closes", "16", "freed while an entry names it",
          ("    if (!vtdpi_atomic_cas64(&t->refs, &none, 0))\n"
           "        return none == 0 ? VTDPI_ECLOSED : VTDPI_EBUSY;",
           "    if (vtdpi_atomic_load64(&t->refs) != none)\n"
           "        return VTDPI_EBUSY;\n"
           "    (void)vtdpi_atomic_xchg64(&t->refs, 0);")),
    vcpu("reference taken from a closed vCPU", "16", "freed while an entry names it",
          ("        if ((old & REFS_OPEN) == 0)\n"
           "            return VTDPI_ECLOSED;\n    } while", "    } while")),
    vcpu("slot freed before the scans have ended", "6b", "",
          (POLL, "    (void)vtdpi_atomic_and64(&page_of_vcpu(v)->claimed,\n"
           "                             ~leaf_bit(v->slot));\n    v->sched = NULL;"
           "\n    return true;\n" + POLL)),
    # Posting.
    vcpu("post: ANV is not sent, the vCPU runs anyway", "1c", "a wake that is skipped",
          ("    if (n.result == VTDPI_POST_NOTIFY)\n        vtdpi_vcpu_send(v, &n);",
           "    if (n.result == VTDPI_POST_NOTIFY && n.nv != v->sched->anv)\n"
           "        vtdpi_vcpu_send(v, &n);")),
    pid("record into the wrong word", "1c", "",
        ("&pid->pir[vector / 64], bit) & bit) != 0;",
         "&pid->pir[0], bit) & bit) != 0;")),
    pid("record by load and store", "10b", "",
        ("    return (vtdpi_atomic_or64(&pid->pir[vector / 64], bit) & bit)"
         " != 0;",
         "    const uint64_t was = vtdpi_atomic_load64(&pid->pir[vector / 64]);"
         "\n\n    vtdpi_atomic_store64_release(&pid->pir[vector / 64],\n"
         "                                 was | bit);\n"
         "    return (was & bit) != 0;")),
    pid("notify ignores SN", "3a", "",
        ("((old & VTDPI_PID_SN) != 0 && !urgent)", "(urgent && false)")),
    pid("notify: control loaded twice", "1c", "control word loaded twice",
        (NOTIFY_CAS,
         "        uint64_t now = vtdpi_atomic_load64(&pid->control);\n\n"
         "        if (n.result != VTDPI_POST_NOTIFY ||\n"
         "            vtdpi_atomic_cas64(&pid->control, &now,\n"
         "                               old | VTDPI_PID_ON))\n"
         "            break;\n        old = now;\n    } while (true);\n\n"
         "    n.nv")),
    vcpu("notify before record", "1c", "ON and PIR in the wrong order",
          ("    (void)vtdpi_pid_record(vtdpi_vcpu_pid(v), vector);\n"
           "    return vtdpi_vcpu_notify(v, urgent);",
           "    const enum vtdpi_post_result r = vtdpi_vcpu_notify(v, urgent);\n\n"
           "    (void)vtdpi_pid_record(vtdpi_vcpu_pid(v), vector);\n"
           "    return r;")),
    # Harvest.
    pid("harvest only if ON", "3a", "posts under SN",
        (CLEAR_ON,
         "    if ((vtdpi_atomic_load64(&pid->control) & VTDPI_PID_ON) == 0) {\n"
         "        out[0] = out[1] = out[2] = out[3] = 0;\n"
         "        return false;\n    }\n"
         "    (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);\n\n")),
    pid("harvest leaves ON", "1c", "", (CLEAR_ON, "")),
    pid("harvest clears ON after PIR", "3a", "ON and PIR in the wrong order",
        (CLEAR_ON, ""),
        (HARVESTED, "        any |= out[i];\n    }\n" + CLEAR_ON +
         "    return any != 0;")),
    pid("harvest clears ON before and after PIR", "14", "",
        (HARVESTED, "        any |= out[i];\n    }\n" + CLEAR_ON +
         "    return any != 0;")),
    pid("harvest clears ON between the words of PIR", "3a", "",
        (CLEAR_ON, ""),
        ("        if (out[i] != 0)\n            out[i] = vtdpi_atomic_xchg64",
         "        if (i == 2 && (vtdpi_atomic_load64(&pid->control) &\n"
         "                       VTDPI_PID_ON) != 0)\n"
         "            (void)vtdpi_atomic_and64(&pid->control,\n"
         "                                     ~VTDPI_PID_ON);\n"
         "        if (out[i] != 0)\n"
         "            out[i] = vtdpi_atomic_xchg64")),
    pid("harvest returns what it loaded", "10b", "",
        ("            out[i] = vtdpi_atomic_xchg64(&pid->pir[i], 0);",
         "            (void)vtdpi_atomic_xchg64(&pid->pir[i], 0);")),
    pid("harvest clears PIR by a plain store", "10b", "",
        ("            out[i] = vtdpi_atomic_xchg64(&pid->pir[i], 0);",
         "            vtdpi_atomic_store64_release(&pid->pir[i], 0);")),
    pid("harvest drops ON by a plain store", "3a", "plain stores to a shared word",
        ("        (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);\n\n",
         "        vtdpi_atomic_store64_release(\n"
         "            &pid->control,\n"
         "            vtdpi_atomic_load64(&pid->control) & ~VTDPI_PID_ON);\n\n"
         )),
    pid("merge: IRR by load and store", "21a", "",
        ("                (void)vtdpi_atomic_or32(&irr[i * VTDPI_VAPIC_IRR_STRIDE], bits);",
         "            {\n"
         "                uint32_t *const word = &irr[i * VTDPI_VAPIC_IRR_STRIDE];\n"
         "                const uint32_t was = vtdpi_atomic_load32_acquire(word);\n\n"
         "                /* A place where others may come in between. */\n"
         "                (void)vtdpi_atomic_load32_acquire(word);\n"
         "                *word = was | bits;\n            }")),
    # Control.
    pid("replace drops ON", "3c", "control word loaded twice",
        ("(old & ~mask) | value));",
         "(old & ~mask & ~VTDPI_PID_ON) | value));")),
    pid("replace: control loaded twice", "3c", "control word loaded twice",
        ("    } while (!vtdpi_atomic_cas64(&pid->control, &old, "
         "(old & ~mask) | value));",
         "        uint64_t now = vtdpi_atomic_load64(&pid->control);\n\n"
         "        if (vtdpi_atomic_cas64(&pid->control, &now,\n"
         "                               (old & ~mask) | value))\n"
         "            break;\n        old = now;\n    } while (true);")),
    pid("replace by a plain store", "3c", "plain stores to a shared word",
        ("    } while (!vtdpi_atomic_cas64(&pid->control, &old, "
         "(old & ~mask) | value));",
         "        vtdpi_atomic_store64_release(&pid->control,\n"
         "                                     (old & ~mask) | value);\n"
         "    } while (false);")),
    # Claims.
    irq("claim by a plain store", "24a", "",
        ("        if (vtdpi_atomic_cas64(&irq->claim, &w, w | CLAIM_HELD))\n"
         "            return true;\n",
         "        vtdpi_atomic_store64_release(&irq->claim, w | CLAIM_HELD);\n"
         "        return true;\n")),
    irq("host form is published by a plain store", "24a", "",
        (PUBLISH, "    vtdpi_atomic_store64_release(&irq->claim, next);\n")),
    irq("host form is published by a read-modify-write", "24a", "",
        (PUBLISH, "    (void)vtdpi_atomic_xchg64(&irq->claim, next);\n")),
    irq("host forms have one place", "24b/2", "",
        (PLACE, "place_write(&irq->deferred[0], host);"),
        ("(second ? CLAIM_PLACE : 0)", "0")),
    irq("host form is published before it is written", "24b/2", "",
        ("    " + PLACE + "\n", ""),
        (PUBLISH, PUBLISH + "    " + PLACE + "\n")),
    irq("number of the host form does not change", "24b/2", "",
        (NEXT, "    next = w & ~CLAIM_PLACE;\n")),
    irq("reference of the host form before is not given back", "24a/2", "",
        (GIVE_BACK, "    (void)again;\n")),
    irq("reference of the host form before is given back too early", "24b/2",
        "", (GIVE_BACK, ""), ("    " + PLACE + "\n", GIVE_BACK + "    " + PLACE + "\n")),
    irq("holder lets go without a look", "24a", "",
        (TAKE_OVER,
         "        if (!deferred)\n"
         "            (void)vtdpi_atomic_xchg64(&irq->claim, w & ~CLAIM_HELD);\n"
         "        else if (!vtdpi_atomic_cas64(&irq->claim, &w,\n"
         "                                     w & ~CLAIM_DEFERRED))\n"
         "            continue;\n")),
    irq("holder does not look again after it has taken a host form", "24b", "",
        ("        (void)irq_set_host_claimed(irq, &host);\n"
         "        w = vtdpi_atomic_load64_acquire(&irq->claim);\n",
         "        (void)irq_set_host_claimed(irq, &host);\n"
         "        (void)vtdpi_atomic_and64(&irq->claim, ~CLAIM_HELD);\n"
         "        return;\n")),
    irq("holder takes a host form by a plain store", "24b", "",
        (TAKE_OVER,
         "        if (deferred)\n"
         "            vtdpi_atomic_store64_release(&irq->claim,\n"
         "                                         w & ~CLAIM_DEFERRED);\n"
         "        else if (!vtdpi_atomic_cas64(&irq->claim, &w,\n"
         "                                     w & ~CLAIM_HELD))\n"
         "            continue;\n")),
    irq("holder reads the host form after it has taken it", "24b/2", "",
        ("        (void)irq_set_host_claimed(irq, &host);\n",
         "        host = place_read(&irq->deferred[claim_place(w)]);\n"
         "        (void)irq_set_host_claimed(irq, &host);\n")),
    irq("set_host waits for the holder", "24a", "",
        ("        if (irq_defer(irq, host))\n"
         "            return VTDPI_IRQ_DEFERRED;\n", "")),
    irq("claim ends before the change", "24a", "",
        ("    rc = irq_do_clean(irq, &order);\n    irq_release(irq);\n"
         "    return rc;\n}\n\n/* The same in a batch. */",
         "    irq_release(irq);\n    rc = irq_do_clean(irq, &order);\n"
         "    return rc;\n}\n\n/* The same in a batch. */")),
    # Bindings.
    bind("end does not compare marks", "25a", "",
         ("again = b->mark != 0 || b->flight.rc == VTDPI_EINFLIGHT;",
          "again = b->flight.rc == VTDPI_EINFLIGHT;")),
    bind("mark of a binding in flight has no number", "25a", "",
         ("    b->vm->marks++;\n    if (b->mark == 0)\n",
          "    if (b->state == STATE_FLYING)\n        return;\n"
          "    b->vm->marks++;\n    if (b->mark == 0)\n")),
    bind("mark takes a binding out of flight", "25a", "",
         ("    if (b->state == STATE_FLYING || b->state == STATE_DUE)\n",
          "    if (b->state == STATE_DUE)\n")),
    bind("begin takes a binding in flight", "25b", "",
         ("        if (b->state == STATE_DUE || (b->state",
          "        if (b->state == STATE_DUE || b->state == STATE_FLYING ||\n"
          "            (b->state")),
    bind("end does not take again what was marked", "25b", "",
         ("        if (b->flight.tries < FLIGHT_TRIES) {\n"
          "            work_take(w, b, (uint8_t)(b->flight.tries + 1));\n"
          "        } else {\n"
          "            state_enter_due(b);\n"
          "            w->due = true;\n"
          "        }\n", "")),
    bind("end forgets what was marked twice", "25a", "",
         ("            state_enter_due(b);\n            w->due = true;\n", "")),
    bind("stale flight counts as up to date", "25c", "",
         ("    if (b->state != STATE_FAILED && b->mark != 0 &&",
          "    if (b->state == STATE_DUE && b->mark != 0 &&")),
    bind("flight between the change and the begin counts as older", "25b/2", "",
         ("           b->flight.mark <= w->mark;", "           false;")),
    bind("flights have no number", "25c/2", "",
         ("    b->flight.number = ++b->vm->flights;",
          "    b->flight.number = b->vm->flights;")),
    bind("begin without names does not look at what is in flight", "25b", "",
         ("        work_note_list(w, vm->flying);\n", "")),
    bind("begin with names does not look at what is in flight", "25a", "",
         ("    if (b->state == STATE_FLYING)\n"
          "        w->in_flight = true;\n"
          "    else if (b->state == STATE_DUE)",
          "    if (b->state == STATE_DUE)")),
    bind("binding in flight has no hold", "25c", "",
         ("    if (v != NULL && vtdpi_vcpu_hold(v) != 0) {", "    if (false) {"),
         (UNHOLD, "    /* Affinity")),
    bind("hold of the flight is not given back", "25c", "", (UNHOLD, "    /* Affinity")),
    bind("hold of the VM is not given back", "25b", "",
         ("        vtdpi_vcpu_unhold(v);\n    return rc;",
          "        (void)v;\n    return rc;")),
    bind("detach does not mark what leaves the vCPU", "25b", "",
         ("    if (v != NULL)\n        mark_leaving(vm, v);\n", "")),
    bind("detach marks before the map forgets the vCPU", "25c", "",
         ("    rc = vm_vcpu_set(vm, vcpu, NULL);\n",
          "    rc = vm_vcpu_set(vm, vcpu, v);\n    vm->vcpus[vcpu] = NULL;\n")),
    bind("end records the message and not the copy", "25a", "",
         ("    b->vector = b->flight.vector;\n    state_leave(b);",
          "    b->vector = b->msg.vector;\n    state_leave(b);")),
    bind("batch is not committed", "25a", "",
         ("    rc = vtdpi_irq_batch_commit(&batch);\n", "    rc = 0;\n")),
    bind("binding in flight is released", "25d", "",
         ("    if (b->state != STATE_DONE)\n        return VTDPI_EBUSY;\n",
          "    if (b->state == STATE_DUE)\n        return VTDPI_EBUSY;\n")),
    # The host's own MSIs.
    hostmsi("demux: no look after ON is cleared", "26a",
            "ON and PIR in the wrong order",
            (LAST_LOOK, "    (void)vtdpi_pid_test_and_clear_on(&h->pid);\n"
                        "    return false;\n")),
    hostmsi("demux: ON is cleared after the last look", "26a",
            "ON and PIR in the wrong order",
            (LAST_LOOK, "    const bool any = vtdpi_pid_take(&h->pid, out);\n\n"
                        "    (void)vtdpi_pid_test_and_clear_on(&h->pid);\n"
                        "    return any;\n")),
    hostmsi("demux: last look leaves ON", "26a", "",
            (LAST_LOOK, "    return vtdpi_pid_take(&h->pid, out);\n")),
    hostmsi("demux: leaves with ON when the looks are used up", "26a", "",
            (LOOK_WITH_ON,
             "    if (--*looks == 0)\n        return false;\n"
             "    if (vtdpi_pid_take(&h->pid, out))\n        return true;\n"
             "    *looks = 0;\n")),
    hostmsi("demux: leaves with ON when PIR is empty", "26a", "",
            ("            return true;\n        *looks = 0;\n",
             "            return true;\n        return *looks = 0;\n")),
    hostmsi("demux: last look only if nothing came before", "26a", "",
            ("        if (vtdpi_pid_take(&h->pid, out))\n            return true;\n",
             "        if (vtdpi_pid_take(&h->pid, out)) {\n"
             "            if (*looks == 1) {\n                *looks = 0;\n"
             "                (void)vtdpi_pid_test_and_clear_on(&h->pid);\n"
             "            }\n            return true;\n        }\n")),
    hostmsi("demux: ON is cleared before PIR was empty, by a plain store", "26a",
            "plain stores to a shared word",
            (LAST_LOOK, "    vtdpi_atomic_store64_release(\n"
                        "        &h->pid.control,\n"
                        "        vtdpi_atomic_load64(&h->pid.control) &\n"
                        "            ~VTDPI_PID_ON);\n"
                        "    return vtdpi_pid_take(&h->pid, out);\n")),
    hostmsi("demux: a word of PIR is handled only in its lowest vector", "26a", "",
            ("        while (bits != 0) {", "        if (bits != 0) {")),
    hostmsi("demux: word 0 of PIR is taken for all", "26a", "",
            ("        uint64_t bits = set[i];", "        uint64_t bits = set[0];")),
    hostmsi("pCPU goes: no last harvest", "26f", "",
            (OFFLINE_HARVEST,
             "    out[0] = out[1] = out[2] = out[3] = 0;\n")),
    hostmsi("pCPU goes: last harvest before the close", "26f", "",
            (OFFLINE_CLOSE, ""),
            (OFFLINE_HARVEST, "    (void)vtdpi_pid_harvest(&h->pid, out);\n"),
            ("    return rc;\n}\n\nbool", "    return vtdpi_target_close(&h->target);\n}\n\nbool")),
    hostmsi("pCPU goes: with references open", "26e", "freed while an entry names it",
            (OFFLINE_CLOSE, "    const int rc = 0;\n\n"
             "    vtdpi_atomic_store64_release(&h->target.refs, 0);\n")),
    hostmsi("pCPU goes: not closed", "26f", "",
            (OFFLINE_CLOSE, "    const int rc = 0;\n")),
    hostmsi("pCPU comes: SN stays set", "26a", "",
            ("    (void)vtdpi_pid_test_and_clear_sn(&h->pid);\n", "")),
    hostmsi("pCPU comes: opened while interrupts name it", "26e", "",
            ("    rc = vtdpi_target_init(&h->target, h->target.pda, h->target.mode);\n",
             "    vtdpi_atomic_store64_release(&h->target.refs, 0);\n"
             "    rc = vtdpi_target_init(&h->target, h->target.pda, h->target.mode);\n")),
    hostmsi("NDST of xAPIC mode", "26a", "",
            ("vtdpi_ndst_from_apic_id(mode, apic_id)", "apic_id << 8")),
    irq("move of a host form in posted format is not drained", "26b", "",
        ("    if (vtdpi_irte_is_posted(&irq->live.irte))\n        irq->drain = true;\n", "")),
    irq("guest's form over a host form goes without a drain", "26d", "",
        ("    if (vtdpi_irte_is_posted(&irq->live.irte))\n        irq->drain = true;\n",
         "    if (vtdpi_irte_is_posted(&irq->live.irte) && irq->target == NULL)\n"
         "        irq->drain = true;\n")),
    irq("reference of the host form in force is given back before the flush", "26c",
        "freed while an entry names it",
        ("    if (irq->live.target != NULL)\n"
         "        irq->stale[irq->stale[0] == NULL ? 0 : 1] = irq->live.target;\n",
         "    target_unref(irq->live.target);\n")),
    # Entries of the PID-pointer table.
    ipiv("set takes no reference", "27a", "freed while an entry names it",
         ("        err = vtdpi_target_ref(target);\n", "        err = 0;\n"),
         ("    vtdpi_target_unref(target);\n    return 0;", "    return 0;")),
    ipiv("set takes the reference after the entry is valid", "27a/2", "",
         ("        err = vtdpi_target_ref(target);\n", "        err = 0;\n"),
         (ENTRY_SET, ENTRY_SET + "    (void)vtdpi_target_ref(target);\n")),
    ipiv("clear gives the reference back", "27b",
         "freed while an entry names it",
         (ENTRY_CLEAR,
          ENTRY_CLEAR + "    vtdpi_target_unref(t->targets[id]);\n"),
         ("    vtdpi_target_unref(target);\n    return 0;",
          "    (void)target;\n    return 0;")),
    ipiv("the valid bit is written before the address", "27a/2", "",
         (ENTRY_SET, "    vtdpi_atomic_store64_release(&t->entries[id], "
                     "VTDPI_IPIV_VALID);\n" + ENTRY_SET)),
    ipiv("an entry is written in two halves", "27b/2", "",
         (ENTRY_SET, "    vtdpi_atomic_store64_release(\n"
                     "        &t->entries[id],\n"
                     "        (uint32_t)target->pda | VTDPI_IPIV_VALID);\n" +
                     ENTRY_SET)),
    ipiv("the address is cleared before the valid bit", "27a", "",
         (ENTRY_CLEAR,
          "    vtdpi_atomic_store64_release(&t->entries[id], "
          "VTDPI_IPIV_VALID);\n" + ENTRY_CLEAR)),
    ipiv("clear by a plain store", "27a/1/tso",
         "plain stores to a shared word",
         (ENTRY_CLEAR,
          "    vtdpi_atomic_store64_release(&t->entries[id], 0);\n")),
    ipiv("clear does not clear", "27a", "",
         (ENTRY_CLEAR, "")),
    ipiv("set over an entry that is set", "27b", "",
         ("err == 0 && t->targets[id] != NULL)\n        err =",
          "err == 0 && t->targets[id] != NULL && !entry_is_valid(t, id))\n"
          "        err =")),
    ipiv("set over an entry that is not settled", "27b", "",
         ("err == 0 && t->targets[id] != NULL)\n        err =",
          "err == 0 && entry_is_valid(t, id))\n        err =")),
    ipiv("settled gives the reference back twice", "27b", "",
         ("    t->targets[id] = NULL;\n    vtdpi_target_unref",
          "    vtdpi_target_unref")),
    ipiv("settled gives the reference of an entry that is set back", "27b", "",
         ("    else if (err == 0 && entry_is_valid(t, id))\n"
          "        err = VTDPI_EBUSY;\n", "")),
    ipiv("settled gives nothing back", "27a", "",
         ("    vtdpi_target_unref(target);\n    return 0;",
          "    (void)target;\n    return 0;")),
]

# Errors of the host, which no patch of the library makes; see world.h.
HOST_BUGS = [
    host("mark-after-block", "1c", "woken mark set too late"),
    host("enter-after-pending", "1a", "entry without run"),
    host("move-without-run", "3a", "entry without run"),
    host("no-kick-on-attach", "12", "a device for a sleeping vCPU"),
    host("switch-unmarked", "13b", "woken mark set too late"),
    host("detach-at-once", "6b", "detach against scans"),
    host("unref-before-flush", "11", "freed while an entry names it"),
    host("release-before-flush", "28b", "freed while an entry names it"),
    host("handlers-overlap", "18d", "scans that overlap"),
    host("handler-told-first-vector", "18a", ""),
    host("sleeps-again", "9", "one wake for each block"),
    host("frees-vector-at-once", "26b", ""),
    host("harvests-before-move", "26b", ""),
    host("no-look-when-online", "26e", ""),
    host("settled-at-once", "27a", "freed while an entry names it"),
    host("enters-unfenced", "27a/1/tso", ""),
    host("no-wake-after-set", "27d", "a device for a sleeping vCPU"),
]

# Kept out of the count: nothing that can be observed depends on them.
EQUIVALENT = [
    same_host("arms-plainly",
          "The locked operation that sets the blocked bit makes the store visible before block looks at the wake mark. A wake that the store overwrites came from a handler that set the wake mark before that look, and block clears it."),
    same_pcpu("handler does not skip those who are marked",
          "The locked operation that sets the wake marks says which of them the handler has changed, and the handler wakes only those. The change gives up that a pass does not read the PIDs of those already woken.",
          (LOOK_AT_MARKS, "")),
    same_pcpu("handler wakes all whom it found unmarked",
          "Handlers of one pCPU exclude one another, and each pCPU has its own wake marks. So nobody else sets a mark between the handler's look and its locked operation.",
          (WOKEN, WAKE_ALL)),
    same_pcpu("handler looks at the pages of all vectors",
          "The handler wakes every vCPU with ON set, whichever vector was sent. The handler of the other vector follows, and wakes may be spurious. The change gives up what several vectors save.",
          (OWN, "UINT64_MAX")),
    same_vcpu("detach leaves the cookie",
          "Detach clears the bit and waits for every scan that may have seen the bit. No later scan finds the slot. Taking the cookie back only ends the wakes sooner.",
          ("    (void)vtdpi_atomic_xchg_ptr(&page->cookie["
           "v->slot % VTDPI_PAGE_SLOTS],\n                                NULL);"
           "\n", "    (void)page;\n")),
    same_vcpu("detach withdraws by a plain store",
          "The locked operations on the references and on the bit stand between withdrawing the vCPU and reading the sequences, too. The release of the slot empties the store buffer.",
          ("    (void)vtdpi_atomic_xchg_ptr(&page->cookie["
           "v->slot % VTDPI_PAGE_SLOTS],\n                                NULL);"
           "\n",
           "    vtdpi_atomic_store_ptr_release(\n"
           "        &page->cookie[v->slot % VTDPI_PAGE_SLOTS], NULL);\n")),
    same_vcpu("notification skipped when PIR was not empty",
          "A post that notifies set the bit, or the bit was set under SN. The transition that clears SN looks at PIR afterwards. The change is fatal only together with a harvest that looks at ON first, as in Xen.",
          ("    (void)vtdpi_pid_record(vtdpi_vcpu_pid(v), vector);\n"
           "    return vtdpi_vcpu_notify(v, urgent);",
           "    if (vtdpi_pid_record(vtdpi_vcpu_pid(v), vector))\n"
           "        return VTDPI_POST_ALREADY;\n"
           "    return vtdpi_vcpu_notify(v, urgent);")),
    same_pid("notify: does not try again",
          "The compare-and-swap fails because another poster set ON and notifies, or because the owner moved and looks at PIR afterwards.",
          (NOTIFY_CAS,
         "        if (n.result == VTDPI_POST_NOTIFY)\n"
         "            (void)vtdpi_atomic_cas64(&pid->control, &old,\n"
         "                                     old | VTDPI_PID_ON);\n"
         "    } while (false);\n\n    n.nv")),
    same_pid("notify: NV and NDST from a later look",
          "Once ON is set, each way to sleep or to enter looks at ON or PIR itself. So the destination of the one notification no longer matters.",
          ("    n.nv = VTDPI_CAST_(",
         "    old = vtdpi_atomic_load64(&pid->control);\n"
         "    n.nv = VTDPI_CAST_(")),
]

LISTS = {"bugs": MUTANTS, "bugs of the host": HOST_BUGS, "equivalent": EQUIVALENT}
