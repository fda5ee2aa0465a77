/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS__LOCK_H
#define SHIM_SYS__LOCK_H

#include <sys/types.h>

struct thread;

/* What all kinds of lock have; the order is kept between names. */
struct lock_object {
    const char *lo_name;
    uint32_t shim_kind;  /* 0: not initialised */
    uint32_t shim_class; /* of the order */
    bool shim_dupok;
    bool shim_recurse;
    struct lock_object *shim_next;
    struct thread *shim_owner;
    uint32_t shim_depth;
    uint32_t shim_readers;
};

#endif
