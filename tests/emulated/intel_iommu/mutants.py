#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Break the library in a copy of the tree, one thing at a time, and see that
the kernel under QEMU fails.

usage: mutants.py [--bits] [--only REGEX] [--sample N] ROOT WORK

Steps left out, done twice or in another order, of mutant_list.py; with --bits
also each single bit of what each encoder makes, flipped on its way out. A
sample of N of these all is spread evenly over them. WORK is a folder for the
copy and its build. Prints TAP, with what gave each of them away; status 0 if
none survived, 77 if QEMU 10 is not to be had.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

import bit_list
import mutant_list
from mutant import MODES, Survivor

# A wait that is in vain is given up earlier than in the tests: everything that
# the library as it is waits for comes within milliseconds.
PATIENCE_US = 5000000

HERE = "tests/emulated/intel_iommu"


class Broken(Exception):
    """A mutant that cannot be made: the list is out of date."""


class Tree:
    """The copy: changed, built, run and changed back."""

    def __init__(self, root, work):
        self.root = root
        self.tree = work / "tree"
        self.build = work / "build"
        shutil.rmtree(work, ignore_errors=True)
        self.tree.mkdir(parents=True)
        for name in ("include", "src", "tests", "examples", "docs", "bench"):
            shutil.copytree(root / name, self.tree / name)
        for name in ("meson.build", "meson_options.txt", "VERSION"):
            shutil.copy(root / name, self.tree / name)
        self.prepare()
        self.must(
            ["meson", "setup", self.build, self.tree, "--buildtype=release"]
        )

    def must(self, command):
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Broken(done.stdout[-2000:])

    def prepare(self):
        """Short patience; and the encoders' results go past a word of the
        command line, which is 0 unless a bit is to be flipped."""
        self.edit(
            "tests/emulated/runtime/meson.build",
            "runtime_c_args = [\n",
            "runtime_c_args = [\n"
            f"  '-DPATIENCE_US=UINT64_C({PATIENCE_US})',\n",
        )
        for file, old, new in bit_list.HOOKS:
            self.edit(file, old, new)

    def changed(self, file, old, new):
        text = (self.tree / file).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise Broken(f"{text.count(old)} times in {file}: {old!r}")
        return text.replace(old, new)

    def edit(self, file, old, new):
        text = self.changed(file, old, new)
        (self.tree / file).write_text(text, encoding="utf-8")

    def applies(self, changes):
        """What is wrong with the first change that cannot be made, or None."""
        try:
            for file, old, _ in changes:
                self.changed(file, old, "")
        except Broken as e:
            return str(e)
        return None

    def kill(self, changes, modes, word):
        """Make it and run it; what gave it away, or None."""
        before = {
            file: (self.tree / file).read_text(encoding="utf-8")
            for file, _, _ in changes
        }
        try:
            for change in changes:
                self.edit(*change)
            self.must(
                ["ninja", "-C", self.build, "tests/emulated/intel-iommu.bin"]
            )
            for mode in modes:
                reason = self.run(mode, word)
                if reason:
                    return f"{mode}: {reason}"
            return None
        finally:
            for file, text in before.items():
                (self.tree / file).write_text(text, encoding="utf-8")

    def run(self, mode, word):
        done = subprocess.run(
            [
                sys.executable,
                self.tree / HERE / "compare.py",
                self.tree / "tests/emulated/run-kernel.sh",
                self.build / "tests/emulated/intel-iommu.bin",
                *(mode, "strict", "short", *([word] if word else [])),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={**os.environ, "SECONDS_MAX": "100"},
        )
        if done.returncode == 77:
            raise Broken("QEMU was here, and is not any more")
        if done.returncode == 0:
            return None
        return why(done.stdout)


def why(output):
    """The first thing that went wrong."""
    lines = output.splitlines()
    for start in ("# PANIC", "# line ", "not ok"):
        for line in lines:
            if line.startswith(start):
                return line.lstrip("# ").removeprefix("not ok ")
    return lines[-1] if lines else "no output"


def everything(bits):
    yield from mutant_list.STEPS
    if bits:
        yield from bit_list.bits()


def report(number, good, text):
    print(f"{'ok' if good else 'not ok'} {number} - {text}", flush=True)
    return good


def judge(tree, number, m):
    """Run one mutant; True if its fate is as it should be."""
    try:
        reason = tree.kill(m.changes, m.modes, m.word)
    except Broken as e:
        print("# " + str(e).replace("\n", "\n# "))
        return report(number, False, f"{m.name}: cannot be made")
    expected = isinstance(m, Survivor)
    told = reason or "survived"
    if expected and not reason:
        told += f", as expected: {m.because}"
    return report(number, (reason is None) == expected, f"{m.name}: {told}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bits", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    args = parser.parse_args()

    if (
        subprocess.run(
            [args.root / "tests/emulated/emulator.sh", "--check", "qemu"],
            stdout=subprocess.DEVNULL,
            check=False,
        ).returncode
        == 77
    ):
        sys.exit(77)
    mutants = [m for m in everything(args.bits) if re.search(args.only, m.name)]
    tree = Tree(args.root.resolve(), args.work.resolve())
    stale = [(m.name, tree.applies(m.changes)) for m in mutants]
    stale = [f"{name}: {wrong}" for name, wrong in stale if wrong]
    if args.sample:
        mutants = mutants[:: max(1, len(mutants) // args.sample)]
        mutants = mutants[: args.sample]
    print(f"1..{len(mutants) + 2}")
    good = report(1, not stale, "; ".join(stale) or "all can be made")
    same = Survivor(
        "unchanged", [], MODES[:1] if args.sample else MODES, because="nothing"
    )
    good &= judge(tree, 2, same)
    for number, m in enumerate(mutants, 3):
        good &= judge(tree, number, m)
    sys.exit(0 if good else 1)


main()
