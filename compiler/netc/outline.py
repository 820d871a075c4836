"""A syntax tree as an indented outline: a line for each node and value, with the line and column it starts at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from netc.diagnostics import Span


def outline(node: Any) -> str:
    """The text of the outline, one line a node."""
    return "\n".join(_lines("", node, 0))


def _lines(name: str, value: Any, depth: int) -> Iterator[str]:
    head = "  " * depth + (f"{name}: " if name else "")
    if isinstance(value, tuple | list):
        if value and any(is_dataclass(item) for item in value):
            yield head.rstrip()
            for item in value:
                yield from _lines("-", item, depth + 1) if not is_dataclass(item) else _lines("", item, depth + 1)
        elif value:
            yield head + ", ".join(map(repr, value))
    elif is_dataclass(value):
        span = getattr(value, "span", None)
        where = f" {span.line}:{span.column}" if isinstance(span, Span) else ""
        yield f"{head}{type(value).__name__.rstrip('_')}{where}"
        for field in fields(value):
            if not field.name.endswith("span"):
                yield from _lines(field.name, getattr(value, field.name), depth + 1)
    elif value is not None:
        yield head + repr(value)
