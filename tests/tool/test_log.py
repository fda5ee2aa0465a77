#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vtdpi log: fixtures, the same lines in other clothes, bad input, machine output."""

import gzip
import lzma
import pathlib
import quopri
import random
import re
import resource
import struct
import subprocess
import tempfile

from tooltest import GOOD, HERE, INPUT, UNKNOWN, USAGE, WRONG, main

LOGS = HERE / "log"
# Verdict and exit status of each fixture.
FIXTURES = {
    "dead-unit": ("off", "unknown", "not possible", WRONG),
    "erratum": ("off", "xAPIC", "not possible", WRONG),
    "freebsd": ("on", "xAPIC", "not possible", WRONG),
    "ioapic": ("off", "unknown", "not possible", WRONG),
    "jailhouse": ("on", "unknown", "off", WRONG),
    "kdump-hang": ("unknown", "unknown", "unknown", UNKNOWN),
    "linux-faults": ("on", "x2APIC", "not possible", WRONG),
    "linux-posting": ("on", "x2APIC", "on", GOOD),
    "two-boots": ("on", "xAPIC", "off", WRONG),
    "xen": ("on", "x2APIC", "not possible", WRONG),
}
# What kernels and programs put in front of a line.
PREFIXES = (
    "", "[    1.234567] ", "[Tue Aug 20 12:04:38 2019] ",
    "[ 9752.989272][    C0] ", "[  +0,001355] ", "kern  :warn  : [    1.234567] ",
    "Aug 25 19:03:45 localhost kernel: ", "Aug 25 19:03:45 host kernel: [    1.2] ",
    "2024-08-25T19:03:45.123456+02:00 host kernel: ", "<4>[    1.234567] ",
    "<6>", "> ", ">> [    1.234567] ", "\t", "        ",
    "[    1.234567] [T1] ", "host kernel: ", "[ 1.234567 ] ",
)
# Those whose lines lean on each other most: all prefixes.
THOROUGH = ("jailhouse", "linux-faults")
REASONS = {
    "decoded": 0x20, "exceeded": 0x21, "Present field": 0x22,
    "Error accessing": 0x23, "fields in the IRTE": 0x24, "compatibility": 0x25,
    "source-id": 0x26,
}
STRIP = re.compile(r"^(?:\w{3} \d\d [\d:]{8} \S+ kernel: |kern +:\w+ *: )?(?:\[[^]]*\d\] )?")


def facts(result):
    """What must not depend on how the lines are printed."""
    def bare(items, *without):
        return sorted(repr({k: v for k, v in item.items() if k not in without})
                      for item in items)

    places = ("line", "text", "first", "last", "last_boot")
    return {
        "verdict": result["verdict"],
        "why": sorted(x["says"] for x in result["why"]),
        "next": sorted(result["next"]),
        "units": bare(result["units"], "line"),
        "differences": result["differences"],
        "scopes": bare(result["scopes"], "line"),
        "options": bare(result["options"], "line"),
        "notes": bare(result["notes"], *places),
        "faults": bare(result["faults"], *places),
        "dma": result["faults_dma"]["count"],
        "suppressed": result["suppressed"],
        "queue": bare(result["queue_errors"], *places),
    }


def fixtures(tool):
    for name, (remapping, mode, posting, status) in FIXTURES.items():
        text = (LOGS / f"{name}.txt").read_bytes()
        tool.golden(f"log-{name}", "log", stdin=text)
        done = tool.run("log", LOGS / f"{name}.txt")
        first = done.stdout.decode().splitlines()[0]
        tool.tap.say(first == f"interrupt remapping: {remapping}; mode: {mode}; "
                     f"posting: {posting}" and done.returncode == status,
                     f"verdict and status of {name}", first, done.returncode)


def clothes(tool, name):
    """All prefixes, CRLF, zeros at line ends, noise between lines: the same facts."""
    lines = [STRIP.sub("", line) for line in
             (LOGS / f"{name}.txt").read_text().splitlines()]
    wanted = facts(tool.json("log", stdin="\n".join(lines)))
    for prefix in PREFIXES if name in THOROUGH else PREFIXES[1::5]:
        for end in ("\n", "\r\n")[:2 if prefix in PREFIXES[:2] else 1]:
            text = end.join(line if line.startswith("(XEN)") else prefix + line
                            for line in lines) + end
            got = facts(tool.json("log", stdin=text))
            tool.tap.say(got == wanted, f"{name}, {prefix!r}, {end!r}",
                         *(f"{k}: {got[k]} for {v}" for k, v in wanted.items()
                           if got[k] != v))
    text = "".join(f"{line}\n[    3.1] usb 1-1: new device number 4\n"
                   for line in lines)
    got = facts(tool.json("log", stdin=text))
    tool.tap.say(got == wanted, f"{name}, with noise", got, wanted)
    if name == "two-boots":  # kernels tell their options in capitals apart
        return
    got = facts(tool.json("log", stdin="\n".join(lines).upper()))
    tool.tap.say(got["verdict"] == wanted["verdict"] and
                 got["units"] == wanted["units"],
                 f"{name}, in capitals", got, wanted)


def order(tool, name, head, seeds):
    """Lines that do not lean on each other, in any order behind the first @head."""
    lines = (LOGS / f"{name}.txt").read_text().splitlines()
    wanted = facts(tool.json("log", stdin="\n".join(lines)))
    bad = []
    for seed in range(seeds):
        mixed = lines[head:]
        random.Random(seed).shuffle(mixed)
        got = facts(tool.json("log", stdin="\n".join(lines[:head] + mixed)))
        bad += [f"seed {seed}: {k}: {got[k]} for {v}" for k, v in wanted.items()
                if got[k] != v]
    tool.tap.say(not bad, f"{name}, {seeds} orders", *bad[:5])


