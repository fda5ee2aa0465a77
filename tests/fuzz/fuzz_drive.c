/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives a libFuzzer harness without libFuzzer: inputs from seeds, the same on
 * every machine.
 *
 *     fuzz_unit_seeds [--seed N] [--runs N] [--seconds N]
 *
 * Run i has seed N + i; a failure names its seed, which reproduces it:
 *
 *     FUZZ_UNIT_TRACE=1 fuzz_unit_seeds --seed 17 --runs 1
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random.h"

enum {
    LENGTH_MIN = 32,
    LENGTH_MAX = 640,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t current;

/* The promise that is broken was printed. A sanitizer calls this, too, with
 * abort_on_error=1. */
static void name_seed(int number)
{
    (void)number;
    fprintf(stderr, "seed %llu\n", (unsigned long long)current);
}

static void run(uint64_t seed)
{
    uint8_t bytes[LENGTH_MAX];
    uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    size_t length;

    for (int i = 0; i < 8; i++) /* seeds in a row differ by little */
        (void)random_below(&state, 2);
    length = LENGTH_MIN + random_below(&state, LENGTH_MAX - LENGTH_MIN + 1);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)random_below(&state, 256);
    (void)LLVMFuzzerTestOneInput(bytes, length);
}

static uint64_t option(int argc, char **argv, const char *name,
                       uint64_t otherwise)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0)
            return strtoull(argv[i + 1], NULL, 10);
    }
    return otherwise;
}

int main(int argc, char **argv)
{
    const uint64_t seed = option(argc, argv, "--seed", 1);
    const uint64_t runs = option(argc, argv, "--runs", UINT64_MAX);
    const uint64_t seconds = option(argc, argv, "--seconds", UINT64_MAX);
    const time_t begin = time(NULL);
    uint64_t i;

    (void)signal(SIGABRT, name_seed);
    for (i = 0; i < runs && (uint64_t)(time(NULL) - begin) < seconds; i++) {
        current = seed + i;
        run(current);
    }
    printf("%llu runs, seeds %llu to %llu\n", (unsigned long long)i,
           (unsigned long long)seed, (unsigned long long)(seed + i - 1));
    return 0;
}
