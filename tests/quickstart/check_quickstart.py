# SPDX-License-Identifier: BSD-2-Clause
"""Run the demo and judge it from outside.

usage: check_quickstart.py PROGRAM TABLES

The account balances for every seed and DMAR table (those in the folder TABLES,
and real ones if there are any), bad input is told with status 2, the output is
bounded. Prints TAP.
"""

import os
import pathlib
import subprocess
import sys

SEEDS = 250
DEFAULT_LINES_MAX = 400
WIDTH_MAX = 100

wrapper = os.environ.get("MESON_EXE_WRAPPER", "").split()
count = 0
failed = 0


def case(name, reason=""):
    """Report one case: passed if there is no reason why not."""
    global count, failed
    count += 1
    failed += bool(reason)
    print("%sok %d - %s" % ("not " if reason else "", count, name))
    for line in reason.splitlines()[:20]:
        print("# " + line)


def skip(name, why):
    global count
    count += 1
    print("ok %d %s # SKIP %s" % (count, name, why))


def run(program, *args, stdout=subprocess.PIPE, **env):
    return subprocess.run(
        wrapper + [program] + [str(a) for a in args],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=dict(os.environ, **env),
        timeout=60,
    )


def unbalanced(done):
    """Why a finished run is not as it has to be; empty if it is."""
    if done.returncode != 0:
        return "status %d\n%s%s" % (
            done.returncode,
            done.stderr,
            "\n".join(done.stdout.splitlines()[-12:]),
        )
    if "; lost: 0\n" not in done.stdout:
        return "no 'lost: 0' in the output"
    if "The account balances.\n" not in done.stdout:
        return "the last line is missing"
    return done.stderr


def account_of(text):
    """Raised, delivered and merged, from the line that states the rule."""
    for line in text.splitlines():
        if "raised = delivered + merged:" in line:
            words = line.replace(";", " ").split()
            at = words.index("merged:") + 1
            return int(words[at]), int(words[at + 2]), int(words[at + 4])
    return None


def check_seeds(program):
    bad = ""
    raised = 0
    seeds = list(range(SEEDS)) + [2**32, 2**63, 2**64 - 1]
    for seed in seeds:
        done = run(program, "--seed", seed, "--show", 0)
        why = unbalanced(done)
        account = account_of(done.stdout)
        if not why and (account is None or account[0] != sum(account[1:])):
            why = "the line that states the rule does not add up"
        if why:
            bad += "seed %d: %s\n" % (seed, why)
        elif account is not None:
            raised += account[0]
    case("the account balances for %d seeds" % len(seeds), bad)
    enough = raised >= 300 * len(seeds)
    case("runs raise hundreds of interrupts each", "" if enough else str(raised))


def check_lengths(program):
    for events in (0, 1, 2, 10, 100, 100000):
        done = run(program, "--events", events, "--show", 0)
        case("the account balances after %d events" % events, unbalanced(done))


def check_output(program):
    done = run(program)
    lines = done.stdout.splitlines()
    long = [line for line in lines if len(line) > WIDTH_MAX]
    case(
        "the default output is bounded",
        "%d lines" % len(lines) if len(lines) > DEFAULT_LINES_MAX else "",
    )
    case("no line is wider than %d columns" % WIDTH_MAX, "\n".join(long))
    case(
        "the same seed, the same run",
        "" if run(program).stdout == done.stdout else "output differs",
    )
    case(
        "another seed, another run",
        "" if run(program, "--seed", 2).stdout != done.stdout else "the same",
    )
    check_replacement(lines)
    everything = run(program, "--all").stdout
    complete = "--all shows them" not in everything
    case("--all shows everything",
         "" if complete and everything.count("\n") > 2000 else "too short")
    # One seed need not have every kind of event.
    for seed in range(2, 7):
        everything += run(program, "--all", "--seed", seed).stdout
    for word in ("takes WNV", "wakes v", "takes ANV", "halts", "is preempted",
                 "moved from", "handles", "merged", "falls back", "relayed",
                 "moves from", "sleeps", "      +  ", "goes offline",
                 "preempted first", "halts again", "takes 36 (VM exit)"):
        case("the timeline has '%s'" % word.strip(),
             "" if word in everything else "never")
    case("the timeline has a block on a pCPU that is offline",
         "" if any("p%d offline" % n in everything for n in range(4)) else "never")


def check_replacement(lines):
    """The default output shows one replacement of the hypervisor, however late it
    comes, and below it what devices have posted in that time."""
    shown = [at for at, line in enumerate(lines)
             if "the hypervisor is replaced" in line]
    reason = "" if shown else "never"
    for at in shown[:1]:
        told = int(lines[at].split("devices sent ")[1].split()[0])
        between = 0
        while "      +  " in lines[at + 1 + between]:
            between += 1
        if between != told or told < 3:
            reason = "%d told, %d shown" % (told, between)
    case("the timeline shows a hypervisor that is replaced, and what comes in that "
         "time", reason)
    counts = [line.split() for line in lines if "times replaced" in line]
    case("replacements are counted",
         "" if len(counts) == 1 and int(counts[0][1]) > 1
         and int(counts[0][4]) >= 3 * int(counts[0][1]) else str(counts))


