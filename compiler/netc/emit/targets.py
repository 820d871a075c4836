"""Targets of loops and assignments as Python writes them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from netc import syntax
from netc.emit.wrapping import brackets, split
from netc.naming import python_name

STRING = re.compile(r'f?"[^"]*"')


def render_target(target: syntax.Target, read: Collection[str] | None = None) -> str:
    """`i, (b, c)`; a name that is not in `read` becomes `_`."""
    if target.name is not None:
        return python_name(target.name) if read is None or target.name in read else "_"
    return ", ".join(
        render_target(t, read) if t.name is not None else f"({render_target(t, read)})" for t in target.items
    )


def render_loop(target: syntax.Target, iterable: str, body: Sequence[str]) -> str:
    """`i, (b, _) in enumerate(items)`: only the names that the body reads, and only the counting that it needs."""
    read = names_read(body)
    items = target.items
    if (
        len(items) == 2
        and iterable.startswith("enumerate(")
        and closes_last(iterable)
        and ", " not in top(iterable[10:-1])
    ):
        inner = iterable[10:-1]
        if items[0].name is not None and items[0].name not in read:
            return f"{render_target(items[1], read)} in {inner}"
        if not read & set(items[1].names):
            inner = counting(inner)
            counted = inner.startswith(("[", "(")) and closes_last(inner) and "*" not in inner and " for " not in inner
            count = top(inner).count(",") if counted else None
            return f"{render_target(items[0])} in range({length(inner) if count is not None else f'len({inner})'})"
    return f"{render_target(target, read)} in {iterable}"


def counting(items: str) -> str:
    """What has as many entries: an iterator has no length, but what it goes through."""
    for name in ("zip", "reversed"):
        if items.startswith(f"{name}(") and closes_last(items):
            return split(items[len(name) + 1 : -1], (", ",))[0]
    return items


def names_read(lines: Sequence[str]) -> set[str]:
    """The words of some lines, of strings those in fields only."""
    return set(re.findall(r"\w+", " ".join(STRING.sub(fields, line) for line in lines)))


def fields(string: re.Match[str]) -> str:
    """What an f-string reads; nothing of other strings."""
    return " ".join(re.findall(r"\{(.*?)\}", string[0])) if string[0].startswith("f") else ""


def closes_last(text: str) -> bool:
    """Whether the first bracket of a text closes at its end."""
    pairs = list(brackets(text))
    return len(pairs) == 1 and pairs[0][1] == len(text) - 1


def top(text: str) -> str:
    """A text without what stands in its brackets."""
    for start, end in reversed(list(brackets(text))):
        text = text[: start + 1] + text[end:]
    return text


def length(text: str) -> int:
    """How many entries a list has that is written out."""
    return len(split(text[1:-1].rstrip(","), (", ",)))
