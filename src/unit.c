/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A remapping unit: global commands, the steps of enabling and disabling, and
 * the life made of them. Read the states in unit.h first.
 *
 * Three places decide. command_run() is the only writer of GCMD, and issues
 * nothing over a command that may still be executing. unit_set_state() has the
 * order against commits, which skip a unit that is off. unit_go_off() is the
 * only way to off: one read has shown that neither remapping nor the queue is on.
 */
#include "vtdpi/unit.h"

#include "internal.h"
#include "vtdpi/atomic.h"

/* Bits of GCMD that last; a new command repeats them as GSTS shows them. */
#define GCMD_LASTING                                               \
    ((uint32_t)(VTDPI_GCMD_TE | VTDPI_GCMD_EAFL | VTDPI_GCMD_QIE | \
                VTDPI_GCMD_IRE | VTDPI_GCMD_CFI))

/* What a host may command, on and off; the rest belongs to enable and disable.
 * Advanced fault logging would take the records away from fault.h. */
#define GCMD_HOST_ON \
    ((uint32_t)(VTDPI_GCMD_TE | VTDPI_GCMD_SRTP | VTDPI_GCMD_WBF))
#define GCMD_HOST_OFF ((uint32_t)(VTDPI_GCMD_TE | VTDPI_GCMD_EAFL))

/* The bits under names that fit a 32-bit register. */
#define GCMD_TE       ((uint32_t)VTDPI_GCMD_TE)
#define GCMD_EAFL     ((uint32_t)VTDPI_GCMD_EAFL)
#define GCMD_WBF      ((uint32_t)VTDPI_GCMD_WBF)
#define GCMD_QIE      ((uint32_t)VTDPI_GCMD_QIE)
#define GCMD_IRE      ((uint32_t)VTDPI_GCMD_IRE)
#define GCMD_SIRTP    ((uint32_t)VTDPI_GCMD_SIRTP)
#define GCMD_CFI      ((uint32_t)VTDPI_GCMD_CFI)
#define FECTL_IM      ((uint32_t)VTDPI_FECTL_IM)

/*
 * Release: pairs with the acquire of vtdpi_unit_state() in a commit, so that
 * who finds the queue open finds it set up. The store is also visible before
 * the register writes that follow it (write32's contract), SIRTP and the global
 * flush among them: a change that still reads OFF has written its entry before
 * those. Otherwise it would skip its flush while the unit caches the old entry.
 */
static void unit_set_state(struct vtdpi_unit *u, enum vtdpi_unit_state state)
{
    vtdpi_atomic_store64_release(&u->state, (uint64_t)state);
}

/* A set of states. */
#define UNIT_STATE(name) (1u << VTDPI_UNIT_##name)

static bool unit_is_in(const struct vtdpi_unit *u, unsigned int states)
{
    return (1u << vtdpi_unit_state(u) & states) != 0;
}

/*
 * Relaxed: the word orders nothing, vtdpi_unit_stuck() only reports it. A plain
 * store would race with that function, which runs beside any command.
 */
static void unit_set_stuck(struct vtdpi_unit *u, uint32_t bit)
{
    vtdpi_atomic_store64_relaxed(&u->stuck, bit);
}

/*
 * A unit that is adopted goes on remapping with the other kernel's table until SIRTP
 * has latched ours, or a read has shown IRES = 0. Its queue is ours before that, but
 * an invalidation only makes it read that table again. So commits do not count on it.
 *
 * Release: the word is set before the state is QUEUE, so a commit that acquires QUEUE
 * finds it set; and cleared after the latch, so a commit that finds it clear submits
 * its invalidation behind the latch. Left out, an adoption could end, and an index be
 * freed, while the unit delivers by the old table.
 */
static void unit_set_other_table(struct vtdpi_unit *u, bool on)
{
    vtdpi_atomic_store64_release(&u->other_table, on);
}

/*
 * Commands.
 */

