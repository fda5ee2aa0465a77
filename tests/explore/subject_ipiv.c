/* SPDX-License-Identifier: BSD-2-Clause */
/* The code under test of the IPIs. */
#include "ipiv.c"