# Other words and another order for the same fact.
SAME = (
    ("on", "x2APIC", "DMAR-IR: IRQ remapping: enabled, mode x2apic"),
    ("on", "xAPIC", "In xapic mode, interrupt remapping is now enabled"),
    ("on", "unknown", "(XEN) Interrupt remapping enabled"),
    ("on", "unknown", "Enabled Interrupt-remapping"),
    ("on", "unknown", "  Interrupt Remapping: supported and enabled."),
    ("off", "unknown", "Interrupt Remapping: supported."),
    ("off", "unknown", "Not enable interrupt remapping"),
    ("off", "unknown", "DMAR-IR: interrupt remapping could not be set up: disabled"),
    ("off", "unknown", "dmar0: QI disabled, disabling interrupt remapping"),
    ("off", "unknown", "(XEN) Failed to parse ACPI DMAR.  Disabling VT-d."),
    ("off", "unknown", "(XEN) [VT-D]Disabling IOMMU due to Intel 5500/5520/X58 "
     "Chipset errata #47, #53: interrupt remapping"),
    ("off", "unknown", "(XEN) Interrupt Remapping hardware not found"),
    ("off", "unknown", "DMAR: No DMAR devices found"),
    ("off", "unknown", "DMAR: [Firmware Bug]: Your BIOS is broken; DMAR reported at "
     "address 0!"),
    ("off", "unknown", "DMAR: Parse DMAR table failure."),
    ("on", "unknown", "dmar3: programming irte[0] rid 0xf0ff high 0x4f0ff low 0x300011"),
    # Lines that look like "on" or "off" and are neither.
    ("unknown", "xAPIC", "x2apic: IRQ remapping doesn't support X2APIC mode"),
    ("unknown", "unknown", "DMAR-IR: Queued invalidation will be enabled to support "
     "x2apic and Intr-remapping."),
    ("unknown", "unknown", "DMAR-IR: IRQ remapping was enabled on dmar0 but we are "
     "not in kdump mode"),
    ("unknown", "unknown", "DMAR: IOMMU enabled"),
    ("unknown", "unknown", "AMD-Vi: Interrupt remapping enabled"),
    ("unknown", "xAPIC", "DMAR-IR: Use 'intremap=no_x2apic_optout' to override the "
     "BIOS setting."),
    ("unknown", "unknown", "Linux remaps nothing here"),
    ("unknown", "unknown", "DMAR-IR: IRQ remapping was enabled on dmar6 but"),
    ("unknown", "unknown", "DMAR: Translation was enabled for dmar0 but we are not in "
     "kdump mode"),
    ("unknown", "unknown", "DMAR: Failed to copy translation tables from previous kernel "
     "for dmar0"),
    ("unknown", "unknown", "DMAR: Failed to find handle for ACPI object \\_SB.PCI0.I2C0"),
    ("unknown", "unknown", "ACPI BIOS Warning (bug): Incorrect checksum in table [DMAR] - "
     "0x7D, should be 0xF9"),
    ("unknown", "unknown", "(XEN) [VT-D]Passed iommu=no-igfx option.  Disabling IGD VT-d "
     "engine."),
    ("unknown", "unknown", "(XEN) [VT-D]IOMMU 3: cannot disable Queued Invalidation"),
    ("unknown", "x2APIC", "(XEN) WARNING: x2APIC cluster mode is not supported without "
     "interrupt remapping - forcing mixed mode"),
    ("unknown", "unknown", "Try booting with x2apic and interrupt-remapping disabled in "
     "the bios."),
    ("unknown", "unknown", "I/O APIC 0xfec00000 registers return all ones, skipping!"),
    ("unknown", "unknown", "APIC locked in x2apic mode, can't disable"),
    ("unknown", "unknown", "Didn't find an APIC driver"),
    ("unknown", "unknown", "pci 0000:00:02.0: DMAR: Domain context map failed"),
    ("unknown", "unknown", "DMAR: Failed to build identity map for [0-1fffff]"),
    ("unknown", "unknown", "(XEN) [VT-D]disabling something of 0000:00:02.0"),
    ("unknown", "unknown", "dmar15: Invalid page request: 2000026a100101 ffffb167"),
    ("unknown", "unknown", "DMAR: Allocating 32768-page iova for 0000:00:1d.7 failed"),
    ("unknown", "unknown", "DMAR: dmar3: SVM disabled, incompatible paging mode"),
    ("unknown", "unknown", "acpidmar0: hardware width: 39, intr_remap:1 x2apic_opt_out:0"),
    ("unknown", "unknown", "arm-smmu 5000000.iommu: SMMUv2 with interrupt remapping "
     "enabled"),
    ("unknown", "xAPIC", "x2apic disabled"),
    ("unknown", "unknown", "(XEN) x2APIC: Already enabled by BIOS: Ignoring cmdline disable."),
    ("unknown", "x2APIC", "(XEN) Using APIC driver x2apic_mixed"),
    ("unknown", "xAPIC", "(XEN) Using APIC driver default"),
)


# A note that a line leads to, or none.
NOTES = (
    ("zero", "DMAR: [Firmware Bug]: Your BIOS is broken; DMAR reported at address 0!"),
    ("broken", "DMAR: [Firmware Bug]: Your BIOS is broken; bad RMRR [0x0000000070800000-"
     "0x0000000078ffffff]"),
    ("broken", "DMAR: Failed to find handle for ACPI object \\_SB.PCI0.I2C0"),
    ("malformed", "DMAR: Parse DMAR table failure."),
    ("malformed", "DMAR: Invalid DMAR haw"),
    ("malformed", "DMAR: Invalid 0-length structure"),
    ("malformed", "DMAR: Failed to map dmar0"),
    ("", "dmar15: Invalid page request: 2000026a100101 ffffb167"),
    ("", "DMAR: Failed to copy translation tables from previous kernel for dmar0"),
    ("graphics", "(XEN) [VT-D]BIOS did not enable IGD for VT properly.  Disabling IGD VT-d "
     "engine."),
    ("graphics", "Intel-IOMMU: disable GFX device mapping"),
    ("", "pci 0000:00:02.0: DMAR: Skip IOMMU disabling for graphics"),
    ("CFIS", "(XEN) [VT-D] Compatibility Format Interrupts permitted on IOMMU #3: Device "
     "pass-through will not be secure"),
    ("overflow", "(XEN) [VT-D]iommu.c:691: iommu_fault_status: Fault Overflow"),
    ("", "tboot: non-0 tboot_addr but it is not of type E820_RESERVED"),
    ("trusted", "tboot: found shared page at phys addr 0x6ff3d000:"),
    ("", "Documentation/iommu/intel-iommu.txt | 4 ++--"),
    ("AMD", "AMD-Vi: X2APIC enabled"), ("ARM", "arm-smmu-v3 arm-smmu-v3.0.auto: ias 44-bit"),
)


UNIT = "DMAR: dmar0: reg_base_addr fed91000 ver 1:0 cap d2008c40660462 ecap {}\n"
# Whole logs in which no line says that remapping is on or off: remapping, why, next.
WHOLE = (
    ("units of Linux, set up without it", "off", "never leaves out", "CONFIG_IRQ_REMAP",
     "Linux version 6.4.0\n" + UNIT.format("f050da") + "DMAR: dmar0: Using Queued invalidation\n"),
    ("units that are not set up yet", "unknown", "no line says", "whole log",
     "Linux version 6.4.0\n" + UNIT.format("f050da")),
    ("an old kernel", "unknown", "no line says", "whole log",
     "Linux version 2.6.32\n" + UNIT.format("f050da") + "IOMMU: dmar0 using Queued invalidation\n"),
    ("an excerpt", "unknown", "no line says", "whole log",
     UNIT.format("f050da") + "DMAR: dmar0: Using Queued invalidation\n"),
    ("a log that ends while remapping is set up", "unknown", "about to be", "ends while",
     "Linux version 6.4.0\n" + UNIT.format("f050da") + "DMAR-IR: Queued invalidation will be "
     "enabled to support x2apic and Intr-remapping.\nDMAR: dmar0: Using Queued invalidation\n"),
    ("a unit without remapping", "off", "ECAP.IR = 0", "property of the hardware",
     "Linux version 6.4.0\n" + UNIT.format("1000") + "DMAR: dmar0: Using Queued invalidation\n"),
    ("Jailhouse that runs", "on", "only if each", "a system that can",
     "Initializing unit: VT-d\nDMAR unit @0xfed91000/0x1000\nActivating hypervisor\n"),
    ("Jailhouse that stopped", "unknown", "no line says", "whole log",
     "Initializing unit: VT-d\nDMAR unit @0xfed91000/0x1000\n"),
    ("a virtual machine", "unknown", "no line says", "its host gives it one",
     "Linux version 6.4.0\nHypervisor detected: KVM\n"),
    ("a machine of AMD", "unknown", "one of AMD", "AVIC",
     "Linux version 6.4.0\nsmpboot: CPU0: AMD Ryzen 5 (family: 0x17, model: 0x1)\n"),
    ("FreeBSD on AMD", "unknown", "one of AMD", "AVIC",
     "FreeBSD is a registered trademark of The FreeBSD Foundation.\n"
     "CPU: AMD Ryzen 5 (3600-MHz K8-class CPU)\n"),
    ("FreeBSD", "unknown", "no line says", "hw.dmar.enable=1",
     "FreeBSD is a registered trademark of The FreeBSD Foundation.\n"),
    ("FreeBSD in a virtual machine", "unknown", "no line says", "its host gives it one",
     "FreeBSD is a registered trademark of The FreeBSD Foundation.\n"
     'Hypervisor: Origin = "KVMKVMKVM"\n'),
)


