/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PID-pointer table. Words of entries are literal: bit 0 valid, bits 63:6 of the
 * address of a PID. Atomic accesses are hooked: what a processor reads between two
 * steps is looked at.
 */
#include "atomic_hook.h"
#include "test.h"

#include <string.h>

#include "vtdpi/ipiv.h"

enum {
    COUNT = 512, /* one page */
    ID = 0x101,
};
#define PHYS UINT64_C(0x3ffffffff000) /* the last page below 2^46 */
#define PIDS UINT64_C(0x912345000)

static _Alignas(4096) uint64_t entries[COUNT + 1];
static struct vtdpi_target *targets[COUNT + 1];
static struct vtdpi_ipiv table;
static struct vtdpi_target one;
static struct vtdpi_target other;

static struct vtdpi_ipiv_params usual(void)
{
    return (struct vtdpi_ipiv_params){
        .entries = entries,
        .phys = PHYS,
        .targets = targets,
        .count = COUNT,
        .width = 46,
        .mode = VTDPI_X2APIC,
    };
}

static int set_up(void **state)
{
    const struct vtdpi_ipiv_params params = usual();

    (void)state;
    memset(entries, 0xff, sizeof entries);
    memset(targets, 0xff, sizeof targets);
    memset(&table, 0xff, sizeof table);
    memset(&one, 0, sizeof one);
    memset(&other, 0, sizeof other);
    hook_reset();
    return vtdpi_ipiv_init(&table, &params) != 0 ||
           vtdpi_target_init(&one, PIDS + 0x40, VTDPI_X2APIC) != 0 ||
           vtdpi_target_init(&other, PIDS + 0xfc0, VTDPI_X2APIC) != 0;
}

/* No entry but @id has something in it. */
static void assert_only(uint32_t id, uint64_t entry)
{
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(entries[i], i == id ? entry : 0);
}

static void test_init_writes_all_entries_and_no_more(void **state)
{
    (void)state;
    assert_only(0, 0);
    assert_int_equal(entries[COUNT], UINT64_MAX);
    assert_int_equal((uintptr_t)targets[COUNT], UINTPTR_MAX);
    assert_int_equal(vtdpi_ipiv_phys(&table), 0x3ffffffff000);
    assert_int_equal(vtdpi_ipiv_last(&table), 511);
}

static void refuses(int err, struct vtdpi_ipiv_params params)
{
    struct vtdpi_ipiv t;
    struct vtdpi_ipiv before;

    memset(&t, 0xa5, sizeof t);
    memset(&before, 0xa5, sizeof before);
    memset(entries, 0x5a, sizeof entries);
    assert_int_equal(vtdpi_ipiv_init(&t, &params), err);
    assert_memory_equal(&t, &before, sizeof t);
    assert_int_equal(entries[0], UINT64_C(0x5a5a5a5a5a5a5a5a));
}

static void test_init_bad_argument_changes_nothing(void **state)
{
    struct vtdpi_ipiv_params p = usual();

    (void)state;
    assert_int_equal(vtdpi_ipiv_init(NULL, &p), VTDPI_EINVAL);
    assert_int_equal(vtdpi_ipiv_init(&table, NULL), VTDPI_EINVAL);
    p.entries = NULL;
    refuses(VTDPI_EINVAL, p);
    p = usual();
    p.targets = NULL;
    refuses(VTDPI_EINVAL, p);
    p = usual();
    p.count = 0;
    refuses(VTDPI_EINVAL, p);
    p.count = 65537;
    refuses(VTDPI_EINVAL, p);
    p = usual();
    p.width = 31;
    refuses(VTDPI_EINVAL, p);
    p.width = 53;
    refuses(VTDPI_EINVAL, p);
    p = usual();
    p.mode = (enum vtdpi_apic_mode)7;
    refuses(VTDPI_EINVAL, p);
}

static void test_init_address_has_to_be_aligned_and_to_fit(void **state)
{
    struct vtdpi_ipiv_params p = usual();

    (void)state;
    p.phys = 0x1008;
    refuses(VTDPI_EALIGN, p);
    p = usual();
    p.entries = &entries[1];
    refuses(VTDPI_EALIGN, p);
    p = usual();
    p.width = 45;
    refuses(VTDPI_ERANGE, p);
    p = usual();
    p.count = COUNT + 1; /* its last entry is the first behind 2^46 */
    refuses(VTDPI_ERANGE, p);
    p.phys = 0x3fffffffe000;
    assert_int_equal(vtdpi_ipiv_init(&table, &p), 0);
    assert_int_equal(vtdpi_ipiv_last(&table), 512);
    p.phys = 0xfffffffffe000;
    p.width = 52; /* the widest */
    assert_int_equal(vtdpi_ipiv_init(&table, &p), 0);
}

