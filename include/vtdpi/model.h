/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_MODEL_H
#define VTDPI_MODEL_H

/**
 * @file
 * @brief A software model of a remapping unit (library vtdpi-model).
 *
 * Registers with their write semantics, the invalidation queue, the interrupt
 * entry cache, remapping and source-id checks, posting, fault recording: what
 * a driver of such a unit can be tested against, without one. It shares no
 * code with the library but register names and atomic operations, so that it
 * can judge the library.
 *
 * The model also checks its user: an access of the wrong width, two commands
 * in one GCMD write, a misaligned table, a nested lock and the like are
 * counted as violations, see enum vtdpi_model_violation_kind. A good driver
 * causes none.
 *
 * Freestanding; no globals; any number of models; all memory is the caller's.
 * Deterministic: the same calls with the same seed do the same.
 *
 * Shortest use:
 * @code
 * struct vtdpi_model m;
 * const struct vtdpi_model_params params = {
 *     .ver = 0x10, .cap = 0x08d2078c106f0466, .ecap = 0xf020df,
 *     .map = my_map, .iec = cache, .iec_slots = 256,
 *     .notifications = queue, .notification_slots = 64,
 * };
 * vtdpi_model_init(&m, &params);
 * ... a driver, with vtdpi_model_platform_ops and &m as its context ...
 * vtdpi_model_msi(&m, sid, address, data, &result);
 * @endcode
 *
 * **Who may call what when.** Functions on one model are called by one thread
 * at a time. With vtdpi_model_params.concurrent the model takes a spin lock of
 * its own and may be called by several CPUs, with interrupts off on each or
 * from one context only; callbacks must then not call back into the model.
 * Functions that take a const model are queries and take no lock: call them
 * when no other call is running.
 * Without it callbacks may call vtdpi_model_msi(), vtdpi_model_rte(), the
 * fault-mode functions and all queries; a step hook is not called again while
 * it runs.
 *
 * **Memory.** All memory that the unit reads or writes is reached through
 * vtdpi_model_params.map. The queue, status words and posted-interrupt
 * descriptors are always coherent, as in real systems. Interrupt-remapping
 * tables are, too, if ECAP.C = 1; else the unit sees a struct vtdpi_model_view
 * of them, which only changes when the driver cleans cache lines.
 */

#include "vtdpi/compiler.h"
#include "vtdpi/platform.h"
#include "vtdpi/regs.h"

VTDPI_BEGIN_DECLS

struct vtdpi_model;

/** Most fault recording registers that a unit can have. */
#define VTDPI_MODEL_FRCD_MAX  256

/** Descriptors that are fetched but have not taken effect yet, at most. */
#define VTDPI_MODEL_FETCH_MAX 32

/** Posts in flight, at most (VTDPI_MODEL_FAULT_POST_LATE). */
#define VTDPI_MODEL_POST_MAX  16

/** @brief Where a step hook is called: always before the thing happens. */
enum vtdpi_model_step {
    VTDPI_MODEL_STEP_READ,     /**< A register is read. */
    VTDPI_MODEL_STEP_WRITE,    /**< A register is written. */
    VTDPI_MODEL_STEP_FETCH,    /**< A descriptor is fetched; IQH moves. */
    VTDPI_MODEL_STEP_COMPLETE, /**< A fetched descriptor takes effect. */
    VTDPI_MODEL_STEP_STATUS,   /**< A wait descriptor's status is written. */
    VTDPI_MODEL_STEP_REQUEST,  /**< An interrupt request is looked at. */
    VTDPI_MODEL_STEP_IRTE,     /**< A table entry is read from memory. */
    VTDPI_MODEL_STEP_PID,      /**< A descriptor's PIR is updated. */
    VTDPI_MODEL_STEP_CONTROL,  /**< ... then its control word (only with
                                    vtdpi_model_params.split_post). */
    VTDPI_MODEL_STEP_NOTIFY,   /**< A notification is sent. */
    VTDPI_MODEL_STEP_FAULT,    /**< A fault is recorded. */
    VTDPI_MODEL_STEP_EVENT,    /**< A fault or completion event is sent. */
};

/** Number of enum vtdpi_model_step values. */
#define VTDPI_MODEL_STEPS 12

/**
 * @brief Named ways in which a unit misbehaves or is slow.
 *
 * Set and cleared at any time; all are off after init. "arg" is that of
 * vtdpi_model_set_fault(). A tick is one register access, one now_us or one
 * relax of vtdpi_model_platform_ops, or one vtdpi_model_tick().
 */
