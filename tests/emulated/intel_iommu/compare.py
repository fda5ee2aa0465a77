# SPDX-License-Identifier: BSD-2-Clause
"""Run the kernel in QEMU and hold QEMU's own trace of the unit against what the
kernel's oracle said it would see.

usage: compare.py RUN_KERNEL KERNEL MODE [WORD...]

MODE is one of MODES below; WORDs go to the kernel, too. Prints TAP: the
kernel's checks, one line for the comparison, and one for the kernel's end.
Status: 0 all passed; 77 QEMU 10 is not to be had here; else 1.

The two lists are compared line by line, in order. Each line that QEMU traces
must have been said by the oracle, and each that the oracle said must be
traced; what is left out is in IGNORED, with the reason, and reads of registers,
which polls repeat as often as it takes.
"""

import collections
import fnmatch
import os
import re
import subprocess
import sys
import tempfile

IOMMU = "intel-iommu,intremap=on"
X2APIC = ["-cpu", "qemu64,+x2apic"]

# The kernel's words, and QEMU's arguments.
MODES = {
    "xapic": ("", ["-smp", "4", "-device", IOMMU + ",eim=off"]),
    "x2apic": (
        "x2apic large",
        [*X2APIC, "-smp", "4", "-device", IOMMU + ",eim=on"],
    ),
    # A processor whose APIC id, 259, takes more than eight bits.
    "wide-id": (
        "x2apic short",
        [
            *(*X2APIC, "-smp", "2,sockets=2,cores=200,maxcpus=400"),
            "-device",
            "qemu64-x86_64-cpu,socket-id=1,core-id=3,thread-id=0,x2apic=on",
            *("-device", IOMMU + ",eim=on"),
        ],
    ),
    # Entries that are not present are cached; descriptors of 256 bits.
    "scalable": (
        "x2apic short",
        [
            *(*X2APIC, "-smp", "2", "-device"),
            IOMMU + ",eim=on,caching-mode=on,x-scalable-mode=on",
        ],
    ),
    "one-thread": (
        "short",
        [
            *("-accel", "tcg,thread=single"),
            *("-smp", "4", "-device", IOMMU + ",eim=off"),
        ],
    ),
}

# A run that stays below this has not got far.
LINES_MIN = 50

# What starts the kernel's part; see oracle_begin().
MARK = "write a4 4 be91"

# QEMU's trace events: the text that each is turned into, from the numbers that
# its line has in this order. "low" and "high" of an entry are swapped in
# QEMU's text: the first is bits 127:64.
EVENTS = {
    "vtd_reg_write": "write {0:x} {1} {2:x}",
    "vtd_reg_write_gcmd": "command {0:x} {1:x}",
    "vtd_reg_write_fectl": "event-control {0:x}",
    "vtd_reg_ir_root": "table {0:x} {1:x}",
    "vtd_ir_enable": "remapping {0}",
    "vtd_inv_qi_enable": "queue {0}",
    "vtd_inv_qi_setup": "queue-at {0:x} {1:x}",
    "vtd_inv_qi_tail": "tail {0:x}",
    "vtd_inv_qi_head": "head {0:x}",
    "vtd_inv_desc": "descriptor {word} {1:016x} {0:016x}",
    "vtd_inv_desc_iec": "iec {0} {1:x} {2:x}",
    "vtd_inv_desc_wait_sw": "status {0:x} {1:x}",
    "vtd_reg_dmar_root": "root {0:x} {1}",
    "vtd_dmar_enable": "translation {0}",
    "vtd_inv_desc_cc_global": "context-cache all",
    "vtd_inv_desc_cc_devices": "context-cache device {0:x} {1:x}",
    "vtd_inv_desc_iotlb_global": "iotlb all",
    "vtd_inv_desc_iotlb_domain": "iotlb domain {0:x}",
    "vtd_inv_desc_iotlb_pages": "iotlb pages {0:x} {1:x} {2:x}",
    "vtd_ir_remap_msi_req": "request {0:x} {1:x}",
    "vtd_ir_irte_get": "entry {0:x} {2:016x} {1:016x}",
    "vtd_ir_remap": "remap {0:x} {1:x} {2:x} {3:x} {4:x} {5:x}",
    "vtd_ir_remap_type": "type {word}",
    "vtd_frr_new": "record {0} {2:016x} {1:016x}",
    "vtd_fsts_ppf": "pending {0}",
    "vtd_fsts_clear_ip": "event-not-pending",
    "vtd_irq_generate": "event {0:x} {1:x}",
}

