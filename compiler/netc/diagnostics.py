"""What is wrong with a spec: the error that carries it, what gathers it, and the names that are near a wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace

from netc.message import Diagnostic, Edit, Fix, Label, Severity, Source, Span, renamed, replace
from netc.record import Mutable

__all__ = [
    "Diagnostic",
    "Diagnostics",
    "Edit",
    "Fix",
    "InternalError",
    "Label",
    "Severity",
    "Source",
    "Span",
    "SpecError",
    "edit_distance",
    "nearest",
    "renamed",
    "replace",
]


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


class Diagnostics(Mutable):
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