enum vtdpi_model_fault {
    /** The GSTS bits in arg keep their value; commands that would change them
     *  are not executed. */
    VTDPI_MODEL_FAULT_GSTS_STUCK,
    /** A command is executed, and shows in GSTS, arg ticks late. Until then the
     *  unit ignores further commands. */
    VTDPI_MODEL_FAULT_GSTS_LATE,
    /** The next descriptor that is fetched is refused as ill-formed: IQE. Goes
     *  off by itself. */
    VTDPI_MODEL_FAULT_IQE,
    /** The next wait descriptor is fetched, then aborted with all waits that
     *  are fetched and not completed: ITE; arg is the SID for IQER. IQH stays
     *  behind it; fetching goes on when ITE is cleared. Goes off by itself. */
    VTDPI_MODEL_FAULT_ITE,
    /** As VTDPI_MODEL_FAULT_ITE, but found before that wait is fetched: IQH
     *  stays at it, and it is fetched again, and completes, after ITE is
     *  cleared. Waits fetched before it are aborted. Goes off by itself. */
    VTDPI_MODEL_FAULT_ITE_UNFETCHED,
    /** The next wait descriptor completes, but ICE is set; arg is the SID for
     *  IQER. Goes off by itself. */
    VTDPI_MODEL_FAULT_ICE,
    /** Fetched descriptors (invalidations as well as status writes) take
     *  effect arg ticks after their fetch, in order. */
    VTDPI_MODEL_FAULT_STATUS_LATE,
    /** Wait descriptors complete without their status write or interrupt. */
    VTDPI_MODEL_FAULT_STATUS_NEVER,
    /** Nothing is fetched any more, and no error is reported. */
    VTDPI_MODEL_FAULT_QUEUE_STUCK,
    /** IQH reads as arg, whatever is fetched. */
    VTDPI_MODEL_FAULT_IQH_STUCK,
    /** Every register reads as all ones and ignores writes: the unit is gone.
     *  See vtdpi_model_vanish(). */
    VTDPI_MODEL_FAULT_ALL_ONES,
    /** IQER reads as zero, as on units that lack it. */
    VTDPI_MODEL_FAULT_IQER_ZERO,
    /** Reads of the interrupt-remapping table fail: reason 23h. */
    VTDPI_MODEL_FAULT_TABLE_ACCESS,
    /** Accesses to posted-interrupt descriptors fail: reason 27h. */
    VTDPI_MODEL_FAULT_PID_ACCESS,
    /** Posts stay in flight: an interrupt whose entry was read already reaches
     *  its descriptor only at the next register read, at
     *  vtdpi_model_drain(), or when VTDPI_MODEL_POST_MAX are in flight. A
     *  driver that reuses a descriptor without a draining read is caught. */
    VTDPI_MODEL_FAULT_POST_LATE,
    /** The entry cache keeps what it has: it replaces nothing for lack of
     *  room. As stale as a cache can be. */
    VTDPI_MODEL_FAULT_IEC_STICKY,
    /** Before one look-up in arg (on average, by the seed) the entry is
     *  dropped from the cache: what is forgotten early. */
    VTDPI_MODEL_FAULT_IEC_EVICT,
    /** F of the fault record with number arg cannot be cleared. */
    VTDPI_MODEL_FAULT_FRCD_STUCK,
    /** The FSTS bits in arg cannot be cleared by writing them. */
    VTDPI_MODEL_FAULT_FSTS_STUCK,
    /** The next command with a GCMD bit of arg is put aside and executed late,
     *  also after the driver has given up waiting for it; arg is
     *  VTDPI_MODEL_LATE(). Until then GSTS shows the command as running. The
     *  unit executes other commands until then, but each is a violation,
     *  VTDPI_MODEL_COMMAND_PENDING. When a late SIRTP or SRTP is executed, it
     *  latches what its register holds then. A late command whose bit already is
     *  as commanded does nothing. Goes off by itself when it has put a command
     *  aside; set again, it puts aside one more. Clearing it executes what was
     *  put aside, also when it has gone off: a step hook can so choose the
     *  access before which that happens. */
    VTDPI_MODEL_FAULT_COMMAND_LATE,
};

/** Number of enum vtdpi_model_fault values. */
#define VTDPI_MODEL_FAULTS 20

/** As @p us of VTDPI_MODEL_LATE(): not before the fault mode is cleared. */
#define VTDPI_MODEL_NEVER  UINT32_MAX

/**
 * @brief Argument of VTDPI_MODEL_FAULT_COMMAND_LATE.
 *
 * @param bits  Bits of GCMD.
 * @param us    The command is executed at the first tick that is this many
 *              microseconds of the virtual clock later; at most
 *              VTDPI_MODEL_NEVER.
 */
#define VTDPI_MODEL_LATE(bits, us) \
    (VTDPI_CAST_(uint64_t, us) << 32 | VTDPI_CAST_(uint32_t, bits))

/** @brief What a user of the unit did wrong. */
enum vtdpi_model_violation_kind {
    VTDPI_MODEL_OK = 0, /**< Nothing. */

