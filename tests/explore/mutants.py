#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seed each bug of mutant_list.py into a copy of the library, compile it
against the explorer, and see that the scenario named there fails.

usage: mutants.py [--find] [--only TEXT] [--doc PAGE [--write RUN]]
                  CC ROOT ARCHIVE WORK

ARCHIVE is the explorer without the code under test. Prints TAP; with --find,
which scenarios kill what has none, for whoever extends the list. The tables
in PAGE have to agree with the outcome; --write makes them, with the number of
states from RUN, the output of a whole `explore`. What the list says of where a
bug is known from has to be a section of races.md, beside PAGE.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

import mutant_list
from mutant_list import Equivalent

# Cheapest first: what --find tries, each with a limit of states; and what a
# change that is equivalent has to survive.
FIND_STATES = 30000
SAME_STATES = 10000


class Broken(Exception):
    """A mutant that cannot be made: the list is out of date."""


def mutate(root, work, changes):
    """Write changed copies of the sources below @work."""
    texts = {}
    for name in (mutant_list.SCHED, mutant_list.SCAN, mutant_list.PID):
        texts[name] = (root / name).read_text(encoding="utf-8")
    for name, old, new in changes:
        if texts[name].count(old) != 1:
            raise Broken(
                f"{texts[name].count(old)} times in {name}, not once: {old!r}"
            )
        texts[name] = texts[name].replace(old, new)
    for name, text in texts.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def build(options, work):
    """Compile the code under test and link it with the rest."""
    here = options.root / "tests/explore"
    command = options.cc.split() + [
        "-std=c11", "-O2", "-w",
        f'-DVTDPI_CONFIG_HEADER="{here}/atomic_explore.h"',
        f"-I{work}/include", f"-I{work}/src", f"-I{options.root}/include",
        f"-I{options.root}/src", f"-I{here}",
        str(here / "subject.c"), str(here / "main.c"), str(options.archive),
        "-o", str(work / "explore"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(done.stderr.strip().split("\n")[0])


def explore(program, *arguments):
    """The first failure as (scenario, message), or None."""
    done = subprocess.run(
        [str(program), "--brief", "--first", *arguments],
        capture_output=True, text=True, check=False, timeout=900,
    )
    if done.returncode not in (0, 1):
        raise Broken(f"status {done.returncode}: {done.stderr.strip()}")
    for line in done.stdout.split("\n"):
        if " FAILED " in line:
            return line.split()[0], line.split(" s  ", 1)[1].strip()
    return None


def scenarios(program):
    listed = subprocess.run(
        [str(program), "--list"], capture_output=True, text=True, check=True
    )
    return [line.split("\t")[0] for line in listed.stdout.splitlines()]


def judge(options, program, by, *arguments):
    """Who kills it: (scenario, message), or None for a survivor."""
    if by and not options.find:
        return explore(program, *arguments, "--scenario", by)
    found = []
    limit = FIND_STATES if options.find else SAME_STATES
    for name in scenarios(program):
        killed = explore(program, *arguments, "--scenario", name, "--states",
                         str(limit))
        if killed:
            found.append(killed)
            if found:
                break
    if options.find and found:
        return found[0][0], "; ".join(f"{s}: {m}" for s, m in found)
    return found[0] if found else None


def run(options, number, mutant):
    """One mutant: (number, killed, text)."""
    work = options.work / f"{number:02d}"
    try:
        if isinstance(mutant, tuple) and hasattr(mutant, "changes"):
            mutate(options.root, work, mutant.changes)
            build(options, work)
            by = getattr(mutant, "by", "")
            return judge(options, work / "explore", by)
        name, by, _ = mutant
        return judge(options, options.work / "plain/explore", by, "--bug", name)
    except Broken as error:
        return error


def origin_of(mutant):
    return mutant.origin if hasattr(mutant, "origin") else mutant[2]


def name_of(mutant):
    return mutant.name if hasattr(mutant, "name") else f"host: {mutant[0]}"


def row(mutant, killed):
    """One line of the table in the documentation."""
    if isinstance(mutant, Equivalent):
        return f"| {mutant.name} | {mutant.why} |"
    return f"| {name_of(mutant)} | {origin_of(mutant)} | {killed[0]} | {killed[1][0]} |"


def unexplained(options):
    """What "known from" says and no section of races.md is called."""
    text = options.doc.with_name("races.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^### (.*)$", text, flags=re.M)) | {""}
    listed = mutant_list.MUTANTS + mutant_list.HOST_BUGS
    return sorted({origin_of(m) for m in listed} - known)


def without_states(table):
    """A number in the last cell but one is known after a whole run only."""
    return re.sub(r"(?<=\| )\d+(?= \| [^|\n]* \|$)", "-", table, flags=re.M)


def check_doc(options, rows):
    """Compare the generated part of the page with @rows, or replace it."""
    text = options.doc.read_text(encoding="utf-8")
    ok = True
    for name, wanted in rows.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        head, rest = text.split(begin)
        old, tail = rest.split(end)
        new = "\n".join(wanted) + "\n"
        ok = ok and without_states(old) == without_states(new)
        text = head + begin + new + end + tail
    if options.write:
        options.doc.write_text(text, encoding="utf-8")
    return ok or options.write is not None


def tables(results):
    """The rows of both tables, from (mutant, killed)."""
    killed = ["| bug | known from | killed by | property |",
              "| --- | --- | --- | --- |"]
    same = ["| change | why it changes nothing |", "| --- | --- |"]
    for mutant, how in results:
        if isinstance(mutant, Equivalent):
            same.append(row(mutant, how))
        elif isinstance(how, tuple):
            killed.append(row(mutant, how))
    return {"mutants": killed, "equivalents": same}


RESULT = re.compile(
    r"(?:ok \d+ - )?(\w+)/[12]/(?:sc|tso) .*?"
    r"(?:interleavings|preemptions) +(\d+) states"
)


def states_of(run):
    """By scenario: in both layouts and both memory models together."""
    total = {}
    for line in run.read_text(encoding="utf-8").splitlines():
        if found := RESULT.match(line):
            total[found[1]] = total.get(found[1], 0) + int(found[2])
    return total


def scenario_table(options, program):
    """What the explorer says about its scenarios."""
    listed = subprocess.run(
        [str(program), "--list"], capture_output=True, text=True, check=True
    )
    total = states_of(options.write) if options.write else {}
    rows = [
        "| scenario | explored by default | bounds | states | what |",
        "| --- | --- | --- | ---: | --- |",
    ]
    for line in listed.stdout.splitlines():
        name, how, bounds, what = line.split("\t")
        if options.write and name not in total:
            sys.exit(f"{options.write} has no scenario {name}")
        states = total.get(name, 0)
        rows.append(f"| {name} | {how} | {bounds} | {states} | {what} |")
    return {"scenarios": rows}


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--find", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--doc", type=pathlib.Path)
    parser.add_argument("--write", type=pathlib.Path, metavar="RUN")
    parser.add_argument("cc")
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    options = parser.parse_args()
    options.root = options.root.resolve()
    return options


