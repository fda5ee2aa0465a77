/* SPDX-License-Identifier: BSD-2-Clause */
/* On, off, asleep, and what others left on. */

#include "kernel.h"

#define GSTS_REG  0x1c
#define GSTS_IRES 0x02000000u
#define GSTS_QIES 0x04000000u

static uint32_t status(void)
{
    return mmio_read32(machine.registers + GSTS_REG);
}

void test_enable(void)
{
    oracle_enable();
    check(vtdpi_unit_enable(&machine.unit, &machine.config) == 0 &&
              vtdpi_unit_state(&machine.unit) == VTDPI_UNIT_ON,
          "the unit is enabled");
    check(status() == oracle.gsts, "its status is %x", oracle.gsts);
}

void test_disable(void)
{
    oracle_disable();
    check(vtdpi_unit_disable(&machine.unit) == 0 &&
              vtdpi_unit_state(&machine.unit) == VTDPI_UNIT_OFF,
          "the unit is disabled");
    check((status() & (GSTS_IRES | GSTS_QIES)) == 0 && status() == oracle.gsts,
          "its status is %x", oracle.gsts);
}
