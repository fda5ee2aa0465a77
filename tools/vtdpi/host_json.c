/* SPDX-License-Identifier: BSD-2-Clause */
/* What was found and what follows, as one JSON object; null stands for "not known". */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "tool.h"

static json_t *fact_json(enum fact fact)
{
    return fact == FACT_UNKNOWN ? json_null() : json_boolean(fact == FACT_YES);
}

static enum fact fact_of(bool known, bool value)
{
    return !known ? FACT_UNKNOWN : value ? FACT_YES : FACT_NO;
}

static json_t *word_or_null(bool known, uint64_t word)
{
    return known ? json_word(word) : json_null();
}

json_t *json_printable(const char *text, size_t length)
{
    char *const copy = strndup(text, length);
    json_t *string;

    if (copy == NULL)
        return NULL;
    for (char *c = copy; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
    string = json_string(copy);
    free(copy);
    return string;
}

static json_t *text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null()
                                           : json_printable(text, strlen(text));
}

static json_t *answers_json(const struct judgement *j)
{
    json_t *const answers = json_object();

    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        const struct answer *const a = &j->answer[i];

        (void)json_object_set_new(
            answers, answer_names[i],
            json_pack("{s:s, s:o, s:o}", "answer", answer_word(a), "works",
                      fact_json(a->works), "possible", fact_json(a->possible)));
    }
    return answers;
}

static json_t *machine_json(const struct host *h)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "vendor",
                     text_or_null(h->cpu.vendor), "virtual",
                     fact_json(h->cpu.hypervisor), "xen", json_boolean(h->xen),
                     "kernel", text_or_null(h->release));
}

static json_t *dmar_json(const struct host *h)
{
    static const char *const states[] = {
        [ACPI_UNKNOWN] = "unknown", [ACPI_ABSENT] = "absent",
        [ACPI_REFUSED] = "refused", [ACPI_BAD] = "bad",
        [ACPI_GOOD] = "good",
    };
    const bool has = h->has_flags;
    const uint8_t f = h->dmar_flags;

    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "table",
        states[h->dmar], "flags", word_or_null(has, f), "intr_remap",
        fact_json(fact_of(has, (f & VTDPI_DMAR_INTR_REMAP) != 0)),
        "x2apic_opt_out",
        fact_json(fact_of(has, (f & VTDPI_DMAR_X2APIC_OPT_OUT) != 0)), "oem_id",
        text_or_null(h->oem_id), "oem_table_id", text_or_null(h->oem_table_id),
        "problem", text_or_null(h->dmar_problem), "checksum_ok",
        fact_json(fact_of(has, !h->dmar_bad_checksum)), "madt",
        states[h->madt]);
}

static json_t *cpu_json(const struct host_cpu *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "vmx", fact_json(c->vmx),
                     "x2apic", fact_json(c->x2apic), "cx16", fact_json(c->cx16),
                     "posted_interrupts", fact_json(c->posted_interrupts),
                     "apicv", fact_json(c->apicv));
}

static json_t *kvm_json(const struct host *h)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "loaded", fact_json(h->kvm),
                     "enable_apicv", fact_json(h->enable_apicv),
                     "enable_device_posted_irqs", fact_json(h->device_posting),
                     "allow_unsafe_interrupts",
                     fact_json(h->unsafe_interrupts));
}

static json_t *os_json(const struct host *h, const struct judgement *j)
{
    const struct answer *const ir = &j->answer[ANSWER_REMAPPING];
    const struct answer *const x2 = &j->answer[ANSWER_X2APIC];

    return json_pack("{s:o, s:o, s:o, s:o, s:O}", "remapping",
                     fact_json(ir->from == NULL ? FACT_UNKNOWN : ir->works),
                     "remapping_from", text_or_null(ir->from), "x2apic",
                     fact_json(x2->from == NULL ? FACT_UNKNOWN : x2->works),
                     "x2apic_from", text_or_null(x2->from), "command_line",
                     h->arguments);
}

static json_t *unit_json(const struct host_unit *u)
{
    const bool known = u->caps_from != NULL;
    const bool answers = known && !u->silent;
    json_t *const unit = json_pack(
        "{s:s, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "name", u->name, "base",
        json_word(u->base), "in_dmar", u->in_dmar, "in_sysfs", u->in_sysfs,
        "from", text_or_null(u->caps_from), "version",
        answers ? json_sprintf("%u:%u", u->version >> 4, u->version & 15)
                : json_null(),
        "cap", word_or_null(known, u->cap), "ecap",
        word_or_null(known, u->ecap));

    if (unit == NULL)
        return NULL;
    (void)json_object_update_new(
        unit,
        json_pack(
            "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "answers",
            fact_json(fact_of(known, !u->silent)), "qi",
            fact_json(fact_of(answers, u->caps.qi)), "ir",
            fact_json(fact_of(answers, u->caps.ir)), "eim",
            fact_json(fact_of(answers, u->caps.eim)), "pi",
            fact_json(fact_of(answers, u->caps.pi)), "on",
            fact_json(u->running), "eime", fact_json(u->eime), "remapped",
            u->has_table ? json_integer((json_int_t)u->remapped) : json_null(),
            "posted",
            u->has_table ? json_integer((json_int_t)u->posted) : json_null()));
    return unit;
}

/* One feature over all units: true and false only if every unit is known, or one that
 * lacks it is. */
static json_t *over_all(const json_t *units, const char *name)
{
    bool known = json_array_size(units) > 0;
    const json_t *unit;
    size_t i;

    json_array_foreach(units, i, unit)
    {
        const json_t *const value = json_object_get(unit, name);

        if (json_is_false(value))
            return json_false();
        known &= json_is_true(value);
    }
    return known ? json_true() : json_null();
}

static json_t *rows_json(const struct host_interrupts *i)
{
    json_t *const rows = json_object();

    for (size_t r = 0; r < ROW_COUNT; r++) {
        if (i->has[r])
            (void)json_object_set_new(rows, host_row_names[r],
                                      json_integer((json_int_t)i->sum[r]));
    }
    return rows;
}

static json_t *ids_json(const uint8_t *id, size_t count)
{
    json_t *const ids = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(ids, json_integer(id[i]));
    return ids;
}

static json_t *units_json(const struct host *h)
{
    json_t *const units = json_array();

    for (size_t i = 0; i < h->unit_count; i++)
        (void)json_array_append_new(units, unit_json(&h->unit[i]));
    return units;
}

json_t *host_json(const struct host *h, struct judgement *j,
                  const struct root *r)
{
    json_t *const units = units_json(h);
    json_t *const result = json_pack(
        "{s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "headline",
        j->headline, "verdict", answers_json(j), "why", j->why, "next", j->next,
        "machine", machine_json(h), "dmar", dmar_json(h), "cpu",
        cpu_json(&h->cpu), "kvm", kvm_json(h), "os", os_json(h, j));

    if (result == NULL)
        return NULL;
    (void)json_object_update_new(
        result,
        json_pack("{s:{s:o, s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:O}",
                  "all_units", "qi", over_all(units, "qi"), "ir",
                  over_all(units, "ir"), "eim", over_all(units, "eim"), "pi",
                  over_all(units, "pi"), "units", units, "ioapics",
                  ids_json(h->ioapic, h->ioapic_count), "uncovered_ioapics",
                  ids_json(h->uncovered, h->uncovered_count), "interrupts",
                  rows_json(&h->interrupts), "files", r->files));
    return result;
}
