/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_KERNEL_TYPES_H
#define TESTS_KERNEL_TYPES_H

/*
 * The types of a kernel without any header of the C standard. KERNEL_U64 is
 * unsigned long or unsigned long long: kernels differ. There is no UINT64_C()
 * and no UINT64_MAX.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef KERNEL_U64 u64;

typedef u8 uint8_t;
typedef u16 uint16_t;
typedef u32 uint32_t;
typedef u64 uint64_t;
typedef int int32_t;
typedef unsigned long uintptr_t;
typedef unsigned long size_t;

typedef _Bool bool;
enum {
    false = 0,
    true = 1
};

#undef NULL
#define NULL                 ((void *)0)
#define offsetof(type, name) __builtin_offsetof(type, name)

#endif