/* The last index has 16 bits: 65536 entries are the most, and the field is FFFFh. */
static void test_largest_table(void **state)
{
    static _Alignas(4096) uint64_t large[65536];
    static struct vtdpi_target *large_targets[65536];
    struct vtdpi_ipiv_params p = usual();

    (void)state;
    p.entries = large;
    p.targets = large_targets;
    p.count = 65536;
    p.phys = 0x7ff80000;
    p.width = 31 + 1;
    assert_int_equal(vtdpi_ipiv_init(&table, &p), 0);
    assert_int_equal(vtdpi_ipiv_last(&table), 0xffff);
    assert_int_equal(vtdpi_target_close(&one), 0);
    assert_int_equal(vtdpi_target_init(&one, 0xfffff000, VTDPI_X2APIC), 0);
    assert_int_equal(vtdpi_ipiv_set(&table, 0xffff, &one), 0);
    assert_int_equal(large[0xffff], 0xfffff001);
    assert_int_equal(vtdpi_ipiv_set(&table, 0x10000, &one), VTDPI_EINDEX);
}

static void test_set_writes_address_and_valid_bit(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &one), 0);
    assert_only(ID, UINT64_C(0x912345041));
    assert_int_equal(vtdpi_target_refs(&one), 1);
    assert_int_equal(vtdpi_ipiv_set(&table, 0, &other), 0);
    assert_int_equal(entries[0], UINT64_C(0x912345fc1));
    assert_int_equal(vtdpi_ipiv_set(&table, 511, &one), 0);
    assert_int_equal(entries[511], UINT64_C(0x912345041));
    assert_int_equal(vtdpi_target_refs(&one), 2);
}

static void test_set_bad_argument_changes_nothing(void **state)
{
    struct vtdpi_target xapic = {0};
    struct vtdpi_target high = {0};
    struct vtdpi_target closed = {0};

    (void)state;
    assert_int_equal(vtdpi_target_init(&xapic, PIDS, VTDPI_XAPIC), 0);
    assert_int_equal(
        vtdpi_target_init(&high, UINT64_C(0x400000000000), VTDPI_X2APIC), 0);
    assert_int_equal(vtdpi_ipiv_set(NULL, ID, &one), VTDPI_EINVAL);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_ipiv_set(&table, 512, &one), VTDPI_EINDEX);
    assert_int_equal(vtdpi_ipiv_set(&table, UINT32_MAX, &one), VTDPI_EINDEX);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &closed), VTDPI_ECLOSED);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &xapic), VTDPI_EMODE);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &high), VTDPI_ERANGE);
    assert_only(0, 0);
    assert_int_equal(vtdpi_target_refs(&one), 0);
    assert_int_equal(vtdpi_target_refs(&xapic), 0);
    assert_int_equal(vtdpi_target_refs(&high), 0);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &one), 0);
}

static void test_set_over_an_entry_is_refused(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &one), 0);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &other), VTDPI_EBUSY);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &one), VTDPI_EBUSY);
    assert_only(ID, UINT64_C(0x912345041));
    assert_int_equal(vtdpi_ipiv_clear(&table, ID), 0);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &other), VTDPI_EDIRTY);
    assert_only(0, 0);
    assert_int_equal(vtdpi_target_refs(&one), 1);
    assert_int_equal(vtdpi_target_refs(&other), 0);
}

static void test_reference_outlives_the_entry(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &one), 0);
    assert_int_equal(vtdpi_target_close(&one), VTDPI_EBUSY);
    assert_int_equal(vtdpi_ipiv_settled(&table, ID), VTDPI_EBUSY);
    assert_only(ID, UINT64_C(0x912345041));
    assert_int_equal(vtdpi_ipiv_clear(&table, ID), 0);
    assert_only(0, 0);
    assert_int_equal(vtdpi_target_close(&one), VTDPI_EBUSY);
    assert_int_equal(vtdpi_ipiv_clear(&table, ID), VTDPI_EDIRTY);
    assert_int_equal(vtdpi_ipiv_settled(&table, ID), 0);
    assert_int_equal(vtdpi_ipiv_settled(&table, ID), VTDPI_ENOENT);
    assert_int_equal(vtdpi_ipiv_clear(&table, ID), VTDPI_ENOENT);
    assert_int_equal(vtdpi_target_close(&one), 0);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &one), VTDPI_ECLOSED);
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &other), 0);
}

