/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_LIBRARY_H
#define VTDPI_EXPLORE_LIBRARY_H

/* This library as the subject: its memory, and what its hooks share. */

#include "hooks.h"
#include "subject.h"
#include "world_internal.h"

enum {
    PAGES = 2,
    FIRST_PAGES = VTDPI_CHUNK_PAGES, /* of an instance that grows */
};

struct library_cpu {
    struct vtdpi_pcpu pcpu;
    /* For each page a leaf word and its wake marks; then the summary. */
    uint64_t bitmap[VTDPI_BITMAP_WORDS(FIRST_PAGES) + 2];
    uint64_t part[VTDPI_CHUNK_WORDS]; /* of the chunk that comes later */
};

/* An arena of the explorer. */
struct library {
    _Alignas(4096) unsigned char memory[PAGES][VTDPI_PAGE_SIZE];
    struct vtdpi_sched s;
    struct vtdpi_pid_page page[PAGES];
    struct vtdpi_page_ref pages[FIRST_PAGES];
    struct vtdpi_page_ref *chunks[1];
    struct vtdpi_page_ref refs[VTDPI_CHUNK_PAGES]; /* of that chunk */
    struct vtdpi_page_ref wrong_refs[1]; /* found before those are there */
    struct vtdpi_pid_page wrong_page;
    struct vtdpi_pcpu *pcpus[CPUS];
    struct library_cpu cpu[CPUS];
    struct vtdpi_vcpu vcpu[VCPUS];
};

extern struct library library;

/* library.c */
uint32_t slot_of(unsigned int vcpu);
/* Pages are counted from 0 here, whatever their numbers; the last one is in the
 * chunk that comes later, if the instance grows. */
uint32_t page_number(unsigned int page);
unsigned int page_of(uint32_t slot);
const struct vtdpi_page_ref *page_ref_of(unsigned int vcpu);
/* A PID page's two words on a pCPU: blocked bits and wake marks. */
uint64_t *leaf_word(unsigned int cpu, unsigned int page);
uint64_t *mark_word(unsigned int cpu, unsigned int page);
uint64_t *summary_word(unsigned int cpu);
bool bit_is_set(unsigned int cpu, unsigned int vcpu);
struct vtdpi_pid *library_pid(unsigned int vcpu);
void library_set_up(void);
void library_ranges(void);
void add_page(unsigned int page);
void grow(void);
void add_pcpu(unsigned int cpu);

/* adoption.c */
void set_up_adoption(void);
void op_adopt_page(unsigned int vcpu);
void op_adopt(struct host_vcpu *v);
void op_release(struct host_vcpu *v);
int attach_released(struct host_vcpu *v);

/* library_checks.c */
void library_check_step(unsigned int vcpu, uint64_t control);
bool library_may_notify(unsigned int cpu);
void library_check_control(unsigned int vcpu, uint64_t old, uint64_t value);
void library_check_word(const uint64_t *addr, uint64_t old, uint64_t value);
void library_check_free(unsigned int vcpu);
void library_check_wake(unsigned int vcpu);
void library_print_vcpu(FILE *out, unsigned int vcpu);
void library_print_cpu(FILE *out, unsigned int cpu);
void library_print_name(FILE *out, const uint64_t *addr);

#endif
