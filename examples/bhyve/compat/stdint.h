/* SPDX-License-Identifier: BSD-2-Clause */

/* A kernel has no <stdint.h>; what the library needs of it is here. */

#include <sys/types.h>
#include <sys/stdint.h>
