#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seed each bug of mutant_list.py into a copy of its file, build the miniature
bhyve with it, and see that a run ends with an error.

usage: mutants.py [--only REGEX] [--sample N] [--runs N] CC ROOT WORK MINI MAIN
                  LIBRARY SHIM HOST -- COMPILE...

MINI is the archive that holds the unchanged files, the others are what they are
linked with; COMPILE are arguments for the compiler.
"""

import argparse
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import mutation
from mutation import Killed, must

import mutant_list


class Mini(mutation.Host):
    def __init__(self, options):
        self.options = options
        self.objects = mutation.members(options.mini)

    def build(self, mutant, work):
        options = self.options
        objects = mutation.recompiled(
            options.root, mutant, work, self.objects,
            [*options.cc, "-std=c11", "-O1", "-g", "-w",
             f"-I{options.root}/examples/bhyve",
             f"-I{options.root}/tests/freebsd/mini",
             f"-I{options.root}/include", *options.compile])
        must([*options.cc, "-pthread", "-o", work / "mini", *objects,
              "-Wl,--whole-archive", options.main, options.shim,
              "-Wl,--no-whole-archive", options.library, options.host])

    def judge(self, mutant, work):
        for mode in ([], ["--threads"]):
            try:
                done = mutation.call(
                    [work / "mini", "--scale", "60", "--runs",
                     self.options.runs, *mode], 60)
            except subprocess.TimeoutExpired:
                return Killed("time", "does not end")
            if done.returncode != 0:
                played = [line for line in done.stdout.split("\n")
                          if ", seed " in line]
                return Killed(played[-1] if played else "?", reason(done))
        return None


def reason(done):
    """What it said, without the place in this program's own source."""
    said = [line for line in done.stderr.split("\n")
            if line.startswith(("panic: ", "FAILED: ", "shim: "))]
    if not said:
        return f"status {done.returncode}"
    return re.sub(r"\S*/(\w+\.c:\d+)", r"\1", said[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    mutation.arguments(parser)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("cc", type=str.split)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("mini", type=pathlib.Path)
    for archive in ("main", "library", "shim", "host"):
        parser.add_argument(archive)
    parser.add_argument("compile", nargs="*")
    options = parser.parse_args()
    tap, _ = mutation.run(
        Mini(options), mutation.chosen(mutant_list.MUTANTS, options),
        options.work)
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
