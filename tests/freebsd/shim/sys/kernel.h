/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_KERNEL_H
#define SHIM_SYS_KERNEL_H

#include <sys/types.h>

extern int hz;
extern volatile int ticks;

/* A few of the real order; only that order matters. */
enum sysinit_sub_id {
    SI_SUB_DUMMY = 0x0000000,
    SI_SUB_TUNABLES = 0x0700000,
    SI_SUB_KMEM = 0x1800000,
    SI_SUB_LOCK = 0x1B00000,
    SI_SUB_CPU = 0x2100000,
    SI_SUB_INTR = 0x2800000,
    SI_SUB_DRIVERS = 0x3100000,
    SI_SUB_SMP = 0xf000000,
};

enum sysinit_elem_order {
    SI_ORDER_FIRST = 0x0000000,
    SI_ORDER_SECOND = 0x0000001,
    SI_ORDER_MIDDLE = 0x1000000,
    SI_ORDER_ANY = 0xfffffff,
};

typedef void (*sysinit_cfunc_t)(const void *);

struct sysinit {
    enum sysinit_sub_id subsystem;
    unsigned int order;
    sysinit_cfunc_t func;
    const void *udata;
    bool uninit;
};

/* All of them, by the linker: shim_boot() and shim_shutdown() run them. */
#define SHIM_SYSINIT(uniq, sub, ord, function, data, down)                    \
    static const struct sysinit shim_init_##uniq = {                          \
        (sub), (ord), (sysinit_cfunc_t)(function), (data), (down)};           \
    static const struct sysinit *const shim_init_ptr_##uniq __used __section( \
        "shim_sysinit") = &shim_init_##uniq

#define SYSINIT(uniq, sub, ord, function, data) \
    SHIM_SYSINIT(uniq##_up, sub, ord, function, data, false)
#define SYSUNINIT(uniq, sub, ord, function, data) \
    SHIM_SYSINIT(uniq##_down, sub, ord, function, data, true)

/* Tunables: what shim_setenv() has set. 0: there is none. */
int getenv_int(const char *name, int *data);
int getenv_bool(const char *name, bool *data);
int getenv_uint64(const char *name, uint64_t *data);
#define TUNABLE_INT_FETCH(path, var)    getenv_int((path), (var))
#define TUNABLE_BOOL_FETCH(path, var)   getenv_bool((path), (var))
#define TUNABLE_UINT64_FETCH(path, var) getenv_uint64((path), (var))

struct tunable_int {
    const char *path;
    int *var;
};
void tunable_int_init(const void *data);
#define TUNABLE_INT(path, var)         TUNABLE_INT_1(path, var, __LINE__)
#define TUNABLE_INT_1(path, var, line) TUNABLE_INT_2(path, var, line)
#define TUNABLE_INT_2(path, var, line)                                     \
    static const struct tunable_int shim_tunable_##line = {(path), (var)}; \
    SYSINIT(tunable_##line, SI_SUB_TUNABLES, SI_ORDER_MIDDLE,              \
            tunable_int_init, &shim_tunable_##line)

#endif
