/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain accesses of somebody else's hooks. With -fsanitize=thread a compiler calls a
 * function before each access to memory; these are the functions, in place of the
 * sanitizer's own. An access is no step. But a fiber's future depends on what it has
 * read, so the explorer has to know.
 */
#include "foreign.h"

static bool instrumented;

bool foreign_is_instrumented(void)
{
    return instrumented;
}

/* The names and their meaning are the compiler's. */
void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(void *p, size_t size);
void __tsan_write_range(void *p, size_t size);

void __tsan_init(void)
{
    instrumented = true;
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *p, size_t size)
{
    ex_plain_read(p, size);
}

void __tsan_write_range(void *p, size_t size)
{
    (void)size;
    ex_plain_write(p);
}

#define ACCESS(size)                            \
    void __tsan_read##size(void *p);            \
    void __tsan_write##size(void *p);           \
    void __tsan_unaligned_read##size(void *p);  \
    void __tsan_unaligned_write##size(void *p); \
    void __tsan_read##size(void *p)             \
    {                                           \
        ex_plain_read(p, size);                 \
    }                                           \
    void __tsan_write##size(void *p)            \
    {                                           \
        ex_plain_write(p);                      \
    }                                           \
    void __tsan_unaligned_read##size(void *p)   \
    {                                           \
        ex_plain_read(p, size);                 \
    }                                           \
    void __tsan_unaligned_write##size(void *p)  \
    {                                           \
        ex_plain_write(p);                      \
    }

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
