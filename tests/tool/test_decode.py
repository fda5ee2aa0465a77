#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Commands that decode words."""

import random
import re

from tooltest import GOOD, INPUT, USAGE, WRONG, main

ONES = "f" * 16


def irte(tool):
    tool.golden("irte", "irte", "40510", "0x200300001")
    tool.is_status(GOOD, "irte", "40510", "200300001")
    done = tool.is_status(WRONG, "irte", "0", "1")
    tool.tap.say(b"wrong: vector below 16" in done.stdout, "it says why")
    entry = tool.json("irte", "40510", "200300001")
    tool.tap.say(entry["fields"]["BDF"] == "05:02.0" and
                 entry["wrong"] is None and entry["notes"] == [],
                 "fields", entry)
    notes = tool.json("irte", "0", "200300003")["notes"]
    tool.tap.say(len(notes) == 2 and notes[0].startswith("SVT=0:") and
                 notes[1].startswith("FPD=1:"), "what weakens an entry", notes)
    for bad in (["--haw", "65", "0", "1"], ["--width", "19", "0", "1"]):
        tool.is_status(USAGE, "irte", *bad)


# What people paste, beside 40510 200300001.
PASTED = (
    ["0x40510", "0x200300001"],
    ["0X40510,", "0x0000000200300001,"],
    ["40510ULL", "200300001ull"],
    ["hi=0x40510", "lo=0x200300001"],
    ["lo=0x200300001", "hi=0x40510"],
    ["HIGH", "=", "40510,", "LOW", "=", "200300001"],
    ["low 0x200300001 high 0x40510"],
    ["hi: 40510; lo: 200300001"],
    ["0x40510\t0x200300001\n"],
    ["0000000000040510" "0000000200300001"],
)
NOT_PASTED = (
    [], ["1"], ["1", "2", "3"], ["x", "1"], ["1" * 17, "1"], ["", ""],
    ["hi=1", "2"], ["1", "lo=2"], ["hi=1", "hi=2"], ["hi=1", "high=2"],
    ["hi=1", "lo="], ["hi=", "lo=1"], ["hi", "lo", "1"], ["=1", "2"],
    ["bye=1", "lo=2"], ["0x", "1"], ["-1", "2"], ["1.5", "2"],
    ["hi=1"], ["1:", "2"], ["1" * 31, "2"], ["hi=" + "1" * 32],
)


def pasted(tool):
    wanted = tool.run("irte", "40510", "200300001").stdout
    for words in PASTED:
        done = tool.run("irte", *words)
        tool.tap.say(done.stdout == wanted and done.returncode == GOOD,
                     f"takes {words}", done.stdout, done.stderr)
    for words in NOT_PASTED:
        tool.is_status(USAGE, "irte", *words)
    done = tool.run("irte", "-", stdin="hi=40510\nlo=200300001\n")
    tool.tap.say(done.stdout == wanted, "standard input", done.stderr)
    # No more than 65536 bytes, to the byte.
    entry = "0x40510 0x200300001"
    tool.is_status(GOOD, "irte", "-", stdin=entry.ljust(65536))
    done = tool.is_status(INPUT, "irte", "-", stdin=entry.ljust(65537))
    tool.tap.say(b"standard input: more than 65536 bytes" in done.stderr,
                 "one byte too many", done.stderr)
    marked = tool.run("irte", "-", stdin=b"\xef\xbb\xbf0x40510 0x200300001\r\n")
    tool.tap.say(marked.stdout == wanted, "behind the mark of UTF-8", marked.stderr)


