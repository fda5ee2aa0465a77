/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.h: decoding, and every reason of interrupt remapping from a request
 * that really ends in it, with its owner. The ring of records is
 * test_fault_ring.c's.
 */
#include "vtdpi/fault.h"

#include "test.h"

#include "machine_fixture.h"

#define SEEN_MAX 16

static struct vtdpi_fault seen[SEEN_MAX];
static uint32_t seen_count;
static struct vtdpi_fault_reader reader;
static char tokens[2]; /* owners are their addresses */

static void note(void *ctx, const struct vtdpi_fault *fault)
{
    assert_ptr_equal(ctx, &seen_count);
    assert_true(seen_count < SEEN_MAX);
    seen[seen_count++] = *fault;
}

static struct vtdpi_fault_params params_of(struct machine *m)
{
    const struct vtdpi_fault_params p = {
        .unit = &m->unit[0],
        .table = &m->table,
        .report = note,
        .ctx = &seen_count,
    };

    return p;
}

static int setup(void **state)
{
    struct vtdpi_fault_params p;

    (void)machine_setup(state);
    p = params_of(*state);
    seen_count = 0;
    assert_int_equal(vtdpi_fault_init(&reader, &p), 0);
    return 0;
}

static uint32_t index_owned(struct machine *m, void *owner)
{
    uint32_t index;

    assert_int_equal(vtdpi_table_alloc(&m->table, 1, owner, &index), 0);
    return index;
}

/* The device of source id @p sid sends; the request is blocked. */
static void block(struct machine *m, uint16_t sid, uint64_t address,
                  uint32_t data, uint8_t reason)
{
    struct vtdpi_model_result r;

    assert_int_equal(vtdpi_model_msi(&m->model[0], sid, address, data, &r),
                     VTDPI_MODEL_BLOCKED);
    assert_int_equal(r.reason, reason);
}

static uint64_t address_of(uint32_t index)
{
    return UINT64_C(0xfee00010) | (uint64_t)index << 5;
}

static void handle(void)
{
    bool more = true;

    seen_count = 0;
    assert_int_equal(vtdpi_fault_handle(&reader, 0, &more), 0);
    assert_false(more);
}

static const struct vtdpi_fault *handle_one(uint8_t reason, uint16_t sid)
{
    handle();
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0].kind, VTDPI_FAULT_INTERRUPT);
    assert_int_equal(seen[0].reason, reason);
    assert_int_equal(seen[0].sid, sid);
    return &seen[0];
}

/* Decoding. */