/* Poll GSTS until @p bit is as wanted. With the lock held: nobody else may
 * issue a command before this one is done. */
static VTDPI_COLD int gsts_wait(const struct vtdpi_unit *u, uint32_t bit,
                                bool set)
{
    const uint64_t start = u->ops->now_us(u->ctx);

    for (;;) {
        /* Before the poll, so that one poll follows the deadline. */
        const uint64_t now = u->ops->now_us(u->ctx);
        const uint32_t gsts = vtdpi_rd32_(u->ops, u->ctx, VTDPI_GSTS_REG);

        if (gsts == VTDPI_ALL_ONES32_)
            return VTDPI_EIO;
        if (((gsts & bit) != 0) == set)
            return 0;
        if (now - start >= VTDPI_CMD_TIMEOUT_US)
            return VTDPI_ETIMEDOUT;
        vtdpi_relax_(u->ops, u->ctx);
    }
}

static VTDPI_COLD int command_issue(struct vtdpi_unit *u, uint32_t bit, bool on)
{
    const uint32_t gsts = vtdpi_rd32_(u->ops, u->ctx, VTDPI_GSTS_REG);
    uint32_t value = gsts & GCMD_LASTING & ~bit;
    int rc;

    if (gsts == VTDPI_ALL_ONES32_)
        return VTDPI_EIO;
    /* What is so already is not written. */
    if ((bit & GCMD_LASTING) != 0 && ((gsts & bit) != 0) == on)
        return 0;
    if (on)
        value |= bit;
    vtdpi_wr32_(u->ops, u->ctx, VTDPI_GCMD_REG, value);
    /* WBFS is set as long as the flush runs, the others when it is done. */
    rc = gsts_wait(u, bit, on && bit != GCMD_WBF);
    if (rc == VTDPI_ETIMEDOUT) {
        unit_set_stuck(u, bit);
        u->pending = bit;
        u->pending_set = on && bit != GCMD_WBF;
    }
    return rc;
}

/* A command that timed out may still be executing, and none may be issued
 * before it is done: give it one more deadline. */
static VTDPI_COLD int command_await_pending(struct vtdpi_unit *u)
{
    const int rc = gsts_wait(u, u->pending, u->pending_set);

    if (rc == 0)
        u->pending = 0;
    return rc;
}

/*
 * Gives a command that timed out one more deadline, and then takes it for lost. Without
 * that decision of the caller, a unit that has lost a command would never get another
 * command.
 */
static VTDPI_COLD void command_count_as_lost(struct vtdpi_unit *u)
{
    const uintptr_t token = u->ops->lock(u->ctx);

    if (u->pending != 0)
        (void)command_await_pending(u);
    u->pending = 0;
    u->ops->unlock(u->ctx, token);
}

/* The only writer of GCMD. Each wait has its own lock hold. A CPU that gets the
 * lock looks again for a command that timed out, maybe just before. Nothing is
 * written over it. */
static VTDPI_COLD int command_run(struct vtdpi_unit *u, uint32_t bit, bool on)
{
    uintptr_t token = u->ops->lock(u->ctx);
    int rc = 0;

    while (u->pending != 0 && rc == 0) {
        rc = command_await_pending(u);
        u->ops->unlock(u->ctx, token);
        token = u->ops->lock(u->ctx);
    }
    if (rc == 0)
        rc = command_issue(u, bit, on);
    u->ops->unlock(u->ctx, token);
    if (rc == VTDPI_ETIMEDOUT)
        vtdpi_log_(u->ops, u->ctx, VTDPI_LOG_ERROR,
                   "a global command did not complete");
    return rc;
}

int vtdpi_unit_command(struct vtdpi_unit *unit, uint32_t bit, bool on)
{
    const uint32_t allowed = on ? GCMD_HOST_ON : GCMD_HOST_OFF;

    if ((bit & ~allowed) != 0 || !vtdpi_is_power_of_2_(bit))
        return VTDPI_EINVAL;
    return command_run(unit, bit, on);
}

