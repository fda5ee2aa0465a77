#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Judge what the tests cover of the library.

usage: coverage.py GCOVR.json

Run from the root of the tree, on what `gcovr --json` wrote. Prints a table of
src without the model and one line for the model, then each line or branch that no test
takes and uncovered.py has no reason for. Status 1 below the limits, or if a reason
is about a line that is not there.
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from uncovered import REASONS  # noqa: E402

LINES = 97
BRANCHES = 90


class Count:
    def __init__(self):
        self.lines = [0, 0]  # taken, of all
        self.branches = [0, 0]

    def add(self, line):
        self.lines[0] += line["count"] > 0
        self.lines[1] += 1
        counts = [branch["count"] for branch in line.get("branches", ())]
        self.branches[0] += sum(count > 0 for count in counts)
        self.branches[1] += len(counts)

    def rates(self):
        return [100 * taken / max(1, every)
                for taken, every in (self.lines, self.branches)]

    def row(self, name):
        return "{:28} {:5} {:5} {:6.1f} % {:5} {:5} {:6.1f} %".format(
            name, *self.lines, self.rates()[0], *self.branches, self.rates()[1])


def merged(files):
    """Path -> number of line -> line. A header is there once, with all counts."""
    return {file["file"]: {line["line_number"]: line for line in file["lines"]
                           if not line.get("gcovr/noncode")}
            for file in files}


def untaken(lines):
    """(number, what) of lines with something that no test takes."""
    for number, line in sorted(lines.items()):
        branches = line.get("branches", ())
        missing = sum(branch["count"] == 0 for branch in branches)
        if line["count"] == 0:
            yield number, "line"
        elif missing:
            yield number, f"{missing} of {len(branches)} branches"


def sorted_out(path, lines, text):
    """Untaken lines with a reason, and the others. What is asserted has one. A line
    that is not run at all has that of the line before it, which leads there."""
    explained, others = [], []
    before = None
    for number, what in untaken(lines):
        source = text[number - 1].strip()
        both = f"{text[number - 2].strip()}\n{source}"
        led = what == "line" and max(n for n in [0, *lines] if n < number) == before
        if (path, source) in REASONS or (path, both) in REASONS \
                or source.startswith("VTDPI_ASSERT(") or led:
            explained.append(number)
            before = number
        else:
            others.append(f"{path}:{number}: {what}: {source}")
    return explained, others


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        files = merged(json.load(file)["files"])
    total, model = Count(), Count()
    good = True
    print(f"{'':28} {'lines':>11} {'':8} {'branches':>11}")
    open_ones = []
    explained = 0
    for path, lines in sorted(files.items()):
        text = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        count = Count()
        for line in lines.values():
            count.add(line)
            (model if path.startswith("src/model/") else total).add(line)
        if path.startswith("src/model/"):
            continue
        print(count.row(path))
        known, others = sorted_out(path, lines, text)
        explained += len(known)
        open_ones += others
    print(total.row("all of src"))
    print(model.row("src/model, not judged"))
    print(f"\n{explained} lines with a reason in tests/support/uncovered.py, "
          f"{len(open_ones)} without:")
    print(*(f"  {one}" for one in open_ones), sep="\n")
    for path, source in REASONS:
        lines = [line.strip() for line in
                 pathlib.Path(path).read_text(encoding="utf-8").splitlines()]
        if f"\n{source}\n" not in "\n".join(["", *lines, ""]):
            print(f"a reason for a line that is not in {path}: {source}")
            good = False
    if not total.lines[1] or not total.branches[1]:
        print("nothing was measured")
        good = False
    for what, rate, limit in zip(("lines", "branches"), total.rates(),
                                 (LINES, BRANCHES)):
        if rate < limit:
            print(f"{rate:.1f} % of the {what} are taken, and {limit} % have to be")
            good = False
    return not good


if __name__ == "__main__":
    sys.exit(main())
