#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Prove every harness proof_*() of this folder with CBMC; see that each of its
claims can be reached, and that it fails on each defect seeded into a copy of
the library.

usage: proofs.py CBMC [HARNESS...]

Prints TAP: for each harness one line for the proof, one for the probe of its
claims and one for each seed. run.sh finds CBMC and calls this.
"""

import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import seed_list

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
JOBS = 2
UNWIND = "9"
TIMEOUT = 300

# The head of a harness: the bound of its loops may follow, and in a comment of
# its own that of some of them by CBMC's names for them.
HARNESS = re.compile(
    r"^void proof_([a-z0-9_]+)\(void\)(?: /\* unwind (\d+) \*/)?\n"
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


class Broken(Exception):
    """A seed that cannot be planted: the list is out of date."""


def harnesses():
    """All of them: name -> (file, flags for its loops), in order."""
    found = {}
    for path in sorted(HERE.glob("*.c")):
        text = path.read_text(encoding="utf-8")
        for name, bound, loops in HARNESS.findall(text):
            found[name] = (path, ["--unwind", bound or UNWIND])
            if loops:
                found[name][1].extend(
                    ["--unwindset", ",".join(LOOP.findall(loops))])
    return found


def cbmc(program, tree, name, *flags):
    """Run it on one harness over the library in @tree: (status, output)."""
    path, loops = harnesses()[name]
    command = [
        program, "--function", f"proof_{name}", *loops,
        "-I", str(tree), "-I", str(tree / "include"), "-I", str(HERE),
        '-DVTDPI_CONFIG_HEADER="proof_config.h"', *flags, str(path),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              check=False, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return -1, f"no verdict within {TIMEOUT} s"
    return done.returncode, done.stdout + done.stderr


def plant(seed, tree):
    """A copy of the library in @tree with the seed in it."""
    for folder in ("include", "src"):
        shutil.copytree(ROOT / folder, tree / folder)
    for name, old, new in seed.changes:
        path = tree / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise Broken(f"{text.count(old)} times in {name}: {old!r}")
        path.write_text(text.replace(old, new), encoding="utf-8")


def refutes(program, tree, name):
    """(whether some claim fails, output); the first one is enough."""
    status, output = cbmc(program, tree, name, *CHECKS, "--stop-on-fail")
    # Status 10 comes with a failed property; a missing body is one, too, but
    # says something about the harness, not about the library.
    return status == 10 and "no body for callee" not in output, output


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
        try:
            plant(seed, pathlib.Path(folder))
        except Broken as error:
            return False, str(error)
        return refutes(program, pathlib.Path(folder), seed.by)


def jobs(names):
    """Each result to be had: (text, function, argument)."""
    for name in names:
        yield name, check_proof, name
        yield f"{name}: every claim is reached", check_probe, name
        seeds = [seed for seed in seed_list.SEEDS if seed.by == name]
        for seed in seeds:
            yield f"{name}: refutes: {seed.name}", check_seed, seed
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
    unknown = [name for name in names if name not in known]
    stray = [seed.by for seed in seed_list.SEEDS if seed.by not in known]
    if unknown or stray:
        sys.exit(f"no harness {(unknown + stray)[0]}")
    todo = list(jobs(names or known))
    failed = False
    print(f"1..{len(todo)}")
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = pool.map(lambda job: job[1](program, job[2]), todo)
        for number, (job, (ok, output)) in enumerate(zip(todo, results), 1):
            print(f"{'ok' if ok else 'not ok'} {number} - {job[0]}", flush=True)
            if not ok:
                failed = True
                for line in told(output):
                    print(f"# {line}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
