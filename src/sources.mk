# SPDX-License-Identifier: BSD-2-Clause
#
# The one list of the sources of the library and of the model. Meson, make, BSD's
# make and kbuild read it; one name a line, sorted within each part. A makefile
# of either make that compiles the library says
#
#     VTDPI = the folder of this library
#     VTDPI_FEATURES = irq
#     include $(VTDPI)/src/sources.mk
#
# and compiles $(VTDPI_SRCS) with $(VTDPI_CPPFLAGS). VTDPI_OBJS has the names of the
# objects, in the same order. A Kbuild of Linux includes vtdpi.kbuild instead.

# Error texts, and the version that was linked.
VTDPI_PART_base += status.c
VTDPI_PART_base += version.c

# sched.h.
VTDPI_PART_sched += sched.c
VTDPI_PART_sched += sched_choose.c
VTDPI_PART_sched += sched_pcpu.c
VTDPI_PART_sched += sched_vcpu.c

# irq.h, and the entries and messages below it.
VTDPI_PART_irq += backend.c
VTDPI_PART_irq += irq.c
VTDPI_PART_irq += irte.c
VTDPI_PART_irq += msi.c
VTDPI_PART_irq += source.c

# bind.h and route.h.
VTDPI_PART_bind += bind.c
VTDPI_PART_bind += route.c
VTDPI_PART_bind += route_map.c

# hostmsi.h and ipiv.h, over sched.h.
VTDPI_PART_host += hostmsi.c
VTDPI_PART_host += ipiv.c

# caps.h, dmar.h and verdict.h.
VTDPI_PART_discovery += caps.c
VTDPI_PART_discovery += dmar.c
VTDPI_PART_discovery += dmar_check.c
VTDPI_PART_discovery += verdict.c

# unit.h, table.h and what they use. unit.h needs caps.c.
VTDPI_PART_unit += fault.c
VTDPI_PART_unit += index.c
VTDPI_PART_unit += qi.c
VTDPI_PART_unit += qi_recover.c
VTDPI_PART_unit += table.c
VTDPI_PART_unit += table_commit.c
VTDPI_PART_unit += unit.c

# format.h, over all of the above.
VTDPI_PART_format += format.c
VTDPI_PART_format += format_bind.c
VTDPI_PART_format += format_caps.c
VTDPI_PART_format += format_fault.c
VTDPI_PART_format += format_irte.c
VTDPI_PART_format += format_msi.c
VTDPI_PART_format += format_pid.c
VTDPI_PART_format += format_qi.c
VTDPI_PART_format += format_route.c
VTDPI_PART_format += format_sched.c
VTDPI_PART_format += format_table.c
VTDPI_PART_format += format_unit.c

# The inline functions of the headers as symbols, for debuggers and for other
# languages. In no set: a kernel in C leaves the file out.
VTDPI_PART_symbols += inline.c

# model.h, a library of its own.
VTDPI_PART_model += model/model.c
VTDPI_PART_model += model/model_base.c
VTDPI_PART_model += model/model_cache.c
VTDPI_PART_model += model/model_command.c
VTDPI_PART_model += model/model_fault.c
VTDPI_PART_model += model/model_interrupt.c
VTDPI_PART_model += model/model_kept.c
VTDPI_PART_model += model/model_platform.c
VTDPI_PART_model += model/model_post.c
VTDPI_PART_model += model/model_queue.c
VTDPI_PART_model += model/model_registers.c
VTDPI_PART_model += model/model_violation.c

# Sets of features. Each links alone, with nothing else but memcpy, memmove, memset
# and memcmp. pid.h and atomic.h are inline and need no source.
#   pid        operations on descriptors
#   sched      vCPUs
#   irq        and device interrupts, over a backend of the host's own
#   bind       and the guest messages of a VM
#   all        and discovery, the unit, and text of all these
VTDPI_SET_pid =
VTDPI_SET_sched = $(VTDPI_PART_base) $(VTDPI_PART_sched)
VTDPI_SET_irq = $(VTDPI_SET_sched) $(VTDPI_PART_irq)
VTDPI_SET_bind = $(VTDPI_SET_irq) $(VTDPI_PART_bind)
VTDPI_SET_all = $(VTDPI_SET_bind) $(VTDPI_PART_discovery) $(VTDPI_PART_unit)
VTDPI_SET_all += $(VTDPI_PART_host) $(VTDPI_PART_format)

# What the makefile asks for. VTDPI_MORE adds parts to the set: $(VTDPI_PART_discovery)
# for a host that has the verdict of the library, $(VTDPI_PART_model) for tests.
VTDPI_FEATURES ?= all
VTDPI_NAMES = $(VTDPI_SET_$(VTDPI_FEATURES)) $(VTDPI_MORE)
VTDPI_SRCS = $(VTDPI_NAMES:%=$(VTDPI)/src/%)
VTDPI_OBJS = $(VTDPI_NAMES:.c=.o)
VTDPI_CPPFLAGS = -I$(VTDPI)/include