def whole_boots(tool):
    for name, wanted, why, step, text in WHOLE:
        got = tool.json("log", stdin=text)
        tool.tap.say(got["verdict"]["remapping"] == wanted and
                     why in got["why"][0]["says"] and step in got["next"][0],
                     f"a log of {name}", got["verdict"], got["why"], got["next"])
    for line in ("Initializing unit: VT-d", "pci 0000:03:00.0: Using iommu dma mapping",
                 "i915 0000:00:02.0: [drm] VT-d active for gfx access",
                 "DMAR: Forcing write-buffer flush capability"):
        got = tool.json("log", stdin=line + "\n")
        tool.tap.say(got["lines"]["unknown"] == 0 and got["notes"] == [],
                     f"of no interest: {line}", got["lines"], got["notes"])
    got = tool.json("log", stdin="I/O virtualisation disabled, VT-d and i915\n")["verdict"]
    tool.tap.say(got["remapping"] == "off", "a letter is no word of a sentence", got)
    for text, is_noted in (("Hypervisor detected: KVM\n", True),
                           ("(XEN) Xen version 4.17\nHypervisor detected: Xen PV\n", False),
                           ("[    1.0] hypervisor of nothing\n", False)):
        got = [n["says"] for n in tool.json("log", stdin=text)["notes"]]
        tool.tap.say((got != []) == is_noted, f"noted: {text!r}", got)


def notes(tool):
    for wanted, line in NOTES:
        got = [note["says"] for note in tool.json("log", stdin=line + "\n")["notes"]]
        tool.tap.say(len(got) == (wanted != "") and wanted in "".join(got),
                     f"noted as {wanted or 'nothing'}: {line}", got)
    for line in ("AMD-Vi: AMD IOMMUv2 driver by Some Body <some@body>",
                 "AMD-Vi: AMD IOMMUv2 functionality not available on this system - This is "
                 "not a bug."):
        got = tool.json("log", stdin=f"ACPI: DMAR 0x00000000BF79E0C0 000138\n{line}\n")
        tool.tap.say("AMD" not in str(got["why"]) and got["notes"] == [] and
                     got["lines"]["unknown"] == 0,
                     f"on each machine: {line}", got["why"], got["notes"])
    boot = "Linux version 6.1.0\n[    0.1] iommu: Default domain type: Translated\n"
    for name, line, why, step in (
            ("AMD", "AMD-Vi: Interrupt remapping enabled", "one of AMD", "AVIC"),
            ("ARM", "arm-smmu 5000000.iommu: probing", "one of ARM", "VT-d is Intel's"),
            ("no VT-d", "x2apic enabled", "no line says", "begin of the boot"),
            ("a DMAR table", "ACPI: DMAR 0x00000000BF79E0C0 000138", "no line says",
             "whole log")):
        got = tool.json("log", stdin=boot + line + "\n")
        tool.tap.say(why in got["why"][0]["says"] and step in got["next"][0],
                     f"what to do about a log of {name}", got["why"], got["next"])
    whole_boots(tool)
    for system, line in (("FreeBSD", "dmar0: <DMA remap> iomem 0xc7ffc000-0xc7ffcfff on acpi0"),
                         ("Jailhouse", "Found DMAR @0xfed91000")):
        got = tool.json("log", stdin=f"{line}\nEnabled IRQ remapping\n")
        tool.tap.say(got["verdict"]["posting"] == "off" and system in got["why"][1]["says"],
                     f"{system} does not post", got["verdict"], got["why"])


def wrapped(tool, name, text, wanted):
    """Lines that mail has wrapped where a value or a word has to follow."""
    ends = "|".join(("cap", "ecap", "index", "addr", "base", "fault", "be", "in", "are",
                     "IOMMU", "from", "on", "device", "reason"))
    for front in ("", "> ", ">>> ", "    "):
        for last in ends.split("|"):
            broken = "".join(
                front + re.sub(rf"([ \\[]{last}) (?=\\S)", rf"\\1\n{front[:4]}", line) + "\n"
                for line in text.splitlines())
            got = facts(tool.json("log", stdin=broken))
            tool.tap.say(got == wanted, f"{name}, {front!r}, wrapped behind {last}",
                         *(f"{k}: {got[k]} for {v}" for k, v in wanted.items()
                           if got[k] != v))
    fault = ("DMAR: [INTR-REMAP] Request device [3d:00.0] fault index\n", "0x8200 [fault "
             "reason 0x25] Blocked a compatibility format interrupt request\n")
    stamp = "[    0.000000] "
    for front, options in ((stamp, ["intel_iommu=on", "intremap=off"]), ("", ["intel_iommu=on"]),
                           ("(XEN) ", ["intel_iommu=on", "intremap=off"])):
        got = tool.json("log", stdin=f"> {front}Command line: root=/dev/sda1 intel_iommu=on\n"
                        f"> ro quiet\n> intremap=off\n> {front}DMAR: Host address width 39\n"
                        "intremap=nosid\n")
        tool.tap.say([o["text"] for o in got["options"]] == options,
                     f"a wrapped command line behind {front!r}", got["options"])
    got = tool.json("log", stdin="DMAR: [Firmware Bug]: Your BIOS is broken; DMAR\n"
                    "reported at address 0!\n")
    tool.tap.say("address zero" in got["notes"][0]["says"], "a wrapped note", got["notes"])
    for text in ("DMAR: dmar0: reg_base_addr fed90000 ver 1:0\ncap d2008c40660462 ecap f050da",
                 "DMAR: dmar0: reg_base_addr fed90000\nver 1:0 cap\nd2008c40660462 ecap f050da"):
        got = tool.json("log", stdin=text)["units"]
        tool.tap.say([(u["version"], u["cap"], u["ecap"]) for u in got] ==
                     [("1.0", "0xd2008c40660462", "0xf050da")], f"wrapped: {text!r}", got)
    for between, index in (("", "0x8200"), ("[    3.1] usb 1-1: new device\n", None),
                           ("DMAR: DRHD: handling fault status reg 2\n", None)):
        got = tool.json("log", stdin=between.join(fault))
        tool.tap.say([(x["index"], x["first"]) for x in got["faults"]] == [(index, 1)],
                     f"an index behind {between!r}", got["faults"])
    got = tool.json("log", stdin=fault[0])
    tool.tap.say(got["faults_total"] == 1 and got["lines"]["read"] == 1,
                 "nothing follows a wrapped line", got["faults"])
    got = tool.json("log", stdin="Enabled IRQ remapping\n" + fault[0] +
                    "Linux version 6.1.0\n" + fault[1])
    tool.tap.say(got["boots"] == 2, "a boot follows a wrapped line", got["boots"])
    for length in (120, 121):
        rest = fault[1].strip().ljust(length, ".")
        got = tool.json("log", stdin=fault[0] + rest)["faults"]
        tool.tap.say([x["index"] for x in got] == ["0x8200" if length == 120 else None],
                     f"the rest of a line, {length} bytes", got)


