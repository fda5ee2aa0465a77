/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of the table: what a unit makes of them, also between two stores of the
 * driver, and of those that it has cached.
 */
#include "phases.h"

void phase_deliver(void)
{
    struct vtdpi_model_result r;
    int rc;

    power_up(&(struct hardware){0});
    rc = call_init();
    if (rc == 0 && has_neighbor)
        rc = call_map_neighbor();
    if (rc == 0)
        rc = call_map(VECTOR, APIC);
    if (rc != 0) {
        find(VTDPI_MODEL_ROBUSTNESS,
             "init or map returns %d on a unit with nothing wrong", rc);
        return;
    }
    r = fire(OWNER);
    if (!delivers(&r, VECTOR, APIC))
        find(VTDPI_MODEL_INTERRUPT,
             "the device's interrupt, asked for as vector %#x at APIC %u: %s",
             VECTOR, APIC, words(&r));
    if (!has_neighbor)
        return;
    r = fire_neighbor();
    if (!delivers(&r, VECTOR_NEIGHBOR, APIC_NEW))
        find(VTDPI_MODEL_INTERRUPT,
             "after a second map the first device's interrupt, asked for as "
             "vector %#x at APIC %u: %s",
             VECTOR_NEIGHBOR, APIC_NEW, words(&r));
}

void phase_source_id(void)
{
    static const struct {
        uint16_t sid;
        const char *who;
    } others[] = {
        {STRANGER, "another device"},
        {OWNER ^ 1 << 3, "another device on the bus"},
        {OWNER ^ 1, "another function of the device"},
    };
    struct vtdpi_model_result r;

    begin(&(struct hardware){0});
    for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        r = fire(others[i].sid);
        if (passes(&r)) {
            find(VTDPI_MODEL_ISOLATION,
                 "the message of %s with the index is let through: %s",
                 others[i].who, words(&r));
            return;
        }
    }
    if (r.hidden)
        note("the entry has FPD set, so no fault tells of the other device");
}

/*
 * Between stores.
 */

static struct {
    unsigned int stores;
    unsigned int strange; /* after which another device was let through */
    unsigned int
        mixed; /* the owner's interrupt is neither the old nor the new */
    unsigned int lost;
    struct vtdpi_model_result old;
    struct vtdpi_model_result seen[64]; /* of the owner, by store */
    struct trace where[64];
    struct vtdpi_model_result stranger; /* the first one let through */
    struct trace stranger_where;
} steps;

enum {
    SEEN = sizeof(steps.seen) / sizeof(steps.seen[0]),
};

static void strange(const struct vtdpi_model_result *r)
{
    if (steps.strange++ != 0)
        return;
    steps.stranger = *r;
    trace_take(&steps.stranger_where);
}

static void strangers_between(void)
{
    for (uint32_t i = 0; i < INDEXES; i++) {
        const struct vtdpi_model_result r = fire_index(STRANGER, i);

        if (passes(&r)) {
            strange(&r);
            return;
        }
    }
}

static void stored_new(void)
{
    steps.stores++;
    strangers_between();
}

/* Unless the entry lets everybody through at last: source-id tells that. */
static void find_strangers(void)
{
    const struct vtdpi_model_result last = fire(STRANGER);

    if (steps.strange != 0 && !passes(&last))
        find_trace(&steps.stranger_where, VTDPI_MODEL_ISOLATION,
                   "after %u of %u stores another device is let through: %s",
                   steps.strange, steps.stores, words(&steps.stranger));
}

void phase_upper_first(void)
{
    begin_unmapped(&(struct hardware){.no_cache = true});
    if (!watch_table(stored_new))
        skip("the unit has no table after init");
    if (call_map(VECTOR, APIC) != 0)
        skip("map fails");
    (void)watch_table(NULL);
    find_strangers();
}

static void stored_change(void)
{
    const struct vtdpi_model_result owner = fire(OWNER);
    const struct vtdpi_model_result other = fire(STRANGER);

    if (steps.stores < SEEN) {
        steps.seen[steps.stores] = owner;
        trace_take(&steps.where[steps.stores]);
    }
    steps.stores++;
    if (passes(&other))
        strange(&other);
}

