/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register file: which registers there are, reads and writes; and time,
 * which each access moves. Read the order of files in internal.h first.
 */
#include "internal.h"

enum access {
    ACCESS_NONE = 0,
    ACCESS_READ_ONLY,
    ACCESS_WRITE_ONLY,
    ACCESS_READ_WRITE,
};

struct reg {
    uint32_t off;  /* Where it starts. */
    uint32_t size; /* 4 or 8. */
    enum access access;
};

static const struct reg registers[] = {
    {VTDPI_VER_REG, 4, ACCESS_READ_ONLY},
    {VTDPI_CAP_REG, 8, ACCESS_READ_ONLY},
    {VTDPI_ECAP_REG, 8, ACCESS_READ_ONLY},
    {VTDPI_GCMD_REG, 4, ACCESS_WRITE_ONLY},
    {VTDPI_GSTS_REG, 4, ACCESS_READ_ONLY},
    {VTDPI_RTADDR_REG, 8, ACCESS_READ_WRITE},
    {VTDPI_CCMD_REG, 8, ACCESS_READ_WRITE},
    {VTDPI_FSTS_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_FECTL_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_FEDATA_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_FEADDR_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_FEUADDR_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_IQH_REG, 8, ACCESS_READ_ONLY},
    {VTDPI_IQT_REG, 8, ACCESS_READ_WRITE},
    {VTDPI_IQA_REG, 8, ACCESS_READ_WRITE},
    {VTDPI_ICS_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_IECTL_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_IEDATA_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_IEADDR_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_IEUADDR_REG, 4, ACCESS_READ_WRITE},
    {VTDPI_IQER_REG, 8, ACCESS_READ_ONLY},
    {VTDPI_IRTA_REG, 8, ACCESS_READ_WRITE},
};

#define PAGE            4096u

/* Bits of registers that this unit does not define. */
#define RTADDR_RESERVED VTDPI_BITS64(9, 0)
#define IQA_RESERVED    VTDPI_BITS64(10, 3)
#define IRTA_RESERVED   VTDPI_BITS64(10, 4)
#define FSTS_RESERVED   0xffff0000u
#define CONTROL_BITS    ((uint32_t)(VTDPI_FECTL_IM | VTDPI_FECTL_IP))
#define CCMD_ICC        VTDPI_BIT64(63)

/* The IOTLB registers, at ECAP.IRO: the address, then the command, which tells in
 * IAIG what it has done of IIRG. */
#define IOTLB_IVT       VTDPI_BIT64(63)
#define IOTLB_IIRG      VTDPI_BITS64(61, 60)
#define IOTLB_IAIG      VTDPI_BITS64(58, 57)
#define IOTLB_BYTES     16u

/* The register at a fixed offset that holds the byte at @p off, or NULL. */
static const struct reg *register_fixed(uint32_t off)
{
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        if (off >= registers[i].off &&
            off < registers[i].off + registers[i].size)
            return &registers[i];
    }
    return NULL;
}

/* The fault record that holds the word at @p off, or -1. Records that CAP.FRO
 * puts over registers at fixed offsets are hidden by those. */
static int record_at(const struct vtdpi_model *m, uint32_t off)
{
    const uint32_t base = vtdpi_model_frcd_base_(m);

    if (off < base || off - base >= vtdpi_model_frcd_count_(m) * 16 ||
        register_fixed(off) != NULL)
        return -1;
    return (int)((off - base) / 16);
}

static uint32_t iotlb_base(const struct vtdpi_model *m)
{
    return (uint32_t)VTDPI_FIELD_GET(m->params.ecap, VTDPI_ECAP_IRO) * 16;
}

/* Whether @p off is in the IOTLB registers, and nothing else is there. */
static bool iotlb_at(const struct vtdpi_model *m, uint32_t off)
{
    const uint32_t base = iotlb_base(m);

    return base != 0 && off >= base && off - base < IOTLB_BYTES &&
           register_fixed(off) == NULL && record_at(m, off) < 0;
}

