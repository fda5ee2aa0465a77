/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of table.h and irq.h. */
#include "unit_acts.h"

enum {
    FEW = 10,
};

/*
 * Tables.
 */

/* Of a unit that is on no list. */
static bool may_join(struct fuzz *f, uint32_t u, uint32_t table)
{
    if (is_in(f, u, VTDPI_UNIT_FOREIGN))
        return !f->tables[table].adoption_over;
    return is_in(f, u, VTDPI_UNIT_OFF) || is_in(f, u, VTDPI_UNIT_QUEUE);
}

int call_add(struct fuzz *f, uint32_t u, uint32_t table)
{
    const struct before b = call_begin(f, CALL_TABLE_ADD_UNIT, u);
    const bool pi = vtdpi_unit_caps(unit_of(f, u))->pi;
    /* A link stays until the unit is removed. */
    struct vtdpi_table_unit other;
    int rc;

    rc = vtdpi_table_add_unit(f->tables[table].t,
                              f->units[u].table == NOWHERE ? &f->units[u].link
                                                           : &other,
                              unit_of(f, u));
    if (f->units[u].table != NOWHERE)
        support_check(rc == VTDPI_EATTACHED);
    else
        support_check((rc == VTDPI_ESTATE) == !may_join(f, u, table));
    if (rc == VTDPI_EBUSY)
        support_check(!pi && !f->tables[table].closed);
    if (rc == 0) {
        f->units[u].table = table;
        f->tables[table].closed = f->tables[table].closed || !pi;
    }
    return call_end(f, &b, rc);
}

static void do_add(struct fuzz *f, uint32_t u)
{
    const uint32_t table = input_below(&f->in, 4) == 0;

    if (!is_in(f, u, VTDPI_UNIT_FORSAKEN))
        (void)call_add(f, u, table);
}

/* Of a unit that is on the list. One that others left on may read a table that is
 * being adopted. */
static bool may_leave(struct fuzz *f, uint32_t u, uint32_t table)
{
    if (is_in(f, u, VTDPI_UNIT_FOREIGN))
        return !f->tables[table].adopted;
    return is_in(f, u, VTDPI_UNIT_OFF) || is_in(f, u, VTDPI_UNIT_QUEUE) ||
           is_in(f, u, VTDPI_UNIT_FORSAKEN);
}

int call_remove(struct fuzz *f, uint32_t u)
{
    const struct before b = call_begin(f, CALL_TABLE_REMOVE_UNIT, u);
    const uint32_t table = f->units[u].table;
    const int rc = vtdpi_table_remove_unit(f->tables[table].t, unit_of(f, u));

    support_check((rc == 0) == may_leave(f, u, table));
    if (rc == 0)
        f->units[u].table = NOWHERE;
    return call_end(f, &b, rc);
}

/* No change of the table is under way. */
static void do_remove(struct fuzz *f, uint32_t u)
{
    if (f->units[u].table != NOWHERE && f->units[u].table != f->batch_table)
        (void)call_remove(f, u);
}

/* Few of them, so that calls meet at one; some are beyond the table. */
static uint32_t choose_index(struct fuzz *f)
{
    const uint32_t byte = input_byte(&f->in);

    return byte < 240 ? byte % FEW : byte - 240 + ENTRIES - 8;
}

static uint32_t choose_table(struct fuzz *f)
{
    return input_below(&f->in, 4) == 0;
}

static struct vtdpi_irte_remapped form_of(const struct fuzz *f, uint32_t table,
                                          uint8_t vector)
{
    const enum vtdpi_apic_mode mode =
        vtdpi_table_backend(f->tables[table].t)->mode;
    const struct vtdpi_irte_remapped form = {
        .present = true,
        .vector = vector,
        .mode = mode,
        .dst = mode == VTDPI_X2APIC ? HOST_APIC_ID : 3,
        .source = vtdpi_source_exact(SID, VTDPI_SQ_ALL),
    };

    return form;
}

static uint8_t choose_vector(struct fuzz *f)
{
    return (uint8_t)(16 + input_below(&f->in, 240));
}

