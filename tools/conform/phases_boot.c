/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing the unit up: what firmware or another kernel may have left, what commands
 * demand, and the same after a sleep.
 */
#include "phases.h"

#include <string.h>

enum {
    OLD_VECTOR = 0xee, /* of the table of before */
    SLOW_TICKS = 20,
};

/* A table and a queue that were in use before the driver came. */
static _Alignas(8192) uint64_t old_table[2 * INDEXES];
static _Alignas(4096) uint64_t old_queue[512];
static uint32_t old_status;

static void command(uint32_t bits)
{
    vtdpi_model_write32(&model, VTDPI_GCMD_REG, bits);
}

static void find_not_delivered(const char *when)
{
    const struct vtdpi_model_result r = fire(OWNER);

    if (r.outcome != VTDPI_MODEL_REMAPPED || r.vector != VECTOR)
        find(VTDPI_MODEL_INTERRUPT, "%s: %s", when, words(&r));
}

/*
 * Firmware.
 */

/* With extended interrupt mode such messages are blocked in any case. */
void phase_cfi(void)
{
    struct vtdpi_model_result r;

    power_up(&(struct hardware){.ecap_clear = VTDPI_ECAP_EIM});
    watch_violations(false);
    command(VTDPI_GCMD_CFI);
    watch_violations(true);
    if (call_init() != 0)
        skip("init refuses a unit without extended interrupt mode, in which "
             "such messages are blocked in any case");
    (void)vtdpi_model_msi(&model, STRANGER, 0xfee02000, OLD_VECTOR, &r);
    if (passes(&r))
        find(VTDPI_MODEL_ISOLATION,
             "a message in compatibility format is let through: %s", words(&r));
}

/* With a wait executed, so that the head is not 0. */
static void old_queue_on(void)
{
    old_queue[0] = VTDPI_QI_WAIT | VTDPI_WAIT_SW;
    old_queue[1] = (uintptr_t)&old_status;
    vtdpi_model_write64(&model, VTDPI_IQT_REG, 0);
    vtdpi_model_write64(&model, VTDPI_IQA_REG, (uintptr_t)old_queue);
    command(VTDPI_GCMD_QIE);
    vtdpi_model_write64(&model, VTDPI_IQT_REG, 16);
}

/* One global invalidation, behind the wait. */
static void old_queue_flush(void)
{
    old_queue[2] = VTDPI_QI_IEC;
    old_queue[3] = 0;
    vtdpi_model_write64(&model, VTDPI_IQT_REG, 32);
}

/* Every entry lets everybody through. */
static void old_table_on(void)
{
    const uint64_t irta =
        (uintptr_t)old_table | 7 | (driver->x2apic ? VTDPI_IRTA_EIME : 0);

    for (unsigned int i = 0; i < INDEXES; i++)
        old_table[2 * i] =
            VTDPI_IRTE_LO_P |
            VTDPI_FIELD_PUT((uint64_t)OLD_VECTOR, VTDPI_BITS64(23, 16));
    old_queue_on();
    vtdpi_model_write64(&model, VTDPI_IRTA_REG, irta);
    command(VTDPI_GCMD_QIE | VTDPI_GCMD_SIRTP);
    old_queue_flush();
    command(VTDPI_GCMD_QIE | VTDPI_GCMD_IRE);
    for (uint32_t i = 0; i < INDEXES; i++)
        (void)vtdpi_model_iec_prefetch(&model, i);
}

static void find_old_entries(void)
{
    unsigned int n = 0;

    for (uint32_t i = 0; i < INDEXES; i++) {
        const struct vtdpi_model_result r = fire_index(STRANGER, i);

        n += passes(&r) && r.vector == OLD_VECTOR;
    }
    if (n != 0)
        find(VTDPI_MODEL_ISOLATION,
             "after init %u of %u indexes deliver by the table of before", n,
             (unsigned int)INDEXES);
}

void phase_sirtp_flush(void)
{
    power_up(&(struct hardware){0});
    watch_violations(false);
    old_table_on();
    command(VTDPI_GCMD_QIE);
    command(0);
    watch_violations(true);
    if (call_init() != 0)
        skip("init fails");
    find_old_entries();
}

void phase_firmware_queue(void)
{
    needs_init();
    power_up(&(struct hardware){0});
    watch_violations(false);
    old_queue_on();
    watch_violations(true);
    if (call_init() != 0 || call_map(VECTOR, APIC) != 0) {
        find(VTDPI_MODEL_ROBUSTNESS,
             "the driver does not come up on a unit whose queue is on");
        return;
    }
    find_not_delivered("with a queue that firmware had on");
}

void phase_firmware_remapping(void)
{
    needs_init();
    power_up(&(struct hardware){.no_cache = true});
    watch_violations(false);
    old_table_on();
    watch_violations(true);
    if (call_init() != 0) {
        note("init refuses a unit that remaps already");
        return;
    }
    find_old_entries();
    if (call_map(VECTOR, APIC) != 0)
        skip("map fails");
    find_not_delivered("with a table that firmware had in use");
}

