/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random guests and messages, judged by the library and by an oracle that
 * shares no code with it (route_oracle.h).
 *
 * usage: test_route_oracle [pairs [seed]]
 *
 * Guests are small and their ids, LDRs and destinations come from small pools,
 * or nothing would ever match: ids next to each other, ids that differ above
 * bit 19 only, equal ids, all modes side by side. The map is never rebuilt: it
 * goes from guest to guest by updates.
 */
#include "test.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vtdpi/route.h"

#include "route_oracle.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    SMALL = 24,
    MESSAGES_PER_STATE = 8
};

static uint64_t pairs = 2000000;
static uint64_t seed = 1;

/* What the oracle says, and the library's word for it. */
/* clang-format off */
static const struct {
    const char *what;
    enum vtdpi_route_kind kind;
    enum vtdpi_route_reason reason;
} words[] = {
    {"post", VTDPI_ROUTE_POST, VTDPI_ROUTE_POSTABLE},
    {"address", VTDPI_ROUTE_REJECT, VTDPI_ROUTE_ADDRESS},
    {"format", VTDPI_ROUTE_REJECT, VTDPI_ROUTE_FORMAT},
    {"reserved", VTDPI_ROUTE_REJECT, VTDPI_ROUTE_RESERVED},
    {"smi", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_SMI},
    {"nmi", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_NMI},
    {"init", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_INIT},
    {"extint", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_EXTINT},
    {"reserved mode", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_RESERVED_DLM},
    {"level", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_LEVEL},
    {"vector", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_VECTOR},
    {"nobody", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_NO_MATCH},
    {"disabled", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_DISABLED},
    {"broadcast", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_BROADCAST},
    {"several", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_SEVERAL},
    {"no pid", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_DETACHED},
    {"posting off", VTDPI_ROUTE_REMAP, VTDPI_ROUTE_POSTING_OFF},
};
/* clang-format on */

/* One guest, as both sides see it. */
struct guest {
    struct oracle_vcpu vcpus[ORACLE_VCPUS];
    uint32_t count; /* vCPU numbers in use; those above are not there */
    struct vtdpi_guest_apic apics[ORACLE_VCPUS];
    uint64_t keys[VTDPI_ROUTE_MAP_KEYS(ORACLE_VCPUS)];
    struct vtdpi_route_map map;
    struct vtdpi_apic_set set;
    uint64_t random;
    uint64_t seen[VTDPI_ROUTE_REASONS];
    bool flat;         /* mostly in xAPIC flat mode */
    uint64_t flat_all; /* all ones of 8 bits posted to one of a flat set */
};

static struct guest g;