static uint32_t gsts_read(const struct vtdpi_unit *u)
{
    return vtdpi_rd32_(u->ops, u->ctx, VTDPI_GSTS_REG);
}

/*
 * Steps of enabling and disabling.
 */

/*
 * The event still has the message of the user of before, maybe that of
 * another kernel, and the host has not cleared what is pending. So the event is
 * masked until the host enables it, which is also when FECTL is next written.
 */
static VTDPI_COLD void event_mask(const struct vtdpi_unit *u)
{
    const uint32_t fectl = vtdpi_rd32_(u->ops, u->ctx, VTDPI_FECTL_REG);

    if ((fectl & FECTL_IM) == 0)
        vtdpi_wr32_(u->ops, u->ctx, VTDPI_FECTL_REG, fectl | FECTL_IM);
}

static VTDPI_COLD int queue_start(struct vtdpi_unit *u)
{
    int rc;

    vtdpi_qi_program(&u->qi);
    rc = command_run(u, GCMD_QIE, true);
    if (rc != 0)
        return rc;
    vtdpi_qi_open(&u->qi);
    /*
     * Before the table is latched: changes of entries are flushed from here on.
     * One that still finds OFF has written its entry before, so the unit reads
     * the new one, or drops the old one when its whole cache is flushed.
     */
    unit_set_state(u, VTDPI_UNIT_QUEUE);
    return 0;
}

/*
 * A step on the way to off has failed, so nobody knows what is on. Commits do
 * not skip the unit then: they are flushed if the queue is open, else they end
 * with VTDPI_EQOFF. What is on is found out by the next disable.
 *
 * A unit that does not answer executes nothing that is submitted, so its queue
 * is closed, and commits do not try.
 */
static VTDPI_COLD int unit_fail(struct vtdpi_unit *u, int rc)
{
    unit_set_state(u, rc == VTDPI_EIO ? VTDPI_UNIT_GONE : VTDPI_UNIT_FAILED);
    if (rc == VTDPI_EIO)
        vtdpi_qi_abort(&u->qi);
    return rc;
}

/* The only way to OFF, from which commits skip the unit: one read has shown
 * that neither remapping nor the queue is on. A command that was taken for lost
 * may have been executed after all. */
static VTDPI_COLD int unit_go_off(struct vtdpi_unit *u)
{
    const uint32_t gsts = gsts_read(u);

    if (gsts == VTDPI_ALL_ONES32_)
        return unit_fail(u, VTDPI_EIO);
    if ((gsts & (GCMD_IRE | GCMD_QIE)) != 0)
        return unit_fail(u, VTDPI_ETIMEDOUT);
    unit_set_state(u, VTDPI_UNIT_OFF);
    return 0;
}

/* Switch the queue off; the last step. A queue that cannot be drained is
 * switched off, too; what it did not execute is reported. */
static VTDPI_COLD int queue_stop(struct vtdpi_unit *u)
{
    const int drained = vtdpi_qi_close(&u->qi, 0);
    int rc = drained == VTDPI_EIO ? drained : command_run(u, GCMD_QIE, false);

    if (rc != 0)
        return unit_fail(u, rc);
    vtdpi_qi_abort(&u->qi);
    rc = unit_go_off(u);
    if (rc != 0)
        return rc;
    return drained == VTDPI_EQOFF ? 0 : drained;
}

static VTDPI_COLD bool irt_is_extended(const struct vtdpi_unit_irt *irt)
{
    return irt->mode == VTDPI_X2APIC;
}

/* What IRTA is to hold. */
static VTDPI_COLD uint64_t irta_value(const struct vtdpi_unit_irt *irt)
{
    return irt->phys | (irt_is_extended(irt) ? VTDPI_IRTA_EIME : 0) |
           VTDPI_FIELD_PUT(irt->order - 1, VTDPI_IRTA_S);
}

