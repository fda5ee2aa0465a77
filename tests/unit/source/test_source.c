/* SPDX-License-Identifier: BSD-2-Clause */
/* source.h: source ids, and the source to verify for a PCI function. Entries are
 * literals: what the high word of one that verifies the source holds. */
#include "test.h"

#include "vtdpi/irte.h"
#include "vtdpi/source.h"

static void test_sid_accessors_split_all_bits(void **state)
{
    (void)state;
    assert_int_equal(vtdpi_sid_bus(0xff0f), 0xff);
    assert_int_equal(vtdpi_sid_device(0xff0f), 1);
    assert_int_equal(vtdpi_sid_function(0xff0f), 7);
    assert_int_equal(vtdpi_sid_bus(0x03f8), 3);
    assert_int_equal(vtdpi_sid_device(0x03f8), 31);
    assert_int_equal(vtdpi_sid_function(0x03f8), 0);
}

static void assert_source(const struct vtdpi_source *s,
                          const struct vtdpi_source *want)
{
    assert_int_equal(s->kind, want->kind);
    assert_int_equal(s->sid, want->sid);
    assert_int_equal(s->sq, want->sq);
}

static void test_source_constructors_fill_every_field(void **state)
{
    static const struct vtdpi_source exact = {VTDPI_SOURCE_EXACT, 0x3b08, 3};
    static const struct vtdpi_source range = {VTDPI_SOURCE_BUS_RANGE, 0x0205,
                                              0};
    static const struct vtdpi_source any = {VTDPI_SOURCE_ANY, 0, 0};
    struct vtdpi_source s = vtdpi_source_exact(0x3b08, VTDPI_SQ_IGNORE_2_0);

    (void)state;
    assert_source(&s, &exact);
    s = vtdpi_source_bus_range(0x02, 0x05);
    assert_source(&s, &range);
    s = vtdpi_source_any_unverified();
    assert_source(&s, &any);
    s = vtdpi_source_exact(0, VTDPI_SQ_ALL);
    assert_int_equal(s.sq, 0);
    s = vtdpi_source_exact(0, VTDPI_SQ_IGNORE_2);
    assert_int_equal(s.sq, 1);
    s = vtdpi_source_exact(0, VTDPI_SQ_IGNORE_2_1);
    assert_int_equal(s.sq, 2);
}

/* Sources of PCI functions. Buses: root 0; a bridge on it leads to 5, one on 5
 * to 6, and the function is 06:01.0, or 05:02.0. */

/* The high word of an entry that verifies the source of a function. */
static uint64_t high_word(const struct vtdpi_source_requester *r)
{
    struct vtdpi_irte_posted fields = {.present = true, .vector = 0x41};
    struct vtdpi_irte irte;

    assert_int_equal(vtdpi_source_of_pci(r, &fields.source), 0);
    assert_int_equal(vtdpi_irte_encode_posted(&fields, &irte), 0);
    return irte.hi;
}

static uint64_t behind(enum vtdpi_source_bridge_kind lower,
                       enum vtdpi_source_bridge_kind upper)
{
    const struct vtdpi_source_bridge path[] = {
        {lower, 0x0508, 6}, /* 05:01.0 */
        {upper, 0x00e0, 5}, /* 00:1c.0 */
    };
    const struct vtdpi_source_requester r = {
        .sid = 0x0608, .bridges = path, .bridge_count = 2};

    return high_word(&r);
}

static void test_source_of_pci_without_bridges_is_the_function(void **state)
{
    struct vtdpi_source_requester r = {.sid = 0x0510};

    (void)state;
    assert_int_equal(high_word(&r), 0x40510);
    r.sq = VTDPI_SQ_IGNORE_2_1;
    assert_int_equal(high_word(&r), 0x60510);
    r.whole_bus = true; /* bus range, without SQ */
    assert_int_equal(high_word(&r), 0x80505);
}

