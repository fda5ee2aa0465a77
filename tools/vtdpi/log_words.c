/* SPDX-License-Identifier: BSD-2-Clause */
/* Words, numbers and devices of a line: see log_words.h. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "log_words.h"

enum {
    WORD_MAX = 24, /* longer words are none of ours */
    CHAINS = 1024,
};

struct vocable {
    const char *text; /* in small letters */
    bool stem;        /* words that begin so count, too */
    uint64_t set;
    uint32_t more;
};

/* Words have two letters at least. Of several that fit the first one counts. */
static const struct vocable vocables[] = {
    {"access", true, 0, M(ACCESS)},
    {"acpi_dmar", true, W(DETAIL), 0},
    {"acpi", false, W(ACPI), 0},
    {"address", false, W(ADDRESS), 0},
    {"all", false, W(ALL), 0},
    {"amd", false, W(AMD), 0},
    {"andd", false, W(DETAIL), 0},
    {"apic", false, W(APIC), 0},
    {"atsr", false, W(DETAIL), 0},
    {"batched", false, W(DETAIL), 0},
    {"bios", false, W(BIOS), 0},
    {"bridge", false, W(DETAIL), M(BRIDGE)},
    {"broken", false, W(BROKEN), 0},
    {"bug", false, W(BUG), 0},
    {"callbacks", false, W(CALLBACKS), 0},
    {"can't", false, W(NOT), 0},
    {"cannot", false, W(NOT), 0},
    {"checksum", false, W(CHECKSUM), 0},
    {"cleared", false, W(CLEARED), 0},
    {"command", false, 0, M(COMMAND)},
    {"compatib", true, W(COMPAT), 0},
    {"completion", false, W(COMPLETION), 0},
    {"context", false, W(DETAIL), 0},
    {"copied", false, W(COPY), 0},
    {"copy", false, W(COPY), 0},
    {"corrupt", true, W(BAD), 0},
    {"cpu", false, W(CPU), 0},
    {"descriptor", true, W(DESCRIPTOR), 0},
    {"dac", false, W(DETAIL), 0},
    {"despite", false, W(DESPITE), 0},
    {"device", false, W(DEVICE), 0},
    {"devices", false, W(DEVICE), 0},
    {"didn't", false, W(NOT), 0},
    {"directed", false, W(DETAIL), 0},
    {"disab", true, W(DISABLE), 0},
    {"dmar", true, W(DMAR), 0},
    {"dma", false, 0, M(DMA)},
    {"doesn't", false, W(NOT), 0},
    {"domain", false, W(DETAIL), 0},
    {"don't", false, W(NOT), 0},
    {"driver", false, W(ROUTING), 0},
    {"drhd", false, W(DRHD), 0},
    {"eim", false, W(EIM), 0},
    {"enabled", false, W(ENABLED), 0},
    {"enabl", true, W(ENABLE), 0},
    {"endpoint", false, W(DETAIL), 0},
    {"errat", true, W(ERRATUM), 0},
    {"error", true, W(ERROR), 0},
    {"exceed", true, 0, M(EXCEED)},
    {"fail", true, W(FAIL), 0},
    {"fault", true, W(FAULT), 0},
    {"feature", true, W(FEATURE), 0},
    {"firmware", false, W(FIRMWARE), 0},
    {"freebsd", false, 0, M(FREEBSD)},
    {"forcing", false, 0, M(FORCING)},
    {"found", false, 0, M(FOUND)},
    {"gfx", false, W(GRAPHICS), 0},
    {"graphics", false, W(GRAPHICS), 0},
    {"group", false, W(DETAIL), 0},
    {"hardware", false, W(HARDWARE), 0},
    {"haw", false, W(TABLE), 0},
    {"hi", false, 0, M(GENODE)},
    {"hypervisor", false, 0, M(HYPERVISOR)},
    {"identifier", false, 0, M(IDENTIFIER)},
    {"identity", false, W(DETAIL), 0},
    {"igd", false, W(GRAPHICS), 0},
    {"in", false, W(IN), 0},
    {"inconsistent", false, W(INCONSISTENT), 0},
    {"incorrect", false, W(BAD), 0},
    {"initializing", false, W(DETAIL), 0},
    {"interrupt", true, W(IRQ), 0},
    {"intr", false, W(IRQ), 0},
    {"invalid", false, W(BAD), 0},
    {"invalidat", true, W(INVALIDATION), 0},
    {"ioapic", true, W(IOAPIC), 0},
    {"iommu_enable_translation", false, W(DETAIL), 0},
    {"iommu_fault_status", false, W(DETAIL), 0},
    {"iommu_page_fault", false, W(DETAIL), 0},
    {"iommu_supports_eim", false, W(EIM), 0},
    {"iommu", true, W(IOMMU), 0},
    {"irqs", false, W(IRQ), 0},
    {"irq", false, W(IRQ), 0},
    {"irte", false, W(ENTRY), 0},
    {"ir", true, W(IR), 0},
    {"kdump", false, W(KDUMP), 0},
    {"line", false, 0, M(LINE)},
    {"malfunction", true, W(MALFUNCTION), 0},
    {"mapping", false, W(MAPPING), 0},
    {"map", false, W(TABLE), 0},
    {"nested", false, W(DETAIL), 0},
    {"no_x2apic_optout", false, W(OPTOUT), 0},
    {"not", false, W(NOT), 0},
    {"no", false, W(NOT), 0},
    {"ones", false, W(ONES), 0},
    {"optout", false, W(OPTOUT), 0},
    {"opt", false, W(OPT), 0},
    {"out", false, W(OUT), 0},
    {"overflow", false, 0, M(OVERFLOW)},
    {"override", false, W(OVERRIDE), 0},
    {"pasid", false, W(DETAIL), 0},
    {"passthrough", false, W(DETAIL), 0},
    {"parse", false, W(TABLE), 0},
    {"permitted", false, 0, M(PERMITTED)},
    {"platform", false, W(PLATFORM), 0},
    {"posted", false, W(POST), 0},
    {"posting", false, W(POST), 0},
    {"present", false, 0, M(PRESENT)},
    {"programming", false, 0, M(PROGRAMMING)},
    {"qi", false, W(QUEUE), 0},
    {"queue", true, W(QUEUE), 0},
    {"reason", false, W(REASON), 0},
    {"remap", true, W(REMAP), 0},
    {"request", true, W(REQUEST), 0},
    {"reserved", false, 0, M(RESERVED)},
    {"rhsa", false, W(DETAIL), 0},
    {"rmrr", false, W(DETAIL), 0},
    {"routing", false, W(ROUTING), 0},
    {"satc", false, W(DETAIL), 0},
    {"scalable", false, W(DETAIL), 0},
    {"scope", false, W(DETAIL), 0},
    {"sid", false, 0, M(SID)},
    {"skip", false, W(SKIPPED) | W(DETAIL), 0},
    {"skipped", false, W(SKIPPED), 0},
    {"smmu", true, 0, M(SMMU)},
    {"snoop", false, W(DETAIL), 0},
    {"source", false, 0, M(SOURCE)},
    {"status", false, W(STATUS), 0},
    {"structure", false, W(TABLE), 0},
    {"support", true, W(SUPPORT), 0},
    {"suppressed", false, W(SUPPRESSED), 0},
    {"svm", false, W(DETAIL), 0},
    {"switched", false, W(SWITCHED), 0},
    {"table", true, W(TABLE), 0},
    {"tboot", false, 0, M(TBOOT)},
    {"time", true, 0, M(TIME)},
    {"translation", false, W(DETAIL), 0},
    {"txt", false, 0, M(TBOOT)},
    {"unable", false, W(BAD), 0},
    {"version", false, 0, M(VERSION)},
    {"virtuali", true, W(DETAIL), M(VIRTUAL)},
    {"vt-d", false, 0, M(VTD)},
    {"wait", true, 0, M(WAIT)},
    {"was", false, 0, M(WAS)},
    {"width", false, W(DETAIL), 0},
    {"will", false, 0, M(WILL)},
    {"without", false, W(NOT), 0},
    {"x2apic_opt_out", false, W(OPTOUT), M(X2APIC)},
    {"x2apic", true, 0, M(X2APIC)},
    {"xapic", false, 0, M(XAPIC)},
    {"xen", false, 0, M(XEN)},
    {"zero", false, 0, M(ZERO)},
};

