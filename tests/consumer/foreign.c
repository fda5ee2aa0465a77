/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program in another language does: it has declarations of its own, as a
 * generator of bindings writes them, and calls inline functions of the headers
 * as symbols of the library. No header of the library is included.
 */

struct vtdpi_pid {
    _Alignas(64) unsigned char bytes[64];
};

extern void vtdpi_pid_init(struct vtdpi_pid *pid, unsigned char nv,
                           unsigned int ndst);
extern _Bool vtdpi_pid_record(struct vtdpi_pid *pid, unsigned char vector);
extern _Bool vtdpi_pid_pending(const struct vtdpi_pid *pid);

int main(void)
{
    struct vtdpi_pid pid;

    vtdpi_pid_init(&pid, 0xf2, 0);
    if (vtdpi_pid_pending(&pid))
        return 1;
    (void)vtdpi_pid_record(&pid, 0x41);
    return vtdpi_pid_pending(&pid) ? 0 : 2;
}
