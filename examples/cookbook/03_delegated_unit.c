/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * My kernel drives the unit and owns the table: how do I put posted interrupts on top?
 * With a backend of three functions. The driver here is as small as one can be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/model.h>
#include <vtdpi/vtdpi.h>

static struct memory { /* all that there is, from address 0 on */
    _Alignas(4096) struct vtdpi_irte table[256];
    _Alignas(4096) uint64_t queue[256][2];
    struct vtdpi_pid pid; /* of the vCPU */
    uint32_t done;
} ram;
static struct vtdpi_model chip;
static struct vtdpi_model_iec_entry cache[256]; /* of the chip */

#define PHYS(member) offsetof(struct memory, member)

static void *map(void *ctx, uint64_t phys, size_t len)
{
    (void)ctx;
    return phys <= sizeof(ram) - len ? (uint8_t *)&ram + phys : NULL;
}

static void claim(bool so, const char *what)
{
    (void)printf("%s%s\n", so ? "" : "not so: ", what);
    if (!so)
        exit(1);
}

/* The kernel's driver of the unit. For hardware its waits have deadlines. */
static void driver_command(uint64_t bit)
{
    const uint64_t on =
        vtdpi_model_read32(&chip, VTDPI_GSTS_REG) & ~VTDPI_GCMD_ONE_SHOT;

    vtdpi_model_write32(&chip, VTDPI_GCMD_REG, (uint32_t)(on | bit));
}

static int driver_flush(void)
{
    static uint32_t tail;
    uint64_t(*const d)[2] = &ram.queue[tail];

    d[0][0] = VTDPI_QI_IEC; /* all entries; then write done := 1 */
    d[1][0] = UINT64_C(1) << 32 | VTDPI_QI_WAIT | VTDPI_WAIT_SW | VTDPI_WAIT_FN;
    d[1][1] = PHYS(done);
    ram.done = 0;
    tail = (tail + 2) % 256;
    vtdpi_model_write64(&chip, VTDPI_IQT_REG, tail * 16);
    return ram.done == 1 ? 0 : VTDPI_ETIMEDOUT;
}

static int driver_start(void)
{
    int rc;

    vtdpi_model_write64(&chip, VTDPI_IQA_REG, PHYS(queue));
    driver_command(VTDPI_GCMD_QIE);
    vtdpi_model_write64(&chip, VTDPI_IRTA_REG,
                        PHYS(table) | VTDPI_IRTA_EIME | 7);
    driver_command(VTDPI_GCMD_SIRTP);
    rc = driver_flush();
    driver_command(VTDPI_GCMD_IRE);
    return rc;
}

/* The backend: what the library asks of that driver. */
static int replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                   const struct vtdpi_irte *old,
                   const struct vtdpi_irte *replacement)
{
    struct vtdpi_irte any;

    (void)ctx, (void)flush;
    /* A teardown names no old entry. */
    vtdpi_irte_read(&ram.table[index], &any);
    return vtdpi_irte_replace(&ram.table[index], old != NULL ? old : &any,
                              replacement);
}

static int invalidate(void *ctx, struct vtdpi_flush *flush, uint32_t first,
                      uint32_t count)
{
    (void)ctx;
    vtdpi_flush_add(flush, first, count); /* commit flushes all of them */
    return 0;
}

static int commit(void *ctx, struct vtdpi_flush *flush)
{
    const int rc = flush->used || flush->global ? driver_flush() : 0;

    (void)ctx;
    if (rc == 0 && flush->drain) /* after a read, posts in flight have landed */
        (void)vtdpi_model_read32(&chip, VTDPI_GSTS_REG);
    return rc;
}

/* The device sends the message that selects entry 5. */
static bool arrives(enum vtdpi_model_outcome how, uint8_t vector)
{
    struct vtdpi_model_result r;
    struct vtdpi_msi msi;

    return !vtdpi_msi_encode(5, &msi) &&
           vtdpi_model_msi(&chip, 0x0310, msi.address_lo, msi.data, &r) ==
               how &&
           r.vector == vector;
}

int main(void)
{
    const struct vtdpi_model_params xeon = {.cap = 0x08d2078c106f0466,
                                            .ecap = 0xf020df,
                                            .map = map,
                                            .iec = cache,
                                            .iec_slots = 256,
                                            .foreign = true};
    const struct vtdpi_backend_ops ops = {NULL, replace, invalidate, commit,
                                          NULL};
    const struct vtdpi_backend kernel = {
        .ops = &ops, .mode = VTDPI_X2APIC, .haw = 46};
    const struct vtdpi_source device = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    const struct vtdpi_irte_remapped host = {
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x31, .dst = 7};
    struct vtdpi_target vcpu = {0};
    struct vtdpi_irq irq = {0};

    vtdpi_pid_init(&ram.pid, 0xf2, 0);
    if (vtdpi_model_init(&chip, &xeon) || driver_start() ||
        vtdpi_target_init(&vcpu, PHYS(pid), VTDPI_X2APIC) ||
        vtdpi_irq_init(&irq, &kernel, 5, &device, NULL))
        return 1;
    claim(!vtdpi_irq_set_host(&irq, &host) &&
              arrives(VTDPI_MODEL_REMAPPED, 0x31),
          "host form: vector 31h arrives at a CPU");
    claim(!vtdpi_irq_post_target(&irq, &vcpu, 0x41) &&
              arrives(VTDPI_MODEL_POSTED, 0x41) &&
              vtdpi_pid_test(&ram.pid, 0x41),
          "posted form: 41h is in the vCPU's descriptor");
    claim(!vtdpi_irq_unpost(&irq) && arrives(VTDPI_MODEL_REMAPPED, 0x31),
          "host form again, in one step");
    claim(!vtdpi_irq_teardown(&irq) && !vtdpi_target_close(&vcpu),
          "no entry names the descriptor any more");
    claim(vtdpi_model_violations(&chip) == 0, "no rule of the unit was broken");
    return 0;
}
