/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qi.h with real threads: submitters of all habits on one queue, while errors
 * are injected. Everybody gets an answer, and only answers that can be.
 */
#include <pthread.h>

#include "unit_rig.h"

#define THREADS 4
#define ROUNDS  1500u

struct submitter {
    pthread_t thread;
    uint32_t seed;
    uint32_t done;
    uint32_t refused; /* VTDPI_EIQE */
    uint32_t given_up;
    uint32_t wrong; /* any other code */
};

static struct submitter submitters[THREADS];

static uint32_t draw(struct submitter *s)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return s->seed >> 16;
}

static void count(struct submitter *s, int rc)
{
    s->done += rc == 0;
    s->refused += rc == VTDPI_EIQE;
    s->given_up += rc == VTDPI_ETIMEDOUT;
    s->wrong += rc != 0 && rc != VTDPI_EIQE && rc != VTDPI_ETIMEDOUT;
}

/* Waits, or polls, or gives up after some polls. */
static int finish(struct submitter *s, struct vtdpi_qi_ticket *t)
{
    const uint32_t habit = draw(s) % 8;
    int rc = VTDPI_EBUSY;

    if (habit < 4)
        return vtdpi_qi_wait(&rig.qi, t, 0);
    for (uint32_t i = 0; rc == VTDPI_EBUSY && (habit < 7 || i < 5); i++)
        rc = vtdpi_qi_poll(&rig.qi, t);
    return rc != VTDPI_EBUSY ? rc : vtdpi_qi_give_up(&rig.qi, t);
}

static const enum vtdpi_model_fault faults[] = {
    VTDPI_MODEL_FAULT_IQE,
    VTDPI_MODEL_FAULT_ITE,
    VTDPI_MODEL_FAULT_ITE_UNFETCHED,
    VTDPI_MODEL_FAULT_ICE,
};

static void *submit_all(void *arg)
{
    struct submitter *s = arg;

    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct vtdpi_qi_desc d[3];
        struct vtdpi_qi_ticket t;
        const uint32_t n = draw(s) % 4;
        int rc = 0;

        for (uint32_t k = 0; k < n; k++)
            rc |= vtdpi_qi_encode_iec(&d[k], (uint16_t)draw(s), 0);
        if (draw(s) % 16 == 0)
            vtdpi_model_set_fault(&rig.m, faults[draw(s) % 4], 0);
        rc |= vtdpi_qi_submit(&rig.qi, d, n, &t);
        if (rc == 0)
            rc = finish(s, &t);
        count(s, rc);
        /* The ticket's memory is somebody else's from here. */
        memset(&t, 0xa5, sizeof(t));
    }
    return NULL;
}

static void test_qi_submit_many_threads_each_gets_its_answer(void **state)
{
    struct vtdpi_qi_params params = rig_qi_params();
    struct vtdpi_qi_stats stats;
    struct submitter sum = {0};

    (void)state;
    rig_power_up(CAP, ECAP);
    rig.params.concurrent = true;
    assert_int_equal(vtdpi_model_init(&rig.m, &rig.params), 0);
    /* The rig writes down accesses for one thread only. */
    rig.ops = vtdpi_model_platform_ops;
    vtdpi_model_set_fault(&rig.m, VTDPI_MODEL_FAULT_STATUS_LATE, 40);
    rig_open_queue(&params);
    for (uint32_t i = 0; i < THREADS; i++) {
        submitters[i].seed = i + 1;
        assert_int_equal(pthread_create(&submitters[i].thread, NULL, submit_all,
                                        &submitters[i]),
                         0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(submitters[i].thread, NULL), 0);
        sum.done += submitters[i].done;
        sum.refused += submitters[i].refused;
        sum.given_up += submitters[i].given_up;
        sum.wrong += submitters[i].wrong;
    }
    for (uint32_t i = 0; i < 4; i++)
        vtdpi_model_clear_fault(&rig.m, faults[i]);
    vtdpi_qi_report(&rig.qi, &stats, NULL);
    print_message("# %u done, %u refused, %u given up; IQE %u, ITE %u, ICE %u, "
                  "%u resubmitted\n",
                  sum.done, sum.refused, sum.given_up, (unsigned int)stats.iqe,
                  (unsigned int)stats.ite, (unsigned int)stats.ice,
                  (unsigned int)stats.resubmitted);
    assert_int_equal(sum.wrong, 0);
    assert_int_equal(sum.done + sum.refused + sum.given_up, THREADS * ROUNDS);
    assert_int_equal(stats.submissions, THREADS * ROUNDS);
    assert_true(sum.refused <= stats.iqe);
    assert_true(stats.iqe > 0 && stats.ite > 0 && stats.resubmitted > 0);
    assert_int_equal(vtdpi_qi_close(&rig.qi, 0), 0);
    rig_assert_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_qi_submit_many_threads_each_gets_its_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
