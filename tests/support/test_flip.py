#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Test flip.py and what mutate.py says of results. Prints TAP."""

import contextlib
import io
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import flip
import mutate
import tap

CASES = [
    # What it is called, the code, kind and text of each change.
    ("a relation, also by one more step", "int f(void) { return a < 2; }",
     {("operator", "a <= 2"), ("operator", "a >= 2"),
      ("constant", "a < 3"), ("constant", "a < 1")}),
    ("logic, and a condition", "void f(void) { if (a && !b) return; }",
     {("operator", "a || !b"), ("unary", "a && b"), ("condition", "(!(a && !b))")}),
    ("zero has no neighbour below", "int f(void) { return 0x0fu; }",
     {("constant", "0x10u"), ("constant", "0xeu")}),
    ("zero", "int f(void) { return 0; }", {("constant", "return 1")}),
    ("a pointer is no product", "int *f(struct s *p) { return *p; }", set()),
    ("an address is no mask", "int f(void) { return g(&p, a & b); }",
     {("operator", "a | b")}),
    ("a call and an assignment are dropped",
     "void f(void) { int i = k; g(i); x = i; return; }",
     {("statement", "= k; ; x"), ("statement", "g(i); ; return")}),
    ("behind if, else and case", "void f(void) { if (c) g(); else h(); }",
     {("condition", "(!(c))"), ("statement", "if (c) ; else"),
      ("statement", "else ;")}),
    ("a step", "void f(void) { a++; }", {("operator", "a--"), ("statement", "{ ; }")}),
    ("an order", "long f(void) { return vtdpi_atomic_load64_acquire(p); }",
     {("order", "vtdpi_atomic_load64_relaxed(p)")}),
    ("nothing in comments and strings",
     'void f(void) { /* a < 1; */ return; } // b && c\nchar *s = "1 + 1";', set()),
    ("nothing in what is asserted", "void f(void) { VTDPI_ASSERT(a < (1)); return; }",
     set()),
    ("the value of a macro", "#define A(x) (x | 4)\n#if B == 3\n#endif",
     {("operator", "(x & 4)"), ("constant", "(x | 5)"), ("constant", "(x | 3)")}),
]


def is_as_told(code, wanted):
    """Each change is a wanted one, and each wanted one is there once."""
    made = [(change.kind, change.apply(code)) for change in flip.flips(code)]
    for kind, text in wanted:
        matching = [one for one in made if one[0] == kind and text in one[1]]
        if len(matching) != 1:
            return f"{kind} {text!r}: {matching}"
    return "" if len(made) == len(wanted) else f"{len(made)} changes: {made}"


def result(file, outcome):
    return {"key": [file, "0", "operator", 0, 1, "-"], "outcome": outcome,
            "by": "", "line": 7, "old": "+"}


def report_of(*results):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        rate = mutate.report(list(results))
    return rate, out.getvalue()


def main():
    out = tap.Tap()
    for name, code, wanted in CASES:
        wrong = is_as_told(code, wanted)
        out.say(not wrong, name, wrong)
    text = "int f(void) { return a < 2; }"
    out.say(all(change.apply(text) != text for change in flip.flips(text)),
            "each change changes something")
    rate, said = report_of(result("src/a.c", "killed"), result("src/a.c", "survived"),
                           result("src/b.c", "same"), result("src/b.c", "invalid"))
    out.say(rate == 0.5, "the rate is of those that can be noticed", rate)
    out.say("src/a.c:7: operator: '+' -> '-'" in said, "survivors are listed", said)
    programs = [pathlib.Path(f"test_{n}") for n in ("qi", "qi_ite", "irte", "unit")]
    out.say([p.name for p in mutate.tests_of("qi_ring.h", programs)]
            == ["test_qi", "test_qi_ite", "test_unit"], "a file has its tests")
    none = [p for p in (mutate.ROOT / "src").glob("*.[ch]")
            if not any(mutate.fnmatch.fnmatch(p.name, t) for t in mutate.TESTS)]
    out.say(not none, "every file has tests", none)
    return out.end()


if __name__ == "__main__":
    sys.exit(main())
