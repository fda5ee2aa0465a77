# SPDX-License-Identifier: BSD-2-Clause
"""What the site has, in reading order, as two pages say it.

- Parts and their pages: the sections of docs/manual.md and the links in them.
- Layers and their headers: the table below "## Layers" in docs/architecture.md.
  A row whose first cell is bold opens a group; the rows after it have the group's
  headers.
"""

import os
import re

MANUAL = "docs/manual.md"
LAYERS = "docs/architecture.md"
# What pages link to link the playground; its name in the site; the variable that
# tells filter.py whether the site has the playground.
PLAYGROUND, PLAY, PLAYED = "docs/playground/page.html", "play.html", "VTDPI_PLAYED"
ITEM = re.compile(r"^- \[([^\]]+)\]\(([^)\s#]+\.md)\): ((?:.+\n)(?:  .+\n)*)",
                  re.MULTILINE)
HEADER = re.compile(r"\[([a-z_]+\.h)\]\(")


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def page_id(path):
    """The name of a page's file in the site: docs/live-update.md is live-update.
    SECURITY.md is project-security, since docs/security.md has the short name."""
    name = re.sub(r"^docs/|\.md$", "", path).replace("/", "-").lower()
    return name if "/" in path or path == "README.md" else f"project-{name}"


def slug(heading):
    """The anchor that a heading has within its page."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def resolved(page, target):
    """The path, from the root of the tree, of what a page links."""
    return os.path.normpath(os.path.join(os.path.dirname(page), target))


def parts(root):
    """Yield each part of the manual: its title, and (title, path, what it is) of
    its pages."""
    sections = re.split(r"^## (.*)\n", read(root, MANUAL), flags=re.MULTILINE)[1:]
    for title, text in zip(sections[::2], sections[1::2]):
        yield title, [
            (name, resolved(MANUAL, path), " ".join(what.split()))
            for name, path, what in ITEM.findall(text)
        ]


def layers(root):
    """Yield each group of layers: its title, what it is, and its headers."""
    table = read(root, LAYERS).partition("\n## Layers\n")[2].partition("\n## ")[0]
    groups = re.split(r"^\| \*\*(.*?)\*\* \| (.*?) \|.*\n", table,
                      flags=re.MULTILINE)[1:]
    for title, what, rows in zip(groups[::3], groups[1::3], groups[2::3]):
        headers = HEADER.findall(what)
        for row in re.findall(r"^\| (\[.*)$", rows, re.MULTILINE):
            headers += HEADER.findall(row.split(" | ")[0])
        yield title, re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", what), headers
