# SPDX-License-Identifier: BSD-2-Clause
"""Dumps of interrupt remapping tables. The bits are the specification's."""

import struct

ABSENT = 0


def remapped(vector=0x24, dst=1, sid=0x100, svt=1, sq=0, low=0xd, dlm=0, high=0):
    """High and low word. @low: P is bit 0, FPD 1, DM 2, RH 3, TM 4."""
    return (high | svt << 18 | sq << 16 | sid,
            low | dlm << 5 | vector << 16 | dst << 32)


def posted(vector=0x41, pda=0x100000040, sid=0x100, svt=1, sq=0, low=0x8001,
           high=0):
    return (high | pda >> 32 << 32 | svt << 18 | sq << 16 | sid,
            low | vector << 16 | (pda & 0xffffffff) >> 6 << 38)


def bdf(sid):
    return f"{sid >> 8:02x}:{sid >> 3 & 31:02x}.{sid & 7}"


def row(index, words, sid=None, dst=None, vector=None, pda=None):
    """A row of Linux. The columns are those of the words, if not given."""
    high, low = words
    sid = bdf(high & 0xffff if sid is None else sid)
    vector = low >> 16 & 0xff if vector is None else vector
    end = f"{vector:02x}  {high:016x}\t{low:016x}"
    if low & 0x8000 and dst is None or pda is not None:
        if pda is None:
            pda = high >> 32 << 32 | low >> 38 << 6
        return (f" {index:<5d} {sid} {pda >> 32:08x} {pda & 0xffffffff:08x} {end}")
    return f" {index:<5d} {sid} {low >> 32 if dst is None else dst:08x} {end}"


REMAPPED = " Entry SrcID   DstID    Vct IRTE_high\t\tIRTE_low"
POSTED = " Entry SrcID   PDA_high PDA_low  Vct IRTE_high\t\tIRTE_low"


def unit(kind, name, address, *rows):
    return [f"{kind} Interrupt supported on IOMMU: {name}",
            f" IR table address:{address:x}", "",
            REMAPPED if kind == "Remapped" else POSTED, *rows, ""]


def linux(*rows):
    """A dump of one unit, all rows in the section of the format of the first."""
    kind = "Posted" if rows and len(rows[0].split()) == 7 else "Remapped"
    return "\n".join(unit(kind, "dmar0", 0x500000000, *rows))


def raw(*entries, size=16):
    """A table of bytes."""
    data = b"".join(struct.pack("<QQ", low, high) for high, low in entries)
    return data + bytes(16 * size - len(data))


def xen(*rows, posting=True):
    head = ["iommu 0: nr_pt_levels = 4.",
            f"  Interrupt Posting: {'' if posting else 'not '}supported.",
            "  Interrupt remapping table (nr_entry=0x100. Only dump P=1 entries "
            "here):",
            "R means remapped format, P means posted format.",
            "R:       SVT  SQ   SID  V  AVL FPD      DST DLM TM RH DM P",
            "P:       SVT  SQ   SID  V  AVL FPD              PDA  URG P"]
    return "\n".join(f"(XEN) {x}" for x in [*head, *rows]) + "\n"


def xen_posted(index, pda, vector=0x41, sid=0x100):
    return (f"P:  {index:04x}:  1   0  {sid:04x} {vector:02x}    0   0 "
            f"{pda:16x}    0 1")


