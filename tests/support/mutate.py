#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Flip operators of the library, one at a time, and see which flips no test notices.

usage: mutate.py [--sample N] [--seed S] [--work FOLDER] [--list] [FILE...]

FILE is a source, src/qi.c or qi.c; without one, all of src without the model. flip.py
says what is changed. Each flip is built in a copy of the tree, and the unit tests that
concern the file run (TESTS below), the fast ones first. A flip is

    killed     a test fails, or takes ten times as long as it should;
    same       the compiler makes the same code of it, so that nothing can notice;
    invalid    it does not compile;
    survived   all of these tests pass.

Results go to results.jsonl in the folder, and a later run goes on from there. A change
of the file, or of a test, makes earlier results stale: remove the folder then.
At the end: a table and the survivors. Status 1 if 5 % or more have survived.
"""

import argparse
import concurrent.futures
import fnmatch
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import flip  # noqa: E402
import mutation  # noqa: E402

GOAL = 0.05
SLOWER = 10
AT_LEAST = 10  # seconds
# File, and the tests that concern it. The first pattern that fits counts.
TESTS = {
    "backend*": ("backend", "irq*", "table*"),
    "bind*": ("bind*", "route*", "format_bind", "live_update"),
    "caps*": ("caps", "unit", "unit_states", "fault*"),
    "dmar*": ("dmar*",),
    "fault*": ("fault*", "unit*"),
    "format_sched*": ("format*", "sched*"),
    "format*": ("format*",),
    "hostmsi*": ("hostmsi*",),
    "index*": ("index", "table*"),
    "inline*": ("pid*", "version"),
    "internal*": ("irte*", "caps", "qi*", "unit*", "table*", "dmar*"),
    "ipiv*": ("ipiv",),
    "irq*": ("irq*", "bind*", "live_update"),
    "irte*": ("irte*", "table*", "live_update"),
    "msi*": ("msi*", "route*"),
    "qi*": ("qi*", "unit*", "fault*"),
    "route*": ("route*", "bind*"),
    "sched*": ("sched*", "choose", "format_sched", "hostmsi*", "live_update"),
    "source*": ("source", "dmar_find", "irte*"),
    "table*": ("table*", "irq_model", "format_table", "live_update", "bind_run"),
    "unit*": ("unit*", "qi*", "fault*", "table_units", "table_off"),
    "status*": ("status",),
    "verdict*": ("verdict",),
    "version*": ("version",),
    }


def tests_of(name, programs):
    for pattern, wanted in TESTS.items():
        if fnmatch.fnmatch(name, pattern):
            own = name.split(".")[0]
            return [p for p in programs
                    if any(fnmatch.fnmatch(p.name[len("test_"):], w)
                           for w in (*wanted, own))]
    return []


class Bench:
    """A copy of the tree with a build, in which one file is changed at a time."""

    def __init__(self, work):
        self.folder = work / "tree"
        self.build = work / "build"
        mutation.Tree(ROOT, self.folder)
        if not (self.build / "build.ninja").exists():
            mutation.must(["meson", "setup", self.build, self.folder,
                           "--buildtype=release", "--default-library=static",
                           "--optimization=2", "--auto-features=disabled",
                           "-Dtests=enabled"])
        listed = mutation.must(["meson", "introspect", "--tests", self.build])
        # A program of CMocka stands behind a script that reads its output.
        self.programs = sorted(
            {self.build / word for test in json.loads(listed)
             for word in test["cmd"] if pathlib.Path(word).name.startswith("test_")
             if "libvtdpi:unit" in test["suite"] and "libvtdpi:slow" not in test["suite"]})
        self.seconds = {}

    def ninja(self, programs):
        return mutation.call(["ninja", "-C", self.build,
                              *(p.relative_to(self.build) for p in programs)])

    def code(self):
        """Of all objects of the library, also of the one with hooks."""
        digest = hashlib.sha256()
        for folder in ("src/libvtdpi.a.p", "tests/hook/libvtdpi-hooked.a.p"):
            for path in sorted((self.build / folder).glob("*.o")):
                digest.update(path.read_bytes())
        return digest.digest()

    def run(self, program):
        """None, or why it did not pass."""
        limit = max(AT_LEAST, SLOWER * self.seconds.get(program, 60))
        start = time.monotonic()
        try:
            done = mutation.call([program], limit, cwd=program.parent)
        except subprocess.TimeoutExpired:
            return "timeout"
        self.seconds.setdefault(program, time.monotonic() - start)
        return None if done.returncode == 0 else f"status {done.returncode}"

    def prepare(self, programs):
        done = self.ninja(programs)
        if done.returncode != 0:
            sys.exit(done.stdout[-4000:])
        for program in programs:
            why = self.run(program)
            if why:
                sys.exit(f"{program.name} fails by itself: {why}")
        return sorted(programs, key=self.seconds.get)

    def killer(self, programs):
        """Name of a test that fails, or None. Two at a time."""
        with concurrent.futures.ThreadPoolExecutor(mutation.WORKERS) as pool:
            jobs = {pool.submit(self.run, p): p for p in programs}
            for job in concurrent.futures.as_completed(jobs):
                if job.result():
                    for other in jobs:
                        other.cancel()
                    return f"{jobs[job].name} ({job.result()})"
        return None

    def judge(self, file, text, change, programs, code):
        (self.folder / file).write_text(change.apply(text), encoding="utf-8")
        try:
            if self.ninja(programs).returncode != 0:
                return "invalid", ""
            if self.code() == code:
                return "same", ""
            by = self.killer(programs)
            return ("killed", by) if by else ("survived", "")
        finally:
            (self.folder / file).write_text(text, encoding="utf-8")


def key_of(file, text, change):
    """The same for as long as the file is."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return [file, digest, *change]


