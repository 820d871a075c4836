"""What a layer makes and nothing reads, because the flow goes on from another value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostic, Fix, Label, Span, replace
from netc.mending import without_first
from netc.record import Record


class Departure(Record):
    """Where the flow goes on from another value; `call` and `fix` say how it would go on from its own, where known."""

    place: Span
    call: str | None = None
    fix: Fix | None = None


class Unread:
    """The values of the flow that nothing has read yet, and those that the flow left behind so.

    A value is known by its identity. A place of the text is reported where everything that it made, in every expansion,
    was left behind.
    """

    def __init__(self) -> None:
        self.waiting: dict[int, tuple[Any, Span]] = {}
        self.made: Counter[Span] = Counter()
        self.kept: list[int] = []
        self.names: dict[Span, str] = {}
        self.left: dict[Span, list[Departure]] = {}

    def make(self, value: Any, span: Span, label: str | None = None) -> None:
        """Notes that a place has put a value into the flow; `label` is that of the module there, where it has one."""
        self.waiting[id(value)] = (value, span)
        self.names[span] = label or span.brief
        self.made[span] += 1

    def read(self, value: Any) -> None:
        """Notes that something reads a value, or may read it."""
        self.waiting.pop(id(value), None)

    @contextmanager
    def keeping(self, value: Any) -> Iterator[None]:
        """While a chain runs that gives the flow back to a value, which nothing leaves behind then."""
        self.kept.append(id(value))
        try:
            yield
        finally:
            self.kept.pop()

    def leave(self, before: Any, after: Any, departure: Departure) -> None:
        """Notes that the flow goes on from `after`, which nothing that stands there has made of `before`."""
        if before is not after and id(before) in self.waiting and id(before) not in self.kept:
            _, span = self.waiting.pop(id(before))
            self.left.setdefault(span, []).append(departure)

    def warnings(self) -> Iterator[Diagnostic]:
        """A warning for each place all of whose values nothing reads."""
        for span, departures in self.left.items():
            if len(departures) < self.made[span]:
                continue
            first = departures[0]
            told = f"`{first.call}` takes what flows; " if first.call is not None else ""
            yield Diagnostic(
                "W0709", f"nothing reads what `{self.names[span]}` makes", Label(span, "made here"),
                (Label(first.place, "this does not go on from it"),),
                help=f"{told}`y = _` keeps a value for later", severity="warning", fix=first.fix,
            )  # fmt: skip


def departure(node: syntax.Expr, places: Sequence[syntax.Expr | None]) -> Departure:
    """A stage that takes all its tensors from elsewhere; `relu(x)` could go on from the flow as `relu`."""
    if not isinstance(node, syntax.Call) or len(places) != 1 or not node.args or places[0] is not node.args[0].value:
        return Departure(node.span)
    listed = ", ".join(arg.span.text for arg in node.args[1:])
    name = node.function.span.text
    if listed:
        return Departure(node.span, f"{name}({listed})", without_first([arg.span for arg in node.args]))
    return Departure(node.span, name, replace(Span(node.span.source, node.function.span.end, node.span.end), ""))
