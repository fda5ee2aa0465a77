#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vtdpi table: dumps of every form, and every problem that it finds."""

import pathlib
import re
import sys

from tooltest import GOOD, INPUT, UNKNOWN, USAGE, WRONG, main
import irtdump

SHAPES = pathlib.Path(sys.argv[4])
DUMPS = pathlib.Path(__file__).resolve().parent / "dumps"
STEPS = {"error": WRONG, "warning": WRONG, "note": GOOD}


def found(report):
    return [(p["severity"], p["what"], p.get("index"))
            for p in report["problems"]]


def key(x):
    return [str(y) for y in x]


def cases(tool):
    """One thing wrong: this is found, and nothing else."""
    for i, (data, options, wanted) in enumerate(irtdump.CASES):
        report = tool.json("table", "-", *options, stdin=data)
        status = tool.run("table", "-", *options, stdin=data).returncode
        want = max((STEPS[x[0]] for x in wanted), default=GOOD)
        if want == GOOD and not report["entries"]:
            want = UNKNOWN
        name = ", ".join(x[1] for x in wanted) or "nothing"
        tool.tap.say(sorted(found(report), key=key) == sorted(wanted, key=key)
                     and status == want,
                     f"case {i}: {name} {' '.join(options)}", found(report),
                     f"status {status}")


def covered(tool):
    """Every problem in the sources has a case."""
    text = (tool.source / "tools" / "vtdpi" / "table_lint.c").read_text()
    names = set(re.findall(r'SEVERITY_[A-Z]+,\s*"([a-z0-9-]+)"', text))
    names |= set(re.findall(r'SEVERITY_NOTE : SEVERITY_WARNING, "([a-z]+)"', text))
    have = {x[1] for case in irtdump.CASES for x in case[2]}
    page = (tool.source / "tools" / "vtdpi" / "vtdpi-table.1").read_text()
    told = {x.replace("\\-", "-")
            for x in re.findall(r"^\.B ([a-z0-9\\-]+)$", page, re.M)}
    tool.tap.say(len(names) > 20 and names == have, "every problem has a case",
                 names ^ have)
    tool.tap.say(names <= told, "the manual page lists every problem",
                 names - told)


def golden(tool):
    for name in ("linux", "xen", "xen_old"):
        tool.golden(f"table-{name}", "table", DUMPS / name)
    tool.golden("table-problems", "table", "--problems", "--width", "50",
                DUMPS / "linux")
    tool.golden("table-raw", "table", "--haw", "39", "-", stdin=irtdump.raw(
        irtdump.remapped(), (0, 0), irtdump.posted(low=0xc001),
        irtdump.remapped(svt=2, sid=0x205, dlm=4), (0, 0x700000),
        irtdump.posted(pda=1 << 45)))


def same(tool, name, wanted, *options, stdin):
    """The same units, entries, problems, whatever stands around them."""
    report = tool.json("table", *options, "-", stdin=stdin)
    for part in ("units", "devices", "counts"):
        tool.tap.say(report[part] == wanted[part], f"{name}: {part}",
                     report[part], wanted[part])
    for part in ("entries", "problems"):
        plain = [[{k: v for k, v in x.items() if k != "line"} for x in r[part]]
                 for r in (report, wanted)]
        tool.tap.say(plain[0] == plain[1], f"{name}: {part}", *plain)
    return report


def forms(tool):
    for name in ("linux", "xen", "xen_old"):
        text = (DUMPS / name).read_text()
        bare = [x.removeprefix("(XEN) ") for x in text.splitlines()]
        wanted = tool.json("table", DUMPS / name)
        same(tool, f"{name}, CRLF", wanted, stdin="\r\n".join(text.split("\n")))
        for prefix in ("Nov 30 13:32:11 host kernel: ", "[   12.345678] ",
                       "Nov 30 13:32:11 host kernel: [   12.345678] ", "(XEN) ",
                       "(XEN) [2026-11-30 13:32:11] ", "> ", "\t"):
            report = same(tool, f"{name}, {prefix!r}", wanted,
                          stdin="".join(f"{prefix}{x}\n" for x in bare))
        noise = "".join(f"{x}\nkernel: eth0: link is up at 01:00.0\n"
                        for x in text.splitlines())
        report = same(tool, f"{name}, other lines", wanted, stdin=noise)
        tool.tap.say(report["totals"]["other_lines"] ==
                     wanted["totals"]["other_lines"] +
                     len(text.splitlines()),
                     f"{name}: other lines are counted")


