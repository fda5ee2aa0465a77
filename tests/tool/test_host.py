#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vtdpi host and vtdpi collect on trees that are built here."""

import ctypes
import errno
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tarfile
import tempfile

from hosttree import (BASES, FLAGS, GRAPHICS, INTR_REMAP, NO_EIM, NO_IR, NO_QI,
                      OLD, SERVER, VMX, X2APIC_OPT_OUT, Tree, cpuinfo, dmar,
                      drhd, interrupts, log, madt, scope)
from tooltest import GOOD, HERE, INPUT, UNKNOWN, USAGE, WRONG, main

ACPI = "sys/firmware/acpi/tables/"
KVM = "sys/module/kvm_intel/parameters/"
DEBUG = "sys/kernel/debug/iommu/intel/"
YES, NO, OFF, DUNNO = "yes", "no", "off", "unknown"


def regset(ires, eime):
    text = ""
    for number, base in enumerate(BASES):
        text += (f"IOMMU: dmar{number} Register Base Address: {base:x}\n"
                 "Name\t\t\tOffset\t\tContents\n"
                 f"GSTS            \t0x1c\t\t0x{ires << 25 | 1 << 26:016x}\n"
                 f"IRTA            \t0xb8\t\t0x{eime << 11 | 0xf:016x}\n\n")
    return text


ENTRIES = (
    "Remapped Interrupt supported on IOMMU: dmar0\n"
    " IR table address:85e500000\n"
    " Entry SrcID   DstID    Vct IRTE_high\t\tIRTE_low\n"
    " 24    01:00.0 00000001 24  0000000000040100\t000000010024000d\n"
    " 25    01:00.0 00000004 22  0000000000040100\t000000040022000d\n\n"
    "****\n\n"
    "Posted Interrupt supported on IOMMU: dmar1\n"
    " IR table address:85ec00000\n"
    " Entry SrcID   PDA_high PDA_low  Vct IRTE_high\t\tIRTE_low\n"
    " 4     43:00.0 0000000f ff765980 41  0000000f00044300\tff76598000418001\n")

ALL_ONES = ("15:15", "f" * 16, "f" * 16)
NONE = ("0:0", "0", "0")


class Cases:
    def __init__(self, tool, folder):
        self.tool = tool
        self.folder = folder
        self.done = {}

    def tree(self, *arguments, **options):
        return Tree(self.folder / "tree", *arguments, **options)

    def judge(self, name, tree, wanted, status, *words):
        """That the answers are `wanted` and the text has the words."""
        done = self.tool.run("host", "--root", tree.top)
        found = self.tool.json("host", "--root", tree.top)
        answers = tuple(found["verdict"][part]["answer"]
                        for part in ("remapping", "x2apic", "posting"))
        # Lines are broken anywhere.
        text = " ".join(done.stdout.decode().split())
        missing = [word for word in words if word not in text]
        self.tool.tap.say(
            answers == wanted and done.returncode == status and not missing
            and done.stderr == b"", name,
            f"{answers}, status {done.returncode}, without {missing}",
            done.stdout.decode(), done.stderr.decode())
        self.same_after_collect(name, tree, found)
        return found

    def same_after_collect(self, name, tree, found):
        """Another one's judgement of the collected tree is the same."""
        archive = self.folder / "host.tar"
        unpacked = self.folder / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir()
        self.tool.run("collect", "--root", tree.top, "-o", archive)
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked)
            plain = all(member.isfile() or member.isdir()
                        for member in tar.getmembers())
        again = self.tool.json("host", "--root", unpacked)
        parts = ("verdict", "why", "next", "units", "dmar", "all_units", "cpu",
                 "kvm", "os", "interrupts", "machine", "headline",
                 "uncovered_ioapics")
        differ = [part for part in parts if again[part] != found[part]]
        self.tool.tap.say(plain and not differ,
                          f"{name}: the same after collect",
                          *(f"{part}: {found[part]} {again[part]}"
                            for part in differ))


