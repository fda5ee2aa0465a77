/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_CDEFS_H
#define SHIM_SYS_CDEFS_H

#include <stddef.h>

#define __aligned(x)          __attribute__((__aligned__(x)))
#define __packed              __attribute__((__packed__))
#define __unused              __attribute__((__unused__))
#define __used                __attribute__((__used__))
#define __dead2               __attribute__((__noreturn__))
#define __noinline            __attribute__((__noinline__))
#define __section(x)          __attribute__((__section__(x)))
#define __printflike(fmt, va) __attribute__((__format__(__printf__, fmt, va)))
#define __predict_true(exp)   __builtin_expect((exp), 1)
#define __predict_false(exp)  __builtin_expect((exp), 0)
#define __offsetof(type, m)   offsetof(type, m)
#define __containerof(p, type, m) \
    ((type *)(void *)((char *)(p)-__offsetof(type, m)))
#define __DECONST(type, var)    ((type)(__uintptr_t)(const void *)(var))
#define __DEVOLATILE(type, var) ((type)(__uintptr_t)(volatile void *)(var))

#define __CONCAT1(x, y)         x##y
#define __CONCAT(x, y)          __CONCAT1(x, y)
#define __STRING(x)             #x
#define __XSTRING(x)            __STRING(x)
#define __FBSDID(s)             struct __hack

typedef __UINTPTR_TYPE__ __uintptr_t;

#endif
