/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COLLECT_KEEP_H
#define COLLECT_KEEP_H

/*
 * What `vtdpi collect` keeps of files with text. Each function writes what is kept to
 * @to; @text may contain anything.
 */

#include <stdio.h>

#include "host_parse.h"

/* Of /proc/cpuinfo: vendor, family, model, microcode and flags of the first processor. */
void keep_cpuinfo(struct span text, FILE *to);
/* Of /proc/cmdline: the words that are about interrupts and IOMMUs. */
void keep_cmdline(struct span text, FILE *to);
/* Of /proc/interrupts: counts and chips, without names of devices (a name may have a
 * network card's address). */
void keep_interrupts(struct span text, FILE *to);
/* Of a log: what DMAR, IOMMU, x2APIC and KVM say, without what a logger puts before
 * (time, name of the host). */
void keep_log(struct span text, FILE *to);
/* Everything. */
void keep_all(struct span text, FILE *to);

#endif
