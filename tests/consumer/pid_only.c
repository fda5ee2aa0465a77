/* SPDX-License-Identifier: BSD-2-Clause */
/* Who wants only the descriptor's operations links no library at all. */
#include <vtdpi/pid.h>

static struct vtdpi_pid pid;

int main(void)
{
    struct vtdpi_notification notification;

    vtdpi_pid_init(&pid, 0xf2, 1);
    vtdpi_pid_retarget(&pid, 0xf2, 1);
    (void)vtdpi_pid_test_and_clear_sn(&pid);
    notification = vtdpi_pid_post(&pid, 0x41, false);
    return notification.result == VTDPI_POST_NOTIFY &&
                   notification.nv == 0xf2 && vtdpi_pid_pending(&pid)
               ? 0
               : 1;
}
