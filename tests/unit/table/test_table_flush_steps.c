/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flush of everything, with a hook at each atomic access: what was changed before the
 * flush is clean after it, and what another CPU changes between two steps stays dirty,
 * unless that change came before the flush took note of what it covers.
 */
#include "test.h"

#include "atomic_hook.h"
#include "vtdpi/table.h"

enum {
    COUNT = 64,
    STORAGE_WORDS = 64,
    BEFORE = 0, /* the index that is changed before the flush */
    BETWEEN = 1 /* and the one beside it, changed in the middle */
};

/* A table without units: a flush succeeds at once. */
static struct world {
    struct vtdpi_table table;
    _Alignas(4096) struct vtdpi_irte entries[COUNT];
    uint64_t storage[STORAGE_WORDS];
} w;

/* The other CPU changes BETWEEN before access number @p at of the flush. */
static struct {
    unsigned int at;
    bool done;
    bool noted; /* the flush has changed the word of both indexes */
    bool late;  /* the change came after that */
} other;

static void change(uint32_t index)
{
    const struct vtdpi_backend *const backend = vtdpi_table_backend(&w.table);
    const struct vtdpi_irte old = {0};
    const struct vtdpi_irte present = {.lo = 1, .hi = 0x40310};
    struct vtdpi_flush unused;

    vtdpi_flush_init(&unused, NULL, 0);
    assert_int_equal(
        backend->ops->replace(backend->ctx, &unused, index, &old, &present), 0);
}

static void between(void *ctx, enum hook_kind kind, const void *addr)
{
    (void)ctx;
    if (!other.done && other.at-- == 0) {
        other.done = true;
        other.late = other.noted;
        change(BETWEEN);
        assert_true(vtdpi_table_is_dirty(&w.table, BETWEEN));
    } else if (kind == HOOK_RMW && addr == w.table.dirty) {
        other.noted = true;
    }
}

static void world_init(void)
{
    const struct vtdpi_table_params params = {
        .entries = w.entries,
        .count = COUNT,
        .storage = w.storage,
        .storage_size = sizeof(w.storage),
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };

    w = (struct world){0};
    assert_int_equal(vtdpi_table_init(&w.table, &params), 0);
    assert_int_equal(vtdpi_table_reserve(&w.table, 0, 2, NULL), 0);
    change(BEFORE);
    assert_true(vtdpi_table_is_dirty(&w.table, BEFORE));
}

static void test_flush_all_with_a_change_at_every_access(void **state)
{
    unsigned int late = 0;
    unsigned int at = 0;

    (void)state;
    do {
        world_init();
        other.at = at++;
        other.done = other.noted = other.late = false;
        hook_reset();
        hook.before = between;
        assert_int_equal(vtdpi_table_flush_all(&w.table), 0);
        hook_reset();
        assert_false(vtdpi_table_is_dirty(&w.table, BEFORE));
        assert_true(vtdpi_table_is_dirty(&w.table, BETWEEN) == other.late);
        late += other.late;
    } while (other.done);
    /* Before and after the flush took note. */
    assert_in_range(late, 1, at - 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flush_all_with_a_change_at_every_access),
    };

    return cmocka_run_group_tests_name("table_flush_steps", tests, NULL, NULL);
}