    /* Register accesses; where is the offset, value what was written. */
    VTDPI_MODEL_BAD_WIDTH,     /**< Register accessed with another width. */
    VTDPI_MODEL_BAD_ALIGNMENT, /**< Offset not aligned to the width. */
    VTDPI_MODEL_NO_REGISTER,   /**< No such register in this unit. */
    VTDPI_MODEL_BEYOND_WINDOW, /**< Not inside vtdpi_model_params.window_bytes:
                                       nothing is mapped there. */
    VTDPI_MODEL_READ_ONLY,     /**< Write to a read-only register. */
    VTDPI_MODEL_WRITE_ONLY,    /**< Read of a write-only register. */
    VTDPI_MODEL_RESERVED_BITS, /**< Reserved bits written as one. */
    VTDPI_MODEL_UNSUPPORTED,   /**< Needs a capability that is absent. */
    VTDPI_MODEL_MULTI_COMMAND, /**< GCMD: more than one thing comes on. */
    VTDPI_MODEL_ONE_SHOT_ECHO, /**< GCMD: the status of a one-shot command
                                       written back with another command. */
    VTDPI_MODEL_COMMAND_DROPS, /**< GCMD: a command also writes zero to a bit
                                       that was on and that it is not about, such
                                       as DMA translation. The unit does both. If
                                       two bits go off, one of them is taken for
                                       the command, the other one is dropped. */
    VTDPI_MODEL_COMMAND_PENDING, /**< GCMD: the last command has not shown in
                                       GSTS yet. */
    VTDPI_MODEL_COMMAND_ORDER,   /**< GCMD: not allowed in this state, as IRE
                                       before SIRTP or QIE. */
    VTDPI_MODEL_STALE_CACHE,     /**< GCMD.IRE after SIRTP without a global
                                       IEC invalidation (ESIRTPS = 0). */
    VTDPI_MODEL_TABLE_ALIGNMENT, /**< SIRTP: table not aligned to its size.
                                       Datasheets of servers demand that of tables
                                       above 4 KiB (base address in IRTA); others
                                       name 4 KiB only. */
    VTDPI_MODEL_QUEUE_LIVE,      /**< IQA written while the queue is on. */
    VTDPI_MODEL_QUEUE_BUSY,      /**< QIE cleared with work in the queue. */
    VTDPI_MODEL_QUEUE_TAIL,      /**< IQT not zero when the queue is turned
                                       on, or moved back over work. */
    VTDPI_MODEL_REGISTER_INVALIDATION, /**< CCMD or the IOTLB register used while
                                       the queue is on, or on a unit of version
                                       6 or later. */

    /* Descriptors; where is the slot, value the first word. */
    VTDPI_MODEL_IEC_ALIGNMENT,  /**< IIDX not aligned to its mask. */
    VTDPI_MODEL_STATUS_ADDRESS, /**< Status address that nothing answers. */
    VTDPI_MODEL_STATUS_DEAD,    /**< Status address in memory that has died:
                                       vtdpi_model_retire(). Not written. */

    /* Tables and posted-interrupt descriptors; where is the index. */
    VTDPI_MODEL_TABLE_STORE, /**< An entry changes in more than one step while
                                       present: vtdpi_model_table_stored(). */
    VTDPI_MODEL_VECTOR,      /**< Interrupt sent with vector 0 to 15. */
    VTDPI_MODEL_NDST_FORMAT, /**< NDST has bits that xAPIC mode lacks. */
    VTDPI_MODEL_NOTIFICATION_LOST, /**< No room for a notification: too few
                                       notification_slots. */

    /* Platform callbacks. */
    VTDPI_MODEL_LOCK_NESTED,   /**< lock while held. */
    VTDPI_MODEL_LOCK_NOT_HELD, /**< unlock while not held. */
    VTDPI_MODEL_LOCK_TOKEN,    /**< unlock with another token. */
    VTDPI_MODEL_LOCK_MISSING,  /**< GCMD or IQT written without the lock;
                                       where is the offset. */
    VTDPI_MODEL_LOCK_LOG,      /**< log while the lock is held. */
    VTDPI_MODEL_CLEAN_EMPTY,   /**< clean of nothing: NULL or length 0. */
};

/** Number of enum vtdpi_model_violation_kind values. */
#define VTDPI_MODEL_VIOLATIONS 33

/** @brief What a violation can lead to, from little to much. */
enum vtdpi_model_severity {
    VTDPI_MODEL_HARMLESS,   /**< No unit is known to mind. */
    VTDPI_MODEL_ROBUSTNESS, /**< The driver can fail or hang. */
    VTDPI_MODEL_INTERRUPT,  /**< An interrupt can be lost, late or stale. */
    VTDPI_MODEL_ISOLATION, /**< A device can reach what is not its own, or a unit
                                 can write to memory that is something else. */
};

/** @brief One violation. */
struct vtdpi_model_violation {
    enum vtdpi_model_violation_kind kind; /**< What. */
    uint32_t where;                       /**< Register offset, slot, index. */
    uint64_t value;                       /**< What was written or found. */
};

/** @brief A message that tells a processor to look at a descriptor. */
struct vtdpi_model_notification {
    uint64_t pda;     /**< Physical address of the descriptor. */
    uint32_t ndst;    /**< NDST as the descriptor held it. */
    uint32_t apic_id; /**< The local APIC id in it, decoded by IRTA.EIME. */
    uint8_t nv;       /**< Vector. */
};

/** @brief Storage of one entry of the interrupt entry cache. */
struct vtdpi_model_iec_entry {
    /* private: */
    uint64_t lo;
    uint64_t hi;
    uint32_t index;
    uint32_t valid;
};

/**
 * @brief Memory as a unit that does not snoop sees it.
 *
 * One view can be shared by all units, as one memory is. Reads of an
 * interrupt-remapping table inside the range go to the view if ECAP.C = 0;
 * outside any view memory counts as coherent.
 */
struct vtdpi_model_view {
    /* private: */
    uint64_t phys;
    const uint64_t *cpu;
    uint64_t *shadow;
    size_t size;
};

/** @brief How an interrupt request ended. */
enum vtdpi_model_outcome {
    VTDPI_MODEL_NOT_INTERRUPT, /**< The address is not an interrupt's. */
    VTDPI_MODEL_MASKED,        /**< The IOAPIC entry is masked. */
    VTDPI_MODEL_DROPPED,       /**< The unit is gone: vtdpi_model_vanish(). */
    VTDPI_MODEL_PASSED,        /**< Not remapped: remapping off, or
                                    compatibility format allowed. */
    VTDPI_MODEL_REMAPPED,      /**< Delivered as the entry says. */
    VTDPI_MODEL_POSTED,        /**< Recorded in a descriptor. */
    VTDPI_MODEL_IN_FLIGHT,     /**< Will be posted (POST_LATE). */
    VTDPI_MODEL_BLOCKED,       /**< Fault; see reason. */
};

