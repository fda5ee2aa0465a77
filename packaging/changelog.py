# SPDX-License-Identifier: BSD-2-Clause
"""Read and change the section Unreleased of CHANGELOG.md.

usage: changelog.py show                  print its entries; status 1 if there is none
       changelog.py add HEADING ENTRY     put the entry below "### HEADING" in it
       changelog.py release VERSION DATE  make it the section of that version, with
                                          a new empty section above

Run from the root of the tree.
"""

import re
import sys
import textwrap

FILE = "CHANGELOG.md"
UNRELEASED = re.compile(r"^## Unreleased\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def add(section, heading, entry):
    """The section with the entry as the last one of its heading."""
    line = textwrap.fill(entry, 85, initial_indent="- ", subsequent_indent="  ")
    parts = re.split(r"^(?=### )", section, flags=re.MULTILINE)
    for number, part in enumerate(parts):
        if part.startswith(f"### {heading}\n"):
            parts[number] = f"{part.rstrip()}\n{line}\n\n"
            break
    else:
        parts[-1] = parts[-1].rstrip() + "\n\n"
        parts.append(f"### {heading}\n\n{line}\n\n")
    return "".join(parts)


def main():
    command, *words = sys.argv[1:]
    with open(FILE, encoding="utf-8") as file:
        text = file.read()
    found = UNRELEASED.search(text)
    if not found:
        sys.exit(f"{FILE} has no section Unreleased")
    section = found.group(1)
    if command == "show":
        print(section.strip())
        sys.exit(not re.search(r"^- ", section, re.MULTILINE))
    if command == "add":
        heading, entry = words
        new = "## Unreleased\n" + add(section, heading, entry)
    elif command == "release":
        version, date = words
        new = f"## Unreleased\n\n## {version} ({date})\n{section}"
    else:
        sys.exit(__doc__)
    text = text[:found.start()] + new + text[found.end():]
    with open(FILE, "w", encoding="utf-8") as file:
        file.write(text.rstrip() + "\n")


main()