def check_colour(program):
    try:
        import pty
        for end in pty.openpty():
            os.close(end)
    except (ImportError, OSError) as error:
        skip("colour", "no pseudo-terminal: %s" % error)
        return

    def on_terminal(**env):
        parent, child = pty.openpty()
        done = subprocess.Popen(
            wrapper + [program, "--events", "20", "--show", "5"],
            stdin=subprocess.DEVNULL,
            stdout=child,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, **env),
        )
        os.close(child)
        text = b""
        try:
            while True:
                part = os.read(parent, 4096)
                if not part:
                    break
                text += part
        except OSError:
            pass  # the other end is closed
        os.close(parent)
        done.wait()
        return text

    escape = b"\033["
    case("colour on a terminal",
         "" if escape in on_terminal(TERM="xterm", NO_COLOR="") else "none")
    case("no colour with NO_COLOR",
         "coloured" if escape in on_terminal(TERM="xterm", NO_COLOR="1") else "")
    case("no colour on a dumb terminal",
         "coloured" if escape in on_terminal(TERM="dumb", NO_COLOR="") else "")
    case("no colour into a pipe",
         "coloured" if "\033" in run(program, TERM="xterm", NO_COLOR="").stdout
         else "")


def check_arguments(program):
    done = run(program, "--help")
    case("--help", "" if done.returncode == 0 and not done.stderr and
         "/sys/firmware/acpi/tables/DMAR" in done.stdout else done.stdout)
    for args, word in (
        (["--nonsense"], "nonsense"),
        (["word"], "word"),
        (["--seed"], "seed"),
        (["--seed", "12x"], "12x"),
        (["--seed", "-1"], "-1"),
        (["--seed", "18446744073709551616"], "18446744073709551616"),
        (["--events", "999999999999"], "999999999999"),
        (["--show", ""], "show"),
        (["--dmar", "no such file"], "no such file"),
        (["--dmar", "."], "directory"),
        (["--dmar", os.devnull], "offset 0"),
    ):
        bad_input(program, " ".join(args), args, word)


def bad_input(program, name, args, word):
    """Status 2, nothing on stdout, one or two lines with that word."""
    done = run(program, *args)
    good = (
        done.returncode == 2
        and not done.stdout
        and word in done.stderr
        and len(done.stderr.splitlines()) <= 2
    )
    case("bad input: " + name,
         "" if good else "status %d\n%s" % (done.returncode, done.stderr))


