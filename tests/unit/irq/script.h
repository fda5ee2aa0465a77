/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_SCRIPT_H
#define VTDPI_TEST_SCRIPT_H

/*
 * A backend for irq.h that plays a script: every call must be the next one
 * expected, with the values expected, and none may be missing. Entries are
 * literal constants, worked out by hand from the formats.
 */
#include "vtdpi/irq.h"

enum op {
    END,
    BEGIN,
    REPLACE,
    INVALIDATE,
    COMMIT,
    SETTLED
};

/* A call that is expected, and what it returns. */
struct call {
    enum op op;
    int result;
    bool any_old; /* REPLACE: old is NULL */
    bool drain;   /* COMMIT */
    struct vtdpi_irte old;
    struct vtdpi_irte replacement;
    unsigned int refs[2]; /* references on vCPU A and B while it runs */
};

enum {
    INDEX = 77,
    SCRIPT_MAX = 16,
    FAILURE = -4321
};

struct fixture {
    struct vtdpi_sched sched;
    struct vtdpi_page_ref page_slot;
    struct vtdpi_pcpu *pcpu_slot;
    struct vtdpi_pid_page page;
    void *pids;
    struct vtdpi_vcpu vcpu[2]; /* A in slot 1, B in slot 2 */
    struct vtdpi_backend backend;
    struct vtdpi_irq irq;
    struct call script[SCRIPT_MAX];
    unsigned int at;
};

#define A(f) (&(f)->vcpu[0])
#define B(f) (&(f)->vcpu[1])

/* Host forms: vector 51h to x2APIC id 103h; vector 52h to x2APIC id 7. */
extern const struct vtdpi_irte host1;
extern const struct vtdpi_irte host2;
extern const struct vtdpi_irte_remapped fields1;
extern const struct vtdpi_irte_remapped fields2;
/* Posted: to A, vector 41h; to A, vector 42h; to B, vector 41h. */
extern const struct vtdpi_irte post_a;
extern const struct vtdpi_irte post_a42;
extern const struct vtdpi_irte post_b;
extern const struct vtdpi_irte none;
/* Source of all of them: 03:02.0, exact. */
extern const struct vtdpi_source source;

extern const struct vtdpi_backend_ops script_ops;
int script_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                   const struct vtdpi_irte *old,
                   const struct vtdpi_irte *replacement);

/* What the next statements shall call; then, that they did. */
void play(struct fixture *f, const struct call *calls, size_t n);
void played(const struct fixture *f);

#define PLAY(f, ...)                              \
    play((f), (const struct call[]){__VA_ARGS__}, \
         sizeof((const struct call[]){__VA_ARGS__}) / sizeof(struct call))

/* The calls, with the references on A and B while each runs. */
struct call begin(unsigned int a, unsigned int b);
struct call replace(struct vtdpi_irte old, struct vtdpi_irte to, unsigned int a,
                    unsigned int b);
struct call clear(unsigned int a, unsigned int b); /* whatever is there */
struct call invalidate(unsigned int a, unsigned int b);
struct call commit(bool drain, unsigned int a, unsigned int b);
struct call settled(unsigned int a, unsigned int b);
struct call fails(struct call c, int result);

/* A fresh interrupt, and two vCPUs. */
int setup(void **state);
int teardown(void **state);

/* Brings the interrupt into a state, by way of the calls that belong to it:
 * host1; posted to A over it; retargeted to B, and the flush failed. */
void hosted(struct fixture *f);
void posted(struct fixture *f);
void dirty(struct fixture *f);

void assert_refs(struct fixture *f, unsigned int a, unsigned int b);
void assert_live(const struct fixture *f, const struct vtdpi_irte *irte);

#endif
