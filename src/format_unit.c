/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of a unit's state, as the library has it: no register is read, since a
 * unit that does not answer must not stop a panic. */
#include "vtdpi/format.h"

#include "format_sink.h"

static const char *unit_state(enum vtdpi_unit_state state)
{
    static const char *const names[] = {
        [VTDPI_UNIT_OFF] = "OFF",       [VTDPI_UNIT_ON] = "ON",
        [VTDPI_UNIT_QUEUE] = "QUEUE",   [VTDPI_UNIT_SUSPENDED] = "SUSPENDED",
        [VTDPI_UNIT_FAILED] = "FAILED", [VTDPI_UNIT_FOREIGN] = "FOREIGN",
        [VTDPI_UNIT_GONE] = "GONE",     [VTDPI_UNIT_FORSAKEN] = "FORSAKEN",
    };

    return (size_t)state < VTDPI_SINK_COUNT_(names) ? names[state] : "unknown";
}

static VTDPI_COLD const char *command_name(uint32_t bit)
{
    static const struct vtdpi_sink_field_ names[] = {
        {VTDPI_GCMD_TE, "TE"},   {VTDPI_GCMD_SRTP, "SRTP"},
        {VTDPI_GCMD_SFL, "SFL"}, {VTDPI_GCMD_EAFL, "EAFL"},
        {VTDPI_GCMD_WBF, "WBF"}, {VTDPI_GCMD_QIE, "QIE"},
        {VTDPI_GCMD_IRE, "IRE"}, {VTDPI_GCMD_SIRTP, "SIRTP"},
        {VTDPI_GCMD_CFI, "CFI"},
    };

    for (size_t i = 0; i < VTDPI_SINK_COUNT_(names); i++) {
        if (names[i].mask == bit)
            return names[i].name;
    }
    return "unknown";
}

static VTDPI_COLD void caps_put(struct vtdpi_sink_ *s,
                                const struct vtdpi_caps *caps)
{
    vtdpi_sink_bit_(s, "IR", caps->ir);
    vtdpi_sink_bit_(s, "QI", caps->qi);
    vtdpi_sink_bit_(s, "EIM", caps->eim);
    vtdpi_sink_bit_(s, "PI", caps->pi);
    vtdpi_sink_bit_(s, "C", caps->coherent);
    vtdpi_sink_bit_(s, "CM", caps->cm);
    vtdpi_sink_number_(s, "MHMV", caps->mhmv);
    vtdpi_sink_number_(s, "CAP", caps->cap);
    vtdpi_sink_number_(s, "ECAP", caps->ecap);
}

/* What the state alone says is wrong. */
static VTDPI_COLD void state_judge(struct vtdpi_sink_ *s,
                                   enum vtdpi_unit_state state)
{
    if (state == VTDPI_UNIT_GONE)
        vtdpi_sink_error_(s, VTDPI_EIO);
    else if (state == VTDPI_UNIT_FOREIGN)
        vtdpi_sink_error_(s, VTDPI_EFOREIGN);
    else if (state == VTDPI_UNIT_FAILED)
        vtdpi_sink_wrong_(s, "not known to be off: a command timed out");
}

VTDPI_COLD size_t vtdpi_format_unit(char *buf, size_t size,
                                    const struct vtdpi_unit *unit)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);
    const enum vtdpi_unit_state state = vtdpi_unit_state(unit);
    const uint32_t stuck = vtdpi_unit_stuck(unit);

    vtdpi_sink_word_(&s, "state", unit_state(state));
    if (stuck != 0)
        vtdpi_sink_word_(&s, "stuck", command_name(stuck));
    if (unit->irt.order != 0) {
        vtdpi_sink_number_(&s, "IRTA", unit->irt.phys);
        vtdpi_sink_number_(&s, "entries", UINT64_C(1) << unit->irt.order);
        vtdpi_sink_bit_(&s, "EIME", unit->irt.mode == VTDPI_X2APIC);
    }
    caps_put(&s, &unit->caps);
    state_judge(&s, state);
    return vtdpi_sink_end_(&s);
}