def good(c):
    c.judge("all is good", c.tree(), (YES, YES, YES), GOOD,
            "Interrupt remapping: yes. x2APIC: yes. Posting: yes.",
            "/proc/interrupts has chips with IR-", "PIN 8 notifications")
    c.judge("xAPIC mode", c.tree(kinds=(NO_EIM, SERVER), mode="xapic"),
            (YES, NO, YES), GOOD, "dmar0: no extended interrupt mode",
            "* EIM no yes", "* ECAP")
    c.judge("opt-out", c.tree(flags=INTR_REMAP | X2APIC_OPT_OUT, mode="xapic"),
            (YES, OFF, YES), GOOD, "asked to avoid x2APIC mode",
            "intremap=no_x2apic_optout overrides", "DMAR X2APIC_OPT_OUT yes")
    c.judge("opt-out overridden",
            c.tree(flags=INTR_REMAP | X2APIC_OPT_OUT).options(
                "intremap=no_x2apic_optout"), (YES, YES, YES), GOOD)
    c.judge("without a log", c.tree().no_log(), (YES, DUNNO, YES), GOOD,
            "in which mode the CPUs run")
    c.judge("the log alone", c.tree().drop("proc/interrupts"),
            (YES, YES, YES), GOOD, "the kernel's log")
    c.judge("registers alone", c.tree().no_log().drop("proc/interrupts").put(
        DEBUG + "iommu_regset", regset(1, 1)), (YES, YES, YES), GOOD,
        "GSTS.IRES is set", "IRTA.EIME is set")
    found = c.judge("posted rows", c.tree().drop(
        KVM + "enable_apicv").put(DEBUG + "ir_translation_struct", ENTRIES),
        (YES, YES, YES), GOOD, "entries in posted format")
    c.tool.tap.say([(u["remapped"], u["posted"]) for u in found["units"]] ==
                   [(2, 0), (0, 1)], "rows of each unit", found["units"])
    c.judge("kvm_intel is not loaded", c.tree().drop("sys/module/kvm_intel"),
            (YES, YES, YES), GOOD, "kvm_intel is not loaded: nothing")
    c.judge("posted_msi", c.tree().options("intremap=posted_msi").put(
        "proc/interrupts", interrupts(rows=("PMN",))), (YES, YES, YES), GOOD,
        "may be the host's own", "own posted MSIs")
    c.judge("unsafe interrupts", c.tree().put(
        "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
        "Y\n"), (YES, YES, YES), GOOD, "Remove allow_unsafe_interrupts")


