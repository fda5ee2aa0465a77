#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The engine of vtdpi-conform: what shapes.c does is found, and reported alike.

usage: engine.py SHAPES TEMPLATE

TEMPLATE is the template of adapters as it is, which has no driver.

Prints TAP.
"""

import json
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.dont_write_bytecode = True
from tap import Tap

# Phases that wait for real time.
SLOW = {"bad_alarm", "bad_alarm_apart", "bad_spin"}


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True,
                          check=False, timeout=300)


def judge(tap, phase):
    """Whether the phase came to what its name says."""
    name = phase["name"]
    texts = [finding["text"] for finding in phase["findings"]]
    if name.startswith("bad"):
        good = (phase["verdict"] == "fail" and
                any(phase["rule"] in text for text in texts))
    elif name.startswith("skipped"):
        good = (phase["verdict"] == "skip" and
                phase["reason"] == phase["rule"] and not texts)
    else:
        good = phase["verdict"] == "pass"
    tap.say(good, name, phase["verdict"], *texts)


def places(report):
    """Whether what happened in the driver is found in its source."""
    by_name = {phase["name"]: phase for phase in report["phases"]}
    return all(chain(by_name[name], *functions) for name, *functions in (
        ("bad_wait", "spin_on_register"),
        ("bad_abort", "call_abort"),
        ("bad_library", "use_library"),
        ("bad_trace", "store_one", "store_by_another"),
        ("bad_long_name", (8 * "a_name_of_twenty_chr")[:127]),
        ("bad_callers", "access_narrow", "use_access", "use_twice")))


def chain(phase, *functions):
    """Whether the first finding is in these functions of shapes.c, inside out."""
    found = phase["findings"][0]
    lines = [found, *found.get("callers", [])][:len(functions)]
    return ([line.get("function") for line in lines] == [*functions] and
            all(re.search(r"shapes\.c:\d+$", line["place"]) for line in lines))


def passes_nothing(template):
    """What has no driver fails in one phase, and passes in none."""
    done = run(template, "--format", "json")
    verdicts = {phase["name"]: phase["verdict"]
                for phase in json.loads(done.stdout)["phases"]}
    judged = {name: v for name, v in verdicts.items() if v != "skip"}
    return (judged == {"deliver": "fail"} and done.returncode == 1,
            "the template passes nothing", *judged)


def tap_agrees(report, text):
    """The TAP has the same verdicts as the JSON, and the rules of what fails."""
    lines = re.findall(r"^(ok|not ok) \d+ - (\w+)( # SKIP .*)?$", text, re.M)
    said = {name: "skip" if skip else "pass" if ok == "ok" else "fail"
            for ok, name, skip in lines}
    rules = re.findall(r"^# rule: VT-d specification, (.*)$", text, re.M)
    return (said == {p["name"]: p["verdict"] for p in report["phases"]} and
            rules == [p["rule"] for p in report["phases"]
                      if p["verdict"] == "fail"])


def running(name):
    """The processes that were started as @name."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0", 1)
        except OSError:
            continue  # that process has ended
        if words[0] == name.encode():
            found.append(path.parent.name)
    return found


def nothing_left(shapes):
    """A trial that is killed takes a hanging driver with it."""
    trial = subprocess.Popen([shapes, "--phase", "bad_alarm_apart"])
    seen = until(lambda: len(running(shapes)) == 3)
    trial.kill()
    trial.wait()
    return (seen and until(lambda: not running(shapes)),
            "no process is left behind", *running(shapes))


def until(condition):
    """Whether @condition holds within some seconds."""
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


def main():
    shapes = sys.argv[1]
    tap = Tap()
    listed = [line.split()[0]
              for line in run(shapes, "--list").stdout.splitlines()]
    some = [name for name in listed if name not in SLOW]
    done = run(shapes, "--format", "json", *some)
    report = json.loads(done.stdout)
    late = json.loads(run(shapes, "--seconds", "1", "--format", "json",
                          *SLOW).stdout)

    for phase in report["phases"] + late["phases"]:
        judge(tap, phase)
    tap.say(all(len(phase["findings"]) == 1 for phase in late["phases"]),
            "a phase ends with its first part that hangs")
    twice, = (p for p in report["phases"] if p["name"] == "bad_twice")
    tap.say(len(twice["findings"]) == 1 and twice["more"] == 0,
            "what is found twice is told once")
    tap.say(*nothing_left(shapes))
    tap.say(*passes_nothing(sys.argv[2]))
    tap.say(done.returncode == 1, "status 1 when something fails")
    tap.say(places(report), "a finding names file, line and function, and callers")
    tap.say(run(shapes, "--phase", "good_moves").returncode == 0,
            "status 0 when nothing fails")
    done = run(shapes, "--format", "tap", *some)
    tap.say(tap_agrees(report, done.stdout), "TAP agrees with JSON")
    done = run(shapes, "--color", "always", "bad_abort", "skipped")
    tap.say("FAIL" in done.stdout and "\033[" in done.stdout and
            "0 passed, 1 failed, 1 skipped" in done.stdout,
            "text tells, in color", done.stdout)
    tap.say("\033[" not in run(shapes, "bad_abort").stdout,
            "no color unless on a terminal")
    for bad in (["--format", "xml"], ["--color", "red"], ["no-such-phase"],
                ["--no-such-option"], ["--unfit"], ["--seconds", "0"],
                ["--seconds", "1x"]):
        done = run(shapes, *bad)
        tap.say(done.returncode == 2 and done.stderr != "",
                f"status 2: {' '.join(bad)}", str(done.returncode))
    return tap.end()


sys.exit(main())
