#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Check: contracts, links and names in the pages, the picture.
. "$ROOT/tests/check/lib.sh"

# Relative links of the Markdown files whose target does not exist.
dead_links() {
    tree | grep '\.md$' | while read -r page; do
        grep -oE '\]\([^)#: ]+' "$page" | sed 's/^](//' | while read -r link; do
            [ -e "$(dirname "$page")/$link" ] || echo "$page: $link"
        done
    done
}

# shellcheck disable=SC2046 # a list of files
contracts() {
    python3 tests/check/contracts.py $(sources include)
}

# What the pages name and the tree does not have.
# shellcheck disable=SC2046 # a list of files
unknown_names() {
    python3 tests/check/mentions.py $(tree | grep -E '\.(md|dot)$')
}

# Words of the glossary without a link where a page first uses them.
# shellcheck disable=SC2046 # a list of files
unlinked_words() {
    python3 -B tests/check/words.py README.md docs/*.md $(sources include)
}

# Pages that are in no part of the manual, headers in no group.
# shellcheck disable=SC2046 # a list of files
unlisted() {
    python3 -B tests/check/manual.py $(tree | grep '\.md$')
}

# Figures that stand twice and differ, and counts of what a list has.
# shellcheck disable=SC2046 # a list of files
figures() {
    python3 -B tests/check/figures.py $(tree | grep '\.md$')
}

# Parts of the specification that a header names and the map has not.
# shellcheck disable=SC2046 # a list of files
unmapped() {
    python3 -B tests/check/spec_map.py $(sources include)
}

# What is wrong with the pictures of sched.h and unit.h: dot may complain with
# status 0. What a machine says of its fonts does not count.
picture() {
    for name in sched-states unit-states; do
        rm -f "$OUT/$name.svg"
        dot -Tsvg "docs/$name.dot" -o "$OUT/$name.svg" 2>&1 |
            grep -E '^(Error|Warning)'
        [ -s "$OUT/$name.svg" ] || echo "no picture of $name"
    done
}

# What a reader of man is warned of.
man_page() {
    mandoc -T lint -W warning docs/libvtdpi.3
    command -v man >/dev/null &&
        { LC_ALL=C.UTF-8 man --warnings -l docs/libvtdpi.3 >/dev/null; } 2>&1
}

# Headers that the overview does not name, and the other way round.
# shellcheck disable=SC2012 # names of ours
man_headers() {
    sed -n 's,^\.In \(vtdpi/[a-z_0-9]*\.h\).*,\1,p' docs/libvtdpi.3 | sort -u \
        >"$OUT/man-headers"
    (cd include && ls vtdpi/*.h) | sort | diff "$OUT/man-headers" -
}

none 'no dead link' dead_links
need 'the man page has no warning' mandoc &&
    none 'the man page has no warning' man_page
none 'the man page names all headers' man_headers
need 'every function states its contract' python3 &&
    none 'every function states its contract' contracts
need 'what pages mention exists' python3 &&
    none 'what pages mention exists' unknown_names
need 'words of our own lead to the glossary' python3 &&
    none 'words of our own lead to the glossary' unlinked_words
need 'figures that stand twice agree' python3 &&
    none 'figures that stand twice agree' figures
need 'the table of layers is true' python3 &&
    none 'the table of layers is true' python3 -B tests/check/layers.py
need 'the manual has every page' python3 &&
    none 'the manual has every page' unlisted
need 'the map has each part of the specification' python3 &&
    none 'the map has each part of the specification' unmapped
need 'troubleshooting has every code' python3 &&
    none 'troubleshooting has every code' python3 -B tests/check/troubleshooting.py
need 'the state diagrams are drawn' dot &&
    none 'the state diagrams are drawn' picture
