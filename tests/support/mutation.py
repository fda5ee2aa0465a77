# SPDX-License-Identifier: BSD-2-Clause
"""Seed bugs, one at a time, and see that a test notices each.

A list has mutants: names, and changes of text. A host says how to build one and
how to judge it. run() does the rest: it makes each mutant in a folder of its own,
or in a copy of the tree, and prints TAP. What a mutant may come to:

    killed      the host noticed it: good, unless the list says it survives
    survived    nobody noticed it: good only if the list says so, and why
    broken      it cannot be planted, built or judged: never good
"""

import concurrent.futures
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import traceback
from typing import NamedTuple

WORKERS = 2
# What a build of the whole project reads.
TREE = ("bench", "docs", "examples", "include", "meson.build",
        "meson_options.txt", "packaging", "src", "tests", "tools", "VERSION")


class Broken(Exception):
    """A mutant that cannot be made: the list is out of date."""


class Killed(NamedTuple):
    by: str
    how: str = ""


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A list may add fields of its own in a subclass."""

    name: str
    changes: tuple = ()  # of (file, text that stands there once, replacement)
    survives: str = dataclasses.field(default="", kw_only=True)  # why


def changed(root, changes):
    """File -> text with the changes in it, made in their order."""
    texts = {}
    for file, old, new in changes:
        text = texts.get(file)
        if text is None:
            text = (root / file).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise Broken(f"{text.count(old)} times in {file}, not once: {old!r}")
        if old == new:
            raise Broken(f"changes nothing in {file}: {old!r}")
        texts[file] = text.replace(old, new)
    return texts


def write(folder, texts):
    for file, text in texts.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def plant(root, changes, folder, copied=()):
    """Write the changed files below @folder, beside copies of what is in
    @copied. Copy a header's folder with it: a source that stays behind would
    include the header that stands beside the source."""
    for name in copied:
        shutil.copytree(root / name, folder / name)
    write(folder, changed(root, changes))


class Tree:
    """A copy of the sources that has one mutant at a time."""

    def __init__(self, root, folder):
        self.folder = folder
        self.before = {}
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in TREE:
            # With new times: what an earlier run has built is older.
            if (root / name).is_dir():
                shutil.copytree(root / name, folder / name,
                                copy_function=shutil.copy)
            else:
                shutil.copy(root / name, folder / name)

    def plant(self, changes):
        write(self.folder, self.before)
        self.before = {}
        texts = changed(self.folder, changes)
        self.before = {file: (self.folder / file).read_text(encoding="utf-8")
                       for file in texts}
        write(self.folder, texts)


def call(command, seconds=None, **options):
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True,
        check=False, stdin=subprocess.DEVNULL, timeout=seconds, **options)


def must(command, seconds=600):
    """Its output. Without success the mutant is broken."""
    done = call(command, seconds)
    if done.returncode != 0:
        raise Broken((done.stderr.strip() or done.stdout.strip())[-2000:])
    return done.stdout


def members(archive):
    """Object files of a thin archive, as Meson makes them."""
    listed = must(["ar", "t", archive]).split()
    return [path if path.exists() else archive.parent / path
            for path in map(pathlib.Path, listed)]


def recompiled(root, mutant, work, objects, compiler):
    """@objects, but new ones of the sources that the mutant changes."""
    plant(root, mutant.changes, work)
    for file in sorted({file for file, _, _ in mutant.changes}):
        # Meson names an object after the last parts of its path at least.
        tail = "_".join(pathlib.Path(file).parts[-2:]) + ".o"
        rest = [path for path in objects if not path.name.endswith(tail)]
        if len(rest) != len(objects) - 1:
            raise Broken(f"{len(objects) - len(rest)} objects of {file}")
        must([*compiler, "-c", work / file, "-o", work / tail])
        objects = [work / tail, *rest]
    return objects


class Host:
    """Builds and judges mutants: in @work, which is empty at first."""

    workers = WORKERS
    # Judged before all others: a host that fails by itself kills nothing.
    unchanged = Mutant("unchanged", survives="nothing is changed")

    def build(self, mutant, work):
        raise NotImplementedError

    def judge(self, mutant, work):
        """Killed, or None."""
        raise NotImplementedError


class TreeHost(Host):
    """A host that builds @target of the project, in one tree for all mutants;
    @prepared are changes that all of them have."""

    workers = 1

    def __init__(self, root, work, target, *options, prepared=()):
        self.tree = work / "tree"
        self.image = work / "build" / target
        self.target = target
        self.copy = Tree(root, self.tree)
        write(self.tree, changed(self.tree, prepared))
        if not (work / "build/build.ninja").exists():
            must(["meson", "setup", work / "build", self.tree,
                  "--buildtype=release", *options])

    def build(self, mutant, work):
        self.copy.plant(mutant.changes)
        must(["ninja", "-C", self.image.parents[self.target.count("/")],
              self.target])


class Tap:
    """Numbers lines and remembers whether one is not ok."""

    def __init__(self, count):
        self.number = 0
        self.failed = 0
        print(f"1..{count}", flush=True)

    def say(self, good, name, text=""):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}")
        for line in text.splitlines():
            print(f"# {line}")
        sys.stdout.flush()


def skip(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def attempt(host, mutant, work):
    """Make one: Killed, None for a survivor, or Broken. Only a mutant that
    did not come to what the list says leaves its folder behind."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        host.build(mutant, work)
        outcome = host.judge(mutant, work)
    except (Broken, subprocess.TimeoutExpired) as error:
        return Broken(str(error))
    except Exception:  # of the host: not a verdict on the mutant
        return Broken(traceback.format_exc())
    if is_good(mutant, outcome):
        shutil.rmtree(work)
    return outcome


def is_good(mutant, outcome):
    if isinstance(outcome, Broken):
        return False
    return (outcome is None) == bool(mutant.survives)


def told(mutant, outcome):
    if isinstance(outcome, Broken):
        return f"broken: {outcome}"
    if outcome is not None:
        return f"killed by {': '.join(filter(None, outcome))}"
    if mutant.survives:
        return f"survived, as expected: {mutant.survives}"
    return "survived"


def arguments(parser):
    parser.add_argument("--only", default="", metavar="REGEX",
                        help="only mutants whose name it is found in")
    parser.add_argument("--sample", type=int, default=0, metavar="N",
                        help="N mutants, spread evenly over the list")


def chosen(mutants, options):
    mutants = [m for m in mutants if re.search(options.only, m.name)]
    if options.sample:
        step = max(1, len(mutants) // options.sample)
        mutants = mutants[::step][:options.sample]
    return mutants


def in_order(function, items, workers=WORKERS):
    """(item, its result), of some at a time."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        yield from zip(items, pool.map(function, items))


def run(host, mutants, work, more=0):
    """Make all of them and print TAP, with @more lines to come from the caller:
    (the Tap, a list of (mutant, outcome))."""
    tap = Tap(1 + len(mutants) + more)
    outcome = attempt(host, host.unchanged, work / "unchanged")
    good = is_good(host.unchanged, outcome)
    tap.say(good, host.unchanged.name, told(host.unchanged, outcome))
    if not good:
        print("Bail out! What is not changed has to survive.")
        sys.exit(1)
    numbered = list(enumerate(mutants, 1))
    results = []
    for (_, mutant), outcome in in_order(
            lambda job: attempt(host, job[1], work / f"{job[0]:03d}"),
            numbered, host.workers):
        tap.say(is_good(mutant, outcome), mutant.name, told(mutant, outcome))
        results.append((mutant, outcome))
    return tap, results
