/* SPDX-License-Identifier: BSD-2-Clause */
/* A device with more messages than a flush has room for ranges: every other of
 * its entries changes, and all of them are flushed. */
#include "play.h"

enum {
    COUNT = MINI_MSGS_MAX,
    FIRST = 0x40, /* vector of message 0; the others follow */
};

/* Logical id 1 is @v's. */
static void give_id(struct vm *vm, u_int v)
{
    for (u_int i = 0; i < vm->vcpus; i++) {
        __atomic_store_n(&vm->vcpu[i].apic[APIC_LDR_REG],
                         (i == v ? 1u : 2u) << 24, __ATOMIC_RELAXED);
        vtdpi_bhyve_apic_changed(vm->vcpu[i].pi, 0xfee00800);
    }
}

/* Even messages name vCPU 0 itself, odd ones the vCPU that has the id. */
static void check_raise(struct mini_device *dev, u_int odd)
{
    uint64_t before[2][COUNT];

    for (u_int i = 0; i < COUNT; i++) {
        for (u_int v = 0; v < 2; v++)
            before[v][i] = play_delivered(&dev->vm->vcpu[v], FIRST + i);
        mini_check(mini_device_raise(dev, i));
        shim_quiesce();
        for (u_int v = 0; v < 2; v++) {
            const u_int to = i % 2 == 0 ? 0 : odd;

            mini_check(play_delivered(&dev->vm->vcpu[v], FIRST + i) ==
                       before[v][i] + (v == to));
        }
    }
}

void mini_many(const struct mini_run *run)
{
    struct mini_device dev;
    struct vm *vm;

    play_begin(run, 0);
    vm = mini_vm_create(2, run->seed % 2 == 0);
    mini_ppt_attach(&dev, "ppt0", 0, 0x0310, false);
    dev.count = COUNT;
    mini_ppt_assign(&dev, vm);
    give_id(vm, 1);
    for (u_int i = 0; i < COUNT; i++)
        mini_ppt_setup(&dev, i, mini_msi_addr(i % 2) | (i % 2 == 0 ? 0 : 0x4),
                       FIRST + i, false);
    for (u_int i = 0; i < 3; i++) {
        mini_vm_start(vm);
        shim_quiesce();
        check_raise(&dev, 1 - i % 2);
        mini_vm_stop(vm);
        give_id(vm, i % 2);
    }
    mini_check(dev.posted == 3 * COUNT && play_count("reroutes") >= 2);
    mini_ppt_unassign(&dev);
    play_add_device(&dev);
    play_add_vm(vm);
    mini_ppt_detach(&dev);
    mini_vm_destroy(vm);
    play_end();
}
