/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong in the dump of an interrupt remapping table: each entry by itself, then
 * entries against each other. vtdpi_irte_validate() names the first thing that is wrong
 * with an entry; here it is asked again without this thing, until nothing is wrong.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"
#include "table_lint.h"
#include "tool.h"

#define BIT(column) (1u << (column))

struct lint {
    const struct table_dump *dump;
    const struct table_rules *rules;
    json_t *problems;
};

bool table_is_present(const struct table_entry *e)
{
    return (e->irte.lo & VTDPI_IRTE_LO_P) != 0;
}

uint64_t table_pda(const struct table_entry *e)
{
    struct vtdpi_irte_posted p;

    return vtdpi_irte_decode_posted(&e->irte, &p) == 0 ? p.pda : 0;
}

static uint16_t sid_of(const struct table_entry *e)
{
    return (uint16_t)VTDPI_FIELD_GET(e->irte.hi, VTDPI_IRTE_HI_SID);
}

static unsigned int svt_of(const struct table_entry *e)
{
    return (unsigned int)VTDPI_FIELD_GET(e->irte.hi, VTDPI_IRTE_HI_SVT);
}

static uint32_t dst_of(const struct table_entry *e)
{
    return (uint32_t)VTDPI_FIELD_GET(e->irte.lo, VTDPI_IRTE_LO_DST);
}

static unsigned int vector_of(const struct table_entry *e)
{
    return (unsigned int)VTDPI_FIELD_GET(e->irte.lo, VTDPI_IRTE_LO_VECTOR);
}

void table_source(const struct table_entry *e, char text[TABLE_SOURCE_MAX])
{
    const uint16_t sid = sid_of(e);

    switch (svt_of(e)) {
    case 0:
        (void)snprintf(text, TABLE_SOURCE_MAX, "any");
        break;
    case 2:
        (void)snprintf(text, TABLE_SOURCE_MAX, "buses %02x-%02x", sid >> 8,
                       sid & 0xff);
        break;
    default:
        (void)snprintf(text, TABLE_SOURCE_MAX, "%02x:%02x.%x",
                       vtdpi_sid_bus(sid), vtdpi_sid_device(sid),
                       vtdpi_sid_function(sid));
        break;
    }
}

/* Says of which entry a problem is. */
static void at_entry(const struct lint *l, const struct table_entry *e,
                     json_t *problem)
{
    (void)json_object_set_new(problem, "unit",
                              json_string(l->dump->units[e->unit].name));
    (void)json_object_set_new(problem, "index",
                              json_integer((json_int_t)e->index));
    if (e->line != 0)
        (void)json_object_set_new(problem, "line",
                                  json_integer((json_int_t)e->line));
}

#define FOUND(l, e, ...) at_entry(l, e, problem_add((l)->problems, __VA_ARGS__))

/* A column beside the words. */
static void column_lint(const struct lint *l, const struct table_entry *e,
                        uint32_t columns, const char *name, uint64_t says,
                        uint64_t word)
{
    if ((e->columns & columns) == columns && says != word)
        FOUND(l, e, SEVERITY_ERROR, "mismatch",
              "the column %s says 0x%" PRIx64 ", and the words 0x%" PRIx64,
              name, says, word);
}

/* Columns of a dump that has the words, too. */
static void columns_lint(const struct lint *l, const struct table_entry *e)
{
    const bool posted = vtdpi_irte_is_posted(&e->irte);
    const bool column = (e->columns & BIT(COLUMN_PDA_LOW)) != 0;

    if ((e->columns & BIT(COLUMN_LOW)) == 0)
        return;
    column_lint(l, e, BIT(COLUMN_SID), "of the source id", e->sid, sid_of(e));
    column_lint(l, e, BIT(COLUMN_VECTOR), "of the vector", e->vector,
                vector_of(e));
    if (posted != column)
        FOUND(l, e, SEVERITY_ERROR, "format",
              "the row is one of %s format, and the words are of %s format",
              column ? "posted" : "remapped", posted ? "posted" : "remapped");
    else if (posted)
        column_lint(l, e, BIT(COLUMN_PDA_HIGH) | BIT(COLUMN_PDA_LOW),
                    "of the descriptor", e->pda, table_pda(e));
    else
        column_lint(l, e, BIT(COLUMN_DST), "of the destination", e->dst,
                    dst_of(e));
}

/* What vtdpi_irte_validate() knows: name, severity, and how the entry looks without. */
struct irte_rule {
    int code;
    enum severity severity;
    const char *what;
    uint64_t clear_lo;
    uint64_t clear_hi;
    uint64_t set_lo;
};

