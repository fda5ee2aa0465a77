/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of dumps of interrupt remapping tables.
 *
 * A line may begin with what a log has put there: a date, a host, "(XEN)". So a row is
 * read from its end: the last tokens are the columns that the heading names.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "table_rows.h"
#include "tool.h"

static const struct {
    const char *name;
    uint8_t column;
} names[] = {
    {"Entry", COLUMN_INDEX},     {"Index", COLUMN_INDEX},
    {"SrcID", COLUMN_SID},       {"Src_ID", COLUMN_SID},
    {"SID", COLUMN_SID},         {"DstID", COLUMN_DST},
    {"Dst_ID", COLUMN_DST},      {"Dest_ID", COLUMN_DST},
    {"DST", COLUMN_DST},         {"Vct", COLUMN_VECTOR},
    {"Vector", COLUMN_VECTOR},   {"V", COLUMN_VECTOR},
    {"PDA", COLUMN_PDA},         {"PDA_high", COLUMN_PDA_HIGH},
    {"PDA_low", COLUMN_PDA_LOW}, {"IRTE_high", COLUMN_HIGH},
    {"IRTE_low", COLUMN_LOW},    {"SVT", COLUMN_SVT},
    {"SQ", COLUMN_SQ},           {"AVL", COLUMN_AVL},
    {"FPD", COLUMN_FPD},         {"DLM", COLUMN_DLM},
    {"TM", COLUMN_TM},           {"RH", COLUMN_RH},
    {"DM", COLUMN_DM},           {"P", COLUMN_P},
    {"URG", COLUMN_URG},
};

#define BIT(column) (1u << (column))

void layouts_init(struct layouts *l)
{
    static const struct layouts usual = {
        .remapped = {{COLUMN_INDEX, COLUMN_SID, COLUMN_DST, COLUMN_VECTOR,
                      COLUMN_HIGH, COLUMN_LOW},
                     6},
        .posted = {{COLUMN_INDEX, COLUMN_SID, COLUMN_PDA_HIGH, COLUMN_PDA_LOW,
                    COLUMN_VECTOR, COLUMN_HIGH, COLUMN_LOW},
                   7},
        .xen_remapped = {{COLUMN_SVT, COLUMN_SQ, COLUMN_SID, COLUMN_VECTOR,
                          COLUMN_AVL, COLUMN_FPD, COLUMN_DST, COLUMN_DLM,
                          COLUMN_TM, COLUMN_RH, COLUMN_DM, COLUMN_P},
                         12},
        .xen_posted = {{COLUMN_SVT, COLUMN_SQ, COLUMN_SID, COLUMN_VECTOR,
                        COLUMN_AVL, COLUMN_FPD, COLUMN_PDA, COLUMN_URG,
                        COLUMN_P},
                       9},
        .xen_old = {{COLUMN_SVT, COLUMN_SQ, COLUMN_SID, COLUMN_DST,
                     COLUMN_VECTOR, COLUMN_AVL, COLUMN_DLM, COLUMN_TM,
                     COLUMN_RH, COLUMN_DM, COLUMN_FPD, COLUMN_P},
                    12},
    };

    *l = usual;
}

static int column_of(const char *token)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(token, names[i].name) == 0)
            return names[i].column;
    }
    return -1;
}

static uint32_t layout_bits(const struct layout *l)
{
    uint32_t bits = 0;

    for (unsigned int i = 0; i < l->count; i++)
        bits |= BIT(l->column[i]);
    return bits;
}

static bool layout_has(uint32_t bits, uint32_t wanted)
{
    return (bits & wanted) == wanted;
}

/* The layout that the last tokens name; returns where the names begin. */
static unsigned int layout_read(const struct tokens *t, struct layout *l)
{
    unsigned int first = t->count;

    l->count = 0;
    while (first > 0 && t->count - first < COLUMN_COUNT &&
           column_of(t->token[first - 1]) >= 0)
        first--;
    for (unsigned int i = first; i < t->count; i++)
        l->column[l->count++] = (uint8_t)column_of(t->token[i]);
    return first;
}

bool layouts_heading(struct layouts *l, const struct tokens *t)
{
    struct layout found;
    const unsigned int first = layout_read(t, &found);
    const uint32_t bits = layout_bits(&found);
    const char *const before = first > 0 ? t->token[first - 1] : "";

    if (layout_has(bits, BIT(COLUMN_INDEX) | BIT(COLUMN_SID) |
                             BIT(COLUMN_HIGH) | BIT(COLUMN_LOW))) {
        if ((bits & BIT(COLUMN_PDA_LOW)) != 0)
            l->posted = found;
        else
            l->remapped = found;
        l->linux_heading = true;
    } else if (layout_has(bits, BIT(COLUMN_SVT) | BIT(COLUMN_SQ) |
                                    BIT(COLUMN_SID) | BIT(COLUMN_VECTOR))) {
        if (strcmp(before, "P:") == 0)
            l->xen_posted = found;
        else if (strcmp(before, "R:") == 0)
            l->xen_remapped = found;
        else
            l->xen_old = found;
    } else {
        return false;
    }
    l->heading = true;
    return true;
}

