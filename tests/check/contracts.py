# SPDX-License-Identifier: BSD-2-Clause
"""Check the contract of every public function.

usage: contracts.py HEADER...

Each function (VTDPI_API or VTDPI_INLINE) has a Doxygen comment right before it
with a @brief, one of the context tags, a @param for each parameter, and what it
returns: @retval if it is an int that must be checked, @return or @retval else.
Prints what is missing.
"""

import os
import re
import sys

FUNCTION = re.compile(
    r"/\*\*(?P<doc>(?:(?!\*/).)*)\*/\s*"
    r"(?P<head>(?:VTDPI_\w+\s+)*VTDPI_(?:API|INLINE)\b[^;{}()]*?)"
    r"\b(?P<name>vtdpi_\w+)\s*\((?P<params>[^{};]*?)\)\s*[;{]",
    re.DOTALL,
)
DECLARED = re.compile(
    r"^(?:VTDPI_\w+\s+)*VTDPI_(?:API|INLINE)\b[^;{}()]*?\b(vtdpi_\w+)\s*\(",
    re.MULTILINE,
)
CONTEXT = re.compile(r"[@\\](anyctx|irqsoff|thread)\b")


def parameters(text):
    """Names of the parameters; a function pointer counts by its name."""
    text = re.sub(r"\s+", " ", text).strip()
    if text in ("", "void"):
        return []
    names = []
    for part in re.split(r",(?![^()]*\))", text):
        pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", part)
        plain = re.search(r"(\w+)\s*(?:\[[^\]]*\])*\s*$", part)
        match = pointer or plain
        names.append(match.group(1))
    return names


def missing(match, full):
    doc = match["doc"]
    if "@brief" not in doc:
        yield "no @brief"
    if not full:
        return
    if not CONTEXT.search(doc):
        yield "no context tag (@anyctx, @irqsoff or @thread)"
    for name in parameters(match["params"]):
        if not re.search(r"@param(\[\w+(,\w+)*\])?\s+" + name + r"\b", doc):
            yield f"no @param {name}"
    kind = match["head"].split()[-1:]
    if kind == ["int"] and "VTDPI_MUST_CHECK" in match["head"]:
        if "@retval" not in doc:
            yield "no @retval"
    elif kind != ["void"] and "@return" not in doc and "@retval" not in doc:
        yield "no @return"


def check(header):
    with open(header, encoding="utf-8") as file:
        text = file.read()
    documented = set()
    # The model states its contracts once, in the comment of its file.
    full = not os.path.basename(header).startswith("model")
    for match in FUNCTION.finditer(text):
        documented.add(match["name"])
        for what in missing(match, full):
            yield f"{header}: {match['name']}: {what}"
    code = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    for name in DECLARED.findall(code):
        if name not in documented:
            yield f"{header}: {name}: no comment right before it"


def main():
    for header in sys.argv[1:]:
        for line in check(header):
            print(line)


main()
