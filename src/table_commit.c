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
 * More descriptors than this for one commit become one global invalidation. A
 * descriptor costs the unit a fetch and a pass over its cache, one after the
 * other and before anybody's wait behind them; a global one costs a fetch of 16
 * bytes for each interrupt that is raised next, spread over time and devices.
 * So a limit is needed, and not a large one: 16 and their wait fit the smallest
 * ring beside many others, and 512 bytes of stack.
 */
#define COMMIT_DESCS_MAX 16

/* Units that are flushed at the same time; more go in several waves. */
#define COMMIT_WAVE_MAX  8

/*
 * The descriptors for one range: blocks of the smallest size with which two
 * suffice, or of the largest that the unit takes. Blocks are aligned, so they
 * may cover neighbours; that costs those a refetch and nothing else. Returns
 * how many, or COMMIT_DESCS_MAX + 1 if there is no room for them.
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
 * A unit that is off or suspended has no cache: enabling comes with a global
 * invalidation, or a SIRTP that does the same. Its queue may never have been
 * set up. What it had posted has landed: registers were read on its way to off.
 * A unit that failed on that way is not off. A unit on its way to on counts as
 * off only until its queue is open, which is before the table is latched: a
 * change that finds it off here has written its entry in time for that
 * invalidation.
 *
 * A unit that another kernel left on does not read this table, unless the table
 * is being adopted: then entries may be in its cache, and no queue of ours can
 * drop them. The same while a unit that is adopted has not latched the table yet. A
 * unit that does not answer is not asked: a read may take long. Nor
 * is one that failed and has no queue: its write buffer would be flushed after a
 * deadline, behind the command that is stuck.
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
