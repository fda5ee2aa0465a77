/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of a posted-interrupt descriptor, which others change at any time. */
#include "vtdpi/format.h"

#include "format_sink.h"

enum {
    /* Vectors that a line names one by one; PIR has all of them. */
    VECTORS_NAMED = 8,
};

static const struct vtdpi_sink_field_ control_fields[] = {
    {VTDPI_PID_ON, "ON"},
    {VTDPI_PID_SN, "SN"},
    {VTDPI_PID_NV, "NV"},
    {VTDPI_PID_NDST, "NDST"},
};

/* PIR as one number of 256 bits. */
static VTDPI_COLD void pir_put(struct vtdpi_sink_ *s,
                               const uint64_t bits[VTDPI_PIR_WORDS])
{
    unsigned int top = VTDPI_PIR_WORDS - 1;

    while (top > 0 && bits[top] == 0)
        top--;
    vtdpi_sink_number_(s, "PIR", bits[top]);
    while (top-- > 0)
        vtdpi_sink_digits_(s, bits[top], 16);
}

static VTDPI_COLD void vectors_put(struct vtdpi_sink_ *s,
                                   const uint64_t bits[VTDPI_PIR_WORDS])
{
    unsigned int named = 0;

    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {
        for (uint64_t left = bits[i]; left != 0; left &= left - 1) {
            if (named == 0)
                vtdpi_sink_name_(s, "vectors");
            else
                vtdpi_sink_char_(s, ',');
            if (named++ == VECTORS_NAMED) {
                vtdpi_sink_text_(s, "...");
                return;
            }
            vtdpi_sink_text_(s, "0x");
            vtdpi_sink_digits_(s, 64 * i + (unsigned int)__builtin_ctzll(left),
                               1);
        }
    }
}

/* The first thing that is wrong, in the order in which the line has it. */
static VTDPI_COLD bool pid_judge(struct vtdpi_sink_ *s, uint64_t control,
                                 uint64_t behind, uint64_t low)
{
    if (VTDPI_FIELD_GET(control, VTDPI_PID_NV) < VTDPI_VECTOR_MIN)
        vtdpi_sink_wrong_(s, "NV below 0x10, which cannot be an interrupt");
    else if ((low & 0xffff) != 0)
        vtdpi_sink_wrong_(s, "vector below 0x10 in PIR");
    else if (vtdpi_sink_reserved_(s, control & VTDPI_PID_RESERVED))
        vtdpi_sink_text_(s, " in control");
    else if (behind != 0)
        vtdpi_sink_wrong_(s, "reserved bits behind NDST");
    else
        return false;
    return true;
}

VTDPI_COLD bool vtdpi_format_pid_fields_(struct vtdpi_sink_ *s,
                                         const struct vtdpi_pid *pid)
{
    /* Relaxed: a snapshot of each word, stale at once. Units and CPUs go on
     * posting, so ON and PIR may be of different moments. */
    const uint64_t control = vtdpi_atomic_load64_relaxed(&pid->control);
    uint64_t bits[VTDPI_PIR_WORDS];
    uint64_t behind = 0;

    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++)
        bits[i] = vtdpi_atomic_load64_relaxed(&pid->pir[i]);
    for (unsigned int i = 0; i < 3; i++)
        behind |= vtdpi_atomic_load64_relaxed(&pid->reserved[i]);
    vtdpi_sink_fields_(s, control, control_fields,
                       VTDPI_SINK_COUNT_(control_fields));
    pir_put(s, bits);
    vectors_put(s, bits);
    vtdpi_sink_number_(s, "control", control);
    return pid_judge(s, control, behind, bits[0]);
}

VTDPI_COLD size_t vtdpi_format_pid(char *buf, size_t size,
                                   const struct vtdpi_pid *pid)
{
    struct vtdpi_sink_ s = vtdpi_sink_begin_(buf, size);

    (void)vtdpi_format_pid_fields_(&s, pid);
    return vtdpi_sink_end_(&s);
}
