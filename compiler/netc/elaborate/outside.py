"""Parameters that a net has from outside its file, as by `--set`, beside what the file says there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netc import syntax
from netc.elaborate.values import describe, fault
from netc.layer import is_int


def demand_truth(key: str, value: Any, before: Any, place: syntax.Expr) -> None:
    """What is true or false in the file, or a list of these, is nothing else from outside: `1` would be taken silently.

    `before` is what the file says, at this place. Raises Fault.
    """
    for wrong in untrue(before, value):
        kind = "`true` or `false`" if isinstance(before, bool) else "a list of `true` and `false`"
        help = f"write `{'true' if wrong else 'false'}`" if is_int(wrong) else None
        raise fault("E0402", place.span, f"`{key}` is {kind}, not {describe(wrong)}", "in the file", help=help)


def untrue(before: Any, value: Any) -> Iterator[Any]:
    """The parts of a value that stand where there was true or false, and are neither; none stands for false."""
    if isinstance(before, bool):
        if value is not None and not isinstance(value, bool):
            yield value
    elif isinstance(before, list | tuple) and before and all(isinstance(item, bool) for item in before):
        for item in value if isinstance(value, list | tuple) else ():
            yield from untrue(before[0], item)
