/* SPDX-License-Identifier: BSD-2-Clause */
#include "route_oracle.h"

#include <stddef.h>

/* Bits high to low of a register or a message. */
static uint32_t bits(uint32_t value, unsigned int high, unsigned int low)
{
    return (value >> low) & ((UINT32_C(2) << (high - low)) - 1);
}

/* Delivery modes as the SDM numbers them. */
static bool is_one_of_fixed_and_lowest(uint32_t mode)
{
    return mode == 0 || mode == 1;
}

static const char *what_is_wrong_with(const struct oracle_message *m)
{
    if (bits(m->address, 31, 20) != 0xfee)
        return "address";
    if (m->destination_bits == 32 ? bits(m->upper_address, 7, 0) != 0
                                  : m->upper_address != 0)
        return "address";
    if (bits(m->address, 4, 4) == 1)
        return "format";
    if (m->destination_bits != 15 && bits(m->address, 11, 5) != 0)
        return "reserved";
    if (bits(m->data, 31, 16) != 0 || bits(m->data, 13, 11) != 0)
        return "reserved";
    return NULL;
}

static uint32_t destination_of(const struct oracle_message *m)
{
    const uint32_t low = bits(m->address, 19, 12);

    if (m->destination_bits == 15)
        return bits(m->address, 11, 5) * 256 + low;
    if (m->destination_bits == 32)
        return bits(m->upper_address, 31, 8) * 256 + low;
    return low;
}

/* All bits of the destination set: of the field, or of the register that it is
 * compared with, which has 8 bits in xAPIC mode and 32 in x2APIC mode. */
static bool is_all_ones_to(const struct oracle_vcpu *v,
                           const struct oracle_message *m)
{
    const uint32_t destination = destination_of(m);
    const bool x2apic = (v->apic_base & 0x400) != 0;

    if (destination == 0xffffffff)
        return true;
    return destination == 0xff && (m->destination_bits == 8 || !x2apic);
}

/* The flat model knows no broadcast: it has the AND, and nothing else. Here a
 * reserved model is one without any logical id. */
static bool is_broadcast_to(const struct oracle_vcpu *v,
                            const struct oracle_message *m)
{
    const bool logical = bits(m->address, 2, 2) == 1;
    const bool x2apic = (v->apic_base & 0x400) != 0;

    if (logical && !x2apic && bits(v->dfr, 31, 28) != 0)
        return false;
    return is_all_ones_to(v, m);
}

/* "A bit-wise AND of the MDA and its logical APIC ID"; by cluster: bits 7:4
 * name the cluster, bits 3:0 processors in it. */
static bool xapic_logical(const struct oracle_vcpu *v, uint32_t mda)
{
    const uint32_t logical_id = bits(v->ldr, 31, 24);

    switch (bits(v->dfr, 31, 28)) {
    case 15:
        for (unsigned int bit = 0; bit < 8; bit++) {
            if (bits(mda, bit, bit) == 1 && bits(logical_id, bit, bit) == 1)
                return true;
        }
        return false;
    case 0:
        if (bits(mda, 7, 4) != bits(logical_id, 7, 4))
            return false;
        for (unsigned int bit = 0; bit < 4; bit++) {
            if (bits(mda, bit, bit) == 1 && bits(logical_id, bit, bit) == 1)
                return true;
        }
        return false;
    default:
        return false; /* reserved */
    }
}

/* "Logical x2APIC ID = [(x2APIC ID[19:4] << 16) | (1 << x2APIC ID[3:0])]", unless
 * the guest has been given another one. */
static bool x2apic_logical(const struct oracle_vcpu *v, uint32_t mda)
{
    uint32_t cluster = bits(v->id, 19, 4);
    uint32_t members = 1;

    for (uint32_t i = 0; i < bits(v->id, 3, 0); i++)
        members *= 2;
    if (v->ldr_given) {
        cluster = bits(v->ldr, 31, 16);
        members = bits(v->ldr, 15, 0);
    }
    if (bits(mda, 31, 16) != cluster)
        return false;
    return (bits(mda, 15, 0) & members) != 0;
}