def obstacles(c):
    """From a machine where all is good, one thing is taken away in each case."""
    plain = interrupts("")
    c.judge("intremap=off", c.tree(mode="").options("intremap=off").put(
        "proc/interrupts", plain), (OFF, OFF, OFF), WRONG,
        "possible, but off", "switched off by intremap=off",
        "Remove intremap=off", "posting needs interrupt remapping",
            "takes the mode only with interrupt remapping")
    c.judge("intremap=on,off", c.tree(mode="").options(
        "intremap=on,off").drop("proc/interrupts"), (OFF, OFF, OFF), WRONG)
    c.judge("intremap=off,on", c.tree(mode="").options(
        "intremap=off,on").drop("proc/interrupts"), (DUNNO, DUNNO, DUNNO),
        UNKNOWN)
    c.judge("nopost", c.tree().options("intremap=nopost"), (YES, YES, OFF),
            WRONG, "switched off by intpost=off", "Remove nopost")
    c.judge("firmware", c.tree(flags=0, mode="").put("proc/interrupts", plain),
            (NO, NO, NO), WRONG, "DMAR flag INTR_REMAP is clear",
            "DMAR flag INTR_REMAP no", "firmware's setup")
    c.judge("no PI in one unit", c.tree(kinds=(SERVER, GRAPHICS)),
            (YES, YES, NO), WRONG, "posting: dmar1: no posted interrupts",
            "* PI yes no", "PI in every unit no", "property of the hardware")
    c.judge("no PI at all", c.tree(kinds=(OLD, OLD)), (YES, YES, NO), WRONG,
            "every unit: no posted interrupts")
    for name, kind, what in (("QI", NO_QI, "ECAP.QI"), ("IR", NO_IR, "ECAP.IR")):
        c.judge(f"no {name} in one unit", c.tree(
            kinds=(SERVER, kind), mode="").put("proc/interrupts", plain),
            (NO, NO, NO), WRONG, "dmar1: no ", what, f"{name} in every unit no")
    c.judge("IOAPIC without unit", c.tree(mode="").put(
        ACPI + "APIC", madt(8, 9, 11)).put("proc/interrupts", plain),
        (NO, NO, NO), WRONG, "IOAPIC 11: no unit covers", "bug of the firmware")
    c.judge("no cx16", c.tree().put(
        "proc/cpuinfo", cpuinfo(flags=FLAGS.replace("cx16", ""))),
        (YES, YES, NO), WRONG, "CMPXCHG16B", "CPU: CMPXCHG16B no")
    c.judge("CPU without posting", c.tree().put(
        "proc/cpuinfo", cpuinfo(vmx=VMX.replace("posted_intr", ""))).put(
            KVM + "enable_apicv", "N\n"), (YES, YES, NO), WRONG,
        "no posted_intr in its vmx flags", "PI in every unit yes")
    c.judge("no VMX", c.tree().drop("sys/module/kvm_intel").put(
        "proc/cpuinfo", cpuinfo(flags=FLAGS.replace("vmx", ""), vmx=None)),
        (YES, YES, NO), WRONG, "no flag vmx", "Switch VT-x on")
    c.judge("no VMX in a virtual machine", c.tree().drop("sys/module/kvm_intel").put(
        "proc/cpuinfo", cpuinfo(flags=FLAGS.replace("vmx", "hypervisor"), vmx=None)),
        (YES, YES, NO), WRONG, "hypervisor does not show VT-x", "nested virtualization")
    c.judge("APICv off", c.tree().put(KVM + "enable_apicv", "N\n"),
            (YES, YES, OFF), WRONG, "enable_apicv is N", "enable_apicv=1")
    c.judge("APICv off on the command line", c.tree().drop(
        "sys/module/kvm_intel").options("kvm-intel.enable_apicv=0"),
        (YES, YES, OFF), WRONG, "kvm_intel.enable_apicv=0")
    c.judge("KVM does not post for devices", c.tree().put(
        KVM + "enable_device_posted_irqs", "N\n"), (YES, YES, OFF), WRONG,
        "enable_device_posted_irqs is N")
    c.judge("the kernel does not remap", c.tree(mode="").put(
        "proc/interrupts", plain), (OFF, OFF, OFF), WRONG,
        "does not use what units and firmware offer", "CONFIG_IRQ_REMAP")
    c.judge("nox2apic", c.tree(mode="xapic").options("nox2apic").put(
        "proc/cpuinfo", cpuinfo(flags=FLAGS.replace("x2apic", ""))),
        (YES, OFF, YES), GOOD, "switched off by nox2apic")
    c.judge("CPU without x2APIC", c.tree(mode="xapic").put(
        "proc/cpuinfo", cpuinfo(flags=FLAGS.replace("x2apic", ""))),
        (YES, NO, YES), GOOD, "the CPU has no flag x2apic")
    c.judge("erratum", c.tree(mode="").put("proc/interrupts", plain).put(
        "dmesg", "[    0.1] DMAR-IR: This system BIOS has enabled interrupt "
        "remapping\n   on a chipset that contains an erratum making that\n"),
        (NO, NO, NO), WRONG, "has an erratum")
    c.judge("unit that is all ones", c.tree(
        kinds=(SERVER, ALL_ONES), mode="").put("proc/interrupts", plain),
        (NO, NO, NO), WRONG, "dmar1: does not answer")
    c.judge("unit that is all zeros", c.tree(
        kinds=(NONE, SERVER), mode="").put("proc/interrupts", plain),
        (NO, NO, NO), WRONG, "dmar0: does not answer")
    c.judge("EIME of a unit is not the CPUs'", c.tree().drop(
        "proc/interrupts").put(DEBUG + "iommu_regset", regset(1, 0)),
        (YES, OFF, YES), GOOD, "IRTA.EIME is clear")
    c.judge("remapping off in the units", c.tree(mode="").put(
        DEBUG + "iommu_regset", regset(0, 0)), (OFF, OFF, OFF), WRONG,
        "off in the units")


