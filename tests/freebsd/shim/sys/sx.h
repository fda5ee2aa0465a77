/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_SX_H
#define SHIM_SYS_SX_H

#include <sys/_lock.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/systm.h>

struct sx {
    struct lock_object lock_object;
    volatile uintptr_t sx_lock;
};

#define SX_DUPOK    0x01
#define SX_RECURSE  0x08

#define SA_LOCKED   LA_LOCKED
#define SA_SLOCKED  LA_SLOCKED
#define SA_XLOCKED  LA_XLOCKED
#define SA_UNLOCKED LA_UNLOCKED

void sx_init_flags(struct sx *sx, const char *description, int opts);
void sx_destroy(struct sx *sx);
void sx_xlock(struct sx *sx);
void sx_xunlock(struct sx *sx);
void sx_slock(struct sx *sx);
void sx_sunlock(struct sx *sx);
void sx_assert(const struct sx *sx, int what);
int sx_xlocked(const struct sx *sx);
#define sx_init(sx, desc) sx_init_flags((sx), (desc), 0)

struct sx_args {
    struct sx *sa_sx;
    const char *sa_desc;
};
void sx_sysinit(const void *arg);
void sx_sysuninit(const void *arg);
#define SX_SYSINIT(name, sxa, desc)                                            \
    static const struct sx_args name##_args = {(sxa), (desc)};                 \
    SYSINIT(name##_sx_sysinit, SI_SUB_LOCK, SI_ORDER_MIDDLE, sx_sysinit,       \
            &name##_args);                                                     \
    SYSUNINIT(name##_sx_sysuninit, SI_SUB_LOCK, SI_ORDER_MIDDLE, sx_sysuninit, \
              &name##_args)

#endif
