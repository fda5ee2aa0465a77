#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write the table of vtdpi explain in C.

usage: explain_table.py GLOSSARY HEADER... >TABLE.c

GLOSSARY is docs/architecture.md: each heading "### word" below "## Glossary" with
its paragraphs. HEADERs have the enumerations of codes and reasons, each constant
with a comment.
"""

import re
import sys

# Enumeration, kind of its entries, and the prefix of its constants.
ENUMERATIONS = {
    "vtdpi_err": ("EXPLAIN_ERROR", "VTDPI_"),
    "vtdpi_route_reason": ("EXPLAIN_ROUTE", "VTDPI_ROUTE_"),
    "vtdpi_verdict_reason_code": ("EXPLAIN_VERDICT", "VTDPI_VERDICT_REASON_"),
    "vtdpi_fault_reason": ("EXPLAIN_FAULT", "VTDPI_FR_"),
}
ENUM = re.compile(r"^enum (\w+) \{\n(.*?)^\};", re.DOTALL | re.MULTILINE)
BEFORE = re.compile(
    r"/\*\*(?!<)((?:(?!\*/).)*)\*/\s*(VTDPI_\w+)\s*=\s*([-\w]+),", re.DOTALL)
BEHIND = re.compile(r"(VTDPI_\w+)\s*=\s*([-\w]+),\s*/\*\*<((?:(?!\*/).)*)\*/",
                    re.DOTALL)


def plain(text):
    """Text of a comment or of Markdown, in one line for each paragraph."""
    text = re.sub(r"^\s*\*+ ?", "", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = text.replace("`", "")
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)
            if part.strip()]


def glossary(path):
    with open(path, encoding="utf-8") as file:
        part = file.read().partition("\n## Glossary\n")[2]
    part = re.split(r"^## ", part, flags=re.MULTILINE)[0]
    for section in re.split(r"^### ", part, flags=re.MULTILINE)[1:]:
        word, _, text = section.partition("\n")
        yield "EXPLAIN_GLOSSARY", word.strip(), "", "0", plain(text)


def constants(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for name, body in ENUM.findall(text):
        if name not in ENUMERATIONS:
            continue
        kind, prefix = ENUMERATIONS[name]
        # Comments of sections between constants are of no constant.
        body = re.sub(r"/\*(?!\*)(?:(?!\*/).)*\*/", "", body, flags=re.DOTALL)
        found = {n: (v, c) for c, n, v in BEFORE.findall(body)}
        found.update({n: (v, c) for n, v, c in BEHIND.findall(body)})
        for constant in re.findall(r"^\s*(VTDPI_\w+)\s*=", body, re.MULTILINE):
            if constant not in found:
                sys.exit(f"{path}: {constant} has no comment")
            value, comment = found[constant]
            yield (kind, constant, constant[len(prefix):], value,
                   plain(comment))


def quoted(text):
    for plain_one, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(plain_one, escaped)
    return f'"{text}"'


def main():
    entries = list(glossary(sys.argv[1]))
    words = len(entries)
    for path in sys.argv[2:]:
        entries += constants(path)
    kinds = {entry[0] for entry in entries}
    if words == 0 or len(kinds) != len(ENUMERATIONS) + 1:
        sys.exit(f"only {sorted(kinds)}")
    print("/* Written by explain_table.py. */")
    print('#include "explain.h"\n')
    print("const struct explain_entry explain_entries[] = {")
    for kind, name, alias, value, text in entries:
        # A string of C11 may be limited to 4095 characters; none comes near.
        body = "\n     ".join(quoted(part + "\n") for part in text)
        print(f"    {{{kind}, {quoted(name)}, {quoted(alias)}, {value},\n"
              f"     {body}}},")
    print("};")
    print("const size_t explain_entry_count =\n"
          "    sizeof(explain_entries) / sizeof(explain_entries[0]);")


main()
