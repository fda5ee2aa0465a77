/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_SUPPORT_MACHINE_VM_H
#define VTDPI_SUPPORT_MACHINE_VM_H

/* The VM of the machine's vCPUs, with its memory. Posting is on. */

#include "machine.h"
#include "vtdpi/bind.h"

enum {
    MACHINE_BUCKETS = 4,
};

struct machine_vm {
    struct vtdpi_guest_apic apics[MACHINE_VCPUS];
    uint64_t keys[VTDPI_ROUTE_MAP_KEYS(MACHINE_VCPUS)];
    struct vtdpi_vcpu *vcpus[MACHINE_VCPUS];
    struct vtdpi_binding *heads[VTDPI_VM_HEADS(MACHINE_BUCKETS)];
};

static inline int machine_vm_init(struct vtdpi_vm *vm,
                                  struct machine_vm *memory)
{
    const struct vtdpi_vm_params params = {
        .apics = memory->apics,
        .keys = memory->keys,
        .vcpus = memory->vcpus,
        .vcpu_count = MACHINE_VCPUS,
        .heads = memory->heads,
        .buckets = MACHINE_BUCKETS,
        .posting = true,
    };

    return vtdpi_vm_init(vm, &params);
}

#endif
