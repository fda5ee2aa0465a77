/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who posts: kthreads by software, and a device whose messages go through the
 * library's driver of a unit, its table and its queue. The unit is the model, on a
 * thread of its own. Read source_may_post() first: it is why posts can be counted.
 */

#define pr_fmt(format) KBUILD_MODNAME ": " format

#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include <vtdpi/model.h>

#include "selftest.h"

#define ENTRIES   256u
#define DEVICE_ID 0x0100u /* bus 1, device 0, function 0 */
/* A unit with queued invalidation, extended interrupt mode and posting, whose
 * accesses snoop. */
#define UNIT_CAP  0x08d2078c106f0466ull
#define UNIT_ECAP 0xf020dfull

static struct task_struct *threads[ST_SOURCES];

static struct vtdpi_model hardware;
static struct vtdpi_model_iec_entry cache[ENTRIES];
static struct vtdpi_unit unit;
static struct vtdpi_table table;
static struct vtdpi_table_unit table_unit;
static unsigned long memory[3]; /* pages: entries, ring, status words */
static void *storage;
static bool unit_on;

static struct {
    struct vtdpi_irq irq;
    struct vtdpi_msi msi;
    struct st_vcpu *target;
    bool ready;
} irqs[ST_SOURCE_SPREAD];

/* A source posts a vector to a vCPU only if the vCPU has taken the last one. So no
 * two posts share a bit of PIR, and at the end posts and takes are equal. */
static bool source_may_post(struct st_vcpu *v, unsigned int n)
{
    if (atomic64_read(&v->posted[n]) != atomic64_read(&v->taken[n]))
        return false;
    atomic64_inc(&v->posted[n]);
    return true;
}

static void rest(void)
{
    if (get_random_u32() % 8)
        cond_resched();
    else
        usleep_range(20, 300);
}

static int software_thread(void *data)
{
    const unsigned int first = (unsigned long)data * ST_SOURCE_SPREAD;

    while (!kthread_should_stop()) {
        struct st_vcpu *const v = &st_vcpus[get_random_u32() % ST_VCPUS];
        const unsigned int n = first + get_random_u32() % ST_SOURCE_SPREAD;

        if (source_may_post(v, n)) {
            preempt_disable();
            vtdpi_vcpu_post(&v->vcpu, ST_FIRST_VECTOR + n, false);
            preempt_enable();
        }
        rest();
    }
    return 0;
}

/* The device writes the message of one of its interrupts. */
static void device_message(unsigned int i)
{
    const unsigned int n = ST_THREADS * ST_SOURCE_SPREAD + i;
    struct vtdpi_model_result r;

    if (!source_may_post(irqs[i].target, n))
        return;
    preempt_disable();
    vtdpi_model_msi(&hardware, DEVICE_ID,
                    (u64)irqs[i].msi.address_hi << 32 | irqs[i].msi.address_lo,
                    irqs[i].msi.data, &r);
    preempt_enable();
    if (r.outcome == VTDPI_MODEL_POSTED)
        atomic64_inc(&st_counts.device_posts);
    else
        st_fail("message %u: outcome %d, reason %#x", i, r.outcome, r.reason);
}

/* The guest changes the message: from now on another vCPU takes it. */
static void device_move(unsigned int i)
{
    struct st_vcpu *const v = &st_vcpus[get_random_u32() % ST_VCPUS];
    const int rc =
        vtdpi_irq_post(&irqs[i].irq, &v->vcpu,
                       ST_FIRST_VECTOR + ST_THREADS * ST_SOURCE_SPREAD + i);

    if (rc == 0) {
        irqs[i].target = v;
        atomic64_inc(&st_counts.moves);
    } else {
        st_fail("interrupt %u: %s", i, vtdpi_strerror(rc));
    }
}

static int device_thread(void *data)
{
    while (!kthread_should_stop()) {
        const unsigned int i = get_random_u32() % ST_SOURCE_SPREAD;

        if (get_random_u32() % 16 == 0)
            device_move(i);
        device_message(i);
        rest();
    }
    return 0;
}

static void *unit_map(void *ctx, uint64_t phys, size_t len)
{
    return pfn_valid(PHYS_PFN(phys)) ? phys_to_virt(phys) : NULL;
}

static void unit_notify(void *ctx, const struct vtdpi_model_notification *n)
{
    st_send_ipi(ctx, n->apic_id, n->nv);
}

static void unit_violation(void *ctx, const struct vtdpi_model_violation *v)
{
    st_fail("the driver of the unit: %s", vtdpi_model_violation_name(v->kind));
}