static VTDPI_COLD int table_latch(struct vtdpi_unit *u)
{
    int rc;

    /* What the host wrote into the table is not to hang in a write buffer when
     * the unit starts to read it. */
    rc = vtdpi_unit_flush_write_buffer(u);
    if (rc != 0)
        return rc;
    vtdpi_wr64_(u->ops, u->ctx, VTDPI_IRTA_REG, irta_value(&u->irt));
    rc = command_run(u, GCMD_SIRTP, true);
    if (rc == 0)
        unit_set_other_table(u, false);
    return rc;
}

static VTDPI_COLD int remapping_stop(struct vtdpi_unit *u)
{
    const int rc = command_run(u, GCMD_IRE, false);

    if (rc == 0)
        unit_set_other_table(u, false);
    return rc;
}

/* Entries of another table may be cached, of another user of the unit. */
static VTDPI_COLD int cache_flush(struct vtdpi_unit *u)
{
    struct vtdpi_qi_ticket ticket;
    int rc;

    if (u->caps.esirtps)
        return 0;
    rc = vtdpi_unit_submit_iec_global(u, &ticket);
    return rc != 0 ? rc : vtdpi_qi_wait(&u->qi, &ticket, 0);
}

/* Compatibility-format requests pass by the table unless CFIS is clear. In
 * extended interrupt mode they are blocked whatever CFIS says. */
static VTDPI_COLD int cfi_block(struct vtdpi_unit *u)
{
    const int rc = command_run(u, GCMD_CFI, false);

    if (rc != VTDPI_ETIMEDOUT)
        return rc;
    /* The host may have set accept_cfi, so the command that timed out must not
     * block all later commands. */
    command_count_as_lost(u);
    return irt_is_extended(&u->irt) || u->config.accept_cfi ? 0 : VTDPI_ECFIS;
}

/* EIME outlives IRE: the next user of the unit, a crash kernel or one without
 * remapping, would see its xAPIC destinations misread. */
static VTDPI_COLD int eime_clear(struct vtdpi_unit *u)
{
    const uint64_t irta = vtdpi_rd64_(u->ops, u->ctx, VTDPI_IRTA_REG);
    int rc;

    if (irta == VTDPI_ALL_ONES64_)
        return VTDPI_EIO;
    if ((irta & VTDPI_IRTA_EIME) == 0 && !u->eime_left)
        return 0;
    vtdpi_wr64_(u->ops, u->ctx, VTDPI_IRTA_REG, irta & ~VTDPI_IRTA_EIME);
    rc = command_run(u, GCMD_SIRTP, true);
    /* The next disable tries once more. Not for ever: a unit that has lost SIRTP
     * is to go off. IRTA keeps EIME clear, for a SIRTP that is only late. */
    u->eime_left = rc != 0 && !u->eime_left;
    /* EIME may still be in force. The next disable finds the bit in IRTA, and
     * tries again. */
    if (rc == VTDPI_EIO)
        vtdpi_wr64_(u->ops, u->ctx, VTDPI_IRTA_REG, irta);
    return rc;
}

/*
 * Everything off, newest first. With remapping stuck on, the queue stays:
 * entries are in use and must remain flushable. The same if a command of before
 * is still executing: it may be the one that switches remapping on.
 */
static VTDPI_COLD int unit_take_down(struct vtdpi_unit *u, bool keep)
{
    int rc = remapping_stop(u);
    int first;

    if (rc != 0)
        return unit_fail(u, rc);
    first = eime_clear(u);
    if (first == VTDPI_EIO)
        return unit_fail(u, first);
    if (keep) {
        unit_set_state(u, VTDPI_UNIT_QUEUE);
        return first != 0 ? first : VTDPI_EBUSY;
    }
    rc = queue_stop(u);
    return first != 0 ? first : rc;
}

static VTDPI_COLD int unit_bring_up(struct vtdpi_unit *u)
{
    int rc = table_latch(u);

    if (rc == 0)
        rc = cache_flush(u);
    if (rc == 0)
        rc = command_run(u, GCMD_IRE, true);
    if (rc == 0)
        rc = cfi_block(u);
    if (rc == 0)
        unit_set_state(u, VTDPI_UNIT_ON);
    return rc;
}

