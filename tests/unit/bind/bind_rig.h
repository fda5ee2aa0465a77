/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_BIND_RIG_H
#define VTDPI_TEST_BIND_RIG_H

/*
 * A VM of bind.h over two tables that remember which entry their units use:
 * the one that was there at the last flush. Any call of theirs can be refused.
 * Beside it what the guest and the host have done, so that every decision and
 * every entry can be judged anew, by asking all APICs one by one.
 */
#include "apply.h"
#include "vtdpi/bind.h"

enum {
    RIG_VCPUS = 48,
    RIG_IRQS = 96, /* the first half in table 0 */
    RIG_TABLES = 2,
    RIG_BUCKETS = 16,
    RIG_FIRST = 5, /* index of a table's first interrupt */
    RIG_ENTRIES = RIG_FIRST + RIG_IRQS / RIG_TABLES,
    RIG_REFUSED = -4242,
};

struct rig;

struct rig_table {
    struct rig *rig;
    struct vtdpi_backend backend;
    struct vtdpi_irte entry[RIG_ENTRIES];
    struct vtdpi_irte used[RIG_ENTRIES]; /* by the units */
    unsigned int writes;
    unsigned int commits; /* that had something to flush */
    bool no_posting;      /* the units cannot */
};

struct rig {
    struct vtdpi_platform_ops ops;
    struct vtdpi_sched sched;
    struct vtdpi_page_ref page_slot;
    struct vtdpi_pcpu *pcpu_slot;
    struct vtdpi_pid_page page;
    struct vtdpi_pcpu pcpu;
    uint64_t bitmap[VTDPI_BITMAP_WORDS(1)];
    void *pids;
    unsigned int ipis;
    struct vtdpi_vcpu vcpu[RIG_VCPUS];
    struct rig_table table[RIG_TABLES];
    struct vtdpi_irq irq[RIG_IRQS];

    struct vtdpi_vm vm;
    struct vtdpi_guest_apic map_apics[RIG_VCPUS];
    uint64_t map_keys[VTDPI_ROUTE_MAP_KEYS(RIG_VCPUS)];
    struct vtdpi_vcpu *map_vcpus[RIG_VCPUS];
    struct vtdpi_binding *heads[VTDPI_VM_HEADS(RIG_BUCKETS)];
    struct vtdpi_binding b[RIG_IRQS];

    /* Calls of the tables, and the first and last one that is refused (0:
     * none). */
    unsigned int calls;
    unsigned int refuse;
    unsigned int refuse_to;

    /* What has been done. */
    struct vtdpi_guest_apic apic[RIG_VCPUS];
    bool attached[RIG_VCPUS];
    bool posting;
    enum vtdpi_compat_dest form;
    uint8_t vector_min;
    struct vtdpi_msi msi[RIG_IRQS]; /* in force */
    struct vtdpi_msi under_mask[RIG_IRQS];
    bool has[RIG_IRQS];
    bool has_under_mask[RIG_IRQS];
    bool masked[RIG_IRQS];
    bool bound[RIG_IRQS];
    bool leaving[RIG_IRQS]; /* an unbind has failed */
    bool held;              /* changes are not applied before rig_update() */
};

/* 32-bit destinations, posting on, no vCPU, all interrupts bound with a host
 * form and without a message. */
struct rig *rig_new(enum vtdpi_compat_dest form);
/* The same, with a least vector. */
struct rig *rig_new_least(enum vtdpi_compat_dest form, uint8_t vector_min);
void rig_free(struct rig *r);
int rig_setup(void **state);
int rig_teardown(void **state);

/* Messages: fixed or lowest priority, edge. */
struct vtdpi_msi msi_to(uint32_t dest, uint8_t vector);
struct vtdpi_msi msi_logical(uint32_t dest, uint8_t vector);
struct vtdpi_msi msi_lowest(uint32_t dest, uint8_t vector);

struct vtdpi_guest_apic x2apic(uint32_t id);
struct vtdpi_guest_apic flat(uint32_t id, uint8_t ldr);
struct vtdpi_guest_apic cluster(uint32_t id, uint8_t ldr);

/* The calls of bind.h, with what they do written down. Each applies its change,
 * unless changes are held. */
int rig_message(struct rig *r, unsigned int i, const struct vtdpi_msi *msi);
int rig_apic(struct rig *r, unsigned int vcpu, struct vtdpi_guest_apic apic);
int rig_attach(struct rig *r, unsigned int vcpu);
int rig_detach(struct rig *r, unsigned int vcpu);
int rig_posting(struct rig *r, bool on);
void rig_mask(struct rig *r, unsigned int i);
int rig_unmask(struct rig *r, unsigned int i);
int rig_unbind(struct rig *r, unsigned int i);
void rig_bind(struct rig *r, unsigned int i);
int rig_block(struct rig *r, struct vtdpi_binding *const *b, uint32_t count,
              const struct vtdpi_msi *msi);
void rig_hold(struct rig *r);
/* Tries again what has failed, and applies everything; ends a hold. */
int rig_update(struct rig *r);

/* vCPUs 0 to n - 1 with x2APIC ids of the same numbers, attached. */
void rig_vcpus(struct rig *r, unsigned int n);

/* References of a vCPU that entries hold: all but the VM's own. */
unsigned int rig_refs(const struct rig *r, unsigned int vcpu);

/* Judges everything; nothing is pending. */
void rig_check(struct rig *r);
/* The same for decisions and counters only. */
void rig_check_decisions(struct rig *r);
/* What must hold even while bindings are pending: no PID is written by a unit
 * without a reference. */
void rig_check_held(struct rig *r);

/* Writes of entries and flushes of both tables since the last time. */
void assert_cost(struct rig *r, unsigned int writes, unsigned int commits);
/* Posted to that vCPU; or in the host form, for that reason. */
void assert_post(struct rig *r, unsigned int i, unsigned int vcpu,
                 uint8_t vector);
void assert_host(struct rig *r, unsigned int i, enum vtdpi_route_reason why);

#define RIG_TEST(name) \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

#endif
