# SPDX-License-Identifier: BSD-2-Clause
"""Run the demo and judge it from outside.

usage: check_quickstart.py demo|mutant PROGRAM

demo: the account balances for every seed and DMAR table, bad input is told
with status 2, the output is bounded. mutant: PROGRAM is broken on purpose and
must be caught, by its own account, with one seed at least. Prints TAP.
"""

import os
import pathlib
import struct
import subprocess
import sys
import tempfile

SEEDS = 250
MUTANT_SEEDS = 25
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
    everything = run(program, "--all").stdout
    complete = "--all shows them" not in everything
    case("--all shows everything",
         "" if complete and everything.count("\n") > 2000 else "too short")
    for word in ("takes WNV", "wakes v", "takes ANV", "halts", "is preempted",
                 "moved from", "handles", "merged", "falls back", "relayed",
                 "moves from", "sleeps", "      +  ", "goes offline",
                 "p3 offline", "preempted first", "halts again", "takes 36 (VM exit)"):
        case("the timeline has '%s'" % word.strip(),
             "" if word in everything else "never")


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


# DMAR tables, made here.


def scope(kind, *path, bus=0, ident=0):
    body = b"".join(bytes(hop) for hop in path)
    return bytes((kind, 6 + len(body), 0, 0, ident, bus)) + body


def drhd(base, *scopes, flags=0, length=None):
    body = b"".join(scopes)
    return struct.pack(
        "<HHBBHQ",
        0,
        16 + len(body) if length is None else length,
        flags,
        0,
        0,
        base,
    ) + body


def table(*structures, width=46, flags=1, signature=b"DMAR", checksum=0):
    body = b"".join(structures)
    head = signature + struct.pack("<IBB", 48 + len(body), 1, 0)
    head += b"LIBVTD" + b"DEMO    " + struct.pack("<I4sI", 1, b"TEST", 1)
    head += bytes((width - 1, flags)) + bytes(10)
    whole = bytearray(head + body)
    whole[9] = (checksum - sum(whole)) % 256
    return bytes(whole)


ENDPOINT, BRIDGE, IOAPIC = 1, 2, 3
ALL = 1
GOOD = table(
    drhd(0xD37FC000, scope(ENDPOINT, (2, 0))),
    drhd(0xE0FFC000, scope(BRIDGE, (1, 0)), scope(BRIDGE, (1, 1), (0, 0))),
    drhd(0xFBFFC000, scope(IOAPIC, (0x1F, 7), bus=0xF0, ident=2), flags=ALL),
)


def check_tables(program, folder):
    path = os.path.join(folder, "dmar")

    def with_table(content, *args):
        pathlib.Path(path).write_bytes(content)
        return run(program, "--dmar", path, "--show", 0, *args)

    done = with_table(GOOD)
    case("a table with three units", unbalanced(done))
    wanted = (
        "unit 0 at d37fc000",
        "    nic  0000:00:02.0   named by a scope",
        "unit 1 at e0ffc000",
        "    ssd  0000:fe:00.0   behind a bridge that a scope names",
        "unit 2 at fbffc000",
        "    gpu  0000:01:00.0   INCLUDE_PCI_ALL",
        "verdict: interrupt remapping with posting",
    )
    lines = [l.split(",")[0] for l in done.stdout.splitlines()]
    at = [lines.index(w) if w in lines else -1 for w in wanted]
    case("its devices are under the units that its scopes name",
         "" if -1 not in at and at == sorted(at) else done.stdout)

    done = with_table(table(drhd(0xFED90000, flags=ALL), flags=0))
    case("one unit, not meant for remapping", unbalanced(done))
    case("its verdict", "" if "verdict: no interrupt remapping" in done.stdout
         and "INTR_REMAP" in done.stdout else done.stdout)

    units = [drhd(0xC0000000 + 0x1000 * i, scope(ENDPOINT, (i % 32, i // 32)))
             for i in range(100)]
    case("a hundred units", unbalanced(with_table(table(*units))))

    for name, content, word in (
        ("a file that is cut short", GOOD[:-1], "offset 4 "),
        ("another signature", table(signature=b"APIC"), "offset 0 "),
        ("a wrong checksum", table(drhd(0x1000, flags=ALL), checksum=1),
         "offset 9 "),
        ("a unit of length 0",
         table(drhd(0x1000, flags=ALL), drhd(0x2000, length=0)), "offset 64 "),
        ("a scope beyond its unit",
         table(drhd(0x1000, bytes((1, 20, 0, 0, 0, 0, 2, 0)))), "offset 64 "),
        ("a register base that is not aligned",
         table(drhd(0x1234, flags=ALL)), "offset 56 "),
        ("no unit", table(), "names no remapping unit"),
        ("room for one device", table(drhd(0x1000, scope(ENDPOINT, (2, 0)))),
         "no place for three devices"),
        ("a narrow machine", table(drhd(0x1000, flags=ALL), width=20),
         "host address width"),
    ):
        pathlib.Path(path).write_bytes(content)
        bad_input(program, name, ["--dmar", path], word)


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


def check_mutant(program):
    caught = 0
    for seed in range(MUTANT_SEEDS):
        done = run(program, "--seed", seed, "--show", 0)
        if done.returncode not in (0, 1):
            case("the broken demo ends in order", unbalanced(done))
            return
        if done.returncode == 1:
            caught += 1
            if "THE ACCOUNT DOES NOT BALANCE." not in done.stdout \
                    and not done.stderr:
                case("a broken run says so", done.stdout)
                return
    case("%s is caught (%d of %d seeds)"
         % (os.path.basename(program), caught, MUTANT_SEEDS),
         "" if caught > 0 else "survived")


def main():
    what, program = sys.argv[1:3]
    if what == "mutant":
        check_mutant(program)
    else:
        check_seeds(program)
        check_lengths(program)
        check_output(program)
        check_colour(program)
        check_arguments(program)
        with tempfile.TemporaryDirectory() as folder:
            check_tables(program, folder)
        check_real_tables(program)
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
