/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Units, IOAPICs, HPETs and PCI bridges of a log. A unit is known by its register base or by its
 * number, and what several lines say of one unit comes together here.
 */
#include <string.h>

#include "log_words.h"

#include "vtdpi/regs.h"
#include "vtdpi/source.h"

static struct log_unit *unit_add(struct log_boot *b)
{
    struct log_unit *u;

    if (b->unit_count == LOG_UNITS_MAX) {
        b->unit_more++;
        return NULL;
    }
    u = &b->units[b->unit_count++];
    *u = (struct log_unit){.number = -1};
    b->any = true;
    return u;
}

/* The unit that has the base or the number; a new one if none has. NULL: there are
 * too many. */
static struct log_unit *unit_at(struct log_boot *b, const uint64_t *base,
                                int number)
{
    struct log_unit *u = NULL;

    for (unsigned int i = 0; base != NULL && i < b->unit_count; i++) {
        if (b->units[i].has_base && b->units[i].base == *base)
            u = &b->units[i];
    }
    for (unsigned int i = 0; u == NULL && number >= 0 && i < b->unit_count;
         i++) {
        if (b->units[i].number == number &&
            (base == NULL || !b->units[i].has_base))
            u = &b->units[i];
    }
    if (u == NULL)
        u = unit_add(b);
    if (u == NULL)
        return NULL;
    if (base != NULL) {
        u->has_base = true;
        u->base = *base;
    }
    if (number >= 0)
        u->number = number;
    return u;
}

/* Two entries may turn out to be one unit: a line named the base, another the number,
 * and a third line both. */
static void unit_merge(struct log_boot *b, struct log_unit *u)
{
    for (unsigned int i = 0; i < b->unit_count; i++) {
        struct log_unit *const o = &b->units[i];

        if (o == u || o->number < 0 || o->number != u->number ||
            (o->has_base && u->has_base) || o->has_cap)
            continue;
        u->no_eim = u->no_eim || o->no_eim;
        if (u->qi == LOG_SAID_NOTHING)
            u->qi = o->qi;
        if (u->ir == LOG_SAID_NOTHING)
            u->ir = o->ir;
        if (u->pi == LOG_SAID_NOTHING)
            u->pi = o->pi;
        *o = b->units[--b->unit_count];
        return;
    }
}

int log_unit_number(struct log_span line)
{
    static const char *const names[] = {"dmar", "iommu "};
    unsigned int number;

    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct log_span rest = line;

        for (;;) {
            const char *const p = log_find(rest, names[i]);
            const size_t n = strlen(names[i]);

            if (p == NULL)
                break;
            if (p + n < line.end && p[n] >= '0' && p[n] <= '9' &&
                log_decimal((struct log_span){p, line.end}, names[i],
                            &number) &&
                number <= UINT16_MAX)
                return (int)number;
            rest.begin = p + 1;
        }
    }
    return -1;
}

static bool base_of(struct log_span line, uint64_t *base)
{
    static const char *const keys[] = {"reg_base_addr", "drhd base", "regs",
                                       "drhd->address", "dmaru->address"};

    for (unsigned int i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (log_value(line, keys[i], base))
            return true;
    }
    return log_find(line, "<dma remap>") != NULL &&
           log_value(line, "iomem", base);
}

/* "1:0" or "1.0". */
static void version_take(struct log_unit *u, struct log_span line)
{
    const char *const p = log_find_word(line, "ver");
    struct log_number major;
    struct log_number minor;

    if (p == NULL || !log_number((struct log_span){p + 3, line.end}, &major) ||
        major.end == line.end || (*major.end != ':' && *major.end != '.') ||
        !log_number((struct log_span){major.end + 1, line.end}, &minor) ||
        major.hex > 15 || minor.hex > 15)
        return;
    u->has_version = true;
    u->major = (uint8_t)major.hex;
    u->minor = (uint8_t)minor.hex;
}

/* FreeBSD prints a register as its halves, the low one first, each with the names of
 * its bits: cap=660462<ZLR>,d20080<PSI>. */
static bool halves(struct log_span line, const char *key, uint64_t *out)
{
    const char *const p = log_find_word(line, key);
    struct log_number low;
    struct log_number high;
    const char *at;

    if (p == NULL || p + strlen(key) >= line.end || p[strlen(key)] != '=' ||
        !log_number((struct log_span){p + strlen(key), line.end}, &low))
        return false;
    at = low.end;
    if (at < line.end && *at == '<') {
        at = memchr(at, '>', (size_t)(line.end - at));
        if (at == NULL)
            return false;
        at++;
    }
    if (at == line.end || *at != ',' ||
        !log_number((struct log_span){at + 1, line.end}, &high) ||
        low.hex > UINT32_MAX || high.hex > UINT32_MAX)
        return false;
    *out = high.hex << 32 | low.hex;
    return true;
}