def mail(tool, name):
    """A log as mail in quoted-printable has it, and with quotes in front."""
    text = (LOGS / f"{name}.txt").read_text()
    wanted = facts(tool.json("log", stdin=text))
    soft = quopri.encodestring(text.encode(), quotetabs=False).decode()
    hard = "".join(
        line + ("=0A=\n" if len(line) < 73 else "\n") if at == len(parts) - 1 else
        line + "=\n"
        for whole in text.splitlines()
        for parts in [[whole[i:i + 75] for i in range(0, len(whole), 75)] or [""]]
        for at, line in enumerate(parts))
    for form, changed in (("soft breaks", soft), ("soft breaks, =0A=", hard),
                          ("quoted, CRLF", "".join(f">> {line}\r\n"
                                                   for line in text.splitlines()))):
        got = facts(tool.json("log", stdin=changed))
        # A sign of equality is written as =3D, which matters to options alone.
        differ = [k for k, v in wanted.items() if got[k] != v and k != "options"]
        tool.tap.say(not differ, f"{name} as mail, {form}",
                     *(f"{k}: {got[k]} for {wanted[k]}" for k in differ))
    wrapped(tool, name, text, wanted)
    line = "DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c40660462 ecap f050da"
    for length in (59, 60, 76, 77):
        first = line[:20].rjust(length - 1) + "="
        got = tool.json("log", stdin=f"{first}\n{line[20:]}\n")["units"]
        tool.tap.say((len(got) == 1) == (60 <= length <= 76),
                     f"a line that is broken at {length}", got)
    got = tool.json("log", stdin="x" * 59 + " DMAR-IR: Not enabling=")["lines"]
    tool.tap.say(got["read"] == 1, "the last line is broken", got)


# What people write around the lines of a log.
PROSE = (
    "So this works with and without interrupt remapping enabled, if we want that.",
    "the interrupt remapping doesn't work here,",
    "Could be: the entry is not present in the table of interrupt remapping",
    "iommu/vt-d: Disable interrupt remapping on old chips",
    "x86/apic: Enable x2apic without interrupt remapping",
    "-    * With IRQ remapping enabled, don't need a range of vectors",
    "[1/2] PCI: do not disable interrupt remapping when the host needs it",
    'pr_info("IRQ remapping enabled in x2apic mode\\n");',
    "printk(KERN_INFO PREFIX \"DMAR: interrupt remapping disabled: %d",
    "- Fix a leak in the VT-d driver that disables interrupt remapping",
    "1. fix the build with IRQ remapping enabled",
    "My guess: it's enabled as interrupt remapping in x2apic mode",
    "is interrupt remapping disabled?",
    "* With interrupt remapping disabled, use request_irq().",
    "DMAR is there, and my interrupt remapping is disabled",
    "which disables VT-d, and therefore interrupt remapping",
)


def prose(tool):
    """Sentences and source code say nothing; a system's line with such words does."""
    fault = ("DMAR: [INTR-REMAP] Request device [05:02.0] fault index 0x18 "
             "[fault reason 0x22] Present field in the IRTE entry is clear")
    for line in PROSE:
        for front in ("", "> ", ">>> "):
            verdict = tool.json("log", stdin=f"{front}{line}\n")["verdict"]
            tool.tap.say((verdict["remapping"], verdict["mode"]) == ("unknown", "unknown"),
                         f"prose: {front}{line}", verdict)
        got = tool.json("log", stdin=f"{line}\n> {fault}\n{line}\n")
        tool.tap.say(got["verdict"]["remapping"] == "on" and got["faults_total"] == 1,
                     f"a fault beside: {line}", got["verdict"])
    got = tool.json("log", stdin="of VT-d, or an Invalidation whose completion times out\n")
    tool.tap.say(got["queue_errors"] == [], "prose of a queue", got["queue_errors"])
    for prefix in PREFIXES:
        line = prefix + "DMAR-IR: interrupt remapping is disabled if the table is bad"
        got = tool.json("log", stdin=line + "\n")["verdict"]["remapping"]
        tool.tap.say(got == "off", f"a kernel's sentence, {prefix!r}", got)
    for prefix in PREFIXES:
        if "[" in prefix or "kernel:" in prefix or "<" in prefix:
            line = prefix + "Interrupt remapping is disabled if the table is bad"
            got = tool.json("log", stdin=line + "\n")["verdict"]["remapping"]
            tool.tap.say(got == "off", f"a sentence behind {prefix!r}", got)


def words(tool):
    for remapping, mode, line in SAME:
        verdict = tool.json("log", stdin=line + "\n")["verdict"]
        tool.tap.say((verdict["remapping"], verdict["mode"]) == (remapping, mode),
                     f"{remapping}, {mode}: {line}", verdict)
    unit = "DMAR: dmar0: {} reg_base_addr fed90000"
    a = tool.json("log", stdin=unit.format("cap d2008c40660462 ver 1:0 ecap f050da"))
    b = tool.json("log", stdin=unit.format("ecap: 0xf050da cap=0xd2008c40660462, "
                                           "ver 1.0"))
    tool.tap.say(a["units"] == b["units"] and a["units"][0]["IR"] is True,
                 "a unit, in another order", a["units"], b["units"])
    for text, cap, ecap in (
            ("cap=660462<ZLR>,d2008c<PSI>, ecap=f050da<QI>,0", "0xd2008c00660462",
             "0xf050da"),
            ("cap=660462&lt;ZLR&gt;,d2008c&lt;PSI&gt; ecap f050da", None, "0xf050da"),
            ("cap=660462<ZLR> ecap f050da", None, "0xf050da"),
            ("cap d2008c40660462 ecap f050=", "0xd2008c40660462", None),
            ("cap d2008c40660462 ecap f050da</pre>", "0xd2008c40660462", "0xf050da"),
            ('"cap d2008c40660462 ecap f050da"', "0xd2008c40660462", "0xf050da")):
        got = tool.json("log", stdin=unit.format(text[:0]) + " " + text)["units"]
        tool.tap.say([(u["cap"], u["ecap"]) for u in got] == [(cap, ecap)],
                     f"registers, whole or not: {text}", got)
    pair = ("Enabled IRQ remapping in xapic mode", "Not enabling interrupt remapping")
    for lines, wanted in ((pair, "off"), (pair[::-1], "on")):
        verdict = tool.json("log", stdin="\n".join(lines))["verdict"]
        tool.tap.say(verdict["remapping"] == wanted,
                     f"of two lines the later one counts: {wanted}", verdict)


