/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt requests: decoding, remapping, checks. The entry comes from
 * model_cache.c; what it posts goes to model_post.c, what it blocks to
 * model_fault.c. Read the order of files in internal.h first.
 */
#include "internal.h"

#define MSI_PAGE     0xfeeu /* Address bits 63:20. */
#define MSI_FORMAT   (1u << 4)
#define MSI_SHV      (1u << 3)

/* Redirection table entry of an IOAPIC. */
#define RTE_MASK     VTDPI_BIT64(16)
#define RTE_FORMAT   VTDPI_BIT64(48)
#define RTE_RESERVED (VTDPI_BITS64(47, 17) | VTDPI_BITS64(10, 8))

#define DLM_FIXED    0
#define DLM_LOWEST   1

#define FIRST_VECTOR 16

static uint32_t field_bits(uint64_t value, unsigned int high, unsigned int low)
{
    return (uint32_t)((value >> low) & ((UINT64_C(2) << (high - low)) - 1));
}

static void result_clear(struct vtdpi_model_result *r)
{
    *r = (struct vtdpi_model_result){0};
}

/* Fixed and lowest-priority interrupts need a vector; a local APIC records an
 * error for one below 16. */
static void vector_check(struct vtdpi_model *m,
                         const struct vtdpi_model_result *r, bool uses_vector)
{
    if (uses_vector && r->vector < FIRST_VECTOR)
        vtdpi_model_violate_(m, VTDPI_MODEL_VECTOR, r->index, r->vector);
}

static bool source_matches(uint64_t hi, uint16_t sid)
{
    static const uint16_t ignored[4] = {0, 4, 6, 7}; /* By SQ. */
    const uint64_t want = VTDPI_FIELD_GET(hi, VTDPI_IRTE_HI_SID);
    const uint64_t bus = sid >> 8;

    switch (VTDPI_FIELD_GET(hi, VTDPI_IRTE_HI_SVT)) {
    case 1:
        return ((want ^ sid) & 0xffff &
                ~(uint64_t)ignored[VTDPI_FIELD_GET(hi, VTDPI_IRTE_HI_SQ)]) == 0;
    case 2:
        return bus >= want >> 8 && bus <= (want & 0xff);
    default:
        return true;
    }
}

static void request_deliver(struct vtdpi_model *m, struct vtdpi_model_result *r)
{
    const uint64_t lo = r->irte[0];

    r->outcome = VTDPI_MODEL_REMAPPED;
    r->dest = (uint32_t)(extended_mode(m)
                             ? VTDPI_FIELD_GET(lo, VTDPI_IRTE_LO_DST)
                             : VTDPI_FIELD_GET(lo, VTDPI_IRTE_LO_DST_XAPIC));
    r->dlm = (uint8_t)VTDPI_FIELD_GET(lo, VTDPI_IRTE_LO_DLM);
    r->logical = (lo & VTDPI_IRTE_LO_DM) != 0;
    r->rh = (lo & VTDPI_IRTE_LO_RH) != 0;
    r->level = (lo & VTDPI_IRTE_LO_TM) != 0;
    vector_check(m, r, r->dlm == DLM_FIXED || r->dlm == DLM_LOWEST);
    m->counters.remapped++;
}

/* The checks of one entry, in the order of their fault reasons' precedence. */
static uint8_t entry_judge(const struct vtdpi_model *m, uint16_t sid,
                           const uint64_t irte[2])
{
    if ((irte[0] & VTDPI_IRTE_LO_P) == 0)
        return VTDPI_FR_NOT_PRESENT;
    if (!vtdpi_model_entry_valid_(m, irte))
        return VTDPI_FR_IRTE_RESERVED;
    if (!source_matches(irte[1], sid))
        return VTDPI_FR_SOURCE_ID;
    return 0;
}

static void request_remap(struct vtdpi_model *m, uint16_t sid,
                          struct vtdpi_model_result *r)
{
    const uint64_t entries = UINT64_C(2)
                             << VTDPI_FIELD_GET(m->irta_latched, VTDPI_IRTA_S);
    uint8_t reason;

    if (r->index >= entries) {
        vtdpi_model_block_(m, sid, r, VTDPI_FR_INDEX);
        return;
    }
    if (!vtdpi_model_entry_(m, r->index, r->irte, &r->from_cache)) {
        vtdpi_model_block_(m, sid, r, VTDPI_FR_TABLE_ACCESS);
        return;
    }
    reason = entry_judge(m, sid, r->irte);
    if (reason != 0) {
        vtdpi_model_block_(m, sid, r, reason);
        return;
    }
    r->vector = (uint8_t)VTDPI_FIELD_GET(r->irte[0], VTDPI_IRTE_LO_VECTOR);
    if ((r->irte[0] & VTDPI_IRTE_LO_IM) == 0) {
        request_deliver(m, r);
    } else {
        vector_check(m, r, true);
        vtdpi_model_post_(m, sid, r);
    }
}

