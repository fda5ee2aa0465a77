#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vtdpi dmar: what it prints of tables, and every problem it finds.

usage: test_dmar.py TOOL SOURCE SHARED SHAPES

SHAPES has the tables of tests/support/dmar_shapes.h.
"""

import csv
import gzip
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys

from tooltest import GOOD, INPUT, USAGE, WRONG, main
import dmartable

SHAPES = pathlib.Path(sys.argv[4])
# Those that are no table.
NO_TABLE = {"cut_short", "other_signature"}
GOLDEN = ["bridges", "base_unaligned", "base_zero", "desktop", "every_type",
          "laptop", "scope_too_long", "segments", "server", "soc",
          "unit_length_zero", "unknown_types", "zero_tail"]
STEPS = {"error": WRONG, "warning": WRONG, "note": GOOD}


def found(report):
    """What, severity, offset and other offset of each problem."""
    return [(p["severity"], p["what"], p["offset"])
            + ((p["other_offset"],) if "other_offset" in p else ())
            for p in report["problems"]]


def cases(tool):
    """One thing wrong: this is found, and nothing else."""
    for i, (data, wanted) in enumerate(dmartable.CASES):
        report = tool.json("dmar", "-", stdin=data)
        status = tool.run("dmar", "-", stdin=data).returncode
        want = max((STEPS[x[0]] for x in wanted), default=GOOD)
        name = ", ".join(x[1] for x in wanted) or "nothing"
        tool.tap.say(sorted(found(report)) == sorted(wanted) and status == want,
                     f"case {i}: {name}", found(report), f"status {status}")
        agrees(tool, f"case {i}", report)


def agrees(tool, name, report):
    """The library's finding is among those of the tool, at its place."""
    check = report["check"]
    places = {p["offset"] for p in report["problems"]}
    offsets = [p["offset"] for p in report["problems"]]
    # A scope or a structure is named by its start, a base by its field.
    tool.tap.say((check is None or check["offset"] in places)
                 and offsets == sorted(offsets),
                 f"{name}: the library's finding is there", check, places)


def covered(tool):
    """Every problem in the sources has a case."""
    text = "".join((tool.source / "tools" / "vtdpi" / f).read_text()
                   for f in ("dmar_lint.c", "dmar_lint_pairs.c"))
    names = set(re.findall(r'SEVERITY_[A-Z]+,\s*"([a-z0-9-]+)"', text))
    have = {x[1] for _, wanted in dmartable.CASES for x in wanted}
    page = (tool.source / "tools" / "vtdpi" / "vtdpi-dmar.1").read_text()
    told = {x.replace("\\-", "-")
            for x in re.findall(r"^\.B ([a-z0-9\\-]+)$", page, re.M)}
    tool.tap.say(len(names) > 30 and names == have, "every problem has a case",
                 names ^ have)
    tool.tap.say(names <= told, "the manual page lists every problem",
                 names - told)


def shapes(tool):
    files = sorted(SHAPES.glob("*.dmar"))
    tool.tap.say(len(files) > 20, "shapes are built", files)
    for file in files:
        if file.stem in NO_TABLE:
            tool.is_status(INPUT, "dmar", file)
            continue
        report = tool.json("dmar", file)
        agrees(tool, file.stem, report)
    for name in GOLDEN:
        tool.golden(f"dmar-{name}", "dmar", SHAPES / f"{name}.dmar")
    tool.golden("dmar-narrow-terminal", "dmar", "--width", "40",
                SHAPES / "base_zero.dmar")


def rows(data, offset, colon, text, gap=None):
    """Lines of a dump; @text: how the characters are set off."""
    lines = []
    for at in range(0, len(data), 16):
        part = data[at:at + 16]
        octets = [f"{b:02X}" for b in part]
        line = " ".join(octets[:8]) + (gap or " ") + " ".join(octets[8:])
        shown = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
        lines.append(f"{at:{offset}}{colon} {line:48}{text}{shown}")
    return lines


def acpidump(data, name="DMAR"):
    return [f"{name} @ 0x000000007AFC1000",
            *("    " + x for x in rows(data, "04X", ":", " ")), ""]


# The characters of this one look like bytes: in the OEM fields, and in the last line,
# which is short.
TRAP = dmartable.table(dmartable.REST,
                       dmartable.structure(7, bytes(4) + b"AB CD EF"))
TRAP = dmartable.seal(TRAP[:10] + b"AB CD EF 12 34" + TRAP[24:])


