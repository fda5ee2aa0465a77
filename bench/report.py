#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run the benchmarks of the hot paths and print what they compare.

Every figure is a ratio of two medians of one run: of the library and of a
peer's design that took turns with it in the same process. The nanoseconds
beside them are this machine's, of this minute, and mean nothing elsewhere.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys

# The designs that the library is measured against, and whose they are.
LIST = "Linux, Xen: a list"
LINUX_LIST = "Linux: a list"
READING = "reading as many PIDs"
TWO_BITS = "Linux, Xen: two locked bits"
EXCHANGE = "Xen: exchange all words"
SAME = "Linux: the same"
LOCKED = "one locked operation"

# Goals: what is done, beside whose way to do it, experiment, variant, n, ours,
# other, the direction ("faster": other / ours at least; "of the time": ours /
# other at most), must, stretch. See docs/performance.md.
GOALS = [
    ("wakeup among 1,024 sleepers, cold", LIST,
     "scan-cold", "spread", 1024, "bitmap", "list", "faster", 15, 24),
    ("wakeup among 64 sleepers, cold", LIST,
     "scan-cold", "spread", 64, "bitmap", "list", "faster", 8, 14),
    ("wakeup among 16 sleepers, cold", LIST,
     "scan-cold", "spread", 16, "bitmap", "list", "faster", 3.5, 6),
    ("wakeup among 1,024 sleepers, warm", LIST,
     "scan-warm", "spread", 1024, "bitmap", "list", "faster", 5, 9),
    ("wakeup among 1,024, warm, vCPUs page-aligned", LIST,
     "scan-warm", "page-aligned", 1024, "bitmap", "list", "faster", 25, 45),
    ("wakeup among 8 in 16,384 slots, warm", LIST,
     "sparse-warm", "spread", 8, "bitmap", "list", "of the time", 1.5, 1.1),
    ("wakeup among 16 in 16,384 slots, warm", LIST,
     "sparse-warm", "spread", 16, "bitmap", "list", "of the time", 1.5, 1.1),
    ("wakeup among 256 sleepers, cold", READING,
     "scan-cold", "spread", 256, "bitmap", "stream", "of the time", 2.2, None),
    ("wakeup among 1,024 sleepers, cold", READING,
     "scan-cold", "spread", 1024, "bitmap", "stream", "of the time", 2.2,
     None),
    ("wakeup among 4,096 sleepers, cold", READING,
     "scan-cold", "spread", 4096, "bitmap", "stream", "of the time", 2.2, 1.5),
    ("wakeup among 16,384 sleepers, cold", READING,
     "scan-cold", "spread", 16384, "bitmap", "stream", "of the time", 2.2,
     1.5),
    ("wake storm, 1,024 sleepers: post and wakeup", LINUX_LIST,
     "storm", "spread", 1024, "library", "Linux", "faster", 5, 10),
    ("block and run, nobody else", LIST,
     "pair-alone", "spread", 0, "bitmap", "list", "of the time", 0.85, 0.75),
    ("block and run, 1,024 in turn", LIST,
     "pair-churn", "spread", 1024, "bitmap", "list", "of the time", 0.75,
     0.40),
    ("block and run beside wakeups among 64", LIST,
     "pair-contended", "back-to-back", 64, "bitmap", "list", "of the time",
     0.35, 0.2),
    ("block and run beside wakeups among 1,024", LIST,
     "pair-contended", "back-to-back", 1024, "bitmap", "list", "of the time",
     0.01, 0.005),
    ("post of a new vector, ON set", TWO_BITS,
     "post", "ON set, bit clear", 0, "one pass", "two RMW", "of the time",
     0.65, 0.55),
    ("post of a new vector, ON clear", TWO_BITS,
     "post", "ON clear, bit clear", 0, "one pass", "two RMW", "of the time",
     1.05, 1.0),
    ("harvest of nothing", EXCHANGE,
     "harvest", "0 words", 0, "per word", "exchange all", "of the time", 0.15,
     0.10),
    ("harvest of 1 word", EXCHANGE,
     "harvest", "1 word", 0, "per word", "exchange all", "of the time", 0.45,
     0.35),
    ("harvest of 4 words", EXCHANGE,
     "harvest", "4 words", 0, "per word", "exchange all", "of the time", 1.10,
     1.0),
    ("run on another pCPU", LOCKED,
     "schedule-in", "change", 0, "one CAS", "RMW unit", "of the time", 1.25,
     1.05),
    ("run again on the same pCPU", SAME,
     "run-same", "spread", 0, "library", "Linux", "of the time", 1.0, 0.5),
]


