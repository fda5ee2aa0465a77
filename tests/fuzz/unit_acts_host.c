/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of fault.h and of sched.h's attaching, and what is not the library's. */
#include "unit_acts.h"

#include <string.h>

/*
 * Faults, vCPUs, and what is not the library's.
 */

static VTDPI_BY_POINTER void fault_report(void *ctx,
                                          const struct vtdpi_fault *fault)
{
    (void)ctx;
    support_check(fault->kind <= VTDPI_FAULT_STATUS);
    if (fault->kind == VTDPI_FAULT_INTERRUPT)
        support_check(vtdpi_fault_reason_text(fault->reason) != NULL);
}

static void reader_up(struct fuzz *f, uint32_t u)
{
    const struct vtdpi_fault_params params = {
        .unit = unit_of(f, u),
        .table = f->tables[0].t,
        .report = fault_report,
    };

    if (f->units[u].reader.params.unit == NULL)
        support_check(vtdpi_fault_init(&f->units[u].reader, &params) == 0);
}

static void do_fault_handle(struct fuzz *f, uint32_t u)
{
    const uint32_t max = input_below(&f->in, 4);
    bool more = true;
    struct before b;

    reader_up(f, u);
    b = call_begin(f, CALL_FAULT_HANDLE, u);
    if (call_end(f, &b, vtdpi_fault_handle(&f->units[u].reader, max, &more)) !=
        0)
        support_check(!more);
}

static void do_fault_clear_all(struct fuzz *f, uint32_t u)
{
    struct before b;

    reader_up(f, u);
    b = call_begin(f, CALL_FAULT_CLEAR_ALL, u);
    (void)call_end(f, &b, vtdpi_fault_clear_all(&f->units[u].reader));
}

static void do_fault_event(struct fuzz *f, uint32_t u)
{
    const enum call call =
        (enum call)(CALL_FAULT_EVENT_ENABLE + input_below(&f->in, 4));
    const struct before b = call_begin(f, call, u);
    struct vtdpi_unit *unit = unit_of(f, u);
    int rc;

    if (call == CALL_FAULT_EVENT_ENABLE)
        rc = vtdpi_fault_event_enable(unit, VTDPI_X2APIC, HOST_APIC_ID, 0x50);
    else if (call == CALL_FAULT_EVENT_MASK)
        rc = vtdpi_fault_event_mask(unit);
    else if (call == CALL_FAULT_EVENT_UNMASK)
        rc = vtdpi_fault_event_unmask(unit);
    else
        rc = vtdpi_fault_event_disable(unit);
    (void)call_end(f, &b, rc);
    (void)vtdpi_fault_event_pending(unit);
}

int call_detach(struct fuzz *f, uint32_t v)
{
    const struct before b = call_begin(f, CALL_VCPU_DETACH, UNITS);
    const uint32_t refs = vtdpi_vcpu_refs(&f->m->vcpu[v]);
    const int rc = vtdpi_vcpu_detach(&f->m->vcpu[v]);

    support_check((rc == 0) == (refs == 0));
    if (rc == 0) {
        f->attached[v] = false;
        memset(&f->m->pids[v], 0xa5, sizeof(f->m->pids[v]));
    }
    return call_end(f, &b, rc);
}

static void do_vcpu(struct fuzz *f, uint32_t u)
{
    const uint32_t v = input_below(&f->in, MACHINE_VCPUS);
    struct before b;

    (void)u;
    if (f->attached[v]) {
        (void)call_detach(f, v);
        return;
    }
    b = call_begin(f, CALL_VCPU_ATTACH, UNITS);
    f->attached[v] = true;
    (void)call_end(
        f, &b,
        vtdpi_vcpu_attach(&f->m->sched, &f->m->vcpu[v], v, &f->m->vcpu[v]));
}

static void do_raise(struct fuzz *f, uint32_t u)
{
    world_raise(f, u, input_below(&f->in, ENTRIES));
}

static uint64_t choose_fault_arg(struct fuzz *f, uint32_t u,
                                 enum vtdpi_model_fault mode)
{
    static const uint64_t bits[] = {VTDPI_GSTS_IRES,  VTDPI_GSTS_QIES,
                                    VTDPI_GSTS_IRTPS, VTDPI_GSTS_CFIS,
                                    VTDPI_GSTS_TES,   VTDPI_GSTS_WBFS};
    static const uint64_t late[] = {3, 40, 400, 4000};
    const uint32_t byte = input_byte(&f->in);