static int table_start(void)
{
    const size_t size = vtdpi_table_storage_size(ENTRIES);
    const struct vtdpi_table_params params = {
        .entries = (void *)memory[0],
        .phys = virt_to_phys((void *)memory[0]),
        .count = ENTRIES,
        .storage = storage = kzalloc(size, GFP_KERNEL),
        .storage_size = size,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };

    return storage ? vtdpi_table_init(&table, &params) : VTDPI_ENOSPC;
}

static int unit_start(void)
{
    const struct vtdpi_model_params params = {
        .cap = UNIT_CAP,
        .ecap = UNIT_ECAP,
        .map = unit_map,
        .iec = cache,
        .iec_slots = ENTRIES,
        .notify = unit_notify,
        .violation = unit_violation,
        .host_address_width = 46,
        .concurrent = true,
    };
    const struct vtdpi_unit_config config = {
        .qi =
            {
                .ring = (void *)memory[1],
                .ring_phys = virt_to_phys((void *)memory[1]),
                .status = (void *)memory[2],
                .status_phys = virt_to_phys((void *)memory[2]),
                .submitters = 1,
            },
    };
    int rc = vtdpi_model_init(&hardware, &params);

    if (rc == 0)
        rc = table_start();
    if (rc == 0)
        rc = vtdpi_unit_probe(&unit, &vtdpi_model_platform_ops, &hardware,
                              PAGE_SIZE);
    if (rc == 0)
        rc = vtdpi_table_add_unit(&table, &table_unit, &unit);
    if (rc == 0)
        rc = vtdpi_unit_enable(&unit, &config);
    unit_on = rc == 0;
    return rc;
}

static int irqs_start(void)
{
    const struct vtdpi_source source =
        vtdpi_source_exact(DEVICE_ID, VTDPI_SQ_ALL);
    unsigned int i;
    int rc = 0;

    for (i = 0; i < ST_SOURCE_SPREAD && rc == 0; i++) {
        uint32_t index;

        irqs[i].target = &st_vcpus[i % ST_VCPUS];
        rc = vtdpi_table_alloc(&table, 1, NULL, &index);
        if (rc == 0)
            rc = vtdpi_irq_init(&irqs[i].irq, vtdpi_table_backend(&table),
                                index, &source, NULL);
        irqs[i].ready = rc == 0;
        if (rc == 0)
            rc = vtdpi_msi_encode(index, &irqs[i].msi);
        if (rc == 0)
            rc = vtdpi_irq_post(&irqs[i].irq, &irqs[i].target->vcpu,
                                ST_FIRST_VECTOR +
                                    ST_THREADS * ST_SOURCE_SPREAD + i);
    }
    return rc;
}

int st_posters_start(void)
{
    unsigned long i;
    int rc = 0;

    for (i = 0; i < ARRAY_SIZE(memory); i++) {
        memory[i] = get_zeroed_page(GFP_KERNEL);
        if (!memory[i])
            rc = VTDPI_ENOSPC;
    }
    if (rc == 0)
        rc = unit_start();
    if (rc == 0)
        rc = irqs_start();
    for (i = 0; i < ST_SOURCES && rc == 0; i++) {
        struct task_struct *const t =
            kthread_run(i < ST_THREADS ? software_thread : device_thread,
                        (void *)i, "vtdpi-post/%lu", i);

        rc = PTR_ERR_OR_ZERO(t);
        threads[i] = rc ? NULL : t;
    }
    if (rc == 0)
        return 0;
    pr_err("cannot start: %s\n", vtdpi_strerror(rc));
    st_posters_stop();
    return -EINVAL;
}

/* Nobody posts any more; then no entry names a vCPU, and the unit goes. */
void st_posters_stop(void)
{
    unsigned int i;

    for (i = 0; i < ST_SOURCES; i++) {
        if (threads[i])
            kthread_stop(threads[i]);
        threads[i] = NULL;
    }
    for (i = 0; i < ST_SOURCE_SPREAD; i++) {
        if (irqs[i].ready && vtdpi_irq_teardown(&irqs[i].irq))
            st_fail("interrupt %u cannot be torn down", i);
        irqs[i].ready = false;
    }
    if (unit_on &&
        (vtdpi_unit_disable(&unit) || vtdpi_table_remove_unit(&table, &unit)))
        st_fail("the unit does not go off");
    unit_on = false;
    kfree(storage);
    storage = NULL;
    for (i = 0; i < ARRAY_SIZE(memory); i++) {
        free_page(memory[i]);
        memory[i] = 0;
    }
}
