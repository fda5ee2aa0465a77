#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No shared word is read or written past atomic.h.

Words that hardware, another CPU or an interrupt handler can touch appear in
the sources of the library only as the operand of '&', on their way to a
vtdpi_atomic function; a pointer to one is never dereferenced. A plain access
would compile, and would be invisible to every test that gets between two
accesses.

usage: shared_words.py FILE...
"""

import re
import sys

# Members that are shared words themselves.
SCALARS = ('control', 'refs', 'claimed', 'online', 'scan', 'units',
           'here_left', 'away_left', 'random', 'stuck', 'flush_wb')
# Members that point to, or are arrays of, shared words.
ARRAYS = ('pir', 'reserved', 'leaf', 'summary', 'cookie', 'pages', 'pcpus',
          'apic_map', 'dirty', 'owners', 'leaves', 'hints', 'top', 'ring',
          'status', 'entries')
# Locals that point to shared words.
POINTERS = ('summary', 'word', 'seq', 'irr', 'at', 'refs')

MEMBER = re.compile(r'(?:->|\.)(%s)\b(?!\s*\()|(?:->|\.)(%s)\s*\['
                    % ('|'.join(SCALARS), '|'.join(ARRAYS)))
# '*p' that is no declaration and no product, and 'p[...]'.
DEREFERENCE = re.compile(r'(?<![\w*)\]] )(?<![\w*)\]])\*(%s)\b|(?<!&)'
                         r'(?<![\w>.])(%s)\['
                         % ('|'.join(POINTERS), '|'.join(POINTERS)))


def without_comments(text):
    def blank(match):
        return re.sub(r'[^\n]', ' ', match.group())
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\])*"', blank, text, flags=re.S)


def start_of(text, end):
    """Where the postfix expression that ends at text[end] begins."""
    i = end
    while i > 0:
        c = text[i - 1]
        if c in ')]':
            closing, depth = c, 0
            opening = '(' if c == ')' else '['
            while i > 0:
                i -= 1
                depth += (text[i] == closing) - (text[i] == opening)
                if depth == 0:
                    break
        elif c.isalnum() or c == '_' or c == '.' or text[i - 2:i] == '->':
            i -= 2 if c == '>' else 1
        else:
            break
    return i


def address_taken(text, begin):
    before = text[:begin].rstrip()
    return before.endswith('&') and not before.endswith('&&')


def offences(text):
    for match in MEMBER.finditer(text):
        begin = start_of(text, match.start())
        # A designator in an initialiser has nothing before its dot.
        if begin != match.start() and not address_taken(text, begin):
            yield match.start()
    for match in DEREFERENCE.finditer(text):
        yield match.start()


def main(files):
    found = 0
    for name in files:
        with open(name, encoding='utf-8') as source:
            text = without_comments(source.read())
        for at in offences(text):
            line = text.count('\n', 0, at) + 1
            print('%s:%d: %s' % (name, line, text.splitlines()[line - 1].strip()))
            found += 1
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