/*
 * Life.
 */

/* Let a queue that is not ours come to rest. Bounded, and no error if it does
 * not: it is switched off either way, and its users are gone. */
static VTDPI_COLD void foreign_drain(const struct vtdpi_unit *u)
{
    const uint64_t start = u->ops->now_us(u->ctx);

    for (;;) {
        const uint64_t now = u->ops->now_us(u->ctx);

        if (vtdpi_rd64_(u->ops, u->ctx, VTDPI_IQH_REG) ==
            vtdpi_rd64_(u->ops, u->ctx, VTDPI_IQT_REG))
            return;
        if (now - start >= VTDPI_CMD_TIMEOUT_US)
            return;
        vtdpi_relax_(u->ops, u->ctx);
    }
}

/* Whether the table that the unit uses may be replaced by ours while the unit remaps:
 * with the same size and mode, a request that is programmed into a device selects the
 * same index and is read in the same way. */
static VTDPI_COLD bool foreign_is_adoptable(const struct vtdpi_unit *u,
                                            uint32_t gsts)
{
    const uint64_t irta = vtdpi_rd64_(u->ops, u->ctx, VTDPI_IRTA_REG);

    return u->config.adopt && (gsts & GCMD_IRE) != 0 &&
           ((irta ^ irta_value(&u->irt)) & (VTDPI_IRTA_EIME | VTDPI_IRTA_S)) ==
               0;
}

/* A unit that firmware or another kernel left enabled. If it is adopted only
 * the queue is stopped: what follows then exchanges the table under a unit that
 * is remapping, and drops what it has cached. */
static VTDPI_COLD int foreign_clear(struct vtdpi_unit *u, uint32_t gsts,
                                    bool take_over)
{
    int rc = 0;

    if ((gsts & (GCMD_IRE | GCMD_QIE)) == 0)
        return 0;
    if (foreign_is_adoptable(u, gsts))
        unit_set_other_table(u, true);
    else
        rc = take_over ? remapping_stop(u) : VTDPI_EFOREIGN;
    if (rc != 0)
        return rc;
    if ((gsts & GCMD_QIE) != 0)
        foreign_drain(u);
    return command_run(u, GCMD_QIE, false);
}

static VTDPI_COLD int config_check(const struct vtdpi_unit *u,
                                   const struct vtdpi_unit_config *c)
{
    if (c == NULL)
        return VTDPI_EINVAL;
    if (c->qi.width == VTDPI_QI_256 && !u->caps.smts)
        return VTDPI_EOPNOTSUPP;
    return 0;
}

static VTDPI_COLD bool config_is_same_queue(const struct vtdpi_qi_params *a,
                                            const struct vtdpi_qi_params *b)
{
    return a->ring == b->ring && a->ring_phys == b->ring_phys &&
           a->order == b->order && a->width == b->width &&
           a->status == b->status && a->status_phys == b->status_phys &&
           a->submitters == b->submitters &&
           a->device_timeout_us == b->device_timeout_us;
}

/*
 * The queue object is set up once between two probes. A commit that read ON
 * just before the unit went off may use the object at any time later: it takes
 * the lock, finds the queue closed or open again, and goes by that. What such a
 * commit reads without the lock (sizes, addresses, callbacks) never changes;
 * the rest is reset under the lock, by vtdpi_qi_program().
 */
static VTDPI_COLD int queue_init(struct vtdpi_unit *u,
                                 const struct vtdpi_unit_config *c)
{
    if (u->qi.ops == NULL)
        return vtdpi_qi_init(&u->qi, u->ops, u->ctx, &c->qi);
    return config_is_same_queue(&u->config.qi, &c->qi) ? 0 : VTDPI_EINVAL;
}

