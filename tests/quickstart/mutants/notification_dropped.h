/* SPDX-License-Identifier: BSD-2-Clause */
/* One active notification of a unit in eight is lost. */
#define MUTANT_VECTOR ANV
#include "drop_notification.h"
