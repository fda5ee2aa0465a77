/* SPDX-License-Identifier: BSD-2-Clause */
/* The program that explores somebody else's hooks: which scenarios they can play. */
#include "foreign.h"
#include "run.h"

static const struct scenario *const groups[] = {
    scenarios_block, scenarios_offline, scenarios_detach, scenarios_vectors};

static const char *cannot_op(const struct script *script, uint8_t kind)
{
    switch (kind) {
    case OP_POST:
        return foreign->post == NULL ? "no hook: post" : NULL;
    case OP_OFFLINE:
        return foreign->offline == NULL ? "no hook: offline" : NULL;
    case OP_DETACH:
        return foreign->destroy == NULL ? "no hook: destroy" : NULL;
    case OP_ATTACH:
        return script->role == ROLE_ADMIN && foreign->assign == NULL
                   ? "no hook: assign"
                   : NULL;
    case OP_HALT_COMMITTED:
    case OP_BLOCK_COMMITTED:
        return "block_committed is libvtdpi's";
    case OP_POST_URGENT:
        return "post has no urgent vectors";
    case OP_RESCAN:
    case OP_RESET:
    case OP_MERGE:
    case OP_CHOOSE:
    case OP_EMULATE:
    case OP_ADD_PAGE:
    case OP_ADD_PCPU:
    case OP_GROW:
        return "about a call of libvtdpi";
    default:
        return NULL;
    }
}

const char *foreign_cannot(const struct scenario *s)
{
    if (s->wnvs > 1)
        return "two wakeup vectors are libvtdpi's";
    for (const struct script *t = s->script; t->role != ROLE_NONE; t++) {
        for (const struct op *op = t->op; op->kind != OP_END; op++) {
            const char *const why = cannot_op(t, op->kind);

            if (why != NULL)
                return why;
        }
    }
    return NULL;
}

static struct printers printers_of(const struct scenario *s)
{
    (void)s;
    return (struct printers){world_print, world_print_name, world_doing};
}

static void print_bounds(const struct scenario *s)
{
    const char *const why = foreign_cannot(s);

    (void)fputs(why == NULL ? "" : why, stdout);
}

static bool has_own_world(const struct scenario *s)
{
    (void)s;
    return false;
}

static const struct ex_world *world_of(const struct scenario *s,
                                       unsigned int leaves, enum host_bug bug)
{
    const struct world_options options = {s, leaves, bug};

    return world_new(&options);
}

/* What is missing, or NULL. */
static const char *missing(const struct vtdpi_explore_subject *s)
{
    const struct {
        bool there;
        const char *missing;
    } needed[] = {
        {s->create != NULL, "no hook: create"},
        {s->pid != NULL, "no hook: pid"},
        {s->run != NULL, "no hook: run"},
        {s->preempt != NULL, "no hook: preempt"},
        {s->block != NULL, "no hook: block"},
        {s->harvest != NULL, "no hook: harvest"},
        {s->wakeup != NULL, "no hook: wakeup"},
        {s->offline == NULL || s->online != NULL, "offline needs online"},
    };

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!needed[i].there)
            return needed[i].missing;
    }
    if (s->memory[0].size == 0)
        return "no memory is named";
    if (!foreign_is_instrumented())
        return "compile the hooks with -fsanitize=thread, and link without";
    return foreign_bad_memory();
}

int vtdpi_explore_main(int argc, char **argv,
                       const struct vtdpi_explore_subject *subject)
{
    static struct suite suite = {
        .groups = groups,
        .group_count = sizeof groups / sizeof groups[0],
        .layouts = 1,
        .plainly = true,
        .printers_of = printers_of,
        .print_value = foreign_print_value,
        .print_bounds = print_bounds,
        .has_own_world = has_own_world,
        .world_of = world_of,
        .cannot = foreign_cannot,
    };
    const char *wrong;

    foreign = subject;
    hooks = &foreign_hooks;
    wrong = missing(subject);
    if (wrong != NULL) {
        (void)fprintf(stderr, "%s: %s\n", subject->name, wrong);
        return 2;
    }
    if (!foreign_catch_crashes())
        return 2;
    suite.program = argv[0];
    return run(&suite, argc, argv);
}
