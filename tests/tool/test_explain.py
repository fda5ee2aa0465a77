#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vtdpi explain: everything that the page and the headers have, and no more."""

import re

from tooltest import GOOD, INPUT, USAGE, WRONG, main

# Enumerations, the kind of their entries, and how many constants there are at least.
ENUMERATIONS = {
    "status.h": ("vtdpi_err", "error", 70),
    "route.h": ("vtdpi_route_reason", "routing reason", 20),
    "verdict.h": ("vtdpi_verdict_reason_code", "verdict reason", 14),
    "regs.h": ("vtdpi_fault_reason", "fault reason", 9),
}
# Structures with every field that a line can have.
LINES = (
    ("irte", "40510", "200300001"), ("irte", "80510", "200300001"),
    ("irte", "40510", "104000418001"), ("irte", "0", "0"),
    ("pid", "0", "2", "0", "0", "f10000", "0", "0", "0"),
    ("msi", "fee00318", "0"), ("msi", "fee01000", "4041"),
    ("rte", "b000000010009"), ("rte", "10000"),
    ("fault", "8000002600000510", "0"), ("fault", "8000000500000510", "0"),
    *(("qi", f"{kind:x}", "0") for kind in range(1, 10)),
    ("qi", "14", "0", "1", "0"),
)
# Raw words, whose name is their place.
RAW = {"hi", "lo", "CAP", "ECAP", "qw1", "qw2", "qw3"}


def glossary(tool):
    page = (tool.source / "docs" / "architecture.md").read_text()
    part = page.partition("\n## Glossary\n")[2]
    for section in re.split(r"^### ", part, flags=re.M)[1:]:
        word, _, text = section.partition("\n")
        yield word.strip(), " ".join(text.replace("`", "").split())


def words(tool):
    missing = []
    count = 0
    for word, text in glossary(tool):
        count += 1
        entries = tool.json("explain", *word.split())["entries"]
        if not any(e["name"] == word and e["text"].split() == text.split()
                   for e in entries):
            missing.append(word)
        plain = word.partition(" (")[0]
        entries = tool.json("explain", plain.upper())["entries"]
        if not any(e["name"] == word for e in entries):
            missing.append(plain.upper())
    tool.tap.say(count > 50 and not missing, "each word of the glossary",
                 count, missing)


def constants(tool):
    for header, (enumeration, kind, least) in ENUMERATIONS.items():
        text = (tool.source / "include" / "vtdpi" / header).read_text()
        body = re.search(rf"^enum {enumeration} \{{\n(.*?)^\}};", text,
                         re.M | re.S)[1]
        found = re.findall(r"^\s*(VTDPI_\w+)\s*=\s*([-\w]+)", body, re.M)
        missing = []
        for name, number in found:
            for asked in (name, name.removeprefix("VTDPI_").lower()):
                entries = tool.json("explain", asked)["entries"]
                if not any(e["name"] == name and e["kind"] == kind and
                           e["number"] == int(number, 0) and e["phrase"]
                           for e in entries):
                    missing.append(asked)
        tool.tap.say(len(found) >= least and not missing,
                     f"each {kind} of {header}", len(found), missing)


def fields(tool):
    unknown = set()
    names = set()
    for line in LINES:
        names |= set(tool.json(*line)["fields"])
    for register in ("cap", "ecap"):
        names |= set(tool.json(register, "1")["registers"][0]["fields"])
    for name in names - RAW:
        entries = tool.json("explain", name)["entries"]
        if not any(e["kind"] == "field" for e in entries):
            unknown.add(name)
    tool.tap.say(len(names) > 100 and not unknown,
                 "each field of each line", len(names), sorted(unknown))