def no_vtd(c):
    plain = interrupts("")
    none = c.tree(kinds=(), mode="").put("proc/interrupts", plain)
    (none.top / "sys/class/iommu").mkdir(parents=True)
    c.judge("no DMAR", none, (NO, NO, NO), WRONG, "there is no DMAR table",
            "Switch VT-d on", "VT-x (the CPU's flag vmx) is another thing")
    c.judge("DMAR without units", c.tree(mode="").put(
        ACPI + "DMAR", dmar([])).put("proc/interrupts", plain).no_driver(),
        (NO, NO, NO), WRONG, "no remapping unit", "lists no unit")
    driver = "/sys/class/iommu has none"
    c.judge("driver off by default", c.tree().no_driver(),
            (YES, YES, DUNNO), UNKNOWN, driver, "off by its default",
            "boot with intel_iommu=on", "what every unit can do (CAP.PI)")
    c.judge("driver switched off, the log has the units", c.tree().no_driver()
            .options("intel_iommu=off").put("dmesg", log(units=tuple(zip(
                BASES, (SERVER, OLD))))), (YES, YES, NO), WRONG, driver,
            "intel_iommu=off", "dmar1: no posted interrupts")
    c.judge("one unit is not in sysfs", c.tree().drop("sys/class/iommu/dmar0"),
            (YES, YES, DUNNO), UNKNOWN, "* sysfs no yes",
            "what every unit can do (CAP.PI)")
    c.judge("AMD", c.tree(kinds=()).put("proc/cpuinfo", cpuinfo(
        "AuthenticAMD", FLAGS, None)).put(ACPI + "IVRS", b"IVRS"),
        (DUNNO,) * 3, UNKNOWN, "Not judged: AMD's IOMMU (AMD-Vi)")
    c.judge("CPU of AMD, IOMMU of Intel", c.tree(kinds=(OLD,)).put(
        "proc/cpuinfo", cpuinfo("AuthenticAMD", FLAGS.replace("vmx", "svm"),
                                None)),
        (YES, YES, NO), WRONG, "dmar0: no posted interrupts")
    for place in ("dmesg", "dmesg.txt", "dmesg.log", "sos_commands/kernel/dmesg",
                  "var/log/dmesg", "var/log/kern.log", "var/log/messages"):
        tree = c.tree(kinds=())
        shutil.rmtree(tree.top)
        tree.top.mkdir()
        c.judge(f"nothing but {place}", tree.put(place, "Linux version 6.1.0\nDMAR: dmar0: "
                "reg_base_addr fed91000 ver 1:0 cap d2008c40660462 ecap f050da\n"
                "DMAR-IR: Enabled IRQ remapping in x2apic mode\n"),
                (YES, YES, NO), WRONG, "kernel's log says that remapping is on")
    c.judge("Xen", c.tree().put("sys/hypervisor/type", "xen\n"),
            (DUNNO,) * 3, UNKNOWN, "Not judged: Xen owns the units", "xl dmesg")
    c.judge("virtual machine", c.tree(kinds=(OLD, OLD)).put(
        "proc/cpuinfo", cpuinfo(flags=FLAGS + " hypervisor", vmx=None)),
        (YES, YES, NO), WRONG, "This is a virtual machine")
    c.judge("virtual machine without an IOMMU", c.tree(kinds=(), mode="").put(
        "proc/interrupts", plain).put(
            "proc/cpuinfo", cpuinfo(flags=FLAGS + " hypervisor")),
        (NO, DUNNO, NO), WRONG, "Give the virtual machine an IOMMU")
    # What Linux has no vmx flags for.
    c.judge("old kernel, no KVM", c.tree().drop("sys/module/kvm_intel").put(
        "proc/cpuinfo", cpuinfo(vmx=None)), (YES, YES, DUNNO), UNKNOWN,
        "modprobe kvm_intel")


