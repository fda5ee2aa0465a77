/* SPDX-License-Identifier: BSD-2-Clause */
/* Each case in a process of its own, since a misuse ends it. Prints TAP. */
#include "shim_cases.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

/* Runs a case; what it says to the standard error goes to text. */
static int run(const struct shim_case *c, bool lockstep, char *text,
               size_t size)
{
    int ends[2];
    int status;
    pid_t child;
    size_t n = 0;
    ssize_t got;

    fflush(NULL);
    if (pipe(ends) != 0)
        fail("pipe");
    child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        if (dup2(ends[1], STDERR_FILENO) < 0)
            fail("dup2");
        (void)freopen("/dev/null", "w", stdout);
        (void)close(ends[0]);
        (void)close(ends[1]);
        shim_case_run(c, lockstep);
        exit(0);
    }
    (void)close(ends[1]);
    do {
        got = read(ends[0], text + n, size - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    } while (got > 0 && n < size - 1);
    text[n] = '\0';
    (void)close(ends[0]);
    if (waitpid(child, &status, 0) != child)
        fail("waitpid");
    return status;
}

static bool as_expected(const struct shim_case *c, int status, const char *text)
{
    if (c->message == NULL)
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 1 &&
           strstr(text, c->message) != NULL;
}

static unsigned int tests;

static bool run_all(const struct shim_case *cases, unsigned int count)
{
    static char text[65536];
    bool failed = false;

    for (unsigned int i = 0; i < 2 * count; i++) {
        const struct shim_case *c = &cases[i / 2];
        const bool lockstep = i % 2 == 1;
        const int status = run(c, lockstep, text, sizeof(text));
        const bool ok = as_expected(c, status, text);

        printf("%s %u - %s%s\n", ok ? "ok" : "not ok", ++tests, c->name,
               lockstep ? " in lockstep" : "");
        if (!ok)
            fprintf(stderr, "%s: status %x\n%s\n", c->name,
                    (unsigned int)status, text);
        failed = failed || !ok;
    }
    return failed;
}

int main(void)
{
    bool failed = run_all(shim_good, shim_good_count);

    failed = run_all(shim_cases, shim_case_count) || failed;
    failed = run_all(shim_pti, shim_pti_count) || failed;

    printf("1..%u\n", tests);
    return failed ? 1 : 0;
}