def dumps():
    """Name and text of dumps of TRAP."""
    other = acpidump(b"FACP" + bytes(40), "FACP")
    large = acpidump(b"DSDT" + bytes(range(256)) * 1024, "DSDT")
    raw = ["Intel ACPI Component Architecture", "",
           "[000h 0000   4]                    Signature : \"DMAR\"", "",
           f"Raw Table Data: Length {len(TRAP)} (0x{len(TRAP):X})", "",
           *rows(TRAP, "04X", ":", "  // ")]
    yield "acpidump", acpidump(TRAP)
    yield "acpidump of all tables", large + other + acpidump(TRAP) + other
    yield "iasl", raw
    yield "with lines behind", [*acpidump(TRAP), "00001000: 00 11 22",
                                "decade 00 11"]
    yield "hexdump -C", rows(TRAP, "08x", " ", "  |", "  ")
    yield "quoted by mail", [f"> > {line}" for line in raw]
    yield "in a log", [f"[   12.345678] {line}" for line in acpidump(TRAP)]
    yield "lower case", [x.lower() for x in rows(TRAP, "04x", ":", " ")]


def bare():
    """The bytes alone, without offsets."""
    digits = TRAP.hex()
    eight = [TRAP[at:at + 8] for at in range(0, len(TRAP), 8)]
    plain = "\n".join(digits[at:at + 60] for at in range(0, len(digits), 60))
    c = [", ".join(f"0x{b:02X}" for b in row) for row in eight]
    yield "xxd -p", plain + "\n"
    yield "xxd -p -c", digits
    yield "xxd -p, in a mail", "Here is mine, 44 4d in front:\n\n> " + plain.replace("\n", "\n> ")
    yield "xxd -i", ("unsigned char dmar_dat[] = {\n  " + ",\n  ".join(c) +
                     f"\n}};\nunsigned int dmar_dat_len = {len(TRAP)};\n")
    yield "an array with comments", "static const u8 t[] = {\n" + "".join(
        f"    {row},  /* {at * 8:08X}  0x44 44 */ // 4D\n" for at, row in enumerate(c)) + "};\n"
    yield "escapes", 'b"' + "".join(f"\\x{b:02x}" for b in TRAP) + '"'
    yield "escapes in lines", "".join(
        '"' + "".join(f"\\x{b:02x}" for b in row) + '"\n' for row in eight)
    yield "bytes in one line", " ".join(f"{b:02x}" for b in TRAP) + "\n"
    yield "bytes in lines", "\n".join(" ".join(f"{b:02X}" for b in row) for row in eight)
    yield "bytes with 0x behind an offset", "".join(
        f"0x{at:04x}: " + " ".join(f"0x{b:02x}" for b in TRAP[at:at + 16]) + "\n"
        for at in range(0, len(TRAP), 16))


def forms(tool):
    """A dump gives the same as the bytes."""
    wanted = tool.json("dmar", "-", stdin=TRAP)
    wanted["header"]["form"] = "hexadecimal dump"
    for name, lines in dumps():
        for feed in ("\n", "\r\n"):
            report = tool.json("dmar", "-", stdin=feed.join(lines) + feed)
            tool.tap.say(report == wanted, f"dump: {name} {feed!r}")
    for name, text in bare():
        for feed in ("\n", "\r\n"):
            done = tool.run("dmar", "--json", "-", stdin=text.replace("\n", feed))
            tool.tap.say(done.stdout != b"" and json.loads(done.stdout) == wanted,
                         f"dump: {name} {feed!r}", done.stderr)
    for command in (["xxd"], ["hexdump", "-C"], ["od", "-A", "x", "-t", "x1z"]):
        if shutil.which(command[0]) is None:
            tool.tap.skip(f"dump: {command[0]}", "is not installed")
            continue
        # The zeros make hexdump and od leave out lines.
        data = dmartable.table(dmartable.REST, b"\7\0\x60\0" + bytes(92))
        text = subprocess.run(command, input=data, capture_output=True,
                              check=True).stdout
        plain = tool.json("dmar", "-", stdin=data)
        plain["header"]["form"] = "hexadecimal dump"
        tool.tap.say(tool.json("dmar", "-", stdin=text) == plain,
                     f"dump: {' '.join(command)}")


def said(tool, data, *words):
    """No table, and the message has all these words."""
    done = tool.is_status(INPUT, "dmar", "-", stdin=data)
    text = done.stderr.decode()
    tool.tap.say(all(word in text for word in words) and done.stdout == b"",
                 f"the message says {', '.join(words)}", text)


