# SPDX-License-Identifier: BSD-2-Clause
"""Check that docs/manual.md has each page and docs/architecture.md each header.

usage: manual.py PAGE...

Run from the root of the tree. Each PAGE of docs/ and examples/ is in one part of
the manual; no two pages have one name in the site; each public header is in one
group of layers. Prints what is not so.
"""

import glob
import os
import sys

sys.path.insert(0, "docs/site")
import contents  # noqa: E402


def wrong(listed, there, what):
    for name in sorted(set(there) | set(listed)):
        if name not in there:
            yield f"{what}: {name} does not exist"
        elif listed.count(name) != 1:
            yield f"{what}: {name} is there {listed.count(name)} times"


def main():
    pages = [path for path in sys.argv[1:]
             if path.startswith(("docs/", "examples/")) and path != contents.MANUAL]
    listed = [path for _, part in contents.parts(".") for _, path, _ in part]
    others = [path for path in listed if not path.startswith(("docs/", "examples/"))]
    found = list(wrong(listed, pages + [p for p in others if os.path.exists(p)],
                       contents.MANUAL))
    names = [contents.page_id(path) for path in listed]
    found += [f"{contents.MANUAL}: {name} is the name of several pages"
              for name in sorted(set(names)) if names.count(name) > 1]
    headers = [os.path.basename(path) for path in glob.glob("include/vtdpi/*.h")]
    grouped = [name for _, _, names in contents.layers(".") for name in names]
    found += wrong(grouped, headers, contents.LAYERS)
    print(*found, sep="\n", end="\n" if found else "")


main()
