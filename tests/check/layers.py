# SPDX-License-Identifier: BSD-2-Clause
"""Check that the table of layers in docs/architecture.md is true.

usage: layers.py

Run from the root of the tree. The table is the one below "## Layers":

- each public header except vtdpi.h is in one row;
- a header includes only headers of its own row and of rows above;
- the last cell of a row has what the row's headers include, except the headers
  of the first row, which every layer may use;
- each file of src/ is in one row, except internal.h and inline.c.

Prints what is not so.
"""

import glob
import os
import re

PAGE = "docs/architecture.md"
HEADERS = "include/vtdpi"
EVERYWHERE = {"vtdpi.h", "internal.h", "inline.c"}
INCLUDE = re.compile(r'^#\s*include "(?:vtdpi/)?([a-z_]+\.h)"', re.MULTILINE)
NAME = re.compile(r"\b[a-z_]+\.[ch]\b")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def layers():
    """The headers, sources and used headers of each row."""
    part = read(PAGE).partition("\n## Layers\n")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| (\[.*) \|$", part, re.MULTILINE):
        head, _, sources, uses = row.split(" | ")
        headers = re.findall(r"\[([a-z_]+\.h)\]", head)
        yield headers, NAME.findall(sources), NAME.findall(uses)


def unlisted(listed, paths, what):
    """Files that are in no row or in several, and rows of no file."""
    there = {os.path.basename(path) for path in paths} - EVERYWHERE
    for name in sorted(there | set(listed)):
        if name not in there:
            yield f"{PAGE}: {what} {name} does not exist"
        elif listed.count(name) != 1:
            yield f"{PAGE}: {what} {name} is in {listed.count(name)} rows"


def upward(rows):
    """Includes of a row below, and rows that say something else."""
    above = set()
    for number, (headers, _, uses) in enumerate(rows):
        above |= set(headers)
        used = set()
        for name in headers:
            path = os.path.join(HEADERS, name)
            if os.path.exists(path):
                used |= set(INCLUDE.findall(read(path)))
        for name in sorted(used - above):
            yield f"{PAGE}: {', '.join(headers)}: {name} is in no row above"
        used -= set(headers) | (set(rows[0][0]) if number else set())
        if used != set(uses):
            named = ", ".join(sorted(used)) or "none"
            yield f"{PAGE}: {', '.join(headers)} include {named}"


def main():
    rows = list(layers())
    if not rows:
        print(f"{PAGE} has no table of layers")
        return
    headers = [name for row in rows for name in row[0]]
    sources = [name for row in rows for name in row[1]]
    found = list(unlisted(headers, glob.glob(HEADERS + "/*.h"), "header"))
    found += unlisted(sources, glob.glob("src/*.[ch]"), "source")
    found += upward(rows)
    print(*found, sep="\n", end="\n" if found else "")


main()
