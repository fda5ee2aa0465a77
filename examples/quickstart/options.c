/* SPDX-License-Identifier: BSD-2-Clause */

#include "demo.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_SEED   1
#define DEFAULT_EVENTS 2000
#define DEFAULT_SHOW   48
#define EVENTS_MAX     UINT64_C(100000000)

static void usage(void)
{
    printf(
        "usage: quickstart [--seed N] [--events N] [--show N | --all]\n"
        "                  [--dmar FILE]\n"
        "\n"
        "Interrupts of 3 assigned devices are posted to 8 vCPUs, which run on "
        "4 pCPUs,\n"
        "are preempted, halt, are woken and migrate, on modelled remapping "
        "units. Now and\n"
        "then the hypervisor is replaced while devices go on. Chance decides "
        "what happens\n"
        "next, and what happens between the atomic steps of that.\n"
        "\n"
        "  --seed N      chance's seed; the same seed, the same run (%d)\n"
        "  --events N    events of the run (%d)\n"
        "  --show N      events that the timeline shows (%d)\n"
        "  --all         the timeline shows all of them\n"
        "  --dmar FILE   take units and device scopes from an ACPI DMAR table, "
        "as\n"
        "                /sys/firmware/acpi/tables/DMAR (which only root can "
        "read)\n"
        "  --help        this text\n"
        "\n"
        "Colour only on a terminal, and not if NO_COLOR is set.\n"
        "\n"
        "Status: 0 if every interrupt is accounted for, 1 if one is not, 2 "
        "after bad\n"
        "input.\n",
        DEFAULT_SEED, DEFAULT_EVENTS, DEFAULT_SHOW);
}

/* All of the text, and not more than max; any base that C knows. */
static bool parse_number(const char *option, const char *text, uint64_t max,
                         uint64_t *out)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
        value > max) {
        (void)fprintf(stderr,
                      "quickstart: --%s: \"%s\" is not a number up to %llu\n",
                      option, text, (unsigned long long)max);
        return false;
    }
    *out = value;
    return true;
}

enum options_result options_parse(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},
        {"events", required_argument, NULL, 'e'},
        {"show", required_argument, NULL, 'n'},
        {"all", no_argument, NULL, 'a'},
        {"dmar", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int c;

    *o = (struct options){DEFAULT_SEED, DEFAULT_EVENTS, DEFAULT_SHOW, NULL};
    while (good && (c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 's':
            good = parse_number("seed", optarg, UINT64_MAX, &o->seed);
            break;
        case 'e':
            good = parse_number("events", optarg, EVENTS_MAX, &o->events);
            break;
        case 'n':
            good = parse_number("show", optarg, UINT64_MAX, &o->show);
            break;
        case 'a':
            o->show = UINT64_MAX;
            break;
        case 'd':
            o->dmar = optarg;
            break;
        case 'h':
            usage();
            return OPTIONS_DONE;
        default:
            good = false; /* getopt_long has said why */
            break;
        }
    }
    if (good && optind < argc) {
        (void)fprintf(stderr, "quickstart: \"%s\": no such argument\n",
                      argv[optind]);
        good = false;
    }
    if (!good)
        (void)fputs("Try --help.\n", stderr);
    return good ? OPTIONS_RUN : OPTIONS_BAD;
}
