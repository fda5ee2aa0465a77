/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of structures without a header. A list has what the table with the same
 * structures has, 48 bytes nearer to its start.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "vtdpi/dmar.h"

#include "dmar_shapes.h"
#include "dmar_support.h"

#define HEADER 48

static const struct vtdpi_source_pci_ops pci = {dmar_any_bridge};

/* A shape as a table; and its structures in memory of their own length, so that
 * ASan sees a read outside. The caller frees list_bytes. */
struct both {
    struct dmar_build b;
    struct vtdpi_dmar table;
    uint8_t *list_bytes;
    struct vtdpi_dmar list;
};

static void both_open(struct both *x, const char *shape)
{
    size_t size;

    dmar_shape_build(shape, &x->b);
    memcpy(x->b.bytes, "DMAR", 4);
    dmar_end(&x->b);
    size = x->b.length - HEADER;
    x->list_bytes = malloc(size == 0 ? 1 : size);
    assert_non_null(x->list_bytes);
    memcpy(x->list_bytes, x->b.bytes + HEADER, size);
    assert_int_equal(
        vtdpi_dmar_open(x->b.bytes, x->b.length, 0, &x->table, NULL), 0);
    assert_int_equal(vtdpi_dmar_open_list(x->list_bytes, size, &x->list), 0);
}

static void test_dmar_open_list_has_nothing_but_a_length(void **state)
{
    static const uint8_t bytes[8] = {0};
    struct vtdpi_dmar d;

    (void)state;
    memset(&d, 0xa5, sizeof(d));
    assert_int_equal(vtdpi_dmar_open_list(bytes, 8, &d), 0);
    assert_int_equal(d.length, 8);
    assert_int_equal(d.host_address_width, 0);
    assert_int_equal(d.flags, 0);
    assert_int_equal(d.revision, 0);
    assert_int_equal(d.oem_revision, 0);
    assert_false(d.checksum_ok);
    assert_string_equal(d.oem_id, "");
    assert_string_equal(d.oem_table_id, "");
}

static void test_dmar_open_list_bad_argument_returns_einval(void **state)
{
    static const uint8_t bytes[8] = {0};
    struct vtdpi_dmar d;

    (void)state;
    memset(&d, 0xa5, sizeof(d));
    assert_int_equal(vtdpi_dmar_open_list(NULL, 8, &d), VTDPI_EINVAL);
    assert_int_equal(d.length, 0);
    assert_int_equal(vtdpi_dmar_open_list(bytes, 8, NULL), VTDPI_EINVAL);
}

static void test_dmar_list_empty_ends_at_once(void **state)
{
    struct vtdpi_dmar_struct s = {0};
    struct both x;

    (void)state;
    both_open(&x, "no_unit");
    assert_int_equal(x.list.length, 0);
    assert_int_equal(vtdpi_dmar_next(&x.list, &s), 0);
    assert_true(dmar_walk_list(x.list_bytes, 0));
    free(x.list_bytes);
}

/* The next structure of both, or the end or the error of both. */
static int assert_next_is_same(const struct both *x,
                               struct vtdpi_dmar_struct *in_table,
                               struct vtdpi_dmar_struct *in_list)
{
    const int rc = vtdpi_dmar_next(&x->table, in_table);

    assert_int_equal(vtdpi_dmar_next(&x->list, in_list), rc);
    if (rc != 0)
        assert_int_equal(in_list->offset + HEADER, in_table->offset);
    assert_int_equal(in_list->type, in_table->type);
    assert_int_equal(in_list->length, in_table->length);
    return rc;
}

static void assert_unit_is_same(const struct both *x,
                                const struct vtdpi_dmar_struct *in_table,
                                const struct vtdpi_dmar_struct *in_list)
{
    struct vtdpi_dmar_drhd a = {0};
    struct vtdpi_dmar_drhd b = {0};

    assert_int_equal(vtdpi_dmar_get_drhd(&x->list, in_list, &b),
                     vtdpi_dmar_get_drhd(&x->table, in_table, &a));
    assert_true(b.base == a.base);
    assert_int_equal(b.index, a.index);
    assert_int_equal(b.segment, a.segment);
}

static void assert_scopes_are_same(const struct both *x,
                                   const struct vtdpi_dmar_struct *in_table,
                                   const struct vtdpi_dmar_struct *in_list)
{
    struct vtdpi_dmar_scope a = {0};
    struct vtdpi_dmar_scope b = {0};
    uint8_t hop[4];
    int rc;

    do {
        rc = vtdpi_dmar_next_scope(&x->table, in_table, &a);
        assert_int_equal(vtdpi_dmar_next_scope(&x->list, in_list, &b), rc);
        if (rc != 0)
            assert_int_equal(b.offset + HEADER, a.offset);
        assert_int_equal(b.type, a.type);
        assert_int_equal(b.hop_count, a.hop_count);
        for (unsigned int i = 0; i < b.hop_count; i++) {
            assert_int_equal(
                vtdpi_dmar_get_hop(&x->table, &a, i, &hop[0], &hop[1]), 0);
            assert_int_equal(
                vtdpi_dmar_get_hop(&x->list, &b, i, &hop[2], &hop[3]), 0);
            assert_memory_equal(hop, hop + 2, 2);
        }
    } while (rc > 0);
}

