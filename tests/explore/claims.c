/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The claims of irq.c. What must hold, by the letters of the documentation:
 *
 *  C  one call at a time changes the interrupt, and none fails
 *  F  when no call is under way, the host form that was set last is in force, or is
 *     stored under the posted form; no entry is made of two forms
 *  G  a target that a unit may post to has a reference; when no call is under way,
 *     targets have the references of what is stored and what is in force, no more
 *  X  nobody waits for ever: set_host not even for the call that holds the interrupt
 */
#include "claims.h"

#include <string.h>

#include "vtdpi/irq.h"

enum {
    GUEST = CLAIMS_FORMS, /* the posted form, after the host forms */
    FORMS,
    NONE = FORMS,
    TORN, /* no form that was made */
    INDEX = 7,
    HELD = 1, /* a bit of the claim */
};

enum {
    OWNER,
    AFFINITY
};

static struct {
    struct vtdpi_irq irq;
    struct vtdpi_target target[FORMS];
    struct vtdpi_irte entry;  /* in the table */
    struct vtdpi_irte cached; /* a unit may use this one until the flush */
    uint64_t changing;        /* fiber between replace and the flush, + 1 */
    uint64_t set;             /* host forms that were set */
} claims;

static const struct claims *script;
static bool posted;
static struct vtdpi_irte forms[FORMS];

static const struct vtdpi_source source = {
    .kind = VTDPI_SOURCE_EXACT,
    .sid = 0x1a8,
};

/* All of them differ in both words, if they are in posted format. */
static uint64_t pda_of(unsigned int form)
{
    return UINT64_C(0x100000040) * (form + 1);
}

static uint8_t vector_of_form(unsigned int form)
{
    return (uint8_t)(0x50 + form);
}

static struct vtdpi_irte_remapped remapped_form(unsigned int form)
{
    return (struct vtdpi_irte_remapped){
        .present = true,
        .mode = VTDPI_X2APIC,
        .vector = vector_of_form(form),
        .dst = form + 1,
        .source = source,
    };
}

static bool has_target(unsigned int form)
{
    return form == GUEST || (posted && form < GUEST);
}

static unsigned int form_of(const struct vtdpi_irte *irte)
{
    unsigned int form = 0;

    if (irte->lo == 0 && irte->hi == 0)
        return NONE;
    while (form < FORMS &&
           (forms[form].lo != irte->lo || forms[form].hi != irte->hi))
        form++;
    return form < FORMS ? form : TORN;
}

static char letter_of(const struct vtdpi_irte *irte)
{
    return "ABCP-?"[form_of(irte)];
}

/* The host form that was set last. */
static unsigned int wanted(void)
{
    return claims.set == 0 ? NONE : (unsigned int)claims.set - 1;
}

static int backend_replace(void *ctx, struct vtdpi_flush *flush, uint32_t index,
                           const struct vtdpi_irte *old,
                           const struct vtdpi_irte *replacement)
{
    (void)ctx;
    (void)flush;
    (void)index;
    ex_host(NULL, NULL);
    if (claims.changing != 0)
        ex_fail("C: two calls change the entry at the same time");
    if (memcmp(old, &claims.entry, sizeof *old) != 0)
        ex_fail("C: a call takes the entry for another one");
    if (form_of(replacement) == TORN)
        ex_fail("F: an entry of two forms");
    claims.changing = ex_running() + 1;
    claims.entry = *replacement;
    return 0;
}

static int backend_invalidate(void *ctx, struct vtdpi_flush *flush,
                              uint32_t first, uint32_t count)
{
    (void)ctx;
    vtdpi_flush_add(flush, first, count);
    return 0;
}

static int backend_commit(void *ctx, struct vtdpi_flush *flush)
{
    (void)ctx;
    (void)flush;
    ex_host(NULL, NULL);
    claims.cached = claims.entry;
    claims.changing = 0;
    return 0;
}

static const struct vtdpi_backend_ops backend_ops = {
    .replace = backend_replace,
    .invalidate = backend_invalidate,
    .commit = backend_commit,
};

static const struct vtdpi_backend backend = {
    .ops = &backend_ops,
    .mode = VTDPI_X2APIC,
    .haw = 48,
};

static int set_host(unsigned int form)
{
    const struct vtdpi_irte_remapped host = remapped_form(form);

    return posted ? vtdpi_irq_set_host_posted(&claims.irq, &claims.target[form],
                                              vector_of_form(form))
                  : vtdpi_irq_set_host(&claims.irq, &host);
}

static void run_affinity(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < script->forms; i++) {
        int rc;

        ex_start(i + 1);
        rc = set_host(i);
        claims.set++;
        if (rc != 0 && rc != VTDPI_IRQ_DEFERRED)
            ex_fail("C: set_host returns %d", rc);
    }
}

static int owner_call(enum claims_op op)
{
    return op == CLAIMS_POST
               ? vtdpi_irq_post_target(&claims.irq, &claims.target[GUEST],
                                       vector_of_form(GUEST))
               : vtdpi_irq_unpost(&claims.irq);
}

static bool is_free(void *arg)
{
    (void)arg;
    return (claims.irq.claim & HELD) == 0;
}

static void run_owner(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; script->op[i] != CLAIMS_END; i++) {
        int rc;

        ex_start(i + 1);
        while ((rc = owner_call(script->op[i])) == VTDPI_EINFLIGHT)
            ex_host(is_free, NULL);
        if (rc != 0)
            ex_fail("C: a call of the owner returns %d", rc);
    }
}

