/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_MACHINE_FIXTURE_H
#define VTDPI_TEST_MACHINE_FIXTURE_H

/*
 * The machine of the tests of table.h and of what stands on it: two modelled
 * units on one table, the first coherent, the second not; three vCPUs in one
 * PID page. Entries and messages are literal words.
 */

#include "machine.h"

#ifndef MACHINE_ENTRIES
#define MACHINE_ENTRIES 256
#endif

enum {
    ENTRIES = MACHINE_ENTRIES,
};

/* Power on; the table is set up, the units are probed, nothing is enabled.
 * @p cap is ORed into both units' CAP; the second unit's MHMV is @p mhmv2. */
struct machine *machine_new(uint64_t cap, unsigned int mhmv2);

/* Exchange a unit that is not on the list for one without CAP.PI. */
void machine_without_pi(struct machine *m, unsigned int unit);

/* Both units added and enabled: CMocka's setup and teardown. */
int machine_setup(void **state);
int machine_teardown(void **state);

/* machine_send(), and the message was taken for that index. */
struct vtdpi_model_result machine_raise(struct machine *m, unsigned int unit,
                                        uint32_t index);

/* The message is delivered with that host vector; or posted to that vCPU. */
void assert_remapped(struct machine *m, unsigned int unit, uint32_t index,
                     uint8_t vector);
void assert_posted(struct machine *m, unsigned int unit, uint32_t index,
                   unsigned int vcpu, uint8_t vector);
void assert_blocked(struct machine *m, unsigned int unit, uint32_t index,
                    uint8_t reason);

/* Register accesses of both units so far. */
uint64_t machine_accesses(const struct machine *m);

/* The models found nothing to complain of. */
void assert_no_violation(const struct machine *m);

/* Fixed, physical, to x2APIC id 0x103, source SID exact. */
struct vtdpi_irte entry_remapped(uint8_t vector);

/* The units of another kernel, as ours find them: on, with the table's memory. The
 * table is set up anew, adopting or not, and the units join. */
void machine_find_foreign(struct machine *m, bool adopt);

/* An allocated index. */
uint32_t machine_index(struct machine *m);

/* The index of an entry that is set, and cached by both units. */
uint32_t machine_cached(struct machine *m, uint8_t vector);

#endif
