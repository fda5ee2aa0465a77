/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_MODEL_INTERNAL_H
#define VTDPI_MODEL_INTERNAL_H

/*
 * What the model's files share. A name with a trailing underscore is private
 * to the model. All of these run with the model's guard held, if it has one.
 *
 * The order of files; each calls only those before it, and the host's hooks
 * (tests/check/model_layers.py reads this list):
 *
 *   model_violation.c  what violations are called, and what they lead to
 *   model_base.c       guard, steps, violations, memory, random numbers
 *   model_cache.c      table entries and the interrupt entry cache
 *   model_fault.c      fault status, fault records, events
 *   model_post.c       posts into descriptors, notifications
 *   model_interrupt.c  requests: decoding, remapping, checks
 *   model_queue.c      the invalidation queue
 *   model_command.c    GCMD to GSTS
 *   model_kept.c       registers that keep what is written, for foreign drivers
 *   model_registers.c  the register file, time
 *   model_platform.c   the model as a platform
 *   model.c            life and fault modes
 */

#include "vtdpi/atomic.h"
#include "vtdpi/model.h"

/* Capability bits that only the model looks at. */
#define CAP_AFL        VTDPI_BIT64(3)  /* Advanced fault log. */
#define ECAP_PRS       VTDPI_BIT64(29) /* Page requests. */
#define ECAP_DIT       VTDPI_BIT64(41) /* Device-TLB throttling. */
#define ECAP_PDS       VTDPI_BIT64(42) /* Page-request drain. */

/* Commands of GCMD: the lowest bit is CFI. */
#define COMMAND_LOWEST ((uint32_t)VTDPI_GCMD_CFI)
#define COMMAND_COUNT  9u

/* ICS: a wait descriptor with IF completed. */
#define ICS_IWC        1u

/* What the model puts into IQER.IQEI. */
enum iqei {
    IQEI_NONE = 0,
    IQEI_TAIL = 1,      /* IQT outside the ring. */
    IQEI_FETCH = 2,     /* Memory does not answer. */
    IQEI_TYPE = 3,      /* Unknown type. */
    IQEI_RESERVED = 4,  /* Reserved field not zero. */
    IQEI_ALIGNMENT = 6, /* IQT not aligned to the descriptors. */
};

/* Which of the two event blocks: FECTL to FEUADDR, IECTL to IEUADDR. */
enum event_block {
    EVENT_FAULT = 0,
    EVENT_COMPLETION = 1,
};

/* model_base.c */
void vtdpi_model_enter_(struct vtdpi_model *m);
void vtdpi_model_leave_(struct vtdpi_model *m);
void vtdpi_model_step_(struct vtdpi_model *m, enum vtdpi_model_step kind);
void vtdpi_model_violate_(struct vtdpi_model *m,
                          enum vtdpi_model_violation_kind kind, uint32_t where,
                          uint64_t value);
void *vtdpi_model_map_(const struct vtdpi_model *m, uint64_t phys, size_t len);
uint64_t vtdpi_model_random_(struct vtdpi_model *m);

/* model_cache.c */
bool vtdpi_model_entry_(struct vtdpi_model *m, uint32_t index, uint64_t irte[2],
                        bool *from_cache);
bool vtdpi_model_entry_valid_(const struct vtdpi_model *m,
                              const uint64_t irte[2]);
void vtdpi_model_iec_invalidate_(struct vtdpi_model *m, uint32_t index,
                                 uint32_t count);
void vtdpi_model_iec_invalidate_all_(struct vtdpi_model *m);
void vtdpi_model_clean_(struct vtdpi_model *m, const void *p, size_t len);

/* model_fault.c */
void vtdpi_model_status_set_(struct vtdpi_model *m, uint32_t bits);
void vtdpi_model_status_clear_(struct vtdpi_model *m, uint32_t bits);
uint32_t vtdpi_model_status_absent_(const struct vtdpi_model *m);
void vtdpi_model_event_(struct vtdpi_model *m, enum event_block block);
void vtdpi_model_event_control_(struct vtdpi_model *m, enum event_block block,
                                uint32_t value);
void vtdpi_model_block_(struct vtdpi_model *m, uint16_t sid,
                        struct vtdpi_model_result *result, uint8_t reason);
uint32_t vtdpi_model_frcd_base_(const struct vtdpi_model *m);
uint32_t vtdpi_model_frcd_count_(const struct vtdpi_model *m);
void vtdpi_model_frcd_clear_(struct vtdpi_model *m, uint32_t i);

/* model_post.c */
void vtdpi_model_post_(struct vtdpi_model *m, uint16_t sid,
                       struct vtdpi_model_result *result);
uint32_t vtdpi_model_drain_(struct vtdpi_model *m);

/* model_queue.c */
void vtdpi_model_queue_run_(struct vtdpi_model *m);
void vtdpi_model_queue_drop_(struct vtdpi_model *m);
uint64_t vtdpi_model_queue_size_(const struct vtdpi_model *m);

/* model_command.c */
void vtdpi_model_command_(struct vtdpi_model *m, uint32_t value);
void vtdpi_model_command_due_(struct vtdpi_model *m);

/* model_kept.c */
uint32_t vtdpi_model_kept_size_(const struct vtdpi_model *m, uint32_t off);
uint64_t vtdpi_model_kept_get_(const struct vtdpi_model *m, uint32_t off);
void vtdpi_model_kept_put_(struct vtdpi_model *m, uint32_t off, uint64_t value);

/* model_registers.c */
void vtdpi_model_tick_(struct vtdpi_model *m);
uint32_t vtdpi_model_register_bytes_(const struct vtdpi_model *m);

static inline bool fault_on(const struct vtdpi_model *m,
                            enum vtdpi_model_fault fault)
{
    return (m->fault_on & (1u << fault)) != 0;
}

/* When something happens that @p fault may delay. An argument of all ones is
 * "never". */
static inline uint64_t fault_due(const struct vtdpi_model *m,
                                 enum vtdpi_model_fault fault)
{
    const uint64_t late = fault_on(m, fault) ? m->fault_arg[fault] : 0;

    return late > UINT64_MAX - m->ticks ? UINT64_MAX : m->ticks + late;
}

static inline bool extended_mode(const struct vtdpi_model *m)
{
    return (m->irta_latched & VTDPI_IRTA_EIME) != 0;
}

#endif
