/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invalidation queue: when an invalidation is over, and what becomes of a driver
 * whose unit is late, stuck, in error or gone.
 */
#include "phases.h"

#include <string.h>

enum {
    LATE_TICKS = 50,
    TOO_LATE_TICKS = 1000000, /* later than any deadline */
    MANY = 600,               /* changes; some rings have 256 descriptors */
    TRIES = 3,                /* until a queue works again */
    VANISH_MAX = 500,         /* accesses of a call that are tried */
};

static uint64_t tail(void)
{
    return vtdpi_model_peek(&model, VTDPI_IQT_REG);
}

static uint64_t flushes_done(void)
{
    struct vtdpi_model_counters c;

    vtdpi_model_get_counters(&model, &c);
    return c.iec_global + c.iec_index;
}

static uint64_t writes(void)
{
    struct vtdpi_model_counters c;

    vtdpi_model_get_counters(&model, &c);
    return c.writes;
}

/* Invalidations take effect some time after they were fetched. */
static void wait_for(const struct operation *op)
{
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_STATUS_LATE, LATE_TICKS);
    if (op->call() == 0 && flushes_unfinished() != 0)
        find(VTDPI_MODEL_INTERRUPT,
             "%s returns 0 before the invalidation has taken effect", op->name);
}

void phase_wait(void)
{
    for_each_flushing(wait_for);
}

/* The status is written when the wait has long been given up. */
static void late_status(const struct operation *op)
{
    hangs_are_findings(false);
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_STATUS_LATE,
                          TOO_LATE_TICKS);
    (void)op->call();
    stack_is_dead();
    vtdpi_model_tick(&model, 2 * TOO_LATE_TICKS);
}

void phase_late_status(void)
{
    for_each_flushing(late_status);
}

void phase_tail_wrap(void)
{
    begin(&(struct hardware){.no_cache = true});
    for (unsigned int i = 0; i < MANY; i++) {
        const uint64_t before = flushes_done();
        const uint64_t from = tail();

        if (call_change(i % 2 == 0 ? VECTOR_NEW : VECTOR, APIC) != 0) {
            find(VTDPI_MODEL_ROBUSTNESS,
                 "change %u fails, with the tail at %#x", i + 1,
                 (unsigned int)from);
            return;
        }
        if (tail() != from && flushes_done() == before) {
            find(VTDPI_MODEL_INTERRUPT,
                 "change %u returns 0, and nothing was invalidated", i + 1);
            return;
        }
    }
}

/* Nothing is fetched. */
static void stuck_queue(const struct operation *op)
{
    const uint64_t before = flushes_done();
    const uint64_t from = tail();

    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_QUEUE_STUCK, 0);
    if (op->call() == 0 && tail() != from && flushes_done() == before)
        find(VTDPI_MODEL_INTERRUPT,
             "%s returns 0, and the invalidation was not executed", op->name);
}

/* Everything is executed, and no status word is written. */
static void no_status(const struct operation *op)
{
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_STATUS_NEVER, 0);
    (void)op->call();
}

/* A wait without a deadline has none in the second situation either. */
static void stuck(const struct operation *op)
{
    const unsigned int before = findings_made();

    if (!op->flushes)
        return;
    (void)prepared(op, stuck_queue);
    if (findings_made() == before)
        (void)prepared(op, no_status);
}

void phase_stuck_queue(void)
{
    for_each_operation(stuck);
}

/*
 * A descriptor that the unit refuses is refused for what is in it: as often as the unit
 * reads it, until the driver has written another one there.
 */

static struct {
    bool on;
    uint64_t head; /* of the descriptor that was refused */
    uint64_t words[2];
} refused;

static void refuse(void *ctx, struct vtdpi_model *m, enum vtdpi_model_step kind)
{
    const uint64_t head = vtdpi_model_peek(m, VTDPI_IQH_REG);
    uint64_t words[2];

    (void)ctx;
    if (kind != VTDPI_MODEL_STEP_FETCH || !descriptor_at_head(words))
        return;
    if (!refused.on) {
        refused.on = true;
        refused.head = head;
        memcpy(refused.words, words, sizeof(words));
    }
    if (head == refused.head &&
        memcmp(refused.words, words, sizeof(words)) == 0)
        vtdpi_model_set_fault(m, VTDPI_MODEL_FAULT_IQE, 0);
}

/* One descriptor meets with an error. In some drivers the fault handler looks after
 * errors of the queue. */
static void get_over(const char *error)
{
    uint64_t before;
    int rc = -1;

    for (unsigned int i = 0; i < TRIES && rc != 0; i++) {
        rc = call_change(i % 2 == 0 ? VECTOR_NEW : VECTOR, APIC);
        if (driver->fault != NULL)
            call_fault();
    }
    if (rc != 0) {
        find(VTDPI_MODEL_ROBUSTNESS,
             "%u changes after one %s fail: the queue does not work again",
             (unsigned int)TRIES, error);
        return;
    }
    before = tail();
    rc = call_change(VECTOR_NEW, APIC_NEW);
    if (rc == 0 && tail() != before &&
        vtdpi_model_peek(&model, VTDPI_IQH_REG) != tail())
        find(VTDPI_MODEL_INTERRUPT,
             "changes after one %s return 0, and the unit executes nothing",
             error);
}

void phase_refused(void)
{
    begin(&(struct hardware){0});
    vtdpi_model_set_step_hook(&model, refuse);
    get_over("refused descriptor");
}

void phase_aborted(void)
{
    begin(&(struct hardware){0});
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_ITE, OWNER);
    get_over("aborted wait");
}

/*
 * Gone.
 */

static bool remaps(void)
{
    return (vtdpi_model_peek(&model, VTDPI_GSTS_REG) & VTDPI_GSTS_IRES) != 0;
}

static unsigned int vanishes; /* before this access */

/* A driver that writes to a unit which does not answer can know that. What a unit has
 * done before it vanished is done. */
static void vanish_during(const struct operation *op)
{
    const uint64_t written = writes();
    const uint64_t flushed = flushes_done();
    int rc;

    vanish_before(vanishes);
    rc = op->call();
    if (rc != 0)
        return;
    if (op->flushes && writes() != written && flushes_done() == flushed)
        find(VTDPI_MODEL_INTERRUPT,
             "%s returns 0, and the unit, which has vanished before access %u, "
             "was not told",
             op->name, vanishes + 1);
    if (op->enables && !remaps())
        find(VTDPI_MODEL_ROBUSTNESS,
             "%s returns 0, and remapping was not on when the unit vanished, "
             "before access %u",
             op->name, vanishes + 1);
}

/* To count its accesses. */
static void undisturbed(const struct operation *op)
{
    if (op->call() != 0)
        skip("%s fails on a unit with nothing wrong", op->name);
}

static void gone(const struct operation *op)
{
    unsigned int n;

    if (!prepared(op, undisturbed))
        return;
    n = accesses_made();
    for (vanishes = 0; vanishes < n && vanishes < VANISH_MAX && !has_failed();
         vanishes++)
        (void)prepared(op, vanish_during);
}

void phase_gone(void)
{
    for_each_operation(gone);
}
