#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How fast vtdpi log reads a log, beside grep -c on the same file.

Two logs are made: one as machines write them, in which a line in ten thousand is about
VT-d, and one of nothing but faults. Times are those of the process (user and system),
the least of several runs, so that others who use the machine do not count.
"""

import argparse
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

# Wanted: a usual log of 100 MB in 2 s, and no more than 8 times the time of grep.
SECONDS_MAX = 2
RATIO_MAX = 8
BLOCK = 1 << 20

WORDS = ("systemd usb eth0 link audit session opened user root CPU memory device driver "
         "loaded nvme sda ext4 mounted filesystem default registered protocol family "
         "service started stopped reached target network interface pci bridge window "
         "bus error timeout enabled version interrupt notification APM").split()
FAULT = ("[{:12.6f}] DMAR: [INTR-REMAP] Request device [{:02x}:{:02x}.{}] fault index "
         "{:#x} [fault reason 0x22] Present field in the IRTE entry is clear\n")


def usual(chance, number):
    if chance.random() < 1e-4:
        return faults(chance, number)
    return (f"Aug 25 19:03:45 host kernel: [{number / 100:12.6f}] "
            f"{' '.join(chance.choices(WORDS, k=chance.randint(5, 13)))}\n")


def faults(chance, number):
    return FAULT.format(number / 100, chance.randrange(256), chance.randrange(32),
                        chance.randrange(8), chance.randrange(65536))


def write(path, line, size):
    """Blocks are made once and written again and again."""
    chance = random.Random(1)
    blocks = []
    for _ in range(8):
        text = []
        have = 0
        while have < BLOCK:
            text.append(line(chance, len(text)))
            have += len(text[-1])
        blocks.append("".join(text).encode())
    with open(path, "wb") as file:
        while file.tell() < size:
            file.write(blocks[file.tell() // BLOCK % len(blocks)])


def seconds(command, runs):
    """The least time of the process."""
    best = None
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Into a pipe: grep stops at the first hit where it sees /dev/null.
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False,
                              env={**os.environ, "LC_ALL": "C"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0, 1, 4):
            sys.exit(f"log: {command[0]}: status {done.returncode}")
        time = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        best = time if best is None else min(best, time)
    return best


def main():
    parser = argparse.ArgumentParser(prog="./run bench log",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("--bytes", type=int, default=100_000_000,
                        help="of each log (100000000)")
    parser.add_argument("--runs", type=int, default=5, help="of which the best counts")
    parser.add_argument("--smoke", action="store_true",
                        help="a short run, which judges no time")
    options = parser.parse_args()
    if options.smoke:
        options.bytes, options.runs = BLOCK, 1
    slow = False
    print(f"{'log':<7} {'MB':>5} {'vtdpi s':>8} {'MB/s':>6} {'grep s':>7} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name, line in (("usual", usual), ("faults", faults)):
            path = pathlib.Path(folder) / name
            write(path, line, options.bytes)
            ours = seconds([options.program, "log", path], options.runs)
            grep = seconds(["grep", "-c", "DMAR", path], options.runs)
            size = path.stat().st_size / 1e6
            print(f"{name:<7} {size:5.0f} {ours:8.3f} {size / max(ours, 1e-3):6.0f} {grep:7.3f} "
                  f"{ours / max(grep, 1e-3):6.1f}")
            if name == "usual":
                slow = (ours > SECONDS_MAX * size / 100 or ours > RATIO_MAX * grep)
            path.unlink()
    if options.smoke:
        return
    print(f"\nWanted for the usual log: {SECONDS_MAX} s for 100 MB, ratio {RATIO_MAX} "
          f"at most: {'missed' if slow else 'met'}. The log of faults is not judged: "
          "each of its lines is taken apart, and grep looks for one word.")
    sys.exit(slow)


if __name__ == "__main__":
    main()
