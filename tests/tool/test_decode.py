#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Commands that decode words."""

from tooltest import GOOD, USAGE, WRONG, main


def test(tool):
    tool.golden("irte", "irte", "40510", "0x200300001")
    tool.is_status(GOOD, "irte", "40510", "200300001")
    done = tool.is_status(WRONG, "irte", "0", "1")
    tool.tap.say(b"wrong: vector below 16" in done.stdout, "it says why")
    entry = tool.json("irte", "40510", "200300001")
    tool.tap.say(entry["fields"]["BDF"] == "05:02.0" and
                 entry["wrong"] is None, "fields", entry)
    for bad in ([], ["1"], ["1", "2", "3"], ["x", "1"], ["1" * 17, "1"],
                ["--haw", "65", "0", "1"], ["--width", "19", "0", "1"]):
        tool.is_status(USAGE, "irte", *bad)


main(test)