/* The register that holds the byte at @p off; ACCESS_NONE if there is none. */
static struct reg register_find(const struct vtdpi_model *m, uint32_t off)
{
    const struct reg *const fixed = register_fixed(off);
    const uint32_t kept = vtdpi_model_kept_size_(m, off);
    const bool second = (off & 8) != 0;

    if (fixed != NULL)
        return *fixed;
    if (record_at(m, off) >= 0)
        return (struct reg){off & ~7u, 8,
                            second ? ACCESS_READ_WRITE : ACCESS_READ_ONLY};
    if (iotlb_at(m, off))
        return (struct reg){off & ~7u, 8,
                            second ? ACCESS_READ_WRITE : ACCESS_WRITE_ONLY};
    if (kept != 0)
        return (struct reg){off & ~(kept - 1), kept, ACCESS_READ_WRITE};
    return (struct reg){off, 4, ACCESS_NONE};
}

uint32_t vtdpi_model_register_bytes_(const struct vtdpi_model *m)
{
    const uint32_t records =
        vtdpi_model_frcd_base_(m) + vtdpi_model_frcd_count_(m) * 16;
    const uint32_t iotlb = iotlb_base(m) + IOTLB_BYTES;
    const uint32_t end = records > iotlb ? records : iotlb;

    return (end + PAGE - 1) & ~(PAGE - 1);
}

static uint64_t register_get(const struct vtdpi_model *m, uint32_t off)
{
    const int record = record_at(m, off);

    if (record >= 0)
        return m->frcd[record][(off & 8) != 0];
    if (iotlb_at(m, off))
        return (off & 8) != 0 ? m->iotlb : 0;
    switch (off) {
    case VTDPI_VER_REG:
        return m->params.ver;
    case VTDPI_CAP_REG:
        return m->params.cap;
    case VTDPI_ECAP_REG:
        return m->params.ecap;
    case VTDPI_GSTS_REG:
        return m->gsts;
    case VTDPI_RTADDR_REG:
        return m->rtaddr;
    case VTDPI_CCMD_REG:
        return m->ccmd;
    case VTDPI_FSTS_REG:
        return m->fsts;
    case VTDPI_FECTL_REG:
    case VTDPI_FEDATA_REG:
    case VTDPI_FEADDR_REG:
    case VTDPI_FEUADDR_REG:
        return m->event[EVENT_FAULT][(off - VTDPI_FECTL_REG) / 4];
    case VTDPI_IQH_REG:
        return m->iqh;
    case VTDPI_IQT_REG:
        return m->iqt;
    case VTDPI_IQA_REG:
        return m->iqa;
    case VTDPI_ICS_REG:
        return m->ics;
    case VTDPI_IECTL_REG:
    case VTDPI_IEDATA_REG:
    case VTDPI_IEADDR_REG:
    case VTDPI_IEUADDR_REG:
        return m->event[EVENT_COMPLETION][(off - VTDPI_IECTL_REG) / 4];
    case VTDPI_IQER_REG:
        return m->iqer;
    case VTDPI_IRTA_REG:
        return m->irta;
    default:
        return vtdpi_model_kept_get_(m, off);
    }
}

/* register_get(), with what a broken unit answers instead. */
static uint64_t register_answer(const struct vtdpi_model *m, uint32_t off)
{
    if (off == VTDPI_IQH_REG && fault_on(m, VTDPI_MODEL_FAULT_IQH_STUCK))
        return m->fault_arg[VTDPI_MODEL_FAULT_IQH_STUCK];
    if (off == VTDPI_IQER_REG && fault_on(m, VTDPI_MODEL_FAULT_IQER_ZERO))
        return 0;
    return register_get(m, off);
}

uint64_t vtdpi_model_peek(const struct vtdpi_model *m, uint32_t off)
{
    const struct reg r = register_find(m, off);

    if (r.access == ACCESS_NONE || off % 4 != 0)
        return 0;
    return register_get(m, r.off) >> (off - r.off) * 8;
}

/* Record @p bits as a violation if any is set in @p value; return the rest. */
static uint64_t reserved_cleared(struct vtdpi_model *m, uint32_t off,
                                 uint64_t value, uint64_t bits)
{
    if ((value & bits) != 0)
        vtdpi_model_violate_(m, VTDPI_MODEL_RESERVED_BITS, off, value);
    return value & ~bits;
}

