/* SPDX-License-Identifier: BSD-2-Clause */
/* Posters and the device. */
#include "sources.h"

/* Few, so that posts merge, and in all words of PIR. */
static uint8_t some_vector(struct source *s)
{
    static const uint8_t vectors[] = {0x10, 0x31, 0x3f, 0x40, 0x71,
                                      0x80, 0xa5, 0xc0, 0xff};

    return vectors[race_below(&s->rng, sizeof(vectors))];
}

static void count(struct source *s, uint32_t v, uint8_t vector, bool was_set)
{
    if (was_set)
        s->merged++;
    else
        s->fresh[v][vector]++;
}

static void record(struct source *s, uint32_t v)
{
    const uint8_t vector = some_vector(s);

    count(s, v, vector,
          vtdpi_pid_record(vtdpi_vcpu_pid(&s->w->vcpu[v].lib), vector));
}

void source_post(struct source *s)
{
    const uint32_t n = race_below(&s->rng, VCPUS);
    struct vtdpi_vcpu *v = &s->w->vcpu[n].lib;
    const bool urgent = race_one_in(&s->rng, 8);
    struct vtdpi_notification note;

    switch (race_below(&s->rng, 8)) {
    case 0:
        (void)vtdpi_vcpu_post(v, WHOLE_VECTOR, urgent);
        s->fresh[n][WHOLE_VECTOR]++;
        return;
    case 1: /* one notification for two */
        record(s, n);
        race_yield();
        record(s, n);
        break;
    case 2:
        record(s, n);
        note = vtdpi_pid_notify(vtdpi_vcpu_pid(v), urgent);
        if (note.result == VTDPI_POST_NOTIFY)
            vtdpi_vcpu_send(v, &note);
        return;
    default:
        record(s, n);
        break;
    }
    (void)vtdpi_vcpu_notify(v, urgent);
}

/*
 * A posted interrupt as the unit does it, in words of its own: the bit; then,
 * if ON is clear, and SN is clear or the entry urgent, ON and a notification.
 * Hardware does it in one step; two allow whatever that allows, and more.
 */
void source_device(struct source *s)
{
    const uint32_t n = race_below(&s->rng, VCPUS);
    const uint8_t vector = some_vector(s);
    const uint64_t bit = UINT64_C(1) << (vector % 64);
    const bool urgent = race_one_in(&s->rng, 8);
    uint64_t *pid = (uint64_t *)(void *)vtdpi_vcpu_pid(&s->w->vcpu[n].lib);
    uint64_t old = vtdpi_atomic_or64(&pid[vector / 64], bit);
    uint32_t ndst;

    count(s, n, vector, (old & bit) != 0);
    old = vtdpi_atomic_load64(&pid[4]);
    do {
        if ((old & 1) != 0 || ((old & 2) != 0 && !urgent))
            return;
    } while (!vtdpi_atomic_cas64(&pid[4], &old, old | 1));
    ndst = (uint32_t)(old >> 32);
    /* As the unit reads it: without EIME, bits 15:8. */
    host_send(s->w, s->w->names.mode == VTDPI_XAPIC ? ndst >> 8 & 0xff : ndst,
              (uint8_t)(old >> 16));
}
