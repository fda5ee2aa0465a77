# SPDX-License-Identifier: BSD-2-Clause
"""Check that the words of the glossary are linked where a page first uses them.

usage: words.py FILE...

FILE is a page (Markdown) or a public header; run from the root of the tree. The
words are the headings "### word" below "## Glossary" in docs/architecture.md.
A heading with brackets is a word that is also plain English: the check leaves
such a word alone.

- Page: the first use of each word is in the text of a link to the word's entry.
  What stands in code, in a heading, in the head of a table, in a link to
  elsewhere, in quotes, or in a part that another program writes (between
  "<!-- name -->" and "<!-- end of name -->") does not count as a use.
- Header: a @file comment that uses a word names docs/architecture.md.
- A link to a heading of a page: the page has the heading.

A word counts as a whole, with or without a plural s, and with a capital first
letter, too. Of two words that fit, the longer one counts. Prints what is
missing.
"""

import os
import re
import sys

GLOSSARY = "docs/architecture.md"
WRITTEN = re.compile(r"<!-- (\w+) -->.*?<!-- end of \1 -->", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
TABLE_HEAD = re.compile(r"^\|[^\n]*\|\n(?=\|[ :|-]+\|$)", re.MULTILINE)
HEADING = re.compile(r"^#+ [^\n]*$", re.MULTILINE)
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4}[^\n]*\n)+", re.MULTILINE)
SPAN = re.compile(r"`[^`]+`")
QUOTE = re.compile(r'"[^"\n]*(?:\n[^"\n]+)?"')
LINK = re.compile(r"!?\[(?P<text>[^\]]*)\]\((?P<to>[^)\s]*)\)")
NO_TEXT = (WRITTEN, COMMENT, FENCE, TABLE_HEAD, HEADING, INDENTED, SPAN)
FILE_COMMENT = re.compile(r"/\*\*(?:(?!\*/).)*?@file\b.*?\*/", re.DOTALL)
CODE_BLOCK = re.compile(r"@code.*?@endcode", re.DOTALL)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def glossary():
    """The words without brackets, each with the anchor of its entry."""
    part = read(GLOSSARY).partition("\n## Glossary\n")[2]
    words = re.findall(r"^### ([^(\n]+)$", part, re.MULTILINE)
    return {word: word.lower().replace(" ", "-") for word in words}


def matcher(words):
    """A pattern for any of the words; its group n is the n-th longest one."""
    longest = sorted(words, key=lambda word: (-len(word), word))
    one = [
        f"(?i:{re.escape(word[0])})"
        + re.escape(word[1:]).replace(r"\ ", r"\s+")
        for word in longest
    ]
    pattern = "|".join(f"({word})" for word in one)
    whole = rf"(?<![\w/.-])(?:{pattern})s?(?![\w/-]|\.[a-z])"
    return longest, re.compile(whole)


def blanked(text, *patterns):
    """The text, of the same length, with blanks for what the patterns find."""
    for pattern in patterns:
        text = pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
    return text


def uses(page, words):
    """Yield (word, place, where its link goes or None) for each use."""
    longest, pattern = matcher(words)
    text = blanked(read(page), *NO_TEXT)
    links = [(*m.span("text"), m["to"]) for m in LINK.finditer(text)]
    plain = blanked(text, QUOTE)
    for match in pattern.finditer(plain):
        inside = [to for first, end, to in links if first <= match.start() < end]
        target = inside[0] if inside else None
        if inside and GLOSSARY not in resolved(page, target):
            continue
        yield longest[match.lastindex - 1], match.start(), target


def resolved(page, target):
    return os.path.normpath(os.path.join(os.path.dirname(page), target))


def unlinked(page, words):
    """The words whose first use in the page has no link to its entry."""
    seen = set()
    for word, place, target in uses(page, words):
        if word in seen:
            continue
        seen.add(word)
        entry = f"{GLOSSARY}#{words[word]}"
        if target is None or resolved(page, target) != entry:
            line = read(page)[:place].count("\n") + 1
            yield f"{page}:{line}: '{word}' is not linked to {entry}"


def anchors(page):
    """The anchors that a page's headings have."""
    for heading in re.findall(r"^#+ ([^\n]+)$", read(page), re.MULTILINE):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def dead(page):
    """Links to a heading that is not there."""
    text = blanked(read(page), FENCE, INDENTED, SPAN)
    for to in LINK.findall(text):
        path, mark, anchor = to[1].partition("#")
        path = resolved(page, path) if path else page
        if mark and os.path.exists(path) and anchor not in anchors(path):
            yield f"{page}: no heading for {to[1]}"


def unnamed(header, words):
    """Whether the @file comment uses a word and does not name the glossary."""
    found = FILE_COMMENT.search(read(header))
    text = blanked(found.group() if found else "", CODE_BLOCK)
    used = matcher(words)[1].search(text)
    if used and GLOSSARY not in text:
        yield f"{header}: says '{used.group()}' and does not name {GLOSSARY}"


def main():
    words = glossary()
    if not words:
        print(f"{GLOSSARY} has no glossary")
    for path in sys.argv[1:]:
        found = []
        if path.endswith(".h"):
            found += unnamed(path, words)
        elif path.endswith(".md"):
            found += dead(path)
            found += unlinked(path, words) if path != GLOSSARY else []
        print(*found, sep="\n", end="\n" if found else "")


if __name__ == "__main__":
    main()
