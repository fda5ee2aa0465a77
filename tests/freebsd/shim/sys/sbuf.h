/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_SYS_SBUF_H
#define SHIM_SYS_SBUF_H

#include <sys/types.h>

struct sysctl_req;

struct sbuf {
    struct sysctl_req *shim_req;
    int shim_error;
    bool shim_allocated;
};

struct sbuf *sbuf_new_for_sysctl(struct sbuf *s, char *buf, int length,
                                 struct sysctl_req *req);
int sbuf_printf(struct sbuf *s, const char *fmt, ...) __printflike(2, 3);
int sbuf_cat(struct sbuf *s, const char *str);
int sbuf_putc(struct sbuf *s, int c);
int sbuf_finish(struct sbuf *s);
void sbuf_delete(struct sbuf *s);

#endif