static bool is_addressed(const struct oracle_vcpu *v,
                         const struct oracle_message *m)
{
    const uint32_t destination = destination_of(m);
    const bool logical = bits(m->address, 2, 2) == 1;
    const bool enabled = (v->apic_base & 0x800) != 0;
    const bool x2apic = (v->apic_base & 0x400) != 0;

    if (!enabled)
        return false;
    if (is_broadcast_to(v, m))
        return true;
    if (x2apic)
        return logical ? x2apic_logical(v, destination) : destination == v->id;
    if (!logical)
        return destination == v->id;
    return (destination < 256 || destination == 0xffffffff) &&
           xapic_logical(v, bits(destination, 7, 0));
}

/* "When the local APIC is in the software-disabled state, it responds normally
 * to INIT, NMI, SMI"; and to nothing else that a message can bring. */
static bool would_take(const struct oracle_vcpu *v,
                       const struct oracle_message *m)
{
    const uint32_t mode = bits(m->data, 10, 8);
    const bool level = bits(m->data, 15, 15) == 1;
    const bool asserts = bits(m->data, 14, 14) == 1;

    if (level && !asserts)
        return false;
    switch (mode) {
    case 0: /* fixed */
    case 1: /* lowest priority */
    case 7: /* ExtINT */
        return bits(v->svr, 8, 8) == 1;
    case 2: /* SMI */
    case 4: /* NMI */
    case 5: /* INIT */
        return true;
    default:
        return false;
    }
}

static bool comes_before(const struct oracle_vcpu *vcpus, uint32_t a,
                         uint32_t b)
{
    if (vcpus[a].id != vcpus[b].id)
        return vcpus[a].id < vcpus[b].id;
    return a < b;
}

static void insert_taker(const struct oracle_vcpu *vcpus, uint32_t vcpu,
                         struct oracle_answer *answer)
{
    uint32_t at = answer->takers++;

    while (at > 0 && comes_before(vcpus, vcpu, answer->taker[at - 1])) {
        answer->taker[at] = answer->taker[at - 1];
        at--;
    }
    answer->taker[at] = vcpu;
}

static const char *message_rules_it_out(const struct oracle_message *m)
{
    static const char *const by_mode[8] = {
        NULL,  NULL,   "smi",           "reserved mode",
        "nmi", "init", "reserved mode", "extint"};
    const uint32_t mode = bits(m->data, 10, 8);

    if (!is_one_of_fixed_and_lowest(mode))
        return by_mode[mode];
    if (bits(m->data, 15, 15) == 1)
        return "level";
    if (bits(m->data, 7, 0) < 16 || bits(m->data, 7, 0) < m->least_vector)
        return "vector";
    return NULL;
}

void oracle_ask(const struct oracle_vcpu *vcpus, uint32_t count, bool posting,
                const struct oracle_message *message,
                struct oracle_answer *answer)
{
    const bool lowest = bits(message->data, 10, 8) == 1;
    const bool redirected =
        bits(message->address, 3, 3) == 1 && bits(message->address, 2, 2) == 1;
    bool broadcast = false;
    uint32_t addressed = 0;
    uint32_t all;

    answer->takers = 0;
    answer->arbitrated = false;
    answer->what = what_is_wrong_with(message);
    answer->malformed = answer->what != NULL;
    if (answer->malformed)
        return;

    for (uint32_t i = 0; i < count; i++) {
        if (!is_addressed(&vcpus[i], message))
            continue;
        addressed++;
        if (!would_take(&vcpus[i], message))
            continue;
        insert_taker(vcpus, i, answer);
        broadcast = broadcast || is_broadcast_to(&vcpus[i], message);
    }
    all = answer->takers;
    answer->arbitrated = all > 1 && (lowest || redirected);
    if ((lowest || redirected) && answer->takers > 0) {
        answer->taker[0] =
            answer->taker[bits(message->data, 7, 0) % answer->takers];
        answer->takers = 1;
    }

    answer->vcpu = answer->taker[0];
    answer->what = message_rules_it_out(message);
    if (answer->what != NULL)
        return;
    if (answer->takers == 0)
        answer->what = addressed == 0 ? "nobody" : "disabled";
    else if (all > 1 && broadcast)
        answer->what = "broadcast";
    else if (answer->takers > 1)
        answer->what = "several";
    else if (!vcpus[answer->vcpu].has_pid)
        answer->what = "no pid";
    else
        answer->what = posting ? "post" : "posting off";
}
