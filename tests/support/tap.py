# SPDX-License-Identifier: BSD-2-Clause
"""TAP for tests that do not know their number before they end."""


class Tap:
    """Counts tests and prints a line for each."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def say(self, good, name, *lines):
        """A test; the lines are shown if it has failed."""
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good:
            self.failed += 1
            for line in "\n".join(str(x) for x in lines).splitlines():
                print(f"# {line}")

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def end(self):
        """The plan; returns the exit status."""
        print(f"1..{self.count}", flush=True)
        return self.failed != 0
