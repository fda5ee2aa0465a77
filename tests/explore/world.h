/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_EXPLORE_WORLD_H
#define VTDPI_EXPLORE_WORLD_H

/*
 * The host around the code under test: pCPUs that take interrupts at any later
 * time, vCPUs that enter the guest and sleep, units that post. Whatever one
 * fiber may change and another may read is changed in steps of the explorer.
 *
 * Scenarios are scripts, one a thread, of the operations below.
 */

#include "bindings.h"
#include "claims.h"
#include "demux.h"
#include "ipis.h"
#include "engine.h"

enum {
    CPUS = 2,
    VCPUS = 3,
    VECTORS = 4,
    THREADS = 8,
    ANV = 0xf2,
    WNV = 0xf1,       /* that of A */
    WNV_OTHER = 0xe7, /* that of B, if there are two */
};

/* vCPUs; C is attached to A's slot, after A. */
enum {
    A,
    B,
    C
};

/* Guest vectors, by their number here: two in word 1 of PIR, two in word 3. */
enum {
    V65,
    V70,
    V209,
    V210
};

enum op_kind {
    OP_END,
    /* Of the vCPU's owner. */
    OP_RUN,            /* scheduled in on cpu */
    OP_ENTER,          /* sync with interrupts off, VM entry */
    OP_PREEMPT,        /* leave the guest, scheduled out */
    OP_HALT,           /* leave the guest, block on cpu, sleep; then run and
                        * enter on back */
    OP_HALT_COMMITTED, /* the same with block_committed */
    OP_BLOCK,          /* the part of OP_HALT before the sleep */
    OP_BLOCK_COMMITTED,
    OP_SLEEP,  /* until woken; then still blocked */
    OP_SWITCH, /* between block and sleep: out, and in again on cpu */
    OP_SYNC,
    OP_MERGE,  /* into the virtual-APIC page, whose IRR the guest then takes */
    OP_CHOOSE, /* OP_BLOCK on the pCPU that is chosen from cpu's view */
    OP_RESET,  /* discard, and load a new state */
    OP_ATTACH, /* once A, if it is C, has gone; A again: once C has */
    OP_DETACH,
    OP_NAP,   /* sleep, not attached, until woken */
    OP_ADOPT, /* once its page is there */
    /* Of posters. */
    OP_UNIT, /* a unit posts: one step, and the notification */
    OP_UNIT_URGENT,
    OP_POST, /* vtdpi_vcpu_post() */
    OP_POST_URGENT,
    OP_DEVICE,  /* a unit posts where the interrupt's entry says */
    OP_EMULATE, /* the host's virtual APIC sets a vector in the IRR */
    /* Of the administrator. */
    OP_OFFLINE,
    OP_ONLINE,
    OP_RESCAN,    /* WNVs are lost; rescan */
    OP_SPURIOUS,  /* WNV from nowhere; the one of vcpu */
    OP_BIND,      /* the entry names vcpu */
    OP_UNBIND,    /* names nobody; flushed */
    OP_AWAIT_NAP, /* until vcpu naps */
    OP_ADD_PAGE,  /* that of vcpu's slot */
    OP_ADD_PCPU,
    OP_GROW,       /* by the chunk of the last page */
    OP_ADOPT_PAGE, /* that of vcpu's slot */
    OP_RELEASE,    /* vcpu's slot, which is held */
};

struct op {
    uint8_t kind;
    uint8_t vcpu;
    uint8_t cpu; /* or the vector */
    uint8_t back;
};

/* A line of a script: what, of which vCPU, on which pCPU or with which vector,
 * and where the vCPU goes then. */
#define OP(kind, v, on, then) \
    {                         \
        kind, v, on, then     \
    }

#define RUN(v, on)                  OP(OP_RUN, v, on, 0)
#define ENTER(v)                    OP(OP_ENTER, v, 0, 0)
#define PREEMPT(v)                  OP(OP_PREEMPT, v, 0, 0)
#define HALT(v, on, then)           OP(OP_HALT, v, on, then)
#define HALT_COMMITTED(v, on, then) OP(OP_HALT_COMMITTED, v, on, then)
#define BLOCK(v, on)                OP(OP_BLOCK, v, on, 0)
#define BLOCK_COMMITTED(v, on)      OP(OP_BLOCK_COMMITTED, v, on, 0)
#define SLEEP(v)                    OP(OP_SLEEP, v, 0, 0)
#define SWITCH(v, on)               OP(OP_SWITCH, v, on, 0)
#define SYNC(v)                     OP(OP_SYNC, v, 0, 0)
#define MERGE(v)                    OP(OP_MERGE, v, 0, 0)
#define CHOOSE(v, on)               OP(OP_CHOOSE, v, on, 0)
#define RESET(v)                    OP(OP_RESET, v, 0, 0)
#define ATTACH(v)                   OP(OP_ATTACH, v, 0, 0)
#define DETACH(v)                   OP(OP_DETACH, v, 0, 0)
#define NAP(v)                      OP(OP_NAP, v, 0, 0)
#define ADOPT(v)                    OP(OP_ADOPT, v, 0, 0)
#define ADOPT_PAGE(v)               OP(OP_ADOPT_PAGE, v, 0, 0)
#define RELEASE(v)                  OP(OP_RELEASE, v, 0, 0)
#define UNIT(v, vector)             OP(OP_UNIT, v, vector, 0)
#define UNIT_URGENT(v, vector)      OP(OP_UNIT_URGENT, v, vector, 0)
#define POST(v, vector)             OP(OP_POST, v, vector, 0)
#define POST_URGENT(v, vector)      OP(OP_POST_URGENT, v, vector, 0)
#define DEVICE(vector)              OP(OP_DEVICE, 0, vector, 0)
#define EMULATE(v, vector)          OP(OP_EMULATE, v, vector, 0)
#define OFFLINE(cpu)                OP(OP_OFFLINE, 0, cpu, 0)
#define ONLINE(cpu)                 OP(OP_ONLINE, 0, cpu, 0)
#define RESCAN(cpu)                 OP(OP_RESCAN, 0, cpu, 0)
#define SPURIOUS(cpu)               OP(OP_SPURIOUS, A, cpu, 0)
#define SPURIOUS_FOR(v, cpu)        OP(OP_SPURIOUS, v, cpu, 0)
#define BIND(v)                     OP(OP_BIND, v, 0, 0)
#define UNBIND                      OP(OP_UNBIND, 0, 0, 0)
#define ADD_PAGE(v)                 OP(OP_ADD_PAGE, v, 0, 0)
#define GROW                        OP(OP_GROW, 0, 0, 0)
#define ADD_PCPU(cpu)               OP(OP_ADD_PCPU, 0, cpu, 0)
#define AWAIT_NAP(v)                OP(OP_AWAIT_NAP, v, 0, 0)

