/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PLAYGROUND_DESIGN_H
#define PLAYGROUND_DESIGN_H

/*
 * What the playground's two designs have in common: the library's (playground.c
 * calls sched.h), and a list with a lock (list.c), which has windows.
 */

#include "vtdpi/sched.h"

enum {
    PCPUS = 2,
    VCPUS = 3,
    ANV = 0xf2,
    WNV = 0xf1,
};

/* What is wrong with the list. */
enum window {
    NONE,
    PIR_UNSEEN,
    ON_UNSEEN,
    TWO_STEPS,
    LISTED_LAST,
    LIST_UNLOCKED,
    CLEARED_LATE,
    FLAG_FIRST,
};

/* Where an address lies, for the page: the kind, and the number of the vCPU or the
 * pCPU, times 256. */
enum place {
    PLACE_OTHER,
    PLACE_PIR, /* and the number of the word, times 65536 */
    PLACE_CONTROL,
    PLACE_BLOCKED,
    PLACE_MARKS,
    PLACE_SUMMARY,
    PLACE_ONLINE,
    PLACE_SCAN,
    PLACE_COOKIE,
    PLACE_LIST,
    PLACE_NEXT,
    PLACE_LOCK,
    PLACE_ROOM,
    PLACE_PAGE,
    PLACE_COUNT,
};

/* Calls of the page. */
#define IMPORT(name) \
    __attribute__((__import_module__("page"), __import_name__(name)))

IMPORT("interrupts") void page_interrupts(unsigned int on);
IMPORT("send_ipi") void page_send_ipi(uint32_t apic_id, uint32_t vector);
IMPORT("wake") void page_wake(uint32_t vcpu);

/* list.c */
void list_init(enum window w);
void list_run(uint32_t v, struct vtdpi_pid *pid, uint32_t p);
bool list_harvest(struct vtdpi_pid *pid, uint64_t out[VTDPI_PIR_WORDS]);
void list_preempt(uint32_t v, struct vtdpi_pid *pid);
enum vtdpi_block_result list_block(uint32_t v, struct vtdpi_pid *pid,
                                   uint32_t p);
void list_handle_wakeup(uint32_t p, struct vtdpi_pid *const pids[VCPUS]);
void list_online(uint32_t p);
void list_offline(uint32_t p);
uint32_t list_place(const void *p);
uint32_t list_bits(uint32_t p);
bool list_is_locked(uint32_t p);
bool list_is_online(uint32_t p);

#endif
