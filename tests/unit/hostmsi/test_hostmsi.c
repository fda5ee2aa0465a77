/* SPDX-License-Identifier: BSD-2-Clause */
/* hostmsi.h: one descriptor, its handler, and its way offline and back. */
#include "test.h"

#include <string.h>

#include "vtdpi/hostmsi.h"

enum {
    NV = 0xeb,
    APIC_ID = 0x103,
    CALLS_MAX = 1024
};

#define PHYS UINT64_C(0x560000040)

/* What the handler was called for, and what it raises while it runs. */
struct host {
    struct vtdpi_hostmsi *h;
    unsigned int calls;
    uint8_t vector[CALLS_MAX];
    unsigned int again; /* each call raises the vector again, that many times */
    struct vtdpi_notification last;
};

struct fixture {
    struct vtdpi_hostmsi h;
    struct host host;
};

static void handle(void *ctx, uint8_t vector)
{
    struct host *const host = ctx;

    assert_true(host->calls < CALLS_MAX);
    host->vector[host->calls++] = vector;
    if (host->again == 0)
        return;
    host->again--;
    host->last = vtdpi_hostmsi_post(host->h, vector);
}

static int init(struct vtdpi_hostmsi *h)
{
    return vtdpi_hostmsi_init(h, PHYS, VTDPI_X2APIC, APIC_ID, NV);
}

static struct fixture *begin(void **state)
{
    static struct fixture f;

    (void)state;
    memset(&f, 0, sizeof f);
    f.host.h = &f.h;
    assert_int_equal(init(&f.h), 0);
    vtdpi_hostmsi_online(&f.h);
    return &f;
}

static uint32_t run(struct fixture *f, uint32_t looks)
{
    return vtdpi_hostmsi_handle(&f->h, looks, handle, &f->host);
}

static void assert_post(struct fixture *f, uint8_t vector,
                        enum vtdpi_post_result result)
{
    const struct vtdpi_notification n = vtdpi_hostmsi_post(&f->h, vector);

    assert_int_equal(n.result, result);
    assert_int_equal(n.nv, NV);
    assert_int_equal(n.ndst, APIC_ID);
}

/* init */

static void test_init_refuses_what_is_wrong(void **state)
{
    struct vtdpi_hostmsi two[2];
    struct vtdpi_hostmsi *const h = &two[0];
    void *const odd = (uint8_t *)&two[0] + 8;

    (void)state;
    memset(two, 0, sizeof two);
    assert_int_equal(init(NULL), VTDPI_EINVAL);
    assert_int_equal(
        vtdpi_hostmsi_init(h, PHYS, (enum vtdpi_apic_mode)2, APIC_ID, NV),
        VTDPI_EINVAL);
    assert_int_equal(vtdpi_hostmsi_init(h, PHYS, VTDPI_X2APIC, UINT32_MAX, NV),
                     VTDPI_ERANGE);
    assert_int_equal(vtdpi_hostmsi_init(h, PHYS, VTDPI_XAPIC, 0xff, NV),
                     VTDPI_ERANGE);
    assert_int_equal(vtdpi_hostmsi_init(h, PHYS, VTDPI_X2APIC, APIC_ID, 15),
                     VTDPI_EVECTOR);
    assert_int_equal(vtdpi_hostmsi_init(h, PHYS + 32, VTDPI_X2APIC, 1, NV),
                     VTDPI_EALIGN);
    assert_int_equal(init(odd), VTDPI_EALIGN);
    assert_int_equal(vtdpi_target_ref(vtdpi_hostmsi_target(h)), VTDPI_ECLOSED);
    assert_int_equal(vtdpi_hostmsi_init(h, PHYS, VTDPI_X2APIC, 0xfffffffe, 16),
                     0);
    assert_int_equal(vtdpi_hostmsi_init(h, PHYS, VTDPI_XAPIC, 0xfe, 255), 0);
}