/** @brief What became of an interrupt request. */
struct vtdpi_model_result {
    enum vtdpi_model_outcome outcome; /**< How it ended. */
    uint8_t reason;   /**< BLOCKED: an enum vtdpi_fault_reason, else 0. */
    bool hidden;      /**< BLOCKED: FPD kept it out of the fault record. */
    bool from_cache;  /**< The entry came from the IEC, not from memory. */
    uint32_t index;   /**< Remappable format: the index, 0 to 1fffeh. */
    uint64_t irte[2]; /**< The entry that was used, or zero. */

    /* PASSED, REMAPPED; vector also POSTED and IN_FLIGHT. */
    uint32_t dest;  /**< APIC id or logical id, decoded (8 bits in xAPIC
                            mode and if not remapped). */
    uint8_t vector; /**< Host vector; POSTED: guest vector. */
    uint8_t dlm;    /**< Delivery mode, 0 to 7. */
    bool logical;   /**< DM. */
    bool rh;        /**< Redirection hint. */
    bool level;     /**< TM. */

    /* POSTED; pda also IN_FLIGHT. */
    uint64_t pda;  /**< Physical address of the descriptor. */
    bool urgent;   /**< URG. */
    bool merged;   /**< The PIR bit was set already. */
    bool notified; /**< A notification was sent; it is next. */
    struct vtdpi_model_notification notification; /**< If notified. */
};

/** @brief What a unit sends by itself. */
enum vtdpi_model_event {
    VTDPI_MODEL_EVENT_FAULT,      /**< FEDATA, FEADDR, FEUADDR. */
    VTDPI_MODEL_EVENT_COMPLETION, /**< IEDATA, IEADDR, IEUADDR. */
};

/** @brief What a model counted; nothing resets it but init. */
struct vtdpi_model_counters {
    uint64_t reads;             /**< Register reads. */
    uint64_t writes;            /**< Register writes. */
    uint64_t descriptors[16];   /**< Descriptors accepted, by type. */
    uint64_t waits_completed;   /**< Wait descriptors that took effect. */
    uint64_t waits_aborted;     /**< Wait descriptors that an ITE dropped. */
    uint64_t status_writes;     /**< Status words written. */
    uint64_t iec_global;        /**< Global IEC invalidations done. */
    uint64_t iec_index;         /**< Index IEC invalidations done. */
    uint64_t iec_hits;          /**< Entries taken from the cache. */
    uint64_t iec_misses;        /**< Entries read from memory. */
    uint64_t requests;          /**< Interrupt requests. */
    uint64_t passed;            /**< ... that were not remapped. */
    uint64_t remapped;          /**< ... delivered in remapped format. */
    uint64_t raised;            /**< ... accepted for posting; equals posted
                                      plus pid_faults plus posts_lost plus
                                      those in flight. */
    uint64_t posted;            /**< Recorded in a descriptor. */
    uint64_t merged;            /**< ... whose PIR bit was set already. */
    uint64_t notified;          /**< ... that sent a notification. */
    uint64_t suppressed;        /**< ... that did not, because of SN. */
    uint64_t outstanding;       /**< ... that did not, because of ON. */
    uint64_t pid_faults;        /**< Posts that ended in 27h or 28h. */
    uint64_t posts_lost;        /**< Posts that were in flight at
                                      vtdpi_model_return_reset(). */
    uint64_t blocked;           /**< Requests that ended in a fault, late
                                      ones included. */
    uint64_t faults_recorded;   /**< Fault records written. */
    uint64_t faults_hidden;     /**< Faults that FPD kept from being
                                      recorded. */
    uint64_t faults_lost;       /**< Faults lost to overflow. */
    uint64_t faults_collapsed;  /**< Faults not recorded since one of that
                                      requester is pending. */
    uint64_t fault_events;      /**< Fault event messages sent. */
    uint64_t completion_events; /**< Completion event messages sent. */
    uint64_t cleans;            /**< Calls of clean. */
    uint64_t clean_lines;       /**< Cache lines in them. */
    uint64_t locks;             /**< Calls of lock. */
    uint64_t logs;              /**< Calls of log. */
    uint64_t violations;        /**< Violations of all kinds. */
    uint64_t steps;             /**< Steps; see vtdpi_model_step_hook. */
};

/**
 * @brief Called before each step, see enum vtdpi_model_step.
 *
 * Steps are numbered from 0 in vtdpi_model_counters.steps, which holds the
 * number of this one. What the hook itself makes the model do is not counted
 * and calls no hook. The hook must not access registers.
 */
typedef void (*vtdpi_model_step_hook)(void *ctx, struct vtdpi_model *m,
                                      enum vtdpi_model_step kind);

/** @brief What a model is made of. Zero means absent or the default. */
struct vtdpi_model_params {
    uint32_t ver; /**< VER register; 0: 10h, version 1.0. */
    /** CAP register, raw. FRO and NFR say where the fault recording registers
     *  are: at any offset. Registers at fixed offsets hide those that overlap
     *  them, which no unit may have. */
    uint64_t cap;
    /** ECAP register, raw. IRO says where the IOTLB registers are: at any
     *  offset; 0: there are none. They keep what is written, and an invalidation
     *  is done at once. Other registers hide those that overlap them. */
    uint64_t ecap;

