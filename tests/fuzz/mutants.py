#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seed each bug of mutant_list.py into a copy of the library, and see that
fuzz_unit notices.

usage: mutants.py [--only REGEX] [--sample N] [--runs N] CC ROOT ARCHIVE WORK

ARCHIVE is fuzz_unit_seeds without the library.
"""

import argparse
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import mutation
from mutation import Broken, Killed, must

import mutant_list


class Fuzzer(mutation.Host):
    def __init__(self, options):
        self.options = options

    def build(self, mutant, work):
        options = self.options
        mutation.plant(options.root, mutant.changes, work, ("include", "src"))
        must(options.cc.split() + [
            "-std=c11", "-O1", "-w", "-mcx16", f"-I{work}/include",
            *sorted((work / "src").glob("*.c")), options.archive,
            "-o", work / "seeds",
        ])

    def judge(self, mutant, work):
        done = mutation.call([work / "seeds", "--runs", self.options.runs], 600)
        if done.returncode == 0:
            return None
        seed = re.search(r"^seed (\d+)$", done.stderr, re.MULTILINE)
        if not seed:
            raise Broken(done.stderr[-2000:])
        promise = done.stderr.splitlines()[0].split(": ", 1)[-1]
        return Killed(f"seed {seed[1]}", promise)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    mutation.arguments(parser)
    parser.add_argument("--runs", type=int, default=30000)
    parser.add_argument("cc")
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    options = parser.parse_args()
    options.root = options.root.resolve()
    options.archive = options.archive.resolve()
    mutants = mutation.chosen(mutant_list.MUTANTS, options)
    tap, _ = mutation.run(Fuzzer(options), mutants, options.work)
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