static const struct irte_rule irte_rules[] = {
    {VTDPI_EIRTE_ABSENT, SEVERITY_WARNING, "absent",
     ~(VTDPI_IRTE_LO_FPD | VTDPI_IRTE_LO_AVAIL | VTDPI_IRTE_LO_IM), UINT64_MAX,
     0},
    {VTDPI_EIRTE_SVT, SEVERITY_ERROR, "svt", 0, VTDPI_IRTE_HI_SVT, 0},
    {VTDPI_EIRTE_SQ, SEVERITY_WARNING, "sq", 0, VTDPI_IRTE_HI_SQ, 0},
    {VTDPI_EIRTE_BUS, SEVERITY_WARNING, "bus", 0, VTDPI_IRTE_HI_SID, 0},
    {VTDPI_EIRTE_DLM, SEVERITY_ERROR, "dlm", VTDPI_IRTE_LO_DLM, 0, 0},
    {VTDPI_EIRTE_RH, SEVERITY_ERROR, "rh", 0, 0, VTDPI_IRTE_LO_RH},
    {VTDPI_EIRTE_TM, SEVERITY_WARNING, "tm", VTDPI_IRTE_LO_TM, 0, 0},
    {VTDPI_EIRTE_VECTOR, SEVERITY_ERROR, "vector", 0, 0, VTDPI_IRTE_LO_VECTOR},
    {VTDPI_EIRTE_DST, SEVERITY_ERROR, "eim", VTDPI_IRTE_LO_DST, 0, 0},
};

static const struct irte_rule *rule_find(int code)
{
    for (size_t i = 0; i < sizeof(irte_rules) / sizeof(irte_rules[0]); i++) {
        if (irte_rules[i].code == code)
            return &irte_rules[i];
    }
    return NULL;
}

static void reserved_lint(const struct lint *l, const struct table_entry *e,
                          struct vtdpi_irte *rest)
{
    const bool posted = vtdpi_irte_is_posted(rest);
    const uint64_t lo =
        posted ? VTDPI_IRTE_LO_RSVD_POST : VTDPI_IRTE_LO_RSVD_REMAP;
    const uint64_t hi =
        posted ? VTDPI_IRTE_HI_RSVD_POST : VTDPI_IRTE_HI_RSVD_REMAP;

    FOUND(l, e, SEVERITY_ERROR, "reserved",
          "reserved bits are set: 0x%" PRIx64 " of the high word, 0x%" PRIx64
          " of the low word; the unit blocks such an interrupt",
          rest->hi & hi, rest->lo & lo);
    rest->lo &= ~lo;
    rest->hi &= ~hi;
}

/* Xen prints the descriptor's low half with its sign: the upper half is then lost. */
static bool pda_is_lost(const struct lint *l, const struct table_entry *e)
{
    return strcmp(l->dump->form, "Xen") == 0 &&
           vtdpi_irte_is_posted(&e->irte) &&
           table_pda(e) >> 31 == UINT64_C(0x1ffffffff);
}

static void width_lint(const struct lint *l, const struct table_entry *e,
                       struct vtdpi_irte *rest)
{
    if (!pda_is_lost(l, e))
        FOUND(l, e, SEVERITY_ERROR, "pda-width",
              "the descriptor 0x%" PRIx64 " is not below the host address "
              "width of %u bits",
              table_pda(e), l->rules->haw);
    rest->lo &= ~VTDPI_IRTE_LO_PDA;
    rest->hi &= ~VTDPI_IRTE_HI_PDA;
}

/* All that vtdpi_irte_validate() finds. */
static void words_lint(const struct lint *l, const struct table_entry *e)
{
    const enum vtdpi_apic_mode mode =
        l->rules->mode == MODE_XAPIC ? VTDPI_XAPIC : VTDPI_X2APIC;
    struct vtdpi_irte rest = e->irte;

    /* Each round takes one thing away, and two of them are not in the table. */
    for (size_t i = 0; i < sizeof(irte_rules) / sizeof(irte_rules[0]) + 2;
         i++) {
        const int rc = vtdpi_irte_validate(&rest, mode, l->rules->haw);
        const struct irte_rule *const rule = rule_find(rc);

        if (rc == VTDPI_EIRTE_RESERVED) {
            reserved_lint(l, e, &rest);
        } else if (rc == VTDPI_EIRTE_PDA_WIDTH) {
            width_lint(l, e, &rest);
        } else if (rule == NULL) {
            return;
        } else {
            FOUND(l, e, rule->severity, rule->what, "%s", vtdpi_strerror(rc));
            rest.lo = (rest.lo & ~rule->clear_lo) | rule->set_lo;
            rest.hi &= ~rule->clear_hi;
        }
    }
}

