/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_RECORDER_H
#define VTDPI_TEST_RECORDER_H

/*
 * A backend for batches of irq.h that writes down what it is asked for, and
 * refuses one call if told so. Of script.h only the vCPUs and forms are used.
 *
 * What it writes: "B" begin, "R1" replace of index 1, "I1" invalidate, "C"
 * commit ("CD": with drain, "CG": global), "S1" settled; "!" when refused.
 */
#include "script.h"

enum {
    IRQS = 4,
    FIRST = 1, /* index of the first */
    TEXT = 512
};

struct world {
    struct fixture *f; /* two vCPUs */
    struct vtdpi_backend backend;
    struct vtdpi_backend_ops ops;
    struct vtdpi_irq irq[IRQS];
    struct vtdpi_irq_batch batch;
    struct vtdpi_flush_range ranges[IRQS];
    struct vtdpi_irte entry[FIRST + IRQS];
    bool settled[FIRST + IRQS]; /* since it was replaced last */
    unsigned int calls;
    unsigned int refuse; /* number of the call that fails; 0: none */
    void (*during)(struct world *w);     /* called once, by the next commit */
    void (*in_replace)(struct world *w); /* and by the next replace */
    bool write_buffer; /* of the flush that was committed last */
    char text[TEXT];
};

/* The calls since the last time. */
void assert_calls(struct world *w, const char *text);
/* The batch of the world. */
void begin_batch(struct world *w);
/* CMocka's; the batch has begun, and no interrupt has a form. */
int world_setup(void **state);
int world_teardown(void **state);
void end_batch(struct world *w, int rc);
/* Changes in the batch, and what each returns; post() with vector 41h. */
void post(struct world *w, unsigned int i, struct vtdpi_vcpu *v, int rc);
void set_host(struct world *w, unsigned int i,
              const struct vtdpi_irte_remapped *host, int rc);
void unpost(struct world *w, unsigned int i, int rc);
void tear_down(struct world *w, unsigned int i);
/* The first @p n posted to A over a host form. */
void posted_n(struct world *w, unsigned int n);
/* Entry, and what the library thinks of it. */
void assert_entry(const struct world *w, unsigned int i,
                  const struct vtdpi_irte *irte);
/* A letter for each interrupt: d if dirty. */
void assert_dirty(const struct world *w, const char *which);

#endif
