#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judge a run of run-bochs.sh.

usage: check_bochs.py OUT

Every interrupt that was raised has come, none twice; sleeping vCPUs were woken by
the wakeup vector, and each wake belongs to a block. Prints TAP.
"""

import pathlib
import re
import sys

VERDICT = re.compile(r"guest: timers (\d+) of (\d+); to halted (\d+) of (\d+); "
                     r"to running (\d+) of (\d+); taken (\d+)")
COUNTERS = re.compile(r"CPU(\d+): (\d+) blocks, (\d+) wakeup vectors, (\d+) "
                      r"wakes, (\d+) notifications")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.split("\n\n", maxsplit=2)[1])
    path = pathlib.Path(sys.argv[1]) / "console.txt"
    text = path.read_text(encoding="utf-8", errors="replace").replace("\r", "")
    results = []

    def ok(good, name):
        results.append(good)
        print(f"{'ok' if good else 'not ok'} {len(results)} - {name}")

    verdict = VERDICT.search(text)
    ok(verdict is not None, "the guest has a verdict")
    got = [int(n) for n in verdict.groups()] if verdict else [0] * 7
    for name, at in (("timers", 0), ("to a halted vCPU", 2),
                     ("to a running vCPU", 4)):
        ok(got[at] == got[at + 1] > 0, f"{got[at]} of {got[at + 1]} {name}")
    ok(got[6] == got[1] + got[3] + got[5], f"{got[6]} taken, none twice")
    cpus = [[int(n) for n in c] for c in COUNTERS.findall(text)]
    blocks, wakeups, wakes = (sum(c[i] for c in cpus) for i in (1, 2, 3))
    ok(len(cpus) == 2, "both CPUs have counters")
    # Xen's timer code wakes its vCPU by itself; all other sleeps end by a vector.
    ok(wakes >= got[3] * 9 // 10 > 0,
       f"{wakes} wakes by {wakeups} wakeup vectors")
    ok(wakes <= blocks + len(cpus), f"{wakes} wakes for {blocks} blocks")
    bad = re.findall(r".*(?:Assertion|Xen BUG|BUG at|panic|FATAL).*", text)
    ok(not bad, "no complaint on the console" + "".join(f"; {b}" for b in bad))
    print(f"# note: {wakes} of {blocks} sleeps ended by the wakeup vector")
    print(f"1..{len(results)}")
    sys.exit(0 if all(results) else 1)


main()
