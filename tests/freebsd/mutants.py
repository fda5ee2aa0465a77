#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seed each bug of mutant_list.py into a copy of its file, build the miniature
bhyve with it, and see that a run ends with an error.

usage: mutants.py [--only TEXT] [--runs N] CC ROOT WORK MINI MAIN LIBRARY SHIM
                  HOST -- COMPILE...

MINI is the archive that holds the unchanged files, the others are what they are
linked with; COMPILE are arguments for the compiler. Prints TAP, and with each
bug what it was found by.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

import mutant_list


class Broken(Exception):
    """A mutant that cannot be made: the list is out of date."""


def call(command, seconds=120):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=seconds)


def must(command):
    done = call(command)
    if done.returncode != 0:
        raise Broken((done.stderr or done.stdout).strip().split("\n")[0])
    return done.stdout


def members(archive):
    """Object files of a thin archive, as Meson makes them."""
    listed = must(["ar", "t", str(archive)]).split()
    return [path if path.exists() else archive.parent / path
            for path in map(pathlib.Path, listed)]


def mutate(root, work, mutant):
    text = (root / mutant.file).read_text(encoding="utf-8")
    for old, new in mutant.changes:
        if text.count(old) != 1:
            raise Broken(f"{text.count(old)} times in {mutant.file}, not once:"
                         f" {old!r}")
        text = text.replace(old, new)
    path = work / pathlib.Path(mutant.file).name
    path.write_text(text, encoding="utf-8")
    return path


def build(options, work, mutant):
    source = mutate(options.root, work, mutant)
    changed = work / "changed.o"
    must([*options.cc, "-std=c11", "-O1", "-g", "-w",
          f"-I{options.root}/examples/bhyve",
          f"-I{options.root}/tests/freebsd/mini",
          f"-I{options.root}/include", *options.compile, "-c", str(source),
          "-o", str(changed)])
    suffix = "_".join(pathlib.Path(mutant.file).parts[-2:]) + ".o"
    rest = [str(o) for o in options.objects if not o.name.endswith(suffix)]
    if len(rest) != len(options.objects) - 1:
        raise Broken(f"no object of {mutant.file}")
    must([*options.cc, "-pthread", "-o", str(work / "mini"), str(changed),
          *rest, "-Wl,--whole-archive", options.main, options.shim,
          "-Wl,--no-whole-archive", options.library, options.host])


def reason(done):
    """What it said, without the place in this program's own source."""
    said = [line for line in done.stderr.split("\n")
            if line.startswith(("panic: ", "FAILED: ", "shim: "))]
    if not said:
        return f"status {done.returncode}"
    return re.sub(r"\S*/(\w+\.c:\d+)", r"\1", said[0])


def judge(options, program):
    """(scenario, message), or None if it was not noticed."""
    for mode in ([], ["--threads"]):
        try:
            done = call([str(program), "--scale", "60", "--runs",
                         str(options.runs), *mode], 60)
        except subprocess.TimeoutExpired:
            return "?", "does not end"
        if done.returncode != 0:
            played = [line for line in done.stdout.split("\n")
                      if ", seed " in line]
            return played[-1] if played else "?", reason(done)
    return None


def run(options, number, mutant):
    work = options.work / f"{number:02d}"
    work.mkdir(parents=True, exist_ok=True)
    try:
        build(options, work, mutant)
        return judge(options, work / "mini")
    except Broken as error:
        return error


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("cc")
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("mini", type=pathlib.Path)
    for archive in ("main", "library", "shim", "host"):
        parser.add_argument(archive)
    parser.add_argument("compile", nargs="*")
    options = parser.parse_args()
    options.cc = options.cc.split()
    options.objects = members(options.mini)
    chosen = [m for m in mutant_list.MUTANTS if options.only in m.name]
    failed = False
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(lambda n: run(options, n, chosen[n]),
                           range(len(chosen)))
        print(f"1..{len(chosen)}", flush=True)
        for number, result in enumerate(results):
            name = chosen[number].name
            good = isinstance(result, tuple)
            failed = failed or not good
            said = " ".join(result) if good else result or "not noticed"
            print(f"{'ok' if good else 'not ok'} {number + 1} - {name}\n"
                  f"# {said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
