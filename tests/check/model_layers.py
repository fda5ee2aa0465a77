#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The model's files are layers: each calls only those before it.

usage: model_layers.py FOLDER

FOLDER is src/model or a copy. The order of its files stands at the top of its
internal.h, one a line: name, then what is in it. Prints each file that the list
lacks, each file that is not there, and each call of a function that a later file
defines. A mention that is no call counts, too: a table of functions calls.
"""

import pathlib
import re
import sys

LISTED = re.compile(r"^ \*   (\w+\.c) ", flags=re.M)
# A definition begins at the start of a line, its name maybe on the next one.
DEFINED = re.compile(r"^(?!static\b|[ }#/*])(?:[\w *]*[ *\n])?(vtdpi_model_\w+)"
                     r"\([^;{]*\)\n\{", flags=re.M)
NAME = re.compile(r"\bvtdpi_model_\w+")


def without_comments(text):
    """The text with as many lines, and no comments or strings."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\])*"', blank, text, flags=re.S)


def main(folder):
    order = LISTED.findall((folder / "internal.h").read_text(encoding="utf-8"))
    there = sorted(path.name for path in folder.glob("*.c"))
    wrong = [f"internal.h does not list {name}" for name in there
             if name not in order]
    wrong += [f"internal.h lists {name}, which is not there" for name in order
              if name not in there]
    texts = {name: without_comments((folder / name).read_text(encoding="utf-8"))
             for name in order if name in there}
    layer = {function: order.index(name) for name, text in texts.items()
             for function in DEFINED.findall(text)}
    if len(layer) < len(texts):
        wrong.append(f"only {len(layer)} functions found")
    for name, text in texts.items():
        for match in NAME.finditer(text):
            defined_in = layer.get(match.group(), -1)
            if defined_in > order.index(name):
                line = text.count("\n", 0, match.start()) + 1
                wrong.append(f"{name}:{line}: {match.group()} is defined in"
                             f" {order[defined_in]}, a later file")
    for text in wrong:
        print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
