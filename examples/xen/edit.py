#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Put the port into a source tree of Xen 4.17.

usage: edit.py XEN

XEN is the folder that holds arch, drivers and include (xen/ of a release). The
sources of the library and of the port are copied into it; then Xen's own files are
edited. Each edit names a file, an identifier that marks the place, and what is to be
there. An edit whose identifier is not there exactly as often as expected stops the
script, and XEN is then not to be built. A tree that was edited before is refused.
"""

import pathlib
import re
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDER = "drivers/passthrough/vtdpi"


class Tree:
    """Xen's files, and the edits that each takes."""

    def __init__(self, path):
        self.path = path

    def edit(self, name, change):
        file = self.path / name
        old = file.read_text(encoding="utf-8")
        new = change(old)
        if new == old:
            sys.exit(f"edit.py: {name}: nothing to edit")
        file.write_text(new, encoding="utf-8")

    def append(self, name, *lines):
        self.edit(name, lambda text: text + "\n" + "\n".join(lines) + "\n")

    def member(self, name, struct, declaration):
        """Add a first member to a structure."""
        self.after(name, rf"^struct {struct} {{$", f"    {declaration}")

    def after(self, name, pattern, line):
        """Add a line behind the only one that matches."""
        self.edit(name, lambda text: once(name, pattern, text,
                                          lambda m: f"{m.group(0)}\n{line}"))


def once(name, pattern, text, replacement):
    found = len(re.findall(pattern, text, re.MULTILINE))
    if found != 1:
        sys.exit(f"edit.py: {name}: {pattern} is there {found} times, not once")
    return re.sub(pattern, replacement, text, flags=re.MULTILINE)


def without_objects(name, objects):
    """Take objects out of a makefile that has one a line."""
    def change(text):
        for o in objects:
            text = once(name, rf"^obj-\S+ \+= {re.escape(o)}$\n", text, "")
        return text
    return change


def without_functions(name, functions):
    """Take functions out, each with its body; what calls them stays."""
    def change(text):
        for f in functions:
            text = once(name, rf"^\w[^\n;]*\b{f}\([^;{{]*\)\n{{\n(?:[^}}\n][^\n]*"
                              r"\n|\n)*}\n", text, "")
        return text
    return change


def replaced(name, *pairs):
    """Put each second text in place of the only match of the first."""
    def change(text):
        for pattern, new in pairs:
            text = once(name, pattern, text, lambda _, new=new: new)
        return text
    return change


def library_sources():
    """Names that the makefile lists, as files of src."""
    text = (HERE / "Makefile").read_text(encoding="utf-8")
    lines = re.findall(r"^vtdpi-library-y [:+]= (.*)$", text, re.MULTILINE)
    return [o.replace(".o", ".c") for line in lines for o in line.split()]


def copy(tree):
    folder = tree / FOLDER
    if folder.exists():
        sys.exit(f"edit.py: {folder} is there already")
    folder.mkdir()
    shutil.copytree(ROOT / "include/vtdpi", tree / "include/vtdpi",
                    ignore=shutil.ignore_patterns("meson.build"))
    for source in library_sources():
        shutil.copy(ROOT / "src" / source, folder)
    for header in (ROOT / "src").glob("*.h"):
        shutil.copy(header, folder)
    shutil.copy(HERE / "Makefile", folder)
    for file in HERE.glob("vtdpi_xen_*.[ch]"):
        own = file.name == "vtdpi_xen_unit.h" or file.suffix == ".c"
        shutil.copy(file, folder if own else tree / "include")


def remapping(tree):
    """Interrupt remapping and the invalidation queue."""
    tree.after("include/xen/config.h", r"^#define __XEN_CONFIG_H__$",
               '#define VTDPI_CONFIG_HEADER "vtdpi_xen_config.h"')
    tree.append("drivers/passthrough/Makefile", "obj-$(CONFIG_X86) += vtdpi/")
    vtd = "drivers/passthrough/vtd"
    tree.edit(f"{vtd}/Makefile", without_objects(
        f"{vtd}/Makefile", ["intremap.o", "qinval.o"]))
    tree.member(f"{vtd}/iommu.h", "vtd_iommu", "struct vtdpi_xen_unit *vtdpi;")
    msi = "arch/x86/include/asm/msi.h"
    tree.member(msi, "msi_desc", "struct vtdpi_irq vtdpi;")
    tree.after(msi, r"^#define __?\w*MSI_H\w*$", "#include <vtdpi/irq.h>")


