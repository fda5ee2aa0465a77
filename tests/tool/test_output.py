#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Colour, width, and outputs that cannot be written."""

import fcntl
import os
import pty
import struct
import subprocess
import termios

from tooltest import GOOD, INPUT, USAGE, WRONG, main

# An entry with something wrong, which is red.
WRONG_ENTRY = ("irte", "0", "1")
RED = b"\x1b[31m"
# One of each command that prints without a file.
COMMANDS = (
    ("irte", "40510", "200300001"),
    ("pid", "0", "2", "0", "0", "f10000", "0", "0", "0"),
    ("msi", "fee00018", "0"),
    ("rte", "10000"), ("cap", "8d2078c106f0466"), ("ecap", "f020df"),
    ("fault", "8000002600000510", "0"), ("qi", "14", "0"),
    ("encode", "msi", "--index", "1"), ("explain", "PI"),
    ("explain", "--list"),
)
PRINTERS = (*COMMANDS, ("--help",), ("help",), ("--version",),
            ("irte", "--help"), ("irte", "--usage"), ("encode", "--help"),
            ("encode", "irte", "--help"))


def on_terminal(tool, *arguments, columns=0, **environment):
    """What the tool writes to a terminal, and its status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24 if columns else 0, columns, 0, 0))
    env = {k: v for k, v in tool.environment.items() if k != "NO_COLOR"}
    with subprocess.Popen([tool.program, *arguments], stdin=theirs,
                          stdout=theirs, stderr=theirs,
                          env={**env, **environment}) as child:
        os.close(theirs)
        text = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not more:
                break
            text += more
        status = child.wait(60)
    os.close(ours)
    return text, status


def color(tool):
    text, status = on_terminal(tool, *WRONG_ENTRY)
    tool.tap.say(RED + b"wrong: " in text and status == WRONG,
                 "a terminal has colour", text)
    text, _ = on_terminal(tool, *WRONG_ENTRY, NO_COLOR="1")
    tool.tap.say(b"\x1b" not in text and text, "NO_COLOR", text)
    text, _ = on_terminal(tool, *WRONG_ENTRY, "--color", "never")
    tool.tap.say(b"\x1b" not in text and text, "--color never", text)
    text, _ = on_terminal(tool, *WRONG_ENTRY, "--json")
    tool.tap.say(b"\x1b" not in text and text, "JSON has no colour", text)
    done = tool.run(*WRONG_ENTRY)
    tool.tap.say(b"\x1b" not in done.stdout, "a pipe has no colour")
    done = tool.run(*WRONG_ENTRY, "--color", "always")
    tool.tap.say(RED in done.stdout, "--color always, and NO_COLOR",
                 done.stdout)
    plain = tool.run(*WRONG_ENTRY).stdout
    codes = (RED, b"\x1b[0m")
    colored = done.stdout
    for code in codes:
        colored = colored.replace(code, b"")
    tool.tap.say(colored == plain, "the text is the same", colored)
    tool.is_status(USAGE, *WRONG_ENTRY, "--color", "sometimes")


def longest(text):
    return max(len(line) for line in text.decode().splitlines())


def bad_options(tool):
    """A value that an option does not take: the message names both."""
    for command, option, value, takes in (
            ("table", "--haw", "65", "from 1 to 64"), ("irte", "--haw", "x", "from 1 to 64"),
            ("irte", "--haw", "0x41", "from 1 to 64"), ("irte", "--haw", "", "from 1 to 64"),
            ("log", "--width", "19", "from 20 to 1000"),
            ("msi", "--color", "perhaps", "auto, always or never"),
            ("msi", "--dest-bits", "9", "8, 15 or 32"),
            ("irte", "--haw", "-5", "from 1 to 64")):
        done = tool.is_status(USAGE, command, f"{option}={value}", "0", "0")
        said = done.stderr.decode()
        # argp breaks lines anywhere.
        said = " ".join(said.split())
        tool.tap.say(f"{option}: {takes}" in said and f"not {value} ".replace("  ", " ")
                     in said,
                     f"{command} {option}={value}: what is wrong", said)


def width(tool):
    word = ("explain", "fault 0x26")
    for columns in (20, 40, 79):
        done = tool.run(*word, "--width", str(columns))
        # A name stands alone in its line, as long as it is.
        rest = b"\n".join(done.stdout.splitlines()[1:])
        tool.tap.say(columns - 14 < longest(rest) <= columns,
                     f"{columns} columns", longest(rest))
    text, _ = on_terminal(tool, *word, columns=50)
    rest = b"\n".join(text.splitlines()[1:])
    tool.tap.say(36 < longest(rest) <= 50, "a terminal of 50 columns",
                 longest(rest))
    text, _ = on_terminal(tool, *word)
    rest = b"\n".join(text.splitlines()[1:])
    tool.tap.say(66 < longest(rest) <= 80, "a terminal of no size",
                 longest(rest))
    tool.tap.say(tool.run(*word, "--width", "1000").stdout.split() ==
                 tool.run(*word, "--width", "20").stdout.split(),
                 "the words are the same")


def run_to(tool, output, *arguments):
    done = subprocess.run([tool.program, *arguments], stdout=output,
                          stderr=subprocess.PIPE, check=False, timeout=60,
                          env=tool.environment)
    return done.returncode, done.stderr


def unwritable(tool):
    """Each command says so, with and without --json, and so does --help."""
    lines = [*PRINTERS, *((*c, "--json") for c in COMMANDS)]
    for line in lines:
        name = " ".join(line)
        with open("/dev/full", "wb") as full:
            status, said = run_to(tool, full, *line)
        tool.tap.say(status == INPUT and said.count(b"cannot be written") == 1 and
                     b"No space" in said, f"full disk: {name}", status, said)
        reader, writer = os.pipe()
        os.close(reader)
        status, said = run_to(tool, writer, *line)
        os.close(writer)
        tool.tap.say(status == INPUT and b"Broken pipe" in said,
                     f"closed pipe: {name}", status, said)


def whole(tool):
    for line in PRINTERS:
        done = tool.run(*line)
        tool.tap.say(done.returncode == GOOD and done.stdout and
                     done.stderr == b"", f"good: {' '.join(line)}",
                     done.returncode, done.stderr)
    tool.is_status(USAGE)
    tool.is_status(USAGE, "no-such-command")
    tool.is_status(USAGE, "irte", "--no-such-option", "1", "2")
    version = (tool.source / "VERSION").read_text().strip()
    tool.tap.say(tool.run("--version").stdout.decode() == f"vtdpi {version}\n",
                 "the version")


def test(tool):
    for part in (color, bad_options, width, whole, unwritable):
        part(tool)


main(test)
