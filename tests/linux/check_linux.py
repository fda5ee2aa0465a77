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
import subprocess
import sys

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


def member(name, mode, data=b"", device=(0, 0)):
    """One file of a cpio archive in the format newc."""
    path = name.encode() + b"\0"
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def initramfs(box, module):
    return b"".join([
        member("bin", 0o040755),
        member("dev", 0o040755),
        member("dev/console", 0o020600, device=(5, 1)),
        member("bin/busybox", 0o100755, (box / "bin/busybox").read_bytes()),
        member("init", 0o100755, (HERE / "init").read_bytes()),
        member("vtdpi_selftest.ko", 0o100644, module.read_bytes()),
        member("TRAILER!!!", 0),
    ])


def boot(box, module, emulator, work):
    """The console, without carriage returns, or None without an emulator."""
    console = work / "console"
    archive = work / "initramfs"
    archive.write_bytes(initramfs(box, module))
    console.write_text("", encoding="utf-8")
    kernel = next((box / "boot").glob("vmlinuz-*"))
    command = [
        emulator, "qemu", "-machine", "q35", "-accel", "tcg,thread=multi",
        "-cpu", "max,-la57", "-smp", str(CPUS), "-m", "512", "-nodefaults",
        "-display", "none", "-no-reboot", "-serial", f"file:{console}",
        "-kernel", kernel, "-initrd", archive, "-append",
        f"console=ttyS0 panic=-1 loglevel=5 no_timer_check ROUNDS={ROUNDS}",
    ]
    try:
        status = subprocess.run(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            timeout=SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        status = None
    if status == 77:
        return None
    text = console.read_text(encoding="utf-8", errors="replace")
    return text.replace("\r", "") + f"\nemulator {status}\n"


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
    work.mkdir(parents=True, exist_ok=True)
    # A kernel that does not get as far as the module says nothing about it: on
    # a busy machine QEMU's timer may be too late for the kernel's own boot.
    for _ in range(3):
        text = boot(box, module, emulator, work)
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
