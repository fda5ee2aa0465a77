#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How the cost of each operation grows with the size of its world.

Instructions are counted by callgrind, so the figures do not depend on what
else the machine does. The exponent e of cost ~ N^e is fitted to all sizes; an
operation whose exponent is above its bound makes this fail.
"""

import argparse
import concurrent.futures
import json
import math
import os
import re
import subprocess
import sys
import tempfile

SIZES = (64, 512, 4096)
# Of a call through function pointers, or a value that is stored wider.
SLACK = 0.02


def operations(program):
    """Name, what N is, and the largest exponent of each operation."""
    done = subprocess.run([program], check=True, capture_output=True,
                          text=True)
    for line in done.stdout.splitlines():
        name, what, most = line.split("\t")
        yield name, what, float(most)


def instructions(program, name, n):
    """What callgrind counts in measured()."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=measured",
             "--callgrind-out-file=" + os.path.join(folder, "out"),
             program, name, str(n)],
            check=False, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or found is None:
        sys.exit(f"growth: {name}, {n}: {done.stderr}")
    return int(found.group(1))


def exponent(costs):
    """Slope of the least-squares line through (log N, log cost)."""
    xs = [math.log(n) for n in costs]
    ys = [math.log(cost) for cost in costs.values()]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return (sum((x - mx) * (y - my) for x, y in zip(xs, ys))
            / sum((x - mx) ** 2 for x in xs))


def main():
    parser = argparse.ArgumentParser(prog="./run bench growth",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("--json", metavar="FILE", help="write the counts, too")
    args = parser.parse_args()

    ops = list(operations(args.program))
    jobs = [(name, n) for name, _, _ in ops for n in SIZES]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counted = dict(zip(jobs, pool.map(
            lambda job: instructions(args.program, *job), jobs)))

    print("instructions of one operation, against N; e of cost ~ N^e\n")
    heads = "".join(f"{n:>10,}" for n in SIZES)
    print(f"{'operation':32} {'N':14}{heads}{'e':>8}{'at most':>9}")
    failed = False
    out = []
    for name, what, most in ops:
        costs = {n: counted[name, n] for n in SIZES}
        e = exponent(costs)
        ok = e <= most + SLACK
        failed = failed or not ok
        # An operation of the tables is done 64 times.
        each = "".join(f"{costs[n] / 64:10,.1f}" for n in SIZES)
        print(f"{name:32} {what:14}{each}{e:8.3f}{most:9g}"
              f"{'' if ok else '  grows'}")
        out.append({"operation": name, "n": what, "instructions": costs,
                    "exponent": e, "most": most})
    print("\n(a batch is one operation: its figures are a 64th of the whole)")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(out, file, indent=1)
            file.write("\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