def bad_input(tool):
    """Every command that takes words: standard input that has none, and where."""
    none = "not a hexadecimal word: "
    inputs = (
        ("nothing", b"", ": "), ("blank", b"\n \t\r\n", ": "),
        ("zeros", bytes(64), ":1: no words: the input is binary"),
        ("ones", b"\xff" * 64, ":1: no words: the input is binary"),
        ("an ELF", b"\x7fELF\2\1\1", ":1: no words: the input is a program"),
        ("UTF-16", "0x1 0x2".encode("utf-16"), ":1: no words: the input is text in UTF-16"),
        ("octal", b"\n0o17 1\n", f":2: {none}0o17"), ("a minus", b"-1 1", f":1: {none}-1"),
        ("a word", b"0\n\r\nhello\n", f":3: {none}hello"),
        ("an escape", b"\x1b[31mx", f":1: {none}?[31mx"),
        ("a C1 control", b"\n\xc2\x9b31m", f":2: {none}??31m"),
        ("no UTF-8", b"\xc3x", f":1: {none}?x"), ("UTF-8", b"\xc3\xa4", f":1: {none}\xe4"))
    for command in ("irte", "pid", "msi", "rte", "fault", "qi", "cap", "ecap"):
        bad = []
        for name, data, said in inputs:
            done = tool.run(command, "-", stdin=data)
            if (done.returncode != INPUT or done.stdout != b"" or not
                    done.stderr.decode().startswith(f"vtdpi: standard input{said}")):
                bad.append(f"{name}: {done.returncode} {done.stderr}")
        tool.tap.say(not bad, f"{command}: bad input", *bad)
    done = tool.run("irte", "1\033[31m", "2")
    tool.tap.say(done.returncode == USAGE and b"1?[31m (vtdpi irte --help)" in done.stderr,
                 "an argument is no input", done.stderr)


def msi(tool):
    tool.golden("msi", "msi", "fee00318", "0")
    tool.golden("msi_compatibility", "msi", "0xfee01000", "0x4041")
    tool.is_status(GOOD, "msi", "data=0", "addr=fee00318")
    tool.is_status(WRONG, "msi", "fed00000", "0")
    wide = tool.json("msi", "--dest-bits", "32", "10000fee01000", "41")
    tool.tap.say(wide["fields"]["DST"] == "0x10001", "a wide destination", wide)
    tool.is_status(WRONG, "msi", "10000fee01000", "41")
    for bad in (["fee00000"], ["fee00000", "100000000"],
                ["--dest-bits", "9", "fee00000", "0"]):
        tool.is_status(USAGE, "msi", *bad)


def lspci(tool):
    """Messages of other machines, as lspci prints them."""
    path = tool.shared / "msi.tsv" if tool.shared else None
    if path is None or not path.exists():
        tool.tap.skip("messages of lspci", "no shared data")
        return
    lines = [line.split("\t") for line in path.read_text().splitlines()
             if line.startswith("Address:")]
    for line in lines:
        value = tool.json("msi", line[0])
        index = re.search(r"index (\d+)", line[3])
        wanted = f"{int(index[1]):#x}" if index else None
        tool.tap.say(value["fields"].get("index") == wanted,
                     f"lspci: {line[0]}", value, line[3])
    tool.tap.say(len(lines) > 10, "messages of lspci", len(lines))


def rte(tool):
    tool.golden("rte", "rte", "000b0000", "00010009")
    same = tool.run("rte", "000b0000", "00010009").stdout
    for words in (["b000000010009"], ["lo=10009", "hi=b0000"],
                  ["rte=b000000010009"]):
        tool.tap.say(tool.run("rte", *words).stdout == same, f"rte {words}")
    for bad in (["hi=1"], ["1", "2", "3"], ["hi=1", "lo=2", "rte=3"],
                ["100000000", "1"], ["hi=1", "rte=3"], ["lo=1", "rte=3"]):
        tool.is_status(USAGE, "rte", *bad)


def reasons(tool):
    """Words that cannot be read: the message says which, and why."""
    for words, why in (
            (["hi=1", "2"], "this word has no name, and others have one: 2"),
            (["1", "lo=2"], "this word has a name, and others have none: 2"),
            (["lo=1", "lo=2"], "a second word with the same name: 2"),
            (["1", "2", "3"], "one word too many: 3"),
            (["lo=hi=1"], "the name before hi has no word"),
            (["hi=1", "lo="], "the last name has no word"),
            (["=1"], "no name before ="),
            (["1", "xyz"], "not a hexadecimal word: xyz"),
            (["1", "x=2"], "no word here has the name x"),
            (["1", "12345678901234567"], "too many digits: 12345678901234567")):
        done = tool.is_status(USAGE, "irte", *words)
        tool.tap.say(f"vtdpi: {why} (" in done.stderr.decode(), f"it says: {why}",
                     done.stderr)


