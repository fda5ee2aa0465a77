# SPDX-License-Identifier: BSD-2-Clause
"""Check that docs/spec-map.md has each part of the specification that a header names.

usage: spec_map.py HEADER...

Run from the root of the tree. A contract names parts by their titles: @spec{VT-d, a
title; another title}. Each title stands in the first column of the page, in a row whose
second column has the header. Prints what is missing.
"""

import os
import re
import sys

MAP = "docs/spec-map.md"
SPEC = re.compile(r"@spec\{([^}]*)\}")
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|", re.MULTILINE)


def titles(header):
    """The titles that a header names, without the name of the document."""
    with open(header, encoding="utf-8") as file:
        text = re.sub(r"\n \* *", " ", file.read())
    for found in SPEC.findall(text):
        for title in found.split(";"):
            yield re.sub(r"^(?:VT-d|SDM), ", "", title.strip())


def missing(header, rows):
    name = os.path.basename(header)
    for title in sorted(set(titles(header))):
        if not any(title in parts and f"[{name}]" in headers
                   for parts, headers in rows):
            yield f"{MAP}: no row has '{title}' with {name}"


def main():
    with open(MAP, encoding="utf-8") as file:
        rows = ROW.findall(file.read())
    found = [text for path in sys.argv[1:] for text in missing(path, rows)]
    print(*found, sep="\n", end="\n" if found else "")


main()