def bad_input(tool):
    good = dmartable.GOOD
    text = "\n".join(acpidump(good))
    said(tool, b"", "empty")
    said(tool, bytes(4096), "zero")
    said(tool, gzip.compress(good), "compressed by gzip")
    said(tool, text.encode("utf-16"), "text in UTF-16")
    marked = tool.run("dmar", "-", stdin=b"\xef\xbb\xbf" + text.encode())
    tool.tap.say(marked.stdout == tool.run("dmar", "-", stdin=text).stdout != b"",
                 "behind the mark of UTF-8", marked.stderr)
    said(tool, b"\xff" * 4096, "0xff")
    said(tool, b"APIC" + good[4:], "APIC")
    said(tool, bytes(range(200)), "no DMAR table")
    said(tool, "Lorem ipsum\ndolor sit\n", "text without a dump")
    said(tool, "\n".join(acpidump(b"APIC" + good[4:], "APIC")), "APIC")
    said(tool, "\n".join(acpidump(b"APIC" + good[4:])), "heading")
    said(tool, good[:4], "text without a dump")
    for cut in (8, 20, 47, len(good) - 1):
        said(tool, good[:cut], "cut short")
    said(tool, text[:len(text) // 2], "cut short")
    said(tool, good[:4] + struct.pack("<I", 47) + good[8:], "less than its header")
    said(tool, good[:4] + struct.pack("<I", 1 << 31) + good[8:], "claims")
    lines = acpidump(good)
    said(tool, "\n".join(lines[:2] + lines[3:]), "standard input:3:", "missing")
    lines = rows(dmartable.table(bytes(40), dmartable.REST, dmartable.REST), "08x",
                 " ", "  |", "  ")
    said(tool, "\n".join([*lines[:4], "*", *lines[5:6], *lines[7:]]),
         "standard input:7:", "missing")
    for text in (good.hex()[:-2], good.hex()[:100] + "\nand so on", "DMAR: 444d4152 0x44"):
        said(tool, text, "text without" if text[0] == "D" else "cut short")
    for text in ("44/*" * (1 << 20), "44 " * (1 << 20), "444d4152" * (1 << 18)):
        tool.is_status(INPUT, "dmar", "-", stdin=text, seconds=20)
    octal = [f"{at:06o} " + " ".join(f"{b:02x}" for b in good[at:at + 16])
             for at in range(0, len(good), 16)]
    said(tool, "\n".join(octal), "standard input:2:", "octal")
    words = [f"{at:07x} " + " ".join(
        f"{w:04x}" for w in struct.unpack("<8H", (good + bytes(8))[at:at + 16]))
             for at in range(0, len(good), 16)]
    said(tool, "\n".join(words), "words of 16 bits")
    tool.is_status(GOOD, "dmar", "-", stdin=good.ljust(64 << 20, b"\0"))
    said(tool, good.ljust((64 << 20) + 1, b"\0"),
         "standard input: more than 67108864 bytes")
    tool.is_status(INPUT, "dmar", SHAPES / "no-such-file")
    tool.is_status(INPUT, "dmar", SHAPES)
    tool.is_status(INPUT, "dmar", "/dev/zero", seconds=300)
    for usage in ([], ["-", "-"], ["--nothing", "-"]):
        tool.is_status(USAGE, "dmar", *usage)


def samples(tool):
    folder = tool.shared / "dmar" if tool.shared else None
    if folder is None or not (folder / "index.tsv").exists():
        tool.tap.skip("tables of machines", "the folder shared/data is absent")
        return
    with open(folder / "index.tsv", encoding="utf-8") as file:
        index = list(csv.DictReader(file, delimiter="\t"))
    for row in index:
        report = tool.json("dmar", folder / row["file"])
        head = report["header"]
        kinds = [s["name"] for s in report["structures"]]
        units = [s for s in report["structures"] if s["name"] == "DRHD"]
        scopes = [x["name"] for s in units for x in s["scopes"]]
        have = [head["length"], head["revision"], head["host_address_width"],
                head["flags"], *(kinds.count(x) for x in
                                 ("DRHD", "RMRR", "ATSR", "RHSA", "ANDD", "SATC",
                                  "SIDP")),
                scopes.count("IOAPIC"), scopes.count("HPET")]
        want = [int(row[x], 0) for x in
                ("length", "revision", "host_addr_width", "flags_hex", "drhd",
                 "rmrr", "atsr", "rhsa", "andd", "satc", "sidp", "ioapic_scopes",
                 "hpet_scopes")]
        tool.tap.say(have == want, row["file"], have, want)
        agrees(tool, row["file"], report)
    tool.tap.say(len(index) > 0, "there are samples")


def test(tool):
    cases(tool)
    covered(tool)
    shapes(tool)
    forms(tool)
    bad_input(tool)
    samples(tool)


main(test)