void phase_foreign_bits(void)
{
    const uint64_t te = VTDPI_GCMD_TE;

    power_up(&(struct hardware){0});
    watch_violations(false);
    command(VTDPI_GCMD_SRTP);
    command((uint32_t)te);
    watch_violations(true);
    if (call_init() != 0)
        skip("init fails with DMA translation on");
    if ((vtdpi_model_peek(&model, VTDPI_GSTS_REG) & te) == 0)
        find(VTDPI_MODEL_ISOLATION,
             "DMA translation was on before init, and is off now");
}

/*
 * Commands.
 */

void phase_eim(void)
{
    struct vtdpi_model_result r;

    needs_init();
    power_up(&(struct hardware){.ecap_clear = VTDPI_ECAP_EIM});
    if (call_init() != 0) {
        note("init refuses a unit without extended interrupt mode");
        return;
    }
    if (call_map(VECTOR, APIC) != 0)
        skip("map fails");
    r = fire(OWNER); /* the destination has another place in the entry */
    if (!delivers(&r, VECTOR, APIC))
        find(VTDPI_MODEL_INTERRUPT,
             "on a unit without extended interrupt mode the interrupt, asked "
             "for as vector %#x at APIC %u: %s",
             VECTOR, APIC, words(&r));
}

/* The model tells. */
void phase_one_shot(void)
{
    power_up(&(struct hardware){0});
    if (call_init() != 0)
        skip("init fails");
    if (driver->suspend != NULL)
        (void)call_suspend();
}

static void slow_at_resume(void)
{
    begin(&(struct hardware){0});
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_GSTS_LATE, SLOW_TICKS);
    sleep_over();
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_GSTS_LATE, SLOW_TICKS);
    if (call_resume() != 0)
        find(VTDPI_MODEL_ROBUSTNESS,
             "resume fails if a command takes %d accesses", (int)SLOW_TICKS);
    find_not_delivered("after a sleep, on a unit whose commands are slow");
}

static void slow_at_init(void)
{
    power_up(&(struct hardware){0});
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_GSTS_LATE, SLOW_TICKS);
    if (call_init() != 0 || call_map(VECTOR, APIC) != 0) {
        find(VTDPI_MODEL_ROBUSTNESS,
             "the driver does not come up if a command takes %d accesses",
             (int)SLOW_TICKS);
        return;
    }
    find_not_delivered("on a unit whose commands are slow");
}

void phase_slow_commands(void)
{
    needs_init();
    (void)apart(slow_at_init);
    if (driver->resume != NULL)
        (void)apart(slow_at_resume);
}

/* Remapping does not come on. */
static void stick(void)
{
    vtdpi_model_set_fault(&model, VTDPI_MODEL_FAULT_GSTS_STUCK,
                          VTDPI_GSTS_IRES);
}

static void stuck_at_init(void)
{
    power_up(&(struct hardware){0});
    stick();
    if (call_init() == 0)
        find(VTDPI_MODEL_ISOLATION,
             "init returns 0, and interrupt remapping has never come on");
}

static void stuck_at_resume(void)
{
    begin(&(struct hardware){0});
    sleep_over();
    stick();
    if (call_resume() == 0)
        find(VTDPI_MODEL_ISOLATION,
             "resume returns 0, and interrupt remapping has never come on");
}

void phase_stuck_command(void)
{
    needs_init();
    (void)apart(stuck_at_init);
    if (driver->resume != NULL)
        (void)apart(stuck_at_resume);
}

/*
 * Sleep.
 */

/* The descriptors of before are gone. The memory stays, but a driver that starts anew
 * writes a descriptor before the tail moves over it. */
static void spoil_queue(void)
{
    const uint64_t iqa = vtdpi_model_peek(&model, VTDPI_IQA_REG);

    memset((void *)(uintptr_t)(iqa & VTDPI_IQA_BASE), 0xff,
           (size_t)4096 << VTDPI_FIELD_GET(iqa, VTDPI_IQA_QS));
}

/* Such a descriptor is read, whatever becomes of the error. */
static void replay(void *ctx, struct vtdpi_model *m, enum vtdpi_model_step kind)
{
    uint64_t words[2];

    (void)ctx;
    (void)m;
    if (kind == VTDPI_MODEL_STEP_FETCH && descriptor_at_head(words) &&
        words[0] == UINT64_MAX)
        find_where(driver_was_at(), VTDPI_MODEL_INTERRUPT,
                   "the unit comes to descriptors that the driver has not "
                   "written since the sleep");
}

/* So that the tail is not 0; as it was mapped in the end. */
static void change_often(void)
{
    for (unsigned int i = 0; driver->change != NULL && i < 20; i++) {
        if (call_change(i % 2 == 0 ? VECTOR_NEW : VECTOR, APIC) != 0)
            skip("change fails");
    }
}

void phase_resume(void)
{
    begin(&(struct hardware){0});
    change_often();
    if (driver->suspend != NULL && call_suspend() != 0)
        skip("suspend fails");
    spoil_queue();
    power_up(&(struct hardware){0});
    vtdpi_model_set_step_hook(&model, replay);
    if (call_resume() != 0)
        find(VTDPI_MODEL_ROBUSTNESS, "resume fails");
    vtdpi_model_set_step_hook(&model, NULL);
    find_not_delivered("after the sleep");
}