/*
 * Relaxed: a commit that finds the queue open has acquired the state, which is
 * stored after this, and so reads this value. A commit that is left over from
 * the life before may read either value; the table is latched behind a flush of
 * the write buffer, which covers the entry of that commit.
 */
static VTDPI_COLD void unit_set_write_buffer(struct vtdpi_unit *u, bool forced)
{
    vtdpi_atomic_store64_relaxed(&u->flush_wb, u->caps.rwbf || forced);
}

/* At the begin and at the end of the life of a unit. The host has seen the
 * time-out, if there was one, and goes on. */
static VTDPI_COLD void unit_forget_failures(struct vtdpi_unit *u)
{
    command_count_as_lost(u);
    unit_set_stuck(u, 0);
}

/*
 * Go on with our queue if the unit still has it on: the host's DMA translation
 * needs the queue, over a suspend as well. 0, VTDPI_EFOREIGN if there is no such
 * queue, or VTDPI_EIO. What another kernel did to a unit that is OFF or FOREIGN
 * is not ours, whatever its registers say.
 */
static VTDPI_COLD int queue_keep(struct vtdpi_unit *u, uint32_t gsts)
{
    if (gsts == VTDPI_ALL_ONES32_)
        return VTDPI_EIO;
    if ((gsts & GCMD_QIE) == 0 ||
        unit_is_in(u, UNIT_STATE(OFF) | UNIT_STATE(FOREIGN)))
        return VTDPI_EFOREIGN;
    return vtdpi_qi_keep_(&u->qi);
}

/* Remapping is off afterwards, or adopted, and the queue is ours or off; @p kept
 * receives which. A unit that is refused is as it was found. */
static VTDPI_COLD int unit_claim(struct vtdpi_unit *u, bool take_over,
                                 bool *kept)
{
    const uint32_t gsts = gsts_read(u);
    int rc = queue_keep(u, gsts);

    *kept = rc == 0;
    if (*kept) {
        rc = remapping_stop(u);
    } else if (rc == VTDPI_EFOREIGN) {
        vtdpi_qi_abort(&u->qi);
        rc = foreign_clear(u, gsts, take_over);
    }
    if (rc == VTDPI_EFOREIGN)
        unit_set_state(u, VTDPI_UNIT_FOREIGN);
    else if (rc != 0)
        (void)unit_fail(u, rc);
    return rc;
}

static VTDPI_COLD int unit_enable(struct vtdpi_unit *u, bool take_over,
                                  bool remap)
{
    bool kept;
    int rc = unit_claim(u, take_over, &kept);

    if (rc != 0)
        return rc;
    event_mask(u);
    /* Faults go to the registers, which fault.h reads. */
    rc = command_run(u, GCMD_EAFL, false);
    /* Before the table is latched, see queue_start(). */
    if (rc == 0 && kept)
        unit_set_state(u, VTDPI_UNIT_QUEUE);
    else if (rc == 0)
        rc = queue_start(u);
    if (rc == 0 && remap)
        rc = unit_bring_up(u);
    if (rc != 0)
        (void)unit_take_down(u, kept);
    return rc;
}

static VTDPI_COLD int caps_check(const struct vtdpi_caps *c,
                                 const struct vtdpi_platform_ops *ops,
                                 uint32_t window_bytes)
{
    if (!c->qi)
        return VTDPI_ENOQI;
    if (!c->ir)
        return VTDPI_ENOIR;
    if (!c->coherent && ops->clean == NULL)
        return VTDPI_EOPNOTSUPP;
    return vtdpi_caps_check_window_(c, window_bytes);
}

/* The object gets its callbacks last, so that nothing can be done with a unit
 * that was refused. */
