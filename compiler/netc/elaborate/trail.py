"""Where elaboration stands: the expansions, loops and functions around it, for messages to tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostic, Span
from netc.elaborate.values import BlockRef, Bound, Fault, LayerRef
from netc.layer import show
from netc.terms import Term

Turn = Callable[[], str]
"""What a message says of one expansion, repetition or call; computed only where a mistake is found."""
LONGEST = 6
"""How many turns a message tells; of more, the innermost and the outermost."""


class Trail:
    """The turns around the place at work, outermost first."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    def inside(self, turn: Turn) -> Trail:
        """Puts a turn around what is done; a mistake that comes out of it remembers how it was reached."""
        self.turns.append(turn)
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Fault) and error.trail is None:
            error.trail = self.notes()
        self.turns.pop()

    def notes(self) -> tuple[str, ...]:
        """What a message says of the turns, the innermost first."""
        found = list(dict.fromkeys(text for turn in reversed(self.turns) if (text := turn())))
        if len(found) > LONGEST:
            left_out = len(found) - LONGEST + 1
            found[LONGEST - 2 : -1] = [f"and {left_out} more around it"]
        return tuple(found)

    def told(self, error: Fault) -> Diagnostic:
        """The mistake with how it was reached."""
        found = error.diagnostic
        notes = self.notes() if error.trail is None else error.trail
        return replace(found, notes=(*found.notes, *notes)) if notes else found


def expansion(name: str, span: Span) -> Turn:
    def text() -> str:
        written = " ".join(span.text.split())
        call = written if written.startswith(name) and len(written) <= 60 else name
        return f"in expansion of `{call}`, called at {span}"

    return text


def function(span: Span) -> Turn:
    return lambda: f"in `{' '.join(span.text.split())}`, called at {span}"


def repetition(number: int, count: int, span: Span) -> Turn:
    """One of `count` repetitions, counted from 0."""
    which = f"the first of {count} repetitions" if number == 0 else f"repetition {number + 1} of {count}"
    return lambda: f"in {which} at {span}" if count > 1 else ""


def round_of(target: syntax.Target, item: Any, span: Span) -> Turn:
    """One round of a loop, with what its names stand for."""

    def text() -> str:
        bound = [f"{name} = {shown}" for name, value in bindings(target, item) if (shown := in_words(value))]
        return f"with {', '.join(bound)}, in the loop at {span}" if bound else f"in the loop at {span}"

    return text


def variant(name: str, item: syntax.Item | None) -> Turn:
    """The variant that gives a net its arguments; a net itself says nothing."""
    return lambda: f"in the variant `{name}` at {item.span}" if isinstance(item, syntax.Constant) else ""


def given(params: Mapping[str, Any]) -> Turn:
    """The parameters that a net has from outside its file."""

    def text() -> str:
        shown = [f"{name} = {word}" for name, value in params.items() if (word := in_words(value))]
        return f"with {', '.join(shown)}, given from outside" if shown else ""

    return text


def bindings(target: syntax.Target, item: Any) -> Iterator[tuple[str, Any]]:
    """The names of a target with their values, as far as the item has them."""
    if target.name is not None:
        yield target.name, item
    elif isinstance(item, Sequence):
        for part, value in zip(target.items, item, strict=False):
            yield from bindings(part, value)


def in_words(value: Any) -> str | None:
    """A value as the language writes it, where that is short."""
    if isinstance(value, LayerRef):
        return value.name
    if isinstance(value, BlockRef):
        return value.define.name
    if isinstance(value, Bound):
        return value.call.span.text
    if value is None or isinstance(value, int | float | Term):
        return show(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple) and all(isinstance(item, int | float | str) for item in value):
        text = show(value)
        return text if len(text) <= 40 else None
    return None