static void check_fresh(const struct fuzz *f, uint32_t table, uint32_t index)
{
    const struct fuzz_table *t = &f->tables[table];

    support_check(t->entries[index].lo == 0 && t->entries[index].hi == 0);
    support_check(!vtdpi_table_is_dirty(t->t, index));
}

static int alloc(struct fuzz *f, uint32_t table, void *owner, uint32_t *index)
{
    const struct before b = call_begin(f, CALL_TABLE_ALLOC, UNITS);
    const int rc = vtdpi_table_alloc(f->tables[table].t, 1, owner, index);

    if (rc == 0) {
        check_fresh(f, table, *index);
        support_check(vtdpi_table_owner(f->tables[table].t, *index) == owner);
    }
    return call_end(f, &b, rc);
}

static void do_alloc_plain(struct fuzz *f, uint32_t u)
{
    const uint32_t table = choose_table(f);
    uint32_t index;

    (void)u;
    if (alloc(f, table, f, &index) == 0)
        f->tables[table].plain[index] = true;
}

static void do_reserve(struct fuzz *f, uint32_t u)
{
    const uint32_t table = choose_table(f);
    const uint32_t index = choose_index(f);
    const struct before b = call_begin(f, CALL_TABLE_RESERVE, UNITS);
    const int rc = vtdpi_table_reserve(f->tables[table].t, index, 1, f);

    (void)u;
    if (call_end(f, &b, rc) != 0)
        return;
    check_fresh(f, table, index);
    f->tables[table].plain[index] = true;
}

int call_free_plain(struct fuzz *f, uint32_t table, uint32_t index)
{
    const struct before b = call_begin(f, CALL_TABLE_FREE, UNITS);
    const int rc = vtdpi_table_free(f->tables[table].t, index, 1);

    if (rc == 0)
        f->tables[table].plain[index] = false;
    return call_end(f, &b, rc);
}

static bool is_an_irqs(const struct fuzz *f, uint32_t table, uint32_t index)
{
    for (uint32_t i = 0; i < IRQS; i++) {
        if (f->irqs[i].used && f->irqs[i].table == table &&
            f->irqs[i].index == index)
            return true;
    }
    return false;
}

static void do_free_plain(struct fuzz *f, uint32_t u)
{
    const uint32_t table = choose_table(f);
    const uint32_t index = choose_index(f);
    const bool allocated = index < ENTRIES && f->tables[table].plain[index];
    int rc;

    (void)u;
    if (is_an_irqs(f, table, index))
        return;
    rc = call_free_plain(f, table, index);
    support_check((rc == VTDPI_EFREE) == (!allocated && index < ENTRIES));
    support_check((rc == VTDPI_EINDEX) == (index >= ENTRIES));
}

int call_set(struct fuzz *f, uint32_t table, uint32_t index,
             const struct vtdpi_irte *irte)
{
    const struct before b = call_begin(f, CALL_TABLE_SET, UNITS);
    const int rc = vtdpi_table_set(f->tables[table].t, index, irte);

    if (rc == 0)
        support_check(!vtdpi_table_is_dirty(f->tables[table].t, index));
    return call_end(f, &b, rc);
}

static void do_set(struct fuzz *f, uint32_t u)
{
    const uint32_t table = choose_table(f);
    const uint32_t index = choose_index(f);
    const uint32_t how = input_below(&f->in, 4);
    const struct vtdpi_irte_remapped form = form_of(f, table, choose_vector(f));
    struct vtdpi_irte irte = {0, 0};

    (void)u;
    if (how != 0)
        support_check(vtdpi_irte_encode_remapped(&form, &irte) == 0);
    if (!is_an_irqs(f, table, index))
        (void)call_set(f, table, index, &irte);
}

static void do_flush(struct fuzz *f, uint32_t u)
{
    const uint32_t table = choose_table(f);
    const uint32_t first = input_below(&f->in, ENTRIES);
    const uint32_t count = 1 + input_below(&f->in, ENTRIES - first);
    struct before b;

    (void)u;
    /* Nobody changes them in the course of the call. */
    if (f->batch_table == table)
        return;
    b = call_begin(f, CALL_TABLE_FLUSH, UNITS);
    (void)call_end(f, &b, vtdpi_table_flush(f->tables[table].t, first, count));
}

