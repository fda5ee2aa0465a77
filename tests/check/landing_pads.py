# SPDX-License-Identifier: BSD-2-Clause
"""Find functions that are called by pointer and have no landing pad.

usage: landing_pads.py OBJECT...
       landing_pads.py --exact OBJECT... -- SOURCE...

The objects are for x86-64, compiled with -O0 -ffunction-sections
-fcf-protection=branch -mmanual-endbr: each function has a section of its own,
every address that the sources take is still there, and ENDBR64 stands only
where the source asks for it. An address is taken where a relocation that
belongs to no call and no jump leads to the first byte of a function.

Prints each function whose address is taken and which does not begin with
ENDBR64.

With --exact the objects may be optimised. Prints each function that begins with
ENDBR64 and has no VTDPI_BY_POINTER in the sources, and each that has the mark and
does not begin with ENDBR64.
"""

import re
import subprocess
import sys

SECTION = re.compile(r"^Disassembly of section (\S+):$")
FUNCTION = re.compile(r"^[0-9a-f]+ <(\w+)>:$")
INSTRUCTION = re.compile(r"^ +[0-9a-f]+:\s+(?:(?:bnd|notrack) )?(\w+)")
IN_CODE = re.compile(r"^\s+[0-9a-f]+: (R_X86_64_\w+)\s+(\S+)$")
RECORDS = re.compile(r"^RELOCATION RECORDS FOR \[(\S+)\]:$")
IN_DATA = re.compile(r"^[0-9a-f]{16} (R_X86_64_\w+)\s+(\S+)$")
TARGET = re.compile(r"^(.+?)(?:([+-])0x([0-9a-f]+))?$")
MARK = re.compile(r"^static VTDPI_BY_POINTER\s[^(;]*?(\w+)\(", re.MULTILINE)
NOT_DATA = re.compile(r"^\.(text|eh_frame|debug|note|comment)")


def output(*command):
    return subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.splitlines()


def start_of(kind, target):
    """What the relocation leads to, None if not to its first byte."""
    name, sign, digits = TARGET.match(target).groups()
    offset = int(digits or "0", 16) * (-1 if sign == "-" else 1)
    if kind in ("R_X86_64_PC32", "R_X86_64_PLT32"):
        offset += 4  # counted from the end of the instruction
    return name if offset == 0 else None


class Object:
    def __init__(self, path):
        self.path = path
        self.sections = {}  # section: its function
        self.padded = {}  # function: whether it begins with ENDBR64
        self.taken = set()
        self.read_code()
        self.read_data()

    def take(self, kind, target):
        self.taken.add(start_of(kind, target))

    def read_code(self):
        section = function = instruction = None
        for line in output("objdump", "-dr", "--no-show-raw-insn", self.path):
            if match := SECTION.match(line):
                section = match[1]
            elif match := FUNCTION.match(line):
                function = match[1]
                self.sections[section] = function
            elif match := IN_CODE.match(line):
                if not re.match("call|j", instruction):
                    self.take(*match.groups())
            elif match := INSTRUCTION.match(line):
                instruction = match[1]
                self.padded.setdefault(function, instruction == "endbr64")

    def read_data(self):
        section = ""
        for line in output("objdump", "-r", self.path):
            if match := RECORDS.match(line):
                section = match[1]
            elif match := IN_DATA.match(line):
                if not NOT_DATA.match(section):
                    self.take(*match.groups())

    def functions_taken(self):
        return {self.sections.get(name, name) for name in self.taken if name}


def exact(objects, sources):
    """What differs between the marks of the sources and the pads of the objects."""
    marked = set()
    for path in sources:
        with open(path, encoding="utf-8") as file:
            marked.update(MARK.findall(file.read()))
    padded = {}
    for path in objects:
        padded.update(Object(path).padded)
    for name in sorted(marked - {n for n in padded if padded[n]}):
        print(f"{name}: marked, and does not begin with ENDBR64")
    for name in sorted({n for n in padded if padded[n]} - marked):
        print(f"{name}: begins with ENDBR64, and is not marked")


def unmarked(paths):
    objects = [Object(path) for path in paths]
    everywhere = {}
    for one in objects:
        everywhere.update(one.padded)
    for one in objects:
        for name in sorted(one.functions_taken()):
            # A function of this object first: another may have its name.
            if one.padded.get(name, everywhere.get(name)) is False:
                print(f"{one.path}: {name}")


def main():
    if sys.argv[1] == "--exact":
        end = sys.argv.index("--")
        exact(sys.argv[2:end], sys.argv[end + 1:])
    else:
        unmarked(sys.argv[1:])


main()