def unreadable(c):
    empty = c.tree()
    shutil.rmtree(empty.top)
    empty.top.mkdir()
    done = c.tool.run("host", "--root", empty.top)
    c.tool.tap.say(done.returncode == UNKNOWN, "an empty tree: nothing to tell",
                   done.returncode, done.stdout.decode())
    done = c.tool.run("collect", "--root", empty.top, "-o",
                      c.folder / "empty.tar")
    c.tool.tap.say(done.returncode == UNKNOWN, "nothing to collect",
                   done.returncode)
    for missing in ("absent", "tree/proc/cpuinfo"):
        for command in ("host", "collect"):
            c.tree()
            c.tool.is_status(INPUT, command, "--root", c.folder / missing,
                             *(["-o", c.folder / "x"] if command == "collect"
                               else []))
    # What a user who is not root sees, said by the list of a collected tree, since
    # root reads every file.
    tree = c.tree().drop(ACPI + "DMAR", ACPI + "APIC", "dmesg")
    tree.put("vtdpi-not-readable", f"{ACPI}DMAR\n{ACPI}APIC\ndmesg\n")
    c.judge("not root", tree, (YES, DUNNO, YES), GOOD,
            "only root may read the DMAR table", "Run vtdpi host as root",
            f"{ACPI}DMAR: not readable")
    tree = c.tree(kinds=(SERVER,)).no_driver().drop(ACPI + "DMAR", "dmesg")
    tree.put("vtdpi-not-readable", f"{ACPI}DMAR\n")
    c.judge("not root, no units", tree, (YES, DUNNO, DUNNO), UNKNOWN)
    if os.geteuid() != 0:
        tree = c.tree()
        (tree.top / ACPI / "DMAR").chmod(0)
        c.judge("refused", tree, (YES, YES, YES), GOOD, "only root may read")


def rubbish(c):
    junk = bytes(range(256)) * 64
    every = ["proc/cpuinfo", "proc/cmdline", "proc/interrupts", "dmesg",
             ACPI + "DMAR", ACPI + "APIC", KVM + "enable_apicv",
             "sys/class/iommu/dmar0/intel-iommu/cap",
             "sys/class/iommu/dmar1/intel-iommu/version",
             DEBUG + "iommu_regset", DEBUG + "ir_translation_struct"]
    for content in (junk, b"", b"\n", b"\0", b"\xff" * 70000, b"a:" * 40000):
        for path in every:
            tree = c.tree().put(path, content)
            done = c.tool.run("host", "--root", tree.top)
            raw = [byte for byte in done.stdout if byte < 32 and byte != 10
                   or byte > 126]
            c.tool.tap.say(done.returncode in (GOOD, WRONG, UNKNOWN) and not raw
                           and done.stderr == b"",
                           f"rubbish {content[:2]!r} in {path}",
                           done.returncode, done.stderr.decode())
    tree = c.tree()
    for path in every:
        tree.put(path, junk)
    done = c.tool.run("host", "--root", tree.top)
    c.tool.tap.say(done.returncode == UNKNOWN, "rubbish everywhere",
                   done.returncode, done.stdout.decode())
    cut = dmar([drhd(BASES[0], scope(3, 8)), drhd(BASES[1], scope(3, 9))])
    for length in range(0, len(cut), 7):
        tree = c.tree(mode="").put(ACPI + "DMAR", cut[:length]).drop(
            "proc/interrupts")
        done = c.tool.run("host", "--root", tree.top)
        c.tool.tap.say(done.returncode == UNKNOWN and b"malformed" in done.stdout,
                       f"DMAR cut at {length}", done.returncode)
    tree = c.tree().options("intremap=\033[31mred kvm_intel.enable_apicv=\xff")
    done = c.tool.run("host", "--root", tree.top)
    c.tool.tap.say(b"\033" not in done.stdout, "no escape sequence of a tree")


