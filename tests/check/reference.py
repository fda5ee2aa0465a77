# SPDX-License-Identifier: BSD-2-Clause
"""Find names of the interface that the reference leaves out.

usage: reference.py FOLDER MAP... HEADER...

FOLDER has what Doxygen made: vtdpi.tag, which says where each name is, and
html/. Every name that a MAP exports and every function that a HEADER defines
must have an anchor in the page that the tag file says. Prints those that have
none.
"""

import os
import re
import sys

import symbols

# A name that ends in an underscore is private.
ATOMIC = re.compile(
    r"^VTDPI_ATOMIC_FN\b[^;{}()]*?\b(vtdpi_\w+(?<!_))\s*\(", re.M)
MEMBER = re.compile(
    r'<member kind="(?:function|variable)"[^>]*>.*?<name>(\w+)</name>\s*'
    r"<anchorfile>([^<]+)</anchorfile>\s*<anchor>(\w+)</anchor>",
    re.DOTALL,
)


def wanted(maps, headers):
    names = symbols.declared(headers)
    for path in maps:
        names |= symbols.mapped(path)
    for header in headers:
        names.update(
            name
            for name in ATOMIC.findall(symbols.code(header))
            if not name.endswith("_")
        )
    return names


def anchored(folder):
    with open(os.path.join(folder, "vtdpi.tag"), encoding="utf-8") as file:
        members = MEMBER.findall(file.read())
    pages = {}
    for name, page, anchor in members:
        if page not in pages:
            path = os.path.join(folder, "html", page)
            with open(path, encoding="utf-8") as file:
                pages[page] = set(re.findall(r'id="(\w+)"', file.read()))
        if anchor in pages[page]:
            yield name


def main():
    folder, *files = sys.argv[1:]
    maps = [name for name in files if name.endswith(".map")]
    headers = [name for name in files if name.endswith(".h")]
    names = wanted(maps, headers)
    if not names:
        print("no name found in the maps and headers")
    for name in sorted(names - set(anchored(folder))):
        print(f"not in the reference: {name}")


main()