/* Whether every unit that may have entries of the table is on the list, and is
 * this library's. */
static bool adoption_may_end(struct fuzz *f, uint32_t table)
{
    for (uint32_t u = 0; u < f->m->params.units; u++) {
        if (f->units[u].table == table && is_in(f, u, VTDPI_UNIT_FOREIGN))
            return false;
    }
    return table_has_units(f, table);
}

int call_flush_all(struct fuzz *f, uint32_t table)
{
    const struct before b = call_begin(f, CALL_TABLE_FLUSH_ALL, UNITS);
    struct fuzz_table *t = &f->tables[table];
    const int rc = vtdpi_table_flush_all(t->t);

    for (uint32_t i = 0; rc == 0 && i < ENTRIES; i++)
        support_check(!vtdpi_table_is_dirty(t->t, i));
    if (rc == 0 && t->adopted) {
        support_check(adoption_may_end(f, table));
        t->adopted = false;
        t->adoption_over = true;
    }
    return call_end(f, &b, rc);
}

static void mark_flushed(struct fuzz *f, struct fuzz_irq *q)
{
    const struct before b = call_begin(f, CALL_IRQ_MARK_FLUSHED, UNITS);

    (void)call_end(f, &b, vtdpi_irq_mark_flushed(&q->irq));
    support_check(!vtdpi_irq_is_dirty(&q->irq));
}

static void do_flush_all(struct fuzz *f, uint32_t u)
{
    const uint32_t table = choose_table(f);

    (void)u;
    if (call_flush_all(f, table) != 0)
        return;
    for (uint32_t i = 0; i < IRQS; i++) {
        struct fuzz_irq *q = &f->irqs[i];

        if (q->used && q->table == table && !q->in_batch)
            mark_flushed(f, q);
    }
}

/*
 * Interrupts.
 */

static void do_irq_new(struct fuzz *f, uint32_t u)
{
    const struct vtdpi_source source = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    struct fuzz_irq *q = &f->irqs[input_below(&f->in, IRQS)];
    const uint32_t table = choose_table(f);
    uint32_t index;

    (void)u;
    if (q->used || alloc(f, table, q, &index) != 0)
        return;
    *q = (struct fuzz_irq){.table = table, .index = index, .used = true};
    support_check(vtdpi_irq_init(&q->irq,
                                 vtdpi_table_backend(f->tables[table].t), index,
                                 &source, NULL) == 0);
}

/* Of an entry that was found, or set directly. */
static void do_irq_found(struct fuzz *f, uint32_t u)
{
    const struct vtdpi_source source = vtdpi_source_exact(SID, VTDPI_SQ_ALL);
    struct fuzz_irq *q = &f->irqs[input_below(&f->in, IRQS)];
    const uint32_t index = choose_index(f) % ENTRIES;
    struct fuzz_table *t = &f->tables[0];
    struct vtdpi_irte live;

    (void)u;
    if (q->used || !t->plain[index] || vtdpi_table_is_dirty(t->t, index))
        return;
    support_check(vtdpi_table_read(t->t, index, &live) == 0);
    t->plain[index] = false;
    *q = (struct fuzz_irq){.table = 0, .index = index, .used = true};
    support_check(vtdpi_irq_init(&q->irq, vtdpi_table_backend(t->t), index,
                                 &source, &live) == 0);
}

static struct fuzz_irq *choose_irq(struct fuzz *f)
{
    struct fuzz_irq *q = &f->irqs[input_below(&f->in, IRQS)];

    return q->used ? q : NULL;
}

