/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUICKSTART_DEMO_H
#define QUICKSTART_DEMO_H

/*
 * The quickstart demo: a host with 4 pCPUs, 8 vCPUs and 3 devices, and what
 * its files share. Read host.c first: it is the hypervisor, and what yours
 * would look like. Then vm.c (the guest's side of its interrupts), interrupts.c
 * (the devices' side), machine.c (remapping units, set up once) and replace.c (a
 * new hypervisor takes all of that over). The rest plays hardware, guests and
 * chance, and keeps the account.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vtdpi/bind.h"
#include "vtdpi/dmar.h"
#include "vtdpi/format.h"
#include "vtdpi/irq.h"
#include "vtdpi/model.h"
#include "vtdpi/msi.h"
#include "vtdpi/sched.h"
#include "vtdpi/table.h"
#include "vtdpi/unit.h"

enum {
    PCPUS = 4,
    VCPUS = 8,
    DEVICES = 3,
    MESSAGES = 2, /* of each device: one MSI block */
    INTERRUPTS = DEVICES * MESSAGES,
    PID_PAGES = 2,
    TABLE_ENTRIES = 256,
    ANV = 0xf2,         /* active notification vector, in every VMCS */
    WNV = 0xf1,         /* wakeup notification vector */
    HOST_VECTOR = 0x31, /* of interrupt 0 in remapped form; then upwards */
    VECTORS = 256,
    NOWHERE = PCPUS, /* no pCPU yet */
    /* The pCPU that goes offline now and then; no host form names it. */
    HOTPLUGGED = PCPUS - 1,
};

struct options {
    uint64_t seed;
    uint64_t events;
    uint64_t show; /* events printed */
    const char *dmar;
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_DONE, /* --help */
    OPTIONS_BAD,
};

/* Memory of a unit's invalidation queue. */
struct queue {
    void *ring;
    uint64_t ring_phys;
    uint32_t *status;
    uint64_t status_phys;
};

/* A remapping unit: the model of its hardware, and the library's driver. */
struct unit {
    struct vtdpi_model hardware;
    struct vtdpi_unit driver;
    struct vtdpi_table_unit link;
    struct vtdpi_model_iec_entry cache[TABLE_ENTRIES];
    struct queue queues[2]; /* the driver's, and the next one's */
    unsigned int queue;     /* which is the driver's */
    uint64_t base;
    uint64_t ecap;
    uint16_t segment;
};

struct device {
    const char *name;
    uint16_t segment;
    uint16_t sid; /* source id: bus, device, function */
    unsigned int unit;
    const char *why; /* what places it under that unit */
};

/* What the guest sees of interrupts: its virtual APIC, and its own account. */
struct guest {
    uint64_t irr[VTDPI_PIR_WORDS];
    uint64_t received[VECTORS]; /* delivered into the virtual APIC */
    uint64_t coalesced;         /* ... whose IRR bit was set already */
    uint64_t handled;           /* taken by the guest's handlers */
};

enum vcpu_state {
    READY,   /* waits for a pCPU */
    RUNNING, /* has one */
    ASLEEP,  /* halted; only a wake ends it */
};

struct vcpu {
    struct vtdpi_vcpu pi; /* the library's part */
    uint64_t pda;         /* where its descriptor is */
    enum vcpu_state state;
    bool woken; /* sticky: a wake came since the halt began */
    unsigned int number;
    unsigned int last; /* the pCPU that it ran on */
    struct guest guest;
};

struct pcpu {
    struct vtdpi_pcpu pi; /* the library's part */
    uint64_t bitmap[VTDPI_BITMAP_WORDS(PID_PAGES)];
    unsigned int number;
    uint32_t apic_id;
    struct vcpu *running;
    bool in_guest; /* else in the hypervisor, or idle */
    bool busy;     /* in the middle of something, interrupts off */
    bool offline;
    bool pending[VECTORS]; /* its local APIC's interrupt requests */
};

/* An interrupt of an assigned device. */
struct interrupt {
    struct vtdpi_irq pi;          /* the library's part: the entry ... */
    struct vtdpi_binding binding; /* ... and what the guest makes of it */
    struct device *device;
    unsigned int number;
    unsigned int which;       /* of the device's messages */
    struct vtdpi_msi msi;     /* what the device is programmed with */
    struct vtdpi_msi message; /* what the guest believes that it has written */
    struct vcpu *vcpu;        /* where the guest wants it, by that message, */
    uint8_t vector;           /* ... with which vector, */
    bool level;               /* ... and whether level-triggered */
    bool masked;              /* the device sends nothing */
    struct pcpu *host_cpu;    /* where the host form sends it */
    bool changing;            /* its entry is being changed */
};

