/* SPDX-License-Identifier: BSD-2-Clause */
/* format.h: rows of a table, its dump, and a unit's state, on modelled units. */
#include "golden.h"
#include "test.h"

#include <string.h>

#include "machine_fixture.h"
#include "vtdpi/format.h"

#define OWNER ((void *)(uintptr_t)0xbeef00)

struct row {
    const struct vtdpi_table *table;
    uint32_t index;
};

static size_t text_row(char *buf, size_t size, const void *what)
{
    const struct row *const r = what;

    return vtdpi_format_table_row(buf, size, r->table, r->index);
}

static void assert_row(const struct machine *m, uint32_t index,
                       const char *line)
{
    const struct row r = {&m->table, index};

    assert_line(text_row, &r, line);
}

static void test_row_has_the_account_and_the_entry(void **state)
{
    struct machine *m = *state;
    const struct vtdpi_irte irte = entry_remapped(0x31);

    assert_row(m, 5,
               "index=0x5 allocated=0 dirty=0 owner=0x0 P=0 FPD=0 AVAIL=0x0 "
               "IM=0 hi=0x0 lo=0x0");
    assert_int_equal(vtdpi_table_reserve(&m->table, 5, 1, OWNER), 0);
    assert_int_equal(vtdpi_table_set(&m->table, 5, &irte), 0);
    assert_row(m, 5,
               "index=0x5 allocated=1 dirty=0 owner=0xbeef00 P=1 FPD=0 DM=0 "
               "RH=0 TM=0 DLM=0x0 AVAIL=0x0 IM=0 V=0x31 DST=0x103 SID=0x310 "
               "BDF=03:02.0 SQ=0x0 SVT=0x1 hi=0x40310 lo=0x10300310001");
}

static void test_row_without_owners_and_outside(void **state)
{
    struct machine *m = *state;

    m->table.owners = NULL;
    assert_row(m, 255,
               "index=0xff allocated=0 dirty=0 P=0 FPD=0 AVAIL=0x0 IM=0 hi=0x0 "
               "lo=0x0");
    assert_row(m, 256, "index=0x100 wrong: interrupt index outside the table");
    assert_row(m, UINT32_MAX,
               "index=0xffffffff wrong: interrupt index outside the table");
}

/* Somebody wrote past the library: what is wrong with the entry comes before what is
 * wrong with the account. */
static void test_row_names_the_first_wrong_thing(void **state)
{
    struct machine *m = *state;

    m->entries[7] = (struct vtdpi_irte){.lo = UINT64_C(0x10300310001),
                                        .hi = UINT64_C(0x40310)};
    assert_row(m, 7,
               "index=0x7 allocated=0 dirty=0 owner=0x0 P=1 FPD=0 DM=0 RH=0 "
               "TM=0 DLM=0x0 AVAIL=0x0 IM=0 V=0x31 DST=0x103 SID=0x310 "
               "BDF=03:02.0 SQ=0x0 SVT=0x1 hi=0x40310 lo=0x10300310001 wrong: "
               "present, and the index is not allocated");
    m->entries[7].hi |= UINT64_C(0x80000);
    assert_row(m, 7,
               "index=0x7 allocated=0 dirty=0 owner=0x0 P=1 FPD=0 DM=0 RH=0 "
               "TM=0 DLM=0x0 AVAIL=0x0 IM=0 V=0x31 DST=0x103 SID=0x310 "
               "BDF=03:02.0 SQ=0x0 SVT=0x3 hi=0xc0310 lo=0x10300310001 wrong: "
               "reserved source validation type");
    m->entries[7] = (struct vtdpi_irte){.lo = 0, .hi = 0};
}

static const char *next_row(const struct machine *m,
                            struct vtdpi_format_cursor *c, char *line)
{
    const size_t length =
        vtdpi_format_table_next(line, VTDPI_FORMAT_MAX, &m->table, c);

    assert_int_equal(length, strlen(line));
    return line;
}

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* Allocated; dirty only; present only. A dead queue leaves a row dirty. */
static void test_dump_shows_rows_in_use(void **state)
{
    struct machine *m = *state;
    struct vtdpi_irte irte = entry_remapped(0x31);
    struct vtdpi_format_cursor c = {0};
    char line[VTDPI_FORMAT_MAX];

    assert_int_equal(vtdpi_table_reserve(&m->table, 0, 1, OWNER), 0);
    assert_int_equal(vtdpi_table_reserve(&m->table, 255, 1, OWNER), 0);
    assert_int_equal(vtdpi_table_set(&m->table, 255, &irte), 0);
    m->entries[100].lo = 1;
    assert_true(
        begins(next_row(m, &c, line), "index=0x0 allocated=1 dirty=0 "));
    assert_true(
        begins(next_row(m, &c, line), "index=0x64 allocated=0 dirty=0 "));
    assert_true(
        begins(next_row(m, &c, line), "index=0xff allocated=1 dirty=0 "));
    assert_false(c.done);
    assert_string_equal(next_row(m, &c, line), "");
    assert_true(c.done);
    m->entries[100].lo = 0;
    assert_string_equal(next_row(m, &c, line), "");
}

