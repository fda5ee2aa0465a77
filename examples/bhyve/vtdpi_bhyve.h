/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_BHYVE_H
#define VTDPI_BHYVE_H

/**
 * @file
 * @brief The hooks that bhyve's vmm.ko calls. HOOKS.md says where and why.
 *
 * The port is there when virtual-interrupt delivery is: bhyve then keeps what
 * is pending in descriptors, and these come from the port, whether processor
 * and devices can post to them or not.
 */

#include <sys/param.h>

struct trapframe;
struct vcpu;
struct vm;
struct vtdpi_bhyve_dev;
struct vtdpi_bhyve_vcpu;
struct vtdpi_bhyve_vm;

/**
 * Which vcpu_notify_event() this kernel has:
 *
 * | value | call                                | kernels                   |
 * |-------|-------------------------------------|---------------------------|
 * | 13    | vcpu_notify_event(vm, vcpuid, true) | 12.0 to 13.1              |
 * | 14    | vcpu_notify_event(vcpu, true)       | 13.2, 14.0 and later      |
 * | 15    | vcpu_notify_lapic(vcpu)             | with dev/vmm/vmm_vm.h, as |
 * |       |                                     | 15.1                      |
 *
 * With 13 the vcpu argument below is NULL. The interface changed between two
 * values of __FreeBSD_version on the stable branch before 13.2 and on the
 * development branch before 14.0. Snapshots of these have to define the value.
 */
#ifndef VTDPI_BHYVE_KPI
#if __has_include(<dev/vmm/vmm_vm.h>)
#define VTDPI_BHYVE_KPI 15
#elif __FreeBSD_version >= 1400097
#define VTDPI_BHYVE_KPI 14
#elif __FreeBSD_version >= 1302000 && __FreeBSD_version < 1400000
#define VTDPI_BHYVE_KPI 14
#elif __FreeBSD_version >= 1200000 && __FreeBSD_version < 1301500
#define VTDPI_BHYVE_KPI 13
#else
#error "set VTDPI_BHYVE_KPI: this kernel's vcpu_notify_event() is not known"
#endif
#endif

/* The module: vmx.c. Thread context. */

/**
 * @brief Set up: vmx_modinit(), if virtual-interrupt delivery is used.
 *
 * @param pirvec  bhyve's posted-interrupt vector; -1: there is none, or it is
 *                not to be used.
 *
 * Allocates the wakeup vector, asks the DMAR driver what it can do, and
 * reaches the verdict. Whatever is missing there leaves devices on remapped
 * interrupts; hw.vmm.vtdpi.verdict and .reasons say so.
 *
 * @return 0; or EINVAL, which says on the console what the library found wrong:
 *         bhyve then goes without virtual-interrupt delivery.
 */
int vtdpi_bhyve_modinit(int pirvec);

/** @brief Undo vtdpi_bhyve_modinit(); no VM is left, and no device assigned.
 *         Also after it failed, or was not called. */
void vtdpi_bhyve_modcleanup(void);

/* A VM: vmx.c. Thread context. */

/** @brief A VM is made, or made anew by vm_reinit(): vmx_init(). */
struct vtdpi_bhyve_vm *vtdpi_bhyve_vm_init(struct vm *vm, u_int maxcpus);

/** @brief It goes: vmx_cleanup(). All its vCPUs have gone. */
void vtdpi_bhyve_vm_cleanup(struct vtdpi_bhyve_vm *gvm);

/* A vCPU: vmx.c. */

/**
 * @brief A vCPU is made: vmx_vcpu_init(). Thread context.
 *
 * @param vcpu       What vcpu_notify_event() takes.
 * @param vcpuid     Its number, below maxcpus; its APIC id is the same.
 * @param apic_page  Its virtual-APIC page.
 * @param pid_pa     Receives the physical address for VMCS_PIR_DESC.
 *
 * @return Never NULL; sleeps for memory.
 */
struct vtdpi_bhyve_vcpu *vtdpi_bhyve_vcpu_init(struct vtdpi_bhyve_vm *gvm,
                                               struct vcpu *vcpu, u_int vcpuid,
                                               void *apic_page,
                                               uint64_t *pid_pa);

/** @brief A vCPU goes: vmx_vcpu_cleanup(). Its devices were unassigned before,
 *         its thread has left. Thread context. */
