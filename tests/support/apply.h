/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_TEST_APPLY_H
#define VTDPI_TEST_APPLY_H

/*
 * Changes of a VM, applied by a single thread: begin, work and end until nothing
 * is left to do.
 */
#include "vtdpi/bind.h"

static inline int vm_apply(struct vtdpi_vm *vm, struct vtdpi_binding *const *b,
                           uint32_t count)
{
    struct vtdpi_vm_work work;
    int rc = vtdpi_vm_begin(vm, &work, b, count);

    while (rc > 0) {
        vtdpi_vm_apply(&work);
        rc = vtdpi_vm_end(vm, &work);
    }
    return rc;
}

/* After a change of one binding, or of the VM, that has returned @p rc. */
static inline int vm_apply_one(struct vtdpi_binding *b, int rc)
{
    return rc != 0 ? rc : vm_apply(b->vm, &b, 1);
}

static inline int vm_apply_all(struct vtdpi_vm *vm, int rc)
{
    return rc != 0 ? rc : vm_apply(vm, NULL, 0);
}

/* Takes the message away, then ends the binding. */
static inline int vm_unbind(struct vtdpi_binding *b)
{
    const int rc = vm_apply_one(b, vtdpi_vm_unbind(b));

    return rc != 0 ? rc : vtdpi_vm_unbind_end(b);
}

#endif