    switch (mode) {
    case VTDPI_MODEL_FAULT_GSTS_STUCK:
        /* No unit says of a pointer that it is set, and has not latched it. */
        return bits[byte % 6] & ~(VTDPI_GSTS_IRTPS & gsts_of(f, u));
    case VTDPI_MODEL_FAULT_GSTS_LATE:
        f->units[u].lost = f->units[u].lost || byte % 8 == 0;
        return byte % 8 == 0 ? LOST_TICKS + byte : byte % LATE_TICKS_MAX;
    case VTDPI_MODEL_FAULT_STATUS_LATE:
        return late[byte % 4];
    case VTDPI_MODEL_FAULT_IQH_STUCK:
        /* Stale, or nonsense. One that is ahead of the true head cannot be told
         * from a true one, and the queue has to be switched off after that. */
        return byte % 2 == 0 ? 0 : UINT64_C(0x7fff0);
    case VTDPI_MODEL_FAULT_FSTS_STUCK:
        /* An error that was cleared and shows again is an error once more. */
        return byte & ~(VTDPI_FSTS_IQE | VTDPI_FSTS_ITE);
    default:
        return byte % 8;
    }
}

static void do_fault_mode(struct fuzz *f, uint32_t u)
{
    const enum vtdpi_model_fault mode =
        (enum vtdpi_model_fault)input_below(&f->in, VTDPI_MODEL_FAULTS);

    const uint64_t arg = choose_fault_arg(f, u, mode);

    call_trace("    mode %d, argument %llx\n", (int)mode,
               (unsigned long long)arg);
    vtdpi_model_set_fault(model_of(f, u), mode, arg);
    f->units[u].harmed = true;
}

static void do_heal(struct fuzz *f, uint32_t u)
{
    hardware_heal(f, u);
}

/* Power is lost, as in S3; or the host has reset the unit. */
static void do_reset(struct fuzz *f, uint32_t u)
{
    if (is_in(f, u, VTDPI_UNIT_ON) || is_in(f, u, VTDPI_UNIT_QUEUE) ||
        f->units[u].gone)
        return;
    hardware_reset(f, u);
    f->units[u].off_by_host = true;
    f->units[u].asleep = is_in(f, u, VTDPI_UNIT_SUSPENDED);
}

static void do_unplug(struct fuzz *f, uint32_t u)
{
    hardware_reset(f, u);
    vtdpi_model_set_fault(model_of(f, u), VTDPI_MODEL_FAULT_ALL_ONES, 0);
    f->units[u].gone = true;
    f->units[u].off_by_host = true;
    f->units[u].asleep = is_in(f, u, VTDPI_UNIT_SUSPENDED);
}

static void do_return(struct fuzz *f, uint32_t u)
{
    if (f->units[u].gone && !is_in(f, u, VTDPI_UNIT_FORSAKEN)) {
        f->units[u].gone = false;
        hardware_heal(f, u);
    }
}

static void do_firmware(struct fuzz *f, uint32_t u)
{
    const bool idle =
        (gsts_of(f, u) & (VTDPI_GSTS_IRES | VTDPI_GSTS_QIES)) == 0;

    if (!idle || f->units[u].harmed || f->units[u].gone ||
        !(is_in(f, u, VTDPI_UNIT_OFF) || is_in(f, u, VTDPI_UNIT_SUSPENDED)))
        return;
    hardware_take(f, u);
    f->units[u].off_by_host = false;
}

const struct act acts_of_host[ACTS_OF_HOST] = {
    {"fault_handle", do_fault_handle, 3, false},
    {"fault_clear_all", do_fault_clear_all, 2, false},
    {"fault_event", do_fault_event, 3, false},
    {"vcpu", do_vcpu, 8, true},
    {"raise", do_raise, 4, true},
    {"fault_mode", do_fault_mode, 16, true},
    {"heal", do_heal, 10, true},
    {"reset", do_reset, 4, true},
    {"unplug", do_unplug, 1, true},
    {"return", do_return, 3, true},
    {"firmware", do_firmware, 3, false},
};