/* An address in the remapping table of any unit. */
static const struct table_unit *unit_of_address(const struct table_dump *d,
                                                uint64_t address)
{
    for (size_t i = 0; i < d->unit_count; i++) {
        const struct table_unit *const u = &d->units[i];
        const uint64_t size = u->size != 0 ? u->size : TABLE_UNIT_ENTRIES;

        if (u->address != 0 && address >= u->address &&
            address - u->address < size * sizeof(struct vtdpi_irte))
            return u;
    }
    return NULL;
}

static void pda_lint(const struct lint *l, const struct table_entry *e)
{
    const uint64_t pda = table_pda(e);
    const struct table_unit *const table = unit_of_address(l->dump, pda);

    if (pda_is_lost(l, e))
        FOUND(l, e, SEVERITY_NOTE, "pda-lost",
              "Xen prints a descriptor whose bit 31 is set with an upper half "
              "of ones; the true upper half is not known");
    if (pda == 0)
        FOUND(l, e, SEVERITY_ERROR, "pda-zero",
              "the descriptor is at address zero");
    if ((e->columns & (BIT(COLUMN_PDA) | BIT(COLUMN_PDA_LOW))) != 0 &&
        e->pda % 64 != 0)
        FOUND(l, e, SEVERITY_ERROR, "pda-align",
              "the descriptor 0x%" PRIx64 " is not a multiple of 64", e->pda);
    if (table != NULL)
        FOUND(l, e, SEVERITY_ERROR, "pda-in-table",
              "the descriptor 0x%" PRIx64 " is inside the table of %s", pda,
              table->name);
    if (l->dump->units[e->unit].posting == KNOWN_NO)
        FOUND(l, e, SEVERITY_ERROR, "no-posting",
              "the entry is of posted format, and the unit does not support "
              "posting");
}

/*
 * A destination of xAPIC mode in a table of x2APIC mode: shifted by eight. APIC ids with
 * a low byte of zero exist, but logical ones are sets of bits, where all is possible.
 */
static void eim_lint(const struct lint *l, const struct table_entry *e)
{
    const uint32_t dst = dst_of(e);

    if (l->rules->mode == MODE_X2APIC && (e->irte.lo & VTDPI_IRTE_LO_DM) == 0 &&
        dst != 0 && dst <= 0xff00 && (dst & 0xff) == 0)
        FOUND(l, e, SEVERITY_NOTE, "eim",
              "the destination 0x%x looks like APIC id %u of xAPIC mode",
              (unsigned int)dst, (unsigned int)dst >> 8);
}

static void entry_lint(const struct lint *l, const struct table_entry *e)
{
    const struct table_unit *const u = &l->dump->units[e->unit];

    columns_lint(l, e);
    words_lint(l, e);
    if (u->size != 0 && e->index >= u->size)
        FOUND(l, e, SEVERITY_ERROR, "index", "the table has %u entries only",
              (unsigned int)u->size);
    else if (e->index >= TABLE_UNIT_ENTRIES)
        FOUND(l, e, SEVERITY_ERROR, "index",
              "no table has more than %d entries", TABLE_UNIT_ENTRIES);
    if (!table_is_present(e))
        return;
    if (svt_of(e) == 0)
        FOUND(l, e, SEVERITY_WARNING, "no-source-check",
              "any device may use the entry: its source is not checked (SVT "
              "0)");
    if ((e->irte.lo & VTDPI_IRTE_LO_FPD) != 0)
        FOUND(l, e, SEVERITY_NOTE, "fpd",
              "faults of this entry are not recorded (FPD)");
    if (vtdpi_irte_is_posted(&e->irte))
        pda_lint(l, e);
    else
        eim_lint(l, e);
}

/* Entries by unit and index; the same index keeps the order of the dump. */
static int by_index(const void *a, const void *b)
{
    const struct table_entry *const *const left = a;
    const struct table_entry *const *const right = b;
    const struct table_entry *const x = *left;
    const struct table_entry *const y = *right;

    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int by_pda(const void *a, const void *b)
{
    const struct table_entry *const *const left = a;
    const struct table_entry *const *const right = b;
    const uint64_t x = table_pda(*left);
    const uint64_t y = table_pda(*right);

    if (x != y)
        return x < y ? -1 : 1;
    if (vector_of(*left) != vector_of(*right))
        return vector_of(*left) < vector_of(*right) ? -1 : 1;
    return *left < *right ? -1 : *left > *right;
}

static void twice_lint(const struct lint *l, const struct table_entry *const *e,
                       size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const bool same = e[i]->irte.lo == e[i - 1]->irte.lo &&
                          e[i]->irte.hi == e[i - 1]->irte.hi;

        if (e[i]->unit == e[i - 1]->unit && e[i]->index == e[i - 1]->index)
            FOUND(l, e[i], same ? SEVERITY_NOTE : SEVERITY_WARNING, "twice",
                  "the index is in the dump twice, with %s words",
                  same ? "the same" : "other");
    }
}

