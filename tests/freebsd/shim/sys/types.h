/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_TYPES_H
#define SHIM_SYS_TYPES_H

#include <sys/cdefs.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long u_long;
typedef uint8_t u_int8_t;
typedef uint16_t u_int16_t;
typedef uint32_t u_int32_t;
typedef uint64_t u_int64_t;
typedef int64_t ssize_t;
typedef char *caddr_t;
typedef int64_t sbintime_t;
typedef int64_t register_t;

typedef uint64_t vm_paddr_t;
typedef uint64_t vm_offset_t;
typedef uint64_t vm_size_t;
typedef uint64_t vm_ooffset_t;
typedef int boolean_t;

typedef uint64_t bus_addr_t;
typedef uint64_t bus_size_t;

typedef struct device *device_t;

#endif