def places(tool):
    """A word is found at each place of a line, behind what looks like its begin."""
    bad = []
    for front in ("", "dm", "ma", "rem", "emma", "x2"):
        text = "".join(f"{'z' * pad}{front} dmar{pad}: reg_base_addr {pad + 1:x}000 "
                       "ver 1:0 cap d2008c40660462 ecap f050da\n" for pad in range(24))
        numbers = [u["number"] for u in tool.json("log", stdin=text)["units"]]
        if numbers != list(range(24)):
            bad.append(f"{front}: {numbers}")
    tool.tap.say(not bad, "a word at each place", *bad)


def boots(tool):
    on, off = "Enabled IRQ remapping in x2apic mode", "Not enabling interrupt remapping"
    linux, xen = "Linux version 6.1.0", "(XEN) Xen version 4.17.3"
    xen_on = "(XEN) Intel VT-d Interrupt Remapping enabled."
    for lines, wanted, count in (
            ((linux, on, linux), "unknown", 2), ((linux, on, linux, off), "off", 2),
            ((on, linux), "unknown", 2), ((on, linux, off), "off", 2),
            ((xen, xen_on, linux, off), "on", 1), ((linux, off, xen, xen_on), "on", 1),
            ((xen, xen_on, xen), "unknown", 2), ((xen_on, xen), "unknown", 2),
            ((xen, xen_on, linux, off, xen), "unknown", 2),
            ((xen_on, linux, off), "on", 1)):
        got = tool.json("log", stdin="\n".join(lines))
        tool.tap.say((got["verdict"]["remapping"], got["boots"]) == (wanted, count),
                     f"boots: {', '.join(lines)}", got["verdict"], got["boots"])


def xen_logs(tool):
    """Xen 3 prints faults in a shape of its own; a guest's mode is not Xen's."""
    old = "(XEN) [VT-D]iommu.c:676: iommu_fault:DMA {}: {} addr {} REASON {} iommu->reg = ffff8280"
    got = tool.json("log", stdin="\n".join((
        "(XEN) Intel VT-d DMAR tables have been parsed.",
        "(XEN) [VT-D]iommu.c:722: iommu_page_fault: iommu->reg = ffff828bfff54000",
        "(XEN) [VT-D]iommu.c:694: iommu_fault_status: Primary Pending Fault",
        old.format("Read", "0:1d.1", "7d2ce000", "6"),
        old.format("Read", "f0:1f.0", "2000000000000", "22"),
        old.format("Write", "5:2.0", "0", "26"),
        "(XEN) [VT-D]iommu.c:775: INTR-REMAP: Request device [5:2.1] fault index 2, iommu reg = "
        "ffff8280", "(XEN) INTR-REMAP:[fault reason 25h] Blocked a compatibility format")))
    tool.tap.say([(f["device"], f["index"], f["reason"]) for f in got["faults"]] ==
                 [("f0:1f.0", "0x2", "0x22"), ("05:02.0", "0x0", "0x26"),
                  ("05:02.1", "0x2", "0x25")] and got["faults_dma"]["count"] == 1 and
                 got["lines"]["unknown"] == 0, "faults of Xen 3", got["faults"],
                 got["faults_dma"], got["lines"])
    host = ("(XEN) Xen version 4.17.3", "(XEN) Switched to APIC driver x2apic_cluster",
            "(XEN) Intel VT-d iommu 0 supported page sizes: 4kB, 2MB, 1GB",
            "(XEN) Intel VT-d Interrupt Remapping enabled.")
    guest = ("Linux version 6.1.0", "x2apic disabled", "Switched APIC routing to physical flat.",
             "x2apic: IRQ remapping doesn't support X2APIC mode")
    for name, lines in (("Xen first", host + guest), ("guest first", guest + host)):
        got = tool.json("log", stdin="\n".join(lines))
        tool.tap.say((got["verdict"]["remapping"], got["verdict"]["mode"]) == ("on", "x2APIC") and
                     [u["IR"] for u in got["units"]] == [None],
                     f"mode and unit of Xen, {name}", got["why"], got["units"])


def kernels(tool):
    """Which Linux can post, in a line as long as real ones are."""
    rest = " (build@host.domain) (gcc version 12.2.0) #1 SMP Thu Jan 1 00:00:00 UTC 2026\n"
    unit = ("DMAR: dmar0: reg_base_addr fbffc000 ver 1:0 cap 8d2078c106f0466 ecap f020df\n"
            "DMAR-IR: Enabled IRQ remapping in x2apic mode\n")
    for version, wanted, why in (
            ("2.6.39-4", "off", "Linux 2.6 "), ("3.10.0-1", "off", "Linux 3.10 "),
            ("3.10.0-9.el7.x86_64", "unknown", "RHEL"), ("4.0.0", "off", "Linux 4.0 "),
            ("4.3.0-1-amd64", "off", "Linux 4.3 "), ("4.4.0-21-generic", "on", "each unit"),
            ("4.10.0", "on", "each unit"), ("4.18.0-9.el8.x86_64", "on", "each unit"),
            ("5.0.0", "on", "each unit"), ("5.4.0-1", "on", "each unit"),
            ("6.1.0", "on", "each unit"), ("7.0.0-rc2", "on", "each unit"),
            ("", "on", "each unit"), ("next", "on", "each unit"), ("6", "on", "each unit"),
            ("6.", "on", "each unit"), (".6", "on", "each unit")):
        for end in (rest, "\n"):
            got = tool.json("log", stdin=f"[    0.000000] Linux version {version}{end}{unit}")
            tool.tap.say(got["verdict"]["posting"] == wanted and
                         why in got["why"][1]["says"],
                         f"Linux {version!r} posts: {wanted}", got["verdict"], got["why"])


