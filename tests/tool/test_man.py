#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The man pages: no warning, each command and option, and examples that are run.

An example is a line that begins with "$ " in the section EXAMPLES of any page of
tools/vtdpi, or in docs/tool.md behind four blanks. The lines behind it, up to the next
example or the end of the block, are what it prints; "..." stands for any lines.
Without such lines only its status counts. With <<END in the example, the lines up to
END belong to it. The examples are run in a copy of the folder tests/tool/man, if there
is one. What needs a certain machine goes into another section, such as EXAMPLE SESSIONS.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from tooltest import HERE, USAGE, main
from test_schemas import commands

ESCAPES = {r"\-": "-", r"\e": "\\", r"\(aq": "'", r"\(dq": '"', r"\(ti": "~",
           r"\(ha": "^", r"\&": "", r"\(ga": "`", r"\(rs": "\\"}


def plain(line):
    """A line of a page without the escapes of roff."""
    return re.sub(r"\\(?:\(..|.)", lambda m: ESCAPES.get(m[0], m[0]), line)


def page_lines(page):
    """The lines of EXAMPLES; of a page in Markdown those of its code. Requests of roff,
    and other text in Markdown, are a dot."""
    inside = page.suffix != ".1"
    for line in page.read_text().splitlines():
        if page.suffix != ".1":
            code = line.startswith("    ") or line == ""
            yield line[4:].replace("\\", r"\e") if code else "."
        elif re.match(r"\.S[Hh] ", line):
            inside = line[4:].strip('"') == "EXAMPLES"
        elif inside:
            yield "." if re.match(r"[.'][A-Za-z\\]", line) else line
    yield "."


def examples(page):
    """Each example with what it prints."""
    command, output, more = None, [], False
    for line in page_lines(page):
        if more:
            command += "\n" + plain(line)
            more = line != "END"
            continue
        if command is not None and line != "." and not line.startswith("$ "):
            output.append(plain(line))
            continue
        if command is not None:
            yield command, "\n".join(output).rstrip("\n").splitlines()
        command, output = None, []
        if line.startswith("$ "):
            command = plain(line[2:])
            more = "<<END" in command


def fits(wanted, lines):
    parts = [re.escape("\n".join(group) + "\n") if group else ""
             for group in split(wanted)]
    return re.fullmatch(r"(?:.*\n)*".join(parts), "".join(
        line + "\n" for line in lines)) is not None


def split(lines):
    """The lines between the lines of dots."""
    groups = [[]]
    for line in lines:
        if line == "...":
            groups.append([])
        else:
            groups[-1].append(line)
    return groups


def run_examples(tool, page, folder):
    path = f"{pathlib.Path(tool.program).resolve().parent}:{os.environ['PATH']}"
    count = 0
    for command, wanted in examples(page):
        count += 1
        done = subprocess.run(["sh", "-c", command], cwd=folder, check=False,
                              capture_output=True, text=True, timeout=60,
                              env={**tool.environment, "PATH": path})
        lines = done.stdout.splitlines()
        good = done.returncode < 126 and done.returncode != USAGE
        if wanted:
            good = good and fits(wanted, lines)
        name = command.partition("\n")[0]
        tool.tap.say(good, f"{page.name}: {name}", f"status {done.returncode}",
                     done.stdout, done.stderr, "the page has:", *wanted)
    # An empty section, or a page for which the parser finds none.
    if page.suffix != ".1" or re.search(r"^\.S[Hh] EXAMPLES$",
                                        page.read_text(), re.M):
        tool.tap.say(count > 0, f"{page.name} has examples")


def lint(tool, page):
    checks = {"mandoc": ["mandoc", "-Tlint", "-Wwarning", page],
              "man": ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z",
                      page]}
    for name, command in checks.items():
        if shutil.which(name) is None or (name == "man" and
                                          shutil.which("groff") is None):
            tool.tap.skip(f"{page.name}: {name}", f"{name} is not here")
            continue
        done = subprocess.run(command, capture_output=True, text=True,
                              check=False, timeout=60)
        said = done.stderr + (done.stdout if name == "mandoc" else "")
        # The index of man pages is the machine's, and a page may go without a date.
        said = "\n".join(line for line in said.splitlines()
                         if "mandoc.db" not in line
                         and "missing date" not in line)
        tool.tap.say(said == "",
                     f"{page.name}: no warning of {name}", said)


def complete(tool, pages):
    """Each command is in a page, and each option in the page of its command."""
    text = {page.stem: plain(page.read_text()) for page in pages}
    for command in commands(tool):
        tool.tap.say(re.search(rf"^\.It Cm {command}\b", text["vtdpi"], re.M),
                     f"vtdpi.1 has {command}")
        said = tool.run(command, "--help").stdout.decode()
        own = text.get(f"vtdpi-{command}", "") + text["vtdpi"]
        missing = [option for option in set(re.findall(r"--([a-z][a-z-]+)", said))
                   if not re.search(rf"(?:Fl -|--){option}\b", own)]
        tool.tap.say(not missing, f"the options of {command} are in its page",
                     *missing)


def test(tool):
    pages = sorted((tool.source / "tools" / "vtdpi").glob("*.1"))
    tool.tap.say("vtdpi" in [page.stem for page in pages], "there is vtdpi.1")
    for page in pages:
        lint(tool, page)
    for page in [*pages, tool.source / "docs" / "tool.md"]:
        with tempfile.TemporaryDirectory() as folder:
            if (HERE / "man").is_dir():
                shutil.copytree(HERE / "man", folder, dirs_exist_ok=True)
            run_examples(tool, page, folder)
    complete(tool, pages)


if __name__ == "__main__":
    main(test)