void vtdpi_bhyve_vcpu_cleanup(struct vtdpi_bhyve_vcpu *v);

/** @brief vmx_run() has begun: the vCPU is on curcpu. Critical section. */
void vtdpi_bhyve_run(struct vtdpi_bhyve_vcpu *v);

/** @brief vmx_run() ends. The same critical section. */
void vtdpi_bhyve_preempt(struct vtdpi_bhyve_vcpu *v);

/**
 * @brief Before each VM entry, in place of the body of vmx_inject_pir():
 *        what is posted goes to the IRR. Interrupts off until the entry.
 *
 * @return The highest vector in the IRR, or 0 if the IRR is empty. RVI becomes
 *         exactly this, whatever it was.
 */
int vtdpi_bhyve_inject(struct vtdpi_bhyve_vcpu *v);

/**
 * @brief In place of the body of vmx_pending_intr(): would an interrupt be
 *        taken, as the guest's PPR is? The vCPU's own thread, any lock held.
 */
bool vtdpi_bhyve_pending(struct vtdpi_bhyve_vcpu *v);

/**
 * @brief In place of the body of vmx_set_intr_ready(): record a vector and see
 *        to it that the vCPU notices. Any context in which vcpu_notify_event()
 *        may be called, the vCPU's lock not held.
 *
 * Nothing is left to do for the caller: vmx_set_intr_ready() returns 0.
 */
void vtdpi_bhyve_post(struct vtdpi_bhyve_vcpu *v, int vector);

/** @brief The virtual APIC is about to be reset: what was posted goes. The
 *         vCPU's own thread, or it is stopped; before vlapic_reset(). */
void vtdpi_bhyve_discard(struct vtdpi_bhyve_vcpu *v);

/** @brief What the stream of a snapshot has for a vCPU's descriptor, as bhyve's own
 *         descriptor is laid out. */
struct vtdpi_bhyve_saved {
    uint64_t pir[4];
    uint64_t pending;   /**< 1: pir has a vector. 0: none. */
    uint64_t unused[3]; /**< 0. */
};

/**
 * @brief In vmx_vcpu_snapshot(), saving: what is posted, and not in the virtual-APIC
 *        page yet. The vCPU is frozen, and stays so until its page is saved as well;
 *        which of the two comes first does not matter.
 *
 * Nothing is taken: the vCPU may go on after the snapshot. What a device posts later
 * is not in the snapshot.
 */
void vtdpi_bhyve_save(const struct vtdpi_bhyve_vcpu *v,
                      struct vtdpi_bhyve_saved *out);

/**
 * @brief In vmx_vcpu_snapshot(), restoring: what was posted before goes, what was
 *        saved is posted. The vCPU is frozen, its lock is not held. Its page may be
 *        loaded before or after.
 *
 * Only the vectors are taken over. NV, NDST and SN are of this host.
 */
void vtdpi_bhyve_restore(struct vtdpi_bhyve_vcpu *v,
                         const struct vtdpi_bhyve_saved *in);

/* vmm.c */

/**
 * @brief Right before vm_handle_hlt() sleeps, if the guest has interrupts
 *        enabled: device interrupts wake it from now on. The vCPU's lock held.
 */
void vtdpi_bhyve_block(struct vtdpi_bhyve_vcpu *v);

/** @brief Right after that sleep, however it ended. The vCPU's lock held. */
void vtdpi_bhyve_unblock(struct vtdpi_bhyve_vcpu *v);

/**
 * @brief The guest has changed what decides on destinations: x2APIC mode, its
 *        enabling, LDR, DFR, SVR. Any context, after the page has changed, no
 *        vCPU's lock held. Marks the VM's interrupts that are concerned; their
 *        entries follow in the next vtdpi_bhyve_reroute(), and
 *        vtdpi_bhyve_stale() is true until then.
 *
 * @param apic_base  Its IA32_APIC_BASE. The rest is read from the page.
 */
void vtdpi_bhyve_apic_changed(struct vtdpi_bhyve_vcpu *v, uint64_t apic_base);

/**
 * @brief In vmx_run(), among the reasons not to enter: whether routes have to
 *        be looked at first. Interrupts off; two loads.
 *
 * @return True: leave vmx_run() as for a thread that has to yield.
 */
bool vtdpi_bhyve_stale(const struct vtdpi_bhyve_vcpu *v);

