/* SPDX-License-Identifier: BSD-2-Clause */
/* One wakeup notification of a unit in eight is lost. */
#define MUTANT_VECTOR WNV
#include "drop_notification.h"