static void test_clear_and_settled_bad_argument(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_ipiv_clear(NULL, 0), VTDPI_EINVAL);
    assert_int_equal(vtdpi_ipiv_settled(NULL, 0), VTDPI_EINVAL);
    assert_int_equal(vtdpi_ipiv_clear(&table, 512), VTDPI_EINDEX);
    assert_int_equal(vtdpi_ipiv_settled(&table, 512), VTDPI_EINDEX);
    assert_int_equal(vtdpi_ipiv_clear(&table, ID), VTDPI_ENOENT);
    assert_int_equal(vtdpi_ipiv_settled(&table, ID), VTDPI_ENOENT);
}

static void test_fini_waits_for_all_references(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_ipiv_fini(NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_ipiv_set(&table, 511, &one), 0);
    assert_int_equal(vtdpi_ipiv_fini(&table), VTDPI_EBUSY);
    assert_int_equal(entries[511], UINT64_C(0x912345041));
    assert_int_equal(vtdpi_ipiv_clear(&table, 511), 0);
    assert_int_equal(vtdpi_ipiv_fini(&table), VTDPI_EBUSY);
    assert_int_equal(vtdpi_ipiv_settled(&table, 511), 0);
    assert_int_equal(vtdpi_ipiv_set(&table, 0, &one), 0);
    assert_int_equal(vtdpi_ipiv_fini(&table), VTDPI_EBUSY);
    assert_int_equal(vtdpi_ipiv_clear(&table, 0), 0);
    assert_int_equal(vtdpi_ipiv_settled(&table, 0), 0);
    assert_int_equal(vtdpi_ipiv_fini(&table), 0);
    assert_int_equal(vtdpi_ipiv_set(&table, 0, &one), VTDPI_EINDEX);
}

/* Before each access: the entry is whole or not valid, and the target that a valid
 * entry names has a reference. */
static void look(void *ctx, enum hook_kind kind, const void *address)
{
    (void)ctx;
    (void)kind;
    (void)address;
    assert_true(entries[ID] == 0 || entries[ID] == UINT64_C(0x912345041));
    if (entries[ID] != 0)
        assert_int_equal(one.refs >> 1, 1);
}

static void test_processor_finds_a_whole_entry_at_any_time(void **state)
{
    (void)state;
    hook.before = look;
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &one), 0);
    assert_int_equal(vtdpi_ipiv_clear(&table, ID), 0);
    assert_int_equal(vtdpi_ipiv_settled(&table, ID), 0);
    hook.before = NULL;
}

/* The full barrier of clear is its only locked instruction. */
static void test_clear_is_one_locked_instruction(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_ipiv_set(&table, ID, &one), 0);
    hook_reset();
    assert_int_equal(vtdpi_ipiv_clear(&table, ID), 0);
    assert_int_equal(hook.locked, 1);
    assert_int_equal(hook.stores, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_init_writes_all_entries_and_no_more,
                               set_up),
        cmocka_unit_test_setup(test_init_bad_argument_changes_nothing, set_up),
        cmocka_unit_test_setup(test_init_address_has_to_be_aligned_and_to_fit,
                               set_up),
        cmocka_unit_test_setup(test_largest_table, set_up),
        cmocka_unit_test_setup(test_set_writes_address_and_valid_bit, set_up),
        cmocka_unit_test_setup(test_set_bad_argument_changes_nothing, set_up),
        cmocka_unit_test_setup(test_set_over_an_entry_is_refused, set_up),
        cmocka_unit_test_setup(test_reference_outlives_the_entry, set_up),
        cmocka_unit_test_setup(test_clear_and_settled_bad_argument, set_up),
        cmocka_unit_test_setup(test_fini_waits_for_all_references, set_up),
        cmocka_unit_test_setup(test_processor_finds_a_whole_entry_at_any_time,
                               set_up),
        cmocka_unit_test_setup(test_clear_is_one_locked_instruction, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
