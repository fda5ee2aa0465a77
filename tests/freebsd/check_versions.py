#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that the port finds out by itself which kernel it is compiled for.

usage: check_versions.py ROOT WORK CC... -- ARGUMENT...

Compiles the port with the arguments, against the shim's headers, once for each
version: with its __FreeBSD_version, with its declaration of the function that
notifies a vCPU, and with or without dev/vmm/vmm_vm.h. The wrong call does not
compile. A version whose interface cannot be told has to stop with an #error.
"""

import pathlib
import subprocess
import sys

OLD = "void vcpu_notify_event(struct vm *vm, int vcpuid, bool lapic_intr);"
BY_VCPU = "void vcpu_notify_event(struct vcpu *vcpu, bool lapic_intr);"
NEW = ("void vcpu_notify_event(struct vcpu *vcpu);\n"
       "void vcpu_notify_lapic(struct vcpu *vcpu);")
STOPS = "set VTDPI_BHYVE_KPI"

# What it is, __FreeBSD_version, declaration, whether vmm_vm.h is there, what
# the builder defines, whether it compiles.
VERSIONS = (
    ("12.1", 1201517, OLD, False, (), True),
    ("13.0", 1300139, OLD, False, (), True),
    ("13.1", 1301000, OLD, False, (), True),
    ("13.2", 1302001, BY_VCPU, False, (), True),
    ("14.0", 1400097, BY_VCPU, False, (), True),
    ("15.0", 1500068, BY_VCPU, False, (), True),
    ("15.1", 1501502, NEW, True, (), True),
    ("11.4", 1104001, OLD, False, (), False),
    ("a snapshot before 13.2", 1301510, OLD, False, (), False),
    ("a snapshot before 14.0", 1400050, BY_VCPU, False, (), False),
    ("a snapshot before 14.0, told", 1400050, BY_VCPU, False,
     ("-DVTDPI_BHYVE_KPI=14",), True),
    ("a snapshot before 13.2, told", 1301510, OLD, False,
     ("-DVTDPI_BHYVE_KPI=13",), True),
)


def headers(folder, declaration, has_vmm_vm):
    """Those that hide the shim's."""
    guard = "/* SPDX-License-Identifier: BSD-2-Clause */\n#pragma once\n"
    text = (guard + "#include <sys/types.h>\nstruct vcpu;\nstruct vm;\n"
            + declaration + "\n")
    (folder / "machine").mkdir(parents=True, exist_ok=True)
    (folder / "machine/vmm.h").write_text(text, encoding="utf-8")
    if has_vmm_vm:
        (folder / "dev/vmm").mkdir(parents=True, exist_ok=True)
        (folder / "dev/vmm/vmm_vm.h").write_text(guard, encoding="utf-8")


def compile_port(root, folder, version, defines, command):
    port = root / "examples/bhyve"
    done = subprocess.run(
        [*command[0], "-std=c11", "-fsyntax-only", "-Wall", "-Wextra",
         "-Werror", f"-I{folder}", f"-I{port}", f"-I{root}/include",
         *command[1], f"-DSHIM_FREEBSD_VERSION={version}", *defines,
         *sorted(map(str, port.glob("vtdpi_bhyve*.c")))],
        check=False, capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def wrong(root, work, command, case):
    name, version, declaration, has_vmm_vm, defines, compiles = case
    folder = work / "".join(c if c.isalnum() else "_" for c in name)
    headers(folder, declaration, has_vmm_vm)
    good, said = compile_port(root, folder, version, defines, command)
    if good == compiles and (good or STOPS in said):
        return None
    return f"{name}: {said or 'it compiles'}"


def main():
    split = sys.argv.index("--")
    root, work = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    command = (sys.argv[3:split], sys.argv[split + 1:])
    bad = [w for w in (wrong(root, work, command, c) for c in VERSIONS) if w]
    print("\n".join(bad) if bad else f"{len(VERSIONS)} versions as they should")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