/* splitmix64 */
static uint32_t any(uint32_t below)
{
    uint64_t z = (g.random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (uint32_t)((z >> 32) * below >> 32);
}

static bool once_in(uint32_t n)
{
    return any(n) == 0;
}

static uint32_t any_id(void)
{
    static const uint32_t base[] = {0,       0x10,     0xf0,       0x100,
                                    0x7ff0,  0xffff0,  0x100000,   0x100010,
                                    0x80000, 0x200000, 0xfffffff0, 0xf00000f0};

    return once_in(3) ? base[any(COUNT(base))] + any(16) : any(8);
}

static uint32_t any_ldr(void)
{
    static const uint32_t ids[] = {0x00, 0x01, 0x02, 0x04, 0x08, 0x10,
                                   0x11, 0x12, 0x14, 0x18, 0x21, 0x28,
                                   0x80, 0xf1, 0xff, 0xf0, 0x0f, 0x03};

    return ids[any(COUNT(ids))] << 24 | any(1 << 24);
}

static struct oracle_vcpu any_vcpu(void)
{
    const uint32_t kind = any(16);
    struct oracle_vcpu v = {0};

    v.apic_base = UINT64_C(0xfee00000);
    if (kind != 0)
        v.apic_base |= 0x800;
    if (kind > 8)
        v.apic_base |= 0x400;
    v.id = any_id();
    v.ldr = any_ldr();
    v.dfr = (once_in(20) ? any(16) : once_in(2) ? 15 : 0) << 28 | 0xfffffff;
    v.svr = (once_in(8) ? 0 : 0x100) | any(256);
    v.has_pid = !once_in(8);
    v.ldr_given = once_in(4);
    if (v.ldr_given && kind > 8)
        v.ldr =
            any_id() >> 4 << 16 | (once_in(8) ? any(1 << 16) : 1U << any(16));
    return v;
}

static struct vtdpi_guest_apic apic_of(const struct oracle_vcpu *v)
{
    struct vtdpi_guest_apic apic = vtdpi_guest_apic_from_registers(
        v->apic_base, v->id, v->ldr, v->dfr, v->svr);

    apic.attached = v->has_pid;
    apic.ldr_given = v->ldr_given;
    return apic;
}

static void set_vcpu(uint32_t i, struct oracle_vcpu v)
{
    const struct vtdpi_guest_apic apic = apic_of(&v);

    g.vcpus[i] = v;
    assert_int_equal(vtdpi_route_map_update(&g.map, i, &apic), 0);
}

static void unplug(uint32_t i)
{
    set_vcpu(i, (struct oracle_vcpu){0});
}

/* A destination that has a chance to be somebody's. */
static uint32_t any_dest(void)
{
    const struct oracle_vcpu *const v = &g.vcpus[any(g.count)];

    switch (any(9)) {
    case 0:
        return once_in(3) ? 0xffffffff : 0xff;
    case 1:
        return v->ldr >> 24;
    case 2:
        return (v->ldr >> 24) ^ (1U << any(8));
    case 3:
        return (v->id >> 4) << 16 | any(0x10000);
    case 4:
        return ((v->id >> 4) << 16) + (1U << (v->id & 15));
    case 5:
        return any(256);
    case 6:
        return v->ldr;
    default:
        return v->id;
    }
}

static struct oracle_message any_message(void)
{
    static const int widths[] = {8, 15, 32};
    static const uint32_t other_modes[] = {2, 3, 4, 5, 6, 7};
    const uint32_t dest = any_dest();
    struct oracle_message m = {0};

    m.destination_bits = widths[any(3)];
    m.address = 0xfee00000 | (dest & 0xff) << 12 | any(4) << 2 | any(4);
    if (m.destination_bits == 15)
        m.address |= (dest >> 8 & 0x7f) << 5;
    if (m.destination_bits == 32)
        m.upper_address = dest & 0xffffff00;
    m.data = any(256) | any(2) << 14;
    m.data |= (once_in(8) ? other_modes[any(6)] : any(2)) << 8;
    m.data |= once_in(16) ? 0x8000U : 0;
    m.least_vector = once_in(8) ? any(256) : 0;
    if (once_in(32))
        m.address ^= 1U << any(32);
    if (once_in(32))
        m.data ^= 1U << any(32);
    if (once_in(32))
        m.upper_address ^= 1U << any(32);
    return m;
}

static enum vtdpi_compat_dest form_of(const struct oracle_message *m)
{
    return m->destination_bits == 8    ? VTDPI_COMPAT_DEST_8
           : m->destination_bits == 15 ? VTDPI_COMPAT_DEST_15
                                       : VTDPI_COMPAT_DEST_32;
}

static void complain(const struct oracle_message *m, const char *what)
{
    print_error("seed %" PRIu64 ", %d bits, address %#x, upper %#x, data %#x: "
                "the oracle says %s\n",
                seed, m->destination_bits, m->address, m->upper_address,
                m->data, what);
    for (uint32_t i = 0; i < g.count; i++)
        print_error("%u: base %#" PRIx64 " id %#x ldr %#x dfr %#x svr %#x "
                    "pid %d\n",
                    i, g.vcpus[i].apic_base, g.vcpus[i].id, g.vcpus[i].ldr,
                    g.vcpus[i].dfr, g.vcpus[i].svr, g.vcpus[i].has_pid);
}

static bool same_decision(const struct vtdpi_route_decision *d,
                          const struct oracle_answer *answer, uint32_t data)
{
    size_t i = 0;

    while (strcmp(words[i].what, answer->what) != 0) {
        i++;
        assert_true(i < COUNT(words));
    }
    g.seen[words[i].reason]++;
    return d->kind == words[i].kind && d->reason == words[i].reason &&
           d->vector == (answer->malformed ? 0 : data & 0xff) &&
           d->vcpu == (words[i].reason == VTDPI_ROUTE_POSTABLE ||
                               words[i].reason >= VTDPI_ROUTE_DETACHED
                           ? answer->vcpu
                           : 0);
}

static bool same_walk(const struct vtdpi_apic_set *set,
                      const struct vtdpi_msi *msi, enum vtdpi_compat_dest form,
                      const struct oracle_answer *answer)
{
    struct vtdpi_route_candidate c;
    struct vtdpi_route_walk walk;
    struct vtdpi_compat_msi msg;

    if (vtdpi_route_decode(msi, form, &msg) != 0)
        return answer->malformed;
    vtdpi_route_walk_begin(&walk, set, &msg);
    for (uint32_t i = 0; i < answer->takers; i++) {
        if (!vtdpi_route_walk_next(&walk, &c) || c.vcpu != answer->taker[i] ||
            c.attached != g.vcpus[c.vcpu].has_pid ||
            c.mode != apic_of(&g.vcpus[c.vcpu]).mode ||
            c.enabled != ((g.vcpus[c.vcpu].svr & 0x100) != 0))
            return false;
    }
    /* The end stays the end. */
    return !vtdpi_route_walk_next(&walk, &c) &&
           !vtdpi_route_walk_next(&walk, &c);
}

static struct oracle_answer compare(const struct vtdpi_apic_set *set,
                                    const struct oracle_message *m)
{
    const struct vtdpi_msi msi = {m->address, m->upper_address, m->data};
    const struct vtdpi_route_options options = {
        .form = form_of(m),
        .posting = !once_in(8),
        .vector_min = (uint8_t)m->least_vector,
    };
    const struct vtdpi_route_decision d =
        vtdpi_route_decide(set, &msi, &options);
    struct oracle_answer answer;

    oracle_ask(g.vcpus, g.count, options.posting, m, &answer);
    if (options.form == VTDPI_COMPAT_DEST_8 &&
        (m->address & 0xff004) == 0xff004)
        g.flat_all += answer.arbitrated && strcmp(answer.what, "post") == 0;
    if (!same_decision(&d, &answer, m->data) ||
        !same_walk(set, &msi, options.form, &answer)) {
        complain(m, answer.what);
        print_error("the library: %s, vCPU %u\n",
                    vtdpi_route_reason_text(d.reason), d.vcpu);
        fail();
    }
    return answer;
}

/* One of a guest whose APICs are in xAPIC flat mode, as small guests have them,
 * and in others while they change; or of any guest. */
static struct oracle_vcpu another_vcpu(void)
{
    struct oracle_vcpu v = any_vcpu();

    if (g.flat && !once_in(32)) {
        v.apic_base = UINT64_C(0xfee00800);
        v.dfr = 0xffffffff;
    }
    return v;
}

static void fresh_guest(uint32_t count)
{
    g.flat = once_in(4);
    while (g.count > count)
        unplug(--g.count);
    for (g.count = 0; g.count < count; g.count++)
        set_vcpu(g.count, another_vcpu());
}

static int setup(void **state)
{
    (void)state;
    memset(&g, 0, sizeof(g));
    g.random = seed;
    /* Whatever was there before is of no interest. */
    memset(g.apics, 0xa5, sizeof(g.apics));
    memset(g.keys, 0xa5, sizeof(g.keys));
    assert_int_equal(
        vtdpi_route_map_init(&g.map, g.apics, g.keys, ORACLE_VCPUS), 0);
    g.set = vtdpi_route_map_apics(&g.map);
    return 0;
}

static void test_route_decide_random_guests_agree_with_oracle(void **state)
{
    (void)state;
    for (uint64_t done = 0; done < pairs; done += MESSAGES_PER_STATE) {
        if (g.count == 0 || once_in(16))
            fresh_guest(1 + (once_in(4) ? 0 : any(SMALL)));
        else
            set_vcpu(any(g.count), another_vcpu());
        for (int i = 0; i < MESSAGES_PER_STATE; i++) {
            const struct oracle_message m = any_message();

            (void)compare(&g.set, &m);
        }
    }
    /* It was about something: each reason came up, and not just by chance. */
    for (size_t i = 0; i < COUNT(words); i++) {
        print_message("# %-40s %" PRIu64 "\n",
                      vtdpi_route_reason_text((enum vtdpi_route_reason)i),
                      g.seen[i]);
        assert_true(pairs < 100000 || g.seen[i] > pairs / 2000);
    }
    print_message("# FFh, flat, posted to one of several %" PRIu64 "\n",
                  g.flat_all);
    assert_true(pairs < 100000 || g.flat_all > pairs / 4000);
}

static void test_route_decide_large_guests_agree_with_oracle(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        fresh_guest(ORACLE_VCPUS - any(2));
        for (int i = 0; i < 200; i++) {
            const struct oracle_message m = any_message();

            (void)compare(&g.set, &m);
            set_vcpu(any(g.count), any_vcpu());
        }
    }
}