/* A register that is whole. Half of one stands in front of the names of its bits, and
 * where mail has broken the line. */
static bool whole(struct log_span line, const char *key, uint64_t *out)
{
    const char *const p = log_find_word(line, key);
    struct log_number n;

    if (p == NULL ||
        !log_number((struct log_span){p + strlen(key), line.end}, &n))
        return false;
    *out = n.hex;
    return n.end == line.end || strchr("<&=", *n.end) == NULL ||
           (*n.end == '<' && n.end + 1 < line.end && n.end[1] == '/');
}

static bool registers_take(struct log_unit *u, struct log_span line,
                           unsigned long number)
{
    uint64_t cap;
    uint64_t ecap;
    const bool split_cap = halves(line, "cap", &cap);
    const bool split_ecap = halves(line, "ecap", &ecap);
    const bool has_cap = split_cap || whole(line, "cap", &cap);
    const bool has_ecap = split_ecap || whole(line, "ecap", &ecap);

    if (has_cap) {
        u->has_cap = true;
        u->cap = cap;
    }
    if (has_ecap) {
        u->has_ecap = true;
        u->ecap = ecap;
    }
    version_take(u, line);
    log_keep(&u->place, line, number);
    return true;
}

/* A line with capabilities: the base or the number is in it, or was named by a line
 * before it (Xen). */
static bool registers_line(struct log_boot *b, struct log_span line,
                           unsigned long number)
{
    const int named = log_unit_number(line);
    uint64_t base = 0;
    const bool has_base = base_of(line, &base);
    uint64_t value;
    struct log_unit *u;

    if (!whole(line, "cap", &value) && !whole(line, "ecap", &value) &&
        !halves(line, "cap", &value) && !halves(line, "ecap", &value))
        return false;
    if (!has_base && named < 0 && !b->has_current)
        return false;
    if (!has_base && named < 0)
        u = unit_at(b, &b->current_base, -1);
    else
        u = unit_at(b, has_base ? &base : NULL, named);
    if (u == NULL)
        return true;
    (void)registers_take(u, line, number);
    unit_merge(b, u);
    return true;
}

static void scope_add(struct log_boot *b, const struct log_scope *s)
{
    for (unsigned int i = 0; i < b->scope_count; i++) {
        const struct log_scope *const o = &b->scopes[i];

        if (o->hpet == s->hpet && o->has_id == s->has_id && o->id == s->id &&
            o->has_sid == s->has_sid && o->sid == s->sid && o->base == s->base)
            return;
    }
    if (b->scope_count < LOG_UNITS_MAX)
        b->scopes[b->scope_count++] = *s;
}

/* "IOAPIC id 8 under DRHD base 0x... IOMMU 1", and the same with HPET. */
static bool scope_line(struct log_boot *b, struct log_span line,
                       unsigned long number)
{
    const bool hpet = log_find(line, "hpet id") != NULL;
    struct log_scope s = {.hpet = hpet, .unit = -1, .line = number};
    unsigned int id;
    struct log_unit *u;

    if (!log_decimal(line, hpet ? "hpet id" : "ioapic id", &id) ||
        id > UINT8_MAX || !log_value(line, "drhd base", &s.base))
        return false;
    s.has_base = true;
    s.has_id = true;
    s.id = (uint8_t)id;
    s.unit = log_unit_number(line);
    u = unit_at(b, &s.base, s.unit);
    if (u != NULL) {
        if (u->place.line == 0)
            log_keep(&u->place, line, number);
        unit_merge(b, u);
    }
    scope_add(b, &s);
    return true;
}

/* Xen: "IOAPIC: 0000:f0:1f.0", "MSI HPET: 0000:00:1f.0", of the unit named last. */
static bool xen_scope_line(struct log_boot *b, struct log_span line,
                           unsigned long number)
{
    static const char *const keys[] = {"ioapic:", "msi hpet:"};

    for (unsigned int i = 0; i < 2; i++) {
        const char *const p = log_find(line, keys[i]);
        struct log_scope s = {.hpet = i == 1, .unit = -1, .line = number};

        if (p == NULL ||
            !log_device((struct log_span){p + strlen(keys[i]), line.end},
                        &s.segment, &s.sid))
            continue;
        s.has_sid = true;
        s.has_base = b->has_current;
        s.base = b->current_base;
        scope_add(b, &s);
        return true;
    }
    return false;
}

