/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's own devices interrupt in bursts: how does a CPU take a burst with one
 * interrupt, and how does an interrupt move to another CPU?
 */
#include "start_unit.h"

enum {
    NV = 0xeb,
    SID = 0x0310,
    QUEUES = 4, /* of the device */
    VECTOR = 0x41
};

static struct vtdpi_irq irq[QUEUES];
static struct vtdpi_msi msi;
static unsigned int notified[2]; /* interrupts of each CPU */
static unsigned int handled;     /* queues */

static void notify(void *ctx, const struct vtdpi_model_notification *n)
{
    (void)ctx;
    notified[n->apic_id]++;
}

/* The handler of a queue. Sends no EOI: the notification vector has the only one. */
static void handle_queue(void *ctx, uint8_t vector)
{
    (void)ctx;
    handled |= 1u << (vector - VECTOR);
}

/* The handler of NV on a CPU, interrupts off; then EOI. */
static uint32_t interrupt(unsigned int cpu)
{
    handled = 0;
    return vtdpi_hostmsi_handle(&ram.cpus[cpu], VTDPI_HOSTMSI_LOOKS,
                                handle_queue, NULL);
}

static bool device_posts(uint32_t queue)
{
    return device_sends(SID, &msi, queue).outcome == VTDPI_MODEL_POSTED;
}

static void start(void)
{
    const struct vtdpi_source device = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    struct vtdpi_target *const cpu_0 = vtdpi_hostmsi_target(&ram.cpus[0]);
    uint32_t first;

    chip_params.notify = notify;
    start_unit();
    for (uint32_t i = 0; i < 2; i++) {
        must(vtdpi_hostmsi_init(&ram.cpus[i], phys(&ram.cpus[i]), VTDPI_X2APIC,
                                i, NV),
             "CPU");
        vtdpi_hostmsi_online(&ram.cpus[i]);
        (void)interrupt(i); /* a notification of before may be lost */
    }
    must(vtdpi_table_alloc(&table, QUEUES, NULL, &first), "indexes");
    must(vtdpi_msi_encode_block(first, QUEUES, &msi), "message");
    for (uint32_t i = 0; i < QUEUES; i++) {
        must(vtdpi_irq_init(&irq[i], vtdpi_table_backend(&table), first + i,
                            &device, NULL),
             "interrupt");
        must(vtdpi_irq_set_host_posted(&irq[i], cpu_0, (uint8_t)(VECTOR + i)),
             "post");
    }
}

int main(void)
{
    struct vtdpi_target *const cpu_1 = vtdpi_hostmsi_target(&ram.cpus[1]);
    uint64_t left[VTDPI_PIR_WORDS];

    start();
    claim(device_posts(0) && device_posts(1) && device_posts(2) &&
              device_posts(3) && notified[0] == 1,
          "a burst of four queues, one interrupt of CPU 0");
    claim(interrupt(0) == 4 && handled == 0xf, "its handler finds all four");
    claim(device_posts(2) && notified[0] == 2,
          "what comes after the handler interrupts again");

    /* CPU 0 has not handled that one, and queue 2 moves: the entry, the flush, then
     * the last harvest of the old CPU. */
    must(vtdpi_irq_set_host_posted(&irq[2], cpu_1, VECTOR + 2), "move");
    must(vtdpi_irq_flush(&irq[2]), "flush");
    claim(device_posts(2) && notified[1] == 1 && interrupt(1) == 1,
          "queue 2 moves: it interrupts CPU 1");
    claim(vtdpi_hostmsi_harvest(&ram.cpus[0], left) &&
              vtdpi_hostmsi_dispatch(left, handle_queue, NULL) == 1,
          "what came before the move waits on CPU 0");
    claim(vtdpi_hostmsi_offline(&ram.cpus[0], left) == VTDPI_EBUSY,
          "CPU 0 cannot go: three queues are still there");
    return vtdpi_model_violations(&chip) != 0;
}
