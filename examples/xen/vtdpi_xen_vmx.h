/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_XEN_VMX_H
#define VTDPI_XEN_VMX_H

/*
 * Between Xen's VMX code and the port: what vmx.c, vmcs.c and intr.c call, and
 * what they have for the port. HOOKS.md says where and why.
 */
#include <xen/sched.h>

#include <vtdpi/format.h>
#include <vtdpi/sched.h>

/* Of vmx.c: the wakeup vector, and the functions that the port's stand in front
 * of. */
extern uint8_t pi_wakeup_vector;
int cf_check vmx_vcpu_initialise(struct vcpu *v);
void cf_check vmx_vcpu_destroy(struct vcpu *v);

/* Of intr.c. */
void vtdpi_xen_intr_assist(void);

/* Operations of struct hvm_function_table. */
int cf_check vtdpi_xen_vcpu_initialise(struct vcpu *v);
void cf_check vtdpi_xen_vcpu_destroy(struct vcpu *v);
void cf_check vmx_deliver_posted_intr(struct vcpu *v, u8 vector);
void cf_check vmx_sync_pir_to_irr(struct vcpu *v);
bool cf_check vmx_test_pir(const struct vcpu *v, uint8_t vector);

/* Handlers of the two vectors. */
void cf_check pi_notification_interrupt(struct cpu_user_regs *regs);
void cf_check pi_wakeup_interrupt(struct cpu_user_regs *regs);

/* On the way out of, and into, a vCPU. */
void vmx_pi_switch_from(struct vcpu *v);
void vmx_pi_switch_to(struct vcpu *v);

#endif
