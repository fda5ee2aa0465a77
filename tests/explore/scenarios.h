/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_SCENARIOS_H
#define VTDPI_EXPLORE_SCENARIOS_H

#include "world.h"

/* Shorthands of the scripts. */
#define VCPU(name_, ...)  \
    {                     \
        ROLE_VCPU, name_, \
        {                 \
            __VA_ARGS__   \
        }                 \
    }
#define POSTER(name_, ...)  \
    {                       \
        ROLE_POSTER, name_, \
        {                   \
            __VA_ARGS__     \
        }                   \
    }
#define ADMIN(name_, ...)  \
    {                      \
        ROLE_ADMIN, name_, \
        {                  \
            __VA_ARGS__    \
        }                  \
    }

/* By what they are about, each ended by one without a name. */
extern const struct scenario scenarios_block[];
extern const struct scenario scenarios_offline[];
extern const struct scenario scenarios_detach[];
extern const struct scenario scenarios_adopt[];
extern const struct scenario scenarios_vectors[];
extern const struct scenario scenarios_claims[];
extern const struct scenario scenarios_bindings[];
extern const struct scenario scenarios_demux[];
extern const struct scenario scenarios_ipis[];

/* bounds.c: how large a scenario is. */
struct bounds {
    unsigned int vcpus;
    unsigned int posts;
    unsigned int words; /* of PIR that they go to */
    uint64_t twice;     /* operations that occur more than once */
};

struct bounds bounds_of(const struct scenario *s);
/* Two vCPUs, two posts in two words of PIR, each named operation twice. */
bool bounds_met(const struct scenario *s);

#endif