def main():
    options = parse()
    options.work.mkdir(parents=True, exist_ok=True)
    mutate(options.root, options.work / "plain", ())
    build(options, options.work / "plain")
    explored = scenario_table(options, options.work / "plain/explore")
    mutants = [
        m
        for m in (
            mutant_list.MUTANTS
            + mutant_list.HOST_BUGS
            + mutant_list.EQUIVALENT
        )
        if options.only in name_of(m)
    ]
    failed = 0
    results = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = pool.map(
            lambda job: run(options, *job), enumerate(mutants, 1)
        )
        for number, (mutant, killed) in enumerate(zip(mutants, jobs), 1):
            wanted = not isinstance(mutant, Equivalent)
            good = not isinstance(killed, Broken) and (
                (killed is not None) == wanted
            )
            failed += not good
            results.append((mutant, killed))
            if isinstance(killed, Broken):
                text = f"broken: {killed}"
            elif killed is None:
                text = "survives" if wanted else "equivalent"
            else:
                text = f"killed by {killed[0]}: {killed[1]}"
            print(f"{'ok' if good else 'not ok'} {number} - "
                  f"{name_of(mutant)}: {text}", flush=True)
    count = len(mutants)
    if options.doc and not options.only:
        count += 1
        strange = unexplained(options)
        good = check_doc(options, tables(results) | explored) and not strange
        failed += not good
        for name in strange:
            print(f"# races.md has no section: {name}")
        print(f"{'ok' if good else 'not ok'} {count} - "
              f"{options.doc.name} has the same tables")
    print(f"1..{count}")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