enum {
    VOCABLES = sizeof(vocables) / sizeof(vocables[0])
};

_Static_assert(VOCABLES < UINT8_MAX, "a number of a word has a byte");

/* Words by their first two letters: the first one of a chain + 1, and the next one. */
static uint8_t chains[CHAINS];
static uint8_t nexts[VOCABLES];
static uint8_t lengths[VOCABLES];
/* The small letter of each byte that may be in a word; 0: the byte may not. */
static char names[UCHAR_MAX + 1];
static bool ready;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool log_is_name(char c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

bool log_is_listed(const char *word, const char *const *list)
{
    while (*list != NULL && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static unsigned int chain_of(const char *word)
{
    return ((unsigned char)word[0] * 32u + (unsigned char)word[1]) % CHAINS;
}

static void prepare(void)
{
    /* From behind: of two words the first one comes first. */
    for (unsigned int at = VOCABLES; at-- > 0;) {
        uint8_t *const chain = &chains[chain_of(vocables[at].text)];

        lengths[at] = (uint8_t)strlen(vocables[at].text);
        nexts[at] = *chain;
        *chain = (uint8_t)(at + 1);
    }
    for (unsigned int c = 0; c <= UCHAR_MAX; c++)
        names[c] = log_is_name((char)c) ? small((char)c) : '\0';
    ready = true;
}

static void word_add(struct log_words *words, const char *word, size_t length)
{
    if (length < 2)
        return;
    for (unsigned int i = chains[chain_of(word)]; i != 0; i = nexts[i - 1]) {
        const struct vocable *const v = &vocables[i - 1];
        const size_t n = lengths[i - 1];

        if (length < n || (length > n && !v->stem) ||
            memcmp(word, v->text, n) != 0)
            continue;
        words->set |= v->set;
        words->more |= v->more;
        return;
    }
}

/* Takes a word off the front, in small letters. An apostrophe belongs to the word
 * (doesn't), and VT-d is one word. */
static size_t word_take(struct log_span *at, char *word)
{
    size_t length = 0;

    for (; at->begin < at->end; at->begin++) {
        const char c = *at->begin;
        char kept = names[(unsigned char)c];

        if (kept == '\0') {
            if (!(c == '\'' && length > 0 && at->begin + 1 < at->end &&
                  is_letter(at->begin[1])) &&
                !(c == '-' && length == 2 && memcmp(word, "vt", 2) == 0))
                break;
            kept = c;
        }
        if (length < WORD_MAX)
            word[length++] = kept;
    }
    return length;
}

/* A terminal's colour begins with an escape, and its last letter belongs to no word. */
static void color_pass(struct log_span *at)
{
    at->begin++;
    if (at->begin == at->end || *at->begin != '[')
        return;
    at->begin++;
    while (at->begin < at->end && (is_digit(*at->begin) || *at->begin == ';'))
        at->begin++;
    if (at->begin < at->end)
        at->begin++;
}

struct log_words log_words_of(struct log_span line)
{
    struct log_words words = {0, 0};
    char word[WORD_MAX];

    if (!ready)
        prepare();
    while (line.begin < line.end) {
        if (*line.begin == '\033')
            color_pass(&line);
        else if (names[(unsigned char)*line.begin] == '\0')
            line.begin++;
        else
            word_add(&words, word, word_take(&line, word));
    }
    return words;
}

static bool same(const char *text, const char *key, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (small(text[i]) != key[i])
            return false;
    }
    return true;
}

enum {
    LOOK = 8, /* places that one look takes in */
};

#define BYTES(byte) (UINT64_C(0x0101010101010101) * (uint8_t)(byte))

/* Eight bytes, in which a capital letter and its small one are the same. So are some
 * other bytes. */
static uint64_t eight_at(const char *p)
{
    uint64_t eight;

    memcpy(&eight, p, sizeof(eight));
    return eight | BYTES(0x20);
}

/* Whether the first two letters of a key may be at one of LOOK places from @p on. Bytes
 * that are equal become zero, and only a zero makes the subtraction set a highest bit
 * that was not set. */
static bool may_have(const char *p, const char *key)
{
    const uint64_t other = (eight_at(p) ^ (BYTES(key[0]) | BYTES(0x20))) |
                           (eight_at(p + 1) ^ (BYTES(key[1]) | BYTES(0x20)));

    return ((other - BYTES(1)) & ~other & BYTES(0x80)) != 0;
}

/* Keys have two letters at least. */
const char *log_find(struct log_span line, const char *key)
{
    const size_t length = strlen(key);
    const char *p = line.begin;

    while ((size_t)(line.end - p) >= length) {
        const char *stop = p + 1;

        if (line.end - p > LOOK) {
            stop = p + LOOK;
            if (!may_have(p, key))
                p = stop;
        }
        for (; p < stop && (size_t)(line.end - p) >= length; p++) {
            if (same(p, key, length))
                return p;
        }
    }
    return NULL;
}

const char *log_find_word(struct log_span line, const char *key)
{
    const size_t length = strlen(key);
    struct log_span rest = line;

    for (;;) {
        const char *const p = log_find(rest, key);

        if (p == NULL)
            return NULL;
        if ((p == line.begin || !log_is_name(p[-1])) &&
            (p + length == line.end || !log_is_name(p[length])))
            return p;
        rest.begin = p + 1;
    }
}

static int digit_of(char c)
{
    if (is_digit(c))
        return c - '0';
    c = small(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Passes over blanks and what stands between a name and its number. */
static const char *pass(struct log_span at)
{
    while (at.begin < at.end && *at.begin != '\0' &&
           strchr(" \t[(=:@#", *at.begin) != NULL)
        at.begin++;
    return at.begin;
}

bool log_number(struct log_span at, struct log_number *out)
{
    const char *p = pass(at);
    unsigned int digits = 0;

    *out = (struct log_number){.is_decimal = true};
    if (at.end - p > 2 && p[0] == '0' && small(p[1]) == 'x') {
        out->prefixed = true;
        p += 2;
    }
    while (p < at.end && digit_of(*p) >= 0) {
        const unsigned int d = (unsigned int)digit_of(*p);

        if (out->hex >> 60 != 0)
            return false;
        out->hex = out->hex << 4 | d;
        /* A number that overflows as a decimal is not used as a decimal. */
        out->decimal = out->decimal * 10 + d;
        out->is_decimal = out->is_decimal && d < 10;
        digits++;
        p++;
    }
    if (p < at.end && small(*p) == 'h') {
        out->prefixed = true;
        p++;
    }
    out->end = p;
    return digits > 0 && (p == at.end || !log_is_name(*p));
}

static struct log_span behind(struct log_span line, const char *found,
                              const char *key)
{
    return (struct log_span){found + strlen(key), line.end};
}

bool log_value(struct log_span line, const char *key, uint64_t *out)
{
    const char *const p = log_find_word(line, key);
    struct log_number number;

    if (p == NULL || !log_number(behind(line, p, key), &number))
        return false;
    *out = number.hex;
    return true;
}

bool log_decimal(struct log_span line, const char *key, unsigned int *out)
{
    const char *const found = log_find(line, key);
    struct log_span at;
    unsigned int value = 0;
    unsigned int digits = 0;

    if (found == NULL)
        return false;
    at = behind(line, found, key);
    at.begin = pass(at);
    while (at.begin < at.end && is_digit(*at.begin) && digits < 9) {
        value = value * 10 + (unsigned int)(*at.begin - '0');
        at.begin++;
        digits++;
    }
    *out = value;
    return digits > 0;
}

bool log_device(struct log_span at, uint16_t *segment, uint16_t *sid)
{
    uint64_t part[4];
    unsigned int count = 0;
    bool dot = false;

    while (count < 4) {
        struct log_number n = {0};
        char mark;

        /* log_number() stops at what follows, and a name that follows is no part. */
        (void)log_number(at, &n);
        if (n.end == NULL || n.end == at.begin)
            return false;
        part[count++] = n.hex;
        at.begin = n.end;
        if (dot)
            break;
        mark = at.begin < at.end ? *at.begin : '\0';
        if (mark != ':' && mark != '.')
            return false;
        dot = mark == '.';
        at.begin++;
    }
    if (!dot || count < 3 || part[count - 1] > 7 || part[count - 2] > 31 ||
        part[count - 3] > 255 || (count == 4 && part[0] > UINT16_MAX))
        return false;
    *segment = count == 4 ? (uint16_t)part[0] : 0;
    *sid = (uint16_t)(part[count - 3] << 8 | part[count - 2] << 3 |
                      part[count - 1]);
    return true;
}

void log_keep(struct log_place *p, struct log_span line, unsigned long number)
{
    size_t length;

    while (line.begin < line.end && (*line.begin == ' ' || *line.begin == '\t'))
        line.begin++;
    while (line.begin < line.end &&
           (line.end[-1] == ' ' || line.end[-1] == '\t'))
        line.end--;
    length = (size_t)(line.end - line.begin);
    if (length >= sizeof(p->text))
        length = sizeof(p->text) - 1;
    for (size_t i = 0; i < length; i++) {
        const char c = line.begin[i];

        if (c == '\t')
            p->text[i] = ' ';
        else
            p->text[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    p->text[length] = '\0';
    p->line = number;
}