# The tables of tests/support/dmar_shapes.c: where the demo puts its devices, as
# "base of the unit, device, why", the verdict if it is not posting, and where a
# note points; or what it says of a table that it does not take. Buses behind bridges are the demo's
# own, from fe downwards in the order of the table.
TAKEN = {
    "all_first": ["d5000000 nic 0000:01:00.0 INCLUDE_PCI_ALL",
                  "d5000000 gpu 0000:02:00.0 INCLUDE_PCI_ALL",
                  "d5001000 ssd 0000:00:02.0 named by a scope"],
    "all_last": ["d5001000 nic 0000:00:02.0 named by a scope",
                 "d5001000 gpu 0000:fe:00.0 behind a bridge that a scope names",
                 "d5000000 ssd 0000:01:00.0 INCLUDE_PCI_ALL"],
    "bridges": ["fe001000 nic 0000:01:00.0 INCLUDE_PCI_ALL",
                "fe003000 ssd 0000:00:02.0 named by a scope",
                "fe004000 gpu 0000:00:1d.0 named by a scope"],
    "desktop": ["d1000000 nic 0000:00:02.0 named by a scope",
                "d1001000 ssd 0000:01:00.0 INCLUDE_PCI_ALL",
                "d1001000 gpu 0000:02:00.0 INCLUDE_PCI_ALL"],
    "every_type": ["fed90000 nic 0001:00:02.0 named by a scope",
                   "fed90000 gpu 0001:fe:00.0 behind a bridge that a scope names",
                   "2fed91000 ssd 0000:01:00.0 INCLUDE_PCI_ALL"],
    "hpet_functions": ["d2001000 nic 0000:01:00.0 INCLUDE_PCI_ALL",
                       "d2001000 ssd 0000:02:00.0 INCLUDE_PCI_ALL",
                       "d2001000 gpu 0000:03:00.0 INCLUDE_PCI_ALL"],
    "hundred_units": ["c0000000 nic 0000:00:00.0 named by a scope",
                      "c0001000 ssd 0000:00:01.0 named by a scope",
                      "c0002000 gpu 0000:00:02.0 named by a scope"],
    "ioapics": ["d6002000 nic 0000:01:00.0 INCLUDE_PCI_ALL",
                "d6002000 ssd 0000:02:00.0 INCLUDE_PCI_ALL",
                "d6002000 gpu 0000:03:00.0 INCLUDE_PCI_ALL",
                "note: offset 106 (6ah) and 64 (40h)"],
    "laptop": ["d0000000 nic 0000:00:02.0 named by a scope",
               "d0004000 ssd 0000:fe:00.0 behind a bridge that a scope names",
               "d0005000 gpu 0000:fd:00.0 behind a bridge that a scope names"],
    "no_remapping": ["fed90000 nic 0000:01:00.0 INCLUDE_PCI_ALL",
                     "fed90000 ssd 0000:02:00.0 INCLUDE_PCI_ALL",
                     "fed90000 gpu 0000:03:00.0 INCLUDE_PCI_ALL",
                     "verdict: no interrupt remapping"],
    "segments": ["d4000000 nic 0000:00:02.0 named by a scope",
                 "d4001000 ssd 0001:01:00.0 INCLUDE_PCI_ALL",
                 "d4002000 gpu 0000:01:00.0 INCLUDE_PCI_ALL"],
    "server": ["e1000000 nic 0000:fe:00.0 behind a bridge that a scope names",
               "e1001000 ssd 0000:80:04.0 named by a scope",
               "e0001000 gpu 0000:fc:00.0 behind a bridge that a scope names"],
    "soc": ["fd10000000 nic 0000:00:02.0 named by a scope",
            "fd10010000 ssd 0000:01:00.0 INCLUDE_PCI_ALL",
            "fd10010000 gpu 0000:02:00.0 INCLUDE_PCI_ALL"],
    "unknown_types": ["d3000000 nic 0000:00:02.0 named by a scope",
                      "d3001000 ssd 0000:01:00.0 INCLUDE_PCI_ALL",
                      "d3001000 gpu 0000:02:00.0 INCLUDE_PCI_ALL"],
    "zero_tail": ["d5001000 nic 0000:00:02.0 named by a scope",
                  "d5001000 gpu 0000:fe:00.0 behind a bridge that a scope names",
                  "d5000000 ssd 0000:01:00.0 INCLUDE_PCI_ALL",
                  "note: offset 104 (68h)"],
}
REFUSED = {
    "base_unaligned": "offset 56 ",
    "base_zero": "offset 104 ",
    "cut_short": "offset 4 ",
    "narrow": "host address width",
    "no_unit": "names no remapping unit",
    "one_device": "no place for three devices",
    "other_signature": "offset 0 ",
    "scope_too_long": "offset 64 ",
    "unit_length_zero": "offset 64 ",
    "wrong_checksum": "offset 9 ",
}


def placed(text):
    """Where the devices are, as in TAKEN."""
    base = ""
    found = []
    for line in text.splitlines():
        words = line.split()
        if line.startswith("unit "):
            base = words[3].rstrip(",")
        elif line.startswith("    ") and words[0] in ("nic", "ssd", "gpu"):
            found.append(" ".join([base] + words))
        elif line.startswith("verdict: no "):
            found.append(line.split(",")[0])
        elif line.startswith("note: "):
            found.append(line.rpartition(":")[0])
    return found


def check_tables(program, folder):
    files = {path.stem: path for path in pathlib.Path(folder).glob("*.dmar")}
    case("every shape of table is expected here",
         " ".join(set(files) ^ (set(TAKEN) | set(REFUSED))))
    for name, path in sorted(files.items()):
        if name in TAKEN:
            done = run(program, "--dmar", path, "--show", 0)
            case("table %s" % name, unbalanced(done))
            case("table %s: devices are under the units it names" % name,
                 "" if placed(done.stdout) == TAKEN[name] else done.stdout)
        elif name in REFUSED:
            bad_input(program, "table %s" % name, ["--dmar", path], REFUSED[name])


def check_real_tables(program):
    data = os.environ.get("VTDPI_SHARED_DATA",
                          os.environ.get("TESTS_SHARED_DATA", ""))
    files = sorted(pathlib.Path(data, "dmar").glob("*.bin"))
    if not files:
        skip("tables of real machines", "no shared data")
    for path in files:
        done = run(program, "--dmar", path, "--show", 0, "--seed", len(path.name))
        if done.returncode == 2 and "offset" in done.stderr:
            # One machine's firmware has a unit without registers.
            case("%s is malformed, and told so" % path.name,
                 "" if "register base" in done.stderr else done.stderr)
        else:
            case(path.name, unbalanced(done))


def main():
    program, tables = sys.argv[1:3]
    check_seeds(program)
    check_lengths(program)
    check_output(program)
    check_colour(program)
    check_arguments(program)
    check_tables(program, tables)
    check_real_tables(program)
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
