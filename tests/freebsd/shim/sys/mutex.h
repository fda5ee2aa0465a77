/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_MUTEX_H
#define SHIM_SYS_MUTEX_H

#include <sys/_lock.h>
#include <sys/kernel.h>
#include <sys/pcpu.h>
#include <sys/systm.h>

struct mtx {
    struct lock_object lock_object;
    volatile uintptr_t mtx_lock;
};

#define MTX_DEF        0x00000000
#define MTX_SPIN       0x00000001
#define MTX_RECURSE    0x00000004
#define MTX_NOWITNESS  0x00000008
#define MTX_NEW        0x00000040
#define MTX_DUPOK      0x00400000

#define MA_OWNED       0x00000001
#define MA_NOTOWNED    0x00000002
#define MA_RECURSED    0x00000004
#define MA_NOTRECURSED 0x00000008

/* Names of their own: C11's threads.h has some of these. */
void shim_mtx_init(struct mtx *m, const char *name, const char *type, int opts);
void shim_mtx_destroy(struct mtx *m);
void shim_mtx_lock(struct mtx *m, bool spin);
bool shim_mtx_trylock(struct mtx *m, bool spin);
void shim_mtx_unlock(struct mtx *m, bool spin);
void shim_mtx_assert(const struct mtx *m, int what);
bool shim_mtx_owned(const struct mtx *m);

#define mtx_init(m, n, t, o) shim_mtx_init((m), (n), (t), (o))
#define mtx_destroy(m)       shim_mtx_destroy(m)
#define mtx_lock(m)          shim_mtx_lock((m), false)
#define mtx_trylock(m)       shim_mtx_trylock((m), false)
#define mtx_unlock(m)        shim_mtx_unlock((m), false)
#define mtx_lock_spin(m)     shim_mtx_lock((m), true)
#define mtx_trylock_spin(m)  shim_mtx_trylock((m), true)
#define mtx_unlock_spin(m)   shim_mtx_unlock((m), true)
#define mtx_owned(m)         shim_mtx_owned(m)
#define mtx_assert(m, what)  shim_mtx_assert((m), (what))
#define mtx_initialized(m)   ((m)->lock_object.shim_kind != 0)
#define mtx_name(m)          ((m)->lock_object.lo_name)
#define mtx_sleep(chan, mtx, pri, wmesg, timo) \
    shim_sleep((chan), &(mtx)->lock_object, (pri), (wmesg), (timo))
#define msleep(chan, mtx, pri, wmesg, timo) \
    mtx_sleep((chan), (mtx), (pri), (wmesg), (timo))

struct mtx_args {
    struct mtx *ma_mtx;
    const char *ma_desc;
    int ma_opts;
};
void mtx_sysinit(const void *arg);
void mtx_sysuninit(const void *arg);
#define MTX_SYSINIT(name, mtx, desc, opts)                                 \
    static const struct mtx_args name##_args = {(mtx), (desc), (opts)};    \
    SYSINIT(name##_mtx_sysinit, SI_SUB_LOCK, SI_ORDER_MIDDLE, mtx_sysinit, \
            &name##_args);                                                 \
    SYSUNINIT(name##_mtx_sysuninit, SI_SUB_LOCK, SI_ORDER_MIDDLE,          \
              mtx_sysuninit, &name##_args)

#endif