/* Kept by those who raise interrupts; the guests keep their own. */
struct account {
    /* Per vCPU and vector: by devices and by software together. */
    uint64_t raised[VCPUS][VECTORS];
    uint64_t merged[VCPUS][VECTORS];
    uint64_t by_units, by_units_merged;
    uint64_t by_software, by_software_merged;
    uint64_t prologue;        /* device interrupts before the run */
    uint64_t remapped;        /* device interrupts in remapped form */
    uint64_t remapped_merged; /* ... while that vector was pending */
    uint64_t relayed;         /* ... handed to the guest by software */
    uint64_t sent[VECTORS];   /* notifications, by vector */
    uint64_t wakes, runs, migrations, halts, preempts, retargets, falls;
    uint64_t offlines;
    uint64_t replacements;   /* of the hypervisor */
    uint64_t while_replaced; /* device interrupts in that time */
    uint64_t anv_in_guest, anv_in_host;
    uint64_t between;    /* events between two atomic steps */
    uint64_t exits_wake; /* external-interrupt exits of this run */
    uint64_t exits_relay;
    uint64_t exits_remapping_only; /* see account.c for the rule */
    /* Wrong, each of them. */
    uint64_t stale;      /* delivered by an entry that was replaced */
    uint64_t blocked;    /* refused by a unit */
    uint64_t overlooked; /* something posted, and nobody on the way */
    char first_overlooked[96];
};

/* One line of the timeline while it is being composed. */
struct line {
    struct line *outer;
    char who[8];
    char what[48];
    char then[64];
    bool in_then; /* vectors belong to then, else to what */
    bool notable; /* shown once, also if it comes late */
};

enum {
    LINES_BETWEEN = 8
};

struct timeline {
    uint64_t show;
    uint64_t events;
    uint64_t shown;
    bool notable_shown;
    struct line *current;
    struct line between[LINES_BETWEEN]; /* until the line around them is out */
    unsigned int between_count;
};

struct demo {
    struct options options;
    bool colour;
    uint64_t random;

    /* Physical memory: one block. */
    unsigned char *memory;
    uint64_t memory_phys;
    size_t memory_size;
    size_t memory_used;

    unsigned int haw; /* host address width */
    bool firmware_intr_remap;
    bool firmware_x2apic_optout;
    int table_note; /* what the table has that does no harm, 0 for nothing ... */
    struct vtdpi_dmar_problem note; /* ... and where */
    unsigned int unit_count;
    struct unit *units;
    struct device devices[DEVICES];
    struct vtdpi_table table;
    struct vtdpi_irte *entries;
    uint64_t entries_phys;
    void *table_storage;
    void *shadow;
    struct vtdpi_model_view view; /* what units that do not snoop see */

    struct vtdpi_platform_ops ops; /* of the scheduling instance */
    struct vtdpi_sched sched;
    void *pids[PID_PAGES]; /* the descriptors' memory */
    uint64_t pids_phys[PID_PAGES];
    struct vtdpi_page_ref pages[PID_PAGES];
    struct vtdpi_pcpu *pcpu_slots[PCPUS];
    struct vtdpi_pid_page page[PID_PAGES];
    struct pcpu pcpu[PCPUS];
    struct vcpu vcpu[VCPUS];
    struct interrupt interrupts[INTERRUPTS];

    struct vtdpi_vm vm; /* the library's part; the next four are its memory */
    struct vtdpi_guest_apic vm_apics[VCPUS];
    uint64_t vm_keys[VTDPI_ROUTE_MAP_KEYS(VCPUS)];
    struct vtdpi_vcpu *vm_vcpus[VCPUS];
    struct vtdpi_binding *vm_heads[VTDPI_VM_HEADS(VCPUS)];
    bool vm_locked;

    bool between;            /* now between two atomic steps of something */
    bool replacing;          /* no hypervisor: nothing moves but devices */
    unsigned int steps_left; /* events that still fit between its steps */

    struct account account;
    struct timeline timeline;
};

/* options.c */
enum options_result options_parse(int argc, char **argv, struct options *o);

/* placement.c: units and devices, built in or from a DMAR table. False: said
 * why on stderr. */
