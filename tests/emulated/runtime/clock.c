/* SPDX-License-Identifier: BSD-2-Clause */
/* The time stamp counter, measured against the PIT, which both emulators run
 * at 1193182 Hz of their own time. */

#include "internal.h"

#define PIT_HZ         1193182u
#define PIT_CHANNEL_2  0x42
#define PIT_MODE       0x43
#define PIT_2_ONE_SHOT 0xb0 /* channel 2, both bytes, mode 0 */
#define SPEAKER        0x61
#define SPEAKER_GATE   0x01
#define SPEAKER_ON     0x02
#define SPEAKER_OUT    0x20

#define SAMPLE_US      5000u
#define SAMPLES        3

static struct {
    uint64_t start;
    uint64_t per_sample; /* counter ticks in SAMPLE_US */
} tsc;

static uint64_t sample(void)
{
    const uint32_t ticks = (uint32_t)((uint64_t)PIT_HZ * SAMPLE_US / 1000000u);
    const uint8_t speaker = in8(SPEAKER) & (uint8_t) ~(SPEAKER_ON);
    uint64_t start;

    out8(SPEAKER, (uint8_t)(speaker & ~SPEAKER_GATE));
    out8(PIT_MODE, PIT_2_ONE_SHOT);
    out8(PIT_CHANNEL_2, (uint8_t)ticks);
    out8(PIT_CHANNEL_2, (uint8_t)(ticks >> 8));
    start = rdtsc();
    out8(SPEAKER, speaker | SPEAKER_GATE);
    while ((in8(SPEAKER) & SPEAKER_OUT) == 0)
        pause();
    return rdtsc() - start;
}

void clock_start(void)
{
    /* The shortest: in the others the emulator may have been held up. */
    tsc.per_sample = sample();
    for (int i = 1; i < SAMPLES; i++) {
        const uint64_t again = sample();

        if (again < tsc.per_sample)
            tsc.per_sample = again;
    }
    if (tsc.per_sample == 0)
        panic("the time stamp counter stands still");
    tsc.start = rdtsc();
}

uint64_t now_us(void)
{
    const uint64_t ticks = rdtsc() - tsc.start;

    /* In two steps: the product would overflow after some hours. */
    return ticks / tsc.per_sample * SAMPLE_US +
           ticks % tsc.per_sample * SAMPLE_US / tsc.per_sample;
}

bool wait_until(bool (*cond)(void *arg), void *arg)
{
    const uint64_t start = now_us();

    for (;;) {
        /* Before the look: if this CPU was held up between the two, a
         * condition that came true in time still counts. */
        const uint64_t now = now_us();

        if (cond(arg))
            return true;
        if (now - start >= PATIENCE_US)
            return false;
        pause();
    }
}
