# SPDX-License-Identifier: BSD-2-Clause
"""DMAR tables with one thing wrong. The numbers are the specification's."""

import struct

ENDPOINT, BRIDGE, IOAPIC, HPET, ACPI = range(1, 6)
BASE = 0xfed90000


def scope(kind, *path, number=0, bus=0, flags=0, reserved=0):
    """@path: device, function, device, function, ..."""
    return bytes([kind, 6 + len(path), flags, reserved, number, bus, *path])


def structure(kind, body):
    return struct.pack("<HH", kind, 4 + len(body)) + body


def drhd(base=BASE, scopes=b"", everything=False, segment=0, size=0, flags=0):
    return structure(0, struct.pack("<BBHQ", flags | everything, size, segment,
                                    base) + scopes)


def rmrr(base=0x60000000, limit=0x6001ffff, scopes=scope(ENDPOINT, 20, 0),
         reserved=0):
    return structure(1, struct.pack("<HHQQ", reserved, 0, base, limit) + scopes)


def atsr(scopes=b"", flags=0):
    return structure(2, struct.pack("<BBH", flags, 0, 0) + scopes)


def rhsa(base=BASE, more=b"", reserved=0):
    return structure(3, struct.pack("<IQI", reserved, base, 0) + more)


def andd(number, name=b"\\_SB.I2C0\0"):
    return structure(4, bytes([0, 0, 0, number]) + name)


def satc(scopes, flags=1):
    return structure(5, struct.pack("<BBH", flags, 0, 0) + scopes)


def sidp(scopes, reserved=0):
    return structure(6, struct.pack("<HH", reserved, 0) + scopes)


def seal(data):
    """The checksum, for what the table holds now."""
    data = bytearray(data)
    data[9] = 0
    data[9] = -sum(data) & 0xff
    return bytes(data)


def table(*parts, width=39, flags=1, revision=1, reserved=bytes(10)):
    body = b"".join(parts)
    head = struct.pack("<4sIBB6s8sIII", b"DMAR", 48 + len(body), revision, 0,
                       b"TESTS ", b"TOOLTEST", 1, 0, 1)
    return seal(head + bytes([width - 1, flags]) + reserved + body)


# The unit for the rest, which every good table has.
REST = drhd(BASE, scope(IOAPIC, 31, 7, number=2, bus=0xf0), everything=True)
GOOD = table(REST)
OTHER = drhd(BASE + 0x1000, scope(ENDPOINT, 2, 0))