    /** Bytes of the registers that the host has mapped. Accesses beyond are
     *  violations, also to registers that the unit has there. 0: whole pages, up
     *  to the last register of the unit. */
    uint32_t window_bytes;

    /** Passed to all callbacks below. */
    void *ctx;

    /** Physical memory: a pointer to [phys, phys + len), or NULL if nothing
     *  answers there. Required. Called for whole objects only: an entry, a
     *  descriptor, a status word, a posted-interrupt descriptor. */
    void *(*map)(void *ctx, uint64_t phys, size_t len);

    /** Storage of the entry cache, an array; NULL: nothing is cached. An entry
     *  lives in slot index % iec_slots, so with as many slots as the table has
     *  entries nothing is ever replaced. */
    struct vtdpi_model_iec_entry *iec;
    uint32_t iec_slots; /**< Length of iec. */

    /** Storage of notifications until the test takes them, an array. */
    struct vtdpi_model_notification *notifications;
    uint32_t notification_slots; /**< Length of notifications. */

    /** Instead of the array: called for each notification, to send a real
     *  interrupt or to act at once. */
    void (*notify)(void *ctx, const struct vtdpi_model_notification *n);

    /** Fault and completion events: the message the unit sends. Optional. */
    void (*event)(void *ctx, enum vtdpi_model_event event, uint64_t address,
                  uint32_t data);

    /** Called for each violation, after it was counted. Optional. */
    void (*violation)(void *ctx, const struct vtdpi_model_violation *v);

    /** Step hook. Optional; vtdpi_model_set_step_hook() changes it. */
    vtdpi_model_step_hook step;

    /** Receives what vtdpi_model_platform_ops.log gets. Optional. */
    void (*log)(void *ctx, enum vtdpi_log_level level, const char *text);

    /** Pause of the model's own spin lock, if concurrent. Optional. */
    void (*relax)(void *ctx);

    /** Views of memory for ECAP.C = 0, an array; NULL: all is coherent. */
    struct vtdpi_model_view *views;
    uint32_t view_count; /**< Length of views. */

    /** Host address width in bits; 0: 64. PDA bits above it are reserved. */
    uint32_t host_address_width;

    /** Seed of what is random (VTDPI_MODEL_FAULT_IEC_EVICT). */
    uint64_t seed;

    /** Real CPUs run beside the model: it locks itself, and reads a table
     *  entry in one piece. Implies split_post. */
    bool concurrent;

    /** A post is two steps, PIR, then the control word, with a step hook in
     *  between: a superset of what hardware does. False: one step. */
    bool split_post;

    /** The queue does nothing by itself: vtdpi_model_fetch() and
     *  vtdpi_model_complete() move it. */
    bool manual;

    /** Do not record a fault whose requester has one pending, as units may. */
    bool collapse_faults;

    /** Aligned 32-bit accesses to halves of 64-bit registers are no
     *  violations. The specification allows them; the library's contract for
     *  platforms does not. */
    bool allow_halves;

    /** Do not demand the lock for writes to GCMD and IQT. */
    bool allow_unlocked;

    /**
     * The driver is somebody else's: judge the driver by the specification, not by
     * this library's contract with its platform. Implies allow_halves and
     * allow_unlocked. An access of 64 bits to a register of 32 bits is a violation
     * and reaches both registers that lie there. The registers of DMA protection,
     * page requests and the advanced fault log keep what is written.
     */
    bool foreign;
};

/** Registers that a unit keeps for a foreign driver. */
#define VTDPI_MODEL_KEPT 14

/** @brief A model of one remapping unit. Size is public, members are not. */
struct vtdpi_model {
    /* private: */
    struct vtdpi_model_params params;
    struct vtdpi_model_counters counters;
    struct vtdpi_model_violation first;
    uint64_t guard;      /* The model's own spin lock, if concurrent. */
    uint64_t lock_token; /* Platform lock: 0 free, else who holds it. */
    uint64_t lock_next;
    uint64_t clock_us;
    uint64_t clock_step;
    uint64_t ticks;
    uint64_t random;
    uint64_t fault_arg[VTDPI_MODEL_FAULTS];
    uint32_t fault_on;
    bool in_hook;
    bool iec_unflushed;    /* SIRTP since the last global invalidation. */
    uint32_t stored;       /* Entry stored to since it was flushed, plus 1. */
    uint64_t retired_phys; /* Memory that has died. */
    uint64_t retired_bytes;
    uint64_t kept[VTDPI_MODEL_KEPT]; /* Registers that do nothing. */

    /* Registers. */
    uint32_t gsts;
    uint32_t command; /* Bits to execute, their values, and when. */
    uint32_t command_value;
    uint64_t command_due;
    uint32_t aside; /* Commands put aside, their values, and when. */
    uint32_t aside_value;
    uint64_t aside_due[9]; /* Of CFI to TE; by the clock. */
    uint32_t fsts;
    uint32_t ics;
    uint32_t event[2][4]; /* FE and IE: control, data, address, upper. */
    uint64_t rtaddr;
    uint64_t rtaddr_latched;
    uint64_t ccmd;
    uint64_t iotlb;
    uint64_t iqa;
    uint64_t iqh;
    uint64_t iqt;
    uint64_t iqer;
    uint64_t irta;
    uint64_t irta_latched;

