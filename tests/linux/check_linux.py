#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boot Linux in QEMU, insert the module of examples/linux, and judge.

usage: check_linux.py BOX MODULE EMULATOR WORK

BOX is the folder of fetch-debs.sh with a kernel and busybox, MODULE the .ko,
EMULATOR emulator.sh, WORK a folder for the initramfs and the console. The first
process is the script `init` beside this file.

Prints one line for each check, "pass|fail <tab> name <tab> reason", and notes.
Status: 0, or 77 if the emulator is not to be had.
"""

import pathlib
import re
import sys

from linuxvm import boot, initramfs

HERE = pathlib.Path(__file__).resolve().parent
CPUS = 4
ROUNDS = 8
SECONDS = 240

# What the kernel says when something is wrong in it.
TROUBLE = re.compile(
    r"WARNING:|BUG:|Oops|Call Trace|stall|soft lockup|hung task|panic"
    r"|does not (?:go|come)|failure: .*"
)

# What has to have happened, or the run has shown nothing.
AT_LEAST = {
    "posted": 1000,
    "runs": 1000,
    "preempts": 100,
    "blocks": 500,
    "wakes-by-handler": 200,
    "wakes-by-offline": 1,
    "taken-in-guest": 1,
    "device-posts": 200,
    "moves": 20,
    "offlines": ROUNDS * (CPUS - 1),
    "onlines": ROUNDS * (CPUS - 1) + CPUS,
}


def run(box, module, emulator, work):
    """The console, or None without an emulator."""
    archive = initramfs(box, HERE / "init", (
        "vtdpi_selftest.ko", 0o644, module.read_bytes()))
    return boot(box, archive, emulator, work, CPUS, f"ROUNDS={ROUNDS}",
                seconds=SECONDS)


def verdicts(text):
    """(whether good, what, reason) of each check."""
    found = dict(re.findall(r"^([a-z-]+) (-?\d+)$", text, re.MULTILINE))
    value = {name: int(number) for name, number in found.items()}
    trouble = TROUBLE.search(text)
    yield not trouble, "the kernel complains of nothing", \
        trouble and trouble[0]
    for step in ("insmod", "rmmod", "emulator"):
        yield value.get(step) == 0, f"{step} succeeds", \
            f"status {value.get(step)}"
    yield value.get("failures") == 0, "no failure", \
        f"{value.get('failures')}"
    yield value.get("posted", -1) == value.get("taken"), \
        "every post is taken once", \
        f"{value.get('posted')} posted, {value.get('taken')} taken"
    for name, least in AT_LEAST.items():
        yield value.get(name, -1) >= least, f"{name}: at least {least}", \
            f"{value.get(name)}"


def main():
    box, module, emulator, work = map(pathlib.Path, sys.argv[1:])
    # A kernel that does not get as far as the module says nothing about it: on
    # a busy machine QEMU's timer may be too late for the kernel's own boot.
    for _ in range(3):
        text = run(box, module, emulator, work)
        if text is None:
            sys.exit(77)
        if re.search(r"^insmod ", text, re.MULTILINE):
            break
        print(f"note\tnot booted: {text.strip().splitlines()[0]}")
    results = text.partition("\nresults:\n")[2].partition("\nrmmod")[0]
    print("note\t" + ", ".join(results.split("\n")))
    for good, name, reason in verdicts(text):
        print(f"{'pass' if good else 'fail'}\t{name}\t{'' if good else reason}")


main()
