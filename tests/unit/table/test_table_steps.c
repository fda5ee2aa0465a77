/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index allocator with a hook at each atomic access: what an operation
 * costs, and what a second one finds that comes between any two of its steps.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "atomic_hook.h"
#include "vtdpi/table.h"

enum {
    COUNT_MAX = 65536,
    /* Accesses of an allocation that follows the hints. Three loads and a
     * compare-and-swap; and up to four for each order that the leaf loses. */
    ACCESSES_MAX = 4 + 7 * 4,
};

struct world {
    struct vtdpi_table table;
    struct vtdpi_irte *entries;
    uint8_t *storage;
    uint8_t *snapshot;
    size_t size;
};

static void world_init(struct world *w, uint32_t count)
{
    struct vtdpi_table_params params = {
        .entries = w->entries,
        .count = count,
        .mode = VTDPI_X2APIC,
        .haw = 46,
    };

    w->size = vtdpi_table_storage_size(count);
    params.storage = w->storage;
    params.storage_size = w->size;
    assert_int_equal(vtdpi_table_init(&w->table, &params), 0);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    w->entries = aligned_alloc(4096, sizeof(*w->entries) * COUNT_MAX);
    w->storage = malloc(vtdpi_table_storage_size(COUNT_MAX));
    w->snapshot = malloc(vtdpi_table_storage_size(COUNT_MAX));
    assert_non_null(w->entries);
    assert_non_null(w->storage);
    assert_non_null(w->snapshot);
    hook_reset();
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    hook_reset();
    free(w->snapshot);
    free(w->storage);
    free(w->entries);
    free(w);
    return 0;
}

static unsigned int accesses(void)
{
    return hook.loads + hook.stores + hook.locked;
}

/* Cost. */

static void test_alloc_costs_the_same_at_any_fill(void **state)
{
    struct world *w = *state;
    unsigned int total = 0;
    unsigned int before;
    uint32_t first;

    world_init(w, COUNT_MAX);
    for (uint32_t i = 0; i < COUNT_MAX; i++) {
        before = accesses();
        assert_int_equal(vtdpi_table_alloc(&w->table, 1, NULL, &first), 0);
        assert_true(accesses() - before <= ACCESSES_MAX);
        total += accesses() - before;
        /* One out, one in, far away from where the next one comes from. */
        before = accesses();
        assert_int_equal(vtdpi_table_free(&w->table, i / 2, 1), 0);
        assert_true(accesses() - before <= 7 + 14 * 2);
        before = accesses();
        assert_int_equal(vtdpi_table_alloc(&w->table, 1, NULL, &first), 0);
        assert_int_equal(first, i / 2);
        assert_true(accesses() - before <= ACCESSES_MAX);
    }
    assert_true(total <= COUNT_MAX * 5); /* 4.5 on average */
}

static void test_alloc_of_runs_looks_at_no_leaf_without_one(void **state)
{
    struct world *w = *state;
    unsigned int before;
    uint32_t first;

    world_init(w, COUNT_MAX);
    /* Every leaf has 32 free indexes, but no two neighbours; the last leaf has
     * one run of 8. */
    for (uint32_t i = 0; i < COUNT_MAX - 8; i += 2)
        assert_int_equal(vtdpi_table_reserve(&w->table, i, 1, NULL), 0);
    before = accesses();
    assert_int_equal(vtdpi_table_alloc(&w->table, 8, NULL, &first), 0);
    assert_int_equal(first, COUNT_MAX - 8);
    assert_true(accesses() - before <= ACCESSES_MAX);
    assert_int_equal(vtdpi_table_alloc(&w->table, 2, NULL, &first),
                     VTDPI_ENOSPC);
    assert_int_equal(vtdpi_table_alloc(&w->table, 1, NULL, &first), 0);
    assert_int_equal(first, 1);
}

static void test_free_beside_free_indexes_locks_once(void **state)
{
    struct world *w = *state;

    world_init(w, 128);
    assert_int_equal(vtdpi_table_reserve(&w->table, 0, 2, NULL), 0);
    hook_reset();
    assert_int_equal(vtdpi_table_free(&w->table, 1, 1), 0);
    assert_int_equal(hook.locked, 1); /* the leaf; its hints are set */
}

/* Interference: a table of 8192 of which all is used but in five leaves. */

struct run {
    uint32_t first;
    uint32_t n;
};

/* What is free to begin with, in all combinations. All but one are far from
 * the start, where only hints lead quickly; that one has its own word of
 * hints. */
static const struct run parts[] = {{8005, 1}, {8006, 1},  {64, 64},
                                   {8064, 8}, {4160, 64}, {8128, 4}};
