/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_PARAM_H
#define SHIM_MACHINE_PARAM_H

#define MAXCPU           256
#define CACHE_LINE_SHIFT 6
#define CACHE_LINE_SIZE  (1 << CACHE_LINE_SHIFT)
#define PAGE_SHIFT       12
#define PAGE_SIZE        (1 << PAGE_SHIFT)
#define PAGE_MASK        (PAGE_SIZE - 1)

#define trunc_page(x)    ((unsigned long)(x) & ~(unsigned long)PAGE_MASK)
#define round_page(x) \
    (((unsigned long)(x) + PAGE_MASK) & ~(unsigned long)PAGE_MASK)
#define atop(x) ((unsigned long)(x) >> PAGE_SHIFT)
#define ptoa(x) ((unsigned long)(x) << PAGE_SHIFT)

#endif
