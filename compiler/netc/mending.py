"""Fixes that need to know what stands around a place in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from netc.message import Fix, Span, replace

_END = re.compile(r"[ \t]*(?:[;#\r\n]|$)")


def prefixed(span: Span, text: str) -> Fix | None:
    """The likely fix that writes a label before a statement; None for an expression inside of one."""
    return replace(Span(span.source, span.start, span.start), text) if is_statement(span) else None


def preceded(span: Span, step: str) -> Fix | None:
    """The likely fix that puts a step of its own before the statement of an expression; None inside a longer one.

    The step gets a line of its own, and stands on the same line where another step does.
    """
    start = statement_start(span)
    if start is None or not _END.match(span.source.text, span.end):
        return None
    before = line_before(span.source.text, start)
    end = span.source.text.find("\n", span.end)
    line_end = "\r\n" if span.source.text[:end].endswith("\r") and end >= 0 else "\n"
    gap = f"{line_end}{before}" if before.isspace() else "; "
    return replace(Span(span.source, start, start), f"{step}{gap}")


def respelled(span: Span, name: str, other: str) -> Fix | None:
    """The likely fix that writes another name for one inside of a span."""
    found = re.search(rf"\b{re.escape(name)}\b", span.text)
    if found is None:
        return None
    return replace(Span(span.source, span.start + found.start(), span.start + found.end()), other)


def without(name: Span, items: Sequence[Span], index: int) -> Fix | None:
    """The likely fix that takes one of several items in brackets behind a name away, with its comma."""
    item, source = items[index], items[index].source
    if len(items) > 1:
        start, end = (items[index - 1].end, item.end) if index else (item.start, items[1].start)
        return replace(Span(source, start, end), "")
    closing = re.compile(r"\s*,?\s*\)").match(source.text, item.end)
    opening = source.text[name.end : item.start].strip()
    return replace(Span(source, name.end, closing.end()), "") if closing and opening == "(" else None


def without_first(items: Sequence[Span]) -> Fix | None:
    """The likely fix that takes the first of several arguments away, with its comma."""
    first, source = items[0], items[0].source
    between = source.text[first.end : items[1].start] if len(items) > 1 and items[1].source is source else ""
    if between.strip() == ",":
        return replace(Span(source, first.start, items[1].start), "")
    closing = re.compile(r"\s*,?\s*\)").match(source.text, first.end)
    return replace(Span(source, first.start, closing.end() - 1), "") if closing else None


def without_argument(call: Span, items: Sequence[Span], place: Span) -> Fix | None:
    """The likely fix that takes one of the arguments of a call away; None where it is not written there."""
    inside = [item for item in items if item.source is call.source and call.start <= item.start < call.end]
    if place not in inside or len(inside) != len(items) or "(" not in call.text:
        return None
    return without(Span(call.source, call.start, call.start + call.text.index("(")), inside, inside.index(place))


def without_step(span: Span) -> Fix | None:
    """The likely fix that takes the last stage of a chain away, or a whole statement; None for another expression."""
    source, text = span.source, span.source.text
    before = line_before(text, span.start)
    if not _END.match(text, span.end):
        return None
    if found := re.search(r"[ \t]*(?:->|;)[ \t]*$", before):
        return replace(Span(source, span.start - len(found[0]), span.end), "")
    end = text.find("\n", span.end)
    alone = before.isspace() and end >= 0 and not text[span.end : end].strip()
    return replace(Span(source, span.start - len(before), end + 1), "") if alone else None


def is_statement(span: Span) -> bool:
    """Whether an expression is all of its statement."""
    return statement_start(span, label=False) == span.start and _END.match(span.source.text, span.end) is not None


def statement_start(span: Span, *, label: bool = True) -> int | None:
    """Where the statement begins that an expression, perhaps with a label, begins; None if it does not begin one."""
    before = line_before(span.source.text, span.start)
    found = re.search(r"(?:^[ \t]+|;[ \t]*)((?:\w+:[ \t]*)?)$" if label else r"(?:^[ \t]+|;[ \t]*)()$", before)
    return None if found is None else span.start - len(found[1])


def line_before(text: str, offset: int) -> str:
    """What stands on the line before an offset."""
    return text[text.rfind("\n", 0, offset) + 1 : offset]
