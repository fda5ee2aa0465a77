/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PLAYGROUND_CONFIG_H
#define PLAYGROUND_CONFIG_H

/*
 * The library's configuration in the playground: one thread plays all processors,
 * and the page is asked before each atomic access. The page may let other calls go
 * on before it answers.
 */
#define VTDPI_SIMULATION 1
#define VTDPI_HAVE_CX16  0

#define VTDPI_ATOMIC_POINT(kind, p) \
    playground_point(PLAYGROUND_##kind, (p), sizeof *(p))
#define VTDPI_ASSERT(expr) ((expr) ? (void)0 : __builtin_trap())

enum playground_access {
    PLAYGROUND_LOAD,
    PLAYGROUND_STORE,
    PLAYGROUND_RMW,
};

__attribute__((__import_module__("page"), __import_name__("point"))) void
playground_point(enum playground_access access, const volatile void *p,
                 unsigned long bytes);

#endif
