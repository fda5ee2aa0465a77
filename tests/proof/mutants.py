#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Take each bit of each mask of regs.h that an encoder or a decoder uses out of
it, one at a time, and see that a proof fails. Run by hand: run.sh --mutants.

usage: mutants.py CBMC [--only REGEX] [--sample N]

Names are like "VTDPI_IEC_IM: bit 27". Prints which harness refuted each.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import proofs
import mutant_list
import mutation


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


def mutants():
    names = [name for name in mutant_list.masks() if used(name)]
    for name, value in zip(names, values(names)):
        for bit in range(64):
            if value >> bit & 1:
                yield mutant_list.without_bit(name, bit)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    mutation.arguments(parser)
    parser.add_argument("cbmc")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tap, _ = mutation.run(
            proofs.Refuter(options.cbmc),
            mutation.chosen(mutants(), options), pathlib.Path(folder))
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
