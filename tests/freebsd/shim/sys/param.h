/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_PARAM_H
#define SHIM_SYS_PARAM_H

/* The release whose interfaces the shim has. */
#ifdef SHIM_FREEBSD_VERSION
#define __FreeBSD_version SHIM_FREEBSD_VERSION
#else
#define __FreeBSD_version 1400097
#endif

#include <sys/types.h>
#include <sys/errno.h>
#include <machine/param.h>

#define NBBY             8
#define nitems(x)        (sizeof((x)) / sizeof((x)[0]))
#define howmany(x, y)    (((x) + ((y)-1)) / (y))
#define rounddown(x, y)  (((x) / (y)) * (y))
#define rounddown2(x, y) ((x) & ~((y)-1))
#define roundup(x, y)    ((((x) + ((y)-1)) / (y)) * (y))
#define roundup2(x, y)   (((x) + ((y)-1)) & ~((y)-1))
#define powerof2(x)      ((((x)-1) & (x)) == 0)
#define MIN(a, b)        (((a) < (b)) ? (a) : (b))
#define MAX(a, b)        (((a) > (b)) ? (a) : (b))

#endif