def forms(tool):
    for asked, name in (
            (["26h"], "VTDPI_FR_SOURCE_ID"), (["0x26"], "VTDPI_FR_SOURCE_ID"),
            (["26"], "VTDPI_FR_SOURCE_ID"),
            (["38"], "VTDPI_FR_SOURCE_ID"),
            (["fault", "reason", "37"], "VTDPI_FR_COMPAT_BLOCKED"),
            (["40"], "VTDPI_FR_PID_RESERVED"),
            (["28"], "VTDPI_FR_PID_RESERVED"),
            (["0x37"], "fault reason 0x37"), (["37h"], "fault reason 0x37"),
            (["DMAR: [INTR-REMAP] Request device [05:02.0] fault index 0x18 "
              "[fault reason 0x22] Present field in the IRTE entry is clear"],
             "VTDPI_FR_NOT_PRESENT"),
            (["(XEN) [VT-D]INTR-REMAP: reason 22 - Present field in the IRTE"],
             "VTDPI_FR_NOT_PRESENT"),
            (["FR=0x26"], "VTDPI_FR_SOURCE_ID"),
            (["fault", "reason", "26"], "VTDPI_FR_SOURCE_ID"),
            (["source id refused by the table entry"], "VTDPI_FR_SOURCE_ID"),
            (["-1024"], "VTDPI_EIRTE_SVT"),
            (["error", "-1024"], "VTDPI_EIRTE_SVT"),
            (["--", "-1024"], "VTDPI_EIRTE_SVT"),
            (["ecap.eim"], "EIM"), (["pid"], "PID"), (["piw"], "PIW"),
            (["fault reason 05"], "fault reason 0x5")):
        done = tool.run("explain", *asked)
        tool.tap.say(f"{name} (" in done.stdout.decode() and
                     done.returncode == GOOD, f"explain {asked}", done.stdout)
    value = tool.json("explain", "-1024")
    tool.tap.say([e["number"] for e in value["entries"]] == [-1024],
                 "an option behind an error code", value)
    done = tool.run("explain", "-", stdin="harvest\r\n")
    tool.tap.say(done.stdout.startswith(b"harvest (word)"), "standard input")


def logged(tool):
    """Lines of other machines' logs, whole."""
    path = tool.shared / "faults.txt" if tool.shared else None
    if path is None or not path.exists():
        tool.tap.skip("lines of logs", "no shared data")
        return
    lines = [line.partition("\t")[0] for line in path.read_text().splitlines()
             if re.search(r"INTR-REMAP.*reason \w", line)]
    unknown = [line for line in lines
               if not any(e["name"].startswith("VTDPI_FR_")
                          for e in tool.json("explain", line)["entries"])]
    tool.tap.say(len(lines) > 10 and not unknown, "lines of logs", len(lines),
                 *unknown)


def unknown(tool):
    for asked, near in (("harvset", "harvest"), ("seeded bugs", "seeded bug"),
                        ("EIRTE_SVR", "EIRTE_SVT"), ("ESIRTP", "ESIRTPS"),
                        ("notificaton", "notification")):
        done = tool.is_status(WRONG, "explain", asked)
        value = tool.json("explain", asked)
        tool.tap.say(value["entries"] == [] and near in value["near"] and
                     near.encode() in done.stdout, f"{asked} is near {near}",
                     value)
    value = tool.json("explain", "x" * 5000)
    tool.tap.say(value["near"] == [], "nothing is near")
    tool.is_status(WRONG, "explain", "")
    tool.is_status(WRONG, "explain", "-6")
    tool.is_status(WRONG, "explain", "-99999999999999999999")
    tool.is_status(WRONG, "explain", "0x100")
    tool.is_status(USAGE, "explain")
    done = tool.run("explain", "-", stdin=b"\xff\xfe")
    tool.tap.say(done.returncode == INPUT and b"UTF-16" in done.stderr,
                 "no text", done.stderr)
    for word in (b"\xc3\x1b[31mred", b"red\xc2\x9b31m"):
        done = tool.run("explain", "-", stdin=word)
        tool.tap.say(done.returncode == WRONG and b"?" in done.stdout and
                     max(done.stdout) < 127 and min(done.stdout[:-1]) >= 32,
                     "no escape sequence of an input", done.stdout)


def listed(tool):
    names = tool.json("explain", "--list")["names"]
    lines = tool.run("explain", "--list").stdout.decode().splitlines()
    # The words and the constants have tests above; of the fields every fourth.
    bad = [n for n in names[-1::-4] if "." in n
           and tool.run("explain", n).returncode != GOOD]
    tool.tap.say(names == lines and len(names) > 250 and not bad,
                 "the names of the list are known", len(names), bad)


def test(tool):
    tool.golden("explain_word", "explain", "notification")
    tool.golden("explain_fault", "explain", "0x22")
    tool.golden("explain_narrow", "explain", "--width", "40", "index")
    for part in (words, constants, fields, forms, logged, unknown, listed):
        part(tool)


main(test)