# Input, options, and what is found: severity, what, index (None: of the dump).
CASES = [
    (linux(row(5, remapped())), [], []),
    (linux(row(5, posted())), [], []),
    # Columns and words.
    (linux(row(5, remapped(), sid=0x200)), [], [("error", "mismatch", 5)]),
    (linux(row(5, remapped(), dst=2)), [], [("error", "mismatch", 5)]),
    (linux(row(5, remapped(), vector=0x25)), [], [("error", "mismatch", 5)]),
    (linux(row(5, posted(), pda=0x200000040)), [], [("error", "mismatch", 5)]),
    (linux(row(5, posted(), pda=0x100000080)), [], [("error", "mismatch", 5)]),
    (linux(row(5, posted(), vector=0x42)), [], [("error", "mismatch", 5)]),
    (linux(row(5, posted(), pda=0x100000041)), [],
     [("error", "mismatch", 5), ("error", "pda-align", 5)]),
    (linux(row(5, posted(), dst=1)), [], [("error", "format", 5)]),
    (linux(row(5, remapped(), pda=0x100000040)), [], [("error", "format", 5)]),
    # Each thing that the library refuses.
    (linux(row(5, remapped(low=0x100d | 1 << 27))), [], [("error", "reserved", 5)]),
    (linux(row(5, remapped(high=1 << 20))), [], [("error", "reserved", 5)]),
    (linux(row(5, posted(low=0x8001 | 1 << 24))), [], [("error", "reserved", 5)]),
    (linux(row(5, remapped(svt=3))), [], [("error", "svt", 5)]),
    (linux(row(5, remapped(svt=2, sq=1, sid=0x0105))), [], [("warning", "sq", 5)]),
    (linux(row(5, remapped(svt=2, sid=0x0502))), [], [("warning", "bus", 5)]),
    (linux(row(5, remapped(svt=2, sid=0x0205))), [], []),
    (linux(row(5, remapped(dlm=3))), [], [("error", "dlm", 5)]),
    (linux(row(5, remapped(dlm=1, low=5))), [], [("error", "rh", 5)]),
    (linux(row(5, remapped(dlm=4, low=0x15))), [], [("warning", "tm", 5)]),
    (linux(row(5, remapped(vector=15))), [], [("error", "vector", 5)]),
    (linux(row(5, remapped(vector=16))), [], []),
    (linux(row(5, posted(vector=15))), [], [("error", "vector", 5)]),
    (linux(row(5, posted())), ["--haw", "32"], [("error", "pda-width", 5)]),
    (linux(row(5, posted())), ["--haw", "33"], []),
    (linux(row(5, remapped(dst=0x10001))), ["--xapic"], [("error", "eim", 5)]),
    (linux(row(5, remapped(dst=0x0100))), ["--xapic"], []),
    (linux(row(5, remapped(svt=3, vector=2, dst=1, high=1 << 40))), ["--xapic"],
     [("error", "eim", 5), ("error", "reserved", 5), ("error", "svt", 5),
      ("error", "vector", 5)]),
    # The mode by the looks.
    (linux(row(5, remapped(dst=0x100, low=1)), row(6, remapped(dst=0x200, low=1))),
     [], []),
    (linux(row(5, remapped(dst=0x100, low=1)), row(6, remapped(dst=0x2, low=1))),
     [], [("note", "eim", 5)]),
    (linux(row(5, remapped(dst=0x100)), row(6, remapped(dst=0x2))), [], []),
    (linux(row(5, remapped(dst=0x100, low=1))), ["--x2apic"], [("note", "eim", 5)]),
    # What is legal and a risk.
    (linux(row(5, remapped(svt=0))), [], [("warning", "no-source-check", 5)]),
    (linux(row(5, posted(svt=0))), [], [("warning", "no-source-check", 5)]),
    (linux(row(5, remapped(low=3))), [], [("note", "fpd", 5)]),
    (linux(row(5, posted(pda=0))), [], [("error", "pda-zero", 5)]),
    (linux(row(5, posted(pda=0x5000fffc0))), [], [("error", "pda-in-table", 5)]),
    (linux(row(5, posted(pda=0x500100000))), [], []),
    (linux(row(5, posted()), row(6, posted(vector=0x42))), [], []),
    (linux(row(5, posted()), row(6, posted())), [],
     [("warning", "vector-shared", 6)]),
    (linux(row(5, posted()), row(6, posted(vector=0x42, sid=0x200))), [],
     [("note", "pda-shared", 6)]),
    (linux(row(5, posted()), row(6, posted(pda=0x100000080))), [], []),
    (linux(row(5, remapped()), row(5, remapped())), [], [("note", "twice", 5)]),
    (linux(row(5, remapped()), row(5, remapped(dst=2))), [],
     [("warning", "twice", 5)]),
    (linux(row(65536, remapped())), [], [("error", "index", 65536)]),
    (linux(row(65535, remapped())), [], []),
    (linux(" 5     01:00.0 00000001 24  0000000000040100\t00000001002400"), [],
     [("warning", "row", None)]),
    (linux(" 5     01:00.0 00000001 24  00000000"), [], [("warning", "row", None)]),
    ("Interrupt Remapping is not enabled\n", [], [("note", "off", None)]),
    # The table itself.
    (raw((0, 0), remapped()), [], []),
    (raw((0, 0), (0x40100, 0)), [], [("warning", "absent", 1)]),
    (raw((0, 0), (0, 0xf02)), [], []),
    (raw((0, 0), remapped(svt=0)), [], [("warning", "no-source-check", 1)]),
    # Xen.
    (xen("R:  0012:  1   0  0038 e8    0   0 00000001   1  0  1  1 1"), [], []),
    (xen("R:  0012:  1   0  0038 e8    0   0 00000001   1  0  0  1 1"), [],
     [("error", "rh", 0x12)]),
    (xen("R:  0012:  0   0  0038 e8    0   1 00000001   1  0  1  1 1"), [],
     [("warning", "no-source-check", 0x12), ("note", "fpd", 0x12)]),
    (xen("R:  0100:  1   0  0038 e8    0   0 00000001   1  0  1  1 1"), [],
     [("error", "index", 0x100)]),
    (xen("R:  0012:  1   0  0038 e8    0   0 00000001   1  0  1"), [],
     [("warning", "row", None)]),
    (xen(xen_posted(3, 0x100000040)), [], []),
    (xen(xen_posted(3, 0x100000041)), [], [("error", "pda-align", 3)]),
    (xen(xen_posted(3, 0xffffffff90000040)), [], [("note", "pda-lost", 3)]),
    (xen(xen_posted(3, 0xffffffff90000040)), ["--haw", "39"],
     [("note", "pda-lost", 3)]),
    (xen(xen_posted(3, 0xffffffff70000040)), ["--haw", "39"],
     [("error", "pda-width", 3)]),
    (xen(xen_posted(3, 0x100000040), posting=False), [],
     [("error", "no-posting", 3)]),
    (xen("R:  0012:  1   0  0038 e8    0   0 00000001   1  0  1  1 1",
         "Warning: Print 1 IRTE (actually have 2)!"), [],
     [("warning", "short", None)]),
]
