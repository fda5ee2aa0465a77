#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Take each bit of each mask of regs.h that an encoder or a decoder uses out of
it, one at a time, and see that a proof fails. Run by hand: run.sh --mutants.

usage: mutants.py CBMC [TEXT]

With TEXT only masks whose name contains it. Prints one line a mask: how many
bits it has, and which harness refuted how many of them. Status 1 if a bit
survived.
"""

import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

import proofs
import seed_list

# Who is asked, by the beginning of the mask's name; the cheapest first.
ASKED = {
    "IRTE_": ["irte_decode_raw", "irte_remapped_fields", "irte_posted_fields",
              "irte_validate_means"],
    "PID_": ["pid_control", "pid_init", "pid_post"],
    "MSI_": ["msi_index", "msi_decode"],
    "COMPAT_": ["compat_msi"],
    "RTE_": ["rte_word", "rte_fields"],
    "IEC_": ["qi_iec"],
    "WAIT_": ["qi_wait"],
    "QI_TYPE": ["qi_device", "qi_iec"],
    "IQA_": ["qi_program"],
    "IQ_": ["qi_head"],
    "FSTS_I": ["qi_program"],
    "VER_": ["caps_decode"],
    "CAP_": ["caps_decode"],
    "ECAP_": ["caps_decode"],
    "FRCD_SIZE": ["caps_window"],
    "FRCD_": ["fault_decode", "fault_clear"],
    "FECTL_": ["fault_event"],
}
# Bits that nothing can tell from none, and why.
EQUIVALENT = {("IEC_IM", 31): "no block is larger than 2^15"}

DEFINE = re.compile(r"^#define VTDPI_([A-Z0-9_]+)\s+[^\s(]?.*$", re.M)


def values(names):
    """What the masks are, as the compiler has them."""
    lines = "".join(
        f'printf("%llx\\n", (unsigned long long)VTDPI_{n});' for n in names
    )
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "values"
        subprocess.run(
            ["gcc", "-x", "c", "-", "-I", str(proofs.ROOT / "include"), "-o",
             str(program)],
            input='#include "vtdpi/regs.h"\n#include <stdio.h>\n'
                  f"int main(void) {{ {lines} return 0; }}",
            text=True, check=True,
        )
        printed = subprocess.run([str(program)], capture_output=True,
                                 text=True, check=True).stdout
    return [int(line, 16) for line in printed.split()]


def used(name):
    """Whether the library itself looks at the mask."""
    word = re.compile(rf"\bVTDPI_{name}\b")
    files = [*(proofs.ROOT / "src").glob("*.[ch]"),
             *(proofs.ROOT / "include/vtdpi").glob("*.h")]
    return any(
        word.search(path.read_text(encoding="utf-8"))
        for path in files if path.name != "regs.h"
    )


def asked(name):
    for prefix, harnesses in ASKED.items():
        if name.startswith(prefix):
            return harnesses
    return []


def refuted_by(program, name, bit):
    """The first harness that fails without the bit, or None."""
    if (name, bit) in EQUIVALENT:
        return EQUIVALENT[(name, bit)]
    seed = seed_list.Seed("", "", (
        (seed_list.REGS, f"#define VTDPI_{name} ",
         f"#define VTDPI_{name} (VTDPI_{name}_ALL ^ VTDPI_BIT64({bit}))\n"
         f"#define VTDPI_{name}_ALL "),
    ))
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        proofs.plant(seed, tree)
        for harness in asked(name):
            if proofs.refutes(program, tree, harness)[0]:
                return harness
    return None


def main():
    program = sys.argv[1]
    text = sys.argv[2] if len(sys.argv) > 2 else ""
    regs = (proofs.ROOT / seed_list.REGS).read_text(encoding="utf-8")
    names = [n for n in DEFINE.findall(regs) if asked(n) and text in n]
    survived = 0
    total = 0
    print("| mask | bits | refuted by |\n| --- | --- | --- |")
    with concurrent.futures.ThreadPoolExecutor(proofs.JOBS) as pool:
        for name, value in zip(names, values(names)):
            if not used(name):
                print(f"| VTDPI_{name} | - | not used by the library |")
                continue
            bits = [b for b in range(64) if value >> b & 1]
            by = collections.Counter(
                pool.map(lambda b: refuted_by(program, name, b), bits)
            )
            total += len(bits)
            survived += by[None]
            found = ", ".join(
                f"{harness or 'NOBODY'}: {n}" for harness, n in by.items()
            )
            print(f"| VTDPI_{name} | {len(bits)} | {found} |", flush=True)
    print(f"\n{total} bits, {survived} survived")
    sys.exit(survived != 0)


if __name__ == "__main__":
    main()