static void test_decode_qemu_records_is_right(void **state)
{
    static const struct {
        uint64_t lo;
        uint64_t hi;
        uint16_t index;
        uint8_t reason;
        bool hideable;
    } records[] = {
        {UINT64_C(0x0009000000000000), UINT64_C(0x8000002200000008), 9, 0x22,
         true},
        {UINT64_C(0x000a000000000000), UINT64_C(0x8000002600000008), 10, 0x26,
         true},
        {UINT64_C(0x012c000000000000), UINT64_C(0x8000002100000008), 300, 0x21,
         false},
        {UINT64_C(0x000b000000000000), UINT64_C(0x8000002400000008), 11, 0x24,
         true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        struct vtdpi_fault f;

        f.owner = &f;
        vtdpi_fault_decode(records[i].lo, records[i].hi, &f);
        assert_int_equal(f.kind, VTDPI_FAULT_INTERRUPT);
        assert_int_equal(f.index, records[i].index);
        assert_true(f.has_index);
        assert_int_equal(f.reason, records[i].reason);
        assert_int_equal(f.hideable, records[i].hideable);
        assert_int_equal(vtdpi_sid_bus(f.sid), 0);
        assert_int_equal(vtdpi_sid_device(f.sid), 1);
        assert_int_equal(vtdpi_sid_function(f.sid), 0);
        assert_true(f.lo == records[i].lo && f.hi == records[i].hi);
        assert_null(f.owner);
    }
}

static void test_decode_each_reason_has_its_kind(void **state)
{
    (void)state;
    for (unsigned int reason = 0; reason < 256; reason++) {
        const bool interrupt = reason >= 0x20 && reason <= 0x28;
        struct vtdpi_fault f;

        /* DMA: T, and an address where the index would be. */
        vtdpi_fault_decode(
            UINT64_C(0xfedc000000001000),
            UINT64_C(0xc00000000000ff0f) | (uint64_t)reason << 32, &f);
        assert_int_equal(f.kind,
                         interrupt ? VTDPI_FAULT_INTERRUPT : VTDPI_FAULT_DMA);
        assert_int_equal(f.reason, reason);
        assert_int_equal(f.has_index, interrupt && reason != 0x25);
        assert_int_equal(f.index, f.has_index ? 0xfedc : 0);
        assert_int_equal(
            f.hideable,
            interrupt && (reason == 0x22 || reason == 0x24 || reason >= 0x26));
        assert_int_equal(f.sid, 0xff0f);
    }
}

static void test_reason_text_each_has_its_own(void **state)
{
    const char *const other = vtdpi_fault_reason_text(0);

    (void)state;
    assert_string_equal(other, "not an interrupt-remapping fault");
    assert_string_equal(vtdpi_fault_reason_text(0x1f), other);
    assert_string_equal(vtdpi_fault_reason_text(0x29), other);
    assert_string_equal(vtdpi_fault_reason_text(0xff), other);
    assert_string_equal(vtdpi_fault_reason_text(VTDPI_FR_REQUEST_RESERVED),
                        "reserved field set in the interrupt request");
    assert_string_equal(vtdpi_fault_reason_text(VTDPI_FR_SOURCE_ID),
                        "source id refused by the table entry");
    assert_string_equal(vtdpi_fault_reason_text(VTDPI_FR_PID_ACCESS),
                        "posted-interrupt descriptor could not be accessed");
    assert_string_equal(vtdpi_fault_reason_text(VTDPI_FR_PID_RESERVED),
                        "reserved field set in the posted-interrupt "
                        "descriptor");
    for (uint8_t a = 0x20; a <= 0x28; a++) {
        assert_string_not_equal(vtdpi_fault_reason_text(a), other);
        for (uint8_t b = 0x20; b < a; b++)
            assert_string_not_equal(vtdpi_fault_reason_text(a),
                                    vtdpi_fault_reason_text(b));
    }
}

/* Setting up. */

static void test_init_bad_parameter_returns_einval(void **state)
{
    struct machine *m = *state;
    struct vtdpi_fault_params p = params_of(m);
    struct vtdpi_unit unit = {0};
    struct vtdpi_fault_reader r;

    assert_int_equal(vtdpi_fault_init(NULL, &p), VTDPI_EINVAL);
    assert_int_equal(vtdpi_fault_init(&r, NULL), VTDPI_EINVAL);
    p.report = NULL;
    assert_int_equal(vtdpi_fault_init(&r, &p), VTDPI_EINVAL);
    p = params_of(m);
    p.unit = NULL;
    assert_int_equal(vtdpi_fault_init(&r, &p), VTDPI_EINVAL);
    p.unit = &unit; /* not probed */
    assert_int_equal(vtdpi_fault_init(&r, &p), VTDPI_EINVAL);
    unit.ops = &m->ops; /* no record is known */
    assert_int_equal(vtdpi_fault_init(&r, &p), VTDPI_EINVAL);
    vtdpi_model_set_fault(&m->model[1], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(
        vtdpi_unit_probe(&unit, &m->ops, &m->model[1], MACHINE_WINDOW),
        VTDPI_EIO);
    assert_int_equal(vtdpi_fault_init(&r, &p), VTDPI_EINVAL);
    vtdpi_model_clear_fault(&m->model[1], VTDPI_MODEL_FAULT_ALL_ONES);
    p = params_of(m);
    p.table = NULL;
    p.ctx = NULL;
    assert_int_equal(vtdpi_fault_init(&r, &p), 0);
}

/* Reasons. */

static void test_handle_20h_reserved_in_request(void **state)
{
    struct machine *m = *state;
    const uint32_t index = index_owned(m, &tokens[0]);
    const struct vtdpi_fault *f;

    block(m, SID, address_of(index), 0x10000, 0x20);
    f = handle_one(0x20, SID);
    assert_int_equal(f->index, index);
    assert_ptr_equal(f->owner, &tokens[0]);
    assert_false(f->hideable);
}

static void test_handle_21h_has_no_owner(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_fault *f;

    block(m, SID, address_of(ENTRIES), 0, 0x21);
    f = handle_one(0x21, SID);
    assert_int_equal(f->index, ENTRIES);
    assert_null(f->owner);
}

/* Handle ffffh and subhandle 6 make 10005h, of which the record has 5. */
static void test_handle_21h_does_not_blame_the_index_it_is_cut_to(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_fault *f;

    assert_int_equal(vtdpi_table_reserve(&m->table, 5, 1, &tokens[0]), 0);
    block(m, SID, 0xfeeffffc, 6, 0x21);
    f = handle_one(0x21, SID);
    assert_int_equal(f->index, 5);
    assert_null(f->owner);
}

static void test_handle_22h_names_the_owner_of_its_index(void **state)
{
    struct machine *m = *state;
    const uint32_t first = index_owned(m, &tokens[0]);
    const uint32_t second = index_owned(m, &tokens[1]);

    block(m, SID, address_of(second), 0, 0x22);
    block(m, 0x8, address_of(first), 0, 0x22);
    block(m, SID, address_of(200), 0, 0x22); /* nobody's */
    handle();
    assert_int_equal(seen_count, 3);
    assert_int_equal(seen[0].index, second);
    assert_ptr_equal(seen[0].owner, &tokens[1]);
    assert_int_equal(seen[1].index, first);
    assert_int_equal(seen[1].sid, 0x8);
    assert_ptr_equal(seen[1].owner, &tokens[0]);
    assert_int_equal(seen[2].index, 200);
    assert_null(seen[2].owner);
}

static void test_handle_23h_table_not_readable(void **state)
{
    struct machine *m = *state;
    const uint32_t index = index_owned(m, &tokens[0]);
    const struct vtdpi_fault *f;

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_TABLE_ACCESS, 0);
    block(m, SID, address_of(index), 0, 0x23);
    f = handle_one(0x23, SID);
    assert_int_equal(f->index, index);
    assert_ptr_equal(f->owner, &tokens[0]);
    assert_false(f->hideable);
}

/* Reasons that concern an entry: each with and without FPD in it. */

#define FPD UINT64_C(2)

/* @p lo and @p hi: an entry that ends in @p reason. */
static void entry_ends_in(struct machine *m, uint64_t lo, uint64_t hi,
                          uint16_t sid, uint8_t reason)
{
    const uint32_t index = index_owned(m, &tokens[0]);
    const uint32_t silent = index_owned(m, &tokens[1]);
    const struct vtdpi_fault *f;

    m->entries[index].lo = lo;
    m->entries[index].hi = hi;
    block(m, sid, address_of(index), 0, reason);
    f = handle_one(reason, sid);
    assert_int_equal(f->index, index);
    assert_ptr_equal(f->owner, &tokens[0]);
    assert_true(f->hideable);

    m->entries[silent].lo = lo | FPD;
    m->entries[silent].hi = hi;
    block(m, sid, address_of(silent), 0, reason);
    handle();
    assert_int_equal(seen_count, 0);
    assert_int_equal(machine_count(m, 0).faults_hidden, 1);
}

static void test_handle_22h_hidden_by_fpd_is_absent(void **state)
{
    entry_ends_in(*state, 0, 0, SID, 0x22);
}

static void test_handle_24h_hidden_by_fpd_is_absent(void **state)
{
    entry_ends_in(*state, UINT64_C(0x0000010300411001),
                  UINT64_C(0x0000000000040310), SID, 0x24);
}

static void test_handle_26h_names_the_requester(void **state)
{
    entry_ends_in(*state, UINT64_C(0x0000010300410001),
                  UINT64_C(0x0000000000040310), 0x0311, 0x26);
}

/* Posted to the first vCPU's descriptor, vector 41h. */
#define POSTED_LO UINT64_C(0x2000000000418001)
#define POSTED_HI UINT64_C(0x0000000500040310)

static void test_handle_27h_hidden_by_fpd_is_absent(void **state)
{
    struct machine *m = *state;

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_PID_ACCESS, 0);
    entry_ends_in(m, POSTED_LO, POSTED_HI, SID, 0x27);
}

