/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"

#include <string.h>

#include "support.h"

uint32_t host_id(const struct host_names *n, uint32_t pcpu)
{
    return n->first_id + pcpu * n->stride;
}

uint32_t host_ndst(const struct host_names *n, uint32_t pcpu)
{
    return host_id(n, pcpu) << (n->mode == VTDPI_XAPIC ? 8 : 0);
}

uint32_t host_of_id(const struct host_names *n, uint32_t id)
{
    uint32_t pcpu = 0;

    while (pcpu < n->pcpus && host_id(n, pcpu) != id)
        pcpu++;
    return pcpu;
}

uint32_t host_of_ndst(const struct host_names *n, uint32_t ndst)
{
    uint32_t pcpu = 0;

    while (pcpu < n->pcpus && host_ndst(n, pcpu) != ndst)
        pcpu++;
    return pcpu;
}

uint8_t host_wnv_of(const struct host_names *n, uint32_t slot)
{
    return n->wnv[slot / 64 % n->wnv_count];
}

bool host_is_wnv(const struct host_names *n, uint8_t vector)
{
    return memchr(n->wnv, vector, n->wnv_count) != NULL;
}

void host_sched_init(struct vtdpi_sched *s, const struct host_names *n,
                     struct vtdpi_sched_params params)
{
    params.max_pcpus = n->pcpus;
    params.apic_mode = n->mode;
    params.anv = n->anv;
    memcpy(params.wnv, n->wnv, n->wnv_count);
    support_check(vtdpi_sched_init(s, &params) == 0);
}

void host_pcpu_up(struct vtdpi_sched *s, const struct host_names *n,
                  struct vtdpi_pcpu *p, uint32_t number, uint64_t *bitmap)
{
    support_check(vtdpi_pcpu_init(s, p, number, host_id(n, number), bitmap) ==
                  0);
    vtdpi_pcpu_online(p);
}

bool host_deliver(struct host_account *a, const uint64_t pir[VTDPI_PIR_WORDS])
{
    bool any = false;

    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {
        for (uint64_t w = pir[i]; w != 0; w &= w - 1) {
            a->delivered[i * 64 + (unsigned int)__builtin_ctzll(w)]++;
            any = true;
        }
    }
    return any;
}

void host_drop_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)ctx;
    (void)apic_id;
    (void)vector;
}

void host_drop_wake(void *ctx, void *cookie)
{
    (void)ctx;
    (void)cookie;
}