    /* Fault records. */
    uint64_t frcd[VTDPI_MODEL_FRCD_MAX][2];
    uint32_t frcd_next;

    /* Descriptors fetched and not completed; a ring. */
    struct {
        uint64_t qw[2];
        uint64_t due;
        uint32_t slot;
    } fetched[VTDPI_MODEL_FETCH_MAX];
    uint32_t fetched_first;
    uint32_t fetched_count;

    /* Posts in flight, oldest first. */
    struct {
        uint64_t irte[2];
        uint32_t index;
        uint16_t sid;
    } flight[VTDPI_MODEL_POST_MAX];
    uint32_t flight_count;

    uint32_t notification_count;
};

/**
 * @brief Power up a model.
 *
 * Registers have their reset values, caches are empty, all fault modes off.
 *
 * @param m       Model. Not NULL.
 * @param params  Copied. Not NULL.
 *
 * @retval 0             Ready.
 * @retval VTDPI_EINVAL  @p m, @p params or map is NULL; or an array is NULL with
 *                       a length other than 0, or the other way round. @p m is
 *                       unchanged.
 */
VTDPI_MUST_CHECK VTDPI_API int
vtdpi_model_init(struct vtdpi_model *m,
                 const struct vtdpi_model_params *params);

/**
 * @brief Declare memory that a unit without snooping sees through a view.
 *
 * The view starts as if nothing had ever been cleaned: filled with a pattern
 * that is present and has reserved bits set, so its use ends in fault 24h.
 *
 * @param v       View. Not NULL.
 * @param phys    Physical address; a multiple of 64.
 * @param cpu     The same memory as the CPU writes it. Not NULL.
 * @param shadow  Storage of @p size bytes, 16-byte aligned. Not NULL.
 * @param size    Bytes; a multiple of 64.
 */
VTDPI_API void vtdpi_model_view_init(struct vtdpi_model_view *v, uint64_t phys,
                                     const void *cpu, void *shadow,
                                     size_t size);

/* Registers. */

/**
 * @brief Access a register as a driver does.
 *
 * What the access breaks is recorded as a violation; a write that the unit
 * cannot take is then ignored, and a read that it cannot answer returns 0.
 * A half of a 64-bit register is accessed in any case.
 *
 * @param m    Model. Not NULL.
 * @param off  Offset from the register base, in bytes.
 *
 * @return The value read; all ones with VTDPI_MODEL_FAULT_ALL_ONES.
 */
VTDPI_API uint32_t vtdpi_model_read32(struct vtdpi_model *m, uint32_t off);

/** @brief 64-bit read; see vtdpi_model_read32(). */
VTDPI_API uint64_t vtdpi_model_read64(struct vtdpi_model *m, uint32_t off);

/** @brief 32-bit write; see vtdpi_model_read32(). */
VTDPI_API void vtdpi_model_write32(struct vtdpi_model *m, uint32_t off,
                                   uint32_t value);

/** @brief 64-bit write; see vtdpi_model_read32(). */
VTDPI_API void vtdpi_model_write64(struct vtdpi_model *m, uint32_t off,
                                   uint64_t value);

/**
 * @brief A register without side effects: nothing is counted, checked, hooked
 *        or faked.
 *
 * @param m    Model. Not NULL.
 * @param off  Offset of a register, or of the upper half of a 64-bit one.
 *
 * @return 64 bits for 64-bit registers (32 from an upper half), else 32; 0 if
 *         there is no such register.
 */
VTDPI_API uint64_t vtdpi_model_peek(const struct vtdpi_model *m, uint32_t off);

/**
 * @brief The interrupt-remapping table in use: what SIRTP latched from IRTA.
 *
 * @param m  Model. Not NULL.
 *
 * @return IRTA's format; 0 before the first SIRTP.
 */
VTDPI_API uint64_t vtdpi_model_latched_irta(const struct vtdpi_model *m);

/** @brief The root table in use: what SRTP latched from RTADDR. */
VTDPI_API uint64_t vtdpi_model_latched_rtaddr(const struct vtdpi_model *m);

/**
 * The model as a platform. The context of each callback is the struct vtdpi_model.
 *
 * - read32, read64, write32 and write64 are the model's registers.
 * - now_us is a virtual clock, and relax is a tick of that clock.
 * - lock and unlock check nesting; in a concurrent model they also exclude.
 * - clean updates the views of units that do not snoop.
 * - log counts and passes on.
 * - send_ipi and wake are NULL. A host that needs them copies the structure and fills
 *   them in.
 */
VTDPI_API extern const struct vtdpi_platform_ops vtdpi_model_platform_ops;

/**
 * @brief Set the virtual clock's pace.
 *
 * @param m   Model. Not NULL.
 * @param us  Microseconds by which each now_us advances it; 1 after init.
 */
VTDPI_API void vtdpi_model_set_clock_step(struct vtdpi_model *m, uint64_t us);

/** @brief Advance the virtual clock by @p us microseconds. */
VTDPI_API void vtdpi_model_advance_clock(struct vtdpi_model *m, uint64_t us);

/** @brief Let @p n ticks pass, and do what is due. */
VTDPI_API void vtdpi_model_tick(struct vtdpi_model *m, uint32_t n);