static bool compatibility_blocked(const struct vtdpi_model *m)
{
    return (m->gsts & VTDPI_GSTS_IRES) != 0 &&
           (extended_mode(m) || (m->gsts & VTDPI_GSTS_CFIS) == 0);
}

static bool unit_gone(struct vtdpi_model *m, struct vtdpi_model_result *r)
{
    if (!fault_on(m, VTDPI_MODEL_FAULT_ALL_ONES))
        return false;
    r->outcome = VTDPI_MODEL_DROPPED;
    return true;
}

static void request_pass(struct vtdpi_model *m, struct vtdpi_model_result *r)
{
    r->outcome = VTDPI_MODEL_PASSED;
    m->counters.passed++;
}

static void request_msi(struct vtdpi_model *m, uint16_t sid, uint64_t address,
                        uint32_t data, struct vtdpi_model_result *r)
{
    if ((m->gsts & VTDPI_GSTS_IRES) == 0 || (address & MSI_FORMAT) == 0) {
        if (compatibility_blocked(m)) {
            vtdpi_model_block_(m, sid, r, VTDPI_FR_COMPAT_BLOCKED);
            return;
        }
        r->dest = field_bits(address, 19, 12);
        r->rh = field_bits(address, 3, 3) != 0;
        r->logical = field_bits(address, 2, 2) != 0;
        r->level = field_bits(data, 15, 15) != 0;
        r->dlm = (uint8_t)field_bits(data, 10, 8);
        r->vector = (uint8_t)field_bits(data, 7, 0);
        request_pass(m, r);
        return;
    }
    r->index = field_bits(address, 19, 5) | field_bits(address, 2, 2) << 15;
    if ((address & MSI_SHV) != 0)
        r->index += field_bits(data, 15, 0);
    if (field_bits(data, 31, 16) != 0)
        vtdpi_model_block_(m, sid, r, VTDPI_FR_REQUEST_RESERVED);
    else
        request_remap(m, sid, r);
}

static void request_rte(struct vtdpi_model *m, uint16_t sid, uint64_t entry,
                        struct vtdpi_model_result *r)
{
    if ((m->gsts & VTDPI_GSTS_IRES) == 0 || (entry & RTE_FORMAT) == 0) {
        if (compatibility_blocked(m)) {
            vtdpi_model_block_(m, sid, r, VTDPI_FR_COMPAT_BLOCKED);
            return;
        }
        r->dest = field_bits(entry, 63, 56);
        r->logical = field_bits(entry, 11, 11) != 0;
        r->level = field_bits(entry, 15, 15) != 0;
        r->dlm = (uint8_t)field_bits(entry, 10, 8);
        r->vector = (uint8_t)field_bits(entry, 7, 0);
        request_pass(m, r);
        return;
    }
    r->index = field_bits(entry, 63, 49) | field_bits(entry, 11, 11) << 15;
    if ((entry & RTE_RESERVED) != 0)
        vtdpi_model_block_(m, sid, r, VTDPI_FR_REQUEST_RESERVED);
    else
        request_remap(m, sid, r);
}

enum vtdpi_model_outcome vtdpi_model_msi(struct vtdpi_model *m, uint16_t sid,
                                         uint64_t address, uint32_t data,
                                         struct vtdpi_model_result *result)
{
    result_clear(result);
    if (address >> 20 != MSI_PAGE)
        return VTDPI_MODEL_NOT_INTERRUPT;
    vtdpi_model_enter_(m);
    vtdpi_model_step_(m, VTDPI_MODEL_STEP_REQUEST);
    m->counters.requests++;
    if (!unit_gone(m, result))
        request_msi(m, sid, address, data, result);
    vtdpi_model_leave_(m);
    return result->outcome;
}

enum vtdpi_model_outcome vtdpi_model_rte(struct vtdpi_model *m, uint16_t sid,
                                         uint64_t entry,
                                         struct vtdpi_model_result *result)
{
    result_clear(result);
    if ((entry & RTE_MASK) != 0) {
        result->outcome = VTDPI_MODEL_MASKED;
        return result->outcome;
    }
    vtdpi_model_enter_(m);
    vtdpi_model_step_(m, VTDPI_MODEL_STEP_REQUEST);
    m->counters.requests++;
    if (!unit_gone(m, result))
        request_rte(m, sid, entry, result);
    vtdpi_model_leave_(m);
    return result->outcome;
}