# What each table has: severity, what, offset. A table that has several names all.
CASES = [
    (table(REST, width=39), []),
    (table(OTHER, REST), []),
    (table(REST, revision=0), [("warning", "revision", 8)]),
    (table(REST, revision=3), [("note", "revision", 8)]),
    (GOOD[:9] + bytes([GOOD[9] ^ 1]) + GOOD[10:], [("error", "checksum", 9)]),
    (table(REST, width=53), [("warning", "width", 36)]),
    (table(REST, width=52), []),
    (table(drhd(0x1000, everything=True), width=31), [("warning", "width", 36)]),
    (table(drhd(0x1000, everything=True), width=32), []),
    (table(REST, flags=0x11), [("warning", "reserved", 37)]),
    (table(REST, flags=0), [("note", "no-remapping", 37)]),
    (table(REST, flags=3), [("note", "x2apic-opt-out", 37)]),
    (table(REST, flags=2), [("note", "no-remapping", 37),
                            ("warning", "flags", 37)]),
    (table(REST, flags=0xd), [("warning", "flags", 37)]),
    (table(REST, reserved=bytes(9) + b"\1"), [("warning", "reserved", 47)]),
    (table(), [("error", "no-unit", 0)]),
    (GOOD + b"more", [("note", "behind", len(GOOD))]),
    (table(REST, bytes(4)), [("warning", "tail", 72)]),
    (table(REST, b"\1\0\1"), [("error", "struct-length", 72)]),
    (table(REST, b"\1\0\3\0" + bytes(30)), [("error", "struct-length", 72)]),
    (table(REST, b"\1\0\x20\0\0\0"), [("error", "struct-length", 72)]),
    (table(REST, structure(1, bytes(19))), [("error", "struct-short", 72)]),
    (table(structure(0, bytes(8)), REST), [("error", "struct-short", 48)]),
    (table(REST, structure(3, bytes(15))), [("error", "struct-short", 72)]),
    (table(REST, structure(4, bytes(3))), [("error", "struct-short", 72)]),
    (table(REST, rhsa(), rmrr()), [("note", "order", 92)]),
    (table(REST, structure(7, b"")), [("note", "type", 72)]),
    # Units.
    (table(drhd(BASE, everything=True, flags=4)), [("warning", "reserved", 52)]),
    (table(drhd(BASE, everything=True, size=0x10)), [("warning", "reserved", 53)]),
    (table(drhd(BASE)), [("warning", "scope-none", 48)]),
    (table(drhd(0, everything=True)), [("error", "base", 56)]),
    (table(drhd(2**64 - 1, everything=True)), [("error", "base", 56)]),
    (table(drhd(BASE + 0x234, everything=True)), [("error", "base", 56)]),
    (table(drhd(2**64 - 0x1000, everything=True, size=1)), [("error", "base", 56)]),
    (table(REST, width=32), []),
    (table(drhd(1 << 32, everything=True), width=32), [("error", "base-width", 56)]),
    (table(drhd(0xfffff000, everything=True, size=1), width=32),
     [("error", "base-width", 56)]),
    (table(drhd(BASE, scope(ENDPOINT, 3, 0)), REST),
     [("error", "base-twice", 72, 48)]),
    (table(drhd(BASE - 0x1000, scope(ENDPOINT, 3, 0), size=1), REST),
     [("error", "base-overlap", 72, 48)]),
    (table(drhd(BASE - 0x1000, scope(ENDPOINT, 3, 0)), REST), []),
    (table(REST, drhd(BASE + 0x1000, everything=True)),
     [("error", "all-twice", 72, 48)]),
    (table(REST, drhd(BASE + 0x1000, everything=True, segment=1)), []),
    (table(REST, OTHER), [("warning", "all-not-last", 72, 48)]),
    # Scopes.
    (table(drhd(BASE, scope(ENDPOINT, 2, 0) + b"\1\6\0\0\0\0")),
     [("error", "scope-length", 72)]),
    (table(drhd(BASE, b"\1\x0a\0\0\0\0\2\0")), [("error", "scope-length", 64)]),
    (table(drhd(BASE, scope(ENDPOINT, 2, 0) + b"\1\x09\0\0\0\0\2\0\0")),
     [("error", "scope-length", 72)]),
    (table(drhd(BASE, scope(6, 2, 0))), [("warning", "scope-type", 64)]),
    (table(drhd(BASE, scope(ENDPOINT, 32, 0))), [("error", "path", 64)]),
    (table(drhd(BASE, scope(ENDPOINT, 31, 8))), [("error", "path", 64)]),
    (table(drhd(BASE, scope(ENDPOINT, 31, 7, 0, 9))), [("error", "path", 64)]),
    (table(drhd(BASE, scope(ENDPOINT, 2, 0, flags=1))), [("warning", "reserved", 66)]),
    (table(drhd(BASE, scope(ENDPOINT, 2, 0, reserved=1))),
     [("warning", "reserved", 67)]),
    (table(drhd(BASE, scope(BRIDGE, 2, 0, number=1))), [("warning", "reserved", 68)]),
    (table(drhd(BASE, scope(ENDPOINT, 2, 0), everything=True)),
     [("note", "scope-needless", 64)]),
    (table(drhd(BASE + 0x1000, scope(IOAPIC, 1, 0, number=2)), REST),
     [("error", "id-twice", 88, 64)]),
    (table(drhd(BASE + 0x1000, scope(HPET, 1, 0, number=2)), REST), []),
    (table(drhd(BASE, scope(IOAPIC, 1, 0) + scope(IOAPIC, 1, 1), everything=True)),
     [("note", "id-again", 72, 64)]),
    (table(drhd(BASE, scope(HPET, 1, 0) + scope(HPET, 1, 1), everything=True)), []),
    (table(OTHER, drhd(BASE + 0x2000, scope(ENDPOINT, 2, 0)), REST),
     [("warning", "path-twice", 88, 64)]),
    (table(OTHER, drhd(BASE + 0x2000, scope(ENDPOINT, 2, 0), segment=1), REST), []),
    (table(OTHER, drhd(BASE + 0x2000, scope(ENDPOINT, 2, 0, 0, 0)), REST), []),
    (table(drhd(BASE, scope(ACPI, 1, 0, number=3))), [("warning", "acpi-unnamed", 64)]),
    (table(drhd(BASE, scope(ACPI, 1, 0, number=3)), andd(3)), []),
    # What else there is.
    (table(REST, rmrr()), []),
    (table(REST, rmrr(reserved=0x100)), [("warning", "reserved", 77)]),
    (table(REST, rmrr(0x60001000, 0x60000fff - 0x1000)), [("error", "rmrr-order", 80)]),
    (table(REST, rmrr(0x60000800, 0x60000fff)), [("warning", "rmrr-align", 80)]),
    (table(REST, rmrr(0x60000000, 0x600007ff)), [("warning", "rmrr-align", 88)]),
    (table(REST, rmrr(0x60000000, 0x7fffffffff)), [("error", "rmrr-unit", 72, 48)]),
    (table(REST, rmrr(0x60000000, 0x8000000fff)),
     [("error", "rmrr-unit", 72, 48), ("warning", "rmrr-width", 88)]),
    (table(REST, rmrr(scopes=b"")), [("warning", "scope-none", 72)]),
    (table(REST, rmrr(scopes=scope(IOAPIC, 1, 0))), [("warning", "scope-type", 96)]),
    (table(REST, rmrr(BASE, BASE + 0xfff)), [("error", "rmrr-unit", 72, 48)]),
    (table(REST, rmrr(BASE + 0x1000, BASE + 0x1fff)), []),
    (table(REST, atsr(scope(BRIDGE, 1, 0))), []),
    (table(REST, atsr(flags=1)), []),
    (table(REST, atsr()), [("warning", "scope-none", 72)]),
    (table(REST, atsr(scope(BRIDGE, 1, 0), flags=1)),
     [("warning", "scope-needless", 72)]),
    (table(REST, atsr(scope(BRIDGE, 1, 0), flags=2)), [("warning", "reserved", 76)]),
    (table(REST, atsr(scope(ENDPOINT, 1, 0))), [("warning", "scope-type", 80)]),
    (table(REST, satc(scope(ENDPOINT, 1, 0))), []),
    (table(REST, satc(scope(BRIDGE, 1, 0))), [("warning", "scope-type", 80)]),
    (table(REST, satc(b"")), [("warning", "scope-none", 72)]),
    (table(REST, sidp(scope(ENDPOINT, 1, 0, flags=0x1f))), []),
    (table(REST, sidp(scope(ENDPOINT, 1, 0), reserved=1)),
     [("warning", "reserved", 76)]),
    (table(REST, rhsa()), []),
    (table(REST, rhsa(reserved=1)), [("warning", "reserved", 76)]),
    (table(REST, rhsa(more=b"\0\0")), [("warning", "struct-long", 74)]),
    (table(REST, rhsa(BASE + 0x1000)), [("warning", "rhsa-unit", 80)]),
    (table(REST, rhsa(), rhsa()), [("warning", "rhsa-twice", 92, 72)]),
    (table(REST, andd(1)), [("note", "andd-unused", 72)]),
    (table(drhd(BASE, scope(ACPI, 1, 0, number=3)), andd(3, b"\\_SB")),
     [("warning", "andd-name", 80)]),
    (table(drhd(BASE, scope(ACPI, 1, 0, number=3)), andd(3, b"_SB\0")),
     [("warning", "andd-name", 80)]),
    (table(drhd(BASE, scope(ACPI, 1, 0, number=3)), andd(3, b"\0")),
     [("warning", "andd-name", 80)]),
    (table(drhd(BASE, scope(ACPI, 1, 0, number=3)), andd(3), andd(3)),
     [("error", "andd-twice", 90, 72)]),
    # All of it at once: nothing hides what comes behind.
    (table(drhd(0, scope(ENDPOINT, 40, 0) + b"\1\1"), REST, REST,
           rmrr(2, 1, scopes=b""), b"\0\0\0\0\0\0\1", flags=0),
     [("note", "no-remapping", 37), ("error", "base", 56), ("error", "path", 64),
      ("error", "scope-length", 72), ("error", "base-twice", 98, 74),
      ("error", "all-twice", 98, 74), ("error", "id-twice", 114, 90),
      ("warning", "scope-none", 122), ("error", "rmrr-order", 130),
      ("warning", "rmrr-align", 130), ("warning", "rmrr-align", 138),
      ("error", "struct-length", 146)]),
]
