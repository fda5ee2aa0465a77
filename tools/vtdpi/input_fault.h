/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef INPUT_FAULT_H
#define INPUT_FAULT_H

#include <stdbool.h>

/* Why a file is not what it has to be. */
struct input_fault {
    unsigned long line; /* 0: of the file as a whole */
    char text[256];
};

/* The first fault counts. Returns false. */
bool fault_set(struct input_fault *fault, unsigned long line,
               const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

/* A message for stderr. Returns STATUS_INPUT. */
int fault_complain(const struct input_fault *fault, const char *name);

#endif
