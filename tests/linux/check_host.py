#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boot Linux in QEMU with an IOMMU, run vtdpi there, and judge what it says.

usage: check_host.py BOX TOOL EMULATOR WORK

BOX is the folder of fetch-debs.sh with a kernel and busybox, TOOL vtdpi, statically
linked, EMULATOR emulator.sh, WORK a folder. The first process is `init-host` beside
this file. Each machine is compared with what its own files say without vtdpi.

Prints one line for each check, "pass|fail <tab> name <tab> reason". Status: 0, or 77
if the emulator is not to be had.
"""

import concurrent.futures
import json
import pathlib
import re
import sys

from linuxvm import boot, initramfs

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 240
UNIT = "intel-iommu,intremap=on"
# name: (arguments of QEMU, words of the kernel, answers, reasons that are given). The
# emulator's unit never posts.
MACHINES = {
    "x2APIC": (
        ["-device", UNIT + ",eim=on"], "intel_iommu=on",
        ("yes", "yes", "no"), ["no posted interrupts (CAP.PI)"]),
    "xAPIC": (
        ["-device", UNIT + ",eim=off"], "",
        ("yes", "no", "no"), ["no extended interrupt mode (ECAP.EIM)",
                              "no posted interrupts (CAP.PI)"]),
}
PASSWD = b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"


def sections(text):
    """name: (what was printed, status)."""
    found = re.findall(r"^=== (\w+)\n(.*?)^=== status (\d+)$", text,
                       re.MULTILINE | re.DOTALL)
    return {name: (body, int(status)) for name, body, status in found}


def answers(found):
    return tuple(found["verdict"][part]["answer"]
                 for part in ("remapping", "x2apic", "posting"))


def verdicts(name, text):
    """(whether good, what, reason) of each check."""
    wanted, reasons = MACHINES[name][2:]
    part = sections(text)
    missing = {"facts", "text", "json", "collect", "unpack", "saved",
               "user"} - set(part)
    yield not missing, "every command ends", f"without {sorted(missing)}"
    if missing:
        return
    found = json.loads(part["json"][0])
    facts = part["facts"][0]
    got = answers(found)
    yield all(w in (g, None) for w, g in zip(wanted, got)), \
        f"the answers are {wanted}", f"{got}"
    yield part["json"][1] == part["text"][1] == 1, \
        "status 1: posting does not work", f"{part['json'][1]}"
    causes = [cause["what"] for cause in found["why"]]
    yield all(reason in causes for reason in reasons), "it says why", causes
    # Unit by unit, by the machine's own files.
    units = [tuple(int(word, 16) for word in unit) for unit in re.findall(
        r"^unit \w+ (\w+) (\w+) (\w+)$", facts, re.MULTILINE)]
    named = [tuple(int(unit[key], 16) for key in ("base", "cap", "ecap"))
             for unit in found["units"]]
    yield named == units and len(units) == 1, \
        "each unit as sysfs has it", f"{named} {units}"
    yield all(unit["ir"] is bool(ecap >> 3 & 1) and
              unit["eim"] is bool(ecap >> 4 & 1) and
              unit["qi"] is bool(ecap >> 1 & 1) and
              unit["pi"] is bool(cap >> 59 & 1)
              for unit, (_, cap, ecap) in zip(found["units"], units)), \
        "bits of each unit", found["units"]
    rows = int(re.search(r"^remapped (\d+)$", facts, re.MULTILINE)[1])
    yield found["os"]["remapping"] is (rows > 0), \
        "remapping as /proc/interrupts has it", f"{rows}"
    mode = "x2apic" in (facts.partition("APIC routing to")[2] or
                        facts.partition("remapping in")[2]).split("\n")[0]
    yield (got[1] == "yes") is mode, "the mode as the log has it", facts
    flags = re.search(r"^flags (\d+)$", facts, re.MULTILINE)
    yield found["dmar"]["intr_remap"] is (
        bool(int(flags[1]) & 1) if flags else None), "DMAR flag", facts
    yield found["machine"]["virtual"] is True, "it is a virtual machine", \
        found["machine"]
    first = part["text"][0].split("\n")[0]
    yield first.startswith("Interrupt remapping: ") and \
        "Posting: no." in first, "the first line is the verdict", first
    saved = json.loads(part["saved"][0])
    same = [key for key in ("verdict", "why", "next", "units", "dmar", "os",
                            "cpu", "kvm", "interrupts", "machine")
            if saved[key] != found[key]]
    yield part["collect"][1] == part["unpack"][1] == 0 and not same and \
        part["saved"][1] == 1, "the collected tree gives the same", same
    user = json.loads(part["user"][0])
    # The DMAR table and the log are root's, the rest is for everybody.
    yield user["verdict"]["posting"]["answer"] != "yes" and \
        user["verdict"]["remapping"]["works"] == \
        found["verdict"]["remapping"]["works"] and \
        (user["dmar"]["table"] == "refused") is (flags is not None) and \
        any("as root" in step for step in user["next"]), \
        "a user who is not root", json.dumps(user["verdict"])


def run(name, box, archive, emulator, work):
    """The console of that machine. On a busy machine QEMU's timer may be too late for
    the kernel's own boot: then once more."""
    arguments, words = MACHINES[name][:2]
    for _ in range(3):
        text = boot(box, archive, emulator, work / name.replace(" ", "-"), 2,
                    words, arguments, SECONDS)
        if text is None or "=== facts" in text:
            break
    return text


def main():
    box, tool, emulator, work = map(pathlib.Path, sys.argv[1:])
    archive = initramfs(box, HERE / "init-host",
                        ("vtdpi", 0o755, tool.read_bytes()),
                        ("etc/passwd", 0o644, PASSWD))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        texts = list(pool.map(
            lambda name: run(name, box, archive, emulator, work), MACHINES))
    if None in texts:
        sys.exit(77)
    for name, text in zip(MACHINES, texts):
        for good, what, reason in verdicts(name, text):
            reason = "" if good else " ".join(str(reason).split())
            print(f"{'pass' if good else 'fail'}\tvtdpi host, {name}: {what}"
                  f"\t{reason}")


main()
