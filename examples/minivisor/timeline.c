/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The timeline: what happened first, in order, a line an event. All CPUs add
 * to it; it is printed in the end, since printing takes longer than all else.
 */

#include "minivisor.h"

#define LINES 48

struct entry {
    uint64_t us;
    uint8_t what;
    uint8_t who;
    uint8_t a;
    uint8_t b;
    uint8_t c;
    int8_t lanes[PCPUS]; /* vCPU in the guest there, or -1 */
};

static struct entry entries[LINES];
static atomic_uint used;

static int8_t lane(const struct pcpu *p)
{
    const struct vcpu *const v = p->vcpu;

    return v != NULL && v->crossings % 2 != 0 ? (int8_t)v->number : -1;
}

void timeline(enum event what, unsigned int who, unsigned int a, unsigned int b,
              unsigned int c)
{
    const unsigned int at = atomic_fetch_add(&used, 1);
    struct entry *const e = &entries[at];

    if (at >= LINES)
        return;
    e->us = now_us();
    e->what = (uint8_t)what;
    e->who = (uint8_t)who;
    e->a = (uint8_t)a;
    e->b = (uint8_t)b;
    e->c = (uint8_t)c;
    for (unsigned int i = 0; i < PCPUS; i++)
        e->lanes[i] = lane(&host.pcpu[i]);
}

/* Why no notification was sent, for the timeline: if ON was set it can have been
 * cleared since, but SN is set as long as the vCPU waits. */
unsigned int timeline_why_none(const struct vcpu *v)
{
    const uint64_t control = vtdpi_pid_snapshot(vtdpi_vcpu_pid(&v->pi));

    return vtdpi_pid_control_decode(control).sn ? NONE_SN : NONE_ON;
}

unsigned int timeline_post(enum vtdpi_post_result result, unsigned int sent)
{
    if (result == VTDPI_POST_NOTIFY)
        return sent;
    return result == VTDPI_POST_SUPPRESSED ? NONE_SN : NONE_ON;
}

/* Text of one column. */
struct text {
    char at[64];
    size_t length;
};

static void add(struct text *t, const char *more)
{
    for (; *more != '\0' && t->length < sizeof(t->at) - 1; more++)
        t->at[t->length++] = *more;
    t->at[t->length] = '\0';
}

static void add_char(struct text *t, char c)
{
    const char one[2] = {c, '\0'};

    add(t, one);
}

static void add_name(struct text *t, char kind, unsigned int number)
{
    add_char(t, kind);
    add_char(t, (char)('0' + number % 10));
}

static void add_vector(struct text *t, unsigned int vector)
{
    static const char digits[] = "0123456789abcdef";

    add_char(t, digits[vector >> 4 & 15]);
    add_char(t, digits[vector & 15]);
}

static void pad(struct text *t, size_t width)
{
    while (t->length < width)
        add(t, " ");
}

static void add_source(struct text *t, unsigned int source)
{
    static const char *const devices[DEVICES] = {"nic.", "ssd."};

    if (source < INTERRUPTS) {
        add(t, devices[source / MESSAGES]);
        add_char(t, (char)('0' + source % MESSAGES));
    } else if (source < SOURCE_IPI) {
        add(t, "emu");
    } else {
        add_name(t, 'v', source - SOURCE_IPI);
    }
}

static void put_post(const struct entry *e, struct text *what,
                     struct text *then)
{
    add(what, "posts ");
    add_vector(what, e->a);
    add(what, " to ");
    add_name(what, 'v', e->b);
    add(then, e->c == ANV       ? "ANV"
              : e->c == WNV     ? "WNV"
              : e->c == SENT    ? "ANV or WNV"
              : e->c == NONE_ON ? "none: ON"
                                : "none: SN");
}

static void put_vcpu(const struct entry *e, struct text *what,
                     struct text *then)
{
    static const char *const verbs[] = {
        [EVENT_RUNS] = "runs on ",
        [EVENT_PREEMPTED] = "is preempted on ",
        [EVENT_HALTS] = "halts on ",
        [EVENT_STAYS] = "halts on ",
    };

    add(what, verbs[e->what]);
    add_name(what, 'p', e->a);
    if (e->what == EVENT_RUNS && e->b != 0 && e->b != e->a) {
        add(what, ", moved from ");
        add_name(what, 'p', e->b);
    }
    if (e->what == EVENT_HALTS) {
        add(then, "sleeps, WNV goes to ");
        add_name(then, 'p', e->b);
    }
    if (e->what == EVENT_STAYS) {
        add(then, "stays: ");
        add_vector(then, e->b);
        add(then, " waits");
    }
}

static void put_rest(const struct entry *e, struct text *what,
                     struct text *then)
{
    switch (e->what) {
    case EVENT_WAKES:
        add(what, "takes WNV");
        add(then, "wakes ");
        add_name(then, 'v', e->a);
        break;
    case EVENT_REMAPPED:
        add(what, "remapped to ");
        add_name(what, 'p', e->b);
        add(then, "host vector ");
        add_vector(then, e->a);
        break;
    case EVENT_MOVES:
        add(what, "moves to ");
        add_name(what, 'v', e->a);
        add(what, ", vector ");
        add_vector(what, e->b);
        add(then, "entry flushed");
        break;
    case EVENT_OFFLINE:
        add(what, "goes offline");
        add(then, "wakes ");
        add_char(then, (char)('0' + e->a % 10));
        add(then, " of those blocked there");
        break;
    default:
        add(what, "leaves the posted form");
        add(then, "entry flushed");
        break;
    }
}

static void print_entry(unsigned int number, const struct entry *e)
{
    struct text lanes = {0};
    struct text who = {0};
    struct text what = {0};
    struct text then = {0};

    for (unsigned int i = 0; i < PCPUS; i++) {
        if (e->lanes[i] < 0)
            add(&lanes, ". ");
        else
            add_name(&lanes, 'v', (unsigned int)e->lanes[i]);
        add(&lanes, " ");
    }
    if (e->what <= EVENT_STAYS) {
        add_name(&who, 'v', e->who);
        put_vcpu(e, &what, &then);
    } else if (e->what == EVENT_POSTS) {
        add_source(&who, e->who);
        put_post(e, &what, &then);
    } else {
        if (e->what == EVENT_WAKES || e->what == EVENT_OFFLINE)
            add_name(&who, 'p', e->who);
        else
            add_source(&who, e->who);
        put_rest(e, &what, &then);
    }
    pad(&who, 6);
    pad(&what, 28);
    print("%7u %6lu  %s %s %s %s\n", number, e->us - entries[0].us, lanes.at,
          who.at, what.at, then.at);
}

void timeline_print(void)
{
    const unsigned int all = atomic_load(&used);

    print("p1, p2: the vCPU in the guest there. ANV, WNV: active and wakeup "
          "notification; none:\nnot sent, since SN (suppress) or ON (one is "
          "outstanding) is set.\n\n");
    print("  event     us  p1 p2  who    what happens                 what "
          "follows\n");
    for (unsigned int i = 0; i < all && i < LINES; i++)
        print_entry(i + 1, &entries[i]);
    if (all > LINES)
        print("    ...  and %u more\n", all - LINES);
    print("\n");
}