/** @brief In vm_run(), before each critical section: costs two loads unless
 *         something has changed. On return what this vCPU's guest has changed is
 *         in force. Thread context, no lock held. */
void vtdpi_bhyve_reroute(struct vtdpi_bhyve_vcpu *v);

/* A passed-through device: ppt.c. Thread context. */

/** @brief ppt_attach(). @p name is kept: device_get_nameunit(). */
struct vtdpi_bhyve_dev *vtdpi_bhyve_dev_attach(const char *name);

/** @brief ppt_detach(). The device is not assigned. */
void vtdpi_bhyve_dev_detach(struct vtdpi_bhyve_dev *d);

/** @brief In ppt_setup_msi(), ppt_setup_msix() and ppt_disable_msix() as soon as
 *         ppt_find() has found the device, and around what
 *         ppt_unassign_device() tears down. ppt.c has no lock of its own up to
 *         15.0; the lock of 15.1 is taken before this one. */
void vtdpi_bhyve_dev_lock(struct vtdpi_bhyve_dev *d);

/** @brief Last thing there. */
void vtdpi_bhyve_dev_unlock(struct vtdpi_bhyve_dev *d);

/** @brief End of ppt_assign_device(): the device is @p vm's from now on. The
 *         device's lock is not held. */
void vtdpi_bhyve_dev_assign(struct vtdpi_bhyve_dev *d, struct vm *vm);

/** @brief End of ppt_unassign_device(): it is nobody's. Its messages were
 *         freed. The device's lock is not held. */
void vtdpi_bhyve_dev_unassign(struct vtdpi_bhyve_dev *d);

/** @brief Make room for messages 0 to @p count - 1: MSI or MSI-X goes on.
 *         Sleeps for memory. Device lock held. */
void vtdpi_bhyve_msg_alloc(struct vtdpi_bhyve_dev *d, u_int count);

/** @brief MSI or MSI-X goes off, after the last bus_teardown_intr() and before
 *         pci_release_msi(). Legal without messages. Device lock held. */
void vtdpi_bhyve_msg_free(struct vtdpi_bhyve_dev *d);

/**
 * @brief The guest has programmed a message, for the first time or again.
 *        Device lock held.
 *
 * @param msg   Number of the message.
 * @param addr  Address, as the guest has programmed it.
 * @param data  Data, likewise.
 *
 * @return True: done, and the host interrupt stays as it is. False: noted; set
 *         up the host interrupt, then call vtdpi_bhyve_msg_setup().
 */
bool vtdpi_bhyve_msg_program(struct vtdpi_bhyve_dev *d, u_int msg,
                             uint64_t addr, uint32_t data);

/**
 * @brief After bus_setup_intr() of a message: post it if it can be. Device
 *        lock held.
 *
 * It cannot fail: what is not posted comes through pptintr() as before.
 * Shareable INTx is not a message and does not get here.
 *
 * @param msg  Number of the message.
 * @param irq  rman_get_start() of its resource.
 */
void vtdpi_bhyve_msg_setup(struct vtdpi_bhyve_dev *d, u_int msg, u_int irq);

/**
 * @brief Before bus_teardown_intr() of a message: because MSI goes off, or the
 *        guest has masked it. Not posted from now on; what the device had
 *        posted has landed. Legal if it is not set up, or if there are no
 *        messages. Device lock held.
 */
void vtdpi_bhyve_msg_teardown(struct vtdpi_bhyve_dev *d, u_int msg);

/**
 * @brief In pptintr(): deliver the message as last programmed, to the vCPU that
 *        it would be posted to. Filter context, no vCPU's lock held.
 *
 * @return False: not delivered. The port is not up, the message is neither fixed
 *         nor of lowest priority, or it is malformed: bhyve's own way, with
 *         vtdpi_bhyve_msg_guest().
 */
bool vtdpi_bhyve_msg_deliver(const struct vtdpi_bhyve_dev *d, u_int msg);

/** @brief The message as last programmed, address and data of one write. Filter
 *         context.
 *  @return False: the guest has programmed no message. */
bool vtdpi_bhyve_msg_guest(const struct vtdpi_bhyve_dev *d, u_int msg,
                           uint64_t *addr, uint32_t *data);

/* The wakeup vector. */

/** @brief Called by the stub in vtdpi_bhyve_wakeup.S, interrupts off. */
void vtdpi_bhyve_wakeup_handler(struct trapframe *frame);

#endif
