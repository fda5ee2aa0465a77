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
#define __cacheline_aligned   @
#define __dead2               @
#define __exit                @
#define __exported            @
#define __force               @
#define __hidden              @
#define __must_check_result   @
#define __noinline            @
#define __offsetof(...)       @
#define __predict_false(x)    @
#define __predict_true(x)     @
#define __printflike(...)     @
#define __pure2               @
#define __rcu                 @
#define __result_use_check    @
#define __ro_after_init       @
#define __unreachable()       @
#define cf_check              @
#define noinstr               @
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
#define boolean_t             @
#define caddr_t               @
#define s_time_t              @
#define u_char                @
#define u_int                 @
#define u_long                @
#define u_short               @
#define uchar                 @
#define ushort                @

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
#define DIV_ROUND_UP(...)     @
#define FALSE                 @
#define GB(n)                 @
#define IS_ALIGNED(...)       @
#define ISSET(...)            @
#define CLR(...)              @
#define SET(...)              @
#define KB(n)                 @
#define LIST_FOREACH(...)     @
#define MB(n)                 @
#define NBBY                  @
#define SLIST_ENTRY(t)        @
#define SLIST_HEAD(...)       @
#define STAILQ_ENTRY(t)       @
#define STAILQ_HEAD(...)      @
#define TAILQ_ENTRY(t)        @
#define TAILQ_FOREACH(...)    @
#define TAILQ_INIT(h)         @
#define TRUE                  @
#define _AC(...)              @
#define atop(n)               @
#define bitcount64(n)         @
#define bcmp(...)             @
#define bcopy(...)            @
#define btoc(n)               @
#define bzero(...)            @
#define clrbit(...)           @
#define ctob(n)               @
#define ffs(n)                @
#define ffsl(n)               @
#define ffsll(n)              @
#define fls(n)                @
#define flsl(n)               @
#define flsll(n)              @
#define for_each_cpu(...)     @
#define hweight64(n)          @
#define howmany(...)          @
#define ilog2(n)              @
#define isclr(...)            @
#define isset(...)            @
#define memcmp(...)           @
#define memcpy(...)           @
#define memmove(...)          @
#define memset(...)           @
#define powerof2(n)           @
#define ptoa(n)               @
#define round_page(n)         @
#define roundup2(...)         @
#define rounddown2(...)       @
#define setbit(...)           @
#define sizeof_field(...)     @
#define struct_size(...)      @
#define trunc_page(n)         @
#define __DECONST(...)        @
#define __DEVOLATILE(...)     @
#define __containerof(...)    @

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
#define CPU_CLR(...)          @
#define CPU_FOREACH(n)        @
#define CPU_ISSET(...)        @
#define CPU_SET(...)          @
#define CPU_ZERO(s)           @
#define DELAY(n)              @
#define MAXCPU                @
#define NR_CPUS               @
#define PCPU_GET(m)           @
#define PCPU_PTR(m)           @
#define PCPU_SET(...)         @
#define cond_resched()        @
#define critical_enter()      @
#define critical_exit()       @
#define curpcb                @
#define curproc               @
#define data_race(x)          @
#define hz                    @
#define irqs_disabled()       @
#define local_irq_restore(f)  @
#define local_irq_save(f)     @
#define msleep(...)           @
#define mtx_lock(m)           @
#define mtx_lock_spin(m)      @
#define mtx_unlock(m)         @
#define mtx_unlock_spin(m)    @
#define mutex_lock(m)         @
#define mutex_unlock(m)       @
#define nop()                 @
#define pause(...)            @
#define per_cpu(...)          @
#define smp_processor_id()    @
#define sx_slock(s)           @
#define sx_xlock(s)           @
#define this_cpu_read(v)      @
#define tsleep(...)           @

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
#define ASSERT_UNREACHABLE()  @
#define CTASSERT(x)           @
#define CTR0(...)             @
#define CTR1(...)             @
#define CTR2(...)             @
#define EXPORT_SYMBOL(n)      @
#define M_NOWAIT              @
#define M_WAITOK              @
#define M_ZERO                @
#define MALLOC_DECLARE(n)     @
#define MODULE_LICENSE(n)     @
#define SYSINIT(...)          @
#define WARN(...)             @
#define WARN_ONCE(...)        @
#define dprintk(...)          @
#define gprintk(...)          @
#define pr_err(...)           @
#define pr_info(...)          @
#define pr_warn(...)          @
#define EALREADY              @
#define EDOOFUS               @
#define EEXIST                @
#define EINTR                 @
#define ENOSYS                @
#define ENOTSUP               @
#define ERESTART              @

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
