"""Puts a spec into the one style of `.net` files; what it says and every comment stay as they were."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from netc.diagnostics import InternalError, Source, SpecError
from netc.format.columns import with_comments
from netc.format.comments import comments_of
from netc.format.rows import Rows
from netc.parse import parse
from netc.parse.lossless import read_tree

WIDTH = 120
"""As wide as a line may be; comments behind it and what cannot be broken may go beyond."""


def format_source(source: Source) -> str:
    """The text of a spec in the one style.

    Raises SpecError for a text that cannot be parsed, and InternalError if the result did not say the same.
    """
    before = parse(source)
    tree = read_tree(source)
    lines = list(with_comments(Rows(tree, WIDTH).lines(), WIDTH))
    text = "\n".join(lines).strip("\n") + "\n" if any(lines) else ""
    after = Source(source.name, text)
    try:
        kept = same(before, parse(after)) and sorted(comments_of(tree)) == sorted(comments_of(read_tree(after)))
    except SpecError:
        kept = False
    if not kept:
        raise InternalError(f"formatting {source.name} would have changed what it says; it was left as it is")
    return text


def same(left: Any, right: Any) -> bool:
    """Whether two syntax trees say the same, wherever it stands in their texts."""
    if isinstance(left, tuple):
        return isinstance(right, tuple) and len(left) == len(right) and all(map(same, left, right))
    if not is_dataclass(left):
        return type(left) is type(right) and bool(left == right)
    names = [field.name for field in fields(left) if not field.name.endswith("span")]
    return type(left) is type(right) and all(same(getattr(left, name), getattr(right, name)) for name in names)
