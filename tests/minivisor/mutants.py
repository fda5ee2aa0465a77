#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Break the minivisor, or the library below it, in one place at a time, and see
that its run fails.

usage: mutants.py [--only REGEX] ROOT WORK

WORK is a folder for a copy of the tree and its build, kept between runs. Takes
some seconds for each bug. Prints TAP, with what killed each: the rows of the
account that are not 0, or how the run ended.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

HERE = "examples/minivisor/"
SEEDS = (1, 2, 3)
IMAGE = "examples/minivisor/minivisor.img"

# What is broken: a name, the file, what stands there once, what replaces it.
MUTANTS = (
    ("no harvest before VM entry", HERE + "vcpu.c",
     "    take(v);\n    set_rvi(v);", "    set_rvi(v);"),
    ("RVI not set", HERE + "vcpu.c",
     "    set_rvi(v);\n", "    (void)set_rvi;\n"),
    ("RVI not the highest vector", HERE + "vcpu.c",
     "| v->highest);", "| (v->highest & 0xf0));"),
    ("the woken mark is not sticky", HERE + "scheduler.c",
     "    if (v->woken)\n", "    if (0)\n"),
    ("wake does not queue the vCPU", HERE + "scheduler.c",
     "        timeline(EVENT_WAKES, cpu_self(), v->number, 0, 0);\n"
     "        enqueue(v);\n",
     "        timeline(EVENT_WAKES, cpu_self(), v->number, 0, 0);\n"),
    ("no EOI by the host", HERE + "scheduler.c",
     "    apic_eoi();\n    if (vector == WNV", "    if (vector == WNV"),
    ("no EOI by the guest", HERE + "guest.c",
     "    wrmsr(X2APIC_EOI, 0);\n", ""),
    ("WNV ignored on a VM exit", HERE + "vcpu.c",
     "        scheduler_interrupt(p, vector);\n",
     "        if (vector != WNV)\n"
     "            scheduler_interrupt(p, vector);\n"
     "        else\n            apic_eoi();\n"),
    ("entered after block without run", HERE + "vcpu.c",
     "    if (next == ENTER)\n        vtdpi_vcpu_run(&v->pi, &p->pi);\n", ""),
    ("not run on the new pCPU after a preemption", HERE + "vcpu.c",
     "        return halt_or_go_on(p, v);\n    vtdpi_vcpu_run(&v->pi, &p->pi);\n",
     "        return halt_or_go_on(p, v);\n    if (p->runs < 3)\n"
     "        vtdpi_vcpu_run(&v->pi, &p->pi);\n"),
    ("SVI is lost", HERE + "vcpu.c",
     "(status & 0xff00) | rvi", "(status & 0) | rvi"),
    ("an EOI exits", HERE + "vmx.c",
     "EOI_EXIT_BITMAP + 2 * i, 0);", "EOI_EXIT_BITMAP + 2 * i, 1);"),
    ("another vCPU's descriptor in the VMCS", HERE + "vcpu.c",
     "{.pid = vtdpi_vcpu_pda(&v->pi),",
     "{.pid = vtdpi_vcpu_pda(&host.vcpu[0].pi),"),
    ("the VMCS has another vector than ANV", HERE + "vcpu.c",
     ".anv = ANV}", ".anv = KICK}"),
    ("no acknowledgement on exit", HERE + "vmx.c",
     "EXIT_HOST_64 | EXIT_ACKNOWLEDGE | EXIT", "EXIT_HOST_64 | EXIT"),
    ("no posted-interrupt processing", HERE + "vmx.c",
     "                 PIN_POSTED_INTERRUPTS,", "                 0,"),
    ("the unit's notification is not sent", HERE + "interrupts.c",
     "    apic_ipi(n->apic_id, n->nv);\n", ""),

    ("run leaves SN as it is", "src/sched.c",
     "(void)vtdpi_pid_replace(v->pid, PLACE, place(v->sched->anv, p->ndst));",
     "(void)vtdpi_pid_replace(v->pid, PLACE & ~VTDPI_PID_SN,\n"
     "                            place(v->sched->anv, p->ndst));"),
    ("run leaves NDST as it is", "src/sched.c",
     "(void)vtdpi_pid_replace(v->pid, PLACE, place(v->sched->anv, p->ndst));",
     "(void)vtdpi_pid_replace(v->pid, VTDPI_PID_SN | VTDPI_PID_NV,\n"
     "                            place(v->sched->anv, 0));\n    (void)p;"),
    ("run leaves the blocked bit", "src/sched.c",
     "    unmark(v->blocked_on, v->slot);\n", ""),
    ("block sets no summary bit", "src/sched.c",
     "        (void)vtdpi_atomic_or64(summary, bit_of(leaf));\n}",
     "        (void)summary;\n}"),
    ("block does not look at PIR", "src/sched.c",
     "    if (vtdpi_pid_pir_pending(v->pid)) {\n        vtdpi_vcpu_preempt(v);",
     "    if (v->slot > 64000) {\n        vtdpi_vcpu_preempt(v);"),
    ("block keeps ANV", "src/sched.c",
     "place(wnv_of(v), p->ndst);\n    uint64_t old",
     "place(v->sched->anv, p->ndst);\n    uint64_t old"),
    ("block leaves SN set", "src/sched.c",
     "                                 (old & ~PLACE) | new_place));",
     "                                 (old & ~(PLACE & ~VTDPI_PID_SN)) |\n"
     "                                     new_place));"),
    ("block names the wrong pCPU", "src/sched.c",
     "place(wnv_of(v), p->ndst);\n    uint64_t old",
     "place(wnv_of(v), p->ndst ^ 3);\n    uint64_t old"),
    ("block does not look whether the pCPU is online", "src/sched.c",
     "    if (vtdpi_atomic_load64(&p->online) != 0)\n        return true;",
     "    if (p != NULL)\n        return true;"),
    ("offline wakes nobody", "src/sched_scan.c",
     "(&p->leaf[i]);\n\n        if (bits != 0)",
     "(&p->leaf[i]);\n\n        if (bits != 0 && i > 99)"),
    ("the wakeup handler skips a page", "src/sched_scan.c",
     "        bits = notified(&pages[leaf], bits);",
     "        bits = leaf == 2 ? 0 : notified(&pages[leaf], bits);"),
    ("harvest does not clear ON", "include/vtdpi/pid.h",
     "        (void)vtdpi_atomic_and64(&pid->control, ~VTDPI_PID_ON);\n\n"
     "    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {\n        /* SC",
     "        (void)0;\n\n"
     "    for (unsigned int i = 0; i < VTDPI_PIR_WORDS; i++) {\n        /* SC"),
    ("harvest leaves a word of PIR", "include/vtdpi/pid.h",
     "        if (out[i] != 0)\n            out[i] =",
     "        if (i == 2)\n            out[i] = 0;\n"
     "        if (out[i] != 0)\n            out[i] ="),
    ("merge sets a neighbouring vector", "include/vtdpi/pid.h",
     "[i * VTDPI_VAPIC_IRR_STRIDE], bits);",
     "[i * VTDPI_VAPIC_IRR_STRIDE], bits << 1);"),
    ("merge says nothing if nothing is new", "include/vtdpi/pid.h",
     "    for (int i = 7; i >= 0; i--) {\n        const uint32_t word =",
     "    else\n        return -1;\n"
     "    for (int i = 7; i >= 0; i--) {\n        const uint32_t word ="),
    ("post sets ON and tells nobody", "src/sched.c",
     "    if (n.needed)\n        vtdpi_vcpu_send(v, &n);\n    return n.needed;",
     "    return n.needed;"),
    ("no flush of the interrupt entry cache", "src/commit.c",
     "    if (n == 0)\n        return 0;\n    rc = vtdpi_qi_submit(",
     "    if (n <= IEC_MAX)\n        return 0;\n    rc = vtdpi_qi_submit("),
    ("the flush is not waited for", "src/commit.c",
     "    rc = vtdpi_unit_wait(f->unit, &f->ticket, 0);",
     "    rc = 0;"),
    ("a posted entry has a wrong vector", "src/irte.c",
     "             VTDPI_FIELD_PUT(f->vector, VTDPI_IRTE_LO_VECTOR) |\n"
     "             VTDPI_FIELD_PUT(f->pda >> 6",
     "             VTDPI_FIELD_PUT(f->vector ^ 1, VTDPI_IRTE_LO_VECTOR) |\n"
     "             VTDPI_FIELD_PUT(f->pda >> 6"),
    ("a posted entry has a wrong PDA", "src/irte.c",
     "             VTDPI_FIELD_PUT(f->pda >> 6, VTDPI_IRTE_LO_PDA);",
     "             VTDPI_FIELD_PUT(f->pda >> 6 ^ 0x40, VTDPI_IRTE_LO_PDA);"),
    ("a message has no format bit", "src/msi.c",
     "        (uint32_t)(VTDPI_MSI_ADDR_BASE | VTDPI_MSI_ADDR_FORMAT |\n"
     "                   VTDPI_MSI_ADDR_SHV |\n"
     "                   VTDPI_FIELD_PUT(base, VTDPI",
     "        (uint32_t)(VTDPI_MSI_ADDR_BASE |\n"
     "                   VTDPI_MSI_ADDR_SHV |\n"
     "                   VTDPI_FIELD_PUT(base, VTDPI"),
    ("the tail of the queue is not written", "src/qi_ring.h",
     "                (uint64_t)qi->tail * qi->words * sizeof(uint64_t));",
     "                UINT64_C(0));"),
)