static void test_init_refused_while_online_changes_nothing(void **state)
{
    struct fixture *const f = begin(state);

    assert_int_equal(vtdpi_hostmsi_init(&f->h, PHYS, VTDPI_X2APIC, 7, 0x30),
                     VTDPI_EBUSY);
    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
}

static void test_xapic_id_is_encoded(void **state)
{
    struct vtdpi_hostmsi h;
    struct vtdpi_notification n;

    (void)state;
    memset(&h, 0, sizeof h);
    assert_int_equal(vtdpi_hostmsi_init(&h, PHYS, VTDPI_XAPIC, 0x21, NV), 0);
    vtdpi_hostmsi_online(&h);
    n = vtdpi_hostmsi_post(&h, 0x41);
    assert_int_equal(n.ndst, 0x2100);
    assert_int_equal(vtdpi_apic_id_from_ndst(VTDPI_XAPIC, n.ndst), 0x21);
}

/* the handler */

static void test_handler_takes_all_the_highest_first(void **state)
{
    static const uint8_t vectors[] = {16, 63, 64, 127, 128, 191, 192, 255};
    struct fixture *const f = begin(state);

    for (size_t i = 0; i < sizeof vectors; i++)
        assert_post(f, vectors[i],
                    i == 0 ? VTDPI_POST_NOTIFY : VTDPI_POST_ALREADY);
    assert_int_equal(run(f, VTDPI_HOSTMSI_LOOKS), sizeof vectors);
    assert_int_equal(f->host.calls, sizeof vectors);
    for (size_t i = 0; i < sizeof vectors; i++)
        assert_int_equal(f->host.vector[i], vectors[sizeof vectors - 1 - i]);
    assert_int_equal(run(f, VTDPI_HOSTMSI_LOOKS), 0);
    assert_post(f, 16, VTDPI_POST_NOTIFY);
}

static void test_handler_every_vector_alone(void **state)
{
    struct fixture *const f = begin(state);

    for (unsigned int v = 16; v < 256; v++) {
        f->host.calls = 0;
        assert_post(f, (uint8_t)v, VTDPI_POST_NOTIFY);
        assert_int_equal(run(f, 1 + v % 3), 1);
        assert_int_equal(f->host.vector[0], v);
    }
}

static void test_handler_without_a_notification_does_nothing(void **state)
{
    struct fixture *const f = begin(state);

    assert_int_equal(run(f, VTDPI_HOSTMSI_LOOKS), 0);
    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
}

/* Each look finds what the one before has raised; only the last one lets notify. */
static void test_handler_looks_so_often_and_no_more(void **state)
{
    for (uint32_t looks = 1; looks <= 5; looks++) {
        struct fixture *const f = begin(state);

        f->host.again = looks - 1;
        assert_post(f, 0x41, VTDPI_POST_NOTIFY);
        assert_int_equal(run(f, looks), looks);
        assert_int_equal(f->host.last.result,
                         looks == 1 ? 0 : VTDPI_POST_ALREADY);
        assert_false(vtdpi_hostmsi_pending(&f->h, 0x41));

        /* One more than it looks: left for the notification that is sent. */
        f->host.calls = 0;
        f->host.again = looks;
        assert_post(f, 0x41, VTDPI_POST_NOTIFY);
        assert_int_equal(run(f, looks), looks);
        assert_int_equal(f->host.last.result, VTDPI_POST_NOTIFY);
        assert_true(vtdpi_hostmsi_pending(&f->h, 0x41));
        assert_int_equal(run(f, looks), 1);
    }
}

/* A handler that looks at all looks once with ON clear: no ON is left behind. */
static void test_no_looks_are_one(void **state)
{
    struct fixture *const f = begin(state);

    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
    assert_int_equal(run(f, 0), 1);
    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
}

