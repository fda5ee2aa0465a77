# SPDX-License-Identifier: BSD-2-Clause
"""The examples of a manual page, run as printed.

In EXAMPLES, a line between .EX and .EE that begins with "$ " is a command for a shell, and
what follows is its output. Lines up to END are the command's input if it has <<END.
"""

import os
import pathlib
import re
import subprocess


def plain(text):
    """Text as a reader sees it."""
    return text.replace("\\-", "-").replace("\\e", "\\").replace("\\&", "")


def examples(page):
    """Command and output of each example."""
    part = page.partition(".SH EXAMPLES")[2].partition("\n.SH ")[0]
    for block in re.findall(r"^\.EX\n(.*?)^\.EE$", part, re.M | re.S):
        for text in re.split(r"^\$ ", block, flags=re.M)[1:]:
            head, feed, rest = text.partition("\n")
            command = head
            if "<<END" in head:
                there, _, rest = rest.partition("END\n")
                command = head + feed + there + "END\n"
            yield plain(command), plain(rest)


def check(tool, name):
    file = tool.source / "tools" / "vtdpi" / f"{name}.1"
    folder = str(pathlib.Path(tool.program).resolve().parent)
    count = 0
    for command, output in examples(file.read_text()):
        done = subprocess.run(
            ["sh", "-c", command], capture_output=True, check=False,
            env={**tool.environment,
                 "PATH": folder + os.pathsep + os.environ["PATH"]})
        tool.tap.say(done.stdout.decode() == output,
                     f"{name}: {command.splitlines()[0]}", done.stdout.decode(),
                     done.stderr.decode())
        count += 1
    tool.tap.say(count > 0, f"{name} has examples that run")
