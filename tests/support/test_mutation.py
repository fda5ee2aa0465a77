#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Test mutation.py and check_mutants.py, with mutants of a text of three lines.
Prints TAP."""

import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check_mutants
import mutation
from mutation import Broken, Killed, Mutant

FILE = "src/a.c"
HEADER = "src/a.h"
TEXT = "one\ntwo\ntwo\n"


class Fake(mutation.Host):
    """Does not build a text that has "error", and notices "bug"."""

    def __init__(self, root):
        self.root = root

    def build(self, mutant, work):
        if list(work.iterdir()):
            raise ValueError("the folder is not empty")
        mutation.plant(self.root, mutant.changes, work, ("src",))
        if "error" in (work / FILE).read_text(encoding="utf-8"):
            mutation.must([sys.executable, "-c", "exit('no compiler likes it')"])

    def judge(self, mutant, work):
        text = (work / FILE).read_text(encoding="utf-8")
        if "crash" in text:
            raise KeyError("the host has a bug")
        if "hang" in text:
            mutation.call([sys.executable, "-c", "while True: pass"], 0)
        return Killed("reader", "a bug") if "bug" in text else None


def raises(function, *arguments):
    """The text of the Broken, or None."""
    try:
        function(*arguments)
    except Broken as error:
        return str(error)
    return None


def to(text, **fields):
    return Mutant(f"to {text}", ((FILE, "one", text),), **fields)


def run(root, *mutants, host=None):
    """(status, what is printed) of a run."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            tap, _ = mutation.run(host or Fake(root), mutants, root / "work")
        except SystemExit as error:
            return error.code, printed.getvalue()
    return tap.failed, printed.getvalue()


def lines_of(root, *mutants):
    failed, printed = run(root, *mutants)
    return failed, [line for line in printed.splitlines()[3:]
                    if not line.startswith("#")], printed


def test_text_that_stands_twice_is_refused(root):
    said = raises(mutation.changed, root, [(FILE, "two", "2")])
    assert said == "2 times in src/a.c, not once: 'two'", said


def test_text_that_is_not_there_is_refused(root):
    said = raises(mutation.changed, root, [(FILE, "three", "3")])
    assert said == "0 times in src/a.c, not once: 'three'", said


def test_change_of_nothing_is_refused(root):
    assert "nothing" in raises(mutation.changed, root, [(FILE, "one", "one")])


def test_changes_follow_each_other(root):
    texts = mutation.changed(
        root, [(FILE, "one", "1 three"), (FILE, "three", "3")])
    assert texts == {FILE: "1 3\ntwo\ntwo\n"}, texts


def test_refused_change_writes_nothing(root):
    changes = [(HEADER, "h", "i"), (FILE, "two", "2")]
    assert raises(mutation.plant, root, changes, root / "copy")
    assert not (root / "copy").exists()


def test_plant_copies_what_is_asked_for(root):
    mutation.plant(root, [(FILE, "one", "1")], root / "copy", ("src",))
    assert (root / "copy" / FILE).read_text() == "1\ntwo\ntwo\n"
    assert (root / "copy" / HEADER).read_text() == "h\n"
    assert (root / FILE).read_text() == TEXT


def test_recompiled_replaces_one_object(root):
    copies = [sys.executable, "-c",
              "import shutil, sys; shutil.copy(sys.argv[2], sys.argv[4])"]
    objects = [root / "p" / name for name in ("src_a.c.o", "src_b.c.o")]
    got = mutation.recompiled(root, to("bug"), root / "copy", objects, copies)
    assert got == [root / "copy/src_a.c.o", objects[1]], got
    assert got[0].read_text() == "bug\ntwo\ntwo\n"
    header = Mutant("header", ((HEADER, "h", "bug"),))
    said = raises(mutation.recompiled, root, header, root / "copy", objects,
                  copies)
    assert said == "0 objects of src/a.h", said


def test_tree_has_one_mutant_at_a_time(root):
    for name in mutation.TREE:
        if name != "src":
            (root / name).mkdir()
    tree = mutation.Tree(root, root / "copy")
    tree.plant([(FILE, "one", "1")])
    tree.plant([(HEADER, "h", "i")])
    assert (root / "copy" / FILE).read_text() == TEXT
    assert (root / "copy" / HEADER).read_text() == "i\n"
    assert raises(tree.plant, [(FILE, "two", "2")])
    assert (root / "copy" / HEADER).read_text() == "h\n"
    tree.plant([])
    assert (root / "copy" / FILE).read_text() == TEXT


def test_killed(root):
    failed, lines, printed = lines_of(root, to("bug"))
    assert not failed and lines == ["ok 2 - to bug"], printed
    assert "# killed by reader: a bug" in printed


