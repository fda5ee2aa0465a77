/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of a row of a table: an entry, and the library's account of its index. */
#include "vtdpi/format.h"

#include "format_sink.h"

static VTDPI_COLD void row_put(struct vtdpi_sink_ *s,
                               const struct vtdpi_table *t, uint32_t index)
{
    const bool allocated = vtdpi_table_is_allocated(t, index);
    struct vtdpi_irte irte;
    bool whole;
    int rc;

    vtdpi_sink_number_(s, "index", index);
    if (index >= vtdpi_table_count(t)) {
        vtdpi_sink_error_(s, VTDPI_EINDEX);
        return;
    }
    vtdpi_sink_bit_(s, "allocated", allocated);
    vtdpi_sink_bit_(s, "dirty", vtdpi_table_is_dirty(t, index));
    if (t->owners != NULL)
        vtdpi_sink_number_(s, "owner", (uintptr_t)vtdpi_table_owner(t, index));
    whole = vtdpi_format_irte_read_(&t->entries[index], &irte);
    vtdpi_format_irte_fields_(s, &irte, t->backend.mode);
    if (!whole) {
        vtdpi_sink_bit_(s, "changing", true);
        return;
    }
    rc = vtdpi_irte_validate(&irte, t->backend.mode, t->backend.haw);
    vtdpi_sink_error_(s, rc);
    /* Asked after the entry was read: who frees an index has taken P away. */
    if (rc == 0 && (irte.lo & VTDPI_IRTE_LO_P) != 0 && !allocated &&
        !vtdpi_table_is_allocated(t, index))
        vtdpi_sink_wrong_(s, "present, and the index is not allocated");
}

VTDPI_COLD size_t vtdpi_format_table_row(char *buf, size_t size,
                                         const struct vtdpi_table *t,
                                         uint32_t index)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    row_put(&s, t, index);
    return vtdpi_sink_end_(&s);
}

/* Whether a dump shows the row. */
static VTDPI_COLD bool row_in_use(const struct vtdpi_table *t, uint32_t index)
{
    return vtdpi_table_is_allocated(t, index) ||
           vtdpi_table_is_dirty(t, index) ||
           (vtdpi_atomic_load64_relaxed(&t->entries[index].lo) &
            VTDPI_IRTE_LO_P) != 0;
}

VTDPI_COLD size_t vtdpi_format_table_next(char *buf, size_t size,
                                          const struct vtdpi_table *t,
                                          struct vtdpi_format_cursor *cursor)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    for (uint32_t looked = 0; looked < VTDPI_FORMAT_STEP; looked++) {
        const uint32_t index = (uint32_t)cursor->at;

        if (index >= vtdpi_table_count(t)) {
            cursor->done = true;
            break;
        }
        cursor->at++;
        if (row_in_use(t, index)) {
            row_put(&s, t, index);
            break;
        }
    }
    return vtdpi_sink_end_(&s);
}