def told(result):
    file, _, kind, _, _, new = result["key"]
    return f"{file}:{result['line']}: {kind}: {result['old']!r} -> {new!r}"


def report(results):
    """The rate of survivors among those that could be noticed."""
    files = sorted({r["key"][0] for r in results})
    rows = []
    for name in [*files, "all"]:
        of = [r["outcome"] for r in results if name in ("all", r["key"][0])]
        counts = [of.count(o) for o in ("killed", "survived", "same", "invalid")]
        rate = counts[1] / max(1, counts[0] + counts[1])
        rows.append((name, *counts, f"{100 * rate:.1f} %"))
    print(f"\n{'file':24} killed survived   same invalid  survivors")
    for row in rows:
        print("{:24} {:6} {:8} {:6} {:7} {:>10}".format(*row))
    print("\nsurvivors:")
    for result in results:
        if result["outcome"] == "survived":
            print(f"  {told(result)}")
    return rate


def arguments():
    parser = argparse.ArgumentParser(prog="run mutate", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, metavar="N",
                        help="at most N flips of a file, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/mutate",
                        metavar="FOLDER", help="build/mutate unless given")
    parser.add_argument("--list", action="store_true",
                        help="print the flips and change nothing")
    parser.add_argument("files", nargs="*", metavar="FILE")
    return parser.parse_args()


def chosen(options):
    """(file, its text, its flips)"""
    names = options.files or sorted(
        str(p.relative_to(ROOT)) for p in (ROOT / "src").glob("*.[ch]"))
    for name in names:
        path = name if "/" in name else f"src/{name}"
        if not (ROOT / path).is_file():
            sys.exit(f"no file {path}")
        text = (ROOT / path).read_text(encoding="utf-8")
        every = flip.flips(text)
        if options.sample and options.sample < len(every):
            draw = random.Random(f"{options.seed} {path}")
            every = sorted(draw.sample(every, options.sample))
        yield path, text, every


def main():
    options = arguments()
    if options.list:
        for file, text, every in chosen(options):
            for change in every:
                line = text.count("\n", 0, change.start) + 1
                old = text[change.start:change.end]
                print(f"{file}:{line}: {change.kind}: {old!r} -> {change.new!r}")
        return 0
    options.work.mkdir(parents=True, exist_ok=True)
    log = options.work / "results.jsonl"
    done = {}
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            result = json.loads(line)
            done[tuple(result["key"])] = result
    bench = Bench(options.work)
    results = []
    for file, text, every in chosen(options):
        programs = tests_of(pathlib.Path(file).name, bench.programs)
        if not programs:
            sys.exit(f"no test concerns {file}")
        ready = None
        for change in every:
            key = key_of(file, text, change)
            result = done.get(tuple(key))
            if result is None:
                if ready is None:
                    ready = bench.prepare(programs)
                    code = bench.code()
                outcome, by = bench.judge(file, text, change, ready, code)
                result = {"key": key, "outcome": outcome, "by": by,
                          "line": text.count("\n", 0, change.start) + 1,
                          "old": text[change.start:change.end]}
                with log.open("a", encoding="utf-8") as file_log:
                    print(json.dumps(result), file=file_log)
                print(f"{outcome:8} {told(result)} {by}", flush=True)
            results.append(result)
    return report(results) >= GOAL


if __name__ == "__main__":
    sys.exit(main())
