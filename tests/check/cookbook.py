# SPDX-License-Identifier: BSD-2-Clause
"""Check that docs/cookbook.md shows a program as it is, and what it prints.

usage: cookbook.py [--write] PAGE SOURCE PROGRAM
       cookbook.py --list PAGE FOLDER NAME...

- PROGRAM, built from SOURCE, exits with status 0. The section of PAGE that links
  SOURCE has one block of C, which is SOURCE, and one block of text, which is what
  PROGRAM prints. With --write, both are put there instead of compared.
- --list: PAGE links each .c file of FOLDER once, in their order, and each NAME is
  such a file without its suffix, so that none is left out of the build.

Prints what differs; the exit status says whether anything does.
"""

import difflib
import os
import re
import subprocess
import sys

LINK = r"\]\([^)\s]*/{}\)"
BLOCK = r"^```{}\n(.*?)^```$"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def section(page, name):
    """Where the section that links the file begins and ends."""
    for match in re.finditer(r"^## .*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL):
        if re.search(LINK.format(re.escape(name)), match.group()):
            return match.span()
    sys.exit(f"no section links {name}")


def block(page, name, kind):
    """Where the one block of a kind stands in the section of a file."""
    start, end = section(page, name)
    found = list(re.finditer(BLOCK.format(kind), page[start:end],
                             re.MULTILINE | re.DOTALL))
    if len(found) != 1:
        sys.exit(f"the section of {name} has {len(found)} blocks of {kind}")
    return start + found[0].start(1), start + found[0].end(1)


def judge(path, source, program, write):
    page, name = read(path), os.path.basename(source)
    # A sanitizer or an emulator may talk on stderr.
    wrapper = os.environ.get("MESON_EXE_WRAPPER", "").split()
    run = subprocess.run([*wrapper, program], stdout=subprocess.PIPE, text=True,
                         check=False)
    good = run.returncode == 0
    if not good:
        print(run.stdout, f"{name}: exit status {run.returncode}", sep="")
    for kind, true in (("c", read(source)), ("text", run.stdout)):
        start, end = block(page, name, kind)
        if write:
            page = page[:start] + true + page[end:]
        elif page[start:end] != true:
            sys.stdout.writelines(difflib.unified_diff(
                page[start:end].splitlines(True), true.splitlines(True),
                path, name if kind == "c" else f"what {name} prints"))
            good = False
    if write:
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
    return good


def listed(path, folder, names):
    there = sorted(name for name in os.listdir(folder) if name.endswith(".c"))
    shown = re.findall(LINK.format(r"(\d\d_\w+\.c)"), read(path))
    built = [name + ".c" for name in names]
    for what, found in ((path, shown), ("build", built)):
        sys.stdout.writelines(difflib.unified_diff(
            [name + "\n" for name in found], [name + "\n" for name in there],
            what, folder))
    return shown == built == there != []


def main():
    arguments = sys.argv[1:]
    write = arguments[0] == "--write"
    if arguments[0] == "--list":
        good = listed(arguments[1], arguments[2], arguments[3:])
    else:
        good = judge(*arguments[write:], write)
    sys.exit(not good)


main()
