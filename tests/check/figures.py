# SPDX-License-Identifier: BSD-2-Clause
"""Check that no figure stands twice without a comparison.

usage: figures.py PAGE...

Run from the root of the tree.

- The rows of README.md below "## Numbers" are taken from docs/performance.md:
  a row there has the same first cells.
- What the library costs stands in docs/performance.md, too: each number of bytes
  in that row of README.md.
- No PAGE (Markdown) counts what a list or a generated table has: seeded bugs,
  scenarios, harnesses and the like. Such a number goes stale with the next
  entry; the page links the list instead.

Prints what differs, and each count.
"""

import re
import sys

MEASURED = "docs/performance.md"
LISTED = "bugs|scenarios|mutants|mutations|misuses|harnesses|defects|wrong runs"
COSTS = re.compile(r"^\| what it costs \|.*$", re.MULTILINE)
BYTES = re.compile(r"\b\d[\d,]* (?:bytes|KiB)")
COUNT = re.compile(rf"\b\d+\s+(?:(?:seeded|other|more)\s+)?(?:{LISTED})\b")
ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rows(text):
    """The cells of each row of a table, except rows that only draw lines."""
    for row in ROW.findall(LINK.sub(r"\1", text)):
        if not set(row) <= set("-: |"):
            yield [cell.strip() for cell in row.split("|")]


def differing():
    """Rows of the README's numbers that the page of measurements has not."""
    part = read("README.md").partition("\n## Numbers\n")[2]
    shown = list(rows(part.partition("\n## ")[0]))[1:]
    if not shown:
        yield "README.md has no numbers"
    measured = list(rows(read(MEASURED)))
    for cells in shown:
        if not any(row[: len(cells)] == cells for row in measured):
            yield f"README.md: {MEASURED} has no row '{' | '.join(cells)}'"


def costs():
    """Bytes of the README's costs that the page of measurements has not."""
    row = COSTS.search(read("README.md"))
    shown = BYTES.findall(row.group()) if row else []
    if not shown:
        yield "README.md does not say what the library costs"
    measured = " ".join(read(MEASURED).split())
    for figure in shown:
        if figure not in measured:
            yield f"README.md: {MEASURED} does not have {figure}"


def counts(page):
    text = read(page)
    for match in COUNT.finditer(text):
        line = text[: match.start()].count("\n") + 1
        yield f"{page}:{line}: counts a list: {' '.join(match.group().split())}"


def main():
    found = [*differing(), *costs()]
    for page in sys.argv[1:]:
        found += counts(page)
    print(*found, sep="\n", end="\n" if found else "")


main()