/* Xen: "flags: INCLUDE_ALL", of the unit named last. */
static bool xen_flags_line(struct log_boot *b, struct log_span line)
{
    struct log_unit *u;

    if (!b->has_current || log_find(line, "[vt-d]") == NULL ||
        log_find_word(line, "include_all") == NULL)
        return false;
    u = unit_at(b, &b->current_base, -1);
    if (u != NULL)
        u->include_all = true;
    return true;
}

static void current_set(struct log_boot *b, uint64_t base)
{
    b->has_current = true;
    b->current_base = base;
    b->current_unit = -1;
}

/* A line that names a unit's base, and perhaps its flags. */
static bool base_line(struct log_boot *b, struct log_span line,
                      unsigned long number)
{
    uint64_t base;
    uint64_t flags;
    struct log_unit *u;
    const char *at = NULL;
    struct log_number n;

    /* Jailhouse: "Found DMAR @0x...", "DMAR unit @0x.../0x1000". */
    if (log_find(line, "dmar @") != NULL ||
        log_find(line, "dmar unit @") != NULL)
        at = memchr(line.begin, '@', (size_t)(line.end - line.begin));
    if (at != NULL) {
        if (!log_number((struct log_span){at + 1, line.end}, &n))
            return false;
        base = n.hex;
        b->jailhouse = true;
    } else if (!base_of(line, &base)) {
        return false;
    }
    if (log_find(line, "<dma remap>") != NULL)
        b->freebsd = true;
    u = unit_at(b, &base, log_unit_number(line));
    current_set(b, base);
    if (u == NULL)
        return true;
    if (log_value(line, "flags", &flags) && (flags & 1) != 0)
        u->include_all = true;
    if (log_find(line, "include_all") != NULL)
        u->include_all = true;
    version_take(u, line);
    if (u->place.line == 0)
        log_keep(&u->place, line, number);
    return true;
}

/* Whether there are units of which the log does not tell the numbers. A number then
 * names one of them, but not which. */
static bool has_unnumbered(const struct log_boot *b)
{
    for (unsigned int i = 0; i < b->unit_count; i++) {
        if (b->units[i].number < 0)
            return true;
    }
    return false;
}

/* Xen's key V, per unit: "iommu 1: nr_pt_levels = 4.", then "Interrupt Remapping:
 * supported and enabled." */
static bool xen_state_line(struct log_boot *b, struct log_span line,
                           struct log_words words, unsigned long number)
{
    const enum log_said said =
        (words.set & W(NOT)) != 0 ? LOG_SAID_NO : LOG_SAID_YES;
    struct log_unit *u;

    if (log_find(line, "nr_pt_levels") != NULL ||
        log_find(line, "supported page sizes") != NULL) {
        b->current_unit = log_unit_number(line);
        if (has_unnumbered(b))
            b->current_unit = -1;
        u = b->current_unit < 0 ? NULL : unit_at(b, NULL, b->current_unit);
        if (u != NULL && u->place.line == 0)
            log_keep(&u->place, line, number);
        return true;
    }
    /* "x2apic: IRQ remapping doesn't support X2APIC mode" is said by a guest. */
    if (b->current_unit < 0 || (words.set & W(SUPPORT)) == 0 ||
        (words.more & (M(VTD) | M(X2APIC))) != 0)
        return false;
    u = unit_at(b, NULL, b->current_unit);
    if (u == NULL)
        return false;
    if ((words.set & W(QUEUE)) != 0)
        u->qi = said;
    else if ((words.set & W(POST)) != 0)
        u->pi = said;
    else if ((words.set & W(REMAP)) != 0)
        u->ir = said;
    else
        return false;
    /* The rules look at lines of remapping and posting, too. */
    return (words.set & W(QUEUE)) != 0;
}

/* Linux: "pci 0000:00:1c.0: PCI bridge to [bus 02-03]". */
static bool linux_bridge(struct log_span line, struct log_bridge *found,
                         uint64_t *first, uint64_t *last)
{
    static const char key[] = "pci bridge to [bus ";
    const char *const at = log_find(line, key);
    const char *const device = log_find_word(line, "pci");
    struct log_number n;

    if (at == NULL || device == at ||
        !log_device((struct log_span){device + strlen("pci"), at},
                    &found->segment, &found->sid) ||
        !log_number((struct log_span){at + strlen(key), line.end}, &n))
        return false;
    *first = *last = n.hex;
    if (n.end < line.end && *n.end == '-') {
        if (!log_number((struct log_span){n.end + 1, line.end}, &n))
            return false;
        *last = n.hex;
    }
    return true;
}

