/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "measure.h"

static void wake(void *ctx, void *cookie)
{
    (void)ctx;
    ((struct our_vcpu *)cookie)->woken++;
}

static uint32_t page_count(const struct world *w)
{
    return (w->slots + VTDPI_PAGE_SLOTS - 1) / VTDPI_PAGE_SLOTS;
}

static void sched_up(struct world *w)
{
    const uint32_t pages = page_count(w);
    struct vtdpi_sched_params params = {
        .ops = &w->ops,
        .ctx = w,
        .pages = calloc(pages, sizeof(struct vtdpi_page_ref)),
        .max_pages = pages,
        .pcpus = calloc(1, sizeof(void *)),
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = ANV,
        .wnv_count = (uint8_t)w->vectors,
    };

    for (uint32_t i = 0; i < w->vectors; i++)
        params.wnv[i] = (uint8_t)(WNV_FIRST + i);
    w->ops.send_ipi = host_drop_ipi;
    w->ops.wake = wake;
    must(vtdpi_sched_init(&w->sched, &params) == 0, "sched");
    w->pids = memory((size_t)pages * VTDPI_PAGE_SIZE);
    w->pages = memory(pages * sizeof(*w->pages));
    w->bitmap = memory(VTDPI_BITMAP_WORDS(pages) * 8);
    w->notified = memory((w->blocked + 1) * sizeof(*w->notified));
    w->pcpu = memory(sizeof(*w->pcpu));
    for (uint32_t i = 0; i < pages; i++)
        must(vtdpi_sched_add_page(&w->sched, i, &w->pages[i],
                                  &w->pids[i * VTDPI_PAGE_SLOTS],
                                  (uint64_t)i * VTDPI_PAGE_SIZE) == 0,
             "page");
    must(vtdpi_pcpu_init(&w->sched, w->pcpu, 0, APIC_ID, w->bitmap) == 0,
         "pcpu");
    vtdpi_pcpu_online(w->pcpu);
}

static void ours_up(struct world *w, const struct world_params *params)
{
    const uint32_t n = w->blocked + params->spare;
    uint32_t *slot = malloc(sizeof(*slot) * w->slots);

    must(slot != NULL && n <= w->slots, "slots");
    shuffle(slot, w->slots);
    /* As dense as they come, unless the instance has more slots than that. */
    if (w->slots - n < VTDPI_PAGE_SLOTS)
        shuffle(slot, n);
    w->ours = memory(sizeof(*w->ours) * n);
    for (uint32_t i = 0; i < n; i++)
        must(vtdpi_vcpu_attach(&w->sched, &w->ours[i].vcpu, slot[i],
                               &w->ours[i]) == 0,
             "attach");
    for (uint32_t i = 0; i < w->blocked; i++)
        must(vtdpi_vcpu_block(&w->ours[i].vcpu, w->pcpu) == VTDPI_BLOCKED,
             "block");
    w->spare = &w->ours[n - 1];
    free(slot);
}

struct peer_vcpu *world_peer(const struct world *w, uint32_t i)
{
    return (struct peer_vcpu *)(void *)(w->peers + i * w->stride);
}

static void peers_up(struct world *w, const struct world_params *params)
{
    const uint32_t n = w->blocked + params->spare;
    uint32_t *order = malloc(sizeof(*order) * w->blocked);

    must(order != NULL && w->stride % 64 == 0 &&
             w->stride >= sizeof(struct peer_vcpu),
         "stride");
    w->peers = memory(n * w->stride);
    w->list = memory(sizeof(*w->list));
    peer_list_init(w->list);
    shuffle(order, w->blocked);
    for (uint32_t i = 0; i < w->blocked; i++)
        (void)peer_block(w->list, world_peer(w, order[i]), WNV_FIRST, APIC_ID);
    w->peer_spare = world_peer(w, n - 1);
    free(order);
}

struct world *world_up(const struct world_params *params)
{
    struct world *const w = calloc(1, sizeof(*w));

    must(w != NULL, "out of memory");
    w->slots = params->slots;
    w->blocked = params->blocked;
    w->vectors = params->vectors;
    w->stride = params->stride;
    sched_up(w);
    ours_up(w, params);
    peers_up(w, params);
    return w;
}

void world_down(struct world *w)
{
    free(w->sched.pages);
    free(w->sched.pcpus);
    free(w->pids);
    free(w->pages);
    free(w->bitmap);
    free(w->notified);
    free(w->pcpu);
    free(w->ours);
    free(w->peers);
    free(w->list);
    free(w);
}

/* The vCPU whose turn it is to have ON, of those that the first vector is
 * for. */
static uint32_t one_for_first_vector(const struct world *w)
{
    for (;;) {
        const uint32_t i = chance(w->blocked);
        const uint32_t slot = w->ours[i].vcpu.slot;

        if (slot / 64 % w->vectors == 0)
            return i;
    }
}

void world_notify(struct world *w, uint32_t count)
{
    for (uint32_t done = 0; done < count;) {
        const uint32_t i = one_for_first_vector(w);

        if (vtdpi_pid_test_and_set_on(w->ours[i].vcpu.pid))
            continue;
        (void)vtdpi_pid_test_and_set_on(&world_peer(w, i)->pid);
        w->notified[w->notified_count++] =
            w->ours[i].vcpu.slot / VTDPI_PAGE_SLOTS;
        done++;
    }
}

/* The word of wake marks is the one behind the leaf word. */
void world_unmark(const struct world *w)
{
    for (uint32_t i = 0; i < w->notified_count; i++)
        vtdpi_atomic_store64_relaxed(&w->bitmap[2 * w->notified[i] + 1], 0);
}

void world_quiet(struct world *w)
{
    world_unmark(w);
    w->notified_count = 0;
    for (uint32_t i = 0; i < w->blocked; i++) {
        (void)vtdpi_pid_test_and_clear_on(w->ours[i].vcpu.pid);
        (void)vtdpi_pid_test_and_clear_on(&world_peer(w, i)->pid);
    }
}

void world_flush_ours(const struct world *w)
{
    const uint32_t pages = page_count(w);

    flush_range(w->pids, (size_t)pages * VTDPI_PAGE_SIZE);
    flush_range(w->pages, pages * sizeof(*w->pages));
    flush_range(w->bitmap, VTDPI_BITMAP_WORDS(pages) * 8);
    flush_range(w->pcpu, sizeof(*w->pcpu));
    flush_range(w->sched.pages, pages * sizeof(*w->sched.pages));
    for (uint32_t i = 0; i < w->blocked; i++)
        flush_line(&w->ours[i].woken);
    flush_done();
}

void world_flush_peers(const struct world *w)
{
    flush_range(w->list, sizeof(*w->list));
    for (uint32_t i = 0; i < w->blocked; i++) {
        flush_line(&world_peer(w, i)->woken);
        flush_line(&world_peer(w, i)->node);
        flush_line(&world_peer(w, i)->pid);
    }
    flush_done();
}

uint32_t world_scan(struct world *w)
{
    return vtdpi_pcpu_handle_wakeup(w->pcpu, WNV_FIRST);
}
