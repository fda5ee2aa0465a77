#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Prove every harness proof_*() of this folder with CBMC; see that each of its
claims can be reached, and that it fails on each defect seeded into a copy of
the library.

usage: proofs.py CBMC [--longer | HARNESS...]

Prints TAP: for each harness one line for the proof, one for the probe of its
claims and one for each seed. Without arguments the harnesses of the longer run are
skipped; --longer runs all. run.sh finds CBMC and calls this.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "support"))
import mutation

import mutant_list

UNWIND = "9"
TIMEOUT = 1200  # seconds; a loaded machine may need many

# The head of a harness: the bound of its loops may follow, whether the harness is
# left to the longer run, and in a comment of its own that of some loops by CBMC's names
# for them.
HARNESS = re.compile(
    r"^void proof_([a-z0-9_]+)\(void\)"
    r"(?: /\* unwind (\d+)(, longer run only)? \*/)?\n"
    r"\{\n(?:    /\* loops ((?:[^*]|\*(?!/))+)\*/)?",
    re.M,
)
LOOP = re.compile(r"\w+\.\d+:\d+")
RESULT = re.compile(r"^\[(\S+)\] (?:.*?)line \d+ (.*): (SUCCESS|FAILURE)$",
                    re.M)

CHECKS = [
    "--bounds-check", "--pointer-check", "--pointer-overflow-check",
    "--signed-overflow-check", "--undefined-shift-check",
    "--div-by-zero-check", "--unwinding-assertions", "--no-malloc-may-fail",
    "--drop-unused-functions", "--slice-formula",
]
PROBES = [
    "-DPROBE", "--drop-unused-functions", "--no-standard-checks",
    "--no-unwinding-assertions", "--no-malloc-may-fail",
]


class Harness(NamedTuple):
    file: pathlib.Path
    loops: list  # flags for them
    longer: bool  # for the longer run only


def harnesses():
    """All of them by name, in order."""
    found = {}
    for path in sorted(HERE.glob("*.c")):
        text = path.read_text(encoding="utf-8")
        for name, bound, longer, loops in HARNESS.findall(text):
            flags = ["--unwind", bound or UNWIND]
            if loops:
                flags += ["--unwindset", ",".join(LOOP.findall(loops))]
            found[name] = Harness(path, flags, longer != "")
    return found


def idle_bounds():
    """Bounds of loops in functions that the sources do not have (any more).
    CBMC takes such a bound without a word, and the loop has the common one."""
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("src", "include/vtdpi")
        for path in sorted((ROOT / folder).glob("*.[ch]")))
    bounds = [bound for harness in harnesses().values()
              for bound in LOOP.findall(",".join(harness.loops))]
    return sorted({bound for bound in bounds
                   if not re.search(rf"\b{bound.split('.')[0]}\(", sources)})


def cbmc(program, tree, name, *flags):
    """Run it on one harness over the library in @tree: (status, output)."""
    harness = harnesses()[name]
    command = [
        program, "--function", f"proof_{name}", *harness.loops,
        "-I", str(tree), "-I", str(tree / "include"), "-I", str(HERE),
        '-DVTDPI_CONFIG_HEADER="proof_config.h"', *flags, str(harness.file),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              check=False, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return -1, f"no verdict within {TIMEOUT} s"
    return done.returncode, done.stdout + done.stderr


class Refuter(mutation.Host):
    # A harness that fails by itself is told of by its proof.
    unchanged = mutant_list.Seed("unchanged", (), ("msi_index",),
                                 survives="nothing is changed")

    def __init__(self, program):
        self.program = program

    def build(self, mutant, work):
        mutation.plant(ROOT, mutant.changes, work, ("include", "src"))

    def judge(self, mutant, work):
        broken = []
        for name in mutant.by:
            # The first claim that fails is enough.
            status, output = cbmc(self.program, work, name, *CHECKS,
                                  "--stop-on-fail")
            # Status 10 comes with a failed property; a missing body is one,
            # too, but says something about the harness, not about the library.
            if status == 10 and "no body for callee" not in output:
                return mutation.Killed(name)
            if status != 0:
                broken = told(output)
        if broken:
            raise mutation.Broken("\n".join(broken))
        return None


def check_proof(program, name):
    status, output = cbmc(program, ROOT, name, *CHECKS)
    return status == 0, output


def check_probe(program, name):
    """Whether each claim of the harness itself can be reached."""
    _, output = cbmc(program, ROOT, name, *PROBES)
    own = [
        (text, verdict) for prop, text, verdict in RESULT.findall(output)
        if prop.startswith(f"proof_{name}.assertion") and "probe " in text
    ]
    missed = [text for text, verdict in own if verdict != "FAILURE"]
    if not own:
        return False, output
    return not missed, "".join(f"never reached: {text}\n" for text in missed)


def check_seed(program, seed):
    with tempfile.TemporaryDirectory() as folder:
        outcome = mutation.attempt(Refuter(program), seed,
                                   pathlib.Path(folder) / "tree")
    return mutation.is_good(seed, outcome), mutation.told(seed, outcome)


def jobs(names):
    """Each result to be had: (text, function, argument)."""
    for name in names:
        yield name, check_proof, name
        yield f"{name}: every claim is reached", check_probe, name
        seeds = [seed for seed in mutant_list.SEEDS if seed.by == (name,)]
        for seed in seeds:
            yield seed.name, check_seed, seed
        if not seeds:
            yield f"{name}: refutes a seed", no_seed, name


def no_seed(_, name):
    return False, f"no defect is seeded for {name}"


def told(output):
    """What CBMC said, without the properties that hold."""
    lines = [line for line in output.splitlines()
             if not line.endswith(": SUCCESS") and " function " not in line]
    return [line for line in lines if line.strip()][-20:]


def main():
    program, *names = sys.argv[1:]
    known = harnesses()
    later = []
    if names == ["--longer"]:
        names = list(known)
    elif not names:
        later = [name for name in known if known[name].longer]
        names = [name for name in known if not known[name].longer]
    unknown = [name for name in names if name not in known]
    stray = [name for seed in mutant_list.SEEDS for name in seed.by
             if name not in known]
    if unknown or stray:
        sys.exit(f"no harness {(unknown + stray)[0]}")
    if idle := idle_bounds():
        sys.exit(f"a bound of a loop that is not there: {idle[0]}")
    todo = list(jobs(names))
    tap = mutation.Tap(len(todo) + len(later))
    for name in later:
        tap.say(True, f"{name} # SKIP longer run only: run.sh --longer")
    for (text, _, _), (ok, output) in mutation.in_order(
            lambda job: job[1](program, job[2]), todo):
        tap.say(ok, text, "" if ok else "\n".join(told(output)))
    sys.exit(tap.failed != 0)


if __name__ == "__main__":
    main()