def reason_bases(tool):
    """One reason, however its number is printed."""
    form = "DMAR: [INTR-REMAP] Request device [00:1f.3] fault index {} [fault reason {}] {}"
    text = "Blocked a compatibility format interrupt request"
    for number, words_, wanted, how in (
            ("37", text, "0x25", "text"), ("0x25", text, "0x25", "prefix"),
            ("25", text, "0x25", "text"), ("25h", text, "0x25", "prefix"),
            ("37", "", "0x25", "decimal"), ("0x28", "Unknown", "0x28", "prefix"),
            ("40", "Unknown", "0x28", "decimal"), ("", text, "0x25", "text")):
        got = tool.json("log", stdin=form.format("0x7", number, words_))["faults"]
        tool.tap.say(len(got) == 1 and got[0]["reason"] == wanted and
                     got[0]["reason_read_as"] == how,
                     f"reason {number!r} {words_!r}: {wanted}", got)
    bad = [pad for pad in range(20) if tool.json("log", stdin=form.format(
        "0x7", "", "z" * pad + " Present field of the IRTE"))["faults"][0]["reason"]
           != "0x22"]
    tool.tap.say(not bad, "words at the end of a line, at each place", bad)
    dma = "DMAR: [DMA Write] Request device [5e:00.0] fault addr {} [fault reason {}] {}"
    got = tool.json("log", stdin=dma.format("0x8000000000000", "0x27", "Unknown"))
    tool.tap.say(got["faults_total"] == 1 and got["faults"][0]["index"] == "0x8",
                 "a posting fault that is printed as one of DMA", got["faults"])
    for number in ("0x6", "06", "38", "0x30"):
        got = tool.json("log", stdin=dma.format("9c000000", number,
                                                "PTE Read access is not set"))
        wanted = 1 if number == "38" else 0
        tool.tap.say(got["faults_total"] == wanted,
                     f"DMA, reason {number}: {wanted} of interrupts", got["faults"])
    got = tool.json("log", stdin="(XEN) [VT-D]INTR-REMAP: Request device "
                    "[0000:f0:1f.0] fault index 7\n(XEN) [VT-D]INTR-REMAP: "
                    "reason 27 - Unknown\n")["faults"]
    tool.tap.say(got[0]["reason"] == "0x27" and
                 got[0]["reason_read_as"] == "hexadecimal", "Xen's reasons", got)


def dmar_table(*units):
    """A table of units: flags, and scopes as kind, number, bus and path."""
    body = b""
    for at, (flags, scopes) in enumerate(units):
        inner = b"".join(
            struct.pack("<BBHBB", kind, 6 + 2 * len(path), 0, number, bus) +
            bytes(n for hop in path for n in hop)
            for kind, number, bus, path in scopes)
        body += struct.pack("<HHBBHQ", 0, 16 + len(inner), flags, 0, 0,
                            0xfed90000 + at * 0x1000) + inner
    table = bytearray(struct.pack("<4sIBB6s8sI4sI", b"DMAR", 48 + len(body), 1, 0,
                                  b"OEM", b"TABLE", 1, b"TEST", 1) +
                      bytes((38, 1)) + bytes(10) + body)
    table[9] = -sum(table) & 0xff
    return bytes(table)


ENDPOINT, BRIDGE, IOAPIC, HPET = 1, 2, 3, 4
FLAT = dmar_table(
    (0, ((ENDPOINT, 0, 0, ((2, 0),)),)),
    (1, ((IOAPIC, 8, 0xf0, ((31, 0),)), (HPET, 0, 0, ((31, 0),)))))
# Unit 0 has a bridge, unit 1 a device and an IOAPIC behind bridges.
DEEP = dmar_table(
    (0, ((BRIDGE, 0, 0, ((0x1c, 0),)),)),
    (0, ((ENDPOINT, 0, 0, ((0x1d, 0), (0, 1))), (IOAPIC, 9, 0, ((5, 0), (6, 4))))),
    (1, ((IOAPIC, 8, 0, ((0x1e, 7),)),)))
NO_BUSES = "the log does not have the bus numbers of "
BRIDGES = ("pci 0000:00:1c.0: PCI bridge to [bus 02-ff]\n"
           "pci 0000:00:1c.0: PCI bridge to [bus 02-04]\n"
           "pci 0000:00:1d.0: PCI bridge to [bus 05] (subtractive decode)\n"
           "[    0.5] pci 0000:00:05.0: PCI bridge to [bus 06-06]\n"
           "pci 0000:00:1b.0: PCI bridge to [bus 9-1]\npci : PCI bridge to [bus 0\n")


def dumps(table):
    """A table in the forms that vtdpi dmar takes."""
    yield "the table", table
    rows = [table[at:at + 16] for at in range(0, len(table), 16)]
    for name, head, form in (
            ("acpidump", "DMAR @ 0x0\n", "    {:04X}: {}"),
            ("xxd -g 1", "", "{:08x}: {}"), ("hexdump -C", "", "{:08x}  {}"),
            ("iasl", "Raw Table Data: Length 64 (0x40)\n\n", "  {:04X}: {}")):
        yield name, (head + "\n".join(form.format(16 * i, row.hex(" "))
                                      for i, row in enumerate(rows)) + "\n").encode()


def devices(tool, folder):
    table = folder / "table"
    form = "DMAR: [INTR-REMAP] Request device [{}] fault index 0x1 [fault reason 0x22] x\n"

    def is_named(name, device, wanted, log=""):
        got = tool.json("log", "--dmar", table, stdin=form.format(device) + log)
        tool.tap.say(got["faults"][0]["is"] == wanted, f"{name}: {device} is {wanted}",
                     got["faults"][0]["is"])

    for name, data in dumps(FLAT):
        table.write_bytes(data)
        is_named(name, "f0:1f.0", "IOAPIC 8, unit 1")
    for device, wanted in (("00:1f.0", "HPET 0, unit 1"),
                           ("00:02.0", "endpoint, unit 0"),
                           ("17:00.0", "endpoint, unit 1"),
                           ("0001:17:00.0", "named by no unit of the table")):
        is_named("one hop", device, wanted)
    table.write_bytes(DEEP)
    unless = ", unless below a bridge that another unit names: " + NO_BUSES
    for device, without, wanted in (
            ("00:1e.7", "IOAPIC 8, unit 2", "IOAPIC 8, unit 2"),
            ("00:02.0", "endpoint, unit 2", "endpoint, unit 2"),
            ("00:1c.0", "bridge, unit 0", "bridge, unit 0"),
            ("03:00.0", "endpoint, unit 2" + unless + "00:1c.0 and of 2 others",
             "endpoint, unit 0"),
            ("05:00.1", "endpoint, unit 2" + unless + "00:1c.0 and of 2 others",
             "endpoint, unit 1"),
            ("05:00.0", "endpoint, unit 2" + unless + "00:1c.0 and of 2 others",
             "endpoint, unit 2"),
            ("06:06.4", "endpoint, unit 2" + unless + "00:1c.0 and of 2 others",
             "IOAPIC 9, unit 1"),
            ("07:00.0", "endpoint, unit 2" + unless + "00:1c.0 and of 2 others",
             "endpoint, unit 2")):
        is_named("without buses", device, without)
        is_named("with buses", device, wanted, BRIDGES)
    is_named("with one bus", "03:00.0", "endpoint, unit 0", BRIDGES.splitlines()[1])
    is_named("with one bus", "07:00.0", "endpoint, unit 2" + unless +
             "00:1d.0 and of 1 other", BRIDGES.splitlines()[1])
    is_named("Xen's buses", "03:00.0", "endpoint, unit 0",
             "(XEN) [VT-D] bridge: 0000:00:1c.0 start=0 sec=2 sub=a\n")
    is_named("Xen's buses", "0b:00.0", "endpoint, unit 2" + unless +
             "00:1d.0 and of 1 other",
             "(XEN) [VT-D] bridge: 0000:00:1c.0 start=0 sec=2 sub=a\n")
    is_named("a bus of another boot", "03:00.0", "endpoint, unit 2" + unless +
             "00:1c.0 and of 2 others", BRIDGES + "Linux version 6.1.0\n")
    bad = bytearray(DEEP)
    bad[64 + 1] = 5  # the length of the first scope
    table.write_bytes(bad)
    is_named("a malformed table", "03:00.0",
             "not resolved: the table is malformed (vtdpi dmar)")
    # What lies behind a table does not matter, but what is missing does.
    table.write_bytes(FLAT.ljust(1 << 20, b"\0"))
    tool.is_status(UNKNOWN, "log", "--dmar", table, stdin="")
    table.write_bytes(FLAT[:60])
    tool.is_status(INPUT, "log", "--dmar", table, stdin="")
    tool.is_status(INPUT, "log", "--dmar", folder / "absent", stdin="")