def columns(tool):
    """Rows without their headings, and headings of other names and orders."""
    row = irtdump.row(7, irtdump.remapped())
    for data in (row, f" Index Src_ID Dst_ID Vector IRTE_high IRTE_low\n{row}",
                 irtdump.REMAPPED + "\n" + row):
        report = tool.json("table", "-", stdin=data)
        tool.tap.say([(e["index"], e["source"], e["vector"], e["destination"])
                      for e in report["entries"]] == [(7, "01:00.0", 0x24, "0x1")]
                     and not report["problems"], "rows without a unit", report)
    # What is no row: an IOAPIC's, and a line of a log in Xen's dump.
    wanted = tool.json("table", DUMPS / "xen")
    for line in ("   07:  1   0  0038 00000001 e8    0   1  0  1  1   0 1",
                 "kernel: eth0 at 01:00.0 has deadbeef"):
        same(tool, f"no row: {line}", wanted,
             stdin=(DUMPS / "xen").read_text() + line + "\n")
    data = (" Entry Vct SrcID DstID IRTE_high IRTE_low\n"
            " 7 24 01:00.0 00000001 0000000000040100 000000010024000d\n")
    report = tool.json("table", "-", stdin=data)
    tool.tap.say(report["totals"]["present"] == 1 and not report["problems"],
                 "columns in another order", report)
    report = tool.json("table", "-", stdin=data.replace(" 24 ", " 25 "))
    tool.tap.say([p["what"] for p in report["problems"]] == ["mismatch"],
                 "columns in another order are compared", report)


def raw(tool):
    """A full table, and the same entries as in the text."""
    entries = [irtdump.remapped(vector=0x20 + i % 200, sid=i % 512)
               for i in range(65536)]
    report = tool.json("table", "-", stdin=irtdump.raw(*entries, size=65536))
    tool.tap.say(report["totals"]["present"] == 65536 and
                 len(report["devices"]) == 512 and
                 sum(d["remapped"] for d in report["devices"]) == 65536,
                 "a full table", report["totals"])
    tool.tap.say(report["entries"][777]["index"] == 777 and
                 report["units"][0]["size"] == 65536, "indexes of a full table")
    # All bytes are letters, in pairs of words.
    text = b"A" * 32
    tool.is_status(INPUT, "table", "-", stdin=text)
    report = tool.json("table", "--raw", "-", stdin=text)
    tool.tap.say(report["form"] == "binary" and len(report["entries"]) == 2,
                 "--raw takes letters as a table")


def said(tool, data, *words, options=()):
    """No dump, and the message has all these words."""
    done = tool.is_status(INPUT, "table", *options, "-", stdin=data)
    text = done.stderr.decode()
    tool.tap.say(all(word in text for word in words) and done.stdout == b"",
                 f"the message says {', '.join(words)}", text)