def pid_bytes(words):
    return b"".join(word.to_bytes(8, "little") for word in words)


def pid(tool):
    """A descriptor in each form that a debugger prints."""
    words = [0, 2, 0, 1 << 63, 0x300F10001, 0, 0, 0]
    memory = pid_bytes(words)
    byte = [f"{b:02x}" for b in memory]
    forms = {
        "words": [f"{w:#x}" for w in words],
        "16 words of 32 bits": [f"{w >> s & 0xffffffff:#010x}" for w in words
                                for s in (0, 32)],
        "bytes": byte,
        "bytes with 0x": [f"0x{b}" for b in byte],
        "one run of digits": [memory.hex()],
        "three lines of xxd -p": [memory.hex()[:60], memory.hex()[60:120],
                                  memory.hex()[120:]],
        "xxd": ["00000000:", *byte[:32], "00000020:", *byte[32:]],
        "a debugger's addresses": ["0xffff888100000000:",
                                   *[f"{w:#018x}" for w in words[:4]],
                                   "0xffff888100000020:",
                                   *[f"{w:#018x}" for w in words[4:]]],
    }
    tool.golden("pid", "pid", *forms["words"])
    wanted = tool.run("pid", *forms["words"]).stdout
    for name, arguments in forms.items():
        done = tool.run("pid", *arguments)
        tool.tap.say(done.stdout == wanted and done.returncode == GOOD,
                     f"pid: {name}", done.stdout, done.stderr)
        text = " ".join(arguments)
        done = tool.run("pid", "-", stdin=text)
        tool.tap.say(done.stdout == wanted, f"pid: {name}, standard input")
    for bad in (["0"], ["0"] * 7, ["0"] * 9, ["0"] * 64, byte[:63],
                [*byte, "00"], ["100000000", *["0"] * 15], ["0" * 17] * 8,
                ["zz:", *byte], ["0"] * 65):
        tool.is_status(USAGE, "pid", *bad)
    for control, note in ((0xF10000, "a notification is missing"),
                          (0xF10002, "SN=1: vectors wait")):
        value = tool.json("pid", 0, 2, 0, 0, f"{control:x}", 0, 0, 0)
        tool.tap.say(any(note in n for n in value["notes"]), note, value)


def fault(tool):
    tool.golden("fault", "fault", "8000002600000510", "18000000000000")
    tool.golden("fault_dma", "fault", "0x8000000500000510", "0x12345000")
    value = tool.json("fault", "0000002200000510", "18000000000000")
    tool.tap.say(value["fields"]["FR"] == "0x22" and
                 any(n.startswith("F=0:") for n in value["notes"]),
                 "a record that was cleared", value)
    causes = set()
    for reason in range(0x20, 0x29):
        notes = tool.json("fault", f"{0x80 << 56 | reason << 32:x}",
                          0)["notes"]
        causes.add(notes[0] if notes else None)
        same_help(tool, reason, notes)
    tool.tap.say(len(causes) == 9 and None not in causes,
                 "each reason has causes of its own", causes)


def same_help(tool, reason, notes):
    """vtdpi log and vtdpi explain say of a reason what vtdpi fault says."""
    line = (f"DMAR: [INTR-REMAP] Request device [05:02.0] fault index 0x18 "
            f"[fault reason 0x{reason:x}] text\n")
    of_log = tool.json("log", "-", stdin=line)["faults"][0]
    wanted = ["Usual causes: " + "; ".join(of_log["causes"]) + ".",
              "To check: " + "; ".join(of_log["check"]) + "."]
    text = tool.json("explain", f"0x{reason:x}")["entries"][0]["text"]
    tool.tap.say(notes == wanted and text.splitlines()[-2:] == wanted,
                 f"help for reason 0x{reason:x}", notes, wanted, text)


