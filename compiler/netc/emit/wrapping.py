"""Lines of Python that are too long, broken as `ruff format` breaks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

WIDTH = 88
INDENT = "    "
OPENING, CLOSING = "([{", (")", "]", "}")
# Where a bracket's content is broken when it has no commas, loosest first.
OPERATORS = (
    (" if ", " else "),
    (" or ",),
    (" and ",),
    (" + ", " - "),
    (" * ", " / ", " // ", " % "),
)


def layout(lines: list[str]) -> list[str]:
    """Breaks every line that is wider than WIDTH."""
    return [piece for line in lines for piece in fold(line)]


def fold(line: str) -> list[str]:
    """One logical line as one or more physical ones."""
    if len(line) <= WIDTH or line.lstrip().startswith(("#", '"""')):
        return [line]
    text = line.lstrip()
    indent = line[: len(line) - len(text)]
    pair = breaking(text, WIDTH - len(indent))
    if pair is None or needs_parentheses(text):
        return parenthesised(indent, text)
    start, end = pair
    head, body, tail = text[: start + 1], text[start + 1 : end].strip(), text[end:]
    if len(indent + head) > WIDTH:
        return [line]
    alone = body.endswith(",")  # a tuple of one
    body = body.removesuffix(",")
    several = len(split(body, (", ",))) > 1 and not is_comprehension(body)
    listed = alone or (several and head[-2:-1] in ("", " ", "(", "[", "{", "*", "="))
    inner = indent + INDENT
    lines = [p for part in split(body, (", ",)) for p in entry(inner, part)] if listed else inside(inner, body)
    return [indent + head, *lines, *fold(indent + tail)]


def inside(indent: str, body: str) -> list[str]:
    """The content of a bracket: on one line if it fits, else one entry a line."""
    if len(indent + body) <= WIDTH:
        return [indent + body]
    entries = split(body, (", ",))
    if is_comprehension(body):
        element, clause = split(body, (" for ",), keep=True)
        parts = [element, *split(clause, (" if ",), keep=True)]
        return [piece for part in parts for piece in fold(indent + part)]
    if len(entries) > 1:
        return [piece for part in entries for piece in entry(indent, part)]
    broken = operands(indent, body)
    if broken is not None:
        return broken
    if body.endswith(CLOSING) and not body.startswith("*"):
        return list(fold(f"{indent}{body}"))
    return fold(indent + body)


def is_comprehension(body: str) -> bool:
    """Whether what stands in a bracket is `element for name in items`."""
    parts = split(body, (" for ",))
    return len(parts) == 2 and len(split(parts[0], (", ",))) == 1


def entry(indent: str, body: str) -> list[str]:
    """One entry of several: broken at its operators before it is broken in its brackets."""
    if len(indent + body) + 1 <= WIDTH or body.startswith("*"):
        return fold(f"{indent}{body},")
    broken = operands(indent, body)
    return fold(f"{indent}{body},") if broken is None else [*broken[:-1], broken[-1] + ","]


def operands(indent: str, body: str) -> list[str] | None:
    """An expression broken before each of its loosest operators; None where it has none outside brackets."""
    for operators in OPERATORS:
        parts = split(body, operators, keep=True)
        if len(parts) > 1:
            return [piece for part in parts for piece in fold(indent + part)]
    return None


def needs_parentheses(text: str) -> bool:
    """Whether a right side has several operators at its top level, or one and no bracket behind it to break in."""
    found = re.match(r"[\w.\[\]]+(: [^=]+)? = |return ", text)
    if found is None:
        return False
    body = text[found.end() :]
    for operators in OPERATORS:
        count = len(split(body, operators)) - 1
        if count:
            return count > 1 or not body.endswith(CLOSING)
    return False


def parenthesised(indent: str, text: str) -> list[str]:
    """A long right side without brackets goes into parentheses of its own."""
    for sign in (" = ", "return "):
        if sign in text:
            head, _, body = text.partition(sign)
            return [f"{indent}{head}{sign.rstrip()} (", *inside(indent + INDENT, body), f"{indent})"]
    return [indent + text]


def breaking(text: str, width: int) -> tuple[int, int] | None:
    """The bracket at the top level to break a line in: of a function's head its parameters, else the last with content.

    An earlier one is broken where what stands before the bracket behind it is too long by itself.
    """
    if text.startswith("def "):
        return next(brackets(text))
    found = [pair for pair in brackets(text) if text[pair[0] + 1 : pair[1]].strip()]
    early = (pair for pair, behind in pairwise(found) if behind[0] + 1 > width)
    return next(early, found[-1] if found else None)


def brackets(text: str) -> Iterator[tuple[int, int]]:
    """The top-level brackets, as offsets of the two characters."""
    depth, start = 0, 0
    for index in code_offsets(text):
        if text[index] in OPENING:
            if depth == 0:
                start = index
            depth += 1
        elif text[index] in CLOSING:
            depth -= 1
            if depth == 0:
                yield start, index


def split(text: str, separators: tuple[str, ...], keep: bool = False) -> list[str]:
    """Splits at separators at the top level; `keep` leaves the operator at the start of what follows it."""
    parts, depth, last = [], 0, 0
    for index in code_offsets(text):
        if text[index] in OPENING:
            depth += 1
        elif text[index] in CLOSING:
            depth -= 1
        elif depth == 0 and index >= last:
            found = next((s for s in separators if text.startswith(s, index)), None)
            if found is not None:
                parts.append(text[last:index])
                last = index + (1 if keep else len(found))
    return [*parts, text[last:]]


def code_offsets(text: str) -> Iterator[int]:
    """The offsets outside string literals."""
    quote = ""
    for index, char in enumerate(text):
        if quote:
            if char == quote and text[index - 1] != "\\":
                quote = ""
        elif char in "\"'":
            quote = char
        else:
            yield index