/* @count hexadecimal digits, or fewer if @most. */
static bool digits_are(const char *token, size_t count, bool most)
{
    const size_t length = strlen(token);

    return length != 0 && (length == count || (most && length < count)) &&
           strspn(token, "0123456789abcdefABCDEF") == length;
}

/* bb:dd.f; the value is the source id. */
static bool bdf_read(const char *token, uint64_t *value)
{
    uint64_t bus;
    uint64_t device;
    char copy[8];

    if (strlen(token) != 7 || token[2] != ':' || token[5] != '.')
        return false;
    memcpy(copy, token, sizeof(copy));
    copy[2] = '\0';
    copy[5] = '\0';
    if (!word_parse(copy, &bus) || !word_parse(copy + 3, &device) ||
        copy[1] == 'x' || copy[4] == 'x' || device > 31 || copy[6] < '0' ||
        copy[6] > '7')
        return false;
    *value = bus << 8 | device << 3 | (uint64_t)(copy[6] - '0');
    return true;
}

static bool decimal_read(const char *token, uint64_t *value)
{
    const size_t length = strlen(token);

    if (length > 7 || strspn(token, "0123456789") != length)
        return false;
    *value = 0;
    for (; *token != '\0'; token++)
        *value = *value * 10 + (uint64_t)(*token - '0');
    return true;
}

/* One column; its digits tell whether the token can be this column. */
static bool column_read(uint8_t column, const char *token, uint64_t *value)
{
    switch (column) {
    case COLUMN_INDEX:
        return decimal_read(token, value);
    case COLUMN_SID:
        return bdf_read(token, value) ||
               (digits_are(token, 4, false) && word_parse(token, value));
    case COLUMN_HIGH:
    case COLUMN_LOW:
        return digits_are(token, 16, false) && word_parse(token, value);
    case COLUMN_PDA:
        return digits_are(token, 16, true) && word_parse(token, value);
    case COLUMN_DST:
    case COLUMN_PDA_HIGH:
    case COLUMN_PDA_LOW:
        return digits_are(token, 8, true) && word_parse(token, value);
    case COLUMN_SVT:
    case COLUMN_SQ:
        return digits_are(token, 1, false) && word_parse(token, value) &&
               *value <= 3;
    case COLUMN_AVL:
        return digits_are(token, 1, false) && word_parse(token, value);
    case COLUMN_DLM:
        return digits_are(token, 1, false) && word_parse(token, value) &&
               *value <= 7;
    case COLUMN_VECTOR:
        return digits_are(token, 2, true) && word_parse(token, value);
    default: /* single bits */
        return digits_are(token, 1, false) && word_parse(token, value) &&
               *value <= 1;
    }
}

/* The last tokens as the columns of @l. */
static bool columns_read(const struct layout *l, const struct tokens *t,
                         uint64_t value[COLUMN_COUNT])
{
    const unsigned int first = t->count - l->count;

    if (l->count == 0 || t->count < l->count)
        return false;
    for (unsigned int i = 0; i < l->count; i++) {
        if (!column_read(l->column[i], t->token[first + i],
                         &value[l->column[i]]))
            return false;
    }
    return true;
}

/* What is compared with the words later. */
static void columns_keep(struct table_entry *e, uint32_t bits,
                         const uint64_t value[COLUMN_COUNT])
{
    e->columns = bits;
    e->sid = (uint32_t)value[COLUMN_SID];
    e->dst = (uint32_t)value[COLUMN_DST];
    e->vector = (uint32_t)value[COLUMN_VECTOR];
    e->pda = (bits & BIT(COLUMN_PDA)) != 0
                 ? value[COLUMN_PDA]
                 : value[COLUMN_PDA_HIGH] << 32 | value[COLUMN_PDA_LOW];
}

static bool linux_row(const struct layout *l, const struct tokens *t,
                      struct table_entry *e)
{
    uint64_t value[COLUMN_COUNT] = {0};

    if (!columns_read(l, t, value))
        return false;
    columns_keep(e, layout_bits(l), value);
    e->index = (uint32_t)value[COLUMN_INDEX];
    e->irte.hi = value[COLUMN_HIGH];
    e->irte.lo = value[COLUMN_LOW];
    return true;
}