def links(c):
    """A saved tree comes from somebody else."""
    outside = c.folder / "outside"
    outside.write_text(cpuinfo())
    for target in (outside, f"../../{outside.name}",
                   "../" * 40 + str(outside)[1:]):
        tree = c.tree().drop("proc/cpuinfo")
        (tree.top / "proc/cpuinfo").symlink_to(target)
        found = c.tool.json("host", "--root", tree.top)
        c.tool.tap.say(found["machine"]["vendor"] is None,
                       f"a link out of the tree is not followed: {target}",
                       found["machine"])
    tree = c.tree().drop("proc/cpuinfo").put("kept/cpuinfo", cpuinfo())
    (tree.top / "proc/cpuinfo").symlink_to("/kept/cpuinfo")
    found = c.tool.json("host", "--root", tree.top)
    c.tool.tap.say(found["machine"]["vendor"] == "GenuineIntel",
                   "an absolute link begins at the tree's top", found["machine"])
    tree = c.tree().drop("proc/cpuinfo", "proc/interrupts")
    (tree.top / "proc/cpuinfo").symlink_to("cpuinfo")
    os.mkfifo(tree.top / "proc/interrupts")
    found = c.tool.json("host", "--root", tree.top)
    reasons = {file["path"]: file["reason"] for file in found["files"]
               if file["reason"] is not None}
    c.tool.tap.say("links" in reasons.get("proc/cpuinfo", "") and
                   "proc/interrupts" in reasons,
                   "a loop and a FIFO are errors, not traps", reasons)
    tree = c.tree()
    hidden = tree.top / "sys/class/iommu/dmar7\033[2J"
    hidden.symlink_to("../../devices/virtual/iommu/dmar1")
    found = c.tool.json("host", "--root", tree.top)
    c.tool.tap.say([u["name"] for u in found["units"]] == ["dmar0", "dmar1"],
                   "a name that is no unit's is passed over", found["units"])


