/* SPDX-License-Identifier: BSD-2-Clause */
/* This library's memory, how it begins, and the parts that change. */
#include "library.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "support.h"

/* The last vector is not always used. */
static const struct host_names host_names = {
    .mode = VTDPI_XAPIC,
    .first_id = FIRST_ID,
    .stride = ID_STRIDE,
    .pcpus = CPUS,
    .anv = ANV,
    .wnv_count = 2,
    .wnv = {WNV, WNV_OTHER},
};
struct library library;

static bool comes_by_growing(unsigned int page)
{
    return world.scenario->grows && page == world.leaves - 1;
}

uint32_t page_number(unsigned int page)
{
    return comes_by_growing(page) ? FIRST_PAGES : page;
}

unsigned int page_of(uint32_t slot)
{
    const uint32_t number = slot / VTDPI_PAGE_SLOTS;

    return number == FIRST_PAGES ? world.leaves - 1 : number;
}

uint32_t slot_of(unsigned int vcpu)
{
    const unsigned int page = vcpu == B ? world.leaves - 1 : 0;

    return page_number(page) * VTDPI_PAGE_SLOTS +
           (vcpu == B && world.leaves == 1);
}

struct vtdpi_pid *library_pid(unsigned int vcpu)
{
    const uint32_t slot = slot_of(vcpu);
    void *const page = library.memory[page_of(slot)];

    return (struct vtdpi_pid *)page + slot % VTDPI_PAGE_SLOTS;
}

uint64_t *leaf_word(unsigned int cpu, unsigned int page)
{
    return comes_by_growing(page) ? library.cpu[cpu].part
                                  : &library.cpu[cpu].bitmap[2 * (size_t)page];
}

uint64_t *summary_word(unsigned int cpu)
{
    return &library.cpu[cpu].bitmap[2 * library.s.first_pages];
}

uint64_t *mark_word(unsigned int cpu, unsigned int page)
{
    return leaf_word(cpu, page) + 1;
}

bool bit_is_set(unsigned int cpu, unsigned int vcpu)
{
    const uint32_t slot = slot_of(vcpu);

    return (*leaf_word(cpu, page_of(slot)) >> slot % 64 & 1) != 0;
}

static void send_ipi(void *ctx, uint32_t to, uint8_t vector)
{
    (void)ctx;
    interrupt_send(to, vector);
}

static void wake(void *ctx, void *cookie)
{
    (void)ctx;
    wake_vcpu((unsigned int)((struct host_vcpu *)cookie - host.vcpu));
}

static const struct vtdpi_platform_ops ops = {
    .send_ipi = send_ipi,
    .wake = wake,
};

/* The host cannot be set up: nothing can be explored. */
void support_fail(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: setup: %s is false\n", file, line, what);
    exit(1);
}

const struct vtdpi_page_ref *page_ref_of(unsigned int vcpu)
{
    const unsigned int page = page_of(slot_of(vcpu));

    return comes_by_growing(page) ? library.refs : &library.pages[page];
}

void add_page(unsigned int page)
{
    ex_require(vtdpi_sched_add_page(&library.s, page_number(page),
                                    &library.page[page], library.memory[page],
                                    page * VTDPI_PAGE_SIZE));
}

void grow(void)
{
    for (unsigned int i = 0; i < CPUS; i++)
        ex_require(vtdpi_pcpu_grow(&library.cpu[i].pcpu, library.cpu[i].part));
    ex_require(vtdpi_sched_grow(&library.s, library.refs));
}

/* What would do harm, in those words of the chunk that are state. The others are
 * as they will be written. */
static void spoil_chunk(void)
{
    struct vtdpi_pid *const pid = (void *)library.memory[world.leaves - 1];

    for (unsigned int i = 0; i < VTDPI_PAGE_SLOTS; i++)
        vtdpi_pid_init(&pid[i], ANV, 0);
    library.wrong_page.claimed = UINT64_MAX;
    library.wrong_refs[0].page = &library.wrong_page;
    library.chunks[0] = library.wrong_refs;
    for (unsigned int i = 0; i < CPUS; i++)
        library.cpu[i].part[0] = library.cpu[i].part[1] = UINT64_MAX;
}

void add_pcpu(unsigned int cpu)
{
    host_pcpu_up(&library.s, &host_names, &library.cpu[cpu].pcpu, cpu,
                 library.cpu[cpu].bitmap);
}

/* Take a page away again, and leave what would do harm in those of its words
 * that are state. The others stay as add_page() writes them. */
