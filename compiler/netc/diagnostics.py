"""What is wrong with a spec, as values: spans, labels, diagnostics and the error that carries them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace
from functools import cached_property
from typing import Literal

from netc.record import Record

Severity = Literal["error", "warning"]


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


@dataclass(eq=False)
class SpecError(Exception):
    """A spec that cannot be compiled; `diagnostics` holds every independent error found."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        from netc.render import render

        return "\n".join(render(diagnostic) for diagnostic in self.diagnostics)


class InternalError(Exception):
    """A fault of the compiler, never of a spec; `reproducer` is the command that shows it."""

    def __init__(self, message: str, reproducer: str | None = None):
        super().__init__(message)
        self.reproducer = reproducer


@dataclass
class Diagnostics:
    """Collects diagnostics during a phase; the same message at the same place is kept once."""

    items: list[Diagnostic] = field(default_factory=list)
    _seen: dict[tuple[str, int, str], list[Diagnostic]] = field(default_factory=dict)

    def add(self, diagnostic: Diagnostic) -> None:
        span = diagnostic.primary.span
        key = (span.source.name, span.start, diagnostic.code)
        if key not in self._seen:
            self._seen[key] = [diagnostic]
            self.items.append(diagnostic)
        elif all(diagnostic.notes != other.notes for other in self._seen[key]):
            self._repeat(self._seen[key], diagnostic)

    def _repeat(self, others: list[Diagnostic], diagnostic: Diagnostic) -> None:
        """Counts a mistake that is reached in another way than before, in a note of the one that is kept."""
        first, count = others[0], len(others)
        place = next(i for i, item in enumerate(self.items) if item.primary is first.primary)
        others.append(diagnostic)
        note = f"and {count} more time{'s' * (count > 1)}, reached in other ways"
        self.items[place] = dataclass_replace(first, notes=(*first.notes, note))

    @property
    def errors(self) -> list[Diagnostic]:
        return [item for item in self.items if item.severity == "error"]

    def raise_if_any(self) -> None:
        if self.errors:
            raise SpecError(tuple(self.items))


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate within an edit distance of a third of its length, or None: a wrong hint is worse than none."""
    best: tuple[int, str] | None = None
    for candidate in candidates:
        bound = max(len(name), len(candidate)) // 3
        if candidate.lower() == name.lower():
            return candidate
        if abs(len(candidate) - len(name)) > bound:
            continue
        distance = edit_distance(name, candidate)
        if distance <= bound and (best is None or (distance, candidate) < best):
            best = (distance, candidate)
    return best[1] if best else None


def edit_distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Optimal string alignment distance: insertions, deletions, substitutions, neighbours swapped."""
    before: list[int] = []
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, previous = previous, row
    return previous[-1]
