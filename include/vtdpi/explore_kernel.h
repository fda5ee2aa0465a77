/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_KERNEL_H
#define VTDPI_EXPLORE_KERNEL_H

/**
 * @file
 * @brief The names by which kernels call atomics, locks, lists and per-CPU variables,
 *        for hooks that are explored by explore.h. GNU C.
 *
 * Include this in place of the kernel's own headers. Names that both Linux and Xen have
 * mean the same here; where they differ there are both. What is not here and is needed
 * is a macro of a line over the functions of explore.h.
 */

#include "vtdpi/explore.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/** @name For the compiler */
/**@{*/
#define __aligned(n) __attribute__((__aligned__(n)))
#define __packed     __attribute__((__packed__))
#define likely(x)    (x)
#define unlikely(x)  (x)
/* Sections of the image. */
#define __init
#define __read_mostly
#define __ro_after_init
#define cf_check
/**@}*/

/** @name Loads, stores and barriers */
/**@{*/
/* The value with the type of @p x, without its qualifiers. */
#define VTDPI_EXPLORE_TYPED_(x, value) ((__typeof__((x) + 0))(uintptr_t)(value))

#define READ_ONCE(x) \
    VTDPI_EXPLORE_TYPED_(x, vtdpi_explore_load(&(x), sizeof(x)))
#define WRITE_ONCE(x, value) \
    vtdpi_explore_store(&(x), (uintptr_t)(value), sizeof(x))
#define ACCESS_ONCE(x)              READ_ONCE(x)
#define read_atomic(p)              READ_ONCE(*(p))
#define write_atomic(p, value)      WRITE_ONCE(*(p), value)
#define smp_load_acquire(p)         READ_ONCE(*(p))
#define smp_store_release(p, value) WRITE_ONCE(*(p), value)
#define smp_store_mb(x, value)      ((void)xchg(&(x), value))

/* Loads are in order, and stores are: see docs/foreign-hooks.md. */
/* A compiler moves no access across a call of explore.h. */
#define barrier()                   ((void)0)
#define smp_rmb()                   barrier()
#define smp_wmb()                   barrier()
#define smp_mb()                    vtdpi_explore_fence()
#define mb()                        vtdpi_explore_fence()
/* A locked operation is a full barrier. */
#define smp_mb__before_atomic()     barrier()
#define smp_mb__after_atomic()      barrier()
/* A loop that waits needs it. */
#define cpu_relax()                 vtdpi_explore_pause()
/**@}*/

/** @name Read-modify-writes */
/**@{*/
#define xchg(p, value)    \
    VTDPI_EXPLORE_TYPED_( \
        *(p), vtdpi_explore_change(p, 0, (uintptr_t)(value), sizeof *(p)))
#define cmpxchg(p, old, value)                                  \
    VTDPI_EXPLORE_TYPED_(*(p),                                  \
                         vtdpi_explore_cas(p, (uintptr_t)(old), \
                                           (uintptr_t)(value), sizeof *(p)))
#define cmpxchg64(p, old, value) cmpxchg(p, old, value)

/* True if the word was *@p old, which becomes what the word was. */
#define try_cmpxchg(p, old, value)                                   \
    __extension__({                                                  \
        __typeof__(old) const vtdpi_old_ = (old);                    \
        const __typeof__(*vtdpi_old_) vtdpi_expected_ = *vtdpi_old_; \
        *vtdpi_old_ = cmpxchg(p, vtdpi_expected_, value);            \
        *vtdpi_old_ == vtdpi_expected_;                              \
    })
#define try_cmpxchg64(p, old, value) try_cmpxchg(p, old, value)

/* Bits of an array of words of 64 bits. */
#define DECLARE_BITMAP(name, bits)   unsigned long name[((bits) + 63) / 64]
#define VTDPI_EXPLORE_WORD_(nr, p)   ((uint64_t *)(void *)(p) + (nr) / 64)
#define VTDPI_EXPLORE_BIT_(nr)       (UINT64_C(1) << (nr) % 64)

#define test_bit(nr, p)                                   \
    ((vtdpi_explore_load(VTDPI_EXPLORE_WORD_(nr, p), 8) & \
      VTDPI_EXPLORE_BIT_(nr)) != 0)
