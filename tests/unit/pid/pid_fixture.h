/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_PID_FIXTURE_H
#define VTDPI_TEST_PID_FIXTURE_H

/*
 * What the tests of pid.h share; included after cmocka.h. Expected words are
 * literals, worked out from the descriptor's layout, and use no mask or shift
 * of the library.
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vtdpi/pid.h"

#define ANV         0xf2
#define WNV         0xf1

/* A descriptor in use: NV = ANV, NDST = xAPIC id 12h, ON = SN = 0. */
#define RUNNING     UINT64_C(0x0000120000f20000)
#define RUNNING_ON  UINT64_C(0x0000120000f20001)
#define RUNNING_SN  UINT64_C(0x0000120000f20002)
#define RUNNING_ALL UINT64_C(0x0000120000f20003)

static inline struct vtdpi_pid pid_with(uint64_t control)
{
    struct vtdpi_pid pid;

    memset(&pid, 0, sizeof(pid));
    pid.control = control;
    return pid;
}

static inline void assert_pir(const struct vtdpi_pid *pid, uint64_t w0,
                              uint64_t w1, uint64_t w2, uint64_t w3)
{
    assert_int_equal(pid->pir[0], w0);
    assert_int_equal(pid->pir[1], w1);
    assert_int_equal(pid->pir[2], w2);
    assert_int_equal(pid->pir[3], w3);
}

/* Of a descriptor that is RUNNING, whatever its ON and SN. */
static inline void assert_post(struct vtdpi_notification n,
                               enum vtdpi_post_result result)
{
    assert_int_equal(n.result, result);
    assert_int_equal(n.nv, ANV);
    assert_int_equal(n.ndst, 0x1200);
}

/*
 * A descriptor in memory that cannot be written: a function that is to leave
 * a descriptor alone faults if it so much as executes a compare-and-swap.
 */
static inline struct vtdpi_pid *read_only_pid(const struct vtdpi_pid *content)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *mem = mmap(NULL, page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(mem != MAP_FAILED);
    memcpy(mem, content, sizeof(*content));
    assert_int_equal(mprotect(mem, page, PROT_READ), 0);
    return (struct vtdpi_pid *)mem;
}

static inline void free_read_only_pid(struct vtdpi_pid *pid)
{
    assert_int_equal(munmap(pid, (size_t)sysconf(_SC_PAGESIZE)), 0);
}

#endif
