# SPDX-License-Identifier: BSD-2-Clause
"""Check that what the pages mention exists.

usage: mentions.py PAGE...

In each page (Markdown or dot), run from the root of the tree:

- vtdpi_* and VTDPI_* are names in the code of a public header, or of one beside
  the page; with a star behind it, the beginning of one; with (), a function or a
  macro like one;
- VTDPI_ with a number is a version node of the export maps and is not looked at;
- a header's name is that of a file, except for the headers of the C standard;
- a path that starts with a folder of the tree is a file or folder there (a
  pattern has to match something);
- test_x is a test file or a test in one, test_x* the beginning of one;
- other names with an underscore, and names of files, that stand as code in the
  text are somewhere in the sources;
- the first column of a table with the head "old name" has names that are gone,
  so it is not looked at;
- after the words bug and bugs stand names in quotes, and after scenario and
  scenarios names without, that docs/explore.md has in its tables.

Prints what does not exist.
"""

import glob
import os
import re
import sys

NAME = re.compile(r"\b(?:vtdpi|VTDPI)_(?!\d)\w+\b(?!\.[chS]\b)(?:\*|\(\))?")
HEADER = re.compile(r"(?<![\w/.-])[a-z_]+\.h\b")
PATH = re.compile(
    r"(?<![\w/.-])(?:\.\./)*"
    r"((?:bench|docs|examples|include|packaging|src|tests|tools)/[\w./*-]*[\w*])(?![\w<])"
)
TEST = re.compile(r"\btest_\w+\*?")
CODE = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
BUGS = re.compile(r'\bbugs? ("[^"\n]+"(?:, "[^"\n]+")*)')
SCENARIOS = re.compile(r"\bscenarios? (\d+[a-z]?(?:(?:, | and )\d+[a-z]?)*)")
OLD_NAMES = re.compile(r"^ *\| old name \|.*\n(?: *\|.*\n)*", re.MULTILINE)
FIRST_CELL = re.compile(r"^ *\|[^|\n]*\|", re.MULTILINE)
LIST = "src/sources.mk"
EXPLORED = "docs/explore.md"
BUILT = {"docs/html", "packaging/abi-accepted.txt"}
CHECKED = re.compile(r"vtdpi_|test_")
FILE = re.compile(r"[\w-]+\.(?:c|dot|md|py|sh)")
STANDARD = {"limits.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h"}
SOURCES = ("include", "src", "tests", "examples")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def files_of(folders):
    for folder in folders:
        for where, _, names in os.walk(folder):
            for name in names:
                yield os.path.join(where, name)


def header_names(folder):
    """Names in the headers' code, a name left in a comment being no witness;
    and once more with () those that a parenthesis follows."""
    code = ""
    for path in glob.glob(os.path.join(folder, "*.h")):
        code += re.sub(r"/\*.*?\*/|//[^\n]*", " ", read(path), flags=re.DOTALL)
    names = set(re.findall(r"\b(?:vtdpi|VTDPI)_\w+", code))
    called = set(re.findall(r"\b((?:vtdpi|VTDPI)_\w+)\(", code))
    return names | {name + "()" for name in called}


def makefile_names(path):
    """Variables that the list of the sources sets."""
    return set(re.findall(r"^(VTDPI_\w+) \??=", read(path), re.MULTILINE))


class Tree:
    def __init__(self):
        paths = list(files_of(SOURCES + ("docs",)))
        self.names = header_names("include/vtdpi") | makefile_names(LIST)
        self.files = {os.path.basename(path) for path in paths}
        self.words = set()
        for path in paths:
            if path.endswith((".c", ".h", ".py", ".build", ".mk")):
                self.words.update(re.findall(r"\w+", read(path)))
        for path in ("meson_options.txt", "meson.build"):
            self.words.update(re.findall(r"\w+", read(path)))
        rows = re.findall(r"^\| ([^|]+) \|", read(EXPLORED), flags=re.MULTILINE)
        self.explored = set(rows)

    def has_name(self, name, beside):
        names = self.names | beside
        if name.endswith("*"):
            return any(known.startswith(name[:-1]) for known in names)
        return name in names

    def has_test(self, name):
        if name.endswith("*"):
            return any(known.startswith(name[:-1]) for known in self.files)
        return name + ".c" in self.files or name in self.words

    def has_file(self, page, name):
        beside = os.path.join(os.path.dirname(page), name)
        return (
            name in self.files or os.path.exists(name) or os.path.exists(beside)
        )

    def has_scenario(self, name):
        """A scenario, or the number of several."""
        return any(
            re.fullmatch(name + "[a-z]?", known) for known in self.explored
        )

    def missing(self, page):
        text = OLD_NAMES.sub(
            lambda table: FIRST_CELL.sub("|", table.group()), read(page))
        beside = header_names(os.path.dirname(page) or ".")
        for name in NAME.findall(text):
            if not self.has_name(name, beside):
                yield name
        for name in HEADER.findall(text):
            if name not in STANDARD and not self.has_file(page, name):
                yield name
        for names in BUGS.findall(text):
            for name in re.findall(r'"([^"]+)"', names):
                if name not in self.explored:
                    yield f'bug "{name}"'
        for names in SCENARIOS.findall(text):
            for name in re.findall(r"\w*\d\w*", names):
                if not self.has_scenario(name):
                    yield f"scenario {name}"
        for path in PATH.findall(text):
            if path not in BUILT and not glob.glob(path):
                yield path
        for name in TEST.findall(text):
            if not self.has_test(name):
                yield name
        for span in CODE.findall(text):
            for word in WORD.findall(span):
                if word not in self.words and not CHECKED.match(word):
                    yield word
            if FILE.fullmatch(span) and not self.has_file(page, span):
                yield span


def main():
    tree = Tree()
    for page in sys.argv[1:]:
        for name in sorted(set(tree.missing(page))):
            print(f"{page}: {name}")


main()