class Broken(Exception):
    """A mutant that cannot be made: the list is out of date."""


def command(*words, **options):
    return subprocess.run(
        [str(w) for w in words], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, **options)


def prepare(root, work):
    """A copy of the tree, built once."""
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    # With new times: what the last mutant left in the build is older.
    shutil.copytree(root, tree, copy_function=shutil.copy,
                    ignore=shutil.ignore_patterns("build*", ".git"))
    if not (work / "build/build.ninja").exists():
        done = command("meson", "setup", work / "build", tree,
                       "--buildtype=release", "-Dtests=disabled",
                       "-Dexamples=enabled", "-Dbench=disabled")
        if done.returncode != 0:
            raise Broken(done.stdout)
    return tree


def run(tree, work):
    """Build and run; what killed it, or the empty text."""
    done = command("ninja", "-C", work / "build", IMAGE)
    if done.returncode != 0:
        raise Broken(done.stdout[-2000:])
    for seed in SEEDS:
        done = command(tree / "tests/emulated/run-kernel.sh", "bochs",
                       work / "build" / IMAGE, 4, "seed=%d" % seed,
                       timeout=300)
        if done.returncode == 77:
            raise Broken(done.stderr)
        if done.returncode != 0:
            return "seed %d: %s" % (seed, why(done.stdout, done.stderr))
    return ""