VTDPI_COLD int vtdpi_unit_probe(struct vtdpi_unit *unit,
                                const struct vtdpi_platform_ops *ops, void *ctx,
                                uint32_t window_bytes)
{
    const struct vtdpi_unit zero = {0};
    uint32_t gsts;
    int rc;

    if (unit == NULL || !vtdpi_ops_ok_(ops) || window_bytes < VTDPI_PAGE_BYTES_)
        return VTDPI_EINVAL;
    *unit = zero;
    rc = vtdpi_caps_decode(vtdpi_rd32_(ops, ctx, VTDPI_VER_REG),
                           vtdpi_rd64_(ops, ctx, VTDPI_CAP_REG),
                           vtdpi_rd64_(ops, ctx, VTDPI_ECAP_REG), &unit->caps);
    if (rc == 0)
        rc = caps_check(&unit->caps, ops, window_bytes);
    if (rc != 0)
        return rc;
    gsts = vtdpi_rd32_(ops, ctx, VTDPI_GSTS_REG);
    if (gsts == VTDPI_ALL_ONES32_)
        return VTDPI_EIO;
    unit->ops = ops;
    unit->ctx = ctx;
    if ((gsts & (GCMD_IRE | GCMD_QIE)) != 0)
        unit_set_state(unit, VTDPI_UNIT_FOREIGN);
    return 0;
}

static VTDPI_COLD bool unit_has_table(const struct vtdpi_unit *u)
{
    return u->irt.order != 0;
}

/* What begins a life of the unit, from one of @p states on. */
static VTDPI_COLD int unit_start(struct vtdpi_unit *u,
                                 const struct vtdpi_unit_config *c,
                                 unsigned int states)
{
    const bool remap = (states & UNIT_STATE(QUEUE)) != 0;
    int rc;

    if (!unit_is_in(u, states))
        return VTDPI_ESTATE;
    if (remap && !unit_has_table(u))
        return VTDPI_ENOTABLE;
    rc = config_check(u, c);
    if (rc == 0)
        rc = queue_init(u, c);
    if (rc != 0)
        return rc;
    u->config = *c;
    u->config.adopt &= remap;
    unit_set_write_buffer(u, c->force_wbf);
    unit_forget_failures(u);
    return unit_enable(u, c->take_over, remap);
}

VTDPI_COLD int vtdpi_unit_enable(struct vtdpi_unit *unit,
                                 const struct vtdpi_unit_config *config)
{
    return unit_start(unit, config,
                      UNIT_STATE(OFF) | UNIT_STATE(FOREIGN) |
                          UNIT_STATE(QUEUE));
}

VTDPI_COLD int vtdpi_unit_open_queue(struct vtdpi_unit *unit,
                                     const struct vtdpi_unit_config *config)
{
    return unit_start(unit, config, UNIT_STATE(OFF) | UNIT_STATE(FOREIGN));
}

VTDPI_COLD int vtdpi_unit_disable(struct vtdpi_unit *unit)
{
    uint32_t gsts;
    int rc = VTDPI_EFOREIGN;

    if (!unit_is_in(unit, UNIT_STATE(ON) | UNIT_STATE(QUEUE) |
                              UNIT_STATE(FAILED) | UNIT_STATE(GONE)))
        return VTDPI_ESTATE;
    unit_forget_failures(unit);
    gsts = gsts_read(unit);
    if ((gsts & GCMD_TE) != 0)
        rc = queue_keep(unit, gsts);
    return rc == VTDPI_EIO ? unit_fail(unit, rc)
                           : unit_take_down(unit, rc == 0);
}

/*
 * A commit that has read the state of before finds the queue closed and ends with
 * VTDPI_EQOFF; one that acquires FORSAKEN skips the unit. The host's promise is
 * older than the store, so nothing that such a commit retires is used any more.
 */
VTDPI_COLD int vtdpi_unit_forsake(struct vtdpi_unit *unit)
{
    uint32_t gsts;

    if (!unit_is_in(unit, UNIT_STATE(FAILED) | UNIT_STATE(GONE)))
        return VTDPI_ESTATE;
    gsts = gsts_read(unit);
    if (gsts != VTDPI_ALL_ONES32_ && (gsts & GCMD_IRE) != 0)
        return VTDPI_EBUSY;
    vtdpi_qi_abort(&unit->qi);
    unit_set_state(unit, VTDPI_UNIT_FORSAKEN);
    return 0;
}

