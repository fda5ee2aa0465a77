/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleeping, waking, and time, which passes only when all sleep. */
#include "internal.h"

enum {
    /* A run in which so many timeouts pass does not get anywhere. */
    TIMEOUTS_MAX = 100000,
};

int hz = 1000;
volatile int ticks;

static struct {
    uint64_t now;   /* ticks; atomic */
    uint64_t order; /* who slept first */
    struct shim_thread *quiet;
} s;

void shim_sleep_locked(const void *chan, const char *wmesg, int timo)
{
    struct shim_thread *t = shim_self();

    t->wchan = chan;
    t->wmesg = wmesg;
    t->deadline = timo == 0 ? 0 : s.now + (uint64_t)timo;
    t->sleep_order = s.order++;
    t->sleep_result = 0;
    shim_count(sleeps);
}

int shim_sleep_switch(void)
{
    struct shim_thread *t = shim_self();
    bool asleep;

    shim_cpu_release(t);
    for (;;) {
        host_lock();
        asleep = t->wchan != NULL;
        host_unlock();
        if (!asleep)
            break;
        host_park();
    }
    shim_cpu_acquire(t);
    return t->sleep_result;
}

static void awaken_locked(struct shim_thread *t, int result)
{
    t->wchan = NULL;
    t->sleep_result = result;
    host_unpark(t->ctx);
}

void shim_wakeup_locked(const void *chan, bool all)
{
    struct shim_thread *first;

    do {
        first = NULL;
        for (struct shim_thread *t = shim_all_threads(); t != NULL; t = t->list)
            if (t->wchan == chan &&
                (first == NULL || t->sleep_order < first->sleep_order))
                first = t;
        if (first != NULL)
            awaken_locked(first, 0);
    } while (all && first != NULL);
}

void wakeup(const void *chan)
{
    shim_point();
    host_lock();
    shim_wakeup_locked(chan, true);
    host_unlock();
}

void wakeup_one(const void *chan)
{
    shim_point();
    host_lock();
    shim_wakeup_locked(chan, false);
    host_unlock();
}

int msleep_spin(const void *chan, struct mtx *mtx, const char *wmesg, int timo)
{
    struct shim_thread *t = shim_self();
    int rc;

    must(chan != NULL && wmesg != NULL && timo >= 0);
    if (mtx->lock_object.shim_kind != LOCK_SPIN || !mtx_owned(mtx))
        panic("msleep_spin(%s) without its spin lock", wmesg);
    shim_point();
    /* Nothing happens here between the queue and the switch. */
    spinlock_enter();
    host_lock();
    shim_sleep_locked(chan, wmesg, timo);
    host_unlock();
    mtx_unlock_spin(mtx);
    t->spin--;
    t->td.td_critnest--;
    shim_may_sleep(wmesg, NULL);
    rc = shim_sleep_switch();
    mtx_lock_spin(mtx);
    return rc;
}

static void release(struct lock_object *l)
{
    if (l->shim_kind == LOCK_DEF)
        shim_mtx_unlock(__containerof(l, struct mtx, lock_object), false);
    else
        sx_xunlock(__containerof(l, struct sx, lock_object));
}

static void take_again(struct lock_object *l)
{
    if (l->shim_kind == LOCK_DEF)
        shim_mtx_lock(__containerof(l, struct mtx, lock_object), false);
    else
        sx_xlock(__containerof(l, struct sx, lock_object));
}

int shim_sleep(const void *chan, struct lock_object *lock, int pri,
               const char *wmesg, int timo)
{
    int rc;

    (void)pri;
    must(chan != NULL && wmesg != NULL && timo >= 0);
    shim_may_sleep(wmesg, lock);
    if (lock != NULL && lock->shim_kind == LOCK_SPIN)
        panic("%s: a sleep that releases a spin lock needs msleep_spin", wmesg);
    shim_point();
    critical_enter();
    host_lock();
    shim_sleep_locked(chan, wmesg, timo);
    host_unlock();
    if (lock != NULL)
        release(lock);
    shim_self()->td.td_critnest--;
    rc = shim_sleep_switch();
    if (lock != NULL)
        take_again(lock);
    return rc;
}

int shim_pause(const char *wmesg, int timo)
{
    static const char never;

    return shim_sleep(&never, NULL, 0, wmesg, timo == 0 ? 1 : timo);
}

void DELAY(int usec)
{
    (void)usec;
    shim_relax();
}

void shim_quiesce(void)
{
    static const char quiet;

    shim_may_sleep("quiescence", NULL);
    host_lock();
    must(s.quiet == NULL);
    s.quiet = shim_self();
    shim_sleep_locked(&quiet, "quiet", 0);
    host_unlock();
    (void)shim_sleep_switch();
}

static struct shim_thread *nearest_locked(void)
{
    struct shim_thread *first = NULL;

    for (struct shim_thread *t = shim_all_threads(); t != NULL; t = t->list)
        if (t->wchan != NULL && t->deadline != 0 &&
            (first == NULL || t->deadline < first->deadline))
            first = t;
    return first;
}

/* All contexts are parked. Who awaits just that goes first, then time. */
bool shim_time_passes(void)
{
    struct shim_thread *t;

    host_lock();
    t = s.quiet;
    if (t != NULL) {
        s.quiet = NULL;
        awaken_locked(t, 0);
    } else {
        t = nearest_locked();
        if (t != NULL) {
            s.now = t->deadline;
            __atomic_store_n(&ticks, (int)s.now, __ATOMIC_RELAXED);
            shim_count(timeouts);
            awaken_locked(t, EWOULDBLOCK);
        }
    }
    host_unlock();
    if (__atomic_load_n(&shim_counts.timeouts, __ATOMIC_RELAXED) > TIMEOUTS_MAX)
        shim_fail("shim: time goes by, and nothing else happens");
    return t != NULL;
}

void shim_sleep_reset(void)
{
    s.now = 1;
    s.order = 0;
    s.quiet = NULL;
    ticks = 1;
}
