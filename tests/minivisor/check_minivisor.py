# SPDX-License-Identifier: BSD-2-Clause
"""Run the minivisor and judge its account from outside.

usage: check_minivisor.py RUN-KERNEL IMAGE [SEED...]

The numbers have to add up, whatever the minivisor itself says of them, and
everything that it is there to show has to have happened. Prints TAP.
"""

import re
import subprocess
import sys

SEEDS = (1, 2, 3)
CPUS = 4
VCPUS = 4
SKIPPED = 77
WIDTH_MAX = 100
LINES_MAX = 120

# Rows that must be 0. One that is missing is a failure, too.
ZERO = (
    "lost",
    "delivered twice",
    "sources whose last event no handler has seen",
    "VM exits for a running vCPU's posted interrupts",
    "notifications that would miss a running vCPU",
    "posted to a sleeping vCPU, which slept on",
    "delivered by an entry that had been replaced",
    "sleeping vCPUs that a post would not wake",
    "sleeping vCPUs and blocked bits, difference",
    "remapped form: raised, and not relayed",
    "posted, by the unit's count and by ours: diff.",
    "interrupts refused by the unit",
    "rules of the hardware broken by the driver",
)

REFUSED = "where WNV would go to is offline: elsewhere"

# What the timelines show, one or another.
HAPPENS = ("runs on p1", "runs on p2", "is preempted", "halts on", "wakes v",
           "moved from p", "posts", "ANV", "WNV", "none: SN", "moves to v")

count = 0
failed = 0


def case(name, reason=""):
    """Report one case: passed if there is no reason why not."""
    global count, failed
    count += 1
    failed += bool(reason)
    print("%sok %d - %s" % ("not " if reason else "", count, name))
    for line in reason.splitlines()[:40]:
        print("# " + line)


class Account:
    """The rows of a run: a text, then numbers."""

    def __init__(self, text):
        self.rows = {}
        for line in text.splitlines():
            found = re.fullmatch(r" +(\D.*?) +(\d+(?: +\d+)*)", line)
            if found:
                self.rows[found[1]] = [int(n) for n in found[2].split()]
        self.wrong = []

    def row(self, name):
        """The row's numbers; none of them if it is not there."""
        if name not in self.rows:
            self.must(False, "no row '%s'" % name)
            return [0, 0, 0, 0]
        return self.rows[name]

    def must(self, good, what):
        if not good:
            self.wrong.append(what)

    def same(self, what, one, other):
        self.must(one == other, "%s: %s is not %s" % (what, one, other))

    def more(self, what, number, least):
        self.must(number >= least, "%s: only %d" % (what, number))


def add_up(a, text):
    """Raised = delivered + merged, by every way to come to it."""
    *by, raised = a.row("raised")
    *merged_by, in_pir = a.row("merged in PIR")
    delivered = a.row("delivered, as the guest's handlers counted")[0]
    irr = re.search(r"virtual IRR \(at most +(\d+) could\) +(\d+)", text)
    says = re.search(r"raised = delivered \+ merged: (\d+) = (\d+) \+ (\d+); "
                     r"lost: (\d+)", text)
    if not irr or not says:
        a.must(False, "no sum")
        return
    risked, in_irr = int(irr[1]), int(irr[2])
    a.same("raised by all", sum(by), raised)
    a.same("merged by all", sum(merged_by), in_pir)
    a.same("raised, and delivered + merged", raised,
           delivered + in_pir + in_irr)
    a.same("what it says", [int(n) for n in says.groups()],
           [raised, delivered, in_pir + in_irr, 0])
    a.must(in_irr <= risked, "more merged in a virtual IRR than could have")
    a.must(risked * 5 <= raised, "most may have merged: that shows little")
    for who, number in zip(("the unit", "the host", "the guest"), by):
        a.more("raised by " + who, number, 30)
    a.more("delivered", delivered, 500)
    a.more("merged", in_pir, 10)


