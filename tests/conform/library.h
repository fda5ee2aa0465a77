/* SPDX-License-Identifier: BSD-2-Clause */
/* A function that, by the name of its file, is one of Rust's own library. */
#include <stdint.h>

#line 7 "/rustc/library/core/src/ptr/mod.rs"
__attribute__((__always_inline__)) static inline int
library_read(uintptr_t address)
{
    return *(volatile uint16_t *)address;
}