static void iqa_write(struct vtdpi_model *m, uint64_t value)
{
    uint64_t undefined = IQA_RESERVED;

    if ((m->gsts & VTDPI_GSTS_QIES) != 0) {
        vtdpi_model_violate_(m, VTDPI_MODEL_QUEUE_LIVE, VTDPI_IQA_REG, value);
        return;
    }
    if ((m->params.ecap & VTDPI_ECAP_SMTS) == 0)
        undefined |= VTDPI_IQA_DW;
    m->iqa = reserved_cleared(m, VTDPI_IQA_REG, value, undefined);
}

/* A tail that moves back disowns descriptors that the unit may have read. */
static bool iqt_retreats(const struct vtdpi_model *m, uint64_t tail)
{
    const uint64_t mask = vtdpi_model_queue_size_(m) - 1;

    return (m->gsts & VTDPI_GSTS_QIES) != 0 && tail <= mask &&
           ((tail - m->iqh) & mask) < ((m->iqt - m->iqh) & mask);
}

static void iqt_write(struct vtdpi_model *m, uint64_t value)
{
    value = reserved_cleared(m, VTDPI_IQT_REG, value, ~VTDPI_IQ_OFFSET);
    if (iqt_retreats(m, value))
        vtdpi_model_violate_(m, VTDPI_MODEL_QUEUE_TAIL, VTDPI_IQT_REG, value);
    m->iqt = value;
    if (!m->params.manual)
        vtdpi_model_queue_run_(m);
}

static void irta_write(struct vtdpi_model *m, uint64_t value)
{
    value = reserved_cleared(m, VTDPI_IRTA_REG, value, IRTA_RESERVED);
    if ((value & VTDPI_IRTA_EIME) != 0 &&
        (m->params.ecap & VTDPI_ECAP_EIM) == 0) {
        vtdpi_model_violate_(m, VTDPI_MODEL_UNSUPPORTED, VTDPI_IRTA_REG, value);
        value &= ~VTDPI_IRTA_EIME;
    }
    m->irta = value;
}

/* @p value starts an invalidation by a register. */
static void invalidation_check(struct vtdpi_model *m, uint32_t off,
                               uint64_t value)
{
    if ((m->gsts & VTDPI_GSTS_QIES) != 0 ||
        VTDPI_FIELD_GET(m->params.ver, VTDPI_VER_MAJOR) >= 6)
        vtdpi_model_violate_(m, VTDPI_MODEL_REGISTER_INVALIDATION, off, value);
}

static void ccmd_write(struct vtdpi_model *m, uint64_t value)
{
    if ((value & CCMD_ICC) != 0)
        invalidation_check(m, VTDPI_CCMD_REG, value);
    m->ccmd = value & ~CCMD_ICC; /* Done at once. */
}

static void iotlb_write(struct vtdpi_model *m, uint32_t off, uint64_t value)
{
    if ((off & 8) == 0)
        return; /* The address: there is nothing to invalidate. */
    if ((value & IOTLB_IVT) != 0) {
        invalidation_check(m, off, value);
        value = (value & ~(IOTLB_IVT | IOTLB_IAIG)) |
                VTDPI_FIELD_PUT(VTDPI_FIELD_GET(value, IOTLB_IIRG), IOTLB_IAIG);
    }
    m->iotlb = value;
}

static void event_write(struct vtdpi_model *m, enum event_block block,
                        uint32_t off, uint32_t i, uint32_t value)
{
    if (i == 0) {
        value =
            (uint32_t)reserved_cleared(m, off, value, (uint32_t)~CONTROL_BITS);
        vtdpi_model_event_control_(m, block, value);
    } else {
        m->event[block][i] =
            i == 2 ? (uint32_t)reserved_cleared(m, off, value, 3) : value;
    }
}

