# SPDX-License-Identifier: BSD-2-Clause
"""One thing that mutants.py breaks."""

import dataclasses

from mutation import Mutant

MODES = ("xapic", "x2apic", "scalable")
XAPIC = ("xapic",)
X2APIC = ("x2apic",)
SCALABLE = ("scalable",)

COMMIT = "src/table_commit.c"
FAULT = "src/fault.c"
IRQ = "src/irq.c"
IRTE = "src/irte.c"
MSI = "src/msi.c"
QI = "src/qi.c"
QI_H = "include/vtdpi/qi.h"
RECOVER = "src/qi_recover.c"
REGS = "include/vtdpi/regs.h"
RING = "src/qi_ring.h"
TABLE = "src/table.c"
UNIT = "src/unit.c"


@dataclasses.dataclass(frozen=True)
class Step(Mutant):
    modes: tuple = MODES  # tried in this order, until one notices
    word: str = ""  # for the kernel's command line


def one(name, file, old, new, modes=MODES):
    return Step(name, ((file, old, new),), modes)
