/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of a vCPU's place and of a pCPU, and the dump of the vCPUs that are
 * blocked on a pCPU. Read the top of vtdpi/sched.h first, and sched_blocked.h
 * for the bitmap.
 *
 * Only shared words are read, never what belongs to an owner (blocked_on), so
 * any CPU may ask at any time. The place follows from the control word alone.
 */
#include "vtdpi/format.h"

#include "format_sink.h"
#include "sched_blocked.h"
#include "sched_internal.h"

/* What the destination of a PID says; NULL if it is none that sched.h makes. */
static VTDPI_COLD const char *place_of(const struct vtdpi_sched *s,
                                       uint32_t slot, uint64_t control)
{
    const struct vtdpi_pid_control c = vtdpi_pid_control_decode(control);

    if (c.nv == s->anv)
        return c.sn ? "preempted" : "running";
    if (s->wnv_count != 0 && c.nv == s->wnv[wnv_index(s, slot)] && !c.sn)
        return "blocked";
    return NULL;
}

static VTDPI_COLD void target_put(struct vtdpi_sink_ *s,
                                  const struct vtdpi_target *t)
{
    /* Relaxed: a count that orders nothing for who prints it. */
    const uint64_t refs = vtdpi_atomic_load64_relaxed(&t->refs);

    vtdpi_sink_bit_(s, "open", (refs & REFS_OPEN) != 0);
    vtdpi_sink_number_(s, "forms", (uint32_t)refs / (uint32_t)REFS_POST);
    vtdpi_sink_number_(s, "holds", refs / REFS_HOLD);
}

VTDPI_COLD size_t vtdpi_format_vcpu(char *buf, size_t size,
                                    const struct vtdpi_vcpu *v)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);
    const struct vtdpi_sched *const sched = v->sched;
    const struct vtdpi_pid *const pid = v->pid;
    const char *place;
    uint64_t control;

    if (sched == NULL || pid == NULL) {
        vtdpi_sink_word_(&s, "place", "detached");
        return vtdpi_sink_end_(&s);
    }
    control = vtdpi_pid_snapshot(pid);
    place = place_of(sched, v->slot, control);
    vtdpi_sink_word_(&s, "place", place != NULL ? place : "unknown");
    vtdpi_sink_number_(
        &s, "APIC",
        vtdpi_apic_id_from_ndst(sched->apic_mode,
                                vtdpi_pid_control_decode(control).ndst));
    vtdpi_sink_number_(&s, "slot", v->slot);
    target_put(&s, &v->target);
    if (!vtdpi_format_pid_fields_(&s, pid) && place == NULL)
        vtdpi_sink_wrong_(&s, "NV and SN are none that sched.h writes");
    return vtdpi_sink_end_(&s);
}

VTDPI_COLD size_t vtdpi_format_pcpu(char *buf, size_t size,
                                    const struct vtdpi_pcpu *p)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    vtdpi_sink_number_(&s, "pCPU", p->number);
    vtdpi_sink_number_(&s, "APIC", p->apic_id);
    vtdpi_sink_number_(&s, "NDST", p->ndst);
    vtdpi_sink_bit_(&s, "online", vtdpi_atomic_load64_relaxed(&p->online) != 0);
    vtdpi_sink_bit_(&s, "scanning",
                    (vtdpi_atomic_load64_relaxed(&p->scan) & 1) != 0);
    return vtdpi_sink_end_(&s);
}

/* A slot whose bit is set: who it is, and what a handler would find. */
static VTDPI_COLD void slot_put(struct vtdpi_sink_ *out,
                                const struct vtdpi_sched *s, uint32_t slot,
                                uint64_t marks)
{
    const struct vtdpi_page_ref *const ref = page_ref(s, page_of_slot(slot));
    const struct vtdpi_pid_page *const page = page_found(ref);
    const struct vtdpi_pid *const pids = page_pids(ref);
    const unsigned int i = slot % VTDPI_PAGE_SLOTS;

    vtdpi_sink_number_(out, "slot", slot);
    if (page == NULL || pids == NULL) {
        vtdpi_sink_wrong_(out, "the PID page of the slot is not present");
        return;
    }
    vtdpi_sink_number_(
        out, "cookie",
        (uintptr_t)vtdpi_atomic_load_ptr_acquire(&page->cookie[i]));
    vtdpi_sink_bit_(out, "mark", (marks & slot_bit(slot)) != 0);
    (void)vtdpi_format_pid_fields_(out, &pids[i]);
}

/*
 * Leaves and not the summary, which may be briefly clear over a bit. A slot
 * whose bit comes or goes while the dump runs is there or not; the cursor is a
 * slot number, so no other slot is skipped or comes twice.
 */
VTDPI_COLD size_t vtdpi_format_blocked_next(char *buf, size_t size,
                                            const struct vtdpi_pcpu *p,
                                            struct vtdpi_format_cursor *cursor)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);
    const uint32_t room = sched_room(p->sched);

    for (uint32_t looked = 0; looked < VTDPI_FORMAT_STEP; looked++) {
        const uint32_t page = (uint32_t)(cursor->at / VTDPI_PAGE_SLOTS);
        uint64_t *leaf;
        uint64_t bits;

        if (page >= room) {
            cursor->done = true;
            break;
        }
        leaf = blocked_leaf(p, page);
        bits = vtdpi_atomic_load64_acquire(leaf) &
               ~UINT64_C(0) << cursor->at % VTDPI_PAGE_SLOTS;
        if (bits != 0) {
            const uint32_t slot =
                page * VTDPI_PAGE_SLOTS + (unsigned int)__builtin_ctzll(bits);

            slot_put(&s, p->sched, slot,
                     vtdpi_atomic_load64_relaxed(wake_marks(leaf)));
            cursor->at = (uint64_t)slot + 1;
            break;
        }
        cursor->at = ((uint64_t)page + 1) * VTDPI_PAGE_SLOTS;
    }
    return vtdpi_sink_end_(&s);
}
