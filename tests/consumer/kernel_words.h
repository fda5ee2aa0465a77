/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_KERNEL_WORDS_H
#define TESTS_KERNEL_WORDS_H

/*
 * The words that kernels define as macros before a file of theirs is read, as
 * a kernel's build does with -include. The library has to compile among them.
 * What it must not say at all is defined as a stray character, so that each
 * use of the word is an error, as an attribute, too.
 */

#ifdef VTDPI_TYPES_HEADER
#include VTDPI_TYPES_HEADER
#else
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#undef __always_inline

/* Here the meaning is the same in every kernel, so the library may use them. */
#undef true
#undef false
#undef offsetof
#define true 1
#define false 0
#define offsetof(type, name) __builtin_offsetof(type, name)
#define inline inline __attribute__((__gnu_inline__, __unused__))

/* Attributes: as Linux, Xen and the BSDs name theirs, with and without the
 * underscores before. */
#define aligned               @
#define alias                 @
#define always_inline         @
#define cold                  @
#define fallthrough           @
#define format                @
#define hot                   @
#define may_alias             @
#define minsize               @
#define noinline              @
#define noreturn              @
#define packed                @
#define printf                @
#define pure                  @
#define section               @
#define unused                @
#define visibility            @
#define warn_unused_result    @
#define weak                  @
#define __aligned(n)          @
#define __always_inline       @
#define __cold                @
#define __hot                 @
#define __init                @
#define __initdata            @
#define __iomem               @
#define __maybe_unused        @
#define __must_check          @
#define __noreturn            @
#define __packed              @
#define __percpu              @
#define __pure                @
#define __read_mostly         @
#define __section(name)       @
#define __unused              @
#define __used                @
#define __user                @
#define __weak                @
#define asmlinkage            @
#define notrace               @

/* Types. */
#define u8                    @
#define u16                   @
#define u32                   @
#define u64                   @
#define s8                    @
#define s16                   @
#define s32                   @
#define s64                   @
#define paddr_t               @
#define vaddr_t               @
#define uint                  @
#define ulong                 @

/* Arithmetic and lists; like functions, so a member may have the name. */
#define abs(a)                @
#define clamp(a, lo, hi)      @
#define max(a, b)             @
#define max_t(t, a, b)        @
#define min(a, b)             @
#define min_t(t, a, b)        @
#define round_down(a, b)      @
#define round_up(a, b)        @
#define rounddown(a, b)       @
#define roundup(a, b)         @
#define swap(a, b)            @
#define upper_32_bits(n)      @
#define lower_32_bits(n)      @
#define container_of(p, t, m) @
#define list_entry(p, t, m)   @
#define list_for_each(p, h)   @
#define ALIGN(a, b)           @
#define ARRAY_SIZE(a)         @
#define BIT(n)                @
#define BIT_ULL(n)            @
#define FIELD_GET(m, v)       @
#define FIELD_PREP(m, v)      @
#define GENMASK(hi, lo)       @
#define GENMASK_ULL(hi, lo)   @
#define LIST_ENTRY(t)         @
#define LIST_HEAD(n)          @
#define LIST_INIT(h)          @
#define MASK_EXTR(v, m)       @
#define MASK_INSR(v, m)       @
#define MAX(a, b)             @
#define MIN(a, b)             @
#define RB_BLACK              @
#define RB_ENTRY(t)           @
#define RB_HEAD(n, t)         @
#define RB_INIT(h)            @
#define RB_RED                @
#define RB_ROOT               @
#define TAILQ_HEAD(n, t)      @
#define nitems(a)             @

/* Memory, order, CPUs. */
#define PAGE_MASK             @
#define PAGE_SHIFT            @
#define PAGE_SIZE             @
#define PFN_DOWN(n)           @
#define PFN_UP(n)             @
#define READ_ONCE(x)          @
#define WRITE_ONCE(x, v)      @
#define ACCESS_ONCE(x)        @
#define cmpxchg(p, a, b)      @
#define xchg(p, v)            @
#define mb()                  @
#define rmb()                 @
#define wmb()                 @
#define smp_mb()              @
#define smp_rmb()             @
#define smp_wmb()             @
#define barrier()             @
#define cpu_relax()           @
#define cpuid(n)              @
#define curcpu                @
#define current               @
#define curthread             @
#define jiffies               @
#define likely(x)             @
#define unlikely(x)           @
#define prefetch(p)           @
#define spin_lock(l)          @
#define spin_unlock(l)        @

/* Complaints and errors. */
#define ASSERT(x)             @
#define BUG()                 @
#define BUG_ON(x)             @
#define BUILD_BUG_ON(x)       @
#define KASSERT(x, m)         @
#define MPASS(x)              @
#define WARN_ON(x)            @
#define assert(x)             @
#define panic(...)            @
#define printk(...)           @
#define unreachable()         @
#define EAGAIN                @
#define EBUSY                 @
#define EFAULT                @
#define EINVAL                @
#define EIO                   @
#define ENODEV                @
#define ENOENT                @
#define ENOMEM                @
#define ENOSPC                @
#define ENXIO                 @
#define EOPNOTSUPP            @
#define EOVERFLOW             @
#define EPERM                 @
#define ERANGE                @
#define ESRCH                 @
#define ETIMEDOUT             @

/*
 * Names of functions and of registers that some kernel has, as a macro or as
 * a declaration. Ours carry their subject.
 */
#define APIC_BASE             @
#define APIC_BASE_ENABLE      @
#define APIC_BASE_EXTD        @
#define TE                    @
#define U                     @
#define advance               @
#define bytes(x)              @
#define complete              @
#define guard(x)              @
#define page_of               @
#define resolve               @
#define linux                 @
#define unix                  @

#endif
