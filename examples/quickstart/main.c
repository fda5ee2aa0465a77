/* SPDX-License-Identifier: BSD-2-Clause */

#include "demo.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void die(const char *why)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "quickstart: %s\n", why);
    exit(EXIT_FAILURE);
}

void must(int rc, const char *what)
{
    if (rc == 0)
        return;
    (void)fflush(stdout);
    (void)fprintf(stderr, "quickstart: %s: %s\n", what, vtdpi_strerror(rc));
    exit(EXIT_FAILURE);
}

static bool run(struct demo *d)
{
    bool good;

    machine_start(d);
    machine_print(d);
    putchar('\n');
    good = prologue(d);
    putchar('\n');

    host_start(d);
    interrupts_start(d);
    timeline_start(d);
    world_run(d, d->options.events);
    host_settle(d);
    timeline_end(d);
    putchar('\n');
    good = account_print(d) && good;

    interrupts_stop(d);
    host_stop(d);
    machine_stop(d);
    return good;
}

int main(int argc, char **argv)
{
    static struct demo d;

    switch (options_parse(argc, argv, &d.options)) {
    case OPTIONS_DONE:
        return EXIT_SUCCESS;
    case OPTIONS_BAD:
        return 2;
    case OPTIONS_RUN:
        break;
    }
    if (d.options.dmar != NULL ? !placement_from_file(&d, d.options.dmar)
                               : !placement_built_in(&d))
        return 2;
    d.colour = timeline_wants_colour();
    printf("libvtdpi quickstart: %d pCPUs, %d vCPUs, %d devices, %u unit%s; "
           "seed %" PRIu64 ", %" PRIu64 " events\n\n",
           PCPUS, VCPUS, DEVICES, d.unit_count, d.unit_count == 1 ? "" : "s",
           d.options.seed, d.options.events);
    if (!run(&d))
        return EXIT_FAILURE;
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