static void register_put(struct vtdpi_model *m, uint32_t off, uint64_t value)
{
    const int record = record_at(m, off);

    if (record >= 0) {
        if ((value & VTDPI_FRCD_HI_F) != 0)
            vtdpi_model_frcd_clear_(m, (uint32_t)record);
        return;
    }
    if (iotlb_at(m, off)) {
        iotlb_write(m, off, value);
        return;
    }
    switch (off) {
    case VTDPI_GCMD_REG:
        vtdpi_model_command_(m, (uint32_t)value);
        break;
    case VTDPI_RTADDR_REG:
        m->rtaddr = reserved_cleared(m, off, value, RTADDR_RESERVED);
        break;
    case VTDPI_CCMD_REG:
        ccmd_write(m, value);
        break;
    case VTDPI_FSTS_REG:
        value = reserved_cleared(m, off, value,
                                 FSTS_RESERVED | vtdpi_model_status_absent_(m));
        vtdpi_model_status_clear_(m, (uint32_t)value);
        /* Fetching goes on at IQH. */
        if (!m->params.manual)
            vtdpi_model_queue_run_(m);
        break;
    case VTDPI_FECTL_REG:
    case VTDPI_FEDATA_REG:
    case VTDPI_FEADDR_REG:
    case VTDPI_FEUADDR_REG:
        event_write(m, EVENT_FAULT, off, (off - VTDPI_FECTL_REG) / 4,
                    (uint32_t)value);
        break;
    case VTDPI_IQT_REG:
        iqt_write(m, value);
        break;
    case VTDPI_IQA_REG:
        iqa_write(m, value);
        break;
    case VTDPI_ICS_REG:
        value = reserved_cleared(m, off, value, ~(uint64_t)ICS_IWC);
        m->ics &= ~(uint32_t)value;
        if (m->ics == 0)
            m->event[EVENT_COMPLETION][0] &= ~(uint32_t)VTDPI_FECTL_IP;
        break;
    case VTDPI_IECTL_REG:
    case VTDPI_IEDATA_REG:
    case VTDPI_IEADDR_REG:
    case VTDPI_IEUADDR_REG:
        event_write(m, EVENT_COMPLETION, off, (off - VTDPI_IECTL_REG) / 4,
                    (uint32_t)value);
        break;
    case VTDPI_IRTA_REG:
        irta_write(m, value);
        break;
    default:
        vtdpi_model_kept_put_(m, off, value);
        break;
    }
}

void vtdpi_model_tick_(struct vtdpi_model *m)
{
    m->ticks++;
    vtdpi_model_command_due_(m);
    if (!m->params.manual)
        vtdpi_model_queue_run_(m);
}

void vtdpi_model_tick(struct vtdpi_model *m, uint32_t n)
{
    vtdpi_model_enter_(m);
    for (uint32_t i = 0; i < n; i++)
        vtdpi_model_tick_(m);
    vtdpi_model_leave_(m);
}

/*
 * Check an access of @p size bytes at @p off. Returns the register, with
 * ACCESS_NONE if the access does nothing. Only halves of 64-bit registers can be
 * reached with another width than the register's.
 */
static struct reg register_check(struct vtdpi_model *m, uint32_t off,
                                 uint32_t size, enum access refused,
                                 enum vtdpi_model_violation_kind why,
                                 uint64_t value)
{
    enum vtdpi_model_violation_kind kind = VTDPI_MODEL_OK;
    struct reg r = register_find(m, off);

    if (off % size != 0)
        kind = VTDPI_MODEL_BAD_ALIGNMENT;
    else if (off >= m->params.window_bytes ||
             m->params.window_bytes - off < size)
        kind = VTDPI_MODEL_BEYOND_WINDOW;
    else if (r.access == ACCESS_NONE)
        kind = VTDPI_MODEL_NO_REGISTER;
    else if (r.access == refused)
        kind = why;
    else if (r.size < size || (r.size > size && !m->params.allow_halves))
        kind = VTDPI_MODEL_BAD_WIDTH;
    if (kind != VTDPI_MODEL_OK)
        vtdpi_model_violate_(m, kind, off, value);
    if (kind != VTDPI_MODEL_OK && (kind != VTDPI_MODEL_BAD_WIDTH ||
                                   (r.size < size && !m->params.foreign)))
        r.access = ACCESS_NONE;
    return r;
}

