# SPDX-License-Identifier: BSD-2-Clause
"""Compare headers, version map and shared library.

usage: symbols.py LIBRARY MAP HEADER...

Every function or object that the headers declare (VTDPI_API) or define
(VTDPI_INLINE) is exported by the library and named in the map, and nothing
else is. Names that end in an underscore are private and must not be exported.
"""

import re
import subprocess
import sys

DECLARED = re.compile(
    r"^(?:VTDPI_\w+\s+)*VTDPI_(?:API|INLINE)\b[^;{}()]*?\b(vtdpi_\w+)\s*[(;]",
    re.MULTILINE,
)


def code(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    # A macro may contain the words, but declares nothing.
    text = text.replace("\\\n", " ")
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def declared(headers):
    names = set()
    for header in headers:
        names.update(DECLARED.findall(code(header)))
    return {name for name in names if not name.endswith("_")}


def mapped(path):
    text = code(path)
    block = text[text.index("global:") : text.index("local:")]
    return set(re.findall(r"(\w+|\w*\*)\s*;", block))


def exported(library):
    out = subprocess.run(
        ["nm", "-D", "--defined-only", library],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    symbols = [line.split()[1:3] for line in out.splitlines()]
    return {
        name.split("@")[0]
        for kind, name in symbols
        if kind in "TWVDBR"  # functions and data; A is the version node
    }


def compare(what, left, right):
    for name in sorted(left - right):
        print(f"{what}: {name}")
    return left <= right


def main():
    library, map_file, *headers = sys.argv[1:]
    names = declared(headers)
    symbols = exported(library)
    listed = mapped(map_file)
    good = bool(names)
    if not names:
        print("no declaration found")
    good &= compare("declared but not exported", names, symbols)
    good &= compare("exported but not declared", symbols, names)
    good &= compare("declared but not in the map", names, listed)
    good &= compare("in the map but not declared", listed, names)
    print(f"{len(names)} functions declared, {len(symbols)} exported")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
