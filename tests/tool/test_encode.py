#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""vtdpi encode: what it makes the decoders read back, and each range has its message."""

import random

from tooltest import GOOD, USAGE, main

DLM = {"fixed": 0, "lowest": 1, "smi": 2, "nmi": 4, "init": 5, "extint": 7}
ROUNDS = 25


def number(value):
    return random.choice((f"{value}", f"{value:#x}"))


def source(fields):
    """Options of a source, and the fields that they give."""
    kind = random.randrange(3)
    if kind == 0:
        bus, device, function = (random.randrange(n) for n in (256, 32, 8))
        sq = random.randrange(4)
        sid = bus << 8 | device << 3 | function
        fields.update(SID=f"{sid:#x}", SVT="0x1", SQ=f"{sq:#x}",
                      BDF=f"{bus:02x}:{device:02x}.{function}")
        bdf = f"{bus:02x}:{device:02x}.{function}"
        return ["--sid", random.choice((bdf, f"{sid:#x}", f"{sid}")),
                "--sq", number(sq)]
    if kind == 1:
        first = random.randrange(256)
        last = random.randrange(first, 256)
        fields.update(SVT="0x2", buses=f"{first:02x}-{last:02x}", SQ="0x0")
        return ["--buses", f"{first:02x}-{last:02x}"]
    fields.update(SVT="0x0", SID="0x0", SQ="0x0")
    return ["--any-source"]


def flags(fields, **names):
    options = []
    for field, option in names.items():
        value = random.randrange(2)
        fields[field] = str(value)
        if value:
            options.append(option)
    return options


def random_irte():
    fields = {"P": "1", "IM": "0"}
    mode = random.choice(list(DLM))
    xapic = random.randrange(2)
    dest = random.randrange(256 if xapic else 1 << 32)
    vector = random.randrange(16, 256)
    avail = random.randrange(16)
    options = ["--vector", number(vector), "--dest", number(dest), "--dlm",
               mode, "--avail", number(avail),
               *flags(fields, DM="--logical", FPD="--fpd")]
    fields.update(V=f"{vector:#x}", DST=f"{dest:#x}", DLM=f"{DLM[mode]:#x}",
                  AVAIL=f"{avail:#x}", RH="0", TM="0")
    if mode == "lowest" or random.randrange(2):
        options.append("--rh")
        fields["RH"] = "1"
    if mode in ("fixed", "lowest") and random.randrange(2):
        options.append("--level")
        fields["TM"] = "1"
    common = ["--xapic"] if xapic else []
    return "irte", options + source(fields) + common, common, fields


def random_posted():
    fields = {"P": "1", "IM": "1"}
    vector = random.randrange(16, 256)
    haw = random.randrange(7, 65)
    pda = random.randrange(1 << haw) & ~63
    options = ["--vector", number(vector), "--pda", number(pda),
               *flags(fields, URG="--urgent", FPD="--fpd")]
    fields.update(V=f"{vector:#x}", PDA=f"{pda:#x}", AVAIL="0x0")
    common = ["--haw", str(haw)]
    return "irte", options + source(fields) + common, common, fields


def random_msi():
    count = random.choice((None, 1, 2, 4, 8, 16, 32))
    index = random.randrange(65536)
    options = []
    if count is not None:
        index -= index % count
        options = ["--count", number(count)]
    return ("msi", ["--index", number(index), *options], [],
            {"format": "remappable", "index": f"{index:#x}", "SHV": "1"})


def random_rte():
    fields = {"format": "remappable", "DS": "0", "RIRR": "0"}
    index, vector = random.randrange(65536), random.randrange(256)
    options = ["--index", number(index), "--vector", number(vector),
               *flags(fields, POL="--active-low", TM="--level",
                      MASK="--masked")]
    fields.update(index=f"{index:#x}", V=f"{vector:#x}")
    return "rte", options, [], fields


def random_pid():
    fields = {}
    xapic = random.randrange(2)
    dest = random.randrange(256 if xapic else 1 << 32)
    nv = random.randrange(16, 256)
    pir = 0
    options = ["--nv", number(nv), "--dest", number(dest),
               *flags(fields, ON="--on", SN="--sn"),
               *(["--xapic"] if xapic else [])]
    for vector in random.sample(range(16, 256), random.randrange(5)):
        pir |= 1 << vector
        options += ["--pir", number(vector)]
    ndst = dest << 8 if xapic else dest
    fields.update(NV=f"{nv:#x}", NDST=f"{ndst:#x}", PIR=f"{pir:#x}")
    return "pid", options, [], fields


KINDS = {"irte": random_irte, "posted": random_posted, "msi": random_msi,
         "rte": random_rte, "pid": random_pid}


def round_trip(tool, kind):
    """What is wrong, or None."""
    command, options, common, fields = KINDS[kind]()
    made = tool.run("encode", kind, *options)
    if made.returncode != GOOD:
        return kind, options, made.stderr
    value = tool.json(command, *common, *made.stdout.decode().split())
    got = {name: value["fields"].get(name) for name in fields}
    if got != fields or value["wrong"] is not None:
        return kind, options, made.stdout, got, fields, value["wrong"]
    return None


