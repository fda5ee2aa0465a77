#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Break the library in a copy of the tree, one thing at a time, and see that
the kernel under QEMU fails.

usage: mutants.py [--bits] [--only REGEX] [--sample N] ROOT WORK

Steps left out, done twice or in another order, of mutant_list.py; with --bits
also each single bit of what each encoder makes, flipped on its way out. WORK is
a folder for the copy and its build. Prints what gave each of them away; skips
if QEMU 10 is not to be had.
"""

import argparse
import dataclasses
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import mutation
from mutation import Broken, Killed

import mutant_list
from mutant import MODES, Step

KERNEL = "tests/emulated/intel-iommu.bin"


class Qemu(mutation.TreeHost):
    unchanged = Step(**vars(mutation.Host.unchanged))

    def __init__(self, options):
        super().__init__(options.root, options.work, KERNEL,
                         prepared=mutant_list.PREPARED)
        if options.sample:
            self.unchanged = dataclasses.replace(self.unchanged, modes=MODES[:1])

    def judge(self, mutant, work):
        for mode in mutant.modes:
            reason = self.boot(mode, mutant.word)
            if reason:
                return Killed(mode, reason)
        return None

    def boot(self, mode, word):
        """What went wrong first, or None."""
        done = mutation.call(
            [
                sys.executable,
                self.tree / "tests/emulated/intel_iommu/compare.py",
                self.tree / "tests/emulated/run-kernel.sh",
                self.image,
                *(mode, "strict", "short", *([word] if word else [])),
            ],
            env={**os.environ, "SECONDS_MAX": "100"},
        )
        if done.returncode == 77:
            raise Broken("QEMU was here, and is not any more")
        return why(done.stdout + done.stderr) if done.returncode != 0 else None


def why(output):
    """The first thing that went wrong."""
    lines = output.splitlines()
    for start in ("# PANIC", "# line ", "not ok"):
        for line in lines:
            if line.startswith(start):
                return line.lstrip("# ").removeprefix("not ok ")
    return lines[-1] if lines else "no output"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    mutation.arguments(parser)
    parser.add_argument("--bits", action="store_true")
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    options = parser.parse_args()
    options.root = options.root.resolve()
    options.work = options.work.resolve()
    emulator = options.root / "tests/emulated/emulator.sh"
    if mutation.call([emulator, "--check", "qemu"]).returncode == 77:
        mutation.skip("QEMU 10 is not to be had")
    mutants = [*mutant_list.STEPS, *(mutant_list.BITS if options.bits else ())]
    tap, _ = mutation.run(
        Qemu(options), mutation.chosen(mutants, options),
        options.work / "mutants")
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
