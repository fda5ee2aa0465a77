# SPDX-License-Identifier: BSD-2-Clause
#
# For sys/modules/vmm/Makefile, before its last line:
#
#     VTDPI=      the folder of this library
#     .include    "${VTDPI}/examples/bhyve/vtdpi.mk"

.PATH: ${VTDPI}/examples/bhyve
.PATH: ${VTDPI}/src

SRCS+=  vtdpi_bhyve.c \
        vtdpi_bhyve_dmar.c \
        vtdpi_bhyve_pool.c \
        vtdpi_bhyve_ppt.c \
        vtdpi_bhyve_vcpu.c \
        vtdpi_bhyve_vm.c \
        vtdpi_bhyve_wakeup.S

SRCS+=  backend.c \
        bind.c \
        caps.c \
        format.c \
        format_irte.c \
        format_pid.c \
        format_sched.c \
        irq.c \
        irte.c \
        msi.c \
        route.c \
        route_map.c \
        sched.c \
        sched_pcpu.c \
        sched_vcpu.c \
        status.c \
        verdict.c

CFLAGS+= -I${VTDPI}/examples/bhyve
CFLAGS+= -I${VTDPI}/include
CFLAGS+= -DVTDPI_TYPES_HEADER=\"vtdpi_bhyve_types.h\"

# The stub is built as vmx_support.S is: the macros of machine/asmacros.h exist
# only with LOCORE, and the kernel's own rule for .S files does not define it.
DPSRCS+= assym.inc

vtdpi_bhyve_wakeup.o: assym.inc
	${CC} -c -x assembler-with-cpp -DLOCORE ${CFLAGS} \
	    ${.IMPSRC} -o ${.TARGET}