static void irq_end(struct fuzz *f, const struct before *b, struct fuzz_irq *q,
                    int rc)
{
    (void)call_end(f, b, rc);
    if (rc == VTDPI_IRQ_DEFERRED)
        q->deferred = true;
    support_check((rc == (b->call == CALL_IRQ_SET_HOST ? VTDPI_IRQ_DEFERRED
                                                       : VTDPI_EINFLIGHT)) ==
                  q->in_batch);
    /* Under a posted form, a host form is only stored. */
    if (rc == 0 &&
        (b->call != CALL_IRQ_SET_HOST || vtdpi_irq_vcpu(&q->irq) == NULL))
        support_check(!vtdpi_irq_is_dirty(&q->irq));
}

static void do_set_host(struct fuzz *f, uint32_t u)
{
    struct fuzz_irq *q = choose_irq(f);
    const bool none = input_below(&f->in, 4) == 0;
    const uint8_t vector = choose_vector(f);
    struct vtdpi_irte_remapped form;
    struct before b;

    (void)u;
    if (q == NULL)
        return;
    form = form_of(f, q->table, vector);
    b = call_begin(f, CALL_IRQ_SET_HOST, UNITS);
    irq_end(f, &b, q, vtdpi_irq_set_host(&q->irq, none ? NULL : &form));
}

/* What a vCPU, a table and its units must be for posting. */
static void posted(const struct fuzz *f, const struct fuzz_irq *q, uint32_t v,
                   int rc)
{
    if (rc == 0)
        support_check(f->attached[v] && !f->tables[q->table].closed &&
                      vtdpi_table_backend(f->tables[q->table].t)->mode ==
                          VTDPI_X2APIC);
    if (rc == VTDPI_ECLOSED)
        support_check(!f->attached[v]);
    if (rc == VTDPI_ENOPI)
        support_check(f->tables[q->table].closed);
}

static void do_post(struct fuzz *f, uint32_t u)
{
    struct fuzz_irq *q = choose_irq(f);
    const uint32_t v = input_below(&f->in, MACHINE_VCPUS);
    const uint8_t vector = choose_vector(f);
    struct before b;
    int rc;

    (void)u;
    if (q == NULL)
        return;
    b = call_begin(f, CALL_IRQ_POST, UNITS);
    rc = vtdpi_irq_post(&q->irq, &f->m->vcpu[v], vector);
    posted(f, q, v, rc);
    irq_end(f, &b, q, rc);
}

static void do_unpost(struct fuzz *f, uint32_t u)
{
    struct fuzz_irq *q = choose_irq(f);
    struct before b;

    (void)u;
    if (q == NULL)
        return;
    b = call_begin(f, CALL_IRQ_UNPOST, UNITS);
    irq_end(f, &b, q, vtdpi_irq_unpost(&q->irq));
}

int call_teardown(struct fuzz *f, struct fuzz_irq *q)
{
    const struct before b = call_begin(f, CALL_IRQ_TEARDOWN, UNITS);
    const int rc = vtdpi_irq_teardown(&q->irq);

    irq_end(f, &b, q, rc);
    support_check((rc == 0) == (!q->in_batch && !vtdpi_irq_is_pinned(&q->irq)));
    return rc;
}

static void do_teardown(struct fuzz *f, uint32_t u)
{
    struct fuzz_irq *q = choose_irq(f);

    (void)u;
    if (q != NULL)
        (void)call_teardown(f, q);
}

static void do_irq_flush(struct fuzz *f, uint32_t u)
{
    struct fuzz_irq *q = choose_irq(f);
    struct before b;

    (void)u;
    if (q == NULL)
        return;
    b = call_begin(f, CALL_IRQ_FLUSH, UNITS);
    irq_end(f, &b, q, vtdpi_irq_flush(&q->irq));
}

/* One that was torn down; the index goes when nothing pins it. */
int call_free_irq(struct fuzz *f, struct fuzz_irq *q)
{
    const struct before b = call_begin(f, CALL_TABLE_FREE, UNITS);
    const int rc = vtdpi_table_free(f->tables[q->table].t, q->index, 1);

    support_check((rc == 0) == !vtdpi_irq_is_pinned(&q->irq));
    if (rc == 0)
        q->used = false;
    return call_end(f, &b, rc);
}