/* What the owner's interrupt was after each store, by what it is at last. */
static void judge_steps(void)
{
    const struct vtdpi_model_result last = fire(OWNER);
    unsigned int mixture = 0;
    unsigned int gap = 0;

    for (unsigned int i = 0; i < steps.stores && i < SEEN; i++) {
        const struct vtdpi_model_result *r = &steps.seen[i];

        if (same_delivery(r, &steps.old) || same_delivery(r, &last))
            continue;
        if (passes(r)) {
            steps.mixed++;
            mixture = i;
        } else {
            steps.lost++;
            gap = i;
        }
    }
    if (steps.mixed != 0)
        find_trace(&steps.where[mixture], VTDPI_MODEL_INTERRUPT,
                   "after %u of %u stores the interrupt is neither the old nor "
                   "the new: %s",
                   steps.mixed, steps.stores, words(&steps.seen[mixture]));
    if (steps.lost != 0)
        find_trace(&steps.where[gap], VTDPI_MODEL_INTERRUPT,
                   "after %u of %u stores the device's interrupt is blocked",
                   steps.lost, steps.stores);
    find_strangers();
}

void phase_one_step(void)
{
    begin(&(struct hardware){.no_cache = true});
    steps.old = fire(OWNER);
    if (!watch_table(stored_change))
        skip("the unit has no table after init");
    if (call_change(VECTOR_NEW, APIC_NEW) != 0)
        skip("change fails");
    (void)watch_table(NULL);
    judge_steps();
}

void phase_post_one_step(void)
{
    begin(&(struct hardware){.no_cache = true});
    steps.old = fire(OWNER);
    if (!watch_table(stored_change))
        skip("the unit has no table after init");
    if (call_post(VECTOR_NEW, pid_page) != 0)
        skip("post fails");
    (void)watch_table(NULL);
    judge_steps();
}

/*
 * Caches.
 */

static bool prefetched;

/* The unit reads the entry again as soon as it has executed the invalidation. */
static void prefetch(void *ctx, struct vtdpi_model *m,
                     enum vtdpi_model_step kind)
{
    (void)ctx;
    if (kind == VTDPI_MODEL_STEP_STATUS &&
        !vtdpi_model_iec_lookup(m, message.index, NULL))
        prefetched = vtdpi_model_iec_prefetch(m, message.index);
}

void phase_clean_first(void)
{
    struct vtdpi_model_result r;

    begin_unmapped(&(struct hardware){.ecap_clear = VTDPI_ECAP_C});
    watch_cleans();
    if (has_neighbor)
        (void)call_map_neighbor();
    if (call_map(VECTOR, APIC) != 0)
        skip("map fails");
    r = fire(OWNER);
    if (r.outcome != VTDPI_MODEL_REMAPPED || r.vector != VECTOR)
        find(VTDPI_MODEL_INTERRUPT,
             "the unit does not see the new entry (memory that was never "
             "cleaned reads as 0xfd): %s",
             words(&r));
    vtdpi_model_set_step_hook(&model, prefetch);
    if (call_change(VECTOR_NEW, APIC_NEW) != 0)
        skip("change fails");
    vtdpi_model_set_step_hook(&model, NULL);
    r = fire(OWNER);
    /* Without an invalidation of the entry, nothing was read too early; flush tells that. */
    if (prefetched && r.vector != VECTOR_NEW)
        find(VTDPI_MODEL_INTERRUPT,
             "the unit, which read the entry right after the invalidation, "
             "keeps the old one: %s",
             words(&r));
}

void phase_flush(void)
{
    struct vtdpi_model_result r;

    begin(&(struct hardware){0});
    (void)fire(OWNER);
    if (call_change(VECTOR_NEW, APIC_NEW) != 0)
        skip("change fails");
    r = fire(OWNER);
    if (r.vector != VECTOR_NEW)
        find(VTDPI_MODEL_INTERRUPT, "after the change: %s", words(&r));
}

void phase_caching_mode(void)
{
    struct vtdpi_model_result r;

    begin_unmapped(&(struct hardware){.cap_set = VTDPI_CAP_CM});
    (void)passing_indexes(OWNER);
    if (call_map(VECTOR, APIC) != 0)
        skip("map fails");
    r = fire(OWNER);
    if (r.outcome != VTDPI_MODEL_REMAPPED || r.vector != VECTOR)
        find(VTDPI_MODEL_INTERRUPT,
             "the unit has cached that the entry is absent: %s", words(&r));
}

void phase_free_flush(void)
{
    struct vtdpi_model_result r;

    begin(&(struct hardware){0});
    (void)fire(OWNER);
    if (call_free() != 0)
        skip("free fails");
    r = fire(OWNER);
    if (passes(&r))
        find(VTDPI_MODEL_ISOLATION,
             "the index is free, and the device still gets through: %s",
             words(&r));
}
