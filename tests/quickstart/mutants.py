#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seed each bug of mutant_list.py into a copy of its file, build the demo with
it, and see that the account of one run at least does not balance.

usage: mutants.py [--only REGEX] [--sample N] CC ROOT WORK PARTS LIBRARY MODEL
                  MAIN -- COMPILE...

PARTS and LIBRARY are the archives that hold the unchanged files, COMPILE are
arguments for the compiler.
"""

import argparse
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import mutation
from mutation import Broken, Killed

import mutant_list

SEEDS = 25


class Demo(mutation.Host):
    def __init__(self, options):
        self.options = options
        self.objects = [path for archive in (options.parts, options.library)
                        for path in mutation.members(archive)]
        self.wrapper = os.environ.get("MESON_EXE_WRAPPER", "").split()

    def build(self, mutant, work):
        options = self.options
        compiler = [*options.cc, "-std=c11", "-O1", "-g", "-w",
                    f"-I{options.root}/include", f"-I{options.root}/src",
                    f"-I{options.root}/examples/quickstart"]
        objects = mutation.recompiled(options.root, mutant, work, self.objects,
                                      [*compiler, *options.compile])
        mutation.must([*compiler, "-o", work / "demo", options.main, *objects,
                       options.model, *options.compile])

    def judge(self, mutant, work):
        caught = 0
        for seed in range(SEEDS):
            done = mutation.call([*self.wrapper, work / "demo", "--seed", seed,
                                  "--show", 0], 60)
            if done.returncode not in (0, 1):
                raise Broken(f"status {done.returncode}: {done.stderr}")
            if done.returncode == 1:
                if "THE ACCOUNT DOES NOT BALANCE." not in done.stdout \
                        and not done.stderr:
                    raise Broken(f"a run with status 1 says: {done.stdout}")
                caught += 1
        return Killed("the account", f"{caught} of {SEEDS} seeds") \
            if caught else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    mutation.arguments(parser)
    parser.add_argument("cc", type=str.split)
    for name in ("root", "work", "parts", "library", "model", "main"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("compile", nargs="*")
    options = parser.parse_args()
    tap, _ = mutation.run(
        Demo(options), mutation.chosen(mutant_list.MUTANTS, options),
        options.work)
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
