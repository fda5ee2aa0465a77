/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer: any text as options. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vtdpi/caps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Exactly as long as the text: ASan sees a read beyond it. */
    char *const text = malloc(size + 1);
    struct vtdpi_caps_options options;
    size_t at = SIZE_MAX;
    int rc;

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    vtdpi_caps_options_init(&options);
    rc = vtdpi_caps_options_parse(text, &options, &at);
    if (rc == 0 ? at != SIZE_MAX : rc != VTDPI_EOPTION || at > strlen(text))
        abort();
    /* A refused text has changed nothing. */
    if (rc != 0 &&
        !(options.intremap && options.intpost && !options.ignore_x2apic_optout))
        abort();
    free(text);
    return 0;
}
