/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_COMPILER_H
#define VTDPI_COMPILER_H

/**
 * @file
 * @brief Types, attributes and language differences between C11 and C++17.
 *
 * gcc and clang only. Nothing here depends on a C library. All other headers
 * and sources have their types and the host's configuration from here.
 */

/* First, since the configuration says where the types come from. */
#ifdef VTDPI_CONFIG_HEADER
#include VTDPI_CONFIG_HEADER
#endif

/* A simulation has no hardware that reads its words; config.h says more. */
#if __SIZEOF_POINTER__ != 8 && !defined(VTDPI_SIMULATION)
#error "libvtdpi needs a 64-bit host"
#endif

/* The only place where types come from; config.h documents the knob. */
#ifdef VTDPI_TYPES_HEADER
#include VTDPI_TYPES_HEADER
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

/* Constants that few kernels have; not the library's, so no part of the
 * reference. */
/** @cond */
#ifndef UINT32_C
#define UINT32_C(n) n##U
#endif
#ifndef UINT64_C
#define UINT64_C(n) n##ULL
#endif
#ifndef UINT32_MAX
#define UINT32_MAX UINT32_C(0xffffffff)
#endif
#ifndef UINT64_MAX
#define UINT64_MAX UINT64_C(0xffffffffffffffff)
#endif
/** @endcond */

#ifdef __cplusplus
#define VTDPI_BEGIN_DECLS               extern "C" {
#define VTDPI_END_DECLS                 }
#define VTDPI_STATIC_ASSERT(expr, text) static_assert(expr, text)
#define VTDPI_ALIGNAS(n)                alignas(n)
#define VTDPI_CAST_(type, value)        static_cast<type>(value)
#define VTDPI_ADDRESS_(p)               reinterpret_cast<uintptr_t>(p)
#define VTDPI_NULL_                     nullptr
#else
/** Opens a block of declarations with C linkage. */
#define VTDPI_BEGIN_DECLS
/** Closes the block opened by VTDPI_BEGIN_DECLS. */
#define VTDPI_END_DECLS
/** Compile-time check with a reason. */
#define VTDPI_STATIC_ASSERT(expr, text) _Static_assert(expr, text)
/** Minimum alignment of a member or object, in bytes. */
#define VTDPI_ALIGNAS(n)                _Alignas(n)
/* What C++ kernels forbid in the form that C has. */
#define VTDPI_CAST_(type, value)        ((type)(value))
#define VTDPI_ADDRESS_(p)               ((uintptr_t)(p))
#define VTDPI_NULL_                     NULL
#endif

/**
 * Linkage of the functions that headers define. `static inline` for users.
 *
 * src/inline.c defines the macro to VTDPI_API before it includes the headers,
 * so that the library has a symbol for each of these functions. A generator of
 * bindings for another language does the same, for it leaves static functions
 * out: it reads the headers with -DVTDPI_INLINE=VTDPI_API and declares all
 * functions. Only src/inline.c compiles code with this definition.
 */
#ifndef VTDPI_INLINE
#define VTDPI_INLINE static inline __attribute__((__unused__))
#endif

/** Marks a function as part of the library's interface. */
#define VTDPI_API        __attribute__((__visibility__("default")))

/** The caller must look at the returned code. */
#define VTDPI_MUST_CHECK __attribute__((__warn_unused_result__))

/* config.h documents the knob. */
/** @cond */
#ifdef VTDPI_COLD_SECTION
#define VTDPI_COLD_PLACE_ , __section__(VTDPI_COLD_SECTION)
#else
#define VTDPI_COLD_PLACE_
#endif
/** @endcond */

/** Off every hot path (set-up, tables, reports): compiled for size. gcc does
 *  that for whatever is cold; clang has to be told. */
#ifdef __clang__
#define VTDPI_COLD __attribute__((__cold__, __minsize__ VTDPI_COLD_PLACE_))
#else
#define VTDPI_COLD __attribute__((__cold__ VTDPI_COLD_PLACE_))
#endif

/** Keeps a large stack frame apart from that of the caller. */
#define VTDPI_NOINLINE       __attribute__((__noinline__))

/** Fetches the line that @p p is in; reads nothing, and no order holds. */
#define VTDPI_PREFETCH(p)    __builtin_prefetch(p)

/* Branch hints, for the few places where a benchmark asked for one. */

/** Says that @p expr is mostly true. */
#define VTDPI_LIKELY(expr)   __builtin_expect(!!(expr), 1)
/** Says that @p expr is mostly false. */
#define VTDPI_UNLIKELY(expr) __builtin_expect(!!(expr), 0)

VTDPI_STATIC_ASSERT(sizeof(unsigned long long) == 8, "ctz/popcount width");
VTDPI_STATIC_ASSERT(sizeof(uint8_t) == 1 && sizeof(uint16_t) == 2 &&
                        sizeof(uint32_t) == 4 && sizeof(uint64_t) == 8 &&
                        sizeof(uintptr_t) == sizeof(void *),
                    "the widths of VTDPI_TYPES_HEADER are wrong");

#endif
