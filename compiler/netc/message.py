"""What is said of a spec, as values: sources and places in them, labels, fixes, and the message that holds them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from netc.record import Record

Severity = Literal["error", "warning"]
BRIEF = 48
"""What is longer is cut where a message quotes it."""


class Source(Record):
    """A text and the name that messages call it by (a path, or `<text>`)."""

    name: str
    text: str

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        return (0, *(i + 1 for i, char in enumerate(self.text) if char == "\n"))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of offsets in a source."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def brief(self) -> str:
        """The text in one line and without comments, cut where it is long."""
        text = self.text
        if "\n" in text:
            text = " ".join(" ".join(line.partition("#")[0] for line in text.splitlines()).split())
            text = text.replace("( ", "(").replace(", )", ")").replace(" )", ")")
        return text if len(text) <= BRIEF else f"{text[: BRIEF - 4]} ..."

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of another in the same source."""
        return Span(self.source, self.start, other.end)


class Label(Record, eq=True):
    """A place and what is to be said about it there; the text may be empty."""

    span: Span
    text: str = ""


class Edit(Record, eq=True):
    """A part of the text and what is to stand there instead; an empty span is a place to insert at."""

    span: Span
    replacement: str


class Fix(Record, eq=True):
    """Edits that take the cause away. A safe one can only be what the author meant; another is a likely guess."""

    edits: tuple[Edit, ...]
    safe: bool = False


def replace(span: Span, text: str, *, safe: bool = False) -> Fix:
    """The fix that puts a text in the place of another."""
    return Fix((Edit(span, text),), safe)


def renamed(span: Span, name: str, near: str | None) -> Fix | None:
    """The likely fix of a name that begins a span, where there is a near one; None otherwise."""
    if near is None or not span.text.startswith(name):
        return None
    return replace(Span(span.source, span.start, span.start + len(name)), near)


class Diagnostic(Record, eq=True):
    """One cause, said once: a stable code, a headline, the places, and the way out.

    `help` is the way out in words, `fix` the same as edits.
    """

    code: str
    message: str
    primary: Label
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Severity = "error"
    fix: Fix | None = None

    def repeats(self, other: Diagnostic) -> bool:
        """Whether another one says the same of the same other side, from a place of its own."""
        return (self.code, self.message, self.secondary) == (other.code, other.message, other.secondary) != (
            self.code, self.message, (),
        )  # fmt: skip