static void spoil_page(uint32_t page)
{
    struct vtdpi_pid_page *const p = &library.page[page];

    p->claimed = UINT64_MAX;
    p->cookie[0] = p->cookie[1] = &library.vcpu[A];
    p->pids = NULL;
    pid_of(B)->control = UINT64_MAX;
    library.pages[page].page = NULL;
    library.pages[page].pids = NULL;
}

static void spoil_pcpu(unsigned int cpu)
{
    library.cpu[cpu].pcpu.scan = 1;
    library.cpu[cpu].pcpu.online = 0;
    *summary_word(cpu) = UINT64_MAX;
    library.pcpus[cpu] = NULL;
}

void library_set_up(void)
{
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .pages = library.pages,
        .max_pages = world.scenario->grows ? FIRST_PAGES : world.leaves,
        .pcpus = library.pcpus,
        .wnv_count = (uint8_t)world.scenario->wnvs,
        .chunks = library.chunks,
        .max_chunks = world.scenario->grows,
    };

    memset(&library, 0, sizeof library);
    host_sched_init(&library.s, &host_names, params);
    for (unsigned int i = 0; i < world.leaves; i++) {
        if (!comes_by_growing(i))
            add_page(i);
    }
    for (unsigned int i = 0; i < CPUS; i++)
        add_pcpu(i);
    if (world.scenario->late_page)
        spoil_page(page_of(slot_of(B)));
    if (world.scenario->adopts != 0)
        set_up_adoption();
    if (world.scenario->grows)
        spoil_chunk();
    if (world.scenario->late_pcpu)
        spoil_pcpu(1);
    for (unsigned int i = A; i <= B; i++) {
        if (!comes_late(i))
            ex_require(vtdpi_vcpu_attach(&library.s, &library.vcpu[i],
                                         slot_of(i), &host.vcpu[i]));
    }
}

/* Those that few scenarios change. */
static void set_up_rare_ranges(void)
{
    if (world.scenario->late_page || world.scenario->adopts != 0)
        ex_range(library.pages, world.leaves * sizeof library.pages[0]);
    for (uint32_t i = 0; i < world.leaves && world.scenario->adopts != 0; i++) {
        ex_range(&library.page[i].pids, 2 * sizeof(uint64_t));
        ex_range(&library.page[i].held, sizeof library.page[i].held);
    }
    if (world.scenario->grows) {
        ex_range(&library.s.room, sizeof library.s.room);
        ex_range(library.chunks, sizeof library.chunks);
        ex_range(library.refs, sizeof library.refs[0]);
        ex_range(&library.page[world.leaves - 1].pids, 2 * sizeof(uint64_t));
    }
    for (unsigned int i = 0; i < CPUS && world.scenario->grows; i++)
        ex_range(library.cpu[i].part, 2 * sizeof(uint64_t));
    if (world.scenario->late_pcpu)
        ex_range(library.pcpus, sizeof library.pcpus);
    for (unsigned int i = 0; i < CPUS && has_op(OP_CHOOSE); i++)
        ex_range(&library.cpu[i].pcpu.here_left, 3 * sizeof(uint64_t));
}

void library_ranges(void)
{
    ex_range(library.vcpu,
             (has_c() ? VCPUS : VCPUS - 1) * sizeof library.vcpu[0]);
    ex_range(&library.s.scan, sizeof library.s.scan);
    set_up_rare_ranges();
    for (uint32_t i = 0; i < world.leaves; i++) {
        ex_range(&library.page[i].claimed, sizeof library.page[i].claimed);
        ex_range(&library.page[i].cookie, 2 * sizeof library.page[i].cookie[0]);
    }
    for (unsigned int i = A; i <= B; i++) {
        struct vtdpi_pid *const pid = library_pid(i);

        ex_range(pid, sizeof *pid);
        ex_visible(pid, offsetof(struct vtdpi_pid, reserved));
    }
    for (unsigned int i = 0; i < CPUS; i++) {
        struct library_cpu *const cpu = &library.cpu[i];

        ex_range(&cpu->pcpu.scan, sizeof cpu->pcpu.scan);
        ex_range(&cpu->pcpu.online, sizeof cpu->pcpu.online);
        if (world.scenario->grows)
            ex_range(summary_word(i), 3 * sizeof(uint64_t));
        ex_range(cpu->bitmap, (2 * world.leaves + 1) * sizeof(uint64_t));
        for (uint32_t w = 0; w < world.leaves; w++)
            ex_visible(leaf_word(i, w), sizeof(uint64_t));
        ex_visible(&cpu->pcpu.online, sizeof(uint64_t));
    }
}
