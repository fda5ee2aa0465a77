#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check that every list of mutants fits the sources, without building one.

usage: check_mutants.py ROOT

For each mutant_list.py below ROOT/tests: every change can be made, where it
stands once, and no two mutants of it have the same name. Prints TAP, with the
number of mutants in each list.
"""

import collections
import importlib.util
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import mutation


def load(path):
    """The module; what it imports from its own folder is forgotten again."""
    before = set(sys.modules)
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location("mutant_list", path)
        module = importlib.util.module_from_spec(spec)
        # dataclasses looks the module of a class up.
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
        for name in set(sys.modules) - before:
            if beside(sys.modules[name], path):
                del sys.modules[name]
    return module


def beside(module, path):
    file = getattr(module, "__file__", None)
    return file is not None and pathlib.Path(file).parent == path.parent


def wrong(root, lists):
    """What is out of date, a line each."""
    mutants = [m for some in lists.values() for m in some]
    names = collections.Counter(m.name for m in mutants)
    for name, count in names.items():
        if count > 1:
            yield f"{name}: {count} have this name"
    for mutant in mutants:
        try:
            mutation.changed(root, mutant.changes)
        except (mutation.Broken, OSError) as error:
            yield f"{mutant.name}: {error}"


def counted(lists):
    return ", ".join(f"{len(some)} {label}" for label, some in lists.items())


def check(root, path):
    """(whether the list is good, its name with the counts, what is wrong)."""
    name = str(path.relative_to(root))
    try:
        lists = load(path).LISTS
    except (AttributeError, ImportError, SyntaxError) as error:
        return False, name, str(error)
    found = list(wrong(root, lists))
    empty = [f"no {label}" for label, some in lists.items() if not some]
    text = "\n".join(found + empty)
    return not text, f"{name}: {counted(lists)}", text


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    paths = sorted((root / "tests").rglob("mutant_list.py"))
    tap = mutation.Tap(len(paths) + 1)
    tap.say(len(paths) > 0, "there are lists")
    for path in paths:
        tap.say(*check(root, path))
    return tap.failed != 0


if __name__ == "__main__":
    sys.exit(main())
