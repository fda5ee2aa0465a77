/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_DMAR_SHAPES_H
#define TESTS_DMAR_SHAPES_H

/*
 * DMAR tables in the shapes that firmware gives them, and tables with one thing
 * wrong. Addresses and numbers are made up. Where the tables are used:
 *  - tests/unit/dmar/test_dmar_shapes.c walks, checks and looks up each of them;
 *  - tests/fuzz starts from them;
 *  - tests/quickstart gives them to the demo.
 */

#include "dmar_build.h"

struct dmar_shape {
    const char *name;
    uint8_t flags;    /* of the header */
    unsigned int haw; /* bits of an address; 0: 39 */
    /* What follows the header. */
    void (*build)(struct dmar_build *b);
    /* What is wrong outside of the structures; may be NULL. */
    void (*spoil)(struct dmar_build *b);
};

extern const struct dmar_shape dmar_shapes[];
extern const size_t dmar_shape_count;

/* Builds the shape of that name; aborts if there is none. */
void dmar_shape_build(const char *name, struct dmar_build *b);

#endif
