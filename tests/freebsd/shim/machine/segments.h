/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHIM_MACHINE_SEGMENTS_H
#define SHIM_MACHINE_SEGMENTS_H

/* An entry of the interrupt table; here a C function without arguments. */
typedef void inthand_t(void);

#define IDTVEC(name) X##name

extern inthand_t IDTVEC(justreturn);
extern inthand_t IDTVEC(justreturn1_pti);

#endif