static void test_source_of_pci_nearest_to_the_root_decides(void **state)
{
    (void)state;
    assert_int_equal(behind(VTDPI_SOURCE_BRIDGE_PCIE, VTDPI_SOURCE_BRIDGE_PCIE),
                     0x40608);
    assert_int_equal(
        behind(VTDPI_SOURCE_BRIDGE_PCIE_TO_PCI, VTDPI_SOURCE_BRIDGE_PCIE),
        0x80606);
    assert_int_equal(
        behind(VTDPI_SOURCE_BRIDGE_PCI, VTDPI_SOURCE_BRIDGE_PCIE_TO_PCI),
        0x80506);
    assert_int_equal(
        behind(VTDPI_SOURCE_BRIDGE_PCIE_TO_PCI, VTDPI_SOURCE_BRIDGE_PCI),
        0x400e0);
}

/* XSA-33: a range of buses behind a conventional bridge would let each function
 * of the bridge's bus raise the interrupt. */
static void test_source_of_pci_conventional_bridge_is_exact(void **state)
{
    (void)state;
    assert_int_equal(behind(VTDPI_SOURCE_BRIDGE_PCIE, VTDPI_SOURCE_BRIDGE_PCI),
                     0x400e0);
    assert_int_equal(behind(VTDPI_SOURCE_BRIDGE_PCI, VTDPI_SOURCE_BRIDGE_PCIE),
                     0x40508);
}

/* What the function itself issues does not matter behind such a bridge. */
static void test_source_of_pci_bridge_overrides_whole_bus(void **state)
{
    const struct vtdpi_source_bridge bridge = {VTDPI_SOURCE_BRIDGE_PCI, 0x00e0,
                                               5};
    const struct vtdpi_source_requester r = {
        .sid = 0x0510,
        .sq = VTDPI_SQ_IGNORE_2,
        .whole_bus = true,
        .bridges = &bridge,
        .bridge_count = 1,
    };

    (void)state;
    assert_int_equal(high_word(&r), 0x400e0);
}

static void test_source_of_pci_bad_arguments_leave_out(void **state)
{
    const struct vtdpi_source_bridge low = {VTDPI_SOURCE_BRIDGE_PCIE_TO_PCI,
                                            0x00e0, 6};
    const struct vtdpi_source_bridge odd = {(enum vtdpi_source_bridge_kind)3,
                                            0x00e0, 5};
    struct vtdpi_source s = {VTDPI_SOURCE_EXACT, 0x1234, 1};
    struct vtdpi_source_requester r = {.sid = 0x0510, .bridge_count = 1};

    (void)state;
    assert_int_equal(vtdpi_source_of_pci(NULL, &s), VTDPI_EINVAL);
    assert_int_equal(vtdpi_source_of_pci(&r, &s), VTDPI_EINVAL);
    r.bridges = &odd;
    assert_int_equal(vtdpi_source_of_pci(&r, NULL), VTDPI_EINVAL);
    assert_int_equal(vtdpi_source_of_pci(&r, &s), VTDPI_EINVAL);
    r.bridges = &low;
    assert_int_equal(vtdpi_source_of_pci(&r, &s), VTDPI_EIRTE_BUS);
    r.sq = (enum vtdpi_sq)4;
    assert_int_equal(vtdpi_source_of_pci(&r, &s), VTDPI_ERANGE);
    assert_int_equal(s.sid, 0x1234);
    assert_int_equal(s.kind, VTDPI_SOURCE_EXACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sid_accessors_split_all_bits),
        cmocka_unit_test(test_source_constructors_fill_every_field),
        cmocka_unit_test(test_source_of_pci_without_bridges_is_the_function),
        cmocka_unit_test(test_source_of_pci_nearest_to_the_root_decides),
        cmocka_unit_test(test_source_of_pci_conventional_bridge_is_exact),
        cmocka_unit_test(test_source_of_pci_bridge_overrides_whole_bus),
        cmocka_unit_test(test_source_of_pci_bad_arguments_leave_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
