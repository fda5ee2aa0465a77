# SPDX-License-Identifier: BSD-2-Clause
"""Doxygen's filter: what a page or a public header looks like to Doxygen.

usage: filter.py ROOT FILE

Prints FILE, in which

- each heading of a page has an anchor that stays (page-heading), the title has a
  table of contents below it, and links lead to pages and headings of the site,
  and to the playground; what has no page there becomes plain text;
- the headings of docs/manual.md are the parts of the tree;
- a header is in the group of its layer; members below "private:" are hidden; the
  names of pages are links;
- a picture of dot is there as text, too.
"""

import html
import os
import re
import sys

import contents

LINK = re.compile(r"(!?)\[((?:[^\]`]|`[^`]*`)*)\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#+) +(.*?)\s*$")
PRIVATE = re.compile(r"/\* private:.*?^};", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"@picture\{([\w-]+\.dot),([^}]*)\}")
PAGE = re.compile(r"\bdocs/[a-z-]+\.md")
NODE = re.compile(
    r"^    (\w+) \[(?:[^\]<\"]*\b)?label = (<(?:[^<>]|<[^<>]*>)*>|\"[^\"]*\")",
    re.MULTILINE,
)
ARROW = re.compile(r"^    (\w+) -> (\w+)(?: \[label = \"([^\"]*)\")?", re.MULTILINE)
PAGES = ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY", "docs/", "examples/",
         "tests/")


def picture(name, caption):
    """A picture beside the pages, no wider than the text."""
    caption = html.escape(caption)
    return (f'@htmlonly <div class="picture"><a href="{name}"><img src="{name}" '
            f'alt="{caption}"/></a><p>{caption}</p></div> @endhtmlonly')


class Page:
    """One Markdown file on its way into the site."""

    def __init__(self, root, path):
        self.root = root
        self.path = path
        self.name = contents.page_id(path)
        self.seen = {}

    def link(self, match):
        image, text, target = match.groups()
        text = re.sub(r"\s+", " ", text)
        if image:
            return picture(os.path.basename(target), text)
        if re.match(r"[a-z]+:", target):
            return match.group()
        path, _, anchor = target.partition("#")
        path = contents.resolved(self.path, path) if path else self.path
        if path.endswith(".md") and path.startswith(PAGES):
            to = contents.page_id(path) if path != contents.MANUAL else "index"
            return f"[{text}](@ref {to}{'-' + anchor if anchor else ''})"
        if path == contents.PLAYGROUND and os.environ.get(contents.PLAYED):
            return f'<a href="{contents.PLAY}">{text}</a>'
        return text

    def heading(self, match):
        level, text = match.groups()
        anchor = contents.slug(text)
        count = self.seen.get(anchor, 0)
        self.seen[anchor] = count + 1
        if count:
            anchor += f"-{count}"
        if level == "#":
            return f"# {text} {{#{self.name}}}\n\n@tableofcontents{{html:3}}\n"
        return f"{level} {text} {{#{self.name}-{anchor}}}"

    def line(self, line):
        match = HEADING.match(line)
        return self.heading(match) if match else line

    def text(self):
        out, prose, fenced = [], [], False

        def flush():
            out.append(LINK.sub(self.link, "\n".join(prose)))
            prose.clear()

        for line in contents.read(self.root, self.path).split("\n"):
            if line.startswith("```"):
                fenced = not fenced
            elif not fenced and not line.startswith("    "):
                prose.append(self.line(line))
                continue
            if prose:
                flush()
            out.append(line)
        flush()
        return "\n".join(out)


class Manual(Page):
    """The first page, whose headings are the parts of the tree."""

    def heading(self, match):
        level, text = match.groups()
        if level == "#":
            # Only with the name of the project are the parts in the tree.
            return "# libvtdpi\n"
        part = contents.slug(text)
        return f'**@subpage part-{part} "{text}"**'


def plain(label):
    """A label of dot as one line of text."""
    if label.startswith("<"):
        label = re.sub(r"</tr>", "; ", label)
        label = html.unescape(re.sub(r"<[^<>]*>", " ", label[1:-1]))
    else:
        label = label.strip('"').replace("\\l", "; ").replace("\\n", "; ")
    label = re.sub(r"\s+", " ", label)
    label = re.sub(r"(?:\s*;)+\s*", "; ", label).strip("; ")
    return re.sub(r"([,:]); | ; ", r"\1 ", label.replace("; (", " ("))


def described(root, name):
    """The nodes and arrows of a picture as two lists."""
    dot = contents.read(root, os.path.join("docs", name))
    nodes = {node: plain(label) for node, label in NODE.findall(dot)}
    short = {
        node: re.match(r"[\w ]*", text)[0].strip() for node, text in nodes.items()
    }
    lines = list(nodes.values())
    for tail, head, label in ARROW.findall(dot):
        text = f"{short.get(tail, tail)} \u2192 {short.get(head, head)}"
        lines.append(text + (f": {plain(label)}" if label else ""))
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return ("@htmlonly <details><summary>The picture as text</summary><ul>"
            f"{items}</ul></details> @endhtmlonly")


def drawing(root, name, caption):
    """A picture of dot: drawn if dot is there, and as text."""
    svg = name.replace(".dot", ".svg")
    return picture(svg, caption) + " " + described(root, name)


def hidden(match):
    return f"/** @cond */ {match.group()[:-2]}/** @endcond */ }};"


def page_link(match):
    return f'@ref {contents.page_id(match.group())} "{match.group()}"'


def header(root, path):
    text = contents.read(root, path)
    name = os.path.basename(path)
    for number, (_, _, headers) in enumerate(contents.layers(root), 1):
        if name in headers:
            text = text.replace(
                "/**\n * @file", f"/** @ingroup layers{number}\n * @file", 1)
    text = PRIVATE.sub(hidden, text)
    text = PICTURE.sub(lambda m: drawing(root, m[1], m[2]), text)
    return PAGE.sub(page_link, text)


def main():
    root, path = sys.argv[1:]
    path = os.path.relpath(path, root)
    if path.endswith(".h"):
        text = header(root, path)
    elif path == contents.MANUAL:
        text = Manual(root, path).text()
    else:
        text = Page(root, path).text()
    sys.stdout.buffer.write(text.encode())


if __name__ == "__main__":
    main()
