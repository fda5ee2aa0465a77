# SPDX-License-Identifier: BSD-2-Clause
"""Make the site: the manual and the reference, with Doxygen.

usage: make.py DOXYGEN DOT DOXYFILE ROOT OUTPUT [PLAYGROUND.html] [STYLE]

OUTPUT/html is the site. PLAYGROUND.html is the page that docs/playground makes;
without it the pages have no link to the playground. STYLE is the folder of
doxygen-awesome-css; without it the site has Doxygen's own look.
"""

import glob
import os
import shutil
import subprocess
import sys

import contents

SCRIPTS = {
    "doxygen-awesome-darkmode-toggle.js": "DoxygenAwesomeDarkModeToggle.init()",
    "doxygen-awesome-fragment-copy-button.js": "DoxygenAwesomeFragmentCopyButton.init()",
    "doxygen-awesome-paragraph-link.js": "DoxygenAwesomeParagraphLink.init()",
    "doxygen-awesome-interactive-toc.js": "DoxygenAwesomeInteractiveToc.init()",
}
SHEETS = (
    "doxygen-awesome.css",
    "doxygen-awesome-sidebar-only.css",
    "doxygen-awesome-sidebar-only-darkmode-toggle.css",
)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def parts(root):
    """A page of the tree for each part of the manual, above the part's pages."""
    for title, pages in contents.parts(root):
        name = contents.slug(title)
        items = "\n".join(
            f'- @subpage {contents.page_id(path)} "{text}": {what}'
            for text, path, what in pages
        )
        yield f"/** @page part-{name} {title}\n{items}\n*/\n"


def groups(root):
    """A group of the reference for each group of layers."""
    for number, (title, what, _) in enumerate(contents.layers(root), 1):
        what = what[0].upper() + what[1:]
        yield f"/** @defgroup layers{number} {title}\n@brief {what}.\n*/\n"


def inputs(root, outline):
    """What Doxygen reads, in reading order."""
    yield outline
    yield os.path.join(root, contents.MANUAL)
    for _, pages in contents.parts(root):
        yield from (os.path.join(root, path) for _, path, _ in pages)
    for _, _, headers in contents.layers(root):
        yield from (os.path.join(root, "include/vtdpi", name) for name in headers)


def styled(doxygen, doxyfile, output, style):
    """Lines of configuration for doxygen-awesome-css, whose scripts go into the
    head of Doxygen's own template."""
    head = os.path.join(output, "header.html")
    subprocess.run(
        [doxygen, "-w", "html", head, os.path.join(output, "footer.html"),
         os.path.join(output, "template.css"), doxyfile],
        check=True, stdout=subprocess.DEVNULL,
    )
    with open(head, encoding="utf-8") as file:
        template = file.read()
    lines = "".join(
        f'<script type="text/javascript" src="$relpath^{name}"></script>\n'
        f'<script type="text/javascript">{call}</script>\n'
        for name, call in SCRIPTS.items()
    )
    write(head, template.replace("</head>", lines + "</head>", 1))
    own = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site.css")
    sheets = [os.path.join(style, name) for name in SHEETS] + [own]
    yield f"HTML_HEADER = {head}"
    yield f"HTML_EXTRA_STYLESHEET = {' '.join(sheets)}"
    for name in SCRIPTS:
        yield f"HTML_EXTRA_FILES += {os.path.join(style, name)}"


def pictures(dot, root, output):
    """The pictures of the pages: curves as they are, and what dot draws."""
    yield from glob.glob(os.path.join(root, "docs/plots/*.svg"))
    for path in glob.glob(os.path.join(root, "docs/*.dot")):
        drawn = os.path.join(output, os.path.basename(path)[:-4] + ".svg")
        subprocess.run([dot, "-Tsvg", path, "-o", drawn], check=True)
        yield drawn


def main():
    doxygen, dot, doxyfile, root, output, *rest = sys.argv[1:]
    played = [path for path in rest if path.endswith(".html")]
    style = [path for path in rest if os.path.isdir(path)]
    outline = os.path.join(output, "outline.dox")
    write(outline, "".join(parts(root)) + "".join(groups(root)))
    with open(doxyfile, encoding="utf-8") as file:
        lines = [file.read()]
    lines += [f"INPUT += {path}" for path in inputs(root, outline)]
    lines += [f"HTML_EXTRA_FILES += {path}" for path in pictures(dot, root, output)]
    lines += [f"HTML_EXTRA_FILES += {path}" for path in played]
    if style:
        lines += styled(doxygen, doxyfile, output, style[0])
    # For filter.py, which Doxygen starts.
    os.environ[contents.PLAYED] = "yes" if played else ""
    shutil.rmtree(os.path.join(output, "html"), ignore_errors=True)
    done = subprocess.run([doxygen, "-"], input="\n".join(lines) + "\n",
                          encoding="utf-8", check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
