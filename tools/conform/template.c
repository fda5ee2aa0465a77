/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An adapter for a trial by vtdpi-conform. Copy this file and fill in what is marked
 * with FILL IN; delete a function that you do not need, and its line in the structure.
 * Then:
 *
 *   cc -g adapter.c driver.c $(pkg-config --cflags --libs libvtdpi-conform)
 */
#include "vtdpi/conform.h"

/* FILL IN: bring the unit up. The registers are at VTDPI_CONFORM_REGISTERS. */
static int init(void)
{
    return -1;
}

/* FILL IN: set one interrupt up, and say which message the device has to send. */
static int map(uint16_t sid, uint8_t vector, uint32_t apic_id,
               struct vtdpi_conform_message *out)
{
    (void)sid;
    (void)vector;
    (void)apic_id;
    out->index = 0; /* of the entry in the table */
    out->address = 0xfee00010 | out->index << 5;
    out->data = 0;
    return 0;
}

/* FILL IN: move the interrupt to another vector and APIC. */
static int change(uint16_t sid, uint8_t vector, uint32_t apic_id,
                  struct vtdpi_conform_message *message)
{
    return map(sid, vector, apic_id, message);
}

/* FILL IN: the handler of the unit's fault event. */
static void fault(void)
{
}

static const struct vtdpi_conform_driver driver = {
    .name = "FILL IN: name and version",
    .init = init,
    .map = map,
    .change = change,
    .fault = fault,
    /* .free, .suspend, .resume, .table, .post, .unpost: see vtdpi/conform.h */
    .x2apic = true, /* FILL IN: false if the driver leaves IRTA.EIME at zero */
};

int main(int argc, char **argv)
{
    return vtdpi_conform_main(argc, argv, &driver);
}
