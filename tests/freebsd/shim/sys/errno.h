/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_ERRNO_H
#define SHIM_SYS_ERRNO_H

/* The values of FreeBSD, which are not those of every host. */
#define EPERM       1
#define ENOENT      2
#define EINTR       4
#define EIO         5
#define ENXIO       6
#define EDEADLK     11
#define ENOMEM      12
#define EFAULT      14
#define EBUSY       16
#define EEXIST      17
#define ENODEV      19
#define EINVAL      22
#define ENOSPC      28
#define ERANGE      34
#define EAGAIN      35
#define EWOULDBLOCK EAGAIN
#define ENOTSUP     45
#define EOPNOTSUPP  ENOTSUP
#define ETIMEDOUT   60
#define EDOOFUS     88
#define EINTEGRITY  97
#define ERESTART    (-1)

#endif