def groups(tool):
    form = ("DMAR: [INTR-REMAP] Request device [{:02x}:00.0] fault index {:#x} "
            "[fault reason 0x22] Present field in the IRTE entry is clear\n")
    text = "".join(form.format(i % 251, i % 1000) for i in range(3000))
    got = tool.json("log", stdin=text)
    counted = sum(f["count"] for f in got["faults"])
    tool.tap.say(len(got["faults"]) == 256 and got["faults_total"] == 3000 and
                 counted + got["faults_others"]["count"] == 3000 and
                 got["faults_others"]["count"] > 0, "groups are bounded",
                 len(got["faults"]), counted, got["faults_others"])
    got = tool.json("log", stdin=form.format(1, 5) * 70000)
    tool.tap.say(len(got["faults"]) == 1 and got["faults"][0]["count"] == 70000 and
                 (got["faults"][0]["first"], got["faults"][0]["last"]) == (1, 70000),
                 "a group counts", got["faults"])
    line = form.format(1, 5).strip()
    got = tool.json("log", stdin=f"{line} {form.format(2, 6)}")
    tool.tap.say([f["device"] for f in got["faults"]] == ["01:00.0", "02:00.0"],
                 "two events in one line", got["faults"])
    for text, count, dma in (
            (f"message repeated 7 times: [ {line}]\n{line}\n", 8, 0),
            (f"kernel: message repeated 7 times: [ {line.replace('0x22', '0x02')}]\n", 0, 7)):
        got = tool.json("log", stdin=text)
        tool.tap.say((got["faults_total"], got["faults_dma"]["count"]) == (count, dma) and
                     [f["count"] for f in got["faults"]] == [count] * (count > 0),
                     f"lines that syslog counts: {count}, {dma}", got["faults"])
    got = tool.json("log", stdin=line[line.index("Request"):])["faults"]
    tool.tap.say([f["device"] for f in got] == ["01:00.0"], "the begin of a line is cut", got)
    units = "".join(f"DMAR: dmar{i}: reg_base_addr {0xf0000000 + (i << 12):x} ver 1:0 "
                    "cap 8d2078c106f0466 ecap f020df\n" for i in range(270))
    got = tool.json("log", stdin=units + "Enabled IRQ remapping in x2apic mode\n")
    tool.tap.say(len(got["units"]) == 256 and got["units_more"] == 14 and
                 got["verdict"]["posting"] == "unknown", "units are bounded",
                 len(got["units"]), got["units_more"], got["verdict"])


def bad_input(tool, folder):
    tool.is_status(USAGE, "log", "a", "b")
    tool.is_status(USAGE, "log", "--nothing")
    tool.is_status(INPUT, "log", folder / "absent")
    done = tool.is_status(INPUT, "log", folder)
    tool.tap.say(done.stderr.decode() == f"vtdpi: {folder}: Is a directory\n",
                 "a folder", done.stderr)
    for name, data in (("nothing", b""),
                       ("no VT-d", b"[    1.0] usb 1-1: new device\n" * 100)):
        done = tool.is_status(UNKNOWN, "log", stdin=data)
        tool.tap.say(done.stderr == b"", f"{name}: no message", done.stderr)
    line = b"DMAR-IR: Enabled IRQ remapping in x2apic mode"
    for name, data, is_ in (
            ("zeros", bytes(100000), "binary"), ("ones", b"\xff" * 100000, "binary"),
            ("random", random.Random(3).randbytes(300000), "binary"),
            ("an ELF", b"\x7fELF" + bytes(range(256)) * 400, "a program"),
            ("gzip", gzip.compress(bytes(999)), "compressed by gzip"),
            ("xz", lzma.compress(bytes(999)), "compressed by xz"),
            ("a journal", b"LPKSHHRH" + bytes(100), "a journal of systemd"),
            ("UTF-16", line.decode().encode("utf-16"), "text in UTF-16")):
        done = tool.is_status(INPUT, "log", stdin=data)
        tool.tap.say(f"standard input:1: no log: the file is {is_}" in
                     done.stderr.decode(), f"{name}: what it is", done.stderr)
    for name, data, wanted in (
            ("zeros in a line", b"\0\0" + line + b"\0\n", "on"),
            ("a log behind binary rubbish", bytes(5000) + b"\xff\n" + line, "on"),
            ("behind the mark of UTF-8", b"\xef\xbb\xbf" + line, "on"),
            ("no line feed at the end", line, "on"),
            ("at the end of the longest line", b"x" * (65536 - len(line) - 1) + b" " +
             line, "on"),
            ("behind the longest line", b"x" * 65537 + line, "unknown"),
            ("behind a line that is cut", b"y" * 300000 + b"\n" + line, "on")):
        got = tool.json("log", stdin=data)
        tool.tap.say(got["verdict"]["remapping"] == wanted, name, got["verdict"])
    got = tool.json("log", stdin=b"\x1b[31mDMAR: \xff\xc3 nothing known \x07\n")
    tool.tap.say(got["lines"]["unknown_text"] == "?[31mDMAR: ?? nothing known ?",
                 "what is quoted is printable", got["lines"])
    text = (LOGS / "linux-faults.txt").read_bytes()
    bad = [n for n in range(0, len(text), 37)
           if tool.run("log", stdin=text[:n]).returncode not in (GOOD, WRONG, UNKNOWN)]
    tool.tap.say(not bad, "a fixture, cut anywhere", bad[:5])
    mutants(tool)


def mutants(tool):
    bad = []
    for seed in range(60):
        chance = random.Random(seed)
        text = bytearray((LOGS / f"{chance.choice(list(FIXTURES))}.txt").read_bytes())
        for _ in range(chance.randint(1, 40)):
            at = chance.randrange(len(text))
            if chance.random() < 0.5:
                text[at] = chance.randrange(256)
            else:
                del text[at:at + chance.randint(1, 9)]
        done = tool.run("log", "--json", stdin=bytes(text))
        if done.returncode not in (GOOD, WRONG, UNKNOWN):
            bad.append(f"seed {seed}: {done.returncode} {done.stderr.decode()}")
    tool.tap.say(not bad, "fixtures with changed bytes", *bad[:5])


