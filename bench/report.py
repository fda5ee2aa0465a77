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

# Goals: what is compared, experiment, variant, n, ours, other, the
# direction ("faster": other / ours at least; "at most": ours / other at most),
# must, stretch. See docs/performance.md.
GOALS = [
    ("cold scan of 1,024, list / bitmap",
     "scan-cold", "spread", 1024, "bitmap", "list", "faster", 15, 24),
    ("cold scan of 64, list / bitmap",
     "scan-cold", "spread", 64, "bitmap", "list", "faster", 8, 14),
    ("cold scan of 16, list / bitmap",
     "scan-cold", "spread", 16, "bitmap", "list", "faster", 3.5, 6),
    ("warm scan of 1,024, list / bitmap",
     "scan-warm", "spread", 1024, "bitmap", "list", "faster", 5, 9),
    ("warm scan of 1,024 page-aligned, list / bitmap",
     "scan-warm", "page-aligned", 1024, "bitmap", "list", "faster", 25, 45),
    ("warm scan of 8 in 16,384 slots, bitmap / list",
     "sparse-warm", "spread", 8, "bitmap", "list", "at most", 1.5, 1.1),
    ("warm scan of 16 in 16,384 slots, bitmap / list",
     "sparse-warm", "spread", 16, "bitmap", "list", "at most", 1.5, 1.1),
    ("cold scan of 256, bitmap / reading them in a row",
     "scan-cold", "spread", 256, "bitmap", "stream", "at most", 2.2, None),
    ("cold scan of 1,024, bitmap / reading",
     "scan-cold", "spread", 1024, "bitmap", "stream", "at most", 2.2, None),
    ("cold scan of 4,096, bitmap / reading",
     "scan-cold", "spread", 4096, "bitmap", "stream", "at most", 2.2, 1.5),
    ("cold scan of 16,384, bitmap / reading",
     "scan-cold", "spread", 16384, "bitmap", "stream", "at most", 2.2, 1.5),
    ("block and run alone, bitmap / list",
     "pair-alone", "spread", 0, "bitmap", "list", "at most", 0.75, None),
    ("block and run, taking turns, bitmap / list",
     "pair-churn", "spread", 1024, "bitmap", "list", "at most", 0.75, 0.40),
    ("block and run beside scans of 64, bitmap / list",
     "pair-contended", "back-to-back", 64, "bitmap", "list", "at most", 0.2,
     0.1),
    ("block and run beside scans of 1,024, bitmap / list",
     "pair-contended", "back-to-back", 1024, "bitmap", "list", "at most", 0.05,
     0.01),
    ("post, ON set, new bit: one pass / two RMW",
     "post", "ON set, bit clear", 0, "one pass", "two RMW", "at most", 0.65,
     0.55),
    ("post, ON clear: one pass / two RMW",
     "post", "ON clear, bit clear", 0, "one pass", "two RMW", "at most", 1.05,
     1.0),
    ("harvest of nothing: per word / exchange all",
     "harvest", "0 words", 0, "per word", "exchange all", "at most", 0.15,
     0.10),
    ("harvest of 1 word: per word / exchange all",
     "harvest", "1 word", 0, "per word", "exchange all", "at most", 0.45,
     0.35),
    ("harvest of 4 words: per word / exchange all",
     "harvest", "4 words", 0, "per word", "exchange all", "at most", 1.10,
     1.0),
    ("schedule in, change: one CAS / RMW unit",
     "schedule-in", "change", 0, "one CAS", "RMW unit", "at most", 1.25, 1.05),
    ("schedule in, no change: one CAS / RMW unit",
     "schedule-in", "no change", 0, "one CAS", "RMW unit", "at most", 0.25,
     0.12),
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
        text, experiment, variant, n, ours, other = goal[:6]
        direction, must, stretch = goal[6:]
        a = find(rows, experiment, variant, n, ours)
        b = find(rows, experiment, variant, n, other)
        if a is None or b is None:
            results.append({"what": text, "ratio": None,
                            "verdict": "not measured"})
            continue
        top, bottom = (b, a) if direction == "faster" else (a, b)
        ratio = top["median"] / bottom["median"]
        results.append({
            "what": text, "ratio": ratio,
            "low": top["p10"] / bottom["p90"],
            "high": top["p90"] / bottom["p10"],
            "direction": direction, "must": must, "stretch": stretch,
            "verdict": verdict(direction, ratio, must, stretch),
            "dropped": a["dropped"],
        })
    results.append(tail(rows))
    return results


def tail(rows):
    """The slowest hundredth of block and run does not grow with N."""
    few, many = (find(rows, "pair-contended-batches", "back-to-back", n,
                      "bitmap") for n in (16, 1024))
    text = "block and run, slowest 1 % beside 1,024 / beside 16"
    if few is None or many is None:
        return {"what": text, "ratio": None, "verdict": "not measured"}
    ratio = many["p99"] / few["p99"]
    return {"what": text, "ratio": ratio, "low": ratio,
            "high": ratio, "direction": "at most", "must": 2, "stretch": None,
            "verdict": verdict("at most", ratio, 2, None), "dropped": 0}


# Beside the goals: title, experiment, first design, the others.
MORE = [
    ("several wakeup vectors: the scan of one, cold, against one vector",
     "vectors-cold", "1 vector"),
    ("lines of a page permuted: the scan, cold, against in order",
     "scatter-cold", "in order"),
    ("a running vCPU's access to its PID, another CPU scanning, against none",
     "neighbours", "no scans"),
    ("harvest against loading all words first (no gain is claimed)",
     "harvest", "load first"),
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


def print_goals(results):
    """The table of ratios."""
    print("The library beside the designs of Linux and Xen, which are written "
          "again in\nbench/hot: ratios of two medians of this run.\n")
    print(f"{'what is compared':52} {'ratio':>6} "
          f"{'spread':>13} {'must':>8} {'stretch':>8}")
    for r in results:
        if r["ratio"] is None:
            print(f"{r['what']:52} {'-':>6} "
                  f"{'not measured here':>13}")
            continue
        sign = ">=" if r["direction"] == "faster" else "<="
        stretch = "" if r["stretch"] is None else f"{sign} {r['stretch']:g}"
        spread = f"{number(r['low'])}-{number(r['high'])}"
        print(f"{r['what']:52} {number(r['ratio']):>6} "
              f"{spread:>13} {sign + ' ' + format(r['must'], 'g'):>8} "
              f"{stretch:>8}  {r['verdict']}")
    dropped = sum(r.get("dropped", 0) for r in results)
    missed = sum(r["verdict"] == "missed" for r in results)
    print(f"\n{missed} of {len(results)} goals missed; rounds dropped because "
          f"a thread was switched out: {dropped}")


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
    out = {"machine": machine(), "goals": results, "figures": rows}
    if args.json == "-":
        json.dump(out, sys.stdout, indent=1)
        print()
    else:
        print_goals(results)
        print_more(rows)
        if args.json:
            with open(args.json, "w", encoding="utf-8") as file:
                json.dump(out, file, indent=1)
                file.write("\n")
    if args.plots:
        plot(rows, args.plots)


if __name__ == "__main__":
    main()
