/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all other files of the model stand on: its guard, the step hook, the
 * violations that it counts, memory, random numbers. Read vtdpi/model.h, then
 * the order of files in internal.h.
 */
#include "internal.h"

void vtdpi_model_enter_(struct vtdpi_model *m)
{
    if (!m->params.concurrent)
        return;
    /* The exchange that takes the lock and the release store that drops it
     * order everything in between for the next holder. */
    while (vtdpi_atomic_xchg64(&m->guard, 1) != 0) {
        if (m->params.relax != NULL)
            m->params.relax(m->params.ctx);
    }
}

void vtdpi_model_leave_(struct vtdpi_model *m)
{
    if (m->params.concurrent)
        vtdpi_atomic_store64_release(&m->guard, 0);
}

void vtdpi_model_step_(struct vtdpi_model *m, enum vtdpi_model_step kind)
{
    /* Steps that the hook causes do not count: replaying "act at step k" must
     * see the same k whatever the act does. */
    if (m->in_hook)
        return;
    if (m->params.step != NULL) {
        m->in_hook = true;
        m->params.step(m->params.ctx, m, kind);
        m->in_hook = false;
    }
    m->counters.steps++;
}

void vtdpi_model_violate_(struct vtdpi_model *m,
                          enum vtdpi_model_violation_kind kind, uint32_t where,
                          uint64_t value)
{
    const struct vtdpi_model_violation v = {kind, where, value};

    if (m->counters.violations++ == 0)
        m->first = v;
    if (m->params.violation != NULL)
        m->params.violation(m->params.ctx, &v);
}

void *vtdpi_model_map_(const struct vtdpi_model *m, uint64_t phys, size_t len)
{
    return m->params.map(m->params.ctx, phys, len);
}

/* Steele and Vigna's splitmix64 step: full period, any seed. */
uint64_t vtdpi_model_random_(struct vtdpi_model *m)
{
    uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void vtdpi_model_set_step_hook(struct vtdpi_model *m,
                               vtdpi_model_step_hook step)
{
    vtdpi_model_enter_(m);
    m->params.step = step;
    vtdpi_model_leave_(m);
}

void vtdpi_model_get_counters(const struct vtdpi_model *m,
                              struct vtdpi_model_counters *out)
{
    *out = m->counters;
}

uint64_t vtdpi_model_violations(const struct vtdpi_model *m)
{
    return m->counters.violations;
}

struct vtdpi_model_violation
vtdpi_model_first_violation(const struct vtdpi_model *m)
{
    return m->first;
}

void vtdpi_model_clear_violations(struct vtdpi_model *m)
{
    vtdpi_model_enter_(m);
    m->counters.violations = 0;
    m->first = (struct vtdpi_model_violation){VTDPI_MODEL_OK, 0, 0};
    vtdpi_model_leave_(m);
}