def why(out, err):
    """How a run failed, in a line."""
    for line in out.splitlines():
        if "PANIC " in line:
            return line[line.index("PANIC "):]
    rows = out.partition("Must be 0\n")[2].partition("  Vector ff")[0]
    rows = re.findall(r"^  (\S.*?) +([1-9]\d*)$", rows, re.MULTILINE)
    if rows:
        return "; ".join("%s: %s" % row for row in rows)
    return (err.strip().splitlines() or ["no output"])[-1]


def mutate(tree, work, file, old, new):
    path = tree / file
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise Broken("%d times in %s, not once: %r"
                     % (text.count(old), file, old))
    path.write_text(text.replace(old, new), encoding="utf-8")
    try:
        return run(tree, work)
    finally:
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    options = parser.parse_args()
    mutants = [m for m in MUTANTS if re.search(options.only, m[0])]
    options.work.mkdir(parents=True, exist_ok=True)
    tree = prepare(options.root, options.work)
    alive = run(tree, options.work)
    if alive:
        print("Bail out! the minivisor fails as it is: %s" % alive)
        return 1
    failed = 0
    for number, (name, *change) in enumerate(mutants, 1):
        try:
            killed = mutate(tree, options.work, *change)
            says = killed or "survived"
        except (Broken, subprocess.TimeoutExpired) as error:
            killed = ""
            says = str(error).replace("\n", "\n# ")
        failed += not killed
        print("%sok %d - %s" % ("" if killed else "not ", number, name))
        print("# " + says, flush=True)
    print("1..%d" % len(mutants))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
