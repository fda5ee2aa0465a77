#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The example of vtdpi-explore: with each of its windows open a scenario fails by the
property named here, and the command that is printed fails again, but its schedule does
not once the window is closed.

usage: test_foreign.py PROGRAM
"""

import re
import subprocess
import sys

# Window -> scenario, property.
FOUND = {
    "no-look-at-pir": ("3c/sc", "L"),
    "pir-before-on": ("1c/sc", "R"),
    "two-steps": ("1c/sc", "L"),
    "loaded-twice": ("1c/sc", "L"),
    "plain-store": ("1c/sc", "L"),
    "listed-last": ("1c/sc", "L"),
    "ndst-alone": ("1c/sc", "N"),
    "listed-twice": ("1a/sc", "L"),
    "no-self-ipi": ("1c/sc", "L"),
    "wake-skipped": ("1c/sc", "L"),
    "left-armed": ("1c/sc", "R"),
    "assign-without-wake": ("12/sc", "L"),
    "cleared-late": ("9/sc", "L"),
    "online-before-listed": ("5e/sc", "L"),
    "flag-after-scan": ("5e/sc", "L"),
    "moved-under-sn": ("5e/sc", "L"),
    "freed-while-listed": ("6a/sc", "D"),
    "interrupts-on": ("1a/sc", "X"),
    "unlocked": ("9/sc", "E"),
    "one-vector": ("1a/sc", "L"),
    "no-barrier": ("3a/tso", "R"),
}
SECONDS = 300


def call(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True,
                          timeout=SECONDS, check=False)


def steps_of(run):
    """What is printed, without the line that has the time."""
    return run.stdout.partition("\n")[2]


def why_not(program, name):
    """What is wrong with how a window is found, or None."""
    scenario, letter = FOUND[name]
    window = (program, "--window", name)
    first = call(*window, "--scenario", scenario)
    again = re.search(rf"again: {re.escape(program)}(.+ (--replay \S+))$",
                      first.stdout, flags=re.M)
    if first.returncode != 1 or not again:
        return f"{scenario} does not fail: {first.stdout[:200]}{first.stderr}"
    if not re.search(rf"FAILED .* s  {letter}: ", first.stdout):
        return f"fails otherwise: {first.stdout.splitlines()[0]}"
    if steps_of(call(*window, "--scenario", scenario)) != steps_of(first):
        return "a second run prints another schedule"
    second = call(program, *again[1].split())
    if second.returncode != 1 or f"\n    {letter}: " not in second.stdout:
        return "its schedule does not fail again"
    if call(program, "--scenario", scenario,
            *again[2].split()).returncode != 0:
        return "its schedule fails without the window, too"
    return None


def main():
    program = sys.argv[1]
    names = call(program, "--windows").stdout.split()
    failed = set(names) != set(FOUND)
    print(f"{'not ok' if failed else 'ok'} 1 - every window has its scenario")
    for number, name in enumerate(FOUND, 2):
        wrong = why_not(program, name)
        failed = failed or wrong is not None
        print(f"{'not ok' if wrong else 'ok'} {number} - window: {name}")
        if wrong:
            print(f"# {wrong}")
    print(f"1..{len(FOUND) + 1}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
