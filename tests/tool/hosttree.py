# SPDX-License-Identifier: BSD-2-Clause
"""Trees of files as a running Linux has them, for `vtdpi host --root`."""

import pathlib
import shutil
import struct

INTR_REMAP, X2APIC_OPT_OUT = 1, 2
IOAPIC, HPET, BRIDGE = 3, 4, 2
# Registers of real kinds of units: (version, cap, ecap).
SERVER = ("1:0", "8d2078c106f0466", "f020df")       # QI, IR, EIM, PI
GRAPHICS = ("1:0", "1c0000c40660462", "7e3ff0501e")  # QI, IR, EIM, no PI
OLD = ("1:0", "c90780106f0462", "f0207a")            # QI, IR, EIM, no PI
NO_EIM = ("1:0", "8d2078c106f0466", "f020cf")
NO_IR = ("1:0", "8d2078c106f0466", "f020d7")
NO_QI = ("1:0", "8d2078c106f0466", "f020dd")

FLAGS = "fpu vme msr apic cx16 x2apic vmx lm"
VMX = "vnmi preemption_timer posted_intr invvpid apicv vapic_reg vid ple"


def scope(kind, identity, path=((0, 0),), bus=0):
    hops = bytes(number for hop in path for number in hop)
    return struct.pack("<BBHBB", kind, 6 + len(hops), 0, identity, bus) + hops


def drhd(base, scopes=b"", everything=False):
    return struct.pack("<HHBBHQ", 0, 16 + len(scopes), everything, 0, 0,
                       base) + scopes


def table(signature, body):
    head = struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), 1, 0,
                       b"VTDPI ", b"HOSTTREE", 1, b"TEST", 1)
    whole = bytearray(head + body)
    whole[9] = -sum(whole) % 256
    return bytes(whole)


def dmar(units, flags=INTR_REMAP):
    return table(b"DMAR", bytes([45, flags]) + bytes(10) + b"".join(units))


def madt(*ioapics):
    body = struct.pack("<II", 0xfee00000, 1)
    body += struct.pack("<BBBBI", 0, 8, 0, 0, 1)
    for identity in ioapics:
        body += struct.pack("<BBBBII", 1, 12, identity, 0, 0xfec00000, 0)
    return table(b"APIC", body)


def interrupts(prefix="IR-", rows=("PIN", "NPI", "PIW"), count=7):
    lines = ["            CPU0       CPU1       "]
    for number, chip, name in (
            (0, "IO-APIC", "   2-edge      timer"),
            (120, "DMAR-MSI", "   0-edge      dmar0"),
            (128, "PCI-MSIX-0000:02:00.0", "   0-edge      enx001122334455")):
        lead = "" if chip == "DMAR-MSI" else prefix
        lines.append(f"{number:4}: {11:10} {0:10}  {lead}{chip} {name}")
    lines.append(f" NMI: {0:10} {0:10}   Non-maskable interrupts")
    for row in rows:
        lines.append(f" {row}: {count:10} {1:10}   Posted-interrupt event")
    return "\n".join(lines) + "\n"


def cpuinfo(vendor="GenuineIntel", flags=FLAGS, vmx=VMX):
    first = (f"processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: 6\n"
             f"model\t\t: 85\nmodel name\t: Some Xeon\nstepping\t: 4\n"
             f"microcode\t: 0x1\ncpu MHz\t\t: 2000\nflags\t\t: {flags}\n")
    if vmx is not None:
        first += f"vmx flags\t: {vmx}\n"
    # A second processor that would change every answer.
    return first + "\nprocessor\t: 1\nvendor_id\t: AuthenticAMD\nflags\t: none\n"


BASES = (0xfbffc000, 0xc7ffc000)


def log(mode="x2apic", units=()):
    """What the kernel says; the second unit's line has another prefix."""
    lines = ["[    0.000000] Linux version 6.1.0 (builder@secret-host) (gcc)",
             "[    0.000000] Command line: root=UUID=secret intel_iommu=on"]
    for number, (base, (version, cap, ecap)) in enumerate(units):
        lines.append(f"[    1.639309] DMAR: dmar{number}: reg_base_addr "
                     f"{base:x} ver {version} cap {cap} ecap {ecap}")
    if mode:
        lines.append("[    1.640205] DMAR-IR: Enabled IRQ remapping in "
                     f"{mode} mode")
    return "\n".join(lines) + "\n"


class Tree:
    """A good machine; each test changes something."""

    def __init__(self, folder, kinds=(SERVER, SERVER), flags=INTR_REMAP,
                 ioapics=(8, 9), mode="x2apic"):
        self.top = pathlib.Path(folder)
        shutil.rmtree(self.top, ignore_errors=True)
        self.top.mkdir(parents=True)
        self.units = tuple(zip([*BASES, *range(0xa0000000, 0xf0000000,
                                               0x1000000)], kinds))
        acpi = "sys/firmware/acpi/tables/"
        if kinds:
            scopes = [scope(IOAPIC, 8), scope(IOAPIC, 9, ((5, 4), (1, 2)))]
            self.put(acpi + "DMAR", dmar([
                drhd(base, scopes[number] if number < 2 else b"",
                     number + 1 == len(self.units))
                for number, (base, _) in enumerate(self.units)], flags))
        self.put(acpi + "APIC", madt(*ioapics[:max(1, len(kinds))]))
        for number, (base, kind) in enumerate(self.units):
            self.unit(number, base, kind)
        self.put("proc/cpuinfo", cpuinfo())
        self.put("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=UUID=secret ro "
                 "intel_iommu=on\n")
        self.put("proc/interrupts", interrupts())
        self.put("proc/sys/kernel/osrelease", "6.1.0-50-amd64\n")
        self.put("sys/module/kvm_intel/parameters/enable_apicv", "Y\n")
        self.put("dmesg", log(mode))

    def unit(self, number, base, kind):
        """As sysfs has units: in a folder that a link leads to."""
        real = self.top / f"sys/devices/virtual/iommu/dmar{number}"
        (real / "intel-iommu").mkdir(parents=True, exist_ok=True)
        names = ("version", "cap", "ecap")
        for name, text in zip(names, kind):
            (real / "intel-iommu" / name).write_text(text + "\n")
        (real / "intel-iommu" / "address").write_text(f"{base:x}\n")
        folder = self.top / "sys/class/iommu"
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / f"dmar{number}"
        if not link.is_symlink():
            link.symlink_to(f"../../devices/virtual/iommu/dmar{number}")

    def put(self, path, content):
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        file.write_bytes(content)
        return self

    def drop(self, *paths):
        for path in paths:
            gone = self.top / path
            if gone.is_dir() and not gone.is_symlink():
                shutil.rmtree(gone)
            else:
                gone.unlink()
        return self

    def options(self, words):
        return self.put("proc/cmdline", f"ro quiet {words}\n")

    def no_log(self):
        return self.drop("dmesg")

    def no_driver(self):
        self.drop("sys/class/iommu")
        (self.top / "sys/class/iommu").mkdir()
        return self