#define test_and_set_bit(nr, p)                                    \
    ((vtdpi_explore_change(VTDPI_EXPLORE_WORD_(nr, p), UINT64_MAX, \
                           VTDPI_EXPLORE_BIT_(nr), 8) &            \
      VTDPI_EXPLORE_BIT_(nr)) != 0)
#define test_and_clear_bit(nr, p)                           \
    ((vtdpi_explore_change(VTDPI_EXPLORE_WORD_(nr, p),      \
                           ~VTDPI_EXPLORE_BIT_(nr), 0, 8) & \
      VTDPI_EXPLORE_BIT_(nr)) != 0)
#define set_bit(nr, p)   ((void)test_and_set_bit(nr, p))
#define clear_bit(nr, p) ((void)test_and_clear_bit(nr, p))

/** A load for each word, up to the first that is not 0. */
static inline bool bitmap_empty(const void *p, unsigned int bits)
{
    const uint64_t *const word = (const uint64_t *)p;

    for (unsigned int i = 0; i < bits; i += 64) {
        const uint64_t rest =
            bits - i < 64 ? (UINT64_C(1) << (bits - i)) - 1 : UINT64_MAX;

        if ((READ_ONCE(word[i / 64]) & rest) != 0)
            return false;
    }
    return true;
}

typedef struct {
    int counter;
} atomic_t;

#define atomic_read(v)   READ_ONCE((v)->counter)
#define atomic_set(v, i) WRITE_ONCE((v)->counter, i)
#define atomic_add_return(i, v)                           \
    ((int)vtdpi_explore_add(&(v)->counter, (uint32_t)(i), \
                            sizeof(v)->counter) +         \
     (i))
#define atomic_inc(v) ((void)atomic_add_return(1, v))
#define atomic_dec(v) ((void)atomic_add_return(-1, v))
/**@}*/

/** @name Spin locks and interrupts */
/**@{*/
typedef struct {
    uint64_t holder;
} spinlock_t;

typedef spinlock_t raw_spinlock_t;

#define spin_lock_init(l)           ((void)((l)->holder = 0))
#define spin_lock(l)                vtdpi_explore_lock(&(l)->holder)
#define spin_trylock(l)             vtdpi_explore_trylock(&(l)->holder)
#define spin_unlock(l)              vtdpi_explore_unlock(&(l)->holder)
#define local_irq_save(flags)       ((void)((flags) = vtdpi_explore_irq_save()))
#define local_irq_restore(flags)    vtdpi_explore_irq_restore((flags) != 0)
#define local_irq_disable()         ((void)vtdpi_explore_irq_save())
#define local_irq_enable()          vtdpi_explore_irq_restore(true)
#define spin_lock_irqsave(l, flags) (local_irq_save(flags), spin_lock(l))
#define spin_unlock_irqrestore(l, flags) \
    (spin_unlock(l), local_irq_restore(flags))
#define spin_lock_irq(l)                     (local_irq_disable(), spin_lock(l))
#define spin_unlock_irq(l)                   (spin_unlock(l), local_irq_enable())

#define spin_lock_nested(l, subclass)        spin_lock(l)

#define raw_spin_lock_init(l)                spin_lock_init(l)
#define raw_spin_lock(l)                     spin_lock(l)
#define raw_spin_unlock(l)                   spin_unlock(l)
#define raw_spin_lock_nested(l, subclass)    spin_lock(l)
#define raw_spin_lock_irqsave(l, flags)      spin_lock_irqsave(l, flags)
#define raw_spin_unlock_irqrestore(l, flags) spin_unlock_irqrestore(l, flags)
#define raw_spin_lock_irq(l)                 spin_lock_irq(l)
#define raw_spin_unlock_irq(l)               spin_unlock_irq(l)

/** On VTDPI_EXPLORE_ELSEWHERE, which takes no interrupt, they count as on. */
static inline bool local_irq_is_enabled(void)
{
    const bool on = vtdpi_explore_irq_save();

    vtdpi_explore_irq_restore(on);
    return on || vtdpi_explore_cpu() == VTDPI_EXPLORE_ELSEWHERE;
}

