/* SPDX-License-Identifier: BSD-2-Clause */
#include "script.h"

#include <stdlib.h>

#include "host.h"
#include "test.h"

#define PHYS UINT64_C(0x123456000)

/* Host form: vector 51h to x2APIC id 103h, source 03:02.0, exact. */
const struct vtdpi_irte host1 = {UINT64_C(0x0000010300510001),
                                 UINT64_C(0x0000000000040310)};
/* Host form: vector 52h to x2APIC id 7. */
const struct vtdpi_irte host2 = {UINT64_C(0x0000000700520001),
                                 UINT64_C(0x0000000000040310)};
/* Posted to A (PID at 1_2345_6040h), vector 41h. */
const struct vtdpi_irte post_a = {UINT64_C(0x2345604000418001),
                                  UINT64_C(0x0000000100040310)};
/* Posted to A, vector 42h. */
const struct vtdpi_irte post_a42 = {UINT64_C(0x2345604000428001),
                                    UINT64_C(0x0000000100040310)};
/* Posted to B (PID at 1_2345_6080h), vector 41h. */
const struct vtdpi_irte post_b = {UINT64_C(0x2345608000418001),
                                  UINT64_C(0x0000000100040310)};
const struct vtdpi_irte none = {0, 0};

const struct vtdpi_irte_remapped fields1 = {
    .present = true,
    .vector = 0x51,
    .mode = VTDPI_X2APIC,
    .dst = 0x103,
};
const struct vtdpi_irte_remapped fields2 = {
    .present = true,
    .vector = 0x52,
    .mode = VTDPI_X2APIC,
    .dst = 7,
};

/* The scripted backend. */

static const struct call *next(struct fixture *f, enum op op)
{
    const struct call *c = &f->script[f->at];

    assert_int_equal(c->op, op);
    f->at++;
    assert_int_equal(vtdpi_vcpu_refs(A(f)), c->refs[0]);
    assert_int_equal(vtdpi_vcpu_refs(B(f)), c->refs[1]);
    return c;
}

static int script_begin(void *ctx, struct vtdpi_flush *flush)
{
    assert_int_equal(flush->used, 0);
    assert_false(flush->global);
    assert_false(flush->drain);
    return next(ctx, BEGIN)->result;
}

int script_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                   const struct vtdpi_irte *old,
                   const struct vtdpi_irte *replacement)
{
    const struct call *c = next(ctx, REPLACE);

    assert_non_null(flush);
    assert_int_equal(index, INDEX);
    assert_int_equal(old == NULL, c->any_old);
    if (old != NULL)
        assert_memory_equal(old, &c->old, sizeof(*old));
    assert_memory_equal(replacement, &c->replacement, sizeof(*replacement));
    return c->result;
}

static int script_invalidate(void *ctx, struct vtdpi_flush *flush,
                             uint32_t first, uint32_t count)
{
    assert_non_null(flush);
    assert_int_equal(first, INDEX);
    assert_int_equal(count, 1);
    return next(ctx, INVALIDATE)->result;
}

static int script_commit(void *ctx, struct vtdpi_flush *flush)
{
    const struct call *c = next(ctx, COMMIT);

    assert_int_equal(flush->drain, c->drain);
    return c->result;
}

static void script_settled(void *ctx, uint32_t index)
{
    assert_int_equal(index, INDEX);
    (void)next(ctx, SETTLED);
}

const struct vtdpi_backend_ops script_ops = {
    .begin = script_begin,
    .replace = script_replace,
    .invalidate = script_invalidate,
    .commit = script_commit,
    .settled = script_settled,
};

void play(struct fixture *f, const struct call *calls, size_t n)
{
    assert_true(n < SCRIPT_MAX);
    assert_int_equal(f->script[f->at].op, END); /* nothing was left over */
    for (size_t i = 0; i < n; i++)
        f->script[i] = calls[i];
    f->script[n] = (struct call){.op = END};
    f->at = 0;
}

/* What the statement before must have called, all of it. */
void played(const struct fixture *f)
{
    assert_int_equal(f->script[f->at].op, END);
}

struct call begin(unsigned int a, unsigned int b)
{
    return (struct call){.op = BEGIN, .refs = {a, b}};
}

