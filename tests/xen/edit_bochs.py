#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Change a tree that has the port for the test in Bochs, which has no remapping unit.

usage: edit_bochs.py XEN

- A PVH dom0 starts without an IOMMU.
- Posting is taken as on, so vCPUs sleep with the wakeup vector.
- Software posts as a unit does: it sends what the descriptor says and wakes nobody.
- Each descriptor has a page of its own, since Bochs 3.0 wants its address so.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "examples/xen"))

import edit  # pylint: disable=wrong-import-position


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.split("\n\n", maxsplit=2)[1])
    tree = edit.Tree(pathlib.Path(sys.argv[1]))
    iommu = "drivers/passthrough/x86/iommu.c"
    tree.edit(iommu, edit.replaced(
        iommu, (r"(?<=\barch_iommu_check_autotranslated_hwdom)"
                r"(\(struct domain \*d\))\n\{",
                "(struct domain *d)\n{\n    return;")))
    vmx = "arch/x86/hvm/vmx/vmx.c"
    tree.edit(vmx, edit.replaced(
        vmx, (r"^ *if \( iommu_intpost \)\n"
              r"(?= *alloc_direct_apic_vector\(&pi_wakeup_vector)",
              "        iommu_intpost = true;\n")))
    tree.append(f"{edit.FOLDER}/Makefile",
                "CFLAGS-y += -DVTDPI_XEN_POST_AS_UNIT -DVTDPI_XEN_PAGE_EACH")


main()
