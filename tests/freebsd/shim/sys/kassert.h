/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_KASSERT_H
#define SHIM_SYS_KASSERT_H

#include <sys/cdefs.h>

#ifndef INVARIANTS
#define INVARIANTS 1
#endif

void panic(const char *fmt, ...) __dead2 __printflike(1, 2);

#define KASSERT(exp, msg)            \
    do {                             \
        if (__predict_false(!(exp))) \
            panic msg;               \
    } while (0)

#define MPASS(ex) \
    KASSERT((ex), ("Assertion %s failed at %s:%d", #ex, __FILE__, __LINE__))

#define CTASSERT(x) _Static_assert(x, "compile-time assertion failed")

#endif
