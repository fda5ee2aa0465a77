/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flush of what was changed in a table, on every unit that uses it. Entries
 * are written and cleaned by now (table.c); this file cuts indexes into
 * descriptors, submits, waits and drains.
 *
 * Units are flushed in waves, all units of a wave at the same time. A unit that
 * is off has nothing to flush; commit_unit_is_skipped() says why that is safe beside
 * a unit that is being enabled.
 */
#include "table_commit.h"

#include "internal.h"

/*
 * More descriptors than this for one commit become one global invalidation. Each
 * descriptor costs the unit a fetch and a pass over its cache, and all waits behind it
 * in the queue wait for that. A global invalidation costs a fetch of 16 bytes for the
 * next interrupt of each index, spread over time and devices. So a limit is needed,
 * and a small one is enough: 16 descriptors and their wait fit the smallest ring
 * beside many others, and 512 bytes of stack.
 */
#define COMMIT_DESCS_MAX 16

/* Units that are flushed at the same time; more go in several waves. */
#define COMMIT_WAVE_MAX  8

/*
 * The descriptors for one range. Blocks have the smallest size of which two cover the
 * range, or the largest size that the unit takes. Blocks are aligned, so they may also
 * cover indexes beside the range; the unit then fetches those entries once more, and
 * nothing else happens. Returns the number of descriptors, or COMMIT_DESCS_MAX + 1 if
 * there is no room for them.
 */
static uint32_t commit_encode_range(const struct vtdpi_flush_range *r,
                                    unsigned int order_max,
                                    struct vtdpi_qi_desc *descs, uint32_t used)
{
    unsigned int order = 0;
    uint32_t block;

    while (order < order_max && (UINT32_C(1) << order) < r->count)
        order++;
    block = UINT32_C(1) << order;
    for (uint32_t at = r->first & ~(block - 1); at < r->first + r->count;
         at += block) {
        if (used == COMMIT_DESCS_MAX ||
            vtdpi_qi_encode_iec(&descs[used], (uint16_t)at, order) != 0)
            return COMMIT_DESCS_MAX + 1;
        used++;
    }
    return used;
}

/* The descriptors for one unit; returns how many. */
static uint32_t commit_encode(const struct vtdpi_flush *flush,
                              unsigned int mhmv,
                              struct vtdpi_qi_desc descs[COMMIT_DESCS_MAX])
{
    const unsigned int order_max =
        mhmv < VTDPI_IEC_ORDER_MAX ? mhmv : VTDPI_IEC_ORDER_MAX;
    bool global = flush->global;
    uint32_t used = 0;

    for (uint32_t i = 0; i < flush->used && !global; i++) {
        used = commit_encode_range(&flush->ranges[i], order_max, descs, used);
        global = used > COMMIT_DESCS_MAX;
    }
    if (!global)
        return used;
    vtdpi_qi_encode_iec_global(&descs[0]);
    return 1;
}

/* One unit's share of a commit. */
struct commit_share {
    struct vtdpi_unit *unit;
    struct vtdpi_qi_ticket ticket;
    bool skipped; /* nothing was submitted; rc says why */
    int rc;
};

/*
 * Whether the commit leaves a unit out; @p rc is then its result.
 *
 * Off or suspended: left out. Enabling drops the whole cache, by a global invalidation
 * or by SIRTP. The queue may never have been set up. What the unit had posted has
 * landed: registers were read while it was switched off. FAILED is not off.
 *
 * Being enabled: the unit counts as off until its queue is open, which is before the
 * table is latched. So a change that finds the unit off here has written its entry
 * before the cache is dropped.
 *
 * FOREIGN, left on by another kernel: the unit does not read this table, unless the
 * table is being adopted. Then entries may be in its cache, and the library has no
 * queue there to drop them. The same holds while a unit that is adopted has not
 * latched the table yet.
 *
 * GONE: not asked, because a read may take long. FAILED without a queue: not asked
 * either, because a flush of its write buffer would wait a whole deadline for the
 * command that is stuck.
 */
static bool commit_unit_is_skipped(const struct vtdpi_table *t,
                                   struct vtdpi_unit *unit, int *rc)
{
    switch (vtdpi_unit_state(unit)) {
    case VTDPI_UNIT_OFF:
    case VTDPI_UNIT_SUSPENDED:
    case VTDPI_UNIT_FORSAKEN: /* the host says so */
        return true;
    case VTDPI_UNIT_FOREIGN:
        *rc = vtdpi_table_is_adopted_(t) ? VTDPI_EQOFF : 0;
        return true;
    case VTDPI_UNIT_GONE:
        *rc = VTDPI_EIO;
        return true;
    case VTDPI_UNIT_FAILED:
        if (!vtdpi_qi_is_open_(&unit->qi))
            *rc = VTDPI_EQOFF;
        break;
    default:
        break;
    }
    /* Acquire, after the state: see unit_set_other_table(). */
    if (vtdpi_atomic_load64_acquire(&unit->other_table) != 0)
        *rc = VTDPI_EQOFF;
    return *rc != 0;
}

static VTDPI_NOINLINE int commit_submit(struct vtdpi_unit *unit,
                                        const struct vtdpi_flush *flush,
                                        struct vtdpi_qi_ticket *ticket)
{
    struct vtdpi_qi_desc descs[COMMIT_DESCS_MAX];
    const uint32_t n = commit_encode(flush, unit->caps.mhmv, descs);
    int rc;

    if (n == 0)
        return 0;
    rc = vtdpi_qi_submit(vtdpi_unit_qi(unit), descs, n, ticket);
    /* The ring is sized for submissions of one descriptor each. */
    if (rc == VTDPI_EQFULL && n > 1)
        rc = vtdpi_unit_submit_iec_global(unit, ticket);
    return rc;
}

static void commit_start(struct commit_share *f, const struct vtdpi_table *t,
                         struct vtdpi_unit *unit,
                         const struct vtdpi_flush *flush)
{
    *f = (struct commit_share){.unit = unit};
    f->skipped = commit_unit_is_skipped(t, unit, &f->rc);
    if (f->skipped)
        return;
    if (flush->write_buffer)
        f->rc = vtdpi_unit_flush_write_buffer(unit);
    if (f->rc == 0)
        f->rc = commit_submit(unit, flush, &f->ticket);
}

/* A ticket that was never submitted is all zeros, or holds its error. */
static int commit_finish(struct commit_share *f,
                         const struct vtdpi_flush *flush)
{
    int rc;

    if (f->skipped)
        return f->rc;
    rc = vtdpi_unit_wait(f->unit, &f->ticket, 0);
    if (f->rc != 0)
        rc = f->rc;
    if (rc == 0 && flush->drain)
        rc = vtdpi_unit_drain(f->unit);
    return rc;
}

/*
 * Entries are written by now. All units of a wave work at the same time; each
 * wait has its own deadline, and a unit that fails does not keep the others
 * from being flushed.
 */
int vtdpi_table_commit_(const struct vtdpi_table *t,
                        const struct vtdpi_flush *flush)
{
    const struct vtdpi_table_unit *u = vtdpi_table_units_(t);
    int first_rc = 0;

    while (u != NULL) {
        struct commit_share wave[COMMIT_WAVE_MAX];
        uint32_t n = 0;

        for (; u != NULL && n < COMMIT_WAVE_MAX; u = vtdpi_table_next_unit_(u))
            commit_start(&wave[n++], t, u->unit, flush);
        for (uint32_t i = 0; i < n; i++) {
            const int rc = commit_finish(&wave[i], flush);

            if (first_rc == 0)
                first_rc = rc;
        }
    }
    return first_rc;
}