def measure(program, rounds):
    """Run the program of the hot paths; its lines as dictionaries."""
    command = [program]
    if rounds:
        command += ["--rounds", str(rounds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    names = lines[0].split("\t")
    rows = []
    for line in lines[1:]:
        row = dict(zip(names, line.split("\t")))
        for name in names[4:8]:
            row[name] = float(row[name])
        for name in ("n", "kept", "dropped"):
            row[name] = int(row[name])
        rows.append(row)
    return rows


def find(rows, experiment, variant, n, design):
    """The row of one design, or None where this machine cannot measure it."""
    for row in rows:
        if (row["experiment"], row["variant"], row["n"], row["design"]) == (
                experiment, variant, n, design):
            return row
    return None


def mark(direction, ratio, bound):
    """Whether the ratio is on the right side of the bound."""
    if bound is None:
        return True
    return ratio >= bound if direction == "faster" else ratio <= bound


def verdict(direction, ratio, must, stretch):
    """A word for the last column."""
    if not mark(direction, ratio, must):
        return "missed"
    return "met" if stretch is None or not mark(direction, ratio, stretch) \
        else "stretch"


def judge(rows):
    """All goals with their ratios."""
    results = []
    for goal in GOALS:
        text, whom, experiment, variant, n, ours, other = goal[:7]
        direction, must, stretch = goal[7:]
        a = find(rows, experiment, variant, n, ours)
        b = find(rows, experiment, variant, n, other)
        if a is None or b is None:
            results.append({"what": text, "beside": whom, "ratio": None,
                            "verdict": "not measured"})
            continue
        top, bottom = (b, a) if direction == "faster" else (a, b)
        ratio = top["median"] / bottom["median"]
        results.append({
            "what": text, "beside": whom, "ratio": ratio,
            "low": top["p10"] / bottom["p90"],
            "high": top["p90"] / bottom["p10"],
            "direction": direction, "must": must, "stretch": stretch,
            "verdict": verdict(direction, ratio, must, stretch),
            "dropped": a["dropped"],
        })
    results.append(tail(rows))
    results += storms(rows)
    if too_busy(rows):
        for result in results:
            if result["verdict"] != "not measured" and not result.get("count"):
                result["verdict"] = "not judged"
    return results


def bounded(text, whom, ratio, must, count=False):
    """A result that is no ratio of medians; a count is the same anywhere."""
    result = {"what": text, "beside": whom, "ratio": ratio}
    if ratio is None:
        return {**result, "verdict": "not measured"}
    return {**result, "low": ratio, "high": ratio, "direction": "of the time",
            "must": must, "stretch": None, "dropped": 0, "count": count,
            "verdict": verdict("of the time", ratio, must, None)}


def tail(rows):
    """The slowest hundredth of block and run does not grow with N."""
    few, many = (find(rows, "pair-contended-batches", "back-to-back", n,
                      "bitmap") for n in (16, 1024))
    ratio = many["p99"] / few["p99"] if few and many else None
    return bounded("slowest 1 % of block and run beside 1,024",
                   "the same beside 16", ratio, 2)


def storms(rows):
    """A sleeper is woken once, however many posts there are to others."""
    results = []
    for n in (16, 64, 256, 1024, 4096):
        ours = find(rows, "storm-wakes", "spread", n, "library")
        results.append(bounded(f"wake storm, {n:,} sleepers: wakes of each",
                               "one wake", ours and ours["median"], 1, True))
    return results


# A loop that always does the same: how far its times may lie apart, and how
# many rounds may be disturbed, before no ratio of this run means anything.
UNEVEN = 1.15
DISTURBED = 0.25


def too_busy(rows):
    """Why this run cannot be judged, or nothing."""
    loop = find(rows, "machine", "-", 0, "fixed loop")
    if loop is None:
        return "the run has not ended"
    if loop["p90"] > loop["p10"] * UNEVEN:
        return (f"a loop that always does the same took {loop['p10']:.0f} ns "
                f"in some rounds and {loop['p90']:.0f} ns in others")
    if loop["dropped"] > DISTURBED * loop["kept"]:
        return (f"a thread was switched out in {loop['dropped']} of "
                f"{loop['kept']} rounds")
    return None


# Beside the goals: title, experiment, first design, the others.
MORE = [
    ("Wakeup with several vectors, cold: of the time with one vector",
     "vectors-cold", "1 vector"),
    ("Wakeup with the lines of a page permuted, cold: of the time in order",
     "scatter-cold", "in order"),
    ("A running vCPU's access to its PID while another CPU looks for sleepers: "
     "of the\ntime without that",
     "neighbours", "no scans"),
    ("Harvest: of the time of Linux, which loads all words first (no gain is "
     "claimed)",
     "harvest", "load first"),
    ("Wake storm, half of the sleepers woken, a post and its wakeup: of the "
     "time of\nLinux's list; Xen's list is without those who were woken",
     "storm", "Linux"),
]


def print_more(rows):
    """Ratios that are information, not goals."""
    for title, experiment, base in MORE:
        chosen = [r for r in rows if r["experiment"] == experiment]
        if not chosen:
            continue
        print(f"\n{title}:")
        for row in chosen:
            other = find(rows, experiment, row["variant"], row["n"], base)
            if row is not other:
                size = f"{row['n']:,}" if row["n"] else ""
                print(f"  {row['variant']:24} {size:>7} {row['design']:12} "
                      f"{number(row['median'] / other['median']):>6}")


def number(value):
    """Enough digits to compare."""
    if value < 0.1:
        return f"{value:.3f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def print_goals(results, busy):
    """The table of ratios."""
    print("The library beside the designs of Linux (KVM) and Xen, which are "
          "written again in\nbench/hot. Ratios of two medians of this run: "
          "'faster' is their time by ours, 'of the\ntime' ours by theirs. "
          "Cold: nothing is in the caches.\n")
    print(f"{'what is done':46} {'beside':27} {'ratio':>18} "
          f"{'spread':>13} {'asked':>8}")
    for r in results:
        if r["ratio"] is None:
            print(f"{r['what']:46} {r['beside']:27} {'not measured here':>18}")
            continue
        faster = r["direction"] == "faster"
        ratio = number(r["ratio"]) + (" times faster" if faster
                                      else "" if r.get("count")
                                      else " of the time")
        spread = f"{number(r['low'])}-{number(r['high'])}"
        asked = f"{'>=' if faster else '<='} {r['must']:g}"
        word = "better" if r["verdict"] == "stretch" else r["verdict"]
        print(f"{r['what']:46} {r['beside']:27} {ratio:>18} "
              f"{spread:>13} {asked:>8}  {word}")
    dropped = sum(r.get("dropped", 0) for r in results)
    missed = sum(r["verdict"] == "missed" for r in results)
    print(f"\n{missed} of {len(results)} goals missed; rounds dropped because "
          f"a thread was switched out: {dropped}")
    if busy:
        print(f"\nThis machine was too busy to judge times: {busy}.\n"
              "Run the benchmark again when nothing else runs.")


def machine():
    """What this ran on, without its name."""
    model = "unknown processor"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    model = line.split(":", 1)[1].strip()
                    break
    except OSError:
        pass
    return {"processor": model, "cpus": os.cpu_count(),
            "architecture": platform.machine(),
            "system": platform.system()}


PLOTS = [
    ("scan-cold", "spread", "Wakeup scan, nothing cached, one vCPU notified"),
    ("scan-warm", "spread", "Wakeup scan, caches warm, one vCPU notified"),
    ("pair-contended", "back-to-back",
     "block and run while another CPU scans"),
]


def plot(rows, folder):
    """The curves as SVG files."""
    if shutil.which("gnuplot") is None:
        sys.exit("bench: plots need gnuplot (package gnuplot-nox)")
    os.makedirs(folder, exist_ok=True)
    for experiment, variant, title in PLOTS:
        chosen = [r for r in rows
                  if (r["experiment"], r["variant"]) == (experiment, variant)]
        if chosen:
            path = os.path.join(folder, experiment + ".svg")
            subprocess.run(["gnuplot"], input=script(chosen, path, title),
                           check=True, text=True)
            tidy(path)


def tidy(path):
    """No tabs and no trailing blanks, so that a page may keep the file."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().expandtabs(2).splitlines()
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line.rstrip() + "\n" for line in lines)


def script(rows, path, title):
    """For gnuplot: time against N, a curve a design, 10 % to 90 % as bars."""
    designs = list(dict.fromkeys(r["design"] for r in rows))
    sizes = ",".join(f"'{n:,}' {n}" for n in sorted({r["n"] for r in rows}))
    blocks = "".join(
        f"${name} << END\n"
        + "".join(f"{r['n']} {r['median']} {r['p10']} {r['p90']}\n"
                  for r in rows if r["design"] == design)
        + "END\n"
        for name, design in zip("abcdefgh", designs))
    curves = ", ".join(
        f"${name} using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.6 "
        f"title '{design}'"
        for name, design in zip("abcdefgh", designs))
    quoted = path.replace("'", "''")
    return f"""{blocks}
set terminal svg size 760,460 background rgb 'white' font 'sans,13'
set output '{quoted}'
set title '{title}'
set logscale xy
set xlabel 'blocked vCPUs'
set ylabel 'ns, on this machine'
set xtics ({sizes})
set grid
set key left top
plot {curves}
"""


def main():
    parser = argparse.ArgumentParser(
        prog="./run bench hot",
        description="the hot paths beside the peers' designs")
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("--json", metavar="FILE",
                        help="write all figures, too; - is standard output")
    parser.add_argument("--plots", metavar="FOLDER",
                        help="write the curves as SVG")
    parser.add_argument("--rounds", type=int, metavar="N",
                        help="rounds of each series (default: enough)")
    args = parser.parse_args()

    rows = measure(args.program, args.rounds)
    results = judge(rows)
    busy = too_busy(rows)
    out = {"machine": machine(), "too_busy": busy, "goals": results,
           "figures": rows}
    if args.json == "-":
        json.dump(out, sys.stdout, indent=1)
        print()
    else:
        print_goals(results, busy)
        print_more(rows)
        if args.json:
            with open(args.json, "w", encoding="utf-8") as file:
                json.dump(out, file, indent=1)
                file.write("\n")
    if args.plots:
        plot(rows, args.plots)


if __name__ == "__main__":
    main()
