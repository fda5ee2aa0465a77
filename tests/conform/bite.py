#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every phase bites, and bites only what it is for.

usage: bite.py BAD

BAD is the driver with switches. Without a bug no phase fails; with a bug the phases
that BAD names beside the bug fail, and no others. Each phase has a bug. Prints TAP.
"""

import concurrent.futures
import json
import subprocess
import sys

WORKERS = 2


def run(bad, *arguments):
    return subprocess.run([bad, *arguments], capture_output=True, text=True,
                          check=False, timeout=300)


def failing(bad, bug):
    """The phases that fail with @bug, and whether the exit status agrees."""
    done = run(bad, "--bug", bug, "--format", "json")
    report = json.loads(done.stdout)
    names = {p["name"] for p in report["phases"] if p["verdict"] == "fail"}
    return names, (done.returncode == 1) == bool(names)


def bugs_of(bad):
    for line in run(bad, "--bugs").stdout.splitlines():
        bug, *phases = line.split()
        yield bug, set(phases)


def main():
    bad = sys.argv[1]
    bugs = list(bugs_of(bad))
    phases = set(run(bad, "--list").stdout.split("\n")) - {""}
    names = {line.split()[0] for line in phases}
    print(f"1..{len(bugs) + 3}")
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(lambda b: failing(bad, b[0]), bugs)
        for i, ((bug, expected), (found, agrees)) in enumerate(
                zip(bugs, results), 1):
            good = found == expected and agrees
            print(f"{'ok' if good else 'not ok'} {i} - {bug}")
            if not good:
                print(f"# fails: {sorted(found)}, not {sorted(expected)}",
                      flush=True)
    idle = names - {phase for _, some in bugs for phase in some}
    print(f"{'ok' if not idle else 'not ok'} {len(bugs) + 1} - "
          "every phase has a bug")
    for name in sorted(idle):
        print(f"# no bug for {name}")
    report = run(bad, "--bug", "any_source", "--format", "json").stdout
    entry = "IM=0 V=0x51 DST=0x2 SID=0x0 BDF=00:00.0 SQ=0x0 SVT=0x0 hi=0x0"
    print(f"{'ok' if entry in report else 'not ok'} {len(bugs) + 2} - "
          "a finding has the entry as format.h prints it")
    report = run(bad, "--bug", "event_is_nmi", "--format", "json").stdout
    silent = "leaves the event" not in report
    print(f"{'ok' if silent else 'not ok'} {len(bugs) + 3} - "
          "an event that is an NMI has a message")


main()
