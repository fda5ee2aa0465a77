/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault_rig.h"

struct fault_rig faults;

static void report(void *ctx, const struct vtdpi_fault *fault)
{
    assert_ptr_equal(ctx, &faults);
    assert_true(rig.m.lock_token == 0); /* nothing is held */
    assert_true(faults.seen_count < SEEN_MAX);
    faults.seen[faults.seen_count++] = *fault;
    if (faults.after_report != NULL)
        faults.after_report(fault);
}

static void event(void *ctx, enum vtdpi_model_event kind, uint64_t address,
                  uint32_t data)
{
    (void)ctx;
    if (kind != VTDPI_MODEL_EVENT_FAULT)
        return;
    faults.events++;
    faults.event_address = address;
    faults.event_data = data;
}

/* Reads and clears of records are under the lock, or two CPUs lose faults. */
static uint64_t read64(void *ctx, uint32_t off)
{
    if (off >= 0x100)
        assert_true(rig.m.lock_token != 0);
    return vtdpi_model_platform_ops.read64(ctx, off);
}

static void write64(void *ctx, uint32_t off, uint64_t value)
{
    if (off >= 0x100) {
        assert_true(rig.m.lock_token != 0);
        assert_true(value == UINT64_C(0x8000000000000000));
    }
    vtdpi_model_platform_ops.write64(ctx, off, value);
}

void fault_power_up(uint64_t cap)
{
    struct vtdpi_fault_params p = {
        .unit = &rig.u,
        .report = report,
        .ctx = &faults,
    };

    rig_power_up(cap, ECAP);
    memset(&faults, 0, sizeof(faults));
    rig.ops.read64 = read64;
    rig.ops.write64 = write64;
    rig.m.params.event = event;
    rig_probe();
    assert_int_equal(vtdpi_fault_init(&faults.reader, &p), 0);
}

void fault_enable(void)
{
    const struct vtdpi_unit_config c = rig_config();

    assert_int_equal(vtdpi_unit_enable(&rig.u, &c), 0);
    assert_int_equal(vtdpi_fault_clear_all(&faults.reader), 0);
    assert_int_equal(
        vtdpi_fault_event_enable(&rig.u, VTDPI_X2APIC, 0x105, 0x41), 0);
    rig_clear_trace();
}

void fault_raise(void)
{
    struct vtdpi_model_result r;
    const uint32_t n = faults.raised++;

    assert_int_equal(
        vtdpi_model_msi(&rig.m, (uint16_t)(0x100 + n),
                        UINT64_C(0xfee00010) | (uint64_t)(16 + n % 128) << 5, 0,
                        &r),
        VTDPI_MODEL_BLOCKED);
}

void fault_raise_many(uint32_t n)
{
    while (n-- > 0)
        fault_raise();
}

bool fault_handle(uint32_t max)
{
    bool more = false;

    faults.seen_count = 0;
    assert_int_equal(vtdpi_fault_handle(&faults.reader, max, &more), 0);
    return more;
}

void assert_seen(uint32_t i, uint32_t nth)
{
    const struct vtdpi_fault *f = &faults.seen[i];

    assert_true(i < faults.seen_count);
    assert_int_equal(f->kind, VTDPI_FAULT_INTERRUPT);
    assert_int_equal(f->reason, 0x22);
    assert_int_equal(f->sid, 0x100 + nth);
    assert_int_equal(f->index, 16 + nth % 128);
}

int fault_setup(void **state)
{
    (void)state;
    fault_power_up(CAP);
    fault_enable();
    return 0;
}
