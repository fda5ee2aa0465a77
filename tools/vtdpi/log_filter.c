/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The quick look at a line: whether it has one of a few parts of words. Nearly every
 * line of a log has none, and the time for a log is the time for this look.
 *
 * The look goes over a line in steps of up to three bytes. The pair of bytes that ends
 * at the place of the look says how far the next part of a word is away at least, and
 * only where a part may end here are four bytes compared (the way of Wu and Manber).
 */
#include <string.h>

#include "log.h"

enum {
    PART = 4,
    STEP_MAX = PART - 1, /* a pair that is in no part */
    PAIRS = 65536,
};

/*
 * A word, in small letters; four bytes of it, from @at on, are looked for. Those are
 * chosen whose pairs are rare in logs. Each line that log_line() understands has one of
 * these words, so the lists grow together.
 */
struct part {
    const char *word;
    unsigned int at;
};

static const struct part parts[] = {
    {"dmar", 0},
    {"remapping", 2},
    {"intr-remap", 2},
    {"iommu", 1},
    {"apic", 0},
    {"vt-d", 0},
    {"drhd", 0},
    {"command line", 1},
    {"source identifier", 12},
    {"fault reason", 7},
    {"fault: hi=0", 7}, /* a raw record */
    {"queued invalidation", 0},
    {"virtualisation", 2},
    {"interrupt posting", 5},
    {"linux version", 2},
    {"(xen) xen version", 4},
    {"freebsd", 2},
    {"tboot", 0},
    {"pci bridge to [bus", 14},
    {"smmu", 0},
    {"hypervisor", 0},
    {"cpu0: amd", 0},
    {"cpu: amd", 0},
};

enum {
    PART_COUNT = sizeof(parts) / sizeof(parts[0]),
    BUCKETS = 256, /* of the hash over the parts */
};

/* How far the look goes on behind a pair; 0: a part may end with the pair. */
static uint8_t steps[PAIRS];
static uint8_t buckets[BUCKETS]; /* a part's number + 1, or 0 */
static bool ready;

static unsigned int pair_at(const char *p)
{
    uint16_t pair;

    memcpy(&pair, p, sizeof(pair));
    return pair;
}

/* Four bytes, in which a capital letter and its small one are the same. So are some
 * other bytes: a line that is taken for that is looked at in vain. */
static uint32_t four_at(const char *p)
{
    uint32_t four;

    memcpy(&four, p, sizeof(four));
    return four | UINT32_C(0x20202020);
}

static unsigned int bucket_of(uint32_t four)
{
    return (uint32_t)(four * UINT32_C(0x9e3779b1)) >> 24;
}

/* Each spelling of a pair of a part, @distance bytes before the part's end. */
static void pair_set(const char *pair, uint8_t distance)
{
    for (unsigned int spelling = 0; spelling < 4; spelling++) {
        char spelled[2];
        unsigned int at;

        for (unsigned int i = 0; i < 2; i++) {
            spelled[i] = pair[i];
            if ((spelling >> i & 1) != 0 && pair[i] >= 'a' && pair[i] <= 'z')
                spelled[i] = (char)(pair[i] - 0x20);
        }
        at = pair_at(spelled);
        if (distance < steps[at])
            steps[at] = distance;
    }
}

/* A bucket that is taken already sends a part to the next one. */
static void bucket_add(unsigned int part)
{
    unsigned int at = bucket_of(four_at(parts[part].word + parts[part].at));

    while (buckets[at] != 0)
        at = (at + 1) % BUCKETS;
    buckets[at] = (uint8_t)(part + 1);
}

static void prepare(void)
{
    memset(steps, STEP_MAX, sizeof(steps));
    for (unsigned int i = 0; i < PART_COUNT; i++) {
        bucket_add(i);
        for (unsigned int at = 0; at < PART - 1; at++)
            pair_set(parts[i].word + parts[i].at + at,
                     (uint8_t)(PART - 2 - at));
    }
    ready = true;
}

/* Whether the whole word is there, of which the four bytes at @at may be a part. */
static bool word_is(const char *text, size_t length, size_t at,
                    const struct part *p)
{
    const size_t size = strlen(p->word);

    if (at < p->at || length - (at - p->at) < size)
        return false;
    text += at - p->at;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];

        if ((c >= 'A' && c <= 'Z' ? (c | 0x20) : c) != p->word[i])
            return false;
    }
    return true;
}

static bool part_is(const char *text, size_t length, size_t at)
{
    for (unsigned int b = bucket_of(four_at(text + at)); buckets[b] != 0;
         b = (b + 1) % BUCKETS) {
        if (word_is(text, length, at, &parts[buckets[b] - 1]))
            return true;
    }
    return false;
}

/* Four looks in a row, which do not wait for each other, each in a byte of its own. */
static uint32_t four_steps(const char *p)
{
    return (uint32_t)steps[pair_at(p)] |
           (uint32_t)steps[pair_at(p + STEP_MAX)] << 8 |
           (uint32_t)steps[pair_at(p + 2 * STEP_MAX)] << 16 |
           (uint32_t)steps[pair_at(p + 3 * STEP_MAX)] << 24;
}

/* From @at on, how far there is nothing: to the first look that does not allow the
 * longest step, or to where four looks do not fit any more. */
static size_t pass_over(const char *text, size_t length, size_t at)
{
    while (at + 3 * STEP_MAX + 1 < length) {
        uint32_t found =
            four_steps(text + at) ^ STEP_MAX * UINT32_C(0x01010101);

        if (found == 0) {
            at += 4 * STEP_MAX;
            continue;
        }
        return at + (unsigned int)__builtin_ctz(found) / 8 * STEP_MAX;
    }
    return at;
}

bool log_filter(const char *text, size_t length)
{
    size_t at = PART - 2;

    if (!ready)
        prepare();
    while (at + 1 < length) {
        unsigned int step;

        at = pass_over(text, length, at);
        if (at + 1 >= length)
            break;
        step = steps[pair_at(text + at)];
        if (step == 0 && part_is(text, length, at - (PART - 2)))
            return true;
        at += step == 0 ? 1 : step;
    }
    return false;
}
