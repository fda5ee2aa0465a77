# SPDX-License-Identifier: BSD-2-Clause
"""Take out of a page what a reader would type and copy.

usage: printed.py PAGE SECTION FOLDER

Writes each file that the section "## SECTION" prints (a fenced block after a line
"`name`:") into FOLDER, and prints the section's commands (lines indented by four).
Fails if there is no command.
"""

import os
import re
import sys

FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    (.+)$", re.MULTILINE)


def main():
    page, section, folder = sys.argv[1:]
    with open(page, encoding="utf-8") as file:
        text = "\n" + file.read() + "\n## "
    part = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    for name, content in FILE.findall(part):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
    commands = COMMAND.findall(re.sub(r"^```.*?^```$", "", part,
                                      flags=re.MULTILINE | re.DOTALL))
    print(*commands, sep="\n")
    sys.exit(not commands)


main()
