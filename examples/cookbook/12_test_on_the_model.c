/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can I test my own VT-d code without hardware? The function below is a hypervisor's,
 * with a mistake that hardware shows once in a while. The model names it at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/model.h>
#include <vtdpi/vtdpi.h>

enum {
    TABLE = 0x1000,
    QUEUE = 0x2000,
    STATUS = 0x3000,
    BYTES = 0x4000
};

static _Alignas(4096) uint64_t ram[BYTES / 8]; /* physical memory */
static struct vtdpi_model hardware;
static struct vtdpi_model_iec_entry cache[256];

/* The hypervisor: code under test. In the kernel these functions are MMIO. */

static void write32(uint32_t reg, uint64_t value)
{
    vtdpi_model_write32(&hardware, reg, (uint32_t)value);
}

static void write64(uint32_t reg, uint64_t value)
{
    vtdpi_model_write64(&hardware, reg, value);
}

static void command(uint64_t bit)
{
    const uint64_t on = vtdpi_model_read32(&hardware, VTDPI_GSTS_REG);

    write32(VTDPI_GCMD_REG, (on & ~VTDPI_GCMD_ONE_SHOT) | bit);
}

/* False: the unit did not answer. Hardware takes a while, so a kernel polls. */
static bool start_remapping(bool flush)
{
    write64(VTDPI_IQA_REG, QUEUE);
    command(VTDPI_GCMD_QIE);
    write64(VTDPI_IRTA_REG, TABLE | VTDPI_IRTA_EIME | 7); /* 256 entries */
    command(VTDPI_GCMD_SIRTP);
    if (flush) {
        ram[QUEUE / 8] = VTDPI_QI_IEC; /* all entries */
        ram[QUEUE / 8 + 2] = UINT64_C(1) << 32 /* status := 1 */ |
                             VTDPI_QI_WAIT | VTDPI_WAIT_SW | VTDPI_WAIT_FN;
        ram[STATUS / 8] = 0;
        ram[QUEUE / 8 + 3] = STATUS;
        write64(VTDPI_IQT_REG, 32);
        if (ram[STATUS / 8] != 1)
            return false;
    }
    command(VTDPI_GCMD_IRE);
    return true;
}

/* The test. */

static void *map(void *ctx, uint64_t phys, size_t len)
{
    (void)ctx;
    return phys <= BYTES - len ? (uint8_t *)ram + phys : NULL;
}

static void complain(void *ctx, const struct vtdpi_model_violation *v)
{
    (void)ctx;
    (void)printf(
        "  the model: %s, register %#x; at stake: %s\n",
        vtdpi_model_violation_name(v->kind), (unsigned int)v->where,
        vtdpi_model_severity_name(vtdpi_model_violation_severity(v->kind)));
}

static void claim(bool so, const char *what)
{
    (void)printf("%s%s\n", so ? "" : "not so: ", what);
    if (!so)
        exit(1);
}

/* One run on a new unit. Returns what the model has counted. */
static uint64_t run(bool flush)
{
    const struct vtdpi_model_params chip = {.cap = 0x08d2078c106f0466,
                                            .ecap = 0xf020df,
                                            .map = map,
                                            .iec = cache,
                                            .iec_slots = 256,
                                            .violation = complain,
                                            .foreign = true};
    struct vtdpi_model_result r;

    if (vtdpi_model_init(&hardware, &chip) != 0 || !start_remapping(flush))
        return UINT64_MAX;
    ram[TABLE / 8] =
        UINT64_C(7) << 32 | 0x31 << 16 | 1; /* APIC 7, vector 31h */
    claim(vtdpi_model_msi(&hardware, 0x0310, 0xfee00018, 0, &r) ==
                  VTDPI_MODEL_REMAPPED &&
              r.dest == 7,
          "  an interrupt arrives");
    return vtdpi_model_violations(&hardware);
}

int main(void)
{
    (void)printf("As first written:\n");
    claim(run(false) == 1, "  the mistake is found");
    (void)printf("Mended:\n");
    claim(run(true) == 0, "  no complaint");
    return 0;
}
