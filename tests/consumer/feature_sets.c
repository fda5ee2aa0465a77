/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host of one set of features of src/sources.mk. FEATURES is the number of the
 * set, from 0: pid, sched, irq, bind, all; each has what the one before it has.
 * The exit status is the line of the first check that failed. No function of a C
 * library is called.
 */
#include <vtdpi/vtdpi.h>

#define CHECK(expr)          \
    do {                     \
        if (!(expr))         \
            return __LINE__; \
    } while (0)

static int check_pid(void)
{
    struct vtdpi_pid pid;

    vtdpi_pid_init(&pid, 0xf2, 1);
    (void)vtdpi_pid_test_and_clear_sn(&pid);
    CHECK(vtdpi_pid_post(&pid, 0x41, false).result == VTDPI_POST_NOTIFY);
    CHECK(vtdpi_pid_pending(&pid));
    return 0;
}

#if FEATURES >= 1
struct host {
    struct vtdpi_sched sched;
    struct vtdpi_page_ref pages[1];
    struct vtdpi_pid_page page;
    struct vtdpi_pcpu *pcpus[1];
    struct vtdpi_pcpu pcpu;
    struct vtdpi_vcpu vcpu;
    uint64_t bitmap[VTDPI_BITMAP_WORDS(1)];
    unsigned int ipis;
    unsigned int wakes;
};

static _Alignas(VTDPI_PAGE_SIZE) uint8_t pid_memory[VTDPI_PAGE_SIZE];

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    struct host *const h = ctx;

    h->ipis += apic_id == 7 && vector == 0xf1;
}

static void wake(void *ctx, void *cookie)
{
    struct host *const h = ctx;

    h->wakes += cookie == &h->vcpu;
}

static const struct vtdpi_platform_ops platform_ops = {
    .send_ipi = send_ipi,
    .wake = wake,
};

static int check_sched(struct host *h)
{
    const struct vtdpi_sched_params params = {
        .ops = &platform_ops,
        .ctx = h,
        .pages = h->pages,
        .max_pages = 1,
        .pcpus = h->pcpus,
        .max_pcpus = 1,
        .apic_mode = VTDPI_X2APIC,
        .anv = 0xf2,
        .wnv = {0xf1},
    };
    uint64_t vectors[VTDPI_PIR_WORDS];

    CHECK(vtdpi_sched_init(&h->sched, &params) == 0);
    CHECK(vtdpi_sched_add_page(&h->sched, 0, &h->page, pid_memory, 0x1000) ==
          0);
    CHECK(vtdpi_pcpu_init(&h->sched, &h->pcpu, 0, 7, h->bitmap) == 0);
    CHECK(vtdpi_vcpu_attach(&h->sched, &h->vcpu, 0, &h->vcpu) == 0);
    vtdpi_pcpu_online(&h->pcpu);
    CHECK(vtdpi_pcpu_choose(&h->pcpu, 16, NULL) == &h->pcpu);
    CHECK(vtdpi_vcpu_block(&h->vcpu, &h->pcpu) == VTDPI_BLOCKED);
    vtdpi_vcpu_post(&h->vcpu, 0x41, false);
    CHECK(h->ipis == 1);
    vtdpi_pcpu_handle_wakeup(&h->pcpu, 0xf1);
    CHECK(h->wakes == 1);
    vtdpi_vcpu_run(&h->vcpu, &h->pcpu);
    CHECK(vtdpi_vcpu_sync(&h->vcpu, vectors) && vectors[1] == 2);
    CHECK(vtdpi_version() == VTDPI_VERSION);
    CHECK(vtdpi_strerror(VTDPI_EINVAL)[0] != '\0');
    return 0;
}
#endif

#if FEATURES >= 2
/* A backend of the host's own: a table of one entry that no unit caches. */
static struct vtdpi_irte table_entry;

static int entry_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                         const struct vtdpi_irte *old,
                         const struct vtdpi_irte *replacement)
{
    (void)ctx;
    (void)flush;
    (void)old;
    if (index != 0)
        return VTDPI_EINDEX;
    table_entry = *replacement;
    return 0;
}

static int entry_invalidate(void *ctx, struct vtdpi_flush *flush,
                            uint32_t first, uint32_t count)
{
    (void)ctx;
    vtdpi_flush_add(flush, first, count);
    return 0;
}

static int entry_commit(void *ctx, struct vtdpi_flush *flush)
{
    (void)ctx;
    (void)flush;
    return 0;
}

static const struct vtdpi_backend_ops entry_ops = {
    .replace = entry_replace,
    .invalidate = entry_invalidate,
    .commit = entry_commit,
};

static const struct vtdpi_backend entry_backend = {
    .ops = &entry_ops,
    .mode = VTDPI_X2APIC,
    .haw = 46,
};

static int check_irq(struct host *h, struct vtdpi_irq *irq)
{
    const struct vtdpi_source source = vtdpi_source_exact(0x100, 0);
    const struct vtdpi_irte_remapped form = {
        .present = true,
        .dlm = VTDPI_DLM_FIXED,
        .mode = VTDPI_X2APIC,
        .vector = 0x31,
        .dst = 7,
    };
    struct vtdpi_msi msi;

    CHECK(vtdpi_irq_init(irq, &entry_backend, 0, &source, NULL) == 0);
    CHECK(vtdpi_irq_set_host(irq, &form) == 0);
    CHECK(!vtdpi_irte_is_posted(&table_entry));
    CHECK(vtdpi_irq_post(irq, &h->vcpu, 0x41) == 0);
    CHECK(vtdpi_irte_is_posted(&table_entry));
    CHECK(vtdpi_irq_unpost(irq) == 0);
    CHECK(vtdpi_msi_encode(vtdpi_irq_index(irq), &msi) == 0);
    return 0;
}
#endif