def exits(a):
    """Every exit has its reason, and none is for a posted interrupt."""
    external = a.row("external interrupts")
    parts = [a.row(name) for name in (
        "WNV, to wake another vCPU",
        "KICK, when a vCPU had become ready",
        "device interrupts in remapped form",
        "ANV: a vCPU's own posted interrupts",
    )]
    a.same("external interrupts", [sum(p) for p in zip(*parts)], external)
    a.same("exits for posted interrupts", parts[3], [0, 0])
    a.same("halts, and exits by HLT", a.row("halts"), a.row("the guest halts"))
    a.more("p2: times offline", a.row("times offline")[1], 1)
    for name, least in (("the guest halts", 10), ("end of a time slice", 10),
                        ("the guest sends an IPI", 5), ("runs", 20),
                        ("of a vCPU that ran elsewhere before", 5),
                        ("preemptions", 5)):
        for p, number in enumerate(a.row(name)):
            a.more("p%d: %s" % (p + 1, name), number, least)


def notifications(a, text):
    """Sent by the units and by software, taken by the processors."""
    says = re.search(r"Notifications: (\d+) ANV, (\d+) WNV\. Wakes: (\d+)\.",
                     text)
    form = re.search(r"(\d+) moved, (\d+) went to remapped form; there (\d+) "
                     r"raised = (\d+) relayed", text)
    if not says or not form:
        a.must(False, "no notifications")
        return
    anv, wnv, wakes = [int(n) for n in says.groups()]
    moved, _, remapped, relayed = [int(n) for n in form.groups()]
    taken = sum(a.row("WNV, to wake another vCPU") +
                a.row("WNV taken while idle"))
    raised = a.row("raised")[-1]
    new = raised - a.row("merged in PIR")[-1]
    a.more("ANV", anv, 200)
    a.more("WNV", wnv, 20)
    a.more("wakes", wakes, 20)
    a.must(anv + wnv <= new, "more notifications than posts that set a bit")
    a.must(taken <= wnv, "more WNV taken than sent")
    # One that is taken can wake several; so does a pCPU that goes offline.
    a.must(wakes <= wnv + VCPUS * sum(a.row("times offline")),
           "more wakes than WNV")
    a.same("raised and relayed in remapped form", remapped, relayed)
    a.more("moved", moved, 10)


def judge(text, seed):
    """Why a run is not as it has to be; empty if it is."""
    a = Account(text)
    lines = text.splitlines()
    a.must(lines and lines[-1] == "1 passed, 0 failed", "no good last line")
    a.must("PASS the account balances" in lines, "it does not balance")
    a.must("seed %d" % seed in lines[0], "not that seed")
    a.must(len(lines) <= LINES_MAX, "%d lines" % len(lines))
    a.must(max(len(line) for line in lines) <= WIDTH_MAX, "too wide")
    add_up(a, text)
    exits(a)
    notifications(a, text)
    for name in ZERO:
        a.same(name, a.row(name)[:1], [0])
    if a.wrong:
        a.wrong.append(text)
    return "\n".join(a.wrong)


def run(runner, image, seed):
    return subprocess.run(
        [runner, "bochs", image, str(CPUS), "seed=%d" % seed],
        stdin=subprocess.DEVNULL, capture_output=True,
        universal_newlines=True, check=False, timeout=200,
    )


def main():
    runner, image, *seeds = sys.argv[1:]
    outputs = []
    for seed in [int(s) for s in seeds] or SEEDS:
        done = run(runner, image, seed)
        if done.returncode == SKIPPED:
            print("1..0 # SKIP %s" % done.stderr.strip().splitlines()[-1])
            return SKIPPED
        reason = judge(done.stdout, seed) if done.stdout else "no output"
        if done.returncode != 0:
            reason += "\nstatus %d\n%s" % (done.returncode, done.stderr)
        case("the account of seed %d" % seed, reason)
        outputs.append(done.stdout)
    case("the timelines show all of it", "\n".join(
        "never '%s'" % w for w in HAPPENS if w not in "".join(outputs)))
    relayed = sum(int(n) for n in re.findall(
        r"there (\d+) raised", "".join(outputs)))
    case("interrupts were relayed from remapped form",
         "only %d" % relayed if relayed < 10 else "")
    refused = sum(sum(Account(text).row(REFUSED)) for text in outputs)
    case("vCPUs have met a pCPU that is offline",
         "" if refused or seeds else "none")
    if not seeds and not failed:
        again = run(runner, image, SEEDS[0]).stdout
        case("the same seed, the same run",
             "" if again == outputs[0] else "output differs")
        case("another seed, another run",
             "" if outputs[1] != outputs[0] else "the same")
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
