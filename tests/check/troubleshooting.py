# SPDX-License-Identifier: BSD-2-Clause
"""Check that docs/troubleshooting.md has each code, each fault and true texts.

usage: troubleshooting.py

Run from the root of the tree.

- The codes in the tables below "## Error codes" are those of status.h, each once, and
  the texts beside them are those of src/status.c.
- The reasons in the table below "## Faults" are those of regs.h, with the phrases
  of src/fault.c.
- The reasons in the table below "## Posting is off" are phrases of src/route.c.

Prints what is not so.
"""

import re

PAGE = "docs/troubleshooting.md"
ROW = re.compile(r"^ *\| ([^|]+) \| ([^|]+) \|", re.MULTILINE)
STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rows(page, section):
    """The first two cells of each row below a heading, heads and rules left out."""
    part = page.partition(f"\n## {section}")[2].partition("\n## ")[0]
    part = re.sub(r"^[^\n|]*\|[^\n]*\n *\|[ :|-]+\n", "", part, flags=re.MULTILINE)
    return ROW.findall(part)


def code_texts():
    header = re.findall(r"^    (VTDPI_\w+) = -?\d+,", read("include/vtdpi/status.h"),
                        re.MULTILINE)
    texts = dict(re.findall(r"\{(VTDPI_\w+),\s*((?:\"[^\"]*\"\s*)+)\}",
                            read("src/status.c")))
    return [(f"`{name}`", "".join(STRING.findall(texts.get(name, ""))))
            for name in header]


def fault_texts():
    part = read("include/vtdpi/regs.h").partition("enum vtdpi_fault_reason {")[2]
    numbers = re.findall(r"= (0x[0-9a-f]+),", part.partition("};")[0])
    part = read("src/fault.c").partition("reason_texts[] = {")[2]
    return list(zip(numbers, STRING.findall(part.partition("};")[0])))


def differences(what, shown, true):
    for row in true:
        if shown.count(row) != 1:
            yield f"{PAGE}: {what}: {shown.count(row)} times: {' | '.join(row)}"
    for row in shown:
        if row not in true:
            yield f"{PAGE}: {what}: not so: {' | '.join(row)}"


def main():
    page = read(PAGE)
    codes, faults = code_texts(), fault_texts()
    found = list(differences("codes", rows(page, "Error codes"), codes))
    found += differences("faults", rows(page, "Faults"), faults)
    phrases = STRING.findall(read("src/route.c"))
    reasons = [reason for reason, _ in rows(page, "Posting is off")]
    found += [f"{PAGE}: reasons: not so: {reason}"
              for reason in reasons if reason not in phrases]
    if not codes or not faults or not reasons:
        found.append(f"{PAGE}: nothing to compare")
    print(*found, sep="\n", end="\n" if found else "")


main()