/* A host's own set of APICs: a scan for the next one, no index. */
static bool scan_next(void *ctx, const struct vtdpi_compat_msi *msg,
                      struct vtdpi_route_cursor *cursor,
                      struct vtdpi_route_candidate *out)
{
    static bool ended;
    const bool begun = cursor->word[0] != 0;
    uint32_t best = UINT32_MAX;

    /* Not after the end, unless from the beginning. */
    assert_false(begun && ended);
    ended = false;

    assert_ptr_equal(ctx, &g);
    for (uint32_t i = 0; i < g.count; i++) {
        const struct vtdpi_guest_apic apic = apic_of(&g.vcpus[i]);

        if (!vtdpi_guest_apic_matches(&apic, msg) ||
            (begun && (apic.id < cursor->word[1] ||
                       (apic.id == cursor->word[1] && i <= cursor->word[2]))))
            continue;
        if (best == UINT32_MAX || apic.id < g.vcpus[best].id)
            best = i;
    }
    ended = best == UINT32_MAX;
    if (ended)
        return false;
    cursor->word[0] = 1;
    cursor->word[1] = g.vcpus[best].id;
    cursor->word[2] = best;
    out->vcpu = best;
    out->mode = apic_of(&g.vcpus[best]).mode;
    out->enabled = (g.vcpus[best].svr & 0x100) != 0;
    out->attached = g.vcpus[best].has_pid;
    return true;
}

