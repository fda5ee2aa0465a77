/* SPDX-License-Identifier: BSD-2-Clause */
/* format.h: a vCPU's place, a pCPU, and those who are blocked on a pCPU. */
#include "golden.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "vtdpi/format.h"

enum {
    ANV = 0xf2,
    WNV = 0xf1,
    /* A dump has to take several calls over the pages between the two that are
     * there. */
    PAGES = 3 * VTDPI_FORMAT_STEP,
    LAST = PAGES - 1,
    VCPUS = 4,
};

static const uint32_t slots[VCPUS] = {0, 63, 64 * LAST + 5, 64 * LAST + 6};

struct host {
    struct vtdpi_sched sched;
    struct vtdpi_page_ref pages[PAGES];
    struct vtdpi_pcpu *pcpus[1];
    struct vtdpi_pid_page page[2]; /* 0 and LAST */
    struct vtdpi_pcpu pcpu;
    uint64_t bitmap[VTDPI_BITMAP_WORDS(PAGES)];
    struct vtdpi_vcpu vcpu[VCPUS];
    uint8_t *pids;
    uint8_t sent;
};

static void send_ipi(void *ctx, uint32_t apic_id, uint8_t vector)
{
    (void)apic_id;
    ((struct host *)ctx)->sent = vector;
}

static void wake(void *ctx, void *cookie)
{
    (void)ctx;
    (void)cookie;
}

static const struct vtdpi_platform_ops ops = {.send_ipi = send_ipi,
                                              .wake = wake};

static struct host *host_new(enum vtdpi_apic_mode mode)
{
    struct host *const h = calloc(1, sizeof(*h));
    const struct vtdpi_sched_params params = {
        .ops = &ops,
        .ctx = h,
        .pages = h->pages,
        .max_pages = PAGES,
        .pcpus = h->pcpus,
        .max_pcpus = 1,
        .apic_mode = mode,
        .anv = ANV,
        .wnv = {WNV},
    };

    assert_non_null(h);
    h->pids = aligned_alloc(VTDPI_PAGE_SIZE, (size_t)2 * VTDPI_PAGE_SIZE);
    assert_non_null(h->pids);
    assert_int_equal(vtdpi_sched_init(&h->sched, &params), 0);
    assert_int_equal(
        vtdpi_sched_add_page(&h->sched, 0, &h->page[0], h->pids, 0x520000000),
        0);
    assert_int_equal(vtdpi_sched_add_page(&h->sched, LAST, &h->page[1],
                                          h->pids + VTDPI_PAGE_SIZE,
                                          0x520001000),
                     0);
    assert_int_equal(vtdpi_pcpu_init(&h->sched, &h->pcpu, 0, 3, h->bitmap), 0);
    vtdpi_pcpu_online(&h->pcpu);
    for (uintptr_t i = 0; i < VCPUS; i++)
        assert_int_equal(vtdpi_vcpu_attach(&h->sched, &h->vcpu[i], slots[i],
                                           (void *)(0xc00 + i)),
                         0);
    return h;
}

static int set_up(void **state)
{
    *state = host_new(VTDPI_X2APIC);
    return 0;
}

static int tear_down(void **state)
{
    struct host *const h = *state;

    free(h->pids);
    free(h);
    return 0;
}

static size_t text_vcpu(char *buf, size_t size, const void *what)
{
    return vtdpi_format_vcpu(buf, size, what);
}

static size_t text_pcpu(char *buf, size_t size, const void *what)
{
    return vtdpi_format_pcpu(buf, size, what);
}

static void test_vcpu_says_its_place(void **state)
{
    struct host *const h = *state;
    struct vtdpi_vcpu *const v = &h->vcpu[1];

    assert_line(text_vcpu, v,
                "place=preempted APIC=0x0 slot=0x3f open=1 forms=0x0 holds=0x0 "
                "ON=0 SN=1 NV=0xf2 NDST=0x0 PIR=0x0 control=0xf20002");
    vtdpi_vcpu_run(v, &h->pcpu);
    assert_line(text_vcpu, v,
                "place=running APIC=0x3 slot=0x3f open=1 forms=0x0 holds=0x0 "
                "ON=0 SN=0 NV=0xf2 NDST=0x3 PIR=0x0 control=0x300f20000");
    assert_int_equal(vtdpi_vcpu_block(v, &h->pcpu), VTDPI_BLOCKED);
    (void)vtdpi_vcpu_post(v, 0x41, false);
    assert_line(text_vcpu, v,
                "place=blocked APIC=0x3 slot=0x3f open=1 forms=0x0 holds=0x0 "
                "ON=1 SN=0 NV=0xf1 NDST=0x3 PIR=0x20000000000000000 "
                "vectors=0x41 control=0x300f10001");
    assert_int_equal(h->sent, WNV);
}

