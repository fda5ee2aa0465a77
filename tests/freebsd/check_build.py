#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check what vtdpi.mk, the part for a kernel's makefile, builds.

usage: check_build.py ROOT WORK GLUE CC...

GLUE is the archive of the port and the whole library, CC the compiler.

- Its sources are in the folders that it searches, each in one of them.
- It has every source of the port, and of the library just those that the port
  needs; what remains undefined is of the kernel.
- Its rule for the stub, with the headers of the shim, assembles the stub. The
  stub has both entries, calls what it should, and cannot cross a page.
"""

import pathlib
import re
import subprocess
import sys

FOLDER = "examples/bhyve"
SHIM = "tests/freebsd/shim"
STUB = "vtdpi_bhyve_wakeup"
ENTRIES = {"Xvtdpi_wakeup", "Xvtdpi_wakeup_pti"}
KERNELS = {"vtdpi_dmar_ops"}  # of the names with our prefix


def output(*command):
    return subprocess.run([str(c) for c in command], check=True,
                          capture_output=True, text=True).stdout


def assigned(text, name):
    """All words that are added to a variable."""
    lines = re.findall(rf"^{name}\+=(.*)$", text, re.MULTILINE)
    return " ".join(lines).split()


def read_makefile(root):
    """Its text, with continued lines joined and ${VTDPI} put in."""
    text = (root / FOLDER / "vtdpi.mk").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\\\n\s*", "", text).replace("${VTDPI}", str(root))


def located(text):
    """Each source and the folders that have it."""
    folders = re.findall(r"^\.PATH:\s*(\S+)$", text, re.MULTILINE)
    return {name: [f for f in map(pathlib.Path, folders) if (f / name).exists()]
            for name in assigned(text, "SRCS")}


def symbols(objects):
    """Of each object: names defined for others, and names used."""
    found = {}
    for path in objects:
        defined, used = set(), set()
        for line in output("nm", "-g", "-p", path).splitlines():
            kind, name = line.split()[-2:]
            (used if kind in "Uvw" else defined).add(name)
        found[path] = (defined, used)
    return found


def objects_by_source(glue):
    names = output("ar", "t", glue).split()
    paths = [p if p.exists() else glue.parent / p
             for p in map(pathlib.Path, names)]
    found = {}
    for path in paths:
        match = re.search(r"(vtdpi_bhyve\w*|(?<=_src_)\w+)\.c\.o$", path.name)
        found[match.group(1) + ".c"] = path
    return found


def needed(table, start):
    """The objects that those of start need, themselves included."""
    homes = {name: obj for obj, (defined, _) in table.items()
             for name in defined}
    todo, seen = list(start), set(start)
    while todo:
        for name in table[todo.pop()][1]:
            home = homes.get(name)
            if home is not None and home not in seen:
                seen.add(home)
                todo.append(home)
    return seen


def check_sources(root, text, glue):
    listed = located(text)
    for name, folders in listed.items():
        if len(folders) != 1:
            yield f"{name}: in {len(folders)} folders of .PATH"
    if "assym.inc" not in assigned(text, "DPSRCS"):
        yield "assym.inc is not made"
    port = {p.name for p in (root / FOLDER).glob("vtdpi_bhyve*.[cS]")}
    objects = objects_by_source(glue)
    table = symbols(objects.values())
    want = needed(table, [objects[n] for n in port if n.endswith(".c")])
    names = {n for n, path in objects.items() if path in want} | port
    for name in sorted(names ^ set(listed)):
        yield f"{name}: {'not listed' if name in names else 'not needed'}"
    defined = set().union(ENTRIES, *(table[o][0] for o in want))
    used = set().union(*(table[o][1] for o in want))
    for name in sorted(n for n in used - defined - KERNELS if "vtdpi" in n):
        yield f"{name}: nobody defines it"


def assemble(root, work, text, compiler):
    rule = re.search(rf"^{STUB}\.o:.*\n\t(.*)$", text, re.MULTILINE).group(1)
    stub = root / FOLDER / (STUB + ".S")
    flags = ["-nostdinc", f"-I{root / SHIM}", *assigned(text, "CFLAGS")]
    values = {"${CC}": " ".join(compiler), "${CFLAGS}": " ".join(flags),
              "${.IMPSRC}": str(stub), "${.TARGET}": str(work / "stub.o")}
    for name, value in values.items():
        rule = rule.replace(name, value)
    subprocess.run(rule.split(), check=True, capture_output=True, text=True)
    return work / "stub.o"


def check_stub(stub):
    defined, used = symbols([stub])[stub]
    if defined != ENTRIES:
        yield f"the stub defines {sorted(defined)}"
    if used != {"doreti", "vtdpi_bhyve_wakeup_handler"}:
        yield f"the stub uses {sorted(used)}"
    size, align = re.search(r"^\s*\d+ \.text\s+(\w+) .* 2\*\*(\d+)$",
                            output("objdump", "-h", stub),
                            re.MULTILINE).groups()
    # The kernel's macros make more than those of the shim.
    if 4 * int(size, 16) > 1 << int(align):
        yield f"the stub has {size}h bytes and may cross a page"


def main():
    root, work, glue = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
    work.mkdir(parents=True, exist_ok=True)
    text = read_makefile(root)
    bad = list(check_sources(root, text, glue))
    try:
        bad += check_stub(assemble(root, work, text, sys.argv[4:]))
    except subprocess.CalledProcessError as error:
        bad.append(error.stderr)
    print("\n".join(bad) if bad else "the makefile builds the port")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
