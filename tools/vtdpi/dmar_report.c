/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of vtdpi dmar: a DMAR table and all that is wrong with it, as JSON. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "dmar_file.h"
#include "dmar_lint.h"
#include "dmar_text.h"
#include "problem.h"
#include "tool.h"

/* Characters of the table as ASCII: \xNN for what is none. */
static json_t *ascii_json(const unsigned char *bytes, size_t size)
{
    char *const text = malloc(4 * size + 1);
    json_t *result;
    size_t used = 0;

    if (text == NULL)
        return NULL;
    text[0] = '\0';
    for (size_t i = 0; i < size; i++) {
        const bool plain = bytes[i] >= 0x20 && bytes[i] < 0x7f;

        used +=
            (size_t)sprintf(text + used, plain ? "%c" : "\\x%02x", bytes[i]);
    }
    result = json_string(text);
    free(text);
    return result;
}

/* The name up to the first zero. */
static json_t *oem_json(const char *name)
{
    return ascii_json((const unsigned char *)name, strlen(name));
}

static json_t *flags_json(unsigned int flags)
{
    static const struct {
        unsigned int flag;
        const char *name;
    } known[] = {
        {VTDPI_DMAR_INTR_REMAP, "INTR_REMAP"},
        {VTDPI_DMAR_X2APIC_OPT_OUT, "X2APIC_OPT_OUT"},
        {VTDPI_DMAR_DMA_CTRL_PLATFORM_OPT_IN, "DMA_CTRL_PLATFORM_OPT_IN"},
        {VTDPI_DMAR_DMA_REMAP_OPT_OUT, "DMA_REMAP_OPT_OUT"},
    };
    json_t *const names = json_array();

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if ((flags & known[i].flag) != 0)
            (void)json_array_append_new(names, json_string(known[i].name));
    }
    return names;
}

static json_t *header_json(const struct dmar_file *f)
{
    const struct vtdpi_dmar *const d = &f->dmar;

    return json_pack("{s:s, s:I, s:i, s:b, s:o, s:o, s:I, s:i, s:i, s:o}",
                     "form", f->form, "length", (json_int_t)d->length,
                     "revision", d->revision, "checksum_right", d->checksum_ok,
                     "oem_id", oem_json(d->oem_id), "oem_table_id",
                     oem_json(d->oem_table_id), "oem_revision",
                     (json_int_t)d->oem_revision, "host_address_width",
                     d->host_address_width, "flags", d->flags, "flag_names",
                     flags_json(d->flags));
}

static json_t *scope_json(const struct vtdpi_dmar *dmar,
                          const struct vtdpi_dmar_scope *scope)
{
    char path[DMAR_PATH_MAX];

    dmar_path(dmar, scope, path);
    return json_pack("{s:I, s:i, s:s?, s:i, s:i, s:s}", "offset",
                     (json_int_t)scope->offset, "type", scope->type, "name",
                     dmar_scope_name(scope->type), "id", scope->enumeration_id,
                     "flags", scope->flags, "path", path);
}

/* Scopes, up to one that cannot be read; NULL if there are none. */
static json_t *scopes_json(const struct vtdpi_dmar *dmar,
                           const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_scope scope = {0};
    json_t *const scopes = json_array();

    while (vtdpi_dmar_next_scope(dmar, s, &scope) > 0)
        (void)json_array_append_new(scopes, scope_json(dmar, &scope));
    return scopes;
}

static json_t *drhd_json(const struct vtdpi_dmar *dmar,
                         const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_drhd u;

    if (vtdpi_dmar_get_drhd(dmar, s, &u) != 0)
        return NULL;
    return json_pack("{s:o, s:I, s:i, s:b}", "base", json_word(u.base),
                     "window_bytes", (json_int_t)u.window_bytes, "segment",
                     u.segment, "include_all", u.include_all);
}

static json_t *rmrr_json(const struct vtdpi_dmar *dmar,
                         const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_rmrr r;

    if (vtdpi_dmar_get_rmrr(dmar, s, &r) != 0)
        return NULL;
    return json_pack("{s:o, s:o, s:i}", "base", json_word(r.base), "limit",
                     json_word(r.limit), "segment", r.segment);
}

static json_t *rhsa_json(const struct vtdpi_dmar *dmar,
                         const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_rhsa r;

    if (vtdpi_dmar_get_rhsa(dmar, s, &r) != 0)
        return NULL;
    return json_pack("{s:o, s:I}", "base", json_word(r.base), "domain",
                     (json_int_t)r.domain);
}

static json_t *andd_json(const struct dmar_file *f,
                         const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_andd a;

    if (vtdpi_dmar_get_andd(&f->dmar, s, &a) != 0)
        return NULL;
    return json_pack("{s:i, s:o}", "device", a.device_number, "path",
                     ascii_json(f->bytes + a.name_offset, a.name_length));
}

static json_t *devices_json(const struct vtdpi_dmar *dmar,
                            const struct vtdpi_dmar_struct *s)
{
    struct vtdpi_dmar_devices d;

    if (vtdpi_dmar_get_devices(dmar, s, &d) != 0)
        return NULL;
    return json_pack("{s:i, s:i}", "segment", d.segment, "flags", d.flags);
}

/* The fields of its type; NULL if they cannot be read. */
static json_t *fields_json(const struct dmar_file *f,
                           const struct vtdpi_dmar_struct *s)
{
    switch (s->type) {
    case VTDPI_DMAR_DRHD:
        return drhd_json(&f->dmar, s);
    case VTDPI_DMAR_RMRR:
        return rmrr_json(&f->dmar, s);
    case VTDPI_DMAR_RHSA:
        return rhsa_json(&f->dmar, s);
    case VTDPI_DMAR_ANDD:
        return andd_json(f, s);
    default:
        return devices_json(&f->dmar, s);
    }
}

static json_t *structs_json(const struct dmar_file *f)
{
    struct vtdpi_dmar_struct s = {0};
    json_t *const list = json_array();

    while (vtdpi_dmar_next(&f->dmar, &s) > 0)
        (void)json_array_append_new(
            list,
            json_pack("{s:I, s:i, s:s?, s:i, s:o?, s:o}", "offset",
                      (json_int_t)s.offset, "type", s.type, "name",
                      dmar_type_name(s.type), "length", s.length, "fields",
                      fields_json(f, &s), "scopes", scopes_json(&f->dmar, &s)));
    return list;
}

/* What the library's own check says: the first finding. */
static json_t *check_json(const struct vtdpi_dmar *dmar)
{
    struct vtdpi_dmar_problem where = {0};
    const int rc = vtdpi_dmar_check(dmar, &where);

    if (rc == 0)
        return json_null();
    return json_pack("{s:I, s:b, s:s}", "offset", (json_int_t)where.offset,
                     "note", where.note, "text", vtdpi_strerror(rc));
}

json_t *dmar_report(const struct dmar_file *file)
{
    json_t *const problems = dmar_lint(file);

    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "header", header_json(file),
                     "structures", structs_json(file), "counts",
                     problems_counts(problems), "problems", problems, "check",
                     check_json(&file->dmar));
}
