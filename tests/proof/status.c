/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs about status.h. */
#include "src/status.c"

#include "proof.h"

#define KNOWN (sizeof(status_texts) / sizeof(status_texts[0]))

/* Every int has a text, and "unknown error" is that of no code. */
void proof_status_text(void) /* unwind 80 */
{
    const int err = (int)nondet_u32();
    const char *const text = vtdpi_strerror(err);
    const bool unknown = text[0] == 'u' && text[1] == 'n' && text[2] == 'k';
    bool listed = false;

    for (size_t i = 0; i < KNOWN; i++)
        listed = listed || status_texts[i].err == err;
    CLAIM(text[0] != '\0' && text[1] != '\0');
    CLAIM(unknown == !listed);
}

/* One code has one text: none is listed twice. */
void proof_status_unique(void)
{
    const size_t i = nondet_u32();
    const size_t j = nondet_u32();

    ASSUME(i < j && j < KNOWN);
    CLAIM(status_texts[i].err != status_texts[j].err &&
          status_texts[i].err <= 0);
}
