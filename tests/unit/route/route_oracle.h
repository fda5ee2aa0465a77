/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_ROUTE_ORACLE_H
#define VTDPI_ROUTE_ORACLE_H

/*
 * Where an interrupt goes, from the SDM's wording: registers in, an answer
 * out. Slow and obvious. Shares nothing with the library, not even a header.
 */

#include <stdbool.h>
#include <stdint.h>

#define ORACLE_VCPUS 1024

/* A vCPU: its registers, and whether it could be posted to. */
struct oracle_vcpu {
    uint64_t apic_base; /* bit 11: enabled, bit 10: x2APIC mode */
    uint32_t id;        /* as a number, in whichever mode */
    uint32_t ldr;
    uint32_t dfr;
    uint32_t svr;
    bool has_pid;
    bool ldr_given; /* x2APIC mode: ldr is what the guest reads */
};

/* A message, and where the guest was told to put the destination. */
struct oracle_message {
    uint32_t address;
    uint32_t upper_address;
    uint32_t data;
    int destination_bits;  /* 8, 15 or 32 */
    uint32_t least_vector; /* that the guest takes as posted */
};

struct oracle_answer {
    const char *what; /* "post", or what keeps it from being posted */
    bool malformed;   /* not a message at all */
    bool arbitrated;  /* one of several was chosen to take it */
    uint32_t vcpu;    /* the only one who takes it, if there is just one */
    uint32_t takers;
    uint32_t taker[ORACLE_VCPUS]; /* in ascending order of APIC id */
};

void oracle_ask(const struct oracle_vcpu *vcpus, uint32_t count, bool posting,
                const struct oracle_message *message,
                struct oracle_answer *answer);

#endif