def test_survivor_fails(root):
    failed, lines, printed = lines_of(root, to("1"), to("bug"))
    assert failed == 1, printed
    assert lines == ["not ok 2 - to 1", "ok 3 - to bug"], printed
    assert "# survived\n" in printed


def test_expected_survivor(root):
    failed, lines, printed = lines_of(root, to("1", survives="same"))
    assert not failed and lines == ["ok 2 - to 1"], printed
    assert "# survived, as expected: same" in printed


def test_killed_against_expectation_fails(root):
    failed, lines, printed = lines_of(root, to("bug", survives="same"))
    assert failed == 1 and lines == ["not ok 2 - to bug"], printed


def test_build_that_fails_is_broken(root):
    for survives in ("", "same"):
        mutant = to("bug error", survives=survives)
        failed, lines, printed = lines_of(root, mutant)
        assert failed == 1 and lines == ["not ok 2 - to bug error"], printed
        assert "# broken: no compiler likes it" in printed
        assert "killed" not in printed


def test_list_out_of_date_is_broken(root):
    stale = Mutant("stale", ((FILE, "three", "bug"),))
    failed, lines, printed = lines_of(root, stale)
    assert failed == 1 and lines == ["not ok 2 - stale"], printed
    assert "# broken: 0 times" in printed


def test_host_that_fails_is_broken(root):
    failed, _, printed = lines_of(root, to("bug crash"), to("bug hang"))
    assert failed == 2 and "the host has a bug" in printed, printed
    assert printed.count("broken") == 2 and "killed" not in printed, printed


def test_host_that_kills_the_unchanged_stops(root):
    (root / FILE).write_text("one bug\n", encoding="utf-8")
    status, printed = run(root, to("1"))
    assert status == 1 and "Bail out!" in printed, printed
    assert "to 1" not in printed


def test_only_unexpected_folders_stay(root):
    run(root, to("bug"), to("1"))
    left = sorted(path.name for path in (root / "work").iterdir())
    assert left == ["002"], left
    failed, printed = run(root, to("bug"), to("1 bug"))
    assert not failed, printed


def test_two_at_a_time(root):
    both = threading.Barrier(2)

    class Waiting(Fake):
        def judge(self, mutant, work):
            if mutant.changes:
                both.wait(10)
            return super().judge(mutant, work)

    failed, printed = run(root, to("bug"), to("a bug"), host=Waiting(root))
    assert not failed, printed


def test_chosen(root):
    class Options:
        only = "x"
        sample = 0

    mutants = [Mutant(f"x{n}") for n in range(10)] + [Mutant("y")]
    assert len(mutation.chosen(mutants, Options)) == 10
    Options.sample = 3
    names = [m.name for m in mutation.chosen(mutants, Options)]
    assert names == ["x0", "x3", "x6"], names


def checked(root, lists):
    """Status and output of check_mutants.py on a list with this text."""
    path = root / "tests/host/mutant_list.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("from mutation import Mutant\n" + lists, encoding="utf-8")
    done = subprocess.run([sys.executable, check_mutants.__file__, str(root)],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def bug(name, old):
    return f"Mutant({name!r}, (({FILE!r}, {old!r}, 'bug'),)),"


def test_check_counts(root):
    status, said = checked(
        root, f"LISTS = {{'bugs': [{bug('a', 'one')}{bug('b', 'one')}]}}")
    assert status == 0, said
    assert "ok 2 - tests/host/mutant_list.py: 2 bugs" in said, said


def test_check_refuses(root):
    for text, wanted in (
        (bug("a", "two"), "# a: 2 times in src/a.c"),
        (bug("a", "three"), "# a: 0 times in src/a.c"),
        (bug("a", "one") + bug("a", "one"), "# a: 2 have this name"),
        ("", "# no bugs"),
        ("Mutant('a', (('src/b.c', 'one', 'bug'),))", "src/b.c"),
    ):
        status, said = checked(root, f"LISTS = {{'bugs': [{text}]}}")
        assert status == 1 and "not ok 2" in said and wanted in said, said
    status, said = checked(root, "MUTANTS = []")
    assert status == 1 and "not ok 2" in said, said


def test_check_wants_a_list(root):
    done = subprocess.run([sys.executable, check_mutants.__file__, str(root)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "not ok 1" in done.stdout, done.stdout


def passes(function):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        mutation.write(root, {FILE: TEXT, HEADER: "h\n"})
        try:
            function(root)
        except Exception:
            return False, mutation.traceback.format_exc()
    return True, ""


def main():
    tests = [f for name, f in globals().items() if name.startswith("test_")]
    tap = mutation.Tap(len(tests))
    for function in tests:
        good, text = passes(function)
        tap.say(good, function.__name__, text)
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
