# SPDX-License-Identifier: BSD-2-Clause
"""Small changes of C code, one at a time: what a tired programmer gets wrong.

flips(text) yields a Flip for each. They are found on tokens, so neither in comments
nor in strings. The sources are formatted by clang-format, so an operator with
a blank behind it is a binary one. A change may not compile: the compiler says so.
Left out: preprocessor directives but the values of #define, and what is asserted,
because an assertion judges the caller and not the library.
"""

import re
from typing import NamedTuple

TOKEN = re.compile(
    r"""(?P<skip>\s+|/\*.*?\*/|//[^\n]*)
      | (?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)
      | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<number>\b(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\b)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<operator>->|\+\+|--|<<=|>>=|<<|>>|[<>=!]=|&&|\|\||[-+*/%&|^]=|\.\.\.|.)
    """, re.VERBOSE | re.DOTALL | re.MULTILINE)

# Binary operators and what becomes of them.
BINARY = {
    "==": ("!=",), "!=": ("==",),
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
    "&&": ("||",), "||": ("&&",),
    "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("/",),
    "&": ("|",), "|": ("&",), "^": ("&",), "<<": (">>",), ">>": ("<<",),
    "+=": ("-=",), "-=": ("+=",), "|=": ("&=",), "&=": ("|=",),
    "<<=": (">>=",), ">>=": ("<<=",),
}
STEP = {"++": "--", "--": "++"}
# An order one step weaker, and relaxed ones one step stronger: the latter may only
# cost time, and nobody has to notice that.
ORDERS = {
    "vtdpi_atomic_load64": "vtdpi_atomic_load64_relaxed",
    "vtdpi_atomic_load64_acquire": "vtdpi_atomic_load64_relaxed",
    "vtdpi_atomic_store64_release": "vtdpi_atomic_store64_relaxed",
}
# What begins no statement of its own value.
NOT_A_STATEMENT = set(
    "auto bool case char const default do double else enum extern float for goto if "
    "inline int long register return short signed sizeof static struct switch "
    "typedef union unsigned void volatile while".split())
ASSERTS = {"VTDPI_ASSERT", "static_assert", "_Static_assert", "VTDPI_STATIC_ASSERT"}


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class Flip(NamedTuple):
    kind: str
    start: int
    end: int
    new: str

    def apply(self, text):
        return text[:self.start] + self.new + text[self.end:]


def tokens(text, offset=0):
    """Without blanks and comments; of a #define only its value."""
    found = []
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "directive":
            value = re.match(r"\s*#\s*define\s+\w+(?:\([^)]*\))?", match.group())
            if value:
                # Text behind the name, as tokens that follow no code.
                found.append(Token("gap", "", match.start() + offset,
                                   match.start() + offset))
                found += tokens(match.group()[value.end():].replace("\\\n", " \n"),
                                match.start() + value.end() + offset)
                found.append(Token("gap", "", match.end() + offset,
                                   match.end() + offset))
        elif kind != "skip":
            found.append(Token(kind, match.group(), match.start() + offset,
                               match.end() + offset))
    return found


def closing(found, at):
    """Index of the parenthesis that closes the one at @at."""
    depth = 0
    for index in range(at, len(found)):
        depth += (found[index].text == "(") - (found[index].text == ")")
        if depth == 0:
            return index
    return len(found) - 1


def without_asserts(found):
    index = 0
    while index < len(found):
        if found[index].text in ASSERTS and found[index + 1].text == "(":
            index = closing(found, index + 1) + 1
            continue
        yield found[index]
        index += 1


def operators(text, found):
    for before, token, after in zip(found, found[1:], found[2:]):
        binary = (before.kind in ("word", "number") or before.text in (")", "]")) \
            and before.text != "return" and text[token.end:token.end + 1].isspace()
        if token.kind != "operator":
            continue
        if token.text in BINARY and binary:
            for new in BINARY[token.text]:
                yield Flip("operator", token.start, token.end, new)
        elif token.text in STEP:
            yield Flip("operator", token.start, token.end, STEP[token.text])
        elif token.text in ("!", "~") or (token.text == "-" and not binary
                                          and after.kind == "number"):
            yield Flip("unary", token.start, token.end, "")


def constants(found):
    for token in found:
        if token.kind != "number":
            continue
        digits, suffix = re.match(r"(0[xX][0-9a-fA-F]+|\d+)(\w*)", token.text).groups()
        value = int(digits, 0) if digits[:1] != "0" or digits[1:2] in "xX" else int(digits, 8)
        for new in (value + 1, value - 1):
            if new >= 0:
                form = hex(new) if digits[:2] in ("0x", "0X") else str(new)
                yield Flip("constant", token.start, token.end, form + suffix)


def conditions(text, found):
    """if (A) -> if (!(A)), and A ? B : C likewise. Those of loops are left to their
    operators."""
    for index, token in enumerate(found[:-1]):
        if token.text == "if" and found[index + 1].text == "(":
            end = closing(found, index + 1)
            start = found[index + 1].start
            inner = text[start:found[end].end]
            yield Flip("condition", start, found[end].end, f"(!{inner})")


def orders(found):
    for token in found:
        if token.text in ORDERS:
            yield Flip("order", token.start, token.end, ORDERS[token.text])


def heads(found):
    """Indexes of tokens that begin a statement."""
    index = 0
    depth = 0
    begins = False
    while index < len(found):
        token = found[index]
        if token.text in "{}" and token.text:
            depth += 1 if token.text == "{" else -1
            begins = depth > 0
        elif begins and token.text in ("if", "for", "while", "switch") \
                and found[index + 1].text == "(":
            index = closing(found, index + 1)
        elif begins and token.text in ("else", "do"):
            pass
        elif begins and token.text in ("case", "default"):
            while found[index].text != ":":
                index += 1
        elif begins:
            yield index
            begins = False
        if not begins and token.text == ";":
            begins = depth > 0
        index += 1


def statements(found):
    """Assignments, calls, break and continue become empty."""
    for first in heads(found):
        token = found[first]
        if token.text in NOT_A_STATEMENT or token.kind == "string" \
                or found[first + 1].kind == "word":
            continue
        if token.text == "(" and found[first + 1].text == "void":
            continue
        for last in range(first, len(found)):
            if found[last].text in "{}:" and found[last].text:
                break
            if found[last].text == ";":
                if last > first:
                    yield Flip("statement", token.start, found[last].end, ";")
                break


def flips(text):
    found = list(without_asserts(tokens(text)))
    every = [*operators(text, found), *constants(found), *conditions(text, found),
             *orders(found), *statements(found)]
    return sorted(set(every), key=lambda flip: (flip.start, flip.end, flip.new))
