/* SPDX-License-Identifier: BSD-2-Clause */
/* Fault records: read, cleared and told of for ever. */
#include "phases.h"

enum {
    REASON = 5, /* a write without permission */
};

static uint32_t records(void)
{
    return (uint32_t)VTDPI_FIELD_GET(vtdpi_model_peek(&model, VTDPI_CAP_REG),
                                     VTDPI_CAP_NFR) +
           1;
}

static void fault(uint16_t sid)
{
    vtdpi_model_dma_fault(&model, sid, REASON, 0x1000, false);
}

static void faults(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        fault((uint16_t)(0x100 + i));
}

static uint32_t status(void)
{
    return (uint32_t)vtdpi_model_peek(&model, VTDPI_FSTS_REG);
}

static uint64_t events(void)
{
    struct vtdpi_model_counters c;

    vtdpi_model_get_counters(&model, &c);
    return c.fault_events;
}

static uint64_t recorded(void)
{
    struct vtdpi_model_counters c;

    vtdpi_model_get_counters(&model, &c);
    return c.faults_recorded;
}

/* The event is a message to the local APICs, with a vector that they take. Beside fixed
 * and lowest priority, delivery modes (an NMI, for example) have no vector. */
static bool event_is_interrupt(void)
{
    const uint64_t data = vtdpi_model_peek(&model, VTDPI_FEDATA_REG);

    return vtdpi_model_peek(&model, VTDPI_FEADDR_REG) >> 20 == 0xfee &&
           ((data & 0xff) >= 16 || (data >> 8 & 7) > 1);
}

static void find_no_event(const char *after)
{
    const uint64_t before = events();

    fault(OWNER);
    if (events() == before)
        find(VTDPI_MODEL_ROBUSTNESS,
             "a fault after %s raises no event: FSTS is %#x, FECTL %#x", after,
             (unsigned int)status(),
             (unsigned int)vtdpi_model_peek(&model, VTDPI_FECTL_REG));
}

/* Firmware left records, an overflow, and the event masked, as after reset. */
static void event_after_init(void)
{
    power_up(&(struct hardware){0});
    faults(records() + 1);
    if (call_init() != 0)
        skip("init fails");
    find_no_event("init");
    if (!event_is_interrupt())
        note("init leaves the event without a message: FEADDR is %#x, FEDATA "
             "%#x",
             (unsigned int)vtdpi_model_peek(&model, VTDPI_FEADDR_REG),
             (unsigned int)vtdpi_model_peek(&model, VTDPI_FEDATA_REG));
}

/* The event is masked again, and has no address. */
static void event_after_resume(void)
{
    bool was_interrupt;

    begin(&(struct hardware){0});
    was_interrupt = event_is_interrupt();
    sleep_over();
    if (call_resume() != 0)
        skip("resume fails");
    find_no_event("resume");
    if (was_interrupt && !event_is_interrupt())
        find(VTDPI_MODEL_ROBUSTNESS,
             "after resume the event has no message any more: FEADDR is %#x, "
             "FEDATA %#x",
             (unsigned int)vtdpi_model_peek(&model, VTDPI_FEADDR_REG),
             (unsigned int)vtdpi_model_peek(&model, VTDPI_FEDATA_REG));
}

void phase_fault_event(void)
{
    (void)apart(event_after_init);
    if (driver->resume != NULL)
        (void)apart(event_after_resume);
}

static bool handle(uint32_t n, const char *what)
{
    faults(n);
    call_fault();
    if ((status() & VTDPI_FSTS_PPF) == 0)
        return true;
    find(VTDPI_MODEL_ROBUSTNESS,
         "after %s and one run of the handler records are pending, so no later "
         "fault raises an event",
         what);
    return false;
}

void phase_fault_records(void)
{
    begin(&(struct hardware){0});
    call_fault();
    if (!handle(3, "three faults"))
        return;
    /* Up to the last record but two, and then across the wrap: the driver that wraps one
     * record too early has to meet the last one on its way. */
    if (!handle(records() - 5, "faults in most records"))
        return;
    (void)handle(3, "three faults across the wrap");
}

void phase_fault_overflow(void)
{
    uint64_t before;

    begin(&(struct hardware){0});
    faults(records() + 2);
    for (uint32_t i = 0; i < records() + 2; i++)
        call_fault();
    before = recorded();
    fault(OWNER);
    if (recorded() == before)
        find(VTDPI_MODEL_ROBUSTNESS,
             "after an overflow no fault is recorded any more: FSTS is %#x",
             (unsigned int)status());
}
