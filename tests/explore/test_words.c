/* SPDX-License-Identifier: BSD-2-Clause */
/* What the words of explore_kernel.h come to, apart from steps: outside of a schedule. */
#include <stdio.h>

#include "vtdpi/explore_kernel.h"

struct entry {
    int number;
    struct list_head link;
};

static struct list_head head;
static DEFINE_PER_CPU(u32, counter);
static unsigned int reports;
static bool failed;

static void report(bool good, const char *what)
{
    printf("%s %u - %s\n", good ? "ok" : "not ok", ++reports, what);
    failed = failed || !good;
}

/* The numbers in the list as digits; backwards, too. */
static bool list_is(unsigned int digits)
{
    unsigned int forth = 0;
    unsigned int back = 0;
    unsigned int unit = 1;
    struct entry *e;

    list_for_each_entry(e, &head, link) forth =
        forth * 10 + (unsigned int)e->number;
    for (struct list_head *l = head.prev; l != &head; l = l->prev) {
        back += (unsigned int)list_entry(l, struct entry, link)->number * unit;
        unit *= 10;
    }
    return forth == digits && back == digits;
}

static void test_lists(void)
{
    struct entry entry[] = {{.number = 1}, {.number = 2}, {.number = 3}};

    INIT_LIST_HEAD(&head);
    report(list_empty(&head), "a new list is empty");
    list_add_tail(&entry[0].link, &head);
    list_add_tail(&entry[1].link, &head);
    list_add(&entry[2].link, &head);
    report(list_is(312) && !list_empty(&head), "list_add, list_add_tail");
    report(list_first_entry(&head, struct entry, link) == &entry[2],
           "list_first_entry");
    list_move(&entry[1].link, &head);
    report(list_is(231), "list_move");
    list_move_tail(&entry[2].link, &head);
    report(list_is(213), "list_move_tail");
    list_del_init(&entry[0].link);
    report(list_is(23) && list_empty(&entry[0].link), "list_del_init");
}

static void test_bitmaps(void)
{
    DECLARE_BITMAP(map, 130) = {0};
    bool good = true;

    report(sizeof map == 24, "DECLARE_BITMAP rounds up");
    for (unsigned int i = 0; i < 192; i++) {
        set_bit(i, map);
        good = good && bitmap_empty(map, 130) == (i >= 130) &&
               !bitmap_empty(map, 192);
        clear_bit(i, map);
    }
    report(good && bitmap_empty(map, 130), "bitmap_empty looks at its bits");
}

static void test_assertions(void)
{
    report(!WARN_ON(false) && !WARN(NULL, "%d", 1), "WARN_ON of nothing");
    report(WARN_ON(4) && WARN_ONCE(head.next, "%d", 1), "WARN_ON has a value");
}

static void test_cpus(void)
{
    *per_cpu_ptr(&counter, 1) = 3;
    *this_cpu_ptr(&counter) = 5;
    report(per_cpu(counter, 1) == 3 &&
               per_cpu(counter, VTDPI_EXPLORE_ELSEWHERE) == 5 &&
               this_cpu(counter) == 5,
           "per_cpu_ptr, this_cpu_ptr");
    report(!irqs_disabled(), "irqs_disabled: not elsewhere");
}

int main(void)
{
    test_lists();
    test_bitmaps();
    test_assertions();
    test_cpus();
    printf("1..%u\n", reports);
    return failed;
}
