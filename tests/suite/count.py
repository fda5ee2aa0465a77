# SPDX-License-Identifier: BSD-2-Clause
"""Turn Meson's log of a test run into one result line a test case.

usage: count.py STATUS LOG

STATUS is meson's exit status. A program that prints TAP is as many cases as it
says; any other program is one case. Prints
"pass|fail|skip <tab> name <tab> reason", and "note <tab> text" for each
"# note: text" of a program.
"""

import json
import re
import sys

CASE = re.compile(r"^(ok|not ok)\b *\d*(?: - | )?([^#\n]*)(# SKIP)?", re.M)
NOTE = re.compile(r"^# note: (.*)", re.M)


def results(run):
    """Yield (kind, name, reason) for one program."""
    # "project:suite+suite / name" when a test is in several suites.
    program = run["name"].split(" / ")[-1]
    result = run["result"]
    kinds = set()
    for text in NOTE.findall(run.get("stdout", "")):
        yield "note", text, ""
    for word, name, skipped in CASE.findall(run.get("stdout", "")):
        kind = "fail" if word == "not ok" else "skip" if skipped else "pass"
        kinds.add(kind)
        yield kind, f"{program}: {name.strip()}", "by the test" * bool(skipped)
    if result == "SKIP":
        if not kinds:
            yield "skip", program, "skipped by the program"
    elif result not in ("OK", "EXPECTEDFAIL"):
        if "fail" not in kinds:
            yield "fail", program, f"{result}, status {run['returncode']}"
    elif not kinds:
        yield "pass", program, ""


def main():
    status = int(sys.argv[1])
    kinds = set()
    with open(sys.argv[2], encoding="utf-8") as log:
        for line in log:
            for kind, name, reason in results(json.loads(line)):
                kinds.add(kind)
                print(f"{kind}\t{name}\t{reason}")
    if not kinds:
        print("fail\tmeson test\tno test ran")
    elif status != 0 and "fail" not in kinds:
        print(f"fail\tmeson test\texit status {status}")


main()