IGNORED = {
    "vtd_inv_qi_fetch",  # says nothing; tail and head do
    "vtd_ir_remap_msi",  # what QEMU makes of it: arrival is checked instead
    "vtd_warn_ir_vector",  # the IOAPIC entry's vector is the pin's number
    # DMA translation: what comes of it is looked at where the DMA arrives.
    "vtd_context_cache_reset",
    "vtd_switch_address_space",
    "vtd_iotlb_reset",
    "vtd_ce_not_present",
    "vtd_inv_desc_cc_device",
    "vtd_iotlb_cc_hit",
    "vtd_iotlb_cc_update",
    "vtd_iotlb_page_hit",
    "vtd_iotlb_page_update",
    "vtd_dmar_translate",
}

LINE = re.compile(r"^(?:\d+@[\d.]+:)?(\w+) ?(.*)$")
WORD = re.compile(r"^(?:.* type )?(\S+)")
NUMBER = re.compile(r"\b(?:0x[0-9a-f]+|\d+)\b")


def traced(path):
    """Lines of QEMU's trace in the oracle's words, from the mark on."""
    begun = False
    with open(path, encoding="ascii", errors="replace") as log:
        for line in log:
            match = LINE.match(line.strip())
            if not match or match.group(1) in IGNORED:
                continue
            name, rest = match.groups()
            if name not in EVENTS:
                text = line.strip()
            else:
                numbers = [int(n, 0) for n in NUMBER.findall(rest)]
                word = WORD.search(rest)
                text = EVENTS[name].format(
                    *numbers, word=word.group(1) if word else ""
                )
            begun = begun or text == MARK
            if begun:
                yield text


class Waits:
    """What a wait descriptor writes: never 0, never what is there already."""

    def __init__(self):
        self.data = None
        self.last = {}

    def accepts(self, want, line):
        words = line.split()
        if want.startswith("descriptor wait ?"):
            self.data = int(words[2][:8], 16)
        elif want.startswith("status ") and want.endswith("*"):
            data = int(words[2], 16)
            old = self.last.get(words[1], 0)
            self.last[words[1]] = data
            return data == self.data and data not in (0, old)
        return True


def compare(wanted, seen):
    """None, or what is wrong at the first difference: nothing is read beyond
    it, as a kernel that has gone wrong may go on for long."""
    waits = Waits()
    before = collections.deque(maxlen=4)
    for n, want in enumerate(wanted, 1):
        got = next(seen, "(nothing)")
        if not fnmatch.fnmatchcase(got, want) or not waits.accepts(want, got):
            around = "".join(f"\n    {line}" for line in before)
            return f"line {n}: QEMU saw '{got}', not '{want}', after{around}"
        before.append(got)
    surplus = next(seen, None)
    return f"QEMU saw '{surplus}' beyond the end" if surplus else None


def run(folder, run_kernel, kernel, mode, *words):
    """What the kernel printed, its status, and what is wrong with the trace."""
    trace = os.path.join(folder, "trace")
    said = os.path.join(folder, "said")
    append, arguments = MODES[mode]
    command = [run_kernel, "qemu", kernel, *arguments]
    command += ["-append", " ".join([append, *words])]
    command += ["-device", "edu,addr=1", "-D", trace, "-trace", "vtd_*"]
    command += ["-trace", "enable=-vtd_reg_read"]
    command += ["-device", "isa-debugcon,iobase=0xe9,chardev=said"]
    command += ["-chardev", f"file,id=said,path={said}"]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # QEMU's own words on every fault
        text=True,
        check=False,
    )
    if done.returncode == 77:
        print("# " + done.stdout.strip())
        sys.exit(77)
    with open(said, encoding="ascii") as lines:
        wanted = lines.read().splitlines()
    wrong = compare(wanted, traced(trace))
    if not wrong and len(wanted) < LINES_MIN:
        wrong = "the oracle said hardly anything"
    return done, len(wanted), wrong


def main():
    with tempfile.TemporaryDirectory() as folder:
        done, count, wrong = run(folder, *sys.argv[1:])
    number = 0
    for line in done.stdout.splitlines():
        if line.startswith(("PASS ", "FAIL ")):
            number += 1
            verdict = "ok" if line.startswith("PASS") else "not ok"
            print(f"{verdict} {number} - {line[5:]}")
        else:
            print(f"# {line}")
    verdict = "not ok" if wrong else "ok"
    print(f"{verdict} {number + 1} - the trace is the oracle's {count} lines")
    if wrong:
        print("# " + wrong.replace("\n", "\n# "))
    verdict = "ok" if done.returncode == 0 else "not ok"
    print(f"{verdict} {number + 2} - the kernel ran to its end and passed")
    print(f"1..{number + 2}")
    sys.exit(1 if wrong or done.returncode != 0 else 0)


main()