struct call replace(struct vtdpi_irte old, struct vtdpi_irte to, unsigned int a,
                    unsigned int b)
{
    return (struct call){
        .op = REPLACE, .old = old, .replacement = to, .refs = {a, b}};
}

/* Replace whatever is there by nothing. */
struct call clear(unsigned int a, unsigned int b)
{
    return (struct call){.op = REPLACE, .any_old = true, .refs = {a, b}};
}

struct call invalidate(unsigned int a, unsigned int b)
{
    return (struct call){.op = INVALIDATE, .refs = {a, b}};
}

struct call commit(bool drain, unsigned int a, unsigned int b)
{
    return (struct call){.op = COMMIT, .drain = drain, .refs = {a, b}};
}

struct call settled(unsigned int a, unsigned int b)
{
    return (struct call){.op = SETTLED, .refs = {a, b}};
}

struct call fails(struct call c, int result)
{
    c.result = result;
    return c;
}

/* Fixture. */

const struct vtdpi_source source = {VTDPI_SOURCE_EXACT, 0x0310, VTDPI_SQ_ALL};

static const struct vtdpi_platform_ops platform = {
    .send_ipi = host_drop_ipi,
    .wake = host_drop_wake,
};

int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct vtdpi_sched_params params = {
        .ops = &platform,
        .apic_mode = VTDPI_X2APIC,
        .max_pages = 1,
        .max_pcpus = 1,
        .anv = 0xf2,
        .wnv = {0xf1},
    };

    assert_non_null(f);
    f->pids = aligned_alloc(4096, 4096);
    assert_non_null(f->pids);
    params.pages = &f->page_slot;
    params.pcpus = &f->pcpu_slot;
    assert_int_equal(vtdpi_sched_init(&f->sched, &params), 0);
    assert_int_equal(
        vtdpi_sched_add_page(&f->sched, 0, &f->page, f->pids, PHYS), 0);
    assert_int_equal(vtdpi_vcpu_attach(&f->sched, A(f), 1, A(f)), 0);
    assert_int_equal(vtdpi_vcpu_attach(&f->sched, B(f), 2, B(f)), 0);
    f->backend = (struct vtdpi_backend){
        .ops = &script_ops, .ctx = f, .mode = VTDPI_X2APIC, .haw = 46};
    assert_int_equal(vtdpi_irq_init(&f->irq, &f->backend, INDEX, &source, NULL),
                     0);
    *state = f;
    return 0;
}

int teardown(void **state)
{
    struct fixture *f = *state;

    free(f->pids);
    free(f);
    return 0;
}

/* Brings the interrupt into a state, by way of the calls that belong to it. */

void hosted(struct fixture *f)
{
    PLAY(f, begin(0, 0), replace(none, host1, 0, 0), commit(false, 0, 0),
         settled(0, 0));
    assert_int_equal(vtdpi_irq_set_host(&f->irq, &fields1), 0);
    played(f);
}

void posted(struct fixture *f)
{
    hosted(f);
    PLAY(f, begin(1, 0), replace(host1, post_a, 1, 0), invalidate(1, 0),
         commit(false, 1, 0), settled(1, 0));
    assert_int_equal(vtdpi_irq_post(&f->irq, A(f), 0x41), 0);
    played(f);
}

/* Retargeted from A to B, and the flush failed. */
void dirty(struct fixture *f)
{
    posted(f);
    PLAY(f, begin(1, 1), replace(post_a, post_b, 1, 1), invalidate(1, 1),
         fails(commit(true, 1, 1), FAILURE));
    assert_int_equal(vtdpi_irq_post(&f->irq, B(f), 0x41), FAILURE);
    played(f);
    assert_true(vtdpi_irq_is_dirty(&f->irq));
    assert_ptr_equal(vtdpi_irq_vcpu(&f->irq), B(f));
}

void assert_refs(struct fixture *f, unsigned int a, unsigned int b)
{
    assert_int_equal(vtdpi_vcpu_refs(A(f)), a);
    assert_int_equal(vtdpi_vcpu_refs(B(f)), b);
}

void assert_live(const struct fixture *f, const struct vtdpi_irte *irte)
{
    const struct vtdpi_irte live = vtdpi_irq_live(&f->irq);

    assert_memory_equal(&live, irte, sizeof(live));
}
