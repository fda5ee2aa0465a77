/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How do I bring up a remapping unit that my kernel does not drive yet? start_unit() in
 * start_unit.h does that. Here are the first interrupt, and the way back.
 */
#include "start_unit.h"

int main(void)
{
    struct vtdpi_irte_remapped form = {
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x31, .dst = 7};
    struct vtdpi_model_result r;
    struct vtdpi_irte entry;
    struct vtdpi_msi msi;
    uint32_t index;

    start_unit();
    claim(vtdpi_unit_state(&unit) == VTDPI_UNIT_ON &&
              vtdpi_unit_caps(&unit)->pi,
          "the unit remaps, and can post");

    /* An interrupt of device 03:02.0, and the message that the device is given. */
    form.source = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    must(vtdpi_irte_encode_remapped(&form, &entry), "entry");
    must(vtdpi_table_alloc(&table, 1, NULL, &index), "index");
    must(vtdpi_table_set(&table, index, &entry), "change");
    must(vtdpi_msi_encode(index, &msi), "message");
    r = device_sends(0x0310, &msi, 0);
    claim(r.outcome == VTDPI_MODEL_REMAPPED && r.dest == 7 && r.vector == 0x31,
          "03:02.0 raises vector 31h of APIC 7");
    r = device_sends(0x0318, &msi, 0);
    claim(r.outcome == VTDPI_MODEL_BLOCKED && r.reason == VTDPI_FR_SOURCE_ID,
          "03:03.0 with the same message is blocked");

    /* Back: the entry, its index, the unit, the list. Then the memory is free. */
    must(vtdpi_table_set(&table, index, &(struct vtdpi_irte){0}), "clear");
    r = device_sends(0x0310, &msi, 0);
    claim(r.outcome == VTDPI_MODEL_BLOCKED,
          "the entry is gone, for the unit, too");
    must(vtdpi_table_free(&table, index, 1), "free");
    must(vtdpi_unit_disable(&unit), "disable");
    must(vtdpi_table_remove_unit(&table, &unit), "leave");
    claim(vtdpi_unit_state(&unit) == VTDPI_UNIT_OFF, "the unit is off again");
    claim(vtdpi_model_violations(&chip) == 0, "no rule of the unit was broken");
    return 0;
}