static void do_free_irq(struct fuzz *f, uint32_t u)
{
    struct fuzz_irq *q = choose_irq(f);

    (void)u;
    if (q == NULL)
        return;
    if (!q->in_batch && call_teardown(f, q) == 0)
        support_check(call_free_irq(f, q) == 0);
    else if (vtdpi_irq_is_pinned(&q->irq) &&
             vtdpi_table_is_dirty(f->tables[q->table].t, q->index))
        support_check(call_free_irq(f, q) != 0);
}

/*
 * Batches.
 */

int call_commit(struct fuzz *f)
{
    const struct before b = call_begin(f, CALL_BATCH_COMMIT, UNITS);
    const int rc = vtdpi_irq_batch_commit(&f->batch);

    for (uint32_t i = 0; i < IRQS; i++) {
        struct fuzz_irq *q = &f->irqs[i];

        /* A form that was left to the batch can fail after the batch was flushed. */
        if (q->in_batch && rc == 0 && !q->deferred)
            support_check(!vtdpi_irq_is_dirty(&q->irq));
        q->in_batch = false;
        q->deferred = false;
    }
    f->batch_table = NOWHERE;
    return call_end(f, &b, rc);
}

static void do_commit(struct fuzz *f, uint32_t u)
{
    (void)u;
    if (f->batch_table != NOWHERE)
        (void)call_commit(f);
}

static int batch_call(struct fuzz *f, struct fuzz_irq *q, enum call call)
{
    const struct vtdpi_irte_remapped form =
        form_of(f, q->table, choose_vector(f));
    const uint32_t v = input_below(&f->in, MACHINE_VCPUS);
    int rc;

    switch (call) {
    case CALL_BATCH_SET_HOST:
        return vtdpi_irq_batch_set_host(&f->batch, &q->irq, &form);
    case CALL_BATCH_POST:
        rc = vtdpi_irq_batch_post(&f->batch, &q->irq, &f->m->vcpu[v],
                                  form.vector);
        posted(f, q, v, rc);
        return rc;
    case CALL_BATCH_UNPOST:
        return vtdpi_irq_batch_unpost(&f->batch, &q->irq);
    case CALL_BATCH_TEARDOWN:
        return vtdpi_irq_batch_teardown(&f->batch, &q->irq);
    default:
        return vtdpi_irq_batch_flush(&f->batch, &q->irq);
    }
}

static void do_batch(struct fuzz *f, uint32_t u)
{
    struct fuzz_irq *q = choose_irq(f);
    const enum call call =
        (enum call)(CALL_BATCH_SET_HOST + input_below(&f->in, 5));
    struct before b;

    (void)u;
    if (q == NULL)
        return;
    if (f->batch_table == NOWHERE) {
        support_check(vtdpi_irq_batch_begin(
                          &f->batch, vtdpi_table_backend(f->tables[q->table].t),
                          f->ranges, 3) == 0);
        f->batch_table = q->table;
    }
    if (f->batch_table != q->table)
        return;
    b = call_begin(f, call, UNITS);
    (void)call_end(f, &b, batch_call(f, q, call));
    q->in_batch = q->irq.batch != NULL; /* not all calls put it there */
}

const struct act acts_on_tables[ACTS_ON_TABLES] = {
    {"add", do_add, 8, true},
    {"remove", do_remove, 3, true},
    {"alloc_plain", do_alloc_plain, 3, true},
    {"reserve", do_reserve, 3, true},
    {"free_plain", do_free_plain, 4, true},
    {"set", do_set, 10, true},
    {"flush", do_flush, 4, true},
    {"flush_all", do_flush_all, 4, true},
    {"irq_new", do_irq_new, 10, true},
    {"irq_found", do_irq_found, 3, true},
    {"set_host", do_set_host, 10, true},
    {"post", do_post, 14, true},
    {"unpost", do_unpost, 8, true},
    {"teardown", do_teardown, 4, true},
    {"irq_flush", do_irq_flush, 4, true},
    {"free_irq", do_free_irq, 6, true},
    {"commit", do_commit, 6, true},
    {"batch", do_batch, 12, true},
};
