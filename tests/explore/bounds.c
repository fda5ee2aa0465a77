/* SPDX-License-Identifier: BSD-2-Clause */
/* How large a scenario is, and how large it has to be. */
#include "scenarios.h"
#include "world_internal.h"

/* What an operation consists of, as far as scenarios are named by it. */
static uint64_t parts_of(uint8_t kind)
{
    switch (kind) {
    case OP_HALT:
        return NAMED(OP_BLOCK) | NAMED(OP_SLEEP) | NAMED(OP_RUN) |
               NAMED(OP_ENTER);
    case OP_HALT_COMMITTED:
        return NAMED(OP_BLOCK_COMMITTED) | NAMED(OP_SLEEP) | NAMED(OP_RUN) |
               NAMED(OP_ENTER);
    case OP_CHOOSE:
        return NAMED(OP_CHOOSE) | NAMED(OP_BLOCK);
    case OP_SWITCH:
        return NAMED(OP_SWITCH) | NAMED(OP_PREEMPT) | NAMED(OP_RUN);
    default:
        return NAMED(kind);
    }
}

static bool is_post(uint8_t kind)
{
    const uint64_t posts = NAMED(OP_UNIT) | NAMED(OP_UNIT_URGENT) |
                           NAMED(OP_POST) | NAMED(OP_POST_URGENT) |
                           NAMED(OP_DEVICE);

    return (posts & NAMED(kind)) != 0;
}

static unsigned int bits_in(uint32_t set)
{
    unsigned int n = 0;

    for (; set != 0; set &= set - 1)
        n++;
    return n;
}

struct bounds bounds_of(const struct scenario *s)
{
    struct bounds b = {0};
    uint64_t once = 0;
    uint32_t vcpus = 0;
    uint32_t words = 0;

    for (const struct script *t = s->script; t->role != ROLE_NONE; t++) {
        if (t->role == ROLE_VCPU)
            vcpus |= UINT32_C(1) << t->op[0].vcpu;
        for (const struct op *op = t->op; op->kind != OP_END; op++) {
            b.twice |= once & parts_of(op->kind);
            once |= parts_of(op->kind);
            if (is_post(op->kind)) {
                b.posts++;
                words |= UINT32_C(1) << vector_of(op->cpu) / 64;
            }
        }
    }
    b.vcpus = bits_in(vcpus);
    b.words = bits_in(words);
    return b;
}

bool bounds_met(const struct scenario *s)
{
    const struct bounds b = bounds_of(s);

    return b.vcpus >= 2 && b.posts >= 2 && b.words >= 2 &&
           (s->twice & ~b.twice) == 0 && s->twice != 0 &&
           (s->bound == 0 || s->bound >= 3);
}