static bool same_device(const struct table_entry *a,
                        const struct table_entry *b)
{
    return a->unit == b->unit && svt_of(a) == svt_of(b) &&
           sid_of(a) == sid_of(b);
}

/* Entries e[0] to e[count - 1] post to one descriptor, in the order of vectors. */
static void descriptor_lint(const struct lint *l,
                            const struct table_entry *const *e, size_t count)
{
    const struct table_entry *other = NULL;
    char first[TABLE_SOURCE_MAX];

    table_source(e[0], first);
    for (size_t i = 1; i < count; i++) {
        if (other == NULL && !same_device(e[0], e[i]))
            other = e[i];
        if (vector_of(e[i]) == vector_of(e[i - 1]))
            FOUND(l, e[i], SEVERITY_WARNING, "vector-shared",
                  "entry %u posts vector 0x%x to the same descriptor: the two "
                  "interrupts are one bit there",
                  (unsigned int)e[i - 1]->index, vector_of(e[i]));
    }
    if (other != NULL)
        FOUND(l, other, SEVERITY_NOTE, "pda-shared",
              "the descriptor 0x%" PRIx64 " also gets interrupts of %s (entry "
              "%u); right if one vCPU has both devices",
              table_pda(other), first, (unsigned int)e[0]->index);
}

static void descriptors_lint(const struct lint *l,
                             const struct table_entry *const *e, size_t count)
{
    size_t first = 0;

    for (size_t i = 1; i <= count; i++) {
        if (i < count && table_pda(e[i]) == table_pda(e[first]))
            continue;
        descriptor_lint(l, e + first, i - first);
        first = i;
    }
}

static void pairs_lint(const struct lint *l)
{
    const size_t count = l->dump->entry_count;
    const struct table_entry **const e = calloc(count + 1, sizeof(e[0]));
    size_t posted = 0;

    if (e == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        e[i] = &l->dump->entries[i];
    qsort(e, count, sizeof(e[0]), by_index);
    twice_lint(l, e, count);
    for (size_t i = 0; i < count; i++) {
        const struct table_entry *const at = &l->dump->entries[i];

        if (table_is_present(at) && vtdpi_irte_is_posted(&at->irte))
            e[posted++] = at;
    }
    qsort(e, posted, sizeof(e[0]), by_pda);
    if (posted > 0)
        descriptors_lint(l, e, posted);
    free(e);
}

enum table_mode table_mode_guess(const struct table_dump *dump)
{
    size_t shifted = 0;
    size_t other = 0;

    for (size_t i = 0; i < dump->entry_count; i++) {
        const struct table_entry *const e = &dump->entries[i];
        const uint32_t dst = dst_of(e);

        if (!table_is_present(e) || vtdpi_irte_is_posted(&e->irte) || dst == 0)
            continue;
        if (dst <= 0xff00 && (dst & 0xff) == 0)
            shifted++;
        else
            other++;
    }
    return shifted != 0 && other == 0 ? MODE_XAPIC : MODE_X2APIC;
}

static void dump_lint(const struct lint *l)
{
    const struct table_dump *const d = l->dump;
    const unsigned long told =
        d->bad_count < TABLE_BAD_MAX ? d->bad_count : TABLE_BAD_MAX;

    for (unsigned long i = 0; i < told; i++)
        (void)json_object_set_new(
            problem_add(l->problems, SEVERITY_WARNING, "row",
                        "a row that cannot be read: cut short, or damaged"),
            "line", json_integer((json_int_t)d->bad[i]));
    if (d->bad_count > told)
        (void)problem_add(l->problems, SEVERITY_WARNING, "row",
                          "%lu more rows that cannot be read",
                          d->bad_count - told);
    if (d->off_line != 0)
        (void)json_object_set_new(
            problem_add(l->problems, SEVERITY_NOTE, "off",
                        "interrupt remapping is not enabled"),
            "line", json_integer((json_int_t)d->off_line));
    if (d->short_line != 0)
        (void)json_object_set_new(
            problem_add(l->problems, SEVERITY_WARNING, "short",
                        "Xen found another number of entries than it has "
                        "allocated"),
            "line", json_integer((json_int_t)d->short_line));
}

json_t *table_lint(const struct table_dump *dump,
                   const struct table_rules *rules)
{
    const struct lint l = {dump, rules, json_array()};

    dump_lint(&l);
    for (size_t i = 0; i < dump->entry_count; i++)
        entry_lint(&l, &dump->entries[i]);
    pairs_lint(&l);
    return l.problems;
}
