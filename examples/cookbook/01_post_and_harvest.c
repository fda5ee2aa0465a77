/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How does a vector get into a descriptor, and out again? Without a unit, a scheduler
 * or a lock: pid.h alone, which needs no library to link.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/pid.h>

enum {
    ANV = 0xf2,  /* the vector of notifications, in every VMCS */
    APIC_ID = 7, /* of the physical CPU that runs the vCPU */
    VAPIC_WORDS = 1024
};

static struct vtdpi_pid pid; /* 64 bytes that the unit and all CPUs can write */
static uint32_t vapic[VAPIC_WORDS]; /* the virtual-APIC page of the VMCS */

static void claim(bool so, const char *what)
{
    (void)printf("%s%s\n", so ? "" : "not so: ", what);
    if (!so)
        exit(1);
}

int main(void)
{
    uint64_t taken[VTDPI_PIR_WORDS];
    struct vtdpi_notification n;

    vtdpi_pid_init(&pid, ANV, vtdpi_ndst_from_apic_id(VTDPI_X2APIC, APIC_ID));

    /* After init SN is set: the vCPU does not run, and nobody is to be told. */
    n = vtdpi_pid_post(&pid, 0x41, false);
    claim(n.result == VTDPI_POST_SUPPRESSED && vtdpi_pid_test(&pid, 0x41),
          "SN is set: 41h is recorded, and nobody is notified");

    /* The vCPU is scheduled in. ON is clear, and 41h waits nevertheless: so a
     * harvest before each VM entry looks at PIR whatever ON says. */
    (void)vtdpi_pid_test_and_clear_sn(&pid);
    claim(vtdpi_pid_harvest(&pid, taken) && vtdpi_pir_highest(taken) == 0x41,
          "the harvest before the VM entry finds 41h");

    /* The vCPU runs. Who posts first sends the notification, others do not. */
    n = vtdpi_pid_post(&pid, 0x51, false);
    claim(n.result == VTDPI_POST_NOTIFY && n.nv == ANV &&
              vtdpi_apic_id_from_ndst(VTDPI_X2APIC, n.ndst) == APIC_ID,
          "51h: the poster sends vector f2h to APIC 7");
    n = vtdpi_pid_post(&pid, 0x33, false);
    claim(n.result == VTDPI_POST_ALREADY,
          "33h: a notification is on its way already");

    /* Harvest and move to the virtual IRR in one call. RVI gets what it returns. */
    claim(vtdpi_pid_merge(&pid, vapic) == 0x51 && !vtdpi_pid_pending(&pid),
          "merged: RVI is 51h, and the descriptor is empty");
    claim(vapic[VTDPI_VAPIC_IRR_WORD + 1 * VTDPI_VAPIC_IRR_STRIDE] == 1 << 19,
          "33h is in the virtual IRR, too");

    /* The harvest has cleared ON, so the next post notifies again. */
    n = vtdpi_pid_post(&pid, 0x33, false);
    claim(n.result == VTDPI_POST_NOTIFY, "the next post notifies again");
    return 0;
}
