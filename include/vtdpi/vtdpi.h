/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VTDPI_VTDPI_H
#define VTDPI_VTDPI_H

/**
 * @file
 * @brief All headers of the library (the model has its own: model.h).
 */

#include "vtdpi/atomic.h"
#include "vtdpi/backend.h"
#include "vtdpi/bind.h"
#include "vtdpi/caps.h"
#include "vtdpi/compiler.h"
#include "vtdpi/config.h"
#include "vtdpi/dmar.h"
#include "vtdpi/fault.h"
#include "vtdpi/format.h"
#include "vtdpi/hostmsi.h"
#include "vtdpi/index.h"
#include "vtdpi/ipiv.h"
#include "vtdpi/irq.h"
#include "vtdpi/irte.h"
#include "vtdpi/msi.h"
#include "vtdpi/pid.h"
#include "vtdpi/platform.h"
#include "vtdpi/qi.h"
#include "vtdpi/regs.h"
#include "vtdpi/route.h"
#include "vtdpi/sched.h"
#include "vtdpi/source.h"
#include "vtdpi/status.h"
#include "vtdpi/table.h"
#include "vtdpi/unit.h"
#include "vtdpi/verdict.h"
#include "vtdpi/version.h"

#endif
