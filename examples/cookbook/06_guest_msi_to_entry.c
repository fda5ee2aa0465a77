/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest writes an MSI into its device: how does the entry follow? The trap records
 * the message under the VM's lock, and applies without the lock.
 */
#include "start_vcpus.h"

static struct vtdpi_guest_apic apics[2];
static struct vtdpi_binding *heads[VTDPI_VM_HEADS(2)], binding;
static struct vtdpi_vcpu *vcpus[2], vcpu[2];
static struct vtdpi_irq irq;
static struct vtdpi_vm vm;
static uint64_t keys[VTDPI_ROUTE_MAP_KEYS(2)];
static const struct vtdpi_vm_params vm_params = {.apics = apics,
                                                 .keys = keys,
                                                 .vcpus = vcpus,
                                                 .vcpu_count = 2,
                                                 .heads = heads,
                                                 .buckets = 2,
                                                 .posting = true};

/* A VM with two vCPUs, and one interrupt of an assigned device: entry 5. */
static void start_vm(void)
{
    static const struct vtdpi_platform_ops ops; /* no vCPU sleeps here */
    const struct vtdpi_source device = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    struct vtdpi_guest_apic apic = {.mode = VTDPI_GUEST_X2APIC,
                                    .enabled = true};

    start_unit();
    start_vcpus(&ops);
    must(vtdpi_vm_init(&vm, &vm_params), "VM");
    /* The id is the number of the slot, too. */
    for (; apic.id < 2; apic.id++) {
        must(vtdpi_vcpu_attach(&sched, &vcpu[apic.id], apic.id, &vm), "slot");
        must(vtdpi_vm_set_apic(&vm, apic.id, &apic), "APIC");
        must(vtdpi_vm_attach(&vm, apic.id, &vcpu[apic.id]), "vCPU");
    }
    must(vtdpi_table_reserve(&table, 5, 1, NULL), "index");
    must(vtdpi_irq_init(&irq, vtdpi_table_backend(&table), 5, &device, NULL),
         "interrupt");
    must(vtdpi_vm_bind(&vm, &binding, &irq, false), "binding");
}

/* The trap: the guest has written address and data, and MSI is enabled. */
static int guest_writes(uint32_t address, uint32_t data)
{
    const struct vtdpi_msi msi = {.address_lo = address, .data = data};
    struct vtdpi_binding *const which = &binding;
    struct vtdpi_vm_work work;
    int rc;

    /* Here a hypervisor takes the VM's spin lock ... */
    rc = vtdpi_binding_set_message(&binding, &msi);
    if (rc == 0)
        rc = vtdpi_vm_begin(&vm, &work, &which, 1);
    /* ... and here the hypervisor drops the lock. */
    while (rc > 0 || rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE) {
        if (rc > 0)
            vtdpi_vm_apply(&work); /* changes entries, waits for units */
        /* If not, another CPU has the interrupt: a hypervisor yields here, without
         * the lock. The next call needs the lock again. */
        rc = rc > 0 ? vtdpi_vm_end(&vm, &work)
                    : vtdpi_vm_begin_again(&vm, &work);
    }
    return rc;
}

/* Whether the device's interrupt is posted so. Prints the decision and its reason. */
static bool is_posted(uint32_t slot, uint8_t vector)
{
    const struct vtdpi_route_decision d = vtdpi_binding_decision(&binding);
    char line[VTDPI_FORMAT_MAX];
    struct vtdpi_model_result r;
    struct vtdpi_msi msi;

    (void)vtdpi_format_decision(line, sizeof(line), &d);
    (void)printf("  %s\n", line);
    must(vtdpi_msi_encode(5, &msi), "message");
    r = device_sends(0x0310, &msi, 0);
    return r.outcome == VTDPI_MODEL_POSTED && r.vector == vector &&
           r.pda == phys(&ram.pids[slot]);
}

int main(void)
{
    start_vm();
    claim(!guest_writes(0xfee01000, 0x41) && is_posted(1, 0x41),
          "vector 41h for APIC id 1: posted to vCPU 1");
    /* A host that gives out vectors late learns here that it needs one. */
    claim(guest_writes(0xfee01000, 0x0441) == VTDPI_ENOHOST &&
              !is_posted(1, 0x41),
          "an NMI: not posted, and there is no host form");
    claim(!guest_writes(0xfee00000, 0x52) && is_posted(0, 0x52),
          "vector 52h for APIC id 0: posted to vCPU 0");
    return vtdpi_model_violations(&chip) != 0;
}
