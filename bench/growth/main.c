/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth           list the operations
 * growth NAME N    set the world of an operation up with size N, and do it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "growth.h"

static const struct op *const tables[] = {
    growth_sched,
    growth_irq,
    growth_route,
};

/* What is counted; a symbol of its own, so that the counter finds it. */
__attribute__((__noinline__)) void measured(const struct op *op, void *world,
                                            uint32_t n);

void measured(const struct op *op, void *world, uint32_t n)
{
    op->measured(world, n);
}

static int list(void)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct op *op = tables[t]; op->name != NULL; op++)
            printf("%s\t%s\t%g\n", op->name, op->what, op->most);
    }
    return 0;
}

static const struct op *find(const char *name)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const struct op *op = tables[t]; op->name != NULL; op++) {
            if (strcmp(op->name, name) == 0)
                return op;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct op *op;
    unsigned long n;

    if (argc == 1)
        return list();
    op = argc == 3 ? find(argv[1]) : NULL;
    n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (op == NULL || n < 16 || n > 65536) {
        (void)fputs("usage: growth [NAME N]\n", stderr);
        return 2;
    }
    measured(op, op->set_up((uint32_t)n), (uint32_t)n);
    return 0;
}