static void test_vcpu_counts_its_references(void **state)
{
    struct host *const h = *state;
    struct vtdpi_vcpu *const v = &h->vcpu[0];
    struct vtdpi_target *const t = vtdpi_vcpu_target(v);

    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(vtdpi_target_ref(t), 0);
    for (unsigned int i = 0; i < 18; i++)
        assert_int_equal(vtdpi_vcpu_hold(v), 0);
    assert_line(text_vcpu, v,
                "place=preempted APIC=0x0 slot=0x0 open=1 forms=0x3 holds=0x12 "
                "ON=0 SN=1 NV=0xf2 NDST=0x0 PIR=0x0 control=0xf20002");
}

static void test_vcpu_without_a_slot(void **state)
{
    const struct vtdpi_vcpu v = {0};

    (void)state;
    assert_line(text_vcpu, &v, "place=detached");
}

/* As an attach that is under way leaves it, or a stray write. */
static void test_vcpu_without_a_descriptor(void **state)
{
    struct host *const h = *state;

    h->vcpu[0].pid = NULL;
    assert_line(text_vcpu, &h->vcpu[0], "place=detached");
}

/* A host that cannot wake: no NV is that of a blocked vCPU, not even 0. */
static void test_vcpu_of_a_host_without_wakeup_vectors(void **state)
{
    struct host *const h = *state;

    h->sched.wnv_count = 0;
    h->sched.wnv[0] = 0;
    vtdpi_vcpu_pid(&h->vcpu[0])->control = 0;
    assert_line(text_vcpu, &h->vcpu[0],
                "place=unknown APIC=0x0 slot=0x0 open=1 forms=0x0 holds=0x0 "
                "ON=0 SN=0 NV=0x0 NDST=0x0 PIR=0x0 control=0x0 wrong: NV below "
                "0x10, which cannot be an interrupt");
}

static void test_vcpu_in_xapic_mode(void **state)
{
    struct host *h = host_new(VTDPI_XAPIC);

    (void)state;
    vtdpi_vcpu_run(&h->vcpu[0], &h->pcpu);
    assert_line(text_vcpu, &h->vcpu[0],
                "place=running APIC=0x3 slot=0x0 open=1 forms=0x0 holds=0x0 "
                "ON=0 SN=0 NV=0xf2 NDST=0x300 PIR=0x0 control=0x30000f20000");
    (void)tear_down(&(void *){h});
}

/* NV that is nobody's; then the WNV with SN, which no call makes; then a PID that is
 * wrong by itself, which is said first. */
static void test_vcpu_names_a_place_that_cannot_be(void **state)
{
    struct host *const h = *state;
    struct vtdpi_vcpu *const v = &h->vcpu[0];
    struct vtdpi_pid *const pid = vtdpi_vcpu_pid(v);

    pid->control = UINT64_C(0x300350000);
    assert_line(text_vcpu, v,
                "place=unknown APIC=0x3 slot=0x0 open=1 forms=0x0 holds=0x0 "
                "ON=0 SN=0 NV=0x35 NDST=0x3 PIR=0x0 control=0x300350000 wrong: "
                "NV and SN are none that sched.h writes");
    pid->control = UINT64_C(0x300f10002);
    assert_line(text_vcpu, v,
                "place=unknown APIC=0x3 slot=0x0 open=1 forms=0x0 holds=0x0 "
                "ON=0 SN=1 NV=0xf1 NDST=0x3 PIR=0x0 control=0x300f10002 wrong: "
                "NV and SN are none that sched.h writes");
    pid->control = UINT64_C(0x300350004);
    assert_line(text_vcpu, v,
                "place=unknown APIC=0x3 slot=0x0 open=1 forms=0x0 holds=0x0 "
                "ON=0 SN=0 NV=0x35 NDST=0x3 PIR=0x0 control=0x300350004 wrong: "
                "reserved bits 0x4 in control");
}

static void test_pcpu_names_each_field(void **state)
{
    struct host *const h = *state;

    assert_line(text_pcpu, &h->pcpu,
                "pCPU=0x0 APIC=0x3 NDST=0x3 online=1 scanning=0");
    (void)vtdpi_pcpu_offline(&h->pcpu);
    assert_line(text_pcpu, &h->pcpu,
                "pCPU=0x0 APIC=0x3 NDST=0x3 online=0 scanning=0");
    h->pcpu.scan = 3;
    assert_line(text_pcpu, &h->pcpu,
                "pCPU=0x0 APIC=0x3 NDST=0x3 online=0 scanning=1");
}

/* The next line into @p line; the number of calls that took. */
static unsigned int next_blocked(const struct host *h,
                                 struct vtdpi_format_cursor *c, char *line)
{
    unsigned int calls = 0;
    size_t length = 0;

    line[0] = '\0';
    while (!c->done && length == 0) {
        length = vtdpi_format_blocked_next(line, VTDPI_FORMAT_MAX, &h->pcpu, c);
        assert_int_equal(length, strlen(line));
        calls++;
    }
    return calls;
}

