/* SPDX-License-Identifier: BSD-2-Clause */
/* The order in which locks are taken: of names, as witness(4) has it. */
#include "internal.h"

enum {
    CLASSES_MAX = 48,
};

static struct {
    const char *name[CLASSES_MAX];
    u_int count;
    /* [a][b]: a was held when b was taken, or follows from others. */
    bool before[CLASSES_MAX][CLASSES_MAX];
} order; /* host_lock() */

u_int shim_order_class(const char *name)
{
    u_int i;

    host_lock();
    for (i = 0; i < order.count; i++)
        if (strcmp(order.name[i], name) == 0)
            break;
    if (i == order.count && i < CLASSES_MAX)
        order.name[order.count++] = name;
    host_unlock();
    if (i == CLASSES_MAX)
        shim_fail("shim: more than %d names of locks", CLASSES_MAX);
    return i;
}

/* host_lock(). What is before a is before b, and before all after b. */
static void learn(u_int a, u_int b)
{
    for (u_int x = 0; x < order.count; x++) {
        if (x != a && !order.before[x][a])
            continue;
        order.before[x][b] = true;
        for (u_int y = 0; y < order.count; y++)
            if (order.before[b][y])
                order.before[x][y] = true;
    }
}

static void check_one(const struct lock_object *h, const struct lock_object *l)
{
    const u_int a = h->shim_class;
    const u_int b = l->shim_class;
    bool reversed;

    if (a == b) {
        if (!l->shim_dupok)
            panic("two locks of the name %s are held", l->lo_name);
        return;
    }
    host_lock();
    reversed = order.before[b][a];
    if (!reversed && !order.before[a][b])
        learn(a, b);
    host_unlock();
    if (reversed)
        panic("lock order reversal: %s is taken with %s held; before, it was "
              "the other way round",
              l->lo_name, h->lo_name);
}

void shim_order_check(const struct shim_thread *t, const struct lock_object *l)
{
    for (u_int i = 0; i < t->held_count; i++)
        check_one(t->held[i], l);
}

void shim_order_reset(void)
{
    memset(&order, 0, sizeof(order));
}