static void test_next_hands_the_sets_out(void **state)
{
    struct fixture *const f = begin(state);
    uint64_t set[VTDPI_PIR_WORDS];
    uint32_t looks = 3;

    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
    assert_true(vtdpi_hostmsi_next(&f->h, &looks, set));
    assert_int_equal(set[1], 2);
    assert_int_equal(set[0] | set[2] | set[3], 0);
    /* ON is set: nobody is notified, and the loop goes on. */
    assert_post(f, 0xff, VTDPI_POST_ALREADY);
    assert_true(vtdpi_hostmsi_next(&f->h, &looks, set));
    assert_int_equal(set[3], UINT64_C(1) << 63);
    assert_false(vtdpi_hostmsi_next(&f->h, &looks, set));
    assert_false(vtdpi_hostmsi_next(&f->h, &looks, set));
    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
    assert_true(vtdpi_hostmsi_pending(&f->h, 0x41));
}

/* Nothing at the first look: no reason to look as often as is allowed. */
static void test_next_ends_early(void **state)
{
    struct fixture *const f = begin(state);
    uint64_t set[VTDPI_PIR_WORDS];
    uint32_t looks = 100;

    assert_false(vtdpi_hostmsi_next(&f->h, &looks, set));
    assert_int_equal(looks, 0);
}

static void test_dispatch_of_nothing_calls_nobody(void **state)
{
    const uint64_t set[VTDPI_PIR_WORDS] = {0, 0, 0, 0};

    (void)state;
    assert_int_equal(vtdpi_hostmsi_dispatch(set, handle, NULL), 0);
}

/* the last harvest */

static void test_harvest_clears_on_and_takes_all(void **state)
{
    struct fixture *const f = begin(state);
    uint64_t set[VTDPI_PIR_WORDS];

    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
    assert_post(f, 0x80, VTDPI_POST_ALREADY);
    assert_true(vtdpi_hostmsi_pending(&f->h, 0x41));
    assert_true(vtdpi_hostmsi_harvest(&f->h, set));
    assert_false(vtdpi_hostmsi_pending(&f->h, 0x41));
    assert_int_equal(vtdpi_hostmsi_dispatch(set, handle, &f->host), 2);
    /* The notification that was sent finds nothing. */
    assert_int_equal(run(f, VTDPI_HOSTMSI_LOOKS), 0);
    assert_false(vtdpi_hostmsi_harvest(&f->h, set));
    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
}

/* Whether or not the notification of before still comes. */
static void test_posted_after_a_harvest_is_notified(void **state)
{
    struct fixture *const f = begin(state);
    uint64_t set[VTDPI_PIR_WORDS];

    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
    assert_true(vtdpi_hostmsi_harvest(&f->h, set));
    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
}

/* offline and online */

static void test_offline_hands_out_the_rest_and_closes(void **state)
{
    struct fixture *const f = begin(state);
    uint64_t set[VTDPI_PIR_WORDS];

    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
    assert_int_equal(vtdpi_hostmsi_offline(&f->h, set), 0);
    assert_int_equal(set[1], 2);
    assert_int_equal(vtdpi_target_ref(vtdpi_hostmsi_target(&f->h)),
                     VTDPI_ECLOSED);
    assert_int_equal(vtdpi_hostmsi_offline(&f->h, set), VTDPI_ECLOSED);
    vtdpi_hostmsi_online(&f->h);
    assert_int_equal(run(f, VTDPI_HOSTMSI_LOOKS), 0);
    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
    assert_int_equal(run(f, VTDPI_HOSTMSI_LOOKS), 1);
}

static void test_offline_twice_changes_nothing(void **state)
{
    struct fixture *const f = begin(state);
    uint64_t set[VTDPI_PIR_WORDS];

    assert_int_equal(vtdpi_hostmsi_offline(&f->h, set), 0);
    memset(set, 0xa5, sizeof set);
    assert_int_equal(vtdpi_hostmsi_offline(&f->h, set), VTDPI_ECLOSED);
    for (size_t i = 0; i < VTDPI_PIR_WORDS; i++)
        assert_int_equal(set[i], UINT64_C(0xa5a5a5a5a5a5a5a5));
}

