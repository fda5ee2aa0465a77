/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_LOCK_H
#define SHIM_SYS_LOCK_H

#include <sys/_lock.h>

#define LA_UNLOCKED 0x00000000
#define LA_LOCKED   0x00000001
#define LA_SLOCKED  0x00000002
#define LA_XLOCKED  0x00000004

#endif