bool placement_built_in(struct demo *d);
bool placement_from_file(struct demo *d, const char *path);

/* machine.c */
void machine_start(struct demo *d);
void machine_print(const struct demo *d);
void machine_stop(struct demo *d);
void *machine_memory(struct demo *d, size_t size, size_t align, uint64_t *phys);
uint32_t machine_apic_id(unsigned int pcpu);
struct pcpu *machine_pcpu(struct demo *d, uint32_t apic_id);
void machine_notify(struct demo *d, uint32_t apic_id, uint8_t vector);
const struct vtdpi_pid *machine_pid(const struct demo *d, uint64_t pda);
void machine_start_table(struct demo *d, bool adopt);
void machine_start_unit(struct demo *d, struct unit *u, bool adopt);

/* prologue.c: a stale entry, made and caught. False: the model did not. */
bool prologue(struct demo *d);

/* host.c: each tries one event, and tells whether there was one to do. */
void host_start(struct demo *d);
void host_start_sched(struct demo *d);
void host_start_pcpus(struct demo *d);
void host_stop(struct demo *d);
bool host_schedule(struct demo *d);
bool host_preempt(struct demo *d);
bool host_halt(struct demo *d);
bool host_interrupt(struct demo *d);
bool host_emulated_device(struct demo *d);
bool host_guest_handles(struct demo *d);
bool host_hotplug(struct demo *d);
void host_settle(struct demo *d);

/* replace.c: as host.c. */
bool replace_hypervisor(struct demo *d);

/* vm.c: what the guest does to its interrupts. */
void vm_start(struct demo *d);
void vm_stop(struct demo *d);
void vm_bind(struct demo *d, struct interrupt *i);
void vm_adopt(struct demo *d, struct interrupt *i);
void vm_unbind(struct demo *d, struct interrupt *i);
void vm_write_message(struct demo *d, struct interrupt *i,
                      const struct vtdpi_msi *message);
void vm_mask(struct demo *d, struct interrupt *i);
void vm_unmask(struct demo *d, struct interrupt *i);

/* interrupts.c: as host.c, for device interrupts. */
void interrupts_start(struct demo *d);
void interrupts_adopt(struct demo *d, struct interrupt *i, uint32_t index);
void interrupts_stop(struct demo *d);
bool interrupts_raise(struct demo *d);
bool interrupts_retarget(struct demo *d);
bool interrupts_change_form(struct demo *d);
bool interrupts_move_host_form(struct demo *d);

/* guest.c: the processor's part and the guest's. */
void guest_receive(struct guest *g, const uint64_t taken[VTDPI_PIR_WORDS]);
bool guest_pending(const struct guest *g);
void guest_handle(struct guest *g);
bool processor_process_posted(struct vtdpi_pid *pid,
                              uint64_t taken[VTDPI_PIR_WORDS]);

/* world.c */
void world_run(struct demo *d, uint64_t count);
uint32_t world_random(struct demo *d, uint32_t below);
void world_goes_on(struct demo *d);
void world_begin_replacement(struct demo *d);
void world_end_replacement(struct demo *d);

/* account.c */
void account_raised(struct demo *d, const struct vcpu *v, uint8_t vector,
                    bool merged);
void account_check(struct demo *d);
bool account_print(const struct demo *d);

/* timeline.c: also what is in colour, where there is any */
bool timeline_wants_colour(void);
/* A line of format.h, broken between fields. */
void put_fields(const char *line);
void put_heading(const struct demo *d, const char *text);
void put_result(const struct demo *d, bool good, const char *text);
void timeline_start(struct demo *d);
void timeline_end(const struct demo *d);
void line_begin(struct demo *d, struct line *l, const char *who, ...)
    __attribute__((__format__(__printf__, 3, 4)));
void line_what(struct demo *d, const char *format, ...)
    __attribute__((__format__(__printf__, 2, 3)));
void line_then(struct demo *d, const char *format, ...)
    __attribute__((__format__(__printf__, 2, 3)));
/* Adds vectors to what was composed last. */
void line_vectors(struct demo *d, const uint64_t set[VTDPI_PIR_WORDS]);
/* Why a post sends no notification. */
void line_none(struct demo *d, const struct vcpu *v);
void line_end(struct demo *d, struct line *l);

/* main.c: for calls that can only fail by a bug: says so and exits. */
void must(int rc, const char *what);
void die(const char *why) __attribute__((__noreturn__));

#endif