#if FEATURES >= 3
static int check_bind(struct host *h, struct vtdpi_irq *irq)
{
    struct vtdpi_guest_apic apics[1];
    uint64_t keys[VTDPI_ROUTE_MAP_KEYS(1)];
    struct vtdpi_vcpu *vcpus[1];
    struct vtdpi_binding *heads[VTDPI_VM_HEADS(1)];
    const struct vtdpi_vm_params params = {
        .apics = apics,
        .keys = keys,
        .vcpus = vcpus,
        .vcpu_count = 1,
        .heads = heads,
        .buckets = 1,
        .form = VTDPI_COMPAT_DEST_8,
        .posting = true,
    };
    /* APIC id 0, enabled; a message to it with vector 41h. */
    const struct vtdpi_guest_apic apic =
        vtdpi_guest_apic_from_registers(0xfee00800, 0, 0, 0xffffffff, 0x1ff);
    const struct vtdpi_msi msi = {.address_lo = 0xfee00000, .data = 0x41};
    struct vtdpi_vm vm = {0};
    struct vtdpi_binding b = {0};
    struct vtdpi_vm_work work = {0};

    CHECK(vtdpi_vm_init(&vm, &params) == 0);
    CHECK(vtdpi_vm_attach(&vm, 0, &h->vcpu) == 0);
    CHECK(vtdpi_vm_set_apic(&vm, 0, &apic) >= 0);
    CHECK(vtdpi_vm_bind(&vm, &b, irq, true) == 0);
    CHECK(vtdpi_binding_set_message(&b, &msi) >= 0);
    CHECK(vtdpi_vm_begin(&vm, &work, NULL, 0) == 1);
    vtdpi_vm_apply(&work);
    CHECK(vtdpi_vm_end(&vm, &work) == 0);
    CHECK(vtdpi_irq_vcpu(irq) == &h->vcpu);
    CHECK(vtdpi_irte_is_posted(&table_entry));
    return 0;
}
#endif

#if FEATURES >= 4
/* Where no unit answers, every register reads as all ones. */
static uint32_t read32(void *ctx, uint32_t offset)
{
    (void)ctx;
    (void)offset;
    return UINT32_MAX;
}

static uint64_t read64(void *ctx, uint32_t offset)
{
    (void)ctx;
    (void)offset;
    return UINT64_MAX;
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
    (void)ctx;
    (void)offset;
    (void)value;
}

static void write64(void *ctx, uint32_t offset, uint64_t value)
{
    (void)ctx;
    (void)offset;
    (void)value;
}

static uint64_t now_us(void *ctx)
{
    (void)ctx;
    return 0;
}

static uintptr_t lock(void *ctx)
{
    (void)ctx;
    return 0;
}

static void unlock(void *ctx, uintptr_t token)
{
    (void)ctx;
    (void)token;
}

static const struct vtdpi_platform_ops unit_ops = {
    .read32 = read32,
    .read64 = read64,
    .write32 = write32,
    .write64 = write64,
    .now_us = now_us,
    .lock = lock,
    .unlock = unlock,
};

static int check_unit(void)
{
    static _Alignas(4096) struct vtdpi_irte entries[256];
    static uint64_t storage[64];
    const struct vtdpi_table_params params = {
        .entries = entries,
        .phys = 0x1000,
        .count = 256,
        .storage = storage,
        .storage_size = sizeof(storage),
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };
    const struct vtdpi_verdict_facts nothing = {0};
    const struct vtdpi_caps_options options = {0};
    struct vtdpi_table table;
    struct vtdpi_unit unit = {0};
    struct vtdpi_dmar dmar;
    uint32_t first;
    size_t count;

    CHECK(vtdpi_dmar_open("DMAR", 4, 0, &dmar, &count) != 0);
    (void)vtdpi_verdict_decide(&nothing, &options, NULL, 0, &count);
    CHECK(count != 0);
    CHECK(vtdpi_table_storage_size(256) <= sizeof(storage));
    CHECK(vtdpi_table_init(&table, &params) == 0);
    CHECK(vtdpi_table_alloc(&table, 8, NULL, &first) == 0 && first % 8 == 0);
    CHECK(vtdpi_unit_probe(&unit, &unit_ops, NULL, 4096) == VTDPI_EIO);
    CHECK(vtdpi_fault_reason_text(0x26)[0] != '\0');
    return 0;
}
#endif

int main(void)
{
    int line = check_pid();
#if FEATURES >= 1
    static struct host host;

    line = line ? line : check_sched(&host);
#endif
#if FEATURES >= 2
    static struct vtdpi_irq irq;

    line = line ? line : check_irq(&host, &irq);
#endif
#if FEATURES >= 3
    line = line ? line : check_bind(&host, &irq);
#endif
#if FEATURES >= 4
    line = line ? line : check_unit();
#endif
    return line;
}