enum {
    PARTS = 6,
    LEAVES = 5,
    OPS = 4 + PARTS
};
static const uint32_t leaves[LEAVES] = {64, 4160, 8000, 8064, 8128};

/* Operations: allocate 1, 2, 8 or 64; or free a part that is used. */
struct op {
    bool is_free;
    uint32_t n;
    uint32_t first; /* of the part; or what was allocated */
    int rc;
};

static struct op op_make(unsigned int i)
{
    static const uint32_t sizes[4] = {1, 2, 8, 64};

    if (i < 4)
        return (struct op){.n = sizes[i]};
    return (struct op){
        .is_free = true, .n = parts[i - 4].n, .first = parts[i - 4].first};
}

static void op_run(struct world *w, struct op *op)
{
    if (op->is_free)
        op->rc = vtdpi_table_free(&w->table, op->first, op->n);
    else
        op->rc = vtdpi_table_alloc(&w->table, op->n, NULL, &op->first);
}

/* The free indexes of the five leaves, as they should be. */
struct oracle {
    uint64_t leaf[LEAVES];
};

static uint64_t *oracle_leaf(struct oracle *o, uint32_t index)
{
    for (unsigned int i = 0; i < LEAVES; i++)
        if (index / 64 == leaves[i] / 64)
            return &o->leaf[i];
    fail_msg("index %u was never free", (unsigned int)index);
    return NULL;
}

static uint64_t run_bits(struct run r)
{
    return (r.n == 64 ? UINT64_MAX : (UINT64_C(1) << r.n) - 1)
           << (r.first % 64);
}

static void oracle_give(struct oracle *o, struct run r)
{
    uint64_t *leaf = oracle_leaf(o, r.first);

    assert_true((*leaf & run_bits(r)) == 0);
    *leaf |= run_bits(r);
}

static void oracle_take(struct oracle *o, struct run r)
{
    uint64_t *leaf = oracle_leaf(o, r.first);

    assert_true((*leaf & run_bits(r)) == run_bits(r));
    *leaf &= ~run_bits(r);
}

static bool oracle_has(const struct oracle *o, uint32_t n)
{
    for (unsigned int i = 0; i < LEAVES; i++)
        for (uint32_t at = 0; at < 64; at += n)
            if ((~o->leaf[i] & run_bits((struct run){at, n})) == 0)
                return true;
    return false;
}

/* The second operation, before access number @ref at of the first. */
struct between {
    struct world *w;
    struct op op;
    unsigned int at;
    bool done;
};

static void between(void *ctx, enum hook_kind kind, const void *addr)
{
    struct between *b = ctx;

    (void)kind;
    (void)addr;
    if (accesses() - 1 != b->at)
        return;
    op_run(b->w, &b->op);
    b->done = true;
}

/* Both have happened: the frees first, or the allocations would not fit. */
static void oracle_apply(struct oracle *o, const struct op *a,
                         const struct op *b)
{
    const struct op *ops[2] = {a, b};

    for (int i = 0; i < 2; i++)
        if (ops[i]->is_free && ops[i]->rc == 0)
            oracle_give(o, (struct run){ops[i]->first, ops[i]->n});
    for (int i = 0; i < 2; i++)
        if (!ops[i]->is_free && ops[i]->rc == 0)
            oracle_take(o, (struct run){ops[i]->first, ops[i]->n});
}

/* Whatever is free is found, and through the hints. */
static void assert_all_found(struct world *w, struct oracle *o)
{
    struct run r;

    for (r.n = 64; r.n != 0; r.n /= 2) {
        while (oracle_has(o, r.n)) {
            const unsigned int before = accesses();

            assert_int_equal(vtdpi_table_alloc(&w->table, r.n, NULL, &r.first),
                             0);
            /* Twice: a hint may have been left over an empty leaf. */
            assert_true(accesses() - before <= 2 * ACCESSES_MAX);
            oracle_take(o, r);
        }
        assert_int_equal(vtdpi_table_alloc(&w->table, r.n, NULL, &r.first),
                         VTDPI_ENOSPC);
    }
}

/* A failed allocation is right if, at some time, there was nothing. */
static void assert_answer(const struct op *op, const struct oracle *before,
                          const struct op *other)
{
    if (op->is_free || op->rc == 0)
        return;
    assert_int_equal(op->rc, VTDPI_ENOSPC);
    if (other->is_free || other->rc != 0)
        assert_false(oracle_has(before, op->n));
}

/* Runs @p first with @p second between, at every place. */
static unsigned int interfere(struct world *w, const struct oracle *start,
                              struct op first, struct op second)
{
    unsigned int runs = 0;

