/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_MALLOC_H
#define SHIM_SYS_MALLOC_H

#include <sys/types.h>

#define M_NOWAIT 0x0001
#define M_WAITOK 0x0002
#define M_ZERO   0x0100

struct malloc_type {
    const char *ks_shortdesc;
    struct malloc_type *shim_next; /* once used */
    uint64_t shim_blocks;          /* in use */
    bool shim_known;
};

#define MALLOC_DEFINE(type, shortdesc, longdesc) \
    struct malloc_type type[1] = {{(shortdesc), NULL, 0, false}}
#define MALLOC_DECLARE(type) extern struct malloc_type type[1]

MALLOC_DECLARE(M_DEVBUF);
MALLOC_DECLARE(M_TEMP);

void *shim_malloc(size_t size, size_t align, struct malloc_type *type,
                  int flags);
void shim_free(void *addr, struct malloc_type *type);

/* Not the names of the C library, which this is linked with. */
#define malloc(size, type, flags) shim_malloc((size), 0, (type), (flags))
#define malloc_aligned(size, align, type, flags) \
    shim_malloc((size), (align), (type), (flags))
#define free(addr, type)  shim_free((addr), (type))
#define zfree(addr, type) shim_free((addr), (type))

void *mallocarray(size_t nmemb, size_t size, struct malloc_type *type,
                  int flags);
void *contigmalloc(unsigned long size, struct malloc_type *type, int flags,
                   vm_paddr_t low, vm_paddr_t high, unsigned long alignment,
                   vm_paddr_t boundary);
void contigfree(void *addr, unsigned long size, struct malloc_type *type);

#endif
