/* SPDX-License-Identifier: BSD-2-Clause */
/* pid.h between two of its accesses to memory: what another CPU does there counts. */
#include "atomic_hook.h"
#include "test.h"

#include "vtdpi/pid.h"

enum {
    VECTOR = 0x41, /* in word 1 */
    OTHER = 0x42,
};

/* Before the exchange of word 1. */
static void take_beside(void *ctx, enum hook_kind kind, const void *address)
{
    struct vtdpi_pid *const pid = ctx;

    if (kind == HOOK_RMW && address == &pid->pir[1])
        pid->pir[1] = 0;
}

static void post_beside(void *ctx, enum hook_kind kind, const void *address)
{
    struct vtdpi_pid *const pid = ctx;

    if (kind == HOOK_RMW && address == &pid->pir[1])
        pid->pir[1] |= UINT64_C(1) << (OTHER - 64);
}

static bool take(struct vtdpi_pid *pid,
                 void (*beside)(void *, enum hook_kind, const void *),
                 uint64_t out[VTDPI_PIR_WORDS])
{
    bool any;

    hook_reset();
    hook.before = beside;
    hook.ctx = pid;
    any = vtdpi_pid_take(pid, out);
    hook.before = NULL;
    return any;
}

static void test_take_of_what_another_cpu_took_is_nothing(void **state)
{
    struct vtdpi_pid pid;
    uint64_t out[VTDPI_PIR_WORDS];

    (void)state;
    vtdpi_pid_init(&pid, 0xf2, 3);
    (void)vtdpi_pid_record(&pid, VECTOR);
    assert_false(take(&pid, take_beside, out));
    assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
}

static void test_take_has_what_came_after_its_look(void **state)
{
    struct vtdpi_pid pid;
    uint64_t out[VTDPI_PIR_WORDS];

    (void)state;
    vtdpi_pid_init(&pid, 0xf2, 3);
    (void)vtdpi_pid_record(&pid, VECTOR);
    assert_true(take(&pid, post_beside, out));
    assert_int_equal(out[1], 6);
    assert_false(vtdpi_pid_pir_pending(&pid));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_of_what_another_cpu_took_is_nothing),
        cmocka_unit_test(test_take_has_what_came_after_its_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