/* Xen: "bridge: 0000:00:1c.0 start=0 sec=2 sub=3". */
static bool xen_bridge(struct log_span line, struct log_bridge *found,
                       uint64_t *first, uint64_t *last)
{
    static const char key[] = "bridge:";
    const char *const at = log_find(line, key);

    return at != NULL &&
           log_device((struct log_span){at + strlen(key), line.end},
                      &found->segment, &found->sid) &&
           log_value(line, "sec", first) && log_value(line, "sub", last);
}

/* A system may number buses anew, and the last line of a bridge counts. */
bool log_bridge_line(struct log_boot *b, struct log_span line)
{
    struct log_bridge found = {0};
    uint64_t first = 0;
    uint64_t last = 0;
    unsigned int i = 0;

    if ((!linux_bridge(line, &found, &first, &last) &&
         !xen_bridge(line, &found, &first, &last)) ||
        first > last || last > UINT8_MAX)
        return false;
    found.secondary = (uint8_t)first;
    found.subordinate = (uint8_t)last;
    while (i < b->bridge_count && (b->bridges[i].segment != found.segment ||
                                   b->bridges[i].sid != found.sid))
        i++;
    if (i < LOG_BRIDGES_MAX)
        b->bridges[i] = found;
    b->bridge_count += i == b->bridge_count && i < LOG_BRIDGES_MAX;
    return true;
}

bool log_unit_line(struct log_boot *b, struct log_span line,
                   struct log_words words, unsigned long number)
{
    if ((words.set & W(EIM)) != 0 && (words.set & W(NOT)) != 0) {
        const int unit = log_unit_number(line);
        struct log_unit *const u = unit < 0 ? NULL : unit_at(b, NULL, unit);

        if (u != NULL)
            u->no_eim = true;
        return false; /* a rule counts the line */
    }
    return registers_line(b, line, number) || scope_line(b, line, number) ||
           xen_scope_line(b, line, number) || base_line(b, line, number) ||
           xen_flags_line(b, line) || xen_state_line(b, line, words, number);
}

int log_unit_order(const void *left, const void *right)
{
    const struct log_unit *const a = left;
    const struct log_unit *const b = right;

    if (a->number != b->number)
        return (unsigned int)a->number < (unsigned int)b->number ? -1 : 1;
    return a->base < b->base ? -1 : a->base > b->base;
}

bool log_unit_dead(const struct log_unit *u)
{
    struct vtdpi_caps caps;

    if (!u->has_cap || !u->has_ecap)
        return false;
    return vtdpi_caps_decode((uint32_t)(u->major << 4 | u->minor), u->cap,
                             u->ecap, &caps) != 0;
}

bool log_unit_caps(const struct log_unit *u, struct vtdpi_caps *caps)
{
    *caps = (struct vtdpi_caps){0};
    return u->has_cap && u->has_ecap && !log_unit_dead(u) &&
           vtdpi_caps_decode((uint32_t)(u->major << 4 | u->minor), u->cap,
                             u->ecap, caps) == 0;
}

static enum log_said said_of(bool known, bool yes, enum log_said otherwise)
{
    if (!known)
        return otherwise;
    return yes ? LOG_SAID_YES : LOG_SAID_NO;
}

enum log_said log_unit_qi(const struct log_unit *u)
{
    return said_of(u->has_ecap && !log_unit_dead(u),
                   (u->ecap & VTDPI_ECAP_QI) != 0, u->qi);
}

enum log_said log_unit_ir(const struct log_unit *u)
{
    return said_of(u->has_ecap && !log_unit_dead(u),
                   (u->ecap & VTDPI_ECAP_IR) != 0, u->ir);
}

enum log_said log_unit_pi(const struct log_unit *u)
{
    return said_of(u->has_cap && !log_unit_dead(u),
                   (u->cap & VTDPI_CAP_PI) != 0, u->pi);
}

enum log_said log_unit_eim(const struct log_unit *u)
{
    return said_of(u->has_ecap && !log_unit_dead(u),
                   (u->ecap & VTDPI_ECAP_EIM) != 0,
                   u->no_eim ? LOG_SAID_NO : LOG_SAID_NOTHING);
}
