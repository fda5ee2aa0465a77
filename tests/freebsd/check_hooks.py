#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that the guide to the hooks of the bhyve port matches its code.

usage: check_hooks.py FOLDER HOST

FOLDER has the port, HOST the sources of the miniature bhyve that runs it.

Every function that vtdpi_bhyve.h declares has

- one row in the first table of HOOKS.md, and there is no other row;
- one definition in the sources of the port;
- a file in its row that has a section of its own, with the function in it, by
  its full name or without the prefix;
- a call in the miniature bhyve.

Every member of struct vtdpi_dmar_ops has one row in the second table, and there
is no other row.
"""

import glob
import os
import re
import sys

PREFIX = "vtdpi_bhyve_"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def code_of(path):
    """Without comments, in which anything may be named."""
    return re.sub(r"/\*.*?\*/", " ", read(path), flags=re.DOTALL)


def declared(header):
    return re.findall(r"\b(vtdpi_bhyve_\w+)\([^;{]*\);", code_of(header))


def members(header):
    body = re.search(
        r"struct vtdpi_dmar_ops \{(.*?)\n\};", code_of(header), re.DOTALL
    )
    return re.findall(r"\(\*(\w+)\)", body.group(1))


def tables(page):
    """The rows of each table: lists of cells."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE):
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in block.splitlines()
        ]
        found.append(rows[2:])
    return found


def sections(page):
    """Title and text of each section of the second level."""
    parts = re.split(r"^## (.*)$", page, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))


def unequal(what, names, rows):
    for name in sorted(set(names) | set(rows)):
        if names.count(name) != 1 or rows.count(name) != 1:
            yield (
                f"{what} {name}: {names.count(name)} in the header, "
                f"{rows.count(name)} in the table"
            )


def definitions(name, codes):
    pattern = re.compile(rf"^[\w *]*\b{name}\([^;{{]*\)\n\{{", re.MULTILINE)
    return sum(len(pattern.findall(code)) for code in codes)


def undefined(names, codes):
    for name in names:
        count = definitions(name, codes)
        if count != 1:
            yield f"{name}: {count} definitions"


def unexplained(rows, page):
    for name, file in rows:
        if file == "the stub":
            continue
        texts = [text for title, text in sections(page) if file in title]
        short = name[len(PREFIX) :]
        if not any(re.search(rf"\b({name}|{short})\b", t) for t in texts):
            yield f"{name}: not in the section on {file}"


def uncalled(names, host):
    sources = glob.glob(os.path.join(host, "*.c"))
    code = "".join(code_of(path) for path in sources)
    for name in names:
        if not re.search(rf"\b{name}\b", code):
            yield f"{name}: the miniature bhyve does not call it"


def problems(folder, host):
    page = read(os.path.join(folder, "HOOKS.md"))
    names = declared(os.path.join(folder, "vtdpi_bhyve.h"))
    ops = members(os.path.join(folder, "vtdpi_dmar.h"))
    hooks, driver = tables(page)[:2]
    rows = [(r[0].strip("`()"), r[1]) for r in hooks]
    codes = [
        code_of(path)
        for path in glob.glob(os.path.join(folder, "vtdpi_bhyve*.c"))
    ]
    if len(names) < 10 or len(ops) < 5:
        yield "the headers are not understood"
    yield from unequal("hook", names, [name for name, _ in rows])
    yield from unequal("operation", ops, [r[0].strip("`") for r in driver])
    yield from undefined(names, codes)
    yield from unexplained(rows, page)
    yield from uncalled(names, host)


def main():
    bad = list(problems(*sys.argv[1:]))
    print("\n".join(bad) if bad else "the guide and the port agree")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
