"""Expressions of emitted code with how tightly they bind, and lines with their indentation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from netc.emit.wrapping import INDENT, layout
from netc.record import Mutable
from netc.terms import ATOM, SUM


@dataclass(frozen=True, slots=True)
class Py:
    """Source of an expression and its precedence."""

    text: str
    level: int = ATOM

    def at(self, need: int) -> str:
        return self.text if self.level >= need else f"({self.text})"

    @property
    def is_name(self) -> bool:
        return self.text.replace(".", "").replace("_", "").isalnum()


def call(function: str, arguments: Sequence[str]) -> Py:
    return Py(f"{function}({', '.join(arguments)})")


class Lines(Mutable):
    """Lines of code under construction."""

    items: list[str] = field(default_factory=list)
    depth: int = 0

    def add(self, text: str) -> None:
        self.items.append(INDENT * self.depth + text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """An indented block; `pass` stands where nothing else does, and an unused header goes."""
        self.add(header)
        self.depth += 1
        before = len(self.items)
        yield
        self.depth -= 1
        if len(self.items) == before:
            self.items.pop()

    def laid_out(self, depth: int) -> list[str]:
        return layout([INDENT * depth + item if item else "" for item in self.items])


__all__ = ["ATOM", "SUM", "Lines", "Py", "call"]