def bad_input(tool):
    row = irtdump.row(5, irtdump.remapped()) + "\n"
    said(tool, b"", "empty")
    said(tool, b"\xff" * 64, "0xff")
    said(tool, b"\x1f\x8b" + bytes(30), "compressed by gzip")
    said(tool, row.encode("utf-16"), "text in UTF-16")
    marked = tool.run("table", "-", stdin=b"\xef\xbb\xbf" + row.encode())
    tool.tap.say(marked.stdout == tool.run("table", "-", stdin=row).stdout != b"",
                 "behind the mark of UTF-8", marked.stderr)
    raw = tool.run("table", "--raw", "-", stdin=b"\x1f\x8b" + bytes(30))
    tool.tap.say(raw.returncode == WRONG, "a table that looks like gzip", raw.stderr)
    said(tool, b"\1\0" * 12, "24 bytes")
    said(tool, bytes([1]) + bytes(16 * 65537 - 1), "65537 entries")
    said(tool, "Lorem ipsum\n", "no dump")
    said(tool, "a" * 100000, "no dump")
    said(tool, (SHAPES / "laptop.dmar").read_bytes(), "vtdpi dmar")
    said(tool, row * 65537, "standard input:65537:", "65536 entries")
    tool.is_status(GOOD, "table", "-", stdin=row.ljust(64 << 20))
    said(tool, row.ljust((64 << 20) + 1), "standard input: more than 67108864 bytes")
    units = "".join("\n".join(irtdump.unit("Remapped", f"dmar{i}", 0, "")) + "\n"
                    for i in range(257))
    said(tool, units, "256 units")
    many = "".join(f"Remapped Interrupt supported on IOMMU: dmar{i}\n" + row * 65536
                   for i in range(2))
    said(tool, many + many.replace("dmar", "x"), "131072 entries")
    tool.is_status(INPUT, "table", DUMPS / "no-such-file")
    tool.is_status(INPUT, "table", "/dev/zero", seconds=300)
    done = tool.is_status(UNKNOWN, "table", "-", stdin=bytes(4096))
    tool.tap.say(b"no entry is present" in done.stdout, "a table of zeros")
    rows = irtdump.REMAPPED + "\n" + row[:-6] + "\n"
    report = tool.json("table", "-", stdin=rows * 40)
    lines = [p.get("line") for p in report["problems"] if p["what"] == "row"]
    tool.tap.say(lines == list(range(2, 34, 2)) + [None],
                 "rows that cannot be read are told with their lines", lines)
    text = (DUMPS / "linux").read_bytes()
    report = tool.json("table", "-", stdin=text.replace(b"dmar1", b"dm\xffr1"))
    tool.tap.say([u["name"] for u in report["units"]] == ["dmar0", "dm?r1"],
                 "a damaged name of a unit", report["units"])
    crashed = [n for n in range(0, len(text), 29)
               if tool.run("table", "-", stdin=text[:n]).returncode
               not in (GOOD, WRONG, INPUT, UNKNOWN)]
    tool.tap.say(not crashed, "cut anywhere", crashed)
    for usage in ([], ["-", "-"], ["--haw", "0", "-"], ["--haw", "65", "-"]):
        tool.is_status(USAGE, "table", *usage)


# File, form, units, remapped, posted.
SAMPLES = [
    ("ir-dumps/01-linux-merged-format-commit-a6d268c6.txt", "Linux",
     ["dmar1", "dmar5"], 2, 2),
    ("xen-dumps/01-qubes-7340-V-key-R-P-format.txt", "Xen",
     ["iommu 1", "iommu 0"], 2, 0),
]


def samples(tool):
    if tool.shared is None or not tool.shared.exists():
        tool.tap.skip("dumps of machines", "the folder shared/data is absent")
        return
    for name, form, units, remapped, posted in SAMPLES:
        report = tool.json("table", tool.shared / name)
        totals = report["totals"]
        tool.tap.say(report["form"] == form and not report["problems"] and
                     [u["name"] for u in report["units"] if u["entries"]] == units
                     and (totals["remapped"], totals["posted"]) ==
                     (remapped, posted), name, report)
    known = {name for name, *_ in SAMPLES}
    for folder in ("ir-dumps", "xen-dumps"):
        for file in sorted((tool.shared / folder).iterdir()):
            if f"{folder}/{file.name}" not in known:
                done = tool.run("table", file)
                tool.tap.say(done.returncode in (GOOD, WRONG, INPUT, UNKNOWN),
                             f"no crash: {file.name}", done.returncode)


def test(tool):
    cases(tool)
    covered(tool)
    golden(tool)
    forms(tool)
    columns(tool)
    raw(tool)
    bad_input(tool)
    samples(tool)


main(test)