static void test_offline_refused_while_an_interrupt_names_it(void **state)
{
    struct fixture *const f = begin(state);
    uint64_t set[VTDPI_PIR_WORDS] = {5, 6, 7, 8};

    assert_int_equal(vtdpi_target_ref(vtdpi_hostmsi_target(&f->h)), 0);
    assert_post(f, 0x41, VTDPI_POST_NOTIFY);
    assert_int_equal(vtdpi_hostmsi_offline(&f->h, set), VTDPI_EBUSY);
    assert_int_equal(set[0] + set[1] + set[2] + set[3], 26);
    assert_true(vtdpi_hostmsi_pending(&f->h, 0x41));

    /* The pCPU goes and comes back; its notification was lost. */
    assert_post(f, 0x42, VTDPI_POST_ALREADY);
    vtdpi_hostmsi_online(&f->h);
    assert_int_equal(vtdpi_target_refs(vtdpi_hostmsi_target(&f->h)), 1);
    assert_int_equal(run(f, VTDPI_HOSTMSI_LOOKS), 2);
    vtdpi_target_unref(vtdpi_hostmsi_target(&f->h));
    assert_int_equal(vtdpi_hostmsi_offline(&f->h, set), 0);
}

/* Before it is online nobody is notified; the look after online finds it. */
static void test_posted_before_online_is_found(void **state)
{
    struct fixture f;

    (void)state;
    memset(&f, 0, sizeof f);
    f.host.h = &f.h;
    assert_int_equal(init(&f.h), 0);
    assert_int_equal(vtdpi_hostmsi_post(&f.h, 0x41).result,
                     VTDPI_POST_SUPPRESSED);
    vtdpi_hostmsi_online(&f.h);
    assert_int_equal(run(&f, VTDPI_HOSTMSI_LOOKS), 1);
}

static void test_other_apic_id_after_offline(void **state)
{
    struct fixture *const f = begin(state);
    uint64_t set[VTDPI_PIR_WORDS];

    assert_int_equal(vtdpi_hostmsi_offline(&f->h, set), 0);
    assert_int_equal(vtdpi_hostmsi_init(&f->h, PHYS, VTDPI_X2APIC, 9, 0xec), 0);
    vtdpi_hostmsi_online(&f->h);
    assert_int_equal(vtdpi_hostmsi_post(&f->h, 0x41).ndst, 9);
    assert_int_equal(vtdpi_hostmsi_post(&f->h, 0x41).nv, 0xec);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_refuses_what_is_wrong),
        cmocka_unit_test(test_init_refused_while_online_changes_nothing),
        cmocka_unit_test(test_xapic_id_is_encoded),
        cmocka_unit_test(test_handler_takes_all_the_highest_first),
        cmocka_unit_test(test_handler_every_vector_alone),
        cmocka_unit_test(test_handler_without_a_notification_does_nothing),
        cmocka_unit_test(test_handler_looks_so_often_and_no_more),
        cmocka_unit_test(test_no_looks_are_one),
        cmocka_unit_test(test_next_hands_the_sets_out),
        cmocka_unit_test(test_next_ends_early),
        cmocka_unit_test(test_dispatch_of_nothing_calls_nobody),
        cmocka_unit_test(test_harvest_clears_on_and_takes_all),
        cmocka_unit_test(test_posted_after_a_harvest_is_notified),
        cmocka_unit_test(test_offline_hands_out_the_rest_and_closes),
        cmocka_unit_test(test_offline_twice_changes_nothing),
        cmocka_unit_test(test_offline_refused_while_an_interrupt_names_it),
        cmocka_unit_test(test_posted_before_online_is_found),
        cmocka_unit_test(test_other_apic_id_after_offline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
