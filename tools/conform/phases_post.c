/* SPDX-License-Identifier: BSD-2-Clause */
/* Posted interrupts: flushes, posts in flight, and the host's affinity. */
#include "phases.h"

enum {
    FLUSH_TICKS = 50,
};

/* The unit may have the entry of before in its cache. */
static void begin_posted(bool from_cache)
{
    begin(&(struct hardware){0});
    if (from_cache)
        (void)fire(OWNER);
    if (call_post(VECTOR_NEW, pid_page) != 0)
        skip("post fails");
}

void phase_post_flush(void)
{
    struct vtdpi_model_result r;

    begin_posted(true);
    r = fire(OWNER);
    if (r.outcome != VTDPI_MODEL_POSTED || r.pda != (uintptr_t)pid_page)
        find(VTDPI_MODEL_INTERRUPT, "after post: %s", words(&r));
    if (call_unpost() != 0)
        skip("unpost fails");
    r = fire(OWNER);
    if (r.outcome == VTDPI_MODEL_POSTED)
        find(VTDPI_MODEL_ISOLATION,
             "after unpost the unit still writes to the descriptor: %s",
             words(&r));
    else if (r.outcome != VTDPI_MODEL_REMAPPED)
        find(VTDPI_MODEL_INTERRUPT, "after unpost: %s", words(&r));
}

/* The latest moment at which the unit uses the entry of before. What was read of a
 * register before does not push this interrupt to memory. */
static void fire_late(void *ctx, struct vtdpi_model *m,
                      enum vtdpi_model_step kind)
{
    (void)ctx;
    (void)m;
    if (kind == VTDPI_MODEL_STEP_COMPLETE)
        (void)fire(OWNER);
}

/* The interrupt is raised before the flush takes effect, which takes a while, and is then
 * on its way to the descriptor. */
void phase_post_drain(void)
{
    struct vtdpi_model_result r;

    begin_posted(false);
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_POST_LATE, 0);
    r = fire(OWNER);
    if (r.outcome != VTDPI_MODEL_IN_FLIGHT)
        skip("the interrupt is not posted");
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_STATUS_LATE, FLUSH_TICKS);
    vtdpi_model_set_step_hook(&model, fire_late);
    if (call_unpost() != 0)
        skip("unpost fails");
    vtdpi_model_set_step_hook(&model, NULL);
    if (vtdpi_model_in_flight(&model) != 0)
        find(VTDPI_MODEL_ISOLATION,
             "unpost returns while an interrupt is on its way to the "
             "descriptor; a read of a register behind the flush would have "
             "waited for it");
}

void phase_post_affinity(void)
{
    struct vtdpi_model_result r;

    begin_posted(false);
    if (call_change(VECTOR_NEW + 1, APIC_NEW) != 0) {
        note("change refuses an interrupt that is posted");
        return;
    }
    r = fire(OWNER);
    if (r.outcome != VTDPI_MODEL_POSTED)
        find(VTDPI_MODEL_INTERRUPT,
             "the host's affinity has changed the posted entry: %s", words(&r));
    if (call_unpost() != 0)
        skip("unpost fails");
    r = fire(OWNER);
    if (r.outcome != VTDPI_MODEL_REMAPPED || r.vector != VECTOR_NEW + 1)
        find(VTDPI_MODEL_INTERRUPT,
             "after unpost the interrupt does not go where affinity has it: %s",
             words(&r));
}
