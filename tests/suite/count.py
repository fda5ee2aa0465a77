# SPDX-License-Identifier: BSD-2-Clause
"""Turn Meson's log of a test run into one result line a test case.

usage: count.py STATUS LOG

STATUS is meson's exit status. CMocka programs print TAP, one line a case
(failures on stderr); any other program is one case. Prints
"pass|fail|skip <tab> name <tab> reason".
"""

import json
import re
import sys

CASE = re.compile(r"^(ok|not ok) (\d+)(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)$")


def cases(run):
    """Yield (kind, name) for each TAP case, and how many were announced."""
    plan = 0
    found = []
    for line in (run.get("stdout", "") + "\n" + run.get("stderr", "")).split(
        "\n"
    ):
        line = line.strip()
        match = PLAN.match(line)
        if match:
            plan += int(match.group(1))
            continue
        match = CASE.match(line)
        if not match:
            continue
        name = match.group(3).strip()
        if "# SKIP" in name:
            found.append(("skip", name.replace("# SKIP", "").strip()))
        else:
            kind = "pass" if match.group(1) == "ok" else "fail"
            found.append((kind, name.lstrip("- ")))
    return plan, found


def results(run):
    """Yield (kind, name, reason) for one program."""
    # "project:suite+suite / name" when a test is in several suites.
    program = run["name"].split(" / ")[-1]
    result = run["result"]
    plan, found = cases(run)
    for kind, name in found:
        yield kind, f"{program}: {name}", "skipped by the test" * (
            kind == "skip"
        )
    for _ in range(plan - len(found)):
        yield "fail", program, "a case that was announced did not report"
    if result in ("SKIP",):
        yield "skip", program, "skipped by the program"
    elif result not in ("OK", "EXPECTEDFAIL"):
        if not any(kind == "fail" for kind, _ in found):
            yield "fail", program, f"{result}, status {run['returncode']}"
    elif not found:
        yield "pass", program, ""


def main():
    status = int(sys.argv[1])
    bad = False
    count = 0
    with open(sys.argv[2], encoding="utf-8") as log:
        for line in log:
            for kind, name, reason in results(json.loads(line)):
                bad = bad or kind == "fail"
                count += 1
                print(f"{kind}\t{name}\t{reason}")
    if count == 0:
        print("fail\tmeson test\tno test ran")
    elif status != 0 and not bad:
        print(f"fail\tmeson test\texit status {status}")


main()