static void test_dump_shows_a_dirty_row(void **state)
{
    struct machine *m = *state;
    struct vtdpi_irte irte = entry_remapped(0x31);
    struct vtdpi_format_cursor c = {0};
    char line[VTDPI_FORMAT_MAX];

    assert_int_equal(vtdpi_table_reserve(&m->table, 9, 1, OWNER), 0);
    assert_int_equal(vtdpi_table_set(&m->table, 9, &irte), 0);
    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    irte = entry_remapped(0x32);
    assert_int_equal(vtdpi_table_set(&m->table, 9, &irte), VTDPI_EIO);
    assert_true(begins(next_row(m, &c, line),
                       "index=0x9 allocated=1 dirty=1 owner=0xbeef00 P=1 "));
    assert_non_null(strstr(line, " V=0x32 "));
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);
    assert_int_equal(vtdpi_table_flush(&m->table, 9, 1), 0);
}

/* Rows that are in use next to a call's share are found; a table of nothing takes as
 * many calls as it has shares. */
static void test_dump_takes_its_share(void **state)
{
    struct vtdpi_format_cursor c = {0};
    struct machine *m = *state;
    char line[VTDPI_FORMAT_MAX];

    /* 256 rows and a share of 256: the end is found by the second call. */
    assert_string_equal(next_row(m, &c, line), "");
    assert_false(c.done);
    assert_string_equal(next_row(m, &c, line), "");
    assert_true(c.done);
}

/* Units. */

static size_t text_unit(char *buf, size_t size, const void *what)
{
    return vtdpi_format_unit(buf, size, what);
}

static void test_unit_names_each_field(void **state)
{
    struct machine *m = *state;

    assert_line(
        text_unit, &m->unit[0],
        "state=ON IRTA=0x510000000 entries=0x100 EIME=1 IR=1 QI=1 EIM=1 "
        "PI=1 C=1 CM=0 MHMV=0xf CAP=0x8d2078c106f0466 ECAP=0xf020df");
    assert_int_equal(vtdpi_unit_disable(&m->unit[1]), 0);
    assert_int_equal(vtdpi_table_remove_unit(&m->table, &m->unit[1]), 0);
    assert_line(text_unit, &m->unit[1],
                "state=OFF IR=1 QI=1 EIM=1 PI=1 C=0 CM=0 MHMV=0xf "
                "CAP=0x8d2078c106f0466 ECAP=0xf020de");
}

static void test_unit_that_is_stuck_or_gone(void **state)
{
    struct machine *m = *state;
    struct vtdpi_unit *const u = &m->unit[0];

    vtdpi_model_set_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES, 0);
    assert_int_equal(vtdpi_unit_disable(u), VTDPI_EIO);
    assert_line(text_unit, u,
                "state=GONE IRTA=0x510000000 entries=0x100 EIME=1 IR=1 QI=1 "
                "EIM=1 PI=1 C=1 CM=0 MHMV=0xf CAP=0x8d2078c106f0466 "
                "ECAP=0xf020df wrong: hardware does not answer: it is gone or "
                "not decoded");
    vtdpi_model_clear_fault(&m->model[0], VTDPI_MODEL_FAULT_ALL_ONES);
    assert_int_equal(vtdpi_unit_disable(u), 0);
    /* As a command that timed out leaves a unit. */
    u->state = VTDPI_UNIT_FAILED;
    u->stuck = UINT32_C(0x02000000);
    assert_line(
        text_unit, u,
        "state=FAILED stuck=IRE IRTA=0x510000000 entries=0x100 EIME=1 "
        "IR=1 QI=1 EIM=1 PI=1 C=1 CM=0 MHMV=0xf CAP=0x8d2078c106f0466 "
        "ECAP=0xf020df wrong: not known to be off: a command timed out");
}

/* Every state and every command has its name. */
static void test_unit_names_states_and_commands(void **state)
{
    static const char *const states[] = {
        "state=OFF ",       "state=ON ",       "state=QUEUE ",
        "state=SUSPENDED ", "state=FAILED ",   "state=FOREIGN ",
        "state=GONE ",      "state=FORSAKEN ", "state=unknown ",
    };
    static const char *const commands[] = {
        " stuck=TE ",  " stuck=SRTP ",    " stuck=SFL ", " stuck=EAFL ",
        " stuck=WBF ", " stuck=QIE ",     " stuck=IRE ", " stuck=SIRTP ",
        " stuck=CFI ", " stuck=unknown ",
    };
    struct vtdpi_unit unit = {0};
    char line[VTDPI_FORMAT_MAX];

    (void)state;
    for (unsigned int i = 0; i < 9; i++) {
        unit.state = i;
        (void)vtdpi_format_unit(line, sizeof(line), &unit);
        assert_true(begins(line, states[i]));
        assert_int_equal(strstr(line, " wrong: ") != NULL, i >= 4 && i <= 6);
    }
    for (unsigned int i = 0; i < 10; i++) {
        unit.stuck = UINT64_C(0x80000000) >> i;
        (void)vtdpi_format_unit(line, sizeof(line), &unit);
        assert_non_null(strstr(line, commands[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_row_has_the_account_and_the_entry,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_row_without_owners_and_outside,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_row_names_the_first_wrong_thing,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_dump_shows_rows_in_use,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_dump_shows_a_dirty_row,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_dump_takes_its_share,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_unit_names_each_field,
                                        machine_setup, machine_teardown),
        cmocka_unit_test_setup_teardown(test_unit_that_is_stuck_or_gone,
                                        machine_setup, machine_teardown),
        cmocka_unit_test(test_unit_names_states_and_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