def qi(tool):
    tool.golden("qi", "qi", "18001400000014", "0")
    tool.is_status(GOOD, "qi", "qw0 = 0x14, qw1 = 0x0")
    tool.is_status(GOOD, "qi", "14", "0", "0", "0")
    tool.is_status(WRONG, "qi", "f", "0")
    for bad in (["14"], ["14", "0", "0"], ["1", "2", "3", "4", "5"],
                ["qw0=1", "qw2=2"]):
        tool.is_status(USAGE, "qi", *bad)


def registers(tool):
    tool.golden("cap", "cap", "8d2078c106f0466")
    tool.golden("cap_units", "cap", "cap", "d2008c40660462", "ecap", "f0205a",
                "cap", "8d2078c106f0466", "cap", ONES)
    tool.golden("ecap", "ecap", "f020df")
    tool.golden("ecap_units", "ecap", "f020df", "f0205b", "f020df")
    value = tool.json("cap", "8d2008c40660462", "d2008c40660462")
    obstacles = [[m["field"] for m in r["meaning"] if m["obstacle"]]
                 for r in value["registers"]]
    tool.tap.say(obstacles == [[], ["PI"]] and
                 value["differences"] == [{"field": "PI", "values": ["1", "0"]}],
                 "posting in one unit of two", value)
    value = tool.json("ecap", "f02000")
    tool.tap.say([m["field"] for m in value["registers"][0]["meaning"]
                  if m["obstacle"]] == ["QI", "IR", "EIM"],
                 "what a unit without anything lacks", value)
    tool.is_status(GOOD, "cap", *["8d2008c40660462"] * 64)
    for bad in ([], ["ecap", "1"], ["cap"], ["1", "x"], ["1"] * 65, [""]):
        tool.is_status(USAGE, "cap", *bad)


# The number of words, whether all zero is a value, and who does not answer.
PLAIN = {
    "irte": (2, GOOD, "not in use", "the unit does not answer"),
    "pid": (8, WRONG, "has not been set up", "cannot be read"),
    "msi": (2, WRONG, "no message", "the device does not answer"),
    "rte": (1, WRONG, "0x10000", "the IOAPIC does not answer"),
    "cap": (1, WRONG, "decodes the address", "the unit does not answer"),
    "ecap": (1, WRONG, "decodes the address", "the unit does not answer"),
    "fault": (2, WRONG, "has no fault", "the unit does not answer"),
    "qi": (2, WRONG, "nothing was written", "cannot be read"),
}


def ones_and_zero(tool):
    for command, (count, status, zero, ones) in PLAIN.items():
        done = tool.is_status(status, command, *["0"] * count)
        text = " ".join(done.stdout.decode().split())
        tool.tap.say(zero in text, f"{command}: all zero", text)
        word = "ffffffff" if command == "msi" else ONES
        done = tool.is_status(WRONG, command, *[word] * count)
        text = " ".join(done.stdout.decode().split())
        tool.tap.say(ones in text, f"{command}: all ones", text)
        for word in ("0", word):
            value = tool.json(command, *[word] * count)
            notes = value.get("notes") or value["registers"][0]["notes"]
            tool.tap.say(notes != [], f"{command} {word}: the same in JSON")


def anything(tool):
    """Whatever is typed, there is a status and a message."""
    random.seed(20)
    pieces = ["0x", "f" * 16, "1" * 128, "hi", "lo", "=", ":", ",", " ", "cap",
              "qw1", "0", "7fff", "-", "%s", "\u00e4", "\t", "x" * 300]
    odd = []
    for i in range(150):
        command = random.choice(list(PLAIN))
        arguments = ["".join(random.choices(pieces, k=random.randrange(1, 6)))
                     for _ in range(random.randrange(1, 10))]
        done = tool.run(command, "--", *arguments)
        said = done.stderr if done.returncode == USAGE else done.stdout
        if done.returncode not in (GOOD, WRONG, USAGE, INPUT) or not said:
            if done.returncode != INPUT:
                odd.append((command, arguments, done.returncode, done.stderr))
    tool.tap.say(not odd, "150 lines of anything", *odd[:3])


def test(tool):
    for part in (irte, bad_input, pasted, msi, lspci, rte, reasons, pid, fault, qi,
                 registers, ones_and_zero, anything):
        part(tool)


main(test)