/**
 * @brief Declare memory as dead: given back, or a part of a stack that was left.
 *
 * A status word of which the unit would write a byte there is VTDPI_MODEL_STATUS_DEAD
 * and is not written. Other accesses of the unit to the memory are not judged.
 *
 * @param m      Model. Not NULL.
 * @param phys   Where the memory begins. There is one such range: the latest.
 * @param bytes  Its size; 0: no memory is dead.
 */
VTDPI_API void vtdpi_model_retire(struct vtdpi_model *m, uint64_t phys,
                                  uint64_t bytes);

/**
 * @brief Judge a store to the table that the unit has latched; call after each store.
 *
 * An entry may become present or absent in any number of stores. One that is present
 * before and after a store has changed in one step. A second such store, before an
 * invalidation of the entry, is a violation, VTDPI_MODEL_TABLE_STORE: the unit may
 * have read what lay between the two. The model remembers the latest entry only: of
 * two entries that change by turns it tells nothing.
 *
 * @param m       Model. Not NULL.
 * @param index   The entry that the store hit.
 * @param before  The entry before the store. Not NULL.
 */
VTDPI_API void vtdpi_model_table_stored(struct vtdpi_model *m, uint32_t index,
                                        const uint64_t before[2]);

/* Invalidation queue, by hand (vtdpi_model_params.manual). */

/**
 * @brief Fetch descriptors.
 *
 * @param m    Model. Not NULL.
 * @param max  How many at most.
 *
 * @return How many were fetched; less than @p max when the queue is empty, in
 *         error, off or stuck, or when VTDPI_MODEL_FETCH_MAX wait to complete.
 */
VTDPI_API uint32_t vtdpi_model_fetch(struct vtdpi_model *m, uint32_t max);

/**
 * @brief Let fetched descriptors take effect, oldest first.
 *
 * @param m    Model. Not NULL.
 * @param max  How many at most.
 *
 * @return How many did, whether or not they were due.
 */
VTDPI_API uint32_t vtdpi_model_complete(struct vtdpi_model *m, uint32_t max);

/* Interrupts. */

/**
 * @brief A device writes a message.
 *
 * @param m        Model. Not NULL.
 * @param sid      Requester id that the unit sees.
 * @param address  Address of the write.
 * @param data     Data of the write.
 * @param result   Receives what became of it. Not NULL.
 *
 * @return @p result->outcome.
 */
VTDPI_API enum vtdpi_model_outcome
vtdpi_model_msi(struct vtdpi_model *m, uint16_t sid, uint64_t address,
                uint32_t data, struct vtdpi_model_result *result);

/**
 * @brief An IOAPIC pin fires.
 *
 * @param m       Model. Not NULL.
 * @param sid     Source id of the IOAPIC.
 * @param rte     Redirection table entry, either format.
 * @param result  Receives what became of it. Not NULL.
 *
 * @return @p result->outcome.
 */
VTDPI_API enum vtdpi_model_outcome
vtdpi_model_rte(struct vtdpi_model *m, uint16_t sid, uint64_t rte,
                struct vtdpi_model_result *result);

/**
 * @brief Let the posts in flight reach their descriptors.
 *
 * @param m  Model. Not NULL.
 *
 * @return How many there were.
 */
VTDPI_API uint32_t vtdpi_model_drain(struct vtdpi_model *m);

/** @brief Posts in flight (VTDPI_MODEL_FAULT_POST_LATE). */
VTDPI_API uint32_t vtdpi_model_in_flight(const struct vtdpi_model *m);

/**
 * @brief Notifications sent and not taken, when params.notify is NULL.
 *
 * @param m  Model. Not NULL.
 *
 * @return How many; they are numbered from 0, oldest first.
 */
VTDPI_API uint32_t vtdpi_model_notifications(const struct vtdpi_model *m);

/**
 * @brief Take a notification, in any order: it is delivered now.
 *
 * @param m    Model. Not NULL.
 * @param i    Which; those behind it move up by one.
 * @param out  Receives it. Not NULL.
 *
 * @return False if there is no such notification; @p out is then unchanged.
 */
VTDPI_MUST_CHECK VTDPI_API bool
vtdpi_model_take_notification(struct vtdpi_model *m, uint32_t i,
                              struct vtdpi_model_notification *out);

/* Interrupt entry cache. */

/**
 * @brief Whether the cache holds an entry.
 *
 * @param m      Model. Not NULL.
 * @param index  Interrupt index.
 * @param out    Receives the two words if it does; may be NULL.
 *
 * @return Whether it does.
 */
VTDPI_API bool vtdpi_model_iec_lookup(const struct vtdpi_model *m,
                                      uint32_t index, uint64_t out[2]);

/**
 * @brief Read an entry into the cache, as a unit may do at any time.
 *
 * Nothing is cached that the unit would not cache at use: an entry beyond the
 * table, unreadable, or (CAP.CM = 0) not present or ill-formed.
 *
 * @param m      Model. Not NULL.
 * @param index  Interrupt index.
 *
 * @return Whether the cache holds it now.
 */
VTDPI_API bool vtdpi_model_iec_prefetch(struct vtdpi_model *m, uint32_t index);

/* Faults, misbehaviour, hooks. */

