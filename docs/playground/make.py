# SPDX-License-Identifier: BSD-2-Clause
"""Make the playground: one page with its module, scripts and style in it.

usage: make.py MODULE PAGE OUTPUT SCRIPT...

MODULE is the WebAssembly, PAGE the page with @MODULE@, @SIZE@, @STYLE@ and @SCRIPT@
in it; the style is playground.css beside the page.
"""

import base64
import os
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    module, page, output, *scripts = sys.argv[1:]
    with open(module, "rb") as file:
        code = file.read()
    style = os.path.join(os.path.dirname(page), "playground.css")
    text = read(page)
    for name, part in (
        ("STYLE", read(style).strip()),
        ("SIZE", str(len(code))),
        ("MODULE", base64.b64encode(code).decode()),
        ("SCRIPT", "\n".join(read(path).strip() for path in scripts)),
    ):
        text = text.replace(f"@{name}@", part)
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"the playground's module: {len(code)} bytes; the page: {len(text)} bytes")


main()
