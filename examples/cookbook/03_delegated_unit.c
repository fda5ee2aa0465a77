/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * My kernel drives the unit and owns the table: how do I put posted interrupts on top?
 * With a backend of three functions.
 */
#include "start_unit.h"

/* The kernel's driver, as small as one can be: no deadline, no other user of GCMD. */
static int driver_flush(void)
{
    static uint32_t tail;
    uint64_t(*const d)[2] = &ram.queue[0][tail];

    d[0][0] = VTDPI_QI_IEC; /* all entries; then write 1 to the status */
    d[1][0] = UINT64_C(1) << 32 | VTDPI_QI_WAIT | VTDPI_WAIT_SW | VTDPI_WAIT_FN;
    d[1][1] = phys(ram.status[0]);
    ram.status[0][0] = 0;
    tail = (tail + 2) % 256;
    vtdpi_model_write64(&chip, VTDPI_IQT_REG, tail * 16);
    return ram.status[0][0] == 1 ? 0 : VTDPI_ETIMEDOUT;
}

static void driver_start(void)
{
    vtdpi_model_write64(&chip, VTDPI_IQA_REG, phys(ram.queue[0]));
    vtdpi_model_write32(&chip, VTDPI_GCMD_REG, VTDPI_GCMD_QIE);
    vtdpi_model_write64(&chip, VTDPI_IRTA_REG,
                        phys(ram.table) | VTDPI_IRTA_EIME | 7);
    vtdpi_model_write32(&chip, VTDPI_GCMD_REG,
                        VTDPI_GCMD_QIE | VTDPI_GCMD_SIRTP);
    must(driver_flush(), "flush");
    vtdpi_model_write32(&chip, VTDPI_GCMD_REG, VTDPI_GCMD_QIE | VTDPI_GCMD_IRE);
}

/* The backend: what the library asks of that driver. */
static int replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                   const struct vtdpi_irte *old,
                   const struct vtdpi_irte *replacement)
{
    struct vtdpi_irte any; /* a teardown does not name the old entry */

    (void)ctx, (void)flush;
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

int main(void)
{
    const struct vtdpi_backend_ops ops = {
        .replace = replace, .invalidate = invalidate, .commit = commit};
    const struct vtdpi_backend kernel = {
        .ops = &ops, .mode = VTDPI_X2APIC, .haw = 46};
    const struct vtdpi_source device = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    const struct vtdpi_irte_remapped host = {
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x31, .dst = 7};
    struct vtdpi_target vcpu = {0};
    struct vtdpi_irq irq = {0};
    struct vtdpi_msi msi;

    chip_params.foreign = true; /* the driver is not the library's */
    must(vtdpi_model_init(&chip, &chip_params), "power");
    driver_start();
    vtdpi_pid_init(ram.pids, 0xf2, 0);
    must(vtdpi_target_init(&vcpu, phys(ram.pids), VTDPI_X2APIC), "target");
    must(vtdpi_irq_init(&irq, &kernel, 5, &device, NULL), "interrupt");
    must(vtdpi_msi_encode(5, &msi), "message");

    must(vtdpi_irq_set_host(&irq, &host), "host form");
    claim(device_sends(0x0310, &msi, 0).vector == 0x31,
          "host form: vector 31h arrives at a CPU");
    must(vtdpi_irq_post_target(&irq, &vcpu, 0x41), "post");
    claim(device_sends(0x0310, &msi, 0).outcome == VTDPI_MODEL_POSTED &&
              vtdpi_pid_test(ram.pids, 0x41),
          "posted form: 41h is in the vCPU's descriptor");
    must(vtdpi_irq_unpost(&irq), "unpost");
    claim(device_sends(0x0310, &msi, 0).outcome == VTDPI_MODEL_REMAPPED,
          "host form again, in one step");
    claim(!vtdpi_irq_teardown(&irq) && !vtdpi_target_close(&vcpu),
          "no entry names the descriptor any more");
    return vtdpi_model_violations(&chip) != 0;
}
