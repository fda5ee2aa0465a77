#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Completion in bash and zsh offers what the tool's own --help has."""

import os
import pathlib
import pty
import re
import shlex
import shutil
import subprocess
import time

from tooltest import main
from test_schemas import commands

BASH = """
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
_vtdpi "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
# What zsh's completion system gives, in so far as the function uses it.
ZSH = """
compadd() {
    local -a given
    local front=
    while [[ $1 != -- ]]; do
        case $1 in
        -P) front=$2; shift 2 ;;
        -[SM]) shift 2 ;;
        *) print "compadd: $1"; return 1 ;;
        esac
    done
    shift
    for word; do
        [[ $front$word == $words[CURRENT]* ]] && print -r -- $front$word
    done
    return 0
}
_describe() {
    local -a all
    all=(${(P)2})
    compadd -- ${all%%:*}
}
_files() { print FILES; }
file=$1
shift
words=("$@")
CURRENT=$#
. $file
"""
KINDS = ("irte", "posted", "msi", "rte", "pid")


def options(tool, *command):
    """The options of a command, as its usage has them, which is another text than the
    one that completion reads."""
    usage = tool.run(*command, "--usage").stdout.decode()
    return set(re.findall(r"--[a-z][a-z-]*=?", usage))


class Shell:
    def __init__(self, tool, name, file, script):
        self.tool = tool
        self.name = name
        self.file = tool.source / "tools" / "vtdpi" / "completion" / file
        # No start-up file of the user's.
        self.command = {"bash": ["bash", "--norc", "--noprofile", "-c", script, "-"],
                        "zsh": ["zsh", "-f", "-c", script, "-"]}[name]

    def words(self, *line):
        done = subprocess.run([*self.command, self.file, self.tool.program, *line],
                              capture_output=True, text=True, check=False,
                              timeout=60, env=self.tool.environment)
        self.said = done.stderr
        return set(done.stdout.split("\n")) - {""}

    def offers(self, wanted, *line):
        got = self.words(*line)
        self.tool.tap.say(got == set(wanted) and self.said == "",
                          f"{self.name}: {' '.join(line)}|",
                          f"only here: {sorted(got - set(wanted))}",
                          f"missing: {sorted(set(wanted) - got)}", self.said)


def same_in_both(shell, tool):
    all_commands = commands(tool)
    shell.offers([*all_commands, "--help", "--version"], "")
    shell.offers([c for c in all_commands if c.startswith("e")], "e")
    shell.offers(["--version"], "--v")
    for command in all_commands:
        if command == "encode":
            continue
        shell.offers(options(tool, command), command, "-")
    shell.offers([*KINDS, "--help"], "encode", "")
    for kind in KINDS:
        shell.offers(options(tool, "encode", kind), "encode", kind, "--")
    shell.offers(["--json"], "irte", "--j")
    shell.offers(["--vector="], "encode", "irte", "--dest", "2", "--vec")
    shell.offers(["notification"], "explain", "notif")
    shell.offers([], "irte", "")
    shell.offers([], "no-such-command", "-")


def bash(tool):
    if shutil.which("bash") is None:
        tool.tap.skip("bash", "bash is not here")
        return
    shell = Shell(tool, "bash", "vtdpi.bash", BASH)
    same_in_both(shell, tool)
    shell.offers(["auto", "always", "never"], "irte", "--color", "=")
    shell.offers(["auto", "always"], "irte", "--color", "=", "a")
    shell.offers(["nmi"], "encode", "irte", "--dlm", "n")
    shell.offers([r"seeded\ bug"], "explain", "seed")
    for mode, values in (("--color", ("auto", "always", "never")),):
        for value in shell.words("irte", mode, "="):
            tool.tap.say(value in values and tool.run(
                "irte", f"{mode}={value}", "40510", "200300001").returncode == 0,
                f"{mode}={value} is an option")
    for value in shell.words("msi", "--dest-bits", ""):
        tool.tap.say(tool.run("msi", "--dest-bits", value, "fee01000",
                              "41").returncode == 0, f"--dest-bits {value}")
    for value in shell.words("encode", "irte", "--dlm", ""):
        tool.tap.say(tool.run("encode", "irte", "--dlm", value, "--rh", "--dest",
                              "1", "--vector", "48",
                              "--any-source").returncode == 0, f"--dlm {value}")
    typed(tool, shell)


def typed(tool, shell):
    """A user at a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        path = pathlib.Path(tool.program).resolve().parent
        os.environ.update(tool.environment, PS1="> ", TERM="dumb",
                          PATH=f"{path}:{os.environ['PATH']}")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    setup = f". {shlex.quote(str(shell.file))}\n"
    os.write(terminal, setup.encode() + b"vtdpi enc\tmsi --ind\t9\nexit\n")
    text = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            more = os.read(terminal, 4096)
        except OSError:
            break
        if not more:
            break
        text += more
    os.close(terminal)
    os.waitpid(child, 0)
    tool.tap.say(b"address=0xfee00138 data=0x0" in text,
                 "bash: typed with two tabs", text)


def zsh(tool):
    if shutil.which("zsh") is None:
        tool.tap.skip("zsh", "zsh is not here")
        return
    shell = Shell(tool, "zsh", "_vtdpi", ZSH)
    first = shell.file.read_text().splitlines()[0]
    tool.tap.say(first == "#compdef vtdpi", "zsh: the first line", first)
    same_in_both(shell, tool)
    shell.offers(["--color=auto", "--color=always"], "irte", "--color=a")
    shell.offers(["--dlm=nmi"], "encode", "irte", "--dlm=n")
    shell.offers(["seeded bug"], "explain", "seed")


def test(tool):
    bash(tool)
    zsh(tool)


if __name__ == "__main__":
    main(test)
