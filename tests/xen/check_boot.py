#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judge a boot of Xen and dom0, and count against one with Xen's own code.

usage: check_boot.py [--own OWN] [--ratio MAXIMUM] OUT

OUT and OWN are folders of run-dom0.sh. In OUT's console every step of dom0-init has
passed, and Xen has complained of nothing. In its trace no entry was used that a
unit could have had otherwise in its cache: a unit here is taken to cache each entry
that a request has used, and to keep it until it is invalidated. With OWN, the boots'
invalidations of the interrupt entry cache are compared. An invalidation after which
a request found another entry was needed, and counts for neither side. Of the others
OUT may have MAXIMUM times as many as OWN. Prints TAP.
"""

import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.dont_write_bytecode = True
from tap import Tap

# What dom0 has to have reported, whatever else it does.
STEPS = ("nvme at boot", "ahci at boot", "eth0 at boot", "virtio at boot",
         "eth0 on CPU 3", "CPU 3 off", "nvme without CPU 3", "CPU 3 on",
         "nvme with CPU 3 again", "e1000e bound again", "eth0 bound again",
         "ahci bound again", "nvme bound again")
KINDS = ("-msi-x", "-msi", "-ioapic-level", "-ioapic-edge")
BAD = re.compile(r"Assertion|BUG at|Xen BUG|panic|WARN(?!ING)|VT-D.*(error|"
                 r"failed|fault|lost|stays|no answer)|INTR-REMAP|irq .*nobody|"
                 r"nobody cared|spurious vector|No irq handler", re.IGNORECASE)
USED = re.compile(r"vtd_ir_irte_get index (\d+) low (0x[0-9a-f]+) "
                  r"high (0x[0-9a-f]+)")
FLUSH = re.compile(r"vtd_inv_desc_iec granularity (0x[0-9a-f]+) "
                   r"index (0x[0-9a-f]+) mask (0x[0-9a-f]+)")


class Cache:
    """The most that a unit may remember: everything until told to forget."""

    def __init__(self):
        self.entries = {}
        self.forgotten = {}  # what an invalidation has removed
        self.used = 0
        self.needed = 0  # invalidations without which a stale entry was used
        self.flushes = 0
        self.stale = []

    def request(self, index, entry):
        self.used += 1
        self.needed += self.forgotten.pop(index, entry) != entry
        known = self.entries.setdefault(index, entry)
        if known != entry:
            self.stale.append((index, known, entry))
            self.entries[index] = entry

    def invalidate(self, selective, index, order):
        self.flushes += 1
        if not selective:
            self.forgotten.update(self.entries)
            self.entries.clear()
            return
        first = index & ~((1 << order) - 1)
        for i in range(first, first + (1 << order)):
            if i in self.entries:
                self.forgotten[i] = self.entries.pop(i)


def replay(folder):
    cache = Cache()
    with open(folder / "trace.txt", encoding="ascii", errors="replace") as f:
        for line in f:
            used = USED.search(line)
            if used:
                index, low, high = (int(x, 0) for x in used.groups())
                cache.request(index, (low, high))
                continue
            flush = FLUSH.search(line)
            if flush:
                cache.invalidate(*(int(x, 0) for x in flush.groups()))
    return cache


def read_console(folder):
    text = (folder / "console.txt").read_text(encoding="utf-8",
                                              errors="replace")
    return text.replace("\r", "").splitlines()


def judge_console(tap, lines):
    said = [m.group(1) for m in (re.search(r"dom0: (.*)", x) for x in lines)
            if m]
    tap.say("done" in said, "dom0 reached its end", "\n# ".join(lines[-5:]))
    for step in STEPS:
        tap.say(f"pass {step}" in said, step, "no such line")
    failed = [x for x in said if x.startswith("fail")]
    tap.say(not failed, f"nothing failed in dom0, of {len(said)} lines",
           "; ".join(failed))
    for kind in KINDS:
        tap.say(any(x.startswith(f"interrupt {kind} ") for x in said),
               f"dom0 has {kind} interrupts", "none")
    bad = [x for x in lines if BAD.search(x)]
    tap.say(not bad, "no complaint on the console", "\n# ".join(bad[:10]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--own", type=pathlib.Path)
    parser.add_argument("--ratio", type=float, default=1.0)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    tap = Tap()
    judge_console(tap, read_console(args.out))
    cache = replay(args.out)
    tap.say(cache.used > 1000, "requests went through the table",
           f"only {cache.used}")
    tap.say(not cache.stale, f"no stale entry in {cache.used} requests",
           "; ".join(f"index {i}: {a[0]:x} {a[1]:x} became {b[0]:x} {b[1]:x}"
                     for i, a, b in cache.stale[:5]))
    if args.own:
        own = replay(args.own)
        ratio = cache.flushes / max(own.flushes, 1)
        spare, own_spare = (c.flushes - c.needed for c in (cache, own))
        tap.say(cache.flushes > 0 and spare <= args.ratio * own_spare,
                f"at most {args.ratio} of Xen's own invalidations that no "
                "request needed", f"{spare} of {own_spare}")
        print(f"# note: invalidations of the index cache: {cache.flushes}, "
              f"Xen's own {own.flushes}, ratio {ratio:.2f}; without those "
              f"after which a request found another entry: {spare}, "
              f"{own_spare}, ratio {spare / max(own_spare, 1):.2f}")
    return tap.end()


sys.exit(main())
