/* SPDX-License-Identifier: BSD-2-Clause */
/* The next call. Which bytes mean which call is up to the weights. */
#include "unit_acts.h"

static const struct act *choose_among(const struct act *acts, size_t n,
                                      uint32_t *choice)
{
    for (size_t i = 0; i < n; i++) {
        if (*choice < acts[i].weight)
            return &acts[i];
        *choice -= acts[i].weight;
    }
    return NULL;
}

/* NULL: none of them, since the weights are less than there are bytes. */
static const struct act *choose_act(uint32_t choice)
{
    const struct act *act = choose_among(acts_on_units, ACTS_ON_UNITS, &choice);

    if (act == NULL)
        act = choose_among(acts_on_tables, ACTS_ON_TABLES, &choice);
    if (act == NULL)
        act = choose_among(acts_of_host, ACTS_OF_HOST, &choice);
    return act;
}

void call_first(struct fuzz *f)
{
    for (uint32_t u = 0; u < f->m->params.units; u++) {
        const uint32_t bits = input_byte(&f->in);

        if ((bits & 12) == 0)
            hardware_post_late(f, u);
        if ((bits & 3) == 0)
            continue;
        if (f->units[u].table == NOWHERE)
            (void)call_add(f, u, 0);
        if (f->units[u].table != NOWHERE)
            (void)call_enable(f, u, true);
    }
}

void call_next(struct fuzz *f)
{
    const struct act *act = choose_act(input_byte(&f->in));
    const uint32_t bits = input_byte(&f->in);
    const uint32_t u = bits % f->m->params.units;

    if (act != NULL &&
        (act->forsaken_too || !is_in(f, u, VTDPI_UNIT_FORSAKEN))) {
        call_trace("%s, unit %u\n", act->name, u);
        act->run(f, u);
    }
    /* Mostly, so that caches are as full as can be. */
    if ((bits & 0xc) != 0)
        world_raise_all(f);
    world_check(f);
}