/**
 * @brief Record a DMA fault, for hosts whose fault handler gets both kinds.
 *
 * @param m        Model. Not NULL.
 * @param sid      Requester id.
 * @param reason   Fault reason.
 * @param address  Fault address; bits 11:0 are dropped.
 * @param read     T: a read request, else a write.
 */
VTDPI_API void vtdpi_model_dma_fault(struct vtdpi_model *m, uint16_t sid,
                                     uint8_t reason, uint64_t address,
                                     bool read);

/**
 * @brief Set bits of the Fault Status Register, as another user of the unit
 *        leaves them or a feature that is not modelled sets them.
 *
 * Software clears each bit by writing one. APF, IQE, ICE and ITE are conditions
 * of the fault event. As with all conditions, the event is sent, or held back by
 * the mask, only if no status bit was set before: PRO, AFO and PFO are no
 * conditions, but while one of them stays set no condition sends the event.
 *
 * @param m     Model. Not NULL.
 * @param bits  Bits of FSTS: PFO, AFO, APF, IQE, ICE, ITE, PRO. Others are
 *              dropped: PPF follows the fault records. So are bits that this
 *              unit does not have: AFO and APF with CAP.AFL = 0, PRO with
 *              ECAP.PRS = 0. A write of one to such a bit is
 *              VTDPI_MODEL_RESERVED_BITS.
 *
 * @return The bits that were not dropped.
 */
VTDPI_API uint32_t vtdpi_model_raise_status(struct vtdpi_model *m,
                                            uint32_t bits);

/**
 * @brief Turn a fault mode on, or change its argument.
 *
 * @param m      Model. Not NULL.
 * @param fault  Which.
 * @param arg    See enum vtdpi_model_fault; 0 where none is named.
 */
VTDPI_API void vtdpi_model_set_fault(struct vtdpi_model *m,
                                     enum vtdpi_model_fault fault,
                                     uint64_t arg);

/** @brief Turn a fault mode off. What it held up goes on: at once, or from
 *        within a callback at the next tick. */
VTDPI_API void vtdpi_model_clear_fault(struct vtdpi_model *m,
                                       enum vtdpi_model_fault fault);

/** @brief Whether a fault mode is on. */
VTDPI_API bool vtdpi_model_fault_is_on(const struct vtdpi_model *m,
                                       enum vtdpi_model_fault fault);

/* Units that vanish and return. Callbacks may call these functions as they may
 * call those of the fault modes. */

/**
 * @brief The unit vanishes, as one does whose part of the machine loses its power
 *        or its link.
 *
 * VTDPI_MODEL_FAULT_ALL_ONES goes on. Every register reads as all ones and
 * writes are dropped. Nothing is fetched, completed, executed, cached or
 * recorded as a fault, also what was late already. Interrupts are dropped
 * (VTDPI_MODEL_DROPPED). Posts in flight have left the unit: vtdpi_model_drain()
 * still lets them reach their descriptors, while a register read, which the unit
 * does not answer, does not.
 *
 * @param m  Model. Not NULL.
 */
VTDPI_API void vtdpi_model_vanish(struct vtdpi_model *m);

/**
 * @brief The unit answers again and is as it was when it vanished.
 *
 * Registers, caches and what was fetched or late are as they were, and the unit
 * goes on with them. Posts in flight land at the next register read.
 *
 * @param m  Model. Not NULL.
 */
VTDPI_API void vtdpi_model_return_kept(struct vtdpi_model *m);

/**
 * @brief The unit answers again after a reset. A unit that has not vanished is
 *        reset where it is.
 *
 * Registers have their reset values: remapping and the queue are off, no table is
 * latched. The entry cache is empty. What was fetched or late is forgotten, and
 * posts in flight are lost (posts_lost); call vtdpi_model_drain() before to let
 * them land. Fault modes but VTDPI_MODEL_FAULT_ALL_ONES, counters, violations,
 * notifications, the clock and the platform's lock stay as they are.
 *
 * @param m  Model. Not NULL.
 */
VTDPI_API void vtdpi_model_return_reset(struct vtdpi_model *m);

/** @brief Replace the step hook; NULL removes it. The context is params.ctx. */
VTDPI_API void vtdpi_model_set_step_hook(struct vtdpi_model *m,
                                         vtdpi_model_step_hook step);

/* What happened. */

/** @brief Copy the counters to @p out. */
VTDPI_API void vtdpi_model_get_counters(const struct vtdpi_model *m,
                                        struct vtdpi_model_counters *out);

/** @brief Number of violations so far. */
VTDPI_API uint64_t vtdpi_model_violations(const struct vtdpi_model *m);

/** @brief The first violation; kind VTDPI_MODEL_OK if there is none. */
VTDPI_API struct vtdpi_model_violation
vtdpi_model_first_violation(const struct vtdpi_model *m);

/** @brief Forget the violations seen, for a test that caused one. */
VTDPI_API void vtdpi_model_clear_violations(struct vtdpi_model *m);

/** @brief Name of a kind of violation; never NULL. */
VTDPI_API const char *
vtdpi_model_violation_name(enum vtdpi_model_violation_kind kind);

/** @brief What a violation of @p kind can lead to. */
VTDPI_API enum vtdpi_model_severity
vtdpi_model_violation_severity(enum vtdpi_model_violation_kind kind);

/** @brief The name of a severity: one word. */
VTDPI_API const char *
vtdpi_model_severity_name(enum vtdpi_model_severity severity);

VTDPI_END_DECLS

#endif