VTDPI_COLD int vtdpi_unit_suspend(struct vtdpi_unit *unit)
{
    int rc;

    if (vtdpi_unit_state(unit) != VTDPI_UNIT_ON)
        return VTDPI_ESTATE;
    rc = vtdpi_unit_disable(unit);
    if (unit_is_in(unit, UNIT_STATE(OFF) | UNIT_STATE(QUEUE)))
        unit_set_state(unit, VTDPI_UNIT_SUSPENDED);
    return rc == VTDPI_EBUSY ? 0 : rc;
}

VTDPI_COLD int vtdpi_unit_resume(struct vtdpi_unit *unit)
{
    bool take_over = unit->config.take_over;

    if (!unit_is_in(unit, UNIT_STATE(SUSPENDED) | UNIT_STATE(FAILED) |
                              UNIT_STATE(GONE)))
        return VTDPI_ESTATE;
    /* vtdpi_unit_open_queue() of a unit without a table has failed before. */
    if (!unit_has_table(unit))
        return VTDPI_ENOTABLE;
    /* A unit that was not read to be off may remap with our table. */
    if (!unit_is_in(unit, UNIT_STATE(SUSPENDED)))
        take_over = true;
    unit->config.adopt = false; /* the table is ours, not what firmware left */
    unit_forget_failures(unit);
    return unit_enable(unit, take_over, true);
}

/*
 * Use.
 */

int vtdpi_unit_flush_write_buffer(struct vtdpi_unit *unit)
{
    if (vtdpi_atomic_load64_relaxed(&unit->flush_wb) == 0)
        return 0;
    return command_run(unit, GCMD_WBF, true);
}

int vtdpi_unit_drain(struct vtdpi_unit *unit)
{
    /* Its answer does not overtake what the unit wrote to memory before. */
    return gsts_read(unit) == VTDPI_ALL_ONES32_ ? VTDPI_EIO : 0;
}

VTDPI_COLD int vtdpi_unit_read_table(const struct vtdpi_unit *unit,
                                     struct vtdpi_unit_irt *out)
{
    const uint64_t irta = vtdpi_rd64_(unit->ops, unit->ctx, VTDPI_IRTA_REG);

    if (irta == VTDPI_ALL_ONES64_)
        return VTDPI_EIO;
    *out = (struct vtdpi_unit_irt){
        .phys = irta & ~(VTDPI_PAGE_BYTES_ - 1),
        .order = (unsigned int)VTDPI_FIELD_GET(irta, VTDPI_IRTA_S) + 1,
        .mode = (irta & VTDPI_IRTA_EIME) != 0 ? VTDPI_X2APIC : VTDPI_XAPIC,
    };
    return 0;
}

int vtdpi_unit_submit_iec(struct vtdpi_unit *unit, uint16_t first,
                          unsigned int order, struct vtdpi_qi_ticket *ticket)
{
    struct vtdpi_qi_desc desc;
    int rc = VTDPI_ERANGE;

    if (order <= unit->caps.mhmv)
        rc = vtdpi_qi_encode_iec(&desc, first, order);
    if (rc == 0)
        return vtdpi_qi_submit(&unit->qi, &desc, 1, ticket);
    vtdpi_qi_reject_(ticket, rc);
    return rc;
}

int vtdpi_unit_submit_iec_global(struct vtdpi_unit *unit,
                                 struct vtdpi_qi_ticket *ticket)
{
    struct vtdpi_qi_desc desc;

    vtdpi_qi_encode_iec_global(&desc);
    return vtdpi_qi_submit(&unit->qi, &desc, 1, ticket);
}

int vtdpi_unit_wait(struct vtdpi_unit *unit, struct vtdpi_qi_ticket *ticket,
                    uint64_t timeout_us)
{
    return vtdpi_qi_wait(&unit->qi, ticket, timeout_us);
}
