# SPDX-License-Identifier: BSD-2-Clause
"""Check that docs/cookbook.md shows a program as it is, and what it prints.

usage: cookbook.py [--write] PAGE SOURCE [PROGRAM]
       cookbook.py --list PAGE FOLDER NAME...

- PAGE shows SOURCE, as the next block of C after its link. PROGRAM, built from SOURCE,
  exits with status 0, and PAGE shows what it prints, as the next block of text. With
  --write, both are put there instead of compared. A header has no PROGRAM.
- --list: PAGE shows each .c file of FOLDER once, in their order, and each .h file once.
  Each NAME is such a file, a program without its suffix, so that none is left out of
  the build.
- No file that is shown has more than LINES lines: one page.

Prints what differs; the exit status says whether anything does.
"""

import difflib
import os
import re
import subprocess
import sys

LINES = 100
LINK = r"^\[\w+\.[ch]\]\([^)\s]*/{}\):$"
BLOCK = r"^```{}\n(.*?)^```$"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def links(page, name):
    return list(re.finditer(LINK.format(name), page, re.MULTILINE))


def block(page, name, kind):
    """Where the first block of a kind stands between the link of a file and the next
    file's."""
    found = links(page, re.escape(name))
    if len(found) != 1:
        sys.exit(f"{len(found)} lines link {name}")
    start = found[0].end()
    end = min((link.start() for link in links(page, r"\w+\.[ch]")
               if link.start() > start), default=len(page))
    first = re.search(BLOCK.format(kind), page[start:end], re.MULTILINE | re.DOTALL)
    if first is None:
        sys.exit(f"no block of {kind} follows {name}")
    return start + first.start(1), start + first.end(1)


def output(program, name):
    """What a program prints, and whether it succeeds."""
    # A sanitizer or an emulator may talk on stderr.
    wrapper = os.environ.get("MESON_EXE_WRAPPER", "").split()
    run = subprocess.run([*wrapper, program], stdout=subprocess.PIPE, text=True,
                         check=False)
    if run.returncode != 0:
        print(run.stdout, f"{name}: exit status {run.returncode}", sep="")
    return run.stdout, run.returncode == 0


def judge(path, source, program, write):
    page, name = read(path), os.path.basename(source)
    shown = [("c", read(source))]
    good = shown[0][1].count("\n") <= LINES
    if not good:
        print(f"{name}: more than {LINES} lines")
    if program is not None:
        text, success = output(program, name)
        shown.append(("text", text))
        good = good and success
    for kind, true in shown:
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
    there = sorted(name for name in os.listdir(folder) if name.endswith((".c", ".h")))
    shown = [link.group(1) for link in links(read(path), r"(\w+\.[ch])")]
    # The programs as the page has them, then the headers: these stand between programs.
    shown.sort(key=lambda name: name if name.endswith(".h") else "")
    built = [name if name.endswith(".h") else name + ".c" for name in names]
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
        page, source, *program = arguments[write:]
        good = judge(page, source, program[0] if program else None, write)
    sys.exit(not good)


main()
