/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can I test my own VT-d code without hardware? The function below is a hypervisor's,
 * with a mistake that hardware shows once in a while. The model names it at once.
 */
#include "start_unit.h"

/* The hypervisor: code under test. In the kernel these two functions are MMIO. */

static void write32(uint32_t reg, uint64_t value)
{
    vtdpi_model_write32(&chip, reg, (uint32_t)value);
}

static void write64(uint32_t reg, uint64_t value)
{
    vtdpi_model_write64(&chip, reg, value);
}

/* False: the unit did not answer. Hardware takes a while, so a kernel polls. */
static bool start_remapping(bool flush)
{
    write64(VTDPI_IQA_REG, phys(ram.queue[0]));
    write32(VTDPI_GCMD_REG, VTDPI_GCMD_QIE);
    write64(VTDPI_IRTA_REG, phys(ram.table) | VTDPI_IRTA_EIME | 7);
    write32(VTDPI_GCMD_REG, VTDPI_GCMD_QIE | VTDPI_GCMD_SIRTP);
    if (flush) {
        ram.status[0][0] = 0;
        ram.queue[0][0][0] = VTDPI_QI_IEC; /* all entries; then status := 1 */
        ram.queue[0][1][0] =
            UINT64_C(1) << 32 | VTDPI_QI_WAIT | VTDPI_WAIT_SW | VTDPI_WAIT_FN;
        ram.queue[0][1][1] = phys(ram.status[0]);
        write64(VTDPI_IQT_REG, 32);
        if (ram.status[0][0] != 1)
            return false;
    }
    write32(VTDPI_GCMD_REG, VTDPI_GCMD_QIE | VTDPI_GCMD_IRE);
    return true;
}

/* The test. */

static void complain(void *ctx, const struct vtdpi_model_violation *v)
{
    (void)ctx;
    (void)printf(
        "  the model: %s, register %#x; at stake: %s\n",
        vtdpi_model_violation_name(v->kind), (unsigned int)v->where,
        vtdpi_model_severity_name(vtdpi_model_violation_severity(v->kind)));
}

/* One run on a new unit. Returns what the model has counted. */
static uint64_t run(bool flush)
{
    struct vtdpi_model_result r;
    struct vtdpi_msi msi;

    must(vtdpi_model_init(&chip, &chip_params), "power");
    claim(start_remapping(flush), "  remapping is on");
    /* APIC 7, vector 31h. */
    ram.table[0].lo = UINT64_C(7) << 32 | 0x31 << 16 | 1;
    must(vtdpi_msi_encode(0, &msi), "message");
    r = device_sends(0x0310, &msi, 0);
    claim(r.outcome == VTDPI_MODEL_REMAPPED && r.dest == 7,
          "  an interrupt arrives at APIC 7");
    return vtdpi_model_violations(&chip);
}

int main(void)
{
    chip_params.foreign = true; /* the library is not the driver */
    chip_params.violation = complain;
    (void)printf("As first written:\n");
    claim(run(false) == 1, "  the mistake is found");
    (void)printf("Mended:\n");
    claim(run(true) == 0, "  no complaint");
    return 0;
}
