/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_SYSCTL_H
#define SHIM_SYS_SYSCTL_H

#include <sys/types.h>
#include <sys/kernel.h>

struct sysctl_oid;
struct sysctl_req;

#define CTLTYPE         0xf
#define CTLTYPE_NODE    1
#define CTLTYPE_INT     2
#define CTLTYPE_STRING  3
#define CTLTYPE_U64     9
#define CTLTYPE_UINT    6

#define CTLFLAG_RD      0x80000000u
#define CTLFLAG_WR      0x40000000u
#define CTLFLAG_RW      (CTLFLAG_RD | CTLFLAG_WR)
#define CTLFLAG_TUN     0x00080000u
#define CTLFLAG_RDTUN   (CTLFLAG_RD | CTLFLAG_TUN)
#define CTLFLAG_RWTUN   (CTLFLAG_RW | CTLFLAG_TUN)
#define CTLFLAG_NOFETCH 0x00020000u
#define CTLFLAG_MPSAFE  0x00040000u
#define CTLFLAG_STATS   0x00002000u
#define OID_AUTO        (-1)

#define SYSCTL_HANDLER_ARGS \
    struct sysctl_oid *oidp, void *arg1, intmax_t arg2, struct sysctl_req *req

typedef int sysctl_handler_t(SYSCTL_HANDLER_ARGS);

struct sysctl_oid {
    const char *oid_parent; /* the node's identifier, as "_hw_vmm" */
    const char *oid_name;
    u_int oid_kind;
    void *oid_arg1;
    intmax_t oid_arg2;
    sysctl_handler_t *oid_handler;
};

struct sysctl_req {
    void *oldptr;
    size_t oldlen;
    size_t oldidx;
    const void *newptr;
    size_t newlen;
};

int sysctl_handle_int(SYSCTL_HANDLER_ARGS);
int sysctl_handle_64(SYSCTL_HANDLER_ARGS);
int sysctl_handle_string(SYSCTL_HANDLER_ARGS);
int sysctl_handle_counter_u64(SYSCTL_HANDLER_ARGS);
int sysctl_wire_old_buffer(struct sysctl_req *req, size_t len);

#define SYSCTL_OUT(r, p, l) shim_sysctl_out((r), (p), (l))
int shim_sysctl_out(struct sysctl_req *req, const void *p, size_t len);

#define SYSCTL_DECL(name) extern struct sysctl_oid sysctl_node_##name

/* All of them, by the linker. A node may be made static in front. */
#define SHIM_OID(parent, name, kind, a1, a2, handler)                     \
    struct sysctl_oid sysctl_node_##parent##_##name = {                   \
        #parent, #name, (kind), (a1), (a2), (handler)};                   \
    static struct sysctl_oid *const shim_oid_ptr_##parent##_##name __used \
        __section("shim_sysctl") = &sysctl_node_##parent##_##name

#define SYSCTL_NODE(parent, nbr, name, access, handler, descr) \
    SHIM_OID(parent, name, CTLTYPE_NODE | (u_int)(access), NULL, 0, (handler))
#define SYSCTL_INT(parent, nbr, name, access, ptr, val, descr)                 \
    static SHIM_OID(parent, name, CTLTYPE_INT | (u_int)(access), (ptr), (val), \
                    sysctl_handle_int)
#define SYSCTL_UINT(parent, nbr, name, access, ptr, val, descr)          \
    static SHIM_OID(parent, name, CTLTYPE_UINT | (u_int)(access), (ptr), \
                    (val), sysctl_handle_int)
#define SYSCTL_U64(parent, nbr, name, access, ptr, val, descr)                 \
    static SHIM_OID(parent, name, CTLTYPE_U64 | (u_int)(access), (ptr), (val), \
                    sysctl_handle_64)
#define SYSCTL_COUNTER_U64(parent, nbr, name, access, ptr, descr)          \
    static SHIM_OID(parent, name, CTLTYPE_U64 | (u_int)(access), (ptr), 0, \
                    sysctl_handle_counter_u64)
#define SYSCTL_STRING(parent, nbr, name, access, arg, len, descr)          \
    static SHIM_OID(parent, name, CTLTYPE_STRING | (u_int)(access), (arg), \
                    (len), sysctl_handle_string)
#define SYSCTL_PROC(parent, nbr, name, access, ptr, arg, handler, fmt, descr) \
    static SHIM_OID(parent, name, (u_int)(access), (ptr), (arg), (handler))

SYSCTL_DECL(_hw);
SYSCTL_DECL(_hw_vmm);

#endif
