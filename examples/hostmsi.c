/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host takes its own MSIs through the descriptors of two pCPUs: a burst, a move to the
 * other pCPU, and the end of the first one. The table is one entry that nobody caches,
 * and posts by software play the unit.
 */
#include <inttypes.h>
#include <stdio.h>
#include <vtdpi/vtdpi.h>

enum {
    NV = 0xeb, /* the notification vector */
    VECTOR = 0x41,
    OTHER = 0x42
};

static struct vtdpi_hostmsi pcpu[2];
static struct vtdpi_irte
    entry; /* a real table has more, and units that cache */

static int entry_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                         const struct vtdpi_irte *old,
                         const struct vtdpi_irte *replacement)
{
    (void)ctx, (void)flush, (void)index, (void)old;
    entry = *replacement;
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
    (void)ctx, (void)flush; /* a real host waits for its units, and drains */
    return 0;
}

static void handle(void *ctx, uint8_t vector)
{
    (void)printf("  pCPU %u handles vector %#x\n", *(unsigned int *)ctx,
                 vector);
}

/* What a unit does with a message whose entry names @cpu. */
static void raise(unsigned int cpu, uint8_t vector)
{
    const struct vtdpi_notification n = vtdpi_hostmsi_post(&pcpu[cpu], vector);

    (void)printf("vector %#x is recorded%s\n", vector,
                 n.result == VTDPI_POST_NOTIFY ? ", pCPU is notified" : "");
}

/* The notification vector; then one EOI. */
static uint32_t interrupt(unsigned int cpu)
{
    return vtdpi_hostmsi_handle(&pcpu[cpu], VTDPI_HOSTMSI_LOOKS, handle, &cpu);
}

int main(void)
{
    static const struct vtdpi_backend_ops ops = {
        .replace = entry_replace,
        .invalidate = entry_invalidate,
        .commit = entry_commit,
    };
    const struct vtdpi_backend table = {
        .ops = &ops, .mode = VTDPI_X2APIC, .haw = 46};
    const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, 0x1a8, 0};
    uint64_t rest[VTDPI_PIR_WORDS];
    static struct vtdpi_irq irq;
    unsigned int first = 0;

    for (uint32_t i = 0; i < 2; i++) {
        if (vtdpi_hostmsi_init(&pcpu[i], 0x1000 + i * sizeof pcpu[i],
                               VTDPI_X2APIC, i, NV) != 0)
            return 1;
        vtdpi_hostmsi_online(&pcpu[i]);
        (void)interrupt(i); /* whatever came before */
    }
    if (vtdpi_irq_init(&irq, &table, 0, &source, NULL) != 0 ||
        vtdpi_irq_set_host_posted(&irq, vtdpi_hostmsi_target(&pcpu[0]),
                                  VECTOR) != 0)
        return 1;

    raise(0, VECTOR);
    raise(0, OTHER); /* of another device */
    if (interrupt(0) != 2)
        return 1;

    /* A move: the entry first, then the last harvest of the old pCPU. */
    raise(0, VECTOR);
    if (vtdpi_irq_set_host_posted(&irq, vtdpi_hostmsi_target(&pcpu[1]),
                                  VECTOR) != 0 ||
        vtdpi_irq_flush(&irq) != 0 || !vtdpi_hostmsi_harvest(&pcpu[0], rest) ||
        vtdpi_hostmsi_dispatch(rest, handle, &first) != 1)
        return 1;
    raise(1, VECTOR);

    /* No interrupt names the first pCPU any more, and one names the second. */
    return interrupt(1) != 1 || vtdpi_hostmsi_offline(&pcpu[0], rest) != 0 ||
           vtdpi_hostmsi_offline(&pcpu[1], rest) != VTDPI_EBUSY;
}