/* No call is under way. */
static bool quiet(void)
{
    for (unsigned int i = OWNER; i <= AFFINITY; i++) {
        const enum ex_kind kind = ex_fiber(i)->kind;

        if (kind != EX_START && kind != EX_DONE)
            return false;
    }
    return true;
}

static void check_references(void)
{
    for (unsigned int i = 0; i < FORMS; i++) {
        const uint32_t refs = vtdpi_target_refs(&claims.target[i]);
        const unsigned int in_force =
            has_target(i) && form_of(&claims.entry) == i;
        const unsigned int stored =
            has_target(i) && form_of(&claims.irq.host.irte) == i;

        if (refs != in_force + stored)
            ex_fail("G: target %c has %u references, %u forms name it",
                    letter_of(&forms[i]), (unsigned int)refs,
                    in_force + stored);
    }
}

static void check_quiet(void)
{
    const struct vtdpi_irq *const irq = &claims.irq;
    const unsigned int live = form_of(&claims.entry);

    if (form_of(&irq->host.irte) != wanted())
        ex_fail("F: %c is stored, and another host form was set last",
                letter_of(&irq->host.irte));
    else if (has_target(wanted()) &&
             irq->host.target != &claims.target[wanted()])
        ex_fail("F: the host form has the target of another one");
    else if (live != (irq->target != NULL ? (unsigned int)GUEST : wanted()))
        ex_fail("F: %c is in force", letter_of(&claims.entry));
    else if (!is_free(NULL))
        ex_fail("C: nobody changes the interrupt, and it is held");
    check_references();
}

static void check_named(const struct vtdpi_irte *irte)
{
    const unsigned int form = form_of(irte);

    if (has_target(form) && vtdpi_target_refs(&claims.target[form]) == 0)
        ex_fail("G: a unit may post to %c, which has no reference",
                letter_of(irte));
}

static void check_step(void *ctx)
{
    (void)ctx;
    check_named(&claims.entry);
    check_named(&claims.cached);
    if (quiet())
        check_quiet();
}

static void check_final(void *ctx)
{
    (void)ctx;
    if (!quiet())
        ex_fail("X: a call waits for ever");
}

static void written(void *ctx, const uint64_t *addr, uint64_t old,
                    uint64_t value)
{
    (void)ctx;
    (void)addr;
    (void)old;
    (void)value;
}

static void set_up_form(unsigned int form)
{
    const struct vtdpi_irte_remapped host = remapped_form(form);
    const struct vtdpi_irte_posted fields = {
        .present = true,
        .vector = vector_of_form(form),
        .pda = pda_of(form),
        .source = source,
    };

    ex_require(
        vtdpi_target_init(&claims.target[form], pda_of(form), VTDPI_X2APIC));
    ex_require(has_target(form)
                   ? vtdpi_irte_encode_posted(&fields, &forms[form])
                   : vtdpi_irte_encode_remapped(&host, &forms[form]));
}

static void set_up(void *ctx)
{
    (void)ctx;
    memset(&claims, 0, sizeof claims);
    for (unsigned int i = 0; i < FORMS; i++)
        set_up_form(i);
    ex_require(vtdpi_irq_init(&claims.irq, &backend, INDEX, &source, NULL));
    ex_range(&claims, sizeof claims);
    ex_plain(&claims.irq, offsetof(struct vtdpi_irq, batch));
    (void)ex_spawn("owner", run_owner, NULL);
    (void)ex_spawn("host", run_affinity, NULL);
}

const struct ex_world *claims_new(const struct claims *s, bool in_posted_format)
{
    static struct ex_world w = {
        .arena = &claims,
        .arena_size = sizeof claims,
        .setup = set_up,
        .check = check_step,
        .check_final = check_final,
        .written = written,
    };

    script = s;
    posted = in_posted_format;
    return &w;
}

void claims_print(FILE *out)
{
    (void)fprintf(out, " claim=%llx entry=%c cached=%c host=%c%s; references:",
                  (unsigned long long)claims.irq.claim,
                  letter_of(&claims.entry), letter_of(&claims.cached),
                  letter_of(&claims.irq.host.irte),
                  claims.irq.target != NULL ? " posted" : "");
    for (unsigned int i = 0; i < FORMS; i++)
        (void)fprintf(out, " %c=%u", letter_of(&forms[i]),
                      (unsigned int)vtdpi_target_refs(&claims.target[i]));
    (void)fputc('\n', out);
}

void claims_print_name(FILE *out, const uint64_t *addr)
{
    const void *const at = addr;
    const struct vtdpi_irq *const irq = &claims.irq;

    if (at == &irq->claim)
        (void)fputs("claim", out);
    if (at == &irq->batch)
        (void)fputs("batch", out);
    for (unsigned int i = 0; i < 2; i++) {
        const struct vtdpi_irq_form *const place = &irq->deferred[i];

        if (at == &place->irte.lo)
            (void)fprintf(out, "place[%u].lo", i);
        if (at == &place->irte.hi)
            (void)fprintf(out, "place[%u].hi", i);
        if (at == &place->target)
            (void)fprintf(out, "place[%u].target", i);
    }
    for (unsigned int i = 0; i < FORMS; i++) {
        if (at == &claims.target[i].refs)
            (void)fprintf(out, "%c.refs", letter_of(&forms[i]));
    }
}

const char *claims_doing(unsigned int fiber)
{
    return fiber == OWNER ? "post, unpost" : "set_host";
}
