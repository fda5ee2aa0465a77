# SPDX-License-Identifier: BSD-2-Clause
"""Check the links of the site, and that its text is text.

usage: site.py HTML ROOT

HTML is the folder that docs/site/make.py made from the tree ROOT.

- Each link of a page, of the tree and of the search leads to a file, and to an
  anchor in that file. Links to other sites are not followed.
- No mark-up stands in the text of a page: Doxygen has misread the source then.
- Each page of the manual and each public header is there.

Prints what is not so.
"""

import glob
import html.parser
import os
import re
import sys
import urllib.parse

ELSEWHERE = re.compile(r"[a-z]+:|//")
SCRIPTED = re.compile(r"""["']((?:\.\./)?[\w.-]+\.html(?:#\w[\w-]*)?)["']""")
MARKUP = re.compile(
    r"</?(?:strong|em|b|p|ul|li|code|table|td|th|tr)(?: [a-z]+=|/?>)"
    r"|\]\([\w./#-]+\)|\]\(@ref|@(?:ref|subpage|ingroup|picture)\b"
)


class Reader(html.parser.HTMLParser):
    """The links, anchors and text of one page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.words, self.code = [], set(), [], 0
        with open(path, encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src", "data") and value is not None:
                self.links.append(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value)
        if tag in ("script", "style", "code", "pre") or self.is_fragment(tag, attrs):
            self.code += 1
        elif self.code and tag == "div":
            self.code += 1

    def is_fragment(self, tag, attrs):
        return tag == "div" and ("class", "fragment") in attrs

    def handle_endtag(self, tag):
        if self.code and tag in ("script", "style", "code", "pre", "div"):
            self.code -= 1

    def handle_data(self, data):
        if not self.code:
            self.words.append(data)


class Site:
    def __init__(self, folder):
        self.folder = folder
        paths = glob.glob(os.path.join(folder, "**/*.html"), recursive=True)
        self.pages = {os.path.relpath(path, folder): Reader(path) for path in paths}

    def broken(self, page, link):
        """What is wrong with a link of a page, or None."""
        if ELSEWHERE.match(link) or link.startswith("javascript"):
            return None
        path, _, anchor = link.partition("#")
        path = urllib.parse.unquote(path.partition("?")[0])
        target = os.path.normpath(os.path.join(os.path.dirname(page), path))
        target = target if path else page
        if not os.path.exists(os.path.join(self.folder, target)):
            return f"{page}: no file {link}"
        there = self.pages.get(target)
        if anchor and there and urllib.parse.unquote(anchor) not in there.anchors:
            return f"{page}: no anchor {link}"
        return None

    def links(self):
        """Yield (page, link): of the pages, then of the scripts."""
        for page, reader in self.pages.items():
            for link in reader.links:
                yield page, link
        scripts = glob.glob(os.path.join(self.folder, "*.js"))
        scripts += glob.glob(os.path.join(self.folder, "search/*_*.js"))
        for path in scripts:
            name = os.path.relpath(path, self.folder)
            with open(path, encoding="utf-8") as file:
                for link in SCRIPTED.findall(file.read()):
                    yield name, link

    def misread(self):
        for page, reader in self.pages.items():
            if page.endswith("_source.html"):
                continue
            found = MARKUP.search("".join(reader.words))
            if found:
                yield f"{page}: {found.group()!r} in the text"


def absent(site, root):
    """Pages and headers that should be there."""
    sys.path.insert(0, os.path.join(root, "docs/site"))
    import contents

    names = [contents.page_id(path) + ".html"
             for _, pages in contents.parts(root) for _, path, _ in pages]
    names += [os.path.basename(path).replace(".h", "_8h.html")
              for path in glob.glob(os.path.join(root, "include/vtdpi/*.h"))
              if not path.endswith("explore_kernel.h")]  # see Doxyfile.in
    for name in ["index.html", *names]:
        if name not in site.pages:
            yield f"{name} is not in the site"


def main():
    folder, root = sys.argv[1:]
    site = Site(folder)
    found = list(absent(site, root))
    links = list(site.links())
    if len(links) < len(site.pages):
        found.append("hardly any link was found")
    found += {text for text in (site.broken(*link) for link in links) if text}
    found += site.misread()
    print(*sorted(found), sep="\n", end="\n" if found else "")


main()
