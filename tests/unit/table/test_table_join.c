/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit that cannot post joins a table, with a hook at each atomic access: what
 * a change finds that comes between any two steps of the join, and a join
 * between any two of a change.
 */
#include "test.h"

#include "atomic_hook.h"
#include "vtdpi/table.h"

enum {
    COUNT = 64,
    STORAGE_WORDS = 64,
};

/* A table whose index 0 is allocated. */
struct world {
    struct vtdpi_table table;
    _Alignas(4096) struct vtdpi_irte entries[COUNT];
    uint64_t storage[STORAGE_WORDS];
};

static void world_init(struct world *w)
{
    const struct vtdpi_table_params params = {
        .entries = w->entries,
        .count = COUNT,
        .storage = w->storage,
        .storage_size = sizeof(w->storage),
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };

    assert_int_equal(vtdpi_table_init(&w->table, &params), 0);
    assert_int_equal(vtdpi_table_reserve(&w->table, 0, 1, NULL), 0);
}

static uint32_t read32(void *ctx, uint32_t off)
{
    (void)ctx;
    return off == VTDPI_VER_REG ? 0x10 : 0;
}

/* CAP of a real unit without PI, ECAP of a unit that snoops. */
static uint64_t read64(void *ctx, uint32_t off)
{
    (void)ctx;
    return off == VTDPI_CAP_REG ? UINT64_C(0x00d2078c106f0466)
                                : UINT64_C(0xf020df);
}

static void write32(void *ctx, uint32_t off, uint32_t value)
{
    (void)ctx;
    (void)off;
    (void)value;
}

static void write64(void *ctx, uint32_t off, uint64_t value)
{
    (void)ctx;
    (void)off;
    (void)value;
}

static uint64_t now_us(void *ctx)
{
    (void)ctx;
    return 0;
}

static uintptr_t lock(void *ctx)
{
    (void)ctx;
    return 0;
}

static void unlock(void *ctx, uintptr_t token)
{
    (void)ctx;
    (void)token;
}

static const struct vtdpi_platform_ops ops = {
    .read32 = read32,
    .read64 = read64,
    .write32 = write32,
    .write64 = write64,
    .now_us = now_us,
    .lock = lock,
    .unlock = unlock,
};

/* A unit without CAP.PI joins before access number @p at. */
struct joiner {
    struct world *w;
    struct vtdpi_unit unit;
    struct vtdpi_table_unit link;
    unsigned int at;
    bool tried;
    int rc;
};

static bool entry_posts(const struct world *w)
{
    return (w->entries[0].lo & 0x8001) == 0x8001;
}

static bool is_time(struct joiner *j)
{
    if (j->tried || j->at-- != 0)
        return false;
    j->tried = true;
    return true;
}

static void join(void *ctx, enum hook_kind kind, const void *addr)
{
    struct joiner *j = ctx;

    (void)kind;
    (void)addr;
    if (!is_time(j))
        return;
    j->rc = vtdpi_table_add_unit(&j->w->table, &j->link, &j->unit);
    assert_true(j->rc == 0 || j->rc == VTDPI_EBUSY);
    assert_true(j->rc != 0 || !entry_posts(j->w));
}

static int set_beside_join(struct joiner *j, const struct vtdpi_irte *to)
{
    int rc;

    assert_int_equal(vtdpi_unit_probe(&j->unit, &ops, NULL, 4096), 0);
    hook.before = join;
    hook.ctx = j;
    rc = vtdpi_table_set(&j->w->table, 0, to);
    hook_reset();
    return rc;
}

static const struct vtdpi_irte post = {UINT64_C(0x2000000000618001),
                                       UINT64_C(0x0000000500040310)};

/* The join comes before access number @p at; false if there are not so many. */
static bool posts_beside_join(struct world *w, unsigned int at)
{
    struct joiner j = {.w = w, .at = at};
    int rc;

    world_init(w);
    rc = set_beside_join(&j, &post);
    assert_int_equal(rc, j.tried && j.rc == 0 ? VTDPI_ENOPI : 0);
    assert_int_equal(entry_posts(w), rc == 0);
    return j.tried;
}

static bool retires_beside_join(struct world *w, unsigned int at)
{
    static const struct vtdpi_irte none = {0, 0};
    struct joiner j = {.w = w, .at = at};

    world_init(w);
    assert_int_equal(vtdpi_table_set(&w->table, 0, &post), 0);
    assert_int_equal(set_beside_join(&j, &none), 0);
    assert_false(entry_posts(w));
    return j.tried;
}

static void change(void *ctx, enum hook_kind kind, const void *addr)
{
    struct joiner *j = ctx;

    (void)kind;
    (void)addr;
    if (!is_time(j))
        return;
    j->rc = vtdpi_table_set(&j->w->table, 0, &post);
}

/* The other way round: the change comes before access number @p at of the
 * join. */
static bool joins_beside_post(struct world *w, unsigned int at)
{
    struct joiner j = {.w = w, .at = at};
    int rc;

    world_init(w);
    assert_int_equal(vtdpi_unit_probe(&j.unit, &ops, NULL, 4096), 0);
    hook.before = change;
    hook.ctx = &j;
    rc = vtdpi_table_add_unit(&w->table, &j.link, &j.unit);
    hook_reset();
    assert_int_equal(rc, entry_posts(w) ? VTDPI_EBUSY : 0);
    assert_true(!j.tried || j.rc == (rc == 0 ? VTDPI_ENOPI : 0));
    return j.tried;
}

static void test_join_beside_a_change_sees_posted_entries(void **state)
{
    static struct world world;
    struct world *const w = &world;
    unsigned int at = 0;

    (void)state;
    while (posts_beside_join(w, at))
        at++;
    assert_true(at > 4);
    for (at = 0; retires_beside_join(w, at);)
        at++;
    assert_true(at > 4);
    for (at = 0; joins_beside_post(w, at);)
        at++;
    assert_true(at > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join_beside_a_change_sees_posted_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