def forbid_openat2():
    """What kernels before 5.6 do: the call is not there."""
    rules = struct.pack("<HBBI", 0x20, 0, 0, 0)            # the call's number
    rules += struct.pack("<HBBI", 0x15, 0, 1, 437)         # openat2?
    rules += struct.pack("<HBBI", 0x06, 0, 0, 0x50000 | errno.ENOSYS)
    rules += struct.pack("<HBBI", 0x06, 0, 0, 0x7fff0000)  # any other goes on
    buffer = ctypes.create_string_buffer(rules)
    program = ctypes.create_string_buffer(
        struct.pack("@HP", 4, ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def old_kernel(c):
    """Without openat2() no link is followed, in a tree or out of it."""
    (c.folder / "outside").write_text(cpuinfo())
    found = []
    for target in (None, c.folder / "outside", "../kept/cpuinfo"):
        tree = c.tree().put("kept/cpuinfo", cpuinfo())
        if target is not None:
            tree.drop("proc/cpuinfo")
            (tree.top / "proc/cpuinfo").symlink_to(target)
        try:
            done = subprocess.run(
                [c.tool.program, "host", "--root", tree.top, "--json"],
                capture_output=True, check=False, preexec_fn=forbid_openat2)
        except subprocess.SubprocessError:
            c.tool.tap.skip("without openat2()", "no filter of system calls")
            return
        found.append(json.loads(done.stdout))
    c.tool.tap.say([one["machine"]["vendor"] for one in found] ==
                   ["GenuineIntel", None, None] and not any(
                       unit["in_sysfs"] for unit in found[0]["units"]) and
                   len(found[0]["units"]) == 2, "without openat2()",
                   [one["machine"] for one in found], found[0]["units"])


def last_boot(c):
    """A file with a log may have several boots."""
    c.judge("the last boot counts", c.tree().drop("proc/interrupts").put(
        "dmesg", log("x2apic", ((BASES[0], OLD),)) + log("xapic")),
        (YES, OFF, YES), GOOD, "log says that the mode is off")
    c.judge("the last boot, which says nothing", c.tree().drop(
        "proc/interrupts").put("dmesg", log("xapic") + log("")),
        (DUNNO, DUNNO, DUNNO), UNKNOWN)


def one_reader(c):
    """A log alone: host says of a line what log says, and again after collect."""
    says = {"interrupt remapping is on": YES, "interrupt remapping is off": OFF,
            "Xen says: interrupt remapping is on": YES}
    modes = {"x2APIC": YES, "xAPIC": OFF, "unknown": DUNNO}
    for path in sorted((HERE / "log").glob("*.txt")):
        tree = c.tree()
        shutil.rmtree(tree.top)
        tree.put("dmesg", path.read_bytes())
        found = c.tool.json("host", "--root", tree.top)
        wanted = c.tool.json("log", path)
        answer = {part: {NO: OFF}.get(found["verdict"][part]["answer"],
                                      found["verdict"][part]["answer"])
                  for part in ("remapping", "x2apic")}
        units = [(u["base"], u["cap"], u["ecap"]) for u in wanted["units"]
                 if None not in (u["base"], u["cap"], u["ecap"])]
        c.tool.tap.say(
            (wanted["why"][0]["says"] not in says or
             answer["remapping"] == says[wanted["why"][0]["says"]]) and
            answer["x2apic"] == modes[wanted["verdict"]["mode"]] and
            sorted((u["base"], u["cap"], u["ecap"]) for u in found["units"]) ==
            sorted(units), f"one reader: {path.name}", found["verdict"],
            wanted["verdict"], found["units"], units)
        # vtdpi collect is for Linux.
        if path.stem not in ("freebsd", "jailhouse"):
            c.same_after_collect(path.name, tree, found)


def collected(c):
    """Nothing personal is in the archive."""
    tree = c.tree()
    tree.put("proc/cmdline", 'root=UUID=secret ip=10.0.0.1:secret '
             'intremap=nosid a="secret intremap=off" iommu="secret x" '
             'intel_iommu=on -- secret\n')
    tree.put("dmesg", log(units=tuple(zip(BASES, (SERVER, SERVER)))) +
             "Nov 30 01:02:03 secret-host kernel: [    2.0] DMAR: No ATSR found\n"
             "Nov 30 01:02:03 secret-host sshd: DMAR: secret\n"
             "kern  :info  : [    2.1] DMAR: a message with kernel: in it\n"
             "[    3.0] usb 1-1: SerialNumber: secret\n"
             "[    3.1] audit: comm=secret x2apic iommu DMAR kvm\n")
    tree.put("proc/cpuinfo", cpuinfo() + "serial\t: secret\n")
    tree.put("etc/hostname", "secret\n").put("sys/class/dmi/id/product_serial",
                                             "secret\n")
    archive = c.folder / "host.tar"
    done = c.tool.run("collect", "--root", tree.top, "-o", archive)
    data = archive.read_bytes()
    c.tool.tap.say(done.returncode == GOOD and b"secret" not in data and
                   b"enx0011" not in data, "nothing personal is taken",
                   [data[max(0, at - 80):at + 20] for at in
                    [data.find(b"secret")] if at >= 0])
    c.tool.tap.say(b"\nDMAR: No ATSR found" in data and b"dmar1: reg_base" in data
                   and b"\nDMAR: a message with kernel: in it\n" in data and
                   b"intremap=nosid intel_iommu=on" in data,
                   "what matters is")
    c.tool.tap.say(archive.stat().st_mode & 0o077 == 0,
                   "nobody else may read the archive", archive.stat().st_mode)
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    listed = c.tool.json("collect", "--root", tree.top, "-o", archive)
    c.tool.tap.say([(m.name, m.size) for m in members if m.isfile()] ==
                   [(f["path"], f["bytes"]) for f in listed["taken"]],
                   "it says what it takes", listed["taken"])
    c.tool.tap.say(all((m.uid, m.gid, m.mtime, m.uname, m.gname) ==
                       (0, 0, 0, "", "") for m in members), "no owners or times")
    again = c.tool.json("collect", "--root", tree.top, "--list")
    c.tool.tap.say(again["taken"] == listed["taken"] and again["file"] is None,
                   "--list says the same")
    before = archive.read_bytes()
    c.tool.run("collect", "--root", tree.top, "-o", archive)
    c.tool.tap.say(archive.read_bytes() == before, "the same bytes again")
    c.tool.is_status(INPUT, "collect", "--root", tree.top, "-o",
                     c.folder / "absent" / "x.tar")
    c.tool.is_status(INPUT, "collect", "--root", tree.top, "-o", "/dev/full")
    for command in ("host", "collect"):
        c.tool.is_status(USAGE, command, "surplus")
        c.tool.is_status(USAGE, command, "--nothing")


def pictures(c):
    """Golden outputs; files are named from the tree's top, so no path of this machine
    is in them."""
    mixed = c.tree(kinds=(SERVER, GRAPHICS, NO_EIM),
                   flags=INTR_REMAP | X2APIC_OPT_OUT, mode="xapic")
    mixed.put(DEBUG + "ir_translation_struct", ENTRIES.split("****")[0])
    for width in (100, 50):
        c.tool.golden(f"host-mixed-{width}", "host", "--root", mixed.top,
                      "--width", width)
    c.tool.golden("host-mixed-json", "host", "--root", mixed.top, "--json")
    c.tool.golden("collect-mixed", "collect", "--root", mixed.top, "--list")
    c.tool.golden("host-good", "host", "--root", c.tree().top)
    c.tool.golden("host-off", "host", "--root",
                  c.tree(mode="").options("intremap=off").put(
                      "proc/interrupts", interrupts("")).top)
    many = c.tree(kinds=(SERVER,) * 14, ioapics=(8, 9))
    done = c.tool.run("host", "--root", many.top, "--width", 80)
    c.tool.tap.say(max(map(len, done.stdout.decode().split("\n"))) <= 80,
                   "14 units fit 80 columns")
    done = c.tool.run("host", "--root", many.top, "--color", "always")
    c.tool.tap.say(b"\033[32myes\033[0m" in done.stdout, "colour on demand")


def real_tables(c):
    """Machines' own tables: no crash, and as many units as their index says."""
    shared = c.tool.shared
    if shared is None or not (shared / "dmar" / "index.tsv").exists():
        c.tool.tap.skip("real tables", "shared/data is absent")
        return
    for file in sorted((shared / "dmar").glob("*.bin")):
        tree = c.tree(mode="").no_driver().put(ACPI + "DMAR",
                                               file.read_bytes())
        found = c.tool.json("host", "--root", tree.top)
        flags = file.read_bytes()[37]
        # A malformed one has its problem named.
        c.tool.tap.say((found["dmar"]["table"] == "good" or
                        found["dmar"]["problem"] is not None) and
                       found["dmar"]["intr_remap"] == bool(flags & 1) and
                       found["dmar"]["x2apic_opt_out"] == bool(flags & 2) and
                       len(found["units"]) > 0, f"table {file.name}",
                       json.dumps(found["dmar"]))
    for file in sorted((shared / "dmesg").glob("*.txt")):
        tree = c.tree(kinds=(), mode="").drop("proc/interrupts").put(
            "dmesg", file.read_bytes())
        found = c.tool.json("host", "--root", tree.top)
        text = file.read_text(errors="replace")
        units = len(set(line.split("reg_base_addr ")[1].split()[0]
                        for line in text.splitlines()
                        if "reg_base_addr" in line and " ecap " in line))
        wanted = (True if "remapping in x" in text or
                  "Enabled Interrupt-remapping" in text else False
                  if "Not enabl" in text or "Failed to enable irq" in text or
                  "erratum" in text else None)
        c.tool.tap.say(len(found["units"]) == units and
                       found["os"]["remapping"] == wanted, f"log {file.name}",
                       units, wanted, json.dumps(found["os"]))


def test(tool):
    with tempfile.TemporaryDirectory() as folder:
        cases = Cases(tool, pathlib.Path(folder))
        for part in (good, obstacles, no_vtd, unreadable, rubbish, links,
                     old_kernel, last_boot, one_reader, collected, pictures, real_tables):
            part(cases)


main(test)