def posting(tree):
    """vCPUs: vmx.c, vmcs.c, intr.c, and who posts to them."""
    vmx = "arch/x86/hvm/vmx/vmx.c"
    tree.edit(vmx, without_functions(vmx, [
        "vmx_pi_per_cpu_init", "vmx_vcpu_block", "vmx_pi_switch_from",
        "vmx_pi_switch_to", "vmx_pi_unblock_vcpu", "vmx_pi_do_resume",
        "vmx_pi_desc_fixup", "vmx_pi_hooks_assign", "vmx_pi_hooks_deassign",
        "__vmx_deliver_posted_interrupt", "vmx_deliver_posted_intr",
        "vmx_sync_pir_to_irr", "vmx_test_pir", "pi_wakeup_interrupt",
        "pi_notification_interrupt"]))
    tree.edit(vmx, replaced(
        vmx,
        (r"^static DEFINE_PER_CPU\(.*\bvmx_pi_blocking\);\n", ""),
        (r"^static (?=.*\bpi_wakeup_vector;)", ""),
        (r"^static (?=.*\bvmx_vcpu_initialise\()", ""),
        (r"^static (?=.*\bvmx_vcpu_destroy\()", ""),
        (r"(?<=[.]vcpu_initialise)(\s*=\s*)vmx_vcpu_initialise",
         " = vtdpi_xen_vcpu_initialise"),
        (r"(?<=[.]vcpu_destroy)(\s*=\s*)vmx_vcpu_destroy",
         " = vtdpi_xen_vcpu_destroy"),
        (r"^ *INIT_LIST_HEAD\(.*\bpi_blocking\b.*\);\n", ""),
        (r"^ *if \( .*\bvcpu_block \)\n *vmx_pi_do_resume\(\w+\);\n", ""),
        (r"^#include <asm/hvm/vmx/vmx.h>$",
         "#include <asm/hvm/vmx/vmx.h>\n#include <vtdpi_xen_vmx.h>")))

    vmcs = "arch/x86/hvm/vmx/vmcs.c"
    tree.edit(vmcs, without_functions(vmcs, ["pi_desc_init"]))
    tree.edit(vmcs, replaced(
        vmcs,
        (r"^ *if \( iommu_intpost \)\n *pi_desc_init\(\w+\);\n", ""),
        (r"virt_to_maddr\(&v->arch[.]hvm[.]vmx[.]pi_desc\)",
         "vtdpi_vcpu_pda(&v->arch.hvm.vmx.vtdpi)")))
    header = "arch/x86/include/asm/hvm/vmx/vmcs.h"
    tree.edit(header, replaced(
        header,
        (r"^( *)struct pi_desc +pi_desc;$", "    struct vtdpi_vcpu vtdpi;"),
        (r"^ *struct pi_blocking_vcpu +pi_blocking;\n", "")))
    tree.after(header, r"^#define __ASM_X86_HVM_VMX_VMCS_H__$",
               "#include <vtdpi/sched.h>")

    intr = "arch/x86/hvm/vmx/intr.c"
    tree.edit(intr, replaced(
        intr,
        (r"^void vmx_intr_assist\(void\)$", "void vtdpi_xen_intr_assist(void)"),
        (r"const struct pi_desc \*pi_desc;",
         "const struct vtdpi_pid *pi_desc;"),
        (r"&v->arch[.]hvm[.]vmx[.]pi_desc\b",
         "vtdpi_vcpu_pid(&v->arch.hvm.vmx.vtdpi)"),
        (r"^#include <asm/hvm/vmx/vmx.h>$",
         "#include <asm/hvm/vmx/vmx.h>\n#include <vtdpi_xen_vmx.h>")))

    hvm = "drivers/passthrough/x86/hvm.c"
    tree.edit(hvm, replaced(
        hvm,
        (r"^( *)const (?=struct vcpu \*vcpu;$)", "        "),
        (r"\bhvm[.]vmx[.]pi_desc\b", "hvm.vmx.vtdpi"),
        (r"^(?= *pirq_guest_unbind\(d, dpci_pirq\()",
         "    if ( pirq_dpci->gmsi.posted )\n"
         "        pi_update_irte(NULL, dpci_pirq(pirq_dpci), 0);\n")))
    api = "arch/x86/include/asm/iommu.h"
    tree.edit(api, replaced(
        api, (r"(?<=\bpi_update_irte\()const struct pi_desc \*pi_desc",
              "struct vtdpi_vcpu *vcpu")))
    tree.after(api, r"^#define __ARCH_X86_IOMMU_H__$", "struct vtdpi_vcpu;")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.split("\n\n")[1])
    path = pathlib.Path(sys.argv[1])
    if not (path / "include/xen/config.h").is_file():
        sys.exit(f"edit.py: {path} has no include/xen/config.h")
    copy(path)
    remapping(Tree(path))
    posting(Tree(path))


if __name__ == "__main__":
    main()
