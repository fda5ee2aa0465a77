/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel that is linked and never run: there is no C library, so it brings
 * the functions to which compilers emit calls.
 */
#include <vtdpi/vtdpi.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *one, const void *two, size_t n);
void kernel_start(void);

void *memcpy(void *to, const void *from, size_t n)
{
    return memmove(to, from, n);
}

void *memmove(void *to, const void *from, size_t n)
{
    volatile unsigned char *t = to;
    const unsigned char *f = from;

    for (size_t i = 0; i < n; i++) {
        size_t k = t > f ? n - 1 - i : i;

        t[k] = f[k];
    }
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    volatile unsigned char *t = to;

    for (size_t i = 0; i < n; i++) {
        t[i] = (unsigned char)byte;
    }
    return to;
}

int memcmp(const void *one, const void *two, size_t n)
{
    const unsigned char *a = one;
    const unsigned char *b = two;

    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

void kernel_start(void)
{
    (void)vtdpi_version();
    for (;;) {
    }
}
