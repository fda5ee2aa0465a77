/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_INTERNAL_H
#define VTDPI_INTERNAL_H

/*
 * What more than one source file needs. A register's type decides the width of
 * its accesses, so that a mix-up does not compile quietly.
 */

#include "vtdpi/config.h"
#include "vtdpi/irte.h"
#include "vtdpi/platform.h"
#include "vtdpi/qi.h"
#include "vtdpi/regs.h"
#include "vtdpi/unit.h"

/* What a register reads as when nothing answers. */
#define VTDPI_ALL_ONES32_            UINT32_MAX
#define VTDPI_ALL_ONES64_            UINT64_MAX

/* Pages of hardware: what tables, queues and windows of registers are aligned
 * to. */
#define VTDPI_PAGE_BYTES_            UINT64_C(4096)

/* Where the registers at fixed places end that every unit has. Nothing that CAP
 * or ECAP places may begin before: a write to a fault record would be one to
 * GCMD or IRTA. */
#define VTDPI_FIXED_REGISTERS_END_   ((uint32_t)VTDPI_IRTA_REG + 8)

/* Invalidate Address and IOTLB Invalidate Registers, at ECAP.IRO. */
#define VTDPI_IOTLB_REGISTERS_BYTES_ 16u

/* 0 if the registers that CAP and ECAP place lie behind the fixed ones and inside
 * a window of that size; VTDPI_EFRO or VTDPI_EIRO. */
int vtdpi_caps_check_window_(const struct vtdpi_caps *caps,
                             uint32_t window_bytes);

/* The errors that stop or concern the queue; all cleared by writing 1. */
#define VTDPI_QI_ERRORS_ \
    ((uint32_t)(VTDPI_FSTS_IQE | VTDPI_FSTS_ITE | VTDPI_FSTS_ICE))

/* What an error of the queue is called; the gravest wins, 0 for none. */
static inline int vtdpi_qi_error_code_(uint32_t fsts)
{
    if ((fsts & VTDPI_FSTS_IQE) != 0)
        return VTDPI_EIQE;
    if ((fsts & VTDPI_FSTS_ITE) != 0)
        return VTDPI_EITE;
    return (fsts & VTDPI_FSTS_ICE) != 0 ? VTDPI_EICE : 0;
}

static inline uint32_t vtdpi_rd32_(const struct vtdpi_platform_ops *ops,
                                   void *ctx, enum vtdpi_reg32 reg)
{
    return ops->read32(ctx, (uint32_t)reg);
}

static inline void vtdpi_wr32_(const struct vtdpi_platform_ops *ops, void *ctx,
                               enum vtdpi_reg32 reg, uint32_t value)
{
    ops->write32(ctx, (uint32_t)reg, value);
}

static inline uint64_t vtdpi_rd64_(const struct vtdpi_platform_ops *ops,
                                   void *ctx, enum vtdpi_reg64 reg)
{
    return ops->read64(ctx, (uint32_t)reg);
}

static inline void vtdpi_wr64_(const struct vtdpi_platform_ops *ops, void *ctx,
                               enum vtdpi_reg64 reg, uint64_t value)
{
    ops->write64(ctx, (uint32_t)reg, value);
}

/* Whether one bit is set, no more. The usual (n & (n - 1)) == 0 next to a check
 * of n against 0 makes some compilers count all the bits. */
static inline bool vtdpi_is_power_of_2_(uint32_t n)
{
    return (n ^ (n - 1)) > n - 1;
}

static inline bool vtdpi_is_aligned_(const void *p, size_t to)
{
    return (uintptr_t)p % to == 0;
}

static inline bool vtdpi_apic_mode_ok_(enum vtdpi_apic_mode mode)
{
    return mode == VTDPI_XAPIC || mode == VTDPI_X2APIC;
}

/* Host address width, in bits. */
static inline bool vtdpi_haw_ok_(unsigned int haw)
{
    return haw >= 1 && haw <= 64;
}

static inline bool vtdpi_irte_equal_(const struct vtdpi_irte *a,
                                     const struct vtdpi_irte *b)
{
    return a->lo == b->lo && a->hi == b->hi;
}

/* Whether the members that register access and waiting need are there. */
static inline bool vtdpi_ops_ok_(const struct vtdpi_platform_ops *ops)
{
    return ops != NULL && ops->read32 != NULL && ops->write32 != NULL &&
           ops->read64 != NULL && ops->write64 != NULL && ops->now_us != NULL &&
           ops->lock != NULL && ops->unlock != NULL;
}

static inline void vtdpi_relax_(const struct vtdpi_platform_ops *ops, void *ctx)
{
    if (ops->relax != NULL)
        ops->relax(ctx);
}

/* Never with a lock held. */
static inline void vtdpi_log_(const struct vtdpi_platform_ops *ops, void *ctx,
                              enum vtdpi_log_level level, const char *text)
{
    if ((int)level <= VTDPI_LOG_LEVEL && ops->log != NULL)
        ops->log(ctx, level, text);
}

/*
 * Accept submissions on a queue that is on in the unit. 0 if registers show that
 * it is this queue, as it was left: nothing of it is written. VTDPI_EFOREIGN if
 * not, VTDPI_EIO if the unit does not answer.
 */
int vtdpi_qi_keep_(struct vtdpi_qi *qi);

/* Whether submissions are accepted at this moment. */
bool vtdpi_qi_is_open_(struct vtdpi_qi *qi);

/* Resolve a ticket whose submission was refused. */
void vtdpi_qi_reject_(struct vtdpi_qi_ticket *ticket, int code);

#endif
