/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program outside of the tree: it sees only what is installed. It calls one
 * inline and one exported function and fails if they do not belong together.
 */
#include <stdio.h>

#include <vtdpi/vtdpi.h>

/* Set by the test that installs with a config header of its own. */
#ifdef EXPECTED_CACHELINE
VTDPI_STATIC_ASSERT(VTDPI_CACHELINE == EXPECTED_CACHELINE,
                    "the config header of the library reaches its users");
#endif

int main(void)
{
    struct vtdpi_pid pid;
    uint64_t taken[VTDPI_PIR_WORDS];

    if (vtdpi_version() != VTDPI_VERSION) {
        (void)fprintf(stderr, "library and headers differ\n");
        return 1;
    }
    vtdpi_pid_init(&pid, 0xf2, 0);
    (void)vtdpi_pid_record(&pid, 0x41);
    if (!vtdpi_pid_harvest(&pid, taken) || taken[1] != UINT64_C(1) << 1) {
        (void)fprintf(stderr, "a posted vector was not found\n");
        return 1;
    }
    (void)puts(vtdpi_strerror(0));
    return 0;
}
