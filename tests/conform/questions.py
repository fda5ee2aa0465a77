#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/your-driver.md has the questions of vtdpi-conform, in its order.

usage: questions.py PROGRAM PAGE

PROGRAM is any driver on trial; --list prints the questions. Prints TAP.
"""

import re
import subprocess
import sys


def main():
    listed = subprocess.run([sys.argv[1], "--list"], capture_output=True,
                            text=True, check=True).stdout
    asked = [tuple(line.split(None, 1)) for line in listed.splitlines()]
    with open(sys.argv[2], encoding="utf-8") as page:
        told = re.findall(r"^\| `([a-z-]+)` \| (.*\?) \|$", page.read(), re.M)
    good = asked == told
    print("1..1")
    print(f"{'ok' if good else 'not ok'} 1 - the page has the questions")
    for line in set(asked) ^ set(told):
        print("#", *line)


main()
