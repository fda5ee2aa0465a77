/* SPDX-License-Identifier: BSD-2-Clause */
/* explore: the scenarios of this library, and the worlds that they are played in. */
#include "engine.h"
#include "hooks.h"
#include "run.h"
#include "scenarios.h"

static const struct scenario *const groups[] = {
    scenarios_block,    scenarios_offline, scenarios_detach,
    scenarios_adopt,    scenarios_vectors, scenarios_claims,
    scenarios_bindings, scenarios_demux,   scenarios_ipis};

static struct printers printers_of(const struct scenario *s)
{
    if (s->claims != NULL)
        return (struct printers){claims_print, claims_print_name, claims_doing};
    if (s->bindings != NULL)
        return (struct printers){bindings_print, bindings_print_name,
                                 bindings_doing};
    if (s->demux != NULL)
        return (struct printers){demux_print, demux_print_name, demux_doing};
    if (s->ipis != NULL)
        return (struct printers){ipis_print, ipis_print_name, ipis_doing};
    return (struct printers){world_print, world_print_name, world_doing};
}

/* "2 vCPUs, 4 posts in 2 PIR words": what is smaller than it has to be is
 * marked as an extra. */
static void print_bounds(const struct scenario *s)
{
    const struct bounds b = bounds_of(s);

    if (s->claims != NULL) {
        printf("1 interrupt, %u host forms", s->claims->forms);
        return;
    }
    if (s->bindings != NULL) {
        printf("1 binding, 2 vCPUs");
        return;
    }
    if (s->demux != NULL) {
        printf("2 pCPUs, 2 interrupts");
        return;
    }
    if (s->ipis != NULL) {
        printf("1 entry, 2 vCPUs");
        return;
    }
    printf("%u vCPU%s, %u post%s in %u PIR word%s%s", b.vcpus,
           b.vcpus == 1 ? "" : "s", b.posts, b.posts == 1 ? "" : "s", b.words,
           b.words == 1 ? "" : "s", s->extra ? "; extra" : "");
}

/* Not one of world.h. */
static bool has_own_world(const struct scenario *s)
{
    return s->claims != NULL || s->bindings != NULL || s->demux != NULL ||
           s->ipis != NULL;
}

static const struct ex_world *world_of(const struct scenario *s,
                                       unsigned int leaves, enum host_bug bug)
{
    const struct world_options options = {s, leaves, bug};

    if (s->claims != NULL)
        return claims_new(s->claims, leaves == 2);
    if (s->bindings != NULL)
        return bindings_new(s->bindings, leaves == 2);
    if (s->demux != NULL)
        return demux_new(s->demux, leaves + 1, bug);
    if (s->ipis != NULL)
        return ipis_new(s->ipis, leaves == 2, bug);
    return world_new(&options);
}

int main(int argc, char **argv)
{
    static const struct suite suite = {
        .program = "explore",
        .groups = groups,
        .group_count = sizeof groups / sizeof groups[0],
        .layouts = 2,
        .printers_of = printers_of,
        .print_bounds = print_bounds,
        .has_own_world = has_own_world,
        .world_of = world_of,
    };

    hooks = &library_hooks;
    return run(&suite, argc, argv);
}
