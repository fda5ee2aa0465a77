/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_SYSTM_H
#define SHIM_SYS_SYSTM_H

#include <sys/types.h>
#include <sys/kassert.h>
#include <machine/atomic.h>
#include <machine/cpufunc.h>

struct mtx;
struct lock_object;

extern int bootverbose;
extern int cold;

int printf(const char *fmt, ...) __printflike(1, 2);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printflike(3, 4);

void *memcpy(void *to, const void *from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *p, int c, size_t len);
int memcmp(const void *a, const void *b, size_t len);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strstr(const char *s, const char *find);
size_t strlen(const char *s);
int ffsll(long long value);
size_t strlcpy(char *to, const char *from, size_t size);
#define bzero(p, len)        ((void)memset((p), 0, (len)))
#define bcopy(from, to, len) ((void)memmove((to), (from), (len)))

void critical_enter(void);
void critical_exit(void);
void spinlock_enter(void);
void spinlock_exit(void);

/* Sleeping; timo is in ticks, 0 is for ever. */
int msleep_spin(const void *chan, struct mtx *mtx, const char *wmesg, int timo);
int shim_sleep(const void *chan, struct lock_object *lock, int pri,
               const char *wmesg, int timo);
#define tsleep(chan, pri, wmesg, timo) \
    shim_sleep((chan), NULL, (pri), (wmesg), (timo))
int shim_pause(const char *wmesg, int timo);
#define pause(wmesg, timo) shim_pause((wmesg), (timo))
void wakeup(const void *chan);
void wakeup_one(const void *chan);

void DELAY(int usec);

#endif