static void test_handle_28h_hidden_by_fpd_is_absent(void **state)
{
    struct machine *m = *state;

    m->pids[0].reserved[0] = 1;
    entry_ends_in(m, POSTED_LO, POSTED_HI, SID, 0x28);
}

static void test_handle_25h_has_no_index(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_fault *f;

    assert_int_equal(vtdpi_table_reserve(&m->table, 0, 1, &tokens[0]), 0);
    block(m, SID, 0xfee01000, 0x41, 0x25);
    f = handle_one(0x25, SID);
    assert_false(f->has_index);
    assert_null(f->owner); /* not the one of index 0 */
    assert_false(f->hideable);
}

static void test_handle_without_table_names_no_owner(void **state)
{
    struct machine *m = *state;
    struct vtdpi_fault_params p = params_of(m);
    const uint32_t index = index_owned(m, &tokens[0]);

    p.table = NULL;
    assert_int_equal(vtdpi_fault_init(&reader, &p), 0);
    block(m, SID, address_of(index), 0, 0x22);
    assert_null(handle_one(0x22, SID)->owner);
}

static void test_handle_dma_record_is_raw(void **state)
{
    struct machine *m = *state;

    (void)index_owned(m, &tokens[0]);
    vtdpi_model_dma_fault(&m->model[0], 0x1234, 0x05,
                          UINT64_C(0x00000000fffff000), true);
    vtdpi_model_dma_fault(&m->model[0], 0x1234, 0x06, 0x1000, false);
    handle();
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[0].kind, VTDPI_FAULT_DMA);
    assert_true(seen[0].lo == UINT64_C(0x00000000fffff000));
    assert_true(seen[0].hi == UINT64_C(0xc000000500001234));
    assert_int_equal(seen[0].reason, 5);
    assert_int_equal(seen[0].sid, 0x1234);
    assert_false(seen[0].has_index);
    assert_null(seen[0].owner);
    assert_true(seen[1].hi == UINT64_C(0x8000000600001234));
    assert_int_equal(seen[1].record, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, machine_teardown)
        cmocka_unit_test(test_decode_qemu_records_is_right),
        cmocka_unit_test(test_decode_each_reason_has_its_kind),
        cmocka_unit_test(test_reason_text_each_has_its_own),
        T(test_init_bad_parameter_returns_einval),
        T(test_handle_20h_reserved_in_request),
        T(test_handle_21h_has_no_owner),
        T(test_handle_21h_does_not_blame_the_index_it_is_cut_to),
        T(test_handle_22h_names_the_owner_of_its_index),
        T(test_handle_22h_hidden_by_fpd_is_absent),
        T(test_handle_23h_table_not_readable),
        T(test_handle_24h_hidden_by_fpd_is_absent),
        T(test_handle_25h_has_no_index),
        T(test_handle_26h_names_the_requester),
        T(test_handle_27h_hidden_by_fpd_is_absent),
        T(test_handle_28h_hidden_by_fpd_is_absent),
        T(test_handle_without_table_names_no_owner),
        T(test_handle_dma_record_is_raw),
#undef T
    };

    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
