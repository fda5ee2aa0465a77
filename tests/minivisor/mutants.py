#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Break the minivisor, or the library below it, in one place at a time, and see
that its run fails.

usage: mutants.py [--only REGEX] [--sample N] ROOT WORK

WORK is a folder for a copy of the tree and its build, kept between runs. Takes
some seconds for each bug. Prints what killed each: the rows of the account that
are not 0, or how the run ended.
"""

import argparse
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import mutation
from mutation import Broken, Killed

import mutant_list

SEEDS = (1, 2, 3)
IMAGE = "examples/minivisor/minivisor.img"


class Minivisor(mutation.TreeHost):
    def __init__(self, root, work):
        super().__init__(root, work, IMAGE, "-Dtests=disabled",
                         "-Dexamples=enabled", "-Dbench=disabled")

    def judge(self, mutant, work):
        for seed in SEEDS:
            done = mutation.call(
                [self.tree / "tests/emulated/run-kernel.sh", "bochs",
                 self.image, 4, f"seed={seed}"], 300)
            if done.returncode == 77:
                raise Broken(done.stderr)
            if done.returncode != 0:
                return Killed(f"seed {seed}", why(done.stdout, done.stderr))
        return None


def why(out, err):
    """How a run failed, in a line."""
    for line in out.splitlines():
        if "PANIC " in line:
            return line[line.index("PANIC "):]
    rows = out.partition("Must be 0\n")[2].partition("  Vector ff")[0]
    rows = re.findall(r"^  (\S.*?) +([1-9]\d*)$", rows, re.MULTILINE)
    if rows:
        return "; ".join("%s: %s" % row for row in rows)
    return (err.strip().splitlines() or ["no output"])[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    mutation.arguments(parser)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    options = parser.parse_args()
    host = Minivisor(options.root.resolve(), options.work.resolve())
    tap, _ = mutation.run(
        host, mutation.chosen(mutant_list.MUTANTS, options),
        options.work / "mutants")
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