def stream(tool):
    """1 GiB through a pipe, in 64 MiB of addresses beside what is there at start."""
    if b"asan" in open(tool.program, "rb").read():
        tool.tap.skip("1 GiB in constant memory", "AddressSanitizer needs addresses")
        return
    noise = b"[    3.1] usb 1-1: new high-speed device number 4 using xhci_hcd\n"
    block = noise * ((1 << 20) // len(noise))
    fault = (b"DMAR: [INTR-REMAP] Request device [01:00.0] fault index 0x5 "
             b"[fault reason 0x22] x\n")

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (1 << 26, 1 << 26))

    child = subprocess.Popen([tool.program, "log"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, preexec_fn=limit,
                             env=tool.environment)
    blocks = (1 << 30) // len(block)
    for _ in range(blocks):
        child.stdin.write(block)
    child.stdin.write(fault)
    child.stdin.close()
    said = child.stdout.read().decode()
    child.wait()
    tool.tap.say(child.returncode == WRONG and "01:00.0, index 0x5: reason 0x22" in said,
                 "1 GiB in constant memory", child.returncode, said[:500])


def shared_boots(tool, folder):
    """Each sample: the units that its lines have, and the verdict that its lines
    say."""
    unit = re.compile(r"reg_base_addr (\S+) ver (\d+):(\d+) cap (\S+) ecap (\S+)")
    for path in sorted((folder / "dmesg").glob("*.txt")):
        text = path.read_text()
        got = tool.json("log", path)
        units = {(int(u["base"], 16), u["version"], int(u["cap"], 16),
                  int(u["ecap"], 16)) for u in got["units"] if u["cap"]}
        wanted = {(int(b, 16), f"{major}.{minor}", int(c, 16), int(e, 16))
                  for b, major, minor, c, e in unit.findall(text)}
        tool.tap.say(units == wanted, f"units of {path.name}", units, wanted)
        remapping = "unknown"
        if re.search(r"Enabled (IRQ|Interrupt)[ -]remapping", text):
            remapping = "on"
        elif re.search(r"Not enabl\w+ interrupt|is being disabled", text):
            remapping = "off"
        elif any(not e & 8 for _, _, _, e in wanted):
            remapping = "off"
        mode = re.search(r"remapping in (x2?)apic mode", text)
        verdict = got["verdict"]
        tool.tap.say(verdict["remapping"] == remapping and
                     (mode is None or verdict["mode"] == mode[1] + "APIC"),
                     f"verdict of {path.name}", verdict, remapping)
        if any(not c >> 59 & 1 for _, _, c, _ in wanted):
            tool.tap.say(verdict["posting"] == "not possible",
                         f"posting of {path.name}", verdict)
        tool.tap.say(got["faults_total"] == text.count("Request device"),
                     f"faults of {path.name}", got["faults"])


def shared_triples(tool, folder):
    """The samples' registers, against the decoding that stands beside them."""
    for row in (folder / "dmesg" / "triples.tsv").read_text().splitlines()[1:]:
        _, version, cap, ecap, cap_bits, ecap_bits, _ = row.split("\t")
        got = tool.json("log", stdin=f"DMAR: dmar0: reg_base_addr fed90000 ver {version} "
                        f"cap {cap} ecap {ecap}\n")["units"][0]
        wrong = [name for name, bits in (("PI", cap_bits), ("QI", ecap_bits),
                                         ("IR", ecap_bits), ("EIM", ecap_bits))
                 if got[name] != (f"{name}=1" in bits.split())]
        tool.tap.say(not wrong, f"registers {cap} {ecap}", wrong, got)


def shared_faults(tool, folder):
    for number, row in enumerate((folder / "faults.txt").read_text().splitlines(), 1):
        if row.startswith("#"):
            continue
        line, source = row.rsplit("\t", 1)
        for name, text in (("joined", line), ("split", line.replace(" | ", "\n"))):
            got = tool.json("log", stdin=text + "\n")
            control = source.startswith("CONTROL")
            if control or not re.search("Request device|Fault Reason", line):
                tool.tap.say(got["faults_total"] == 0 and
                             got["faults_dma"]["count"] == control,
                             f"faults.txt:{number}, {name}: none of interrupts",
                             got["faults"], got["faults_dma"])
                continue
            tool.tap.say(fault_fits(line, got["faults"]),
                         f"faults.txt:{number}, {name}", line, got["faults"])


def fault_fits(line, got):
    """Device, index and reason by simple patterns over the joined line."""
    device = re.search(r"(?:0x)?([0-9a-f]{1,2}):(?:0x)?([0-9a-f]{2})\.([0-7])",
                       line[re.search("device|func\\)", line).end():])
    index = re.search(r"fault index (?:0x)?([0-9a-f]+)", line)
    info = re.search(r"Fault Info: ([0-9a-f]+)", line)
    reason = next((n for words_, n in REASONS.items() if words_ in line), None)
    if reason is None:
        reason = int(re.search(r"Reason: 0x(\w+)", line)[1], 16)
    wanted = int(index[1], 16) if index else int(info[1], 16) >> 36
    bus = f"{int(device[1], 16):02x}:{device[2]}.{device[3]}"
    return (len(got) == 1 and got[0]["device"] == bus and
            got[0]["index"] == hex(wanted) and got[0]["reason"] == hex(reason))


def shared(tool):
    folder = tool.shared
    if folder is None or not (folder / "faults.txt").exists():
        tool.tap.skip("machine output", "the folder is absent")
        return
    shared_boots(tool, folder)
    shared_triples(tool, folder)
    shared_faults(tool, folder)
    got = tool.json("log", folder / "xen-dumps" /
                    "04-xen-boot-PI-not-enabled-variants.txt")["verdict"]
    tool.tap.say((got["remapping"], got["posting"]) == ("on", "off"),
                 "Xen's boot lines", got)
    got = tool.json("log", folder / "xen-dumps" / "01-qubes-7340-V-key-R-P-format.txt")
    tool.tap.say([(u["number"], u["QI"], u["IR"], u["PI"]) for u in got["units"]][:2] ==
                 [(0, True, True, False), (1, True, True, False)],
                 "units of Xen's key V", got["units"])


def test(tool):
    fixtures(tool)
    for name in FIXTURES:
        clothes(tool, name)
    order(tool, "linux-posting", 2, 40)
    order(tool, "ioapic", 0, 20)
    order(tool, "dead-unit", 0, 12)
    words(tool)
    prose(tool)
    notes(tool)
    mail(tool, "linux-faults")
    mail(tool, "linux-posting")
    places(tool)
    boots(tool)
    xen_logs(tool)
    kernels(tool)
    reason_bases(tool)
    groups(tool)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        devices(tool, folder)
        bad_input(tool, folder)
    stream(tool)
    shared(tool)


main(test)
