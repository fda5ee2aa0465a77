/* SPDX-License-Identifier: BSD-2-Clause */
/* Paragraphs within the width of the output. */
#include <string.h>

#include "tool.h"

void print_wrapped(const char *text, unsigned int column, unsigned int indent)
{
    bool begin = true; /* of a line */

    for (;;) {
        unsigned int length;

        text += strspn(text, " \n");
        length = (unsigned int)strcspn(text, " \n");
        if (length == 0)
            break;
        if (!begin && column + 1 + length > style.width) {
            printf("\n%*s", (int)indent, "");
            column = indent;
            begin = true;
        }
        column +=
            (unsigned int)printf("%s%.*s", begin ? "" : " ", (int)length, text);
        begin = false;
        text += length;
    }
    printf("\n");
}