    for (bool reached = true; reached; runs++) {
        struct between b = {.w = w, .op = second, .at = runs};
        struct oracle o = *start;
        struct op a = first;

        memcpy(w->storage, w->snapshot, w->size);
        hook_reset();
        hook.before = between;
        hook.ctx = &b;
        op_run(w, &a);
        hook_reset();
        reached = b.done;
        if (!reached)
            op_run(w, &b.op);
        assert_answer(&a, start, &b.op);
        oracle_apply(&o, &a, &b.op);
        assert_all_found(w, &o);
    }
    return runs;
}

static void prepare(struct world *w, unsigned int set, struct oracle *o)
{
    *o = (struct oracle){{0}};
    world_init(w, 8192);
    for (uint32_t i = 0; i < 8192; i += 64)
        assert_int_equal(vtdpi_table_reserve(&w->table, i, 64, NULL), 0);
    for (unsigned int i = 0; i < PARTS; i++) {
        if ((set >> i & 1) == 0)
            continue;
        assert_int_equal(
            vtdpi_table_free(&w->table, parts[i].first, parts[i].n), 0);
        oracle_give(o, parts[i]);
    }
    memcpy(w->snapshot, w->storage, w->size);
}

static void test_two_operations_interleaved_at_every_access(void **state)
{
    struct world *w = *state;
    unsigned int runs = 0;

    for (unsigned int set = 0; set < 1u << PARTS; set++) {
        struct oracle o;

        prepare(w, set, &o);
        for (unsigned int a = 0; a < OPS; a++) {
            if (a >= 4 && (set >> (a - 4) & 1) != 0)
                continue;
            for (unsigned int b = 0; b < OPS; b++) {
                if (b >= 4 && ((set >> (b - 4) & 1) != 0 || a == b))
                    continue;
                runs += interfere(w, &o, op_make(a), op_make(b));
            }
        }
    }
    assert_true(runs > 20000);
}

/* During an allocation a second caller frees an index, and a third one allocates: the
 * index that was freed is found, even while the hints are being put right. */
struct two {
    struct world *w;
    unsigned int free_at;
    unsigned int alloc_at;
    unsigned int reached;
    int rc;
};

static void free_then_alloc(void *ctx, enum hook_kind kind, const void *addr)
{
    struct two *t = ctx;
    uint32_t first;

    (void)kind;
    (void)addr;
    t->reached = accesses() - 1;
    if (t->reached == t->free_at)
        assert_int_equal(vtdpi_table_free(&t->w->table, 8006, 1), 0);
    if (t->reached == t->alloc_at)
        t->rc = vtdpi_table_alloc(&t->w->table, 1, NULL, &first);
}

static void test_alloc_finds_what_is_free_while_hints_change(void **state)
{
    struct world *w = *state;
    struct oracle o;
    struct two t = {.w = w};

    prepare(w, 1, &o); /* only 8005 is free */
    for (t.free_at = 0; t.free_at <= t.reached; t.free_at++) {
        for (t.alloc_at = t.free_at; t.alloc_at <= t.reached; t.alloc_at++) {
            uint32_t first;
            int rc;

            memcpy(w->storage, w->snapshot, w->size);
            hook_reset();
            hook.before = free_then_alloc;
            hook.ctx = &t;
            t.reached = 0;
            t.rc = 1; /* not reached */
            rc = vtdpi_table_alloc(&w->table, 1, NULL, &first);
            hook_reset();
            /* Two were free, and there were two takers. */
            assert_int_equal(rc, 0);
            assert_true(t.rc == 0 || t.alloc_at > t.reached);
        }
    }
    assert_true(t.reached >= 4);
}

static void test_free_twice_at_the_same_time_is_detected(void **state)
{
    struct world *w = *state;
    const struct op op = op_make(5); /* free 8006 */
    struct between b = {.w = w, .done = true};
    struct oracle o;

    prepare(w, 0, &o);
    for (b.at = 0; b.done; b.at++) {
        struct op a = op;

        memcpy(w->storage, w->snapshot, w->size);
        hook_reset();
        hook.before = between;
        hook.ctx = &b;
        b.op = op;
        b.done = false;
        op_run(w, &a);
        hook_reset();
        if (b.done)
            assert_true((a.rc == 0) != (b.op.rc == 0));
        assert_true(a.rc == 0 || a.rc == VTDPI_EFREE);
    }
    assert_true(b.at > 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_alloc_costs_the_same_at_any_fill),
        TEST(test_alloc_of_runs_looks_at_no_leaf_without_one),
        TEST(test_free_beside_free_indexes_locks_once),
        TEST(test_two_operations_interleaved_at_every_access),
        TEST(test_alloc_finds_what_is_free_while_hints_change),
        TEST(test_free_twice_at_the_same_time_is_detected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