static void test_blocked_shows_each_in_the_order_of_slots(void **state)
{
    struct host *const h = *state;
    struct vtdpi_format_cursor c = {0};
    char line[VTDPI_FORMAT_MAX];

    for (unsigned int i = VCPUS; i-- > 0;)
        assert_int_equal(vtdpi_vcpu_block(&h->vcpu[i], &h->pcpu),
                         VTDPI_BLOCKED);
    (void)vtdpi_vcpu_post(&h->vcpu[1], 0x41, false);
    (void)vtdpi_pcpu_handle_wakeup(&h->pcpu, WNV);
    vtdpi_vcpu_run(&h->vcpu[2], &h->pcpu);

    assert_int_equal(next_blocked(h, &c, line), 1);
    assert_string_equal(line, "slot=0x0 cookie=0xc00 mark=0 ON=0 SN=0 NV=0xf1 "
                              "NDST=0x3 PIR=0x0 control=0x300f10000");
    assert_int_equal(next_blocked(h, &c, line), 1);
    assert_string_equal(line, "slot=0x3f cookie=0xc01 mark=1 ON=1 SN=0 NV=0xf1 "
                              "NDST=0x3 PIR=0x20000000000000000 vectors=0x41 "
                              "control=0x300f10001");
    /* The pages between are looked at in parts: 766 of them, 256 a call, and
     * page 0 for the second time. */
    assert_int_equal(next_blocked(h, &c, line), 3);
    assert_string_equal(line,
                        "slot=0xbfc6 cookie=0xc03 mark=0 ON=0 SN=0 NV=0xf1 "
                        "NDST=0x3 PIR=0x0 control=0x300f10000");
    assert_false(c.done);
    assert_int_equal(next_blocked(h, &c, line), 1);
    assert_string_equal(line, "");
    assert_true(c.done);
    assert_int_equal(
        vtdpi_format_blocked_next(line, sizeof(line), &h->pcpu, &c), 0);
    assert_true(c.done);
}

/* Between two calls the bits change, and the summary may be clear. */
static void test_blocked_goes_on_over_changes(void **state)
{
    struct host *const h = *state;
    struct vtdpi_format_cursor c = {0};
    char line[VTDPI_FORMAT_MAX];

    assert_int_equal(vtdpi_vcpu_block(&h->vcpu[1], &h->pcpu), VTDPI_BLOCKED);
    memset(h->pcpu.summary, 0, PAGES / 64 * sizeof(uint64_t));
    (void)next_blocked(h, &c, line);
    assert_non_null(strstr(line, "slot=0x3f "));
    /* A slot that was passed is not shown, and one that comes is. */
    assert_int_equal(vtdpi_vcpu_block(&h->vcpu[0], &h->pcpu), VTDPI_BLOCKED);
    assert_int_equal(vtdpi_vcpu_block(&h->vcpu[3], &h->pcpu), VTDPI_BLOCKED);
    vtdpi_vcpu_preempt(&h->vcpu[1]);
    (void)next_blocked(h, &c, line);
    assert_non_null(strstr(line, "slot=0xbfc6 "));
    (void)next_blocked(h, &c, line);
    assert_string_equal(line, "");
    assert_true(c.done);
}

/* A bit over a page that is not there: memory was overwritten. */
static void test_blocked_survives_a_bit_of_no_page(void **state)
{
    struct host *const h = *state;
    struct vtdpi_format_cursor c = {0};
    char line[VTDPI_FORMAT_MAX];

    h->pcpu.leaf[2 * 7] = UINT64_C(0x8000000000000000);
    (void)next_blocked(h, &c, line);
    assert_string_equal(line,
                        "slot=0x1ff wrong: the PID page of the slot is not "
                        "present");
    (void)next_blocked(h, &c, line);
    assert_true(c.done);
    /* The page is there, and its descriptors are not. */
    c = (struct vtdpi_format_cursor){0};
    h->pages[7].page = &h->page[0];
    (void)next_blocked(h, &c, line);
    assert_string_equal(line,
                        "slot=0x1ff wrong: the PID page of the slot is not "
                        "present");
}

/* An empty text is terminated, too; the cursor moves whatever the size. */
static void test_blocked_with_any_size(void **state)
{
    struct host *const h = *state;
    struct vtdpi_format_cursor c = {0};
    char line[4] = {'x', 'x', 'x', 'x'};

    assert_int_equal(vtdpi_vcpu_block(&h->vcpu[1], &h->pcpu), VTDPI_BLOCKED);
    assert_int_equal(vtdpi_format_blocked_next(NULL, 0, &h->pcpu, &c), 84);
    assert_int_equal(vtdpi_format_blocked_next(line, 1, &h->pcpu, &c), 0);
    assert_string_equal(line, "");
    assert_int_equal(line[1], 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_vcpu_says_its_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_vcpu_counts_its_references, set_up,
                                        tear_down),
        cmocka_unit_test(test_vcpu_without_a_slot),
        cmocka_unit_test_setup_teardown(test_vcpu_without_a_descriptor, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_vcpu_of_a_host_without_wakeup_vectors, set_up, tear_down),
        cmocka_unit_test(test_vcpu_in_xapic_mode),
        cmocka_unit_test_setup_teardown(test_vcpu_names_a_place_that_cannot_be,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pcpu_names_each_field, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_blocked_shows_each_in_the_order_of_slots, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_blocked_goes_on_over_changes,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_blocked_survives_a_bit_of_no_page,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_blocked_with_any_size, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