#define irqs_disabled()            (!local_irq_is_enabled())
/**@}*/

/** @name Per-CPU variables: name them in vtdpi_explore_subject.memory */
/**@{*/
#define DEFINE_PER_CPU(type, name) __typeof__(type) name[VTDPI_EXPLORE_CPUS + 1]
#define per_cpu(name, cpu)         ((name)[cpu])
#define per_cpu_ptr(p, cpu)        (&(*(p))[cpu])
#define this_cpu(name)             ((name)[vtdpi_explore_cpu()])
#define this_cpu_ptr(p)            per_cpu_ptr(p, vtdpi_explore_cpu())
#define smp_processor_id()         vtdpi_explore_cpu()
/**@}*/

/** @name Assertions: a schedule on which one does not hold has failed */
/**@{*/
#define VTDPI_EXPLORE_STRING_(x)   #x

/* Whether there is something to warn of. */
static inline bool vtdpi_explore_warn_(const char *what)
{
    if (what != NULL)
        vtdpi_explore_fail(what);
    return what != NULL;
}

#define BUG_ON(x)              ((void)WARN_ON(x))
#define WARN_ON(x)             vtdpi_explore_warn_((x) ? VTDPI_EXPLORE_STRING_(x) : NULL)
#define WARN_ON_ONCE(x)        WARN_ON(x)
#define WARN(x, ...)           WARN_ON(x)
#define WARN_ONCE(x, ...)      WARN_ON(x)
#define ASSERT(x)              BUG_ON(!(x))
#define lockdep_assert_held(l) BUG_ON((l)->holder == 0)
/**@}*/

/** @name Lists: a change has two steps, so a lock has to guard it */
/**@{*/
struct list_head {
    struct list_head *next, *prev;
};

#define container_of(p, type, member) \
    ((type *)(void *)((char *)(p)-offsetof(type, member)))
#define list_entry(p, type, member) container_of(p, type, member)

static inline void INIT_LIST_HEAD(struct list_head *l)
{
    l->next = l;
    l->prev = l;
}

static inline void list_add_between_(struct list_head *n,
                                     struct list_head *prev,
                                     struct list_head *next)
{
    next->prev = n;
    n->next = next;
    n->prev = prev;
    WRITE_ONCE(prev->next, n);
}

static inline void list_add(struct list_head *n, struct list_head *head)
{
    list_add_between_(n, head, head->next);
}

static inline void list_add_tail(struct list_head *n, struct list_head *head)
{
    list_add_between_(n, head->prev, head);
}

/** A second removal, or one of an entry that is in no list, fails. */
static inline void list_del(struct list_head *n)
{
    if (n->next == NULL || n->next->prev != n || n->prev->next != n) {
        vtdpi_explore_fail(
            "an entry is removed that is in no list, or whose list "
            "changes without a lock");
        return;
    }
    n->next->prev = n->prev;
    WRITE_ONCE(n->prev->next, n->next);
    n->next = NULL;
    n->prev = NULL;
}

static inline void list_del_init(struct list_head *n)
{
    list_del(n);
    INIT_LIST_HEAD(n);
}

static inline void list_move(struct list_head *n, struct list_head *head)
{
    list_del(n);
    list_add(n, head);
}

static inline void list_move_tail(struct list_head *n, struct list_head *head)
{
    list_del(n);
    list_add_tail(n, head);
}

static inline bool list_empty(const struct list_head *head)
{
    return READ_ONCE(head->next) == head;
}

#define list_first_entry(head, type, member) \
    list_entry((head)->next, type, member)

#define list_for_each_entry(e, head, member)                       \
    for ((e) = list_entry((head)->next, __typeof__(*(e)), member); \
         &(e)->member != (head);                                   \
         (e) = list_entry((e)->member.next, __typeof__(*(e)), member))

#define list_for_each_entry_safe(e, n, head, member)                  \
    for ((e) = list_entry((head)->next, __typeof__(*(e)), member),    \
        (n) = list_entry((e)->member.next, __typeof__(*(e)), member); \
         &(e)->member != (head); (e) = (n),                           \
        (n) = list_entry((n)->member.next, __typeof__(*(n)), member))
/**@}*/

#endif
