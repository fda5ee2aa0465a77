/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a file is not what it has to be. */
#include "input_fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "tool.h"

bool fault_set(struct input_fault *fault, unsigned long line,
               const char *format, ...)
{
    va_list args;

    if (fault->text[0] != '\0')
        return false;
    fault->line = line;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    return false;
}

int fault_complain(const struct input_fault *fault, const char *name)
{
    name = input_name(name);
    if (fault->line != 0)
        return complain(STATUS_INPUT, "%s:%lu: %s", name, fault->line,
                        fault->text);
    return complain(STATUS_INPUT, "%s: %s", name, fault->text);
}