static void assert_check_is_same(const struct both *x)
{
    struct vtdpi_dmar_problem in_table = {.offset = 777};
    struct vtdpi_dmar_problem in_list = {.offset = 777 - HEADER};

    assert_int_equal(vtdpi_dmar_check(&x->list, &in_list),
                     vtdpi_dmar_check(&x->table, &in_table));
    assert_int_equal(in_list.offset + HEADER, in_table.offset);
}

static void assert_look_ups_are_same(const struct both *x)
{
    struct vtdpi_dmar_drhd a = {.index = 777};
    struct vtdpi_dmar_drhd b = {.index = 777};
    uint16_t sids[2] = {0, 0};

    for (unsigned int sid = 0; sid < 0x10000; sid += 8) {
        assert_int_equal(
            vtdpi_dmar_find_pci(&x->list, &pci, NULL, 0, (uint16_t)sid, &b),
            vtdpi_dmar_find_pci(&x->table, &pci, NULL, 0, (uint16_t)sid, &a));
        assert_int_equal(b.index, a.index);
    }
    for (unsigned int id = 0; id < 16; id++) {
        assert_int_equal(
            vtdpi_dmar_find_id(&x->list, &pci, NULL, VTDPI_DMAR_SCOPE_IOAPIC,
                               (uint8_t)id, &b, &sids[1]),
            vtdpi_dmar_find_id(&x->table, &pci, NULL, VTDPI_DMAR_SCOPE_IOAPIC,
                               (uint8_t)id, &a, &sids[0]));
        assert_int_equal(b.index, a.index);
        assert_int_equal(sids[1], sids[0]);
    }
}

static void test_dmar_list_of_every_shape_reads_as_its_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < dmar_shape_count; i++) {
        struct vtdpi_dmar_struct in_table = {0};
        struct vtdpi_dmar_struct in_list = {0};
        struct both x;

        both_open(&x, dmar_shapes[i].name);
        while (assert_next_is_same(&x, &in_table, &in_list) > 0) {
            assert_unit_is_same(&x, &in_table, &in_list);
            assert_scopes_are_same(&x, &in_table, &in_list);
        }
        assert_check_is_same(&x);
        assert_look_ups_are_same(&x);
        assert_true(dmar_walk_list(x.list_bytes, x.list.length));
        free(x.list_bytes);
    }
}

/* Zero is the offset of the first structure, and of what is wrong with it. */
static void test_dmar_list_bad_first_structure_stays_an_error(void **state)
{
    static const uint8_t cut[] = {0, 0, 16, 0, 1, 0, 0};
    struct vtdpi_dmar_struct s = {0};
    struct vtdpi_dmar d;

    (void)state;
    for (size_t size = 3; size <= sizeof(cut); size++) {
        struct vtdpi_dmar_problem at;

        assert_int_equal(vtdpi_dmar_open_list(cut, size, &d), 0);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(vtdpi_dmar_next(&d, &s), VTDPI_EDMAR_STRUCT);
            assert_int_equal(s.offset, 0);
        }
        assert_int_equal(vtdpi_dmar_check(&d, &at), VTDPI_EDMAR_STRUCT);
        assert_ptr_equal(at.table, &d);
        assert_int_equal(at.offset, 0);
        assert_true(dmar_walk_list(cut, size));
    }
}

static void test_dmar_list_every_corrupt_byte_stays_inside(void **state)
{
    struct both x;

    (void)state;
    both_open(&x, "every_type");
    for (size_t at = 0; at < x.list.length; at++) {
        const uint8_t good = x.list_bytes[at];

        for (unsigned int change = 1; change < 256; change++) {
            x.list_bytes[at] = (uint8_t)(good ^ change);
            assert_true(dmar_walk_list(x.list_bytes, x.list.length));
        }
        x.list_bytes[at] = good;
    }
    free(x.list_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dmar_open_list_has_nothing_but_a_length),
        cmocka_unit_test(test_dmar_open_list_bad_argument_returns_einval),
        cmocka_unit_test(test_dmar_list_empty_ends_at_once),
        cmocka_unit_test(test_dmar_list_of_every_shape_reads_as_its_table),
        cmocka_unit_test(test_dmar_list_bad_first_structure_stays_an_error),
        cmocka_unit_test(test_dmar_list_every_corrupt_byte_stays_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
