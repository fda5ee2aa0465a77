#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Plant each bug of mutant_list.py, build its program of the cookbook, and see that
the program says so.

usage: mutants.py [--only REGEX] [--sample N] CC ROOT WORK LIBRARY MODEL -- COMPILE...

LIBRARY and MODEL are the archives that hold the unchanged files, COMPILE are
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

# What is not changed is judged once, with the program that needs most.
UNCHANGED = "10_live_update"


class Cookbook(mutation.Host):
    def __init__(self, options):
        self.options = options
        self.objects = [path for archive in (options.library, options.model)
                        for path in mutation.members(archive)]
        self.wrapper = os.environ.get("MESON_EXE_WRAPPER", "").split()

    def build(self, mutant, work):
        options = self.options
        source = pathlib.Path(
            f"examples/cookbook/{getattr(mutant, 'program', UNCHANGED)}.c")
        mutation.plant(options.root, mutant.changes, work,
                       copied=("include", "src", "examples/cookbook"))
        compiler = [*options.cc, "-std=c11", "-O0", "-w",
                    f"-I{work}/include", f"-I{work}/src", *options.compile]
        objects = self.objects
        for file in sorted({file for file, _, _ in mutant.changes}):
            objects = self.anew(compiler, file, work, objects)
        mutation.must([*compiler, "-o", work / "program", work / source, *objects])

    def anew(self, compiler, file, work, objects):
        """@objects with new ones of what a change of @file concerns."""
        if file.endswith(".c"):
            names = [file] if file.startswith("src/") else []
        elif file.startswith("src/"):
            names = [f"src/{path.name}" for path in (work / "src").glob("*.c")
                     if pathlib.Path(file).name in path.read_text(encoding="utf-8")]
        else:
            names = []  # the inline functions that the program itself calls
        for name in names:
            tail = pathlib.Path(name).name + ".o"
            rest = [path for path in objects if path.name != tail]
            if len(rest) != len(objects) - 1:
                raise Broken(f"{len(objects) - len(rest)} objects of {name}")
            mutation.must([*compiler, "-c", work / name, "-o", work / tail])
            objects = [work / tail, *rest]
        return objects

    def judge(self, mutant, work):
        done = mutation.call([*self.wrapper, work / "program"], 60)
        if done.returncode not in (0, 1):
            raise Broken(f"status {done.returncode}: {done.stderr}")
        if done.returncode == 0:
            return None
        said = done.stdout.strip().splitlines()
        return Killed("the program", said[-1].strip() if said else "its exit status")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    mutation.arguments(parser)
    parser.add_argument("cc", type=str.split)
    for name in ("root", "work", "library", "model"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("compile", nargs="*")
    options = parser.parse_args()
    tap, _ = mutation.run(
        Cookbook(options), mutation.chosen(mutant_list.MUTANTS, options),
        options.work)
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
