# SPDX-License-Identifier: BSD-2-Clause
"""One thing that mutants.py breaks."""

import dataclasses

MODES = ("xapic", "x2apic", "scalable")
XAPIC = ("xapic",)
X2APIC = ("x2apic",)
SCALABLE = ("scalable",)

COMMIT = "src/commit.c"
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


@dataclasses.dataclass
class Mutant:
    """Changes of files, each (file, old text, new text)."""

    name: str
    changes: list
    modes: tuple = MODES
    word: str = ""


@dataclasses.dataclass
class Survivor(Mutant):
    """One that this unit cannot tell from the library as it is."""

    because: str = ""


def one(name, file, old, new, modes=MODES):
    return Mutant(name, [(file, old, new)], modes)