/* The words that Xen has taken apart. Not by an encoder, which refuses what is wrong. */
static void words_compose(const uint64_t value[COLUMN_COUNT], bool posted,
                          struct vtdpi_irte *irte)
{
    irte->lo = VTDPI_FIELD_PUT(value[COLUMN_P], VTDPI_IRTE_LO_P) |
               VTDPI_FIELD_PUT(value[COLUMN_FPD], VTDPI_IRTE_LO_FPD) |
               VTDPI_FIELD_PUT(value[COLUMN_AVL], VTDPI_IRTE_LO_AVAIL) |
               VTDPI_FIELD_PUT(value[COLUMN_VECTOR], VTDPI_IRTE_LO_VECTOR);
    irte->hi = VTDPI_FIELD_PUT(value[COLUMN_SID], VTDPI_IRTE_HI_SID) |
               VTDPI_FIELD_PUT(value[COLUMN_SQ], VTDPI_IRTE_HI_SQ) |
               VTDPI_FIELD_PUT(value[COLUMN_SVT], VTDPI_IRTE_HI_SVT);
    if (posted) {
        irte->lo |= VTDPI_IRTE_LO_IM |
                    VTDPI_FIELD_PUT(value[COLUMN_URG], VTDPI_IRTE_LO_URG) |
                    VTDPI_FIELD_PUT(value[COLUMN_PDA] >> 6 & 0x3ffffff,
                                    VTDPI_IRTE_LO_PDA);
        irte->hi |= VTDPI_FIELD_PUT(value[COLUMN_PDA] >> 32, VTDPI_IRTE_HI_PDA);
        return;
    }
    irte->lo |= VTDPI_FIELD_PUT(value[COLUMN_DM], VTDPI_IRTE_LO_DM) |
                VTDPI_FIELD_PUT(value[COLUMN_RH], VTDPI_IRTE_LO_RH) |
                VTDPI_FIELD_PUT(value[COLUMN_TM], VTDPI_IRTE_LO_TM) |
                VTDPI_FIELD_PUT(value[COLUMN_DLM], VTDPI_IRTE_LO_DLM) |
                VTDPI_FIELD_PUT(value[COLUMN_DST], VTDPI_IRTE_LO_DST);
}

/* "0012:", of at least four digits: those of redirection tables have two. */
static bool xen_index(const char *token, uint64_t *index)
{
    const size_t length = strlen(token);
    char digits[9] = {0};

    if (length < 5 || length > 8 || token[length - 1] != ':')
        return false;
    memcpy(digits, token, length - 1);
    return digits_are(digits, 8, true) && word_parse(digits, index);
}

static bool xen_row(const struct layout *l, const struct tokens *t,
                    struct table_entry *e)
{
    uint64_t value[COLUMN_COUNT] = {0};
    const uint32_t bits = layout_bits(l);
    uint64_t index;

    if (t->count <= l->count ||
        !xen_index(t->token[t->count - l->count - 1], &index) ||
        !columns_read(l, t, value))
        return false;
    e->index = (uint32_t)index;
    words_compose(value, (bits & BIT(COLUMN_PDA)) != 0, &e->irte);
    columns_keep(e, bits, value);
    return true;
}

/* The letter before the index of Xen's row, or 0. */
static char xen_letter(const struct tokens *t)
{
    uint64_t index;

    for (unsigned int i = 1; i < t->count; i++) {
        const char *const before = t->token[i - 1];

        if (xen_index(t->token[i], &index) && before[1] == ':' &&
            before[2] == '\0')
            return before[0];
    }
    return '\0';
}

/* What only rows have: a source id in Linux's form beside long words. */
static bool row_is_meant(const struct tokens *t)
{
    unsigned int sources = 0;
    unsigned int words = 0;
    uint64_t ignored;

    for (unsigned int i = 0; i < t->count; i++) {
        sources += bdf_read(t->token[i], &ignored);
        words += digits_are(t->token[i], 16, false) ||
                 digits_are(t->token[i], 8, false);
    }
    return sources == 1 && words >= 1;
}

enum row row_read(const struct layouts *l, const struct tokens *t,
                  struct table_entry *e)
{
    const char letter = xen_letter(t);

    if (letter == 'R' && xen_row(&l->xen_remapped, t, e))
        return ROW_XEN;
    if (letter == 'P' && xen_row(&l->xen_posted, t, e))
        return ROW_XEN;
    if (letter == 'R' || letter == 'P')
        return ROW_BAD;
    if (xen_row(&l->xen_old, t, e))
        return ROW_XEN;
    if (linux_row(&l->posted, t, e) || linux_row(&l->remapped, t, e))
        return ROW_LINUX;
    return l->linux_heading && row_is_meant(t) ? ROW_BAD : ROW_NONE;
}