enum {
    OPS_MAX = 16
};

/* What a thread is for. It decides when the thread counts as quiescent: nothing of it
 * is under way. */
enum role {
    ROLE_NONE,
    ROLE_VCPU,
    ROLE_POSTER,
    ROLE_ADMIN
};

struct script {
    enum role role;
    const char *name;
    struct op op[OPS_MAX];
};

/* A member of scenario.twice. */
#define NAMED(kind) (UINT64_C(1) << (kind))

struct scenario {
    const char *name; /* "5b": the number, and a letter */
    const char *what;
    unsigned int later;  /* vCPUs that are not attached at first, bit each */
    unsigned int bound;  /* preemptions in the default run; 0: all */
    unsigned int wnvs;   /* wakeup vectors; 0: one */
    uint64_t twice;      /* what the issue names: these at least twice */
    bool extra;          /* smaller than the bounds; beside one that is not */
    bool longer;         /* only with --deep, or by its name */
    bool late_page;      /* B's page comes later; nobody is attached at first */
    bool late_pcpu;      /* pCPU 1 comes later */
    bool grows;          /* B's page comes by growing; nobody is attached */
    unsigned int adopts; /* vCPUs of another kernel, bit each; see adoption.c */
    struct script script[THREADS];
    const struct claims *claims;     /* of irq.c; in place of the scripts */
    const struct bindings *bindings; /* of bind.c; the same */
    const struct demux *demux;       /* of hostmsi.c; the same */
    const struct ipis *ipis;         /* of ipiv.c; the same */
};

/* Errors of a host, to see that the scenarios would notice. */
enum host_bug {
    HOST_OK,
    HOST_MARK_AFTER_BLOCK,     /* arms the woken mark after block */
    HOST_ENTERS_AFTER_PENDING, /* VM entry without run */
    HOST_MOVES_WITHOUT_RUN,    /* another pCPU without run */
    HOST_NO_KICK_ON_ATTACH,    /* leaves a sleeping vCPU asleep */
    HOST_SWITCH_UNMARKED,      /* run between block and sleep is no wake */
    HOST_DETACH_AT_ONCE,       /* does not wait for detach */
    HOST_UNREF_BEFORE_FLUSH,   /* reference given back too early */
    HOST_RELEASE_BEFORE_FLUSH, /* a slot given back too early */
    HOST_HANDLERS_OVERLAP,     /* of two wakeup vectors, on one pCPU */
    HOST_HANDLER_TOLD_FIRST,   /* names the first vector, whatever came */
    HOST_SLEEPS_AGAIN,         /* sleeps twice for one block */
    HOST_ARMS_PLAINLY,         /* no error: the woken mark by a plain store */
    HOST_FREES_VECTOR_AT_ONCE, /* without a last harvest of the old pCPU */
    HOST_HARVESTS_BEFORE_MOVE, /* and not after it */
    HOST_NO_LOOK_WHEN_ONLINE,  /* at the descriptor of a pCPU that comes */
    HOST_SETTLED_AT_ONCE,      /* does not wait for exits from the guest */
    HOST_ENTERS_UNFENCED,      /* marks itself in the guest by a plain store */
    HOST_NO_WAKE_AFTER_SET, /* of an entry for a vCPU that sleeps unblocked */
    HOST_BUGS,
};

extern const char *const host_bug_names[HOST_BUGS];

struct world_options {
    const struct scenario *scenario;
    unsigned int leaves; /* words that the vCPUs' slots are spread over */
    enum host_bug bug;
};

/* The world for the engine; valid until the next call. */
const struct ex_world *world_new(const struct world_options *options);

/* For traces: the state in one line, the name of a word, what a fiber does. */
void world_print(FILE *out);
void world_print_name(FILE *out, const uint64_t *addr);
const char *world_doing(unsigned int fiber);

#endif
