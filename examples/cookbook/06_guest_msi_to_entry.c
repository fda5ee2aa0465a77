/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest writes an MSI into its device: how does the entry follow? The trap records
 * the message under the VM's lock, and applies without the lock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <vtdpi/vtdpi.h>

static _Alignas(4096) struct vtdpi_irte entries[256];
static _Alignas(4096) uint8_t pids[4096];
static uint64_t storage[64], keys[VTDPI_ROUTE_MAP_KEYS(2)];
static struct vtdpi_binding *heads[VTDPI_VM_HEADS(2)], binding;
static struct vtdpi_vcpu *vcpus[2], vcpu[2];
static struct vtdpi_guest_apic apics[2];
static struct vtdpi_page_ref pages[1];
static struct vtdpi_pid_page page;
static struct vtdpi_pcpu *pcpus[1];
static struct vtdpi_sched sched;
static struct vtdpi_table table;
static struct vtdpi_irq irq;
static struct vtdpi_vm vm;

static void claim(bool so, const char *what)
{
    (void)printf("%s%s\n", so ? "" : "not so: ", what);
    if (!so)
        exit(1);
}

/* A VM with two vCPUs, APIC ids 0 and 1, and one interrupt of an assigned device. Units
 * join the table as in 02_own_unit.c; without a unit there is nothing to flush. Nobody
 * else knows the VM yet, so its lock is not needed. */
static bool start(void)
{
    static const struct vtdpi_platform_ops ops; /* no vCPU sleeps here */
    const struct vtdpi_sched_params host = {.ops = &ops,
                                            .pages = pages,
                                            .max_pages = 1,
                                            .pcpus = pcpus,
                                            .max_pcpus = 1,
                                            .apic_mode = VTDPI_X2APIC,
                                            .anv = 0xf2};
    const struct vtdpi_table_params rows = {.entries = entries,
                                            .phys = 0x100000,
                                            .count = 256,
                                            .storage = storage,
                                            .storage_size = sizeof(storage),
                                            .mode = VTDPI_X2APIC,
                                            .haw = 46};
    const struct vtdpi_vm_params guest = {.apics = apics,
                                          .keys = keys,
                                          .vcpus = vcpus,
                                          .vcpu_count = 2,
                                          .heads = heads,
                                          .buckets = 2,
                                          .posting = true};
    const struct vtdpi_source device = vtdpi_source_exact(0x0310, VTDPI_SQ_ALL);
    struct vtdpi_guest_apic apic = {.mode = VTDPI_GUEST_X2APIC,
                                    .enabled = true};
    bool good = !vtdpi_sched_init(&sched, &host) &&
                !vtdpi_sched_add_page(&sched, 0, &page, pids, 0x200000) &&
                !vtdpi_vm_init(&vm, &guest);

    for (; good && apic.id < 2; apic.id++)
        good = !vtdpi_vcpu_attach(&sched, &vcpu[apic.id], apic.id, &vm) &&
               !vtdpi_vm_set_apic(&vm, apic.id, &apic) &&
               !vtdpi_vm_attach(&vm, apic.id, &vcpu[apic.id]);
    return good && !vtdpi_table_init(&table, &rows) &&
           !vtdpi_table_reserve(&table, 5, 1, NULL) &&
           !vtdpi_irq_init(&irq, vtdpi_table_backend(&table), 5, &device,
                           NULL) &&
           !vtdpi_vm_bind(&vm, &binding, &irq, false);
}

/* Here a hypervisor takes and drops the VM's spin lock. */
static void vm_lock(void)
{
}

static void vm_unlock(void)
{
}

/* The trap: the guest has written address and data, and MSI is enabled. */
static int guest_writes(uint32_t address, uint32_t data)
{
    const struct vtdpi_msi msi = {.address_lo = address, .data = data};
    struct vtdpi_binding *const which = &binding;
    struct vtdpi_vm_work work;
    int rc;

    vm_lock();
    rc = vtdpi_binding_set_message(&binding, &msi);
    if (rc == 0)
        rc = vtdpi_vm_begin(&vm, &work, &which, 1);
    vm_unlock();
    while (rc > 0 || rc == VTDPI_EINFLIGHT || rc == VTDPI_EDUE) {
        if (rc > 0)
            vtdpi_vm_apply(&work); /* changes entries, waits for units */
        /* If not, another CPU has the interrupt: a hypervisor yields here. */
        vm_lock();
        rc = rc > 0 ? vtdpi_vm_end(&vm, &work)
                    : vtdpi_vm_begin_again(&vm, &work);
        vm_unlock();
    }
    return rc;
}

/* Whether the entry posts so. Prints the decision and its reason. */
static bool entry_posts_to(const struct vtdpi_vcpu *v, uint8_t vector)
{
    struct vtdpi_route_decision d;
    struct vtdpi_irte_posted form;
    char line[VTDPI_FORMAT_MAX];

    vm_lock();
    d = vtdpi_binding_decision(&binding);
    vm_unlock();
    (void)vtdpi_format_decision(line, sizeof(line), &d);
    (void)printf("  %s\n", line);
    return !vtdpi_irte_decode_posted(&entries[5], &form) && form.present &&
           form.pda == vtdpi_vcpu_pda(v) && form.vector == vector;
}

int main(void)
{
    const struct vtdpi_irte_remapped host = {
        .present = true, .mode = VTDPI_X2APIC, .vector = 0x31, .dst = 7};

    if (!start())
        return 1;
    claim(!guest_writes(0xfee01000, 0x41) && entry_posts_to(&vcpu[1], 0x41),
          "vector 41h for APIC id 1: posted to vCPU 1");
    claim(!guest_writes(0xfee00000, 0x52) && entry_posts_to(&vcpu[0], 0x52),
          "vector 52h for APIC id 0: posted to vCPU 0");

    /* Hosts that give out vectors late learn here that one is needed. */
    claim(guest_writes(0xfee01000, 0x0441) == VTDPI_ENOHOST &&
              !entry_posts_to(&vcpu[1], 0),
          "an NMI: not posted, and there is no host form");
    claim(!vtdpi_irq_set_host(&irq, &host) &&
              (entries[5].lo >> 16 & 0xff) == 0x31,
          "the host form is set: vector 31h of the host");
    vm_lock();
    vtdpi_binding_set_host(&binding, true);
    vm_unlock();
    claim(!guest_writes(0xfee00000, 0x52) && entry_posts_to(&vcpu[0], 0x52),
          "vector 52h again: posted again");
    return 0;
}