static void test_route_decide_own_apics_agree_with_oracle(void **state)
{
    static const struct vtdpi_apic_set_ops ops = {scan_next};
    const struct vtdpi_apic_set set = {&ops, &g};

    (void)state;
    for (uint64_t done = 0; done < pairs / 20; done++) {
        const struct oracle_message m =
            (fresh_guest(1 + any(8)), any_message());

        (void)compare(&set, &m);
    }
}

static bool same_answer(const struct oracle_answer *a,
                        const struct oracle_answer *b)
{
    return strcmp(a->what, b->what) == 0 && a->takers == b->takers &&
           memcmp(a->taker, b->taker, a->takers * sizeof(a->taker[0])) == 0;
}

/* One change at a time: what a guest, or the host at a hot-plug, does. */
static struct oracle_vcpu changed(struct oracle_vcpu v)
{
    const struct oracle_vcpu other = any_vcpu();

    switch (any(9)) {
    case 0:
        v.id = other.id;
        break;
    case 1:
        v.ldr = other.ldr;
        break;
    case 2:
        v.dfr = other.dfr;
        break;
    case 3:
        v.svr = other.svr;
        break;
    case 4:
        v.apic_base = other.apic_base;
        break;
    case 5:
        v.has_pid = other.has_pid;
        break;
    case 6:
        v.ldr_given = other.ldr_given;
        break;
    default:
        break;
    }
    return v;
}

static void test_route_affects_never_misses_a_change(void **state)
{
    uint64_t said = 0;
    uint64_t had = 0;

    (void)state;
    for (uint64_t done = 0; done < pairs / 10; done++) {
        const uint32_t i = (fresh_guest(1 + any(6)), any(g.count));
        const struct oracle_message m = any_message();
        const struct vtdpi_msi msi = {m.address, m.upper_address, m.data};
        const struct vtdpi_guest_apic before = apic_of(&g.vcpus[i]);
        const struct oracle_vcpu next = changed(g.vcpus[i]);
        const struct vtdpi_guest_apic after = apic_of(&next);
        struct oracle_answer old;
        struct oracle_answer new;
        struct vtdpi_compat_msi msg;

        if (vtdpi_route_decode(&msi, form_of(&m), &msg) != 0)
            continue;
        oracle_ask(g.vcpus, g.count, true, &m, &old);
        set_vcpu(i, next);
        oracle_ask(g.vcpus, g.count, true, &m, &new);
        if (vtdpi_route_affects(&before, &after, &msg))
            said++;
        else if (!same_answer(&old, &new))
            fail_msg("missed: %s to %s", old.what, new.what);
        had += !same_answer(&old, &new);
    }
    /* Saying yes always would not do. */
    print_message("# %" PRIu64 " changes, %" PRIu64 " of %" PRIu64
                  " suspected\n",
                  had, said, pairs / 10);
    assert_true(had > pairs / 1000);
    assert_true(said < 3 * had);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(
            test_route_decide_random_guests_agree_with_oracle, setup),
        cmocka_unit_test_setup(test_route_decide_large_guests_agree_with_oracle,
                               setup),
        cmocka_unit_test_setup(test_route_decide_own_apics_agree_with_oracle,
                               setup),
        cmocka_unit_test_setup(test_route_affects_never_misses_a_change, setup),
    };

    if (argc > 1)
        pairs = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