/* The register behind one of 32 bits, if an access of @p size reaches that, too. */
static struct reg register_behind(const struct vtdpi_model *m,
                                  const struct reg *r, uint32_t size)
{
    if (size <= r->size || r->access == ACCESS_NONE)
        return (struct reg){r->off, 4, ACCESS_NONE};
    return register_find(m, r->off + r->size);
}

static uint64_t registers_read(const struct vtdpi_model *m, const struct reg *r,
                               uint32_t off, uint32_t size)
{
    const struct reg behind = register_behind(m, r, size);
    uint64_t value = 0;

    if (r->access != ACCESS_NONE)
        value = register_answer(m, r->off) >> (off - r->off) * 8;
    if (behind.access == ACCESS_READ_ONLY || behind.access == ACCESS_READ_WRITE)
        value |= register_answer(m, behind.off) << 32;
    return value;
}

static uint64_t register_read(struct vtdpi_model *m, uint32_t off,
                              uint32_t size)
{
    struct reg r;
    uint64_t value = UINT64_MAX;

    vtdpi_model_enter_(m);
    vtdpi_model_tick_(m);
    vtdpi_model_step_(m, VTDPI_MODEL_STEP_READ);
    m->counters.reads++;
    if (!fault_on(m, VTDPI_MODEL_FAULT_ALL_ONES)) {
        /* A read is answered only when the posts before it are done. */
        (void)vtdpi_model_drain_(m);
        r = register_check(m, off, size, ACCESS_WRITE_ONLY,
                           VTDPI_MODEL_WRITE_ONLY, 0);
        value = registers_read(m, &r, off, size);
    }
    vtdpi_model_leave_(m);
    return value;
}

/* The whole register's new value, when @p value is for one half of it. The
 * other half of a fault record must not clear anything. */
static uint64_t register_merge(const struct vtdpi_model *m, const struct reg *r,
                               uint32_t off, uint32_t size, uint64_t value)
{
    const uint32_t shift = (off - r->off) * 8;
    const uint64_t mask = UINT64_C(0xffffffff) << shift;

    if (r->size == size)
        return value;
    if (r->size < size)
        return value & UINT32_MAX;
    if (record_at(m, r->off) >= 0)
        return value << shift;
    return (register_get(m, r->off) & ~mask) | value << shift;
}

static void registers_write(struct vtdpi_model *m, const struct reg *r,
                            uint32_t off, uint32_t size, uint64_t value)
{
    const struct reg behind = register_behind(m, r, size);

    if (r->access != ACCESS_NONE)
        register_put(m, r->off, register_merge(m, r, off, size, value));
    if (behind.access == ACCESS_WRITE_ONLY ||
        behind.access == ACCESS_READ_WRITE)
        register_put(m, behind.off, value >> 32);
}

static void register_write(struct vtdpi_model *m, uint32_t off, uint32_t size,
                           uint64_t value)
{
    struct reg r;

    vtdpi_model_enter_(m);
    vtdpi_model_tick_(m);
    vtdpi_model_step_(m, VTDPI_MODEL_STEP_WRITE);
    m->counters.writes++;
    if (!fault_on(m, VTDPI_MODEL_FAULT_ALL_ONES)) {
        r = register_check(m, off, size, ACCESS_READ_ONLY,
                           VTDPI_MODEL_READ_ONLY, value);
        registers_write(m, &r, off, size, value);
    }
    vtdpi_model_leave_(m);
}

uint32_t vtdpi_model_read32(struct vtdpi_model *m, uint32_t off)
{
    return (uint32_t)register_read(m, off, 4);
}

uint64_t vtdpi_model_read64(struct vtdpi_model *m, uint32_t off)
{
    return register_read(m, off, 8);
}

void vtdpi_model_write32(struct vtdpi_model *m, uint32_t off, uint32_t value)
{
    register_write(m, off, 4, value);
}

void vtdpi_model_write64(struct vtdpi_model *m, uint32_t off, uint64_t value)
{
    register_write(m, off, 8, value);
}