# Options, and what the message has to have: the option and its range.
RANGES = (
    ("irte --dest 2 --sid 0:0.0", ("--vector", "16 to 255")),
    ("irte --vector 15 --dest 2 --sid 0:0.0", ("--vector", "16 to 255")),
    ("irte --vector 256 --dest 2 --sid 0:0.0", ("--vector", "0 to 255")),
    ("irte --vector 1f --dest 2 --sid 0:0.0", ("--vector", "0 to 255")),
    ("irte --vector 48 --sid 0:0.0", ("--dest", "needed")),
    ("irte --vector 48 --dest 0x100000000 --sid 0:0.0",
     ("--dest", "0 to 4294967295")),
    ("irte --vector 48 --dest 256 --xapic --sid 0:0.0",
     ("--dest", "0 to 255")),
    ("irte --vector 48 --dest 2", ("--sid", "--buses", "--any-source")),
    ("irte --vector 48 --dest 2 --sid 0:0.0 --any-source", ("only one of",)),
    ("irte --vector 48 --dest 2 --sid 100:0.0", ("--sid", "ff:1f.7")),
    ("irte --vector 48 --dest 2 --sid 0:20.0", ("--sid", "ff:1f.7")),
    ("irte --vector 48 --dest 2 --sid 0:0.8", ("--sid", "ff:1f.7")),
    ("irte --vector 48 --dest 2 --sid 0:0.0x", ("--sid", "ff:1f.7")),
    ("irte --vector 48 --dest 2 --sid 0:-1.0", ("--sid", "ff:1f.7")),
    ("irte --vector 48 --dest 2 --sid 65536", ("--sid", "0 to 65535")),
    ("irte --vector 48 --dest 2 --sid 0:0.0 --sq 4", ("--sq", "0 to 3")),
    ("irte --vector 48 --dest 2 --any-source --sq 1", ("--sq", "--sid")),
    ("irte --vector 48 --dest 2 --buses 100-101", ("--buses", "00 to ff")),
    ("irte --vector 48 --dest 2 --buses 05", ("--buses", "FIRST-LAST")),
    ("irte --vector 48 --dest 2 --buses 06-05", ("--buses", "above")),
    ("irte --vector 48 --dest 2 --sid 0:0.0 --avail 16",
     ("--avail", "0 to 15")),
    ("irte --vector 48 --dest 2 --sid 0:0.0 --avail -1",
     ("--avail", "0 to 15")),
    ("irte --vector 48 --dest 2 --sid 0:0.0 --dlm 3", ("--dlm", "extint")),
    ("irte --vector 48 --dest 2 --sid 0:0.0 --dlm lowest",
     ("--dlm lowest", "--rh")),
    ("irte --vector 48 --dest 2 --sid 0:0.0 --dlm nmi --level",
     ("--level", "fixed")),
    ("posted --pda 0x40 --any-source", ("--vector", "needed")),
    ("posted --vector 48 --any-source", ("--pda", "needed")),
    ("posted --vector 48 --pda 0x41 --any-source", ("--pda", "multiple of 64")),
    ("posted --vector 48 --pda 0x10000000000000000 --any-source",
     ("--pda", "0xffffffffffffffff")),
    ("posted --vector 48 --pda 18446744073709551616 --any-source",
     ("--pda", "0xffffffffffffffff")),
    ("posted --vector 48 --pda 0x100000000 --haw 32 --any-source",
     ("--pda", "--haw")),
    ("posted --vector 48 --pda 0 --haw 0 --any-source", ("--haw", "1 to 64")),
    ("posted --vector 48 --pda 0 --haw 65 --any-source", ("--haw", "1 to 64")),
    ("msi", ("--index", "needed")),
    ("msi --index 65536", ("--index", "0 to 65535")),
    ("msi --index 32 --count 33", ("--count", "1 to 32")),
    ("msi --index 32 --count 0", ("--count", "1 to 32")),
    ("msi --index 33 --count 3", ("--count", "power of two")),
    ("msi --index 33 --count 2", ("--index", "multiple of --count")),
    ("rte --index 5", ("--vector", "needed")),
    ("rte --index 70000 --vector 9", ("--index", "0 to 65535")),
    ("rte --index 5 --vector 300", ("--vector", "0 to 255")),
    ("pid --dest 3", ("--nv", "needed")),
    ("pid --nv 0xf1", ("--dest", "needed")),
    ("pid --nv 15 --dest 3", ("--nv", "16 to 255")),
    ("pid --nv 0xf1 --dest 256 --xapic", ("--dest", "0 to 255")),
    ("pid --nv 0xf1 --dest 3 --pir 15", ("--pir", "16 to 255")),
    ("pid --nv 0xf1 --dest 3 --pir 256", ("--pir", "16 to 255")),
    ("pid --nv 0xf1 --dest 3 extra", ("Too many arguments",)),
    ("nothing", ("nothing",)),
    ("", ("irte", "posted", "msi", "rte", "pid")),
)


def test(tool):
    tool.golden("encode_irte", "encode", "irte", "--vector", "0x30", "--dest",
                "2", "--sid", "05:02.0")
    random.seed(2020)
    for kind in KINDS:
        bad = [b for b in (round_trip(tool, kind) for _ in range(ROUNDS)) if b]
        tool.tap.say(not bad, f"{ROUNDS} of kind {kind} are read back",
                     *bad[:3])
        command, options, common, _ = KINDS[kind]()
        value = tool.json("encode", kind, *options)
        words = [w["word"] for w in value["words"]]
        line = tool.run(command, *common, *words) if kind != "rte" else \
            tool.run("rte", *words)
        tool.tap.say(line.stdout.decode().splitlines()[0] == value["text"] and
                     value["kind"] == kind,
                     f"kind {kind}: JSON has the decoder's line", value)
    for line, parts in RANGES:
        done = tool.run("encode", *line.split())
        said = " ".join(done.stderr.decode().split())
        tool.tap.say(done.returncode == USAGE and done.stdout == b"" and
                     all(part in said for part in parts),
                     f"encode {line}", done.returncode, said)


main(test)
