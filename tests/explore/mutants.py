#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seed each bug of mutant_list.py into a copy of the library, compile it
against the explorer, and see that the scenario named there fails.

usage: mutants.py [--find] [--only REGEX] [--sample N]
                  [--doc PAGE [--write RUN]] CC ROOT ARCHIVE WORK

ARCHIVE is the explorer without the code under test. --find names the scenarios
that kill a bug for which the list has none yet: use it to extend the list. The
tables in PAGE have to agree with the outcome; --write makes them, with the number
of states from RUN, the output of a whole `explore`. Where a bug is known from, as
the list says, has to be a section of races.md, beside PAGE.
"""

import argparse
import pathlib
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import mutation
from mutation import Broken, Killed, must

import mutant_list

# Cheapest first: what --find tries, each with a limit of states; and what a
# change that is equivalent has to survive.
FIND_STATES = 30000
LONGER = "longer run only"  # the default run leaves the scenario out
SAME_STATES = 10000


# What is compiled for a mutant: the library's sources by way of the first ones.
UNITS = ("subject.c", "subject_bind.c", "subject_hostmsi.c", "subject_ipiv.c",
         "subject_irq.c", "main.c")


class Explorer(mutation.Host):
    def __init__(self, options):
        self.options = options
        self.plain = options.work / "plain"
        shutil.rmtree(self.plain, ignore_errors=True)
        mutation.plant(options.root, (), self.plain, ("include", "src"))
        for unit in UNITS:
            self.compile(unit, self.plain)
        self.link([self.plain] * len(UNITS), self.plain)
        self.read = {unit: self.files(unit) for unit in UNITS}

    def compile(self, unit, work):
        here = self.options.root / "tests/explore"
        must(self.options.cc.split() + [
            "-std=c11", "-O2", "-w", "-MMD",
            f'-DVTDPI_CONFIG_HEADER="{here}/atomic_explore.h"',
            f"-I{work}/include", f"-I{work}/src", f"-I{here}",
            "-c", str(here / unit), "-o", str(work / unit) + ".o",
        ])

    def link(self, folders, work):
        must(self.options.cc.split() + [
            *(f"{folder / unit}.o" for folder, unit in zip(folders, UNITS)),
            str(self.options.archive), "-o", str(work / "explore")])

    def files(self, unit):
        """The library's files that the unit is made of."""
        rule = (self.plain / f"{unit}.d").read_text(encoding="utf-8")
        top = f"{self.plain}/"
        return {word.removeprefix(top) for word in rule.split()
                if word.startswith(top)}

    def build(self, mutant, work):
        if not mutant.changes:
            return
        mutation.plant(self.options.root, mutant.changes, work,
                       ("include", "src"))
        changed = {file for file, _, _ in mutant.changes}
        folders = [work if changed & self.read[unit] else self.plain
                   for unit in UNITS]
        if work not in folders:
            raise Broken(f"nothing is made of {' '.join(sorted(changed))}")
        for folder, unit in zip(folders, UNITS):
            if folder == work:
                self.compile(unit, work)
        self.link(folders, work)

    def judge(self, mutant, work):
        program = (work if mutant.changes else self.plain) / "explore"
        error = ["--bug", mutant.host] if getattr(mutant, "host", "") else []
        by = getattr(mutant, "by", "")
        if by and not self.options.find:
            return explore(program, *error, "--scenario", by)
        limit = FIND_STATES if self.options.find else SAME_STATES
        for line in listed(program):
            killed = explore(program, *error, "--scenario", line[0], "--states",
                             str(limit))
            if killed:
                return killed
        return None


def explore(program, *arguments):
    """The first failure, or None."""
    done = mutation.call([program, "--brief", "--first", *arguments], 900)
    if done.returncode not in (0, 1):
        raise Broken(f"status {done.returncode}: {done.stderr.strip()}")
    for line in done.stdout.split("\n"):
        if " FAILED " in line:
            return Killed(line.split()[0], line.split(" s  ", 1)[1].strip())
    return None


def listed(program):
    """What the explorer says about each scenario: name, how, bounds, what."""
    return [line.split("\t") for line in must([program, "--list"]).splitlines()]


def row(mutant, killed):
    """One line of the table in the documentation."""
    if mutant.survives:
        return f"| {mutant.name} | {mutant.survives} |"
    return f"| {mutant.name} | {mutant.origin} | {killed.by} | {killed.how[0]} |"


def unexplained(options):
    """What "known from" says and no section of races.md is called."""
    text = options.doc.with_name("races.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^### (.*)$", text, flags=re.M)) | {""}
    listed = mutant_list.MUTANTS + mutant_list.HOST_BUGS
    return sorted({m.origin for m in listed} - known)


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
    """The rows of both tables, from (mutant, outcome)."""
    killed = ["| bug | known from | killed by | property |",
              "| --- | --- | --- | --- |"]
    same = ["| change | why it changes nothing |", "| --- | --- |"]
    for mutant, outcome in results:
        if mutant.survives:
            same.append(row(mutant, outcome))
        elif isinstance(outcome, Killed):
            killed.append(row(mutant, outcome))
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
    total = states_of(options.write) if options.write else {}
    rows = [
        "| scenario | explored by default | bounds | states | what |",
        "| --- | --- | --- | ---: | --- |",
    ]
    for name, how, bounds, what in listed(program):
        if options.write and name not in total and LONGER not in how:
            sys.exit(f"{options.write} has no scenario {name}")
        states = total.get(name, 0)
        rows.append(f"| {name} | {how} | {bounds} | {states} | {what} |")
    return {"scenarios": rows}


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    mutation.arguments(parser)
    parser.add_argument("--find", action="store_true")
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
    host = Explorer(options)
    explored = scenario_table(options, host.plain / "explore")
    whole = [m for some in mutant_list.LISTS.values() for m in some]
    mutants = mutation.chosen(whole, options)
    with_doc = options.doc is not None and len(mutants) == len(whole)
    tap, results = mutation.run(host, mutants, options.work, more=with_doc)
    if with_doc:
        strange = unexplained(options)
        for name in strange:
            print(f"# races.md has no section: {name}")
        tap.say(check_doc(options, tables(results) | explored) and not strange,
                f"{options.doc.name} has the same tables")
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
