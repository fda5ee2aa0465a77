# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the command-line tool share.

A test program is called as: test_NAME.py TOOL SOURCE [SHARED], with the tool, the
source tree, and the folder of machine output that may be absent.
"""

import difflib
import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from tap import Tap

try:
    import jsonschema
except ImportError:
    jsonschema = None

HERE = pathlib.Path(__file__).resolve().parent
# Statuses of tools/vtdpi/tool.h.
GOOD, WRONG, USAGE, INPUT, UNKNOWN = range(5)


class Tool:
    def __init__(self, tap, arguments):
        self.tap = tap
        self.program = arguments[1]
        self.source = pathlib.Path(arguments[2])
        self.shared = pathlib.Path(arguments[3]) if len(arguments) > 3 else None
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        self.unchecked = 0  # JSON that no schema was there to judge

    def run(self, *arguments, stdin=b"", seconds=60):
        """Its result, with bytes; status below 0: it crashed."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        return subprocess.run([self.program, *map(str, arguments)],
                              input=stdin, capture_output=True, check=False,
                              timeout=seconds, env=self.environment)

    def is_status(self, wanted, *arguments, **options):
        """A test of its status. A status that is not good has a message, unless the
        command says on stdout what is wrong."""
        done = self.run(*arguments, **options)
        said = done.stderr if wanted in (USAGE, INPUT) else done.stdout
        self.tap.say(done.returncode == wanted and said != b"",
                     f"status {wanted}: {' '.join(map(str, arguments))}",
                     f"status {done.returncode}", done.stderr.decode())
        return done

    def json(self, *arguments, **options):
        """The JSON, which has to fit the schema of the command, the first argument."""
        done = self.run(*arguments, "--json", **options)
        value = json.loads(done.stdout)
        if jsonschema is None:
            self.unchecked += 1
        else:
            schema = (self.source / "tools" / "vtdpi" / "schema" /
                      f"{arguments[0]}.json")
            jsonschema.validate(value, json.loads(schema.read_text()))
        return value

    def golden(self, name, *arguments, **options):
        """A test that stdout is that of golden/NAME. With VTDPI_GOLDEN=write the file
        is written."""
        done = self.run(*arguments, **options)
        text = done.stdout.decode()
        file = HERE / "golden" / name
        if os.environ.get("VTDPI_GOLDEN") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        wanted = file.read_text() if file.exists() else ""
        self.tap.say(text == wanted and text != "", f"golden {name}",
                     *difflib.unified_diff(wanted.splitlines(),
                                           text.splitlines(), "golden", "now",
                                           lineterm=""))
        return done


def main(test):
    tap = Tap()
    tool = Tool(tap, sys.argv)
    test(tool)
    if tool.unchecked != 0:
        tap.skip("JSON fits its schema",
                 f"{tool.unchecked} times; needs python3-jsonschema")
    sys.exit(tap.end())
