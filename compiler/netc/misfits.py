"""Weights that do not fit a network: what is said of them, and under which names they would fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from netc.diagnostics import nearest

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
LISTED = 8
"""Of each kind of misfit, as many keys are named in the message."""
RENAMINGS = 4
"""More patterns are no way out that anybody would take."""
COUNTER = ".num_batches_tracked"
"""What norms count since PyTorch 0.4.1; weights from before have none of it, and need none."""


class WeightsError(ValueError):
    """Weights that do not fit a network; the message names the keys.

    `missing` are keys that only the network has, `unexpected` those that only the weights have, `mismatched` those
    whose shapes differ: the one of the weights, then the one of the network; `retyped` those that hold another kind of
    number, in the same order.
    """

    def __init__(
        self,
        message: str,
        missing: tuple[str, ...] = (),
        unexpected: tuple[str, ...] = (),
        mismatched: Mapping[str, tuple[Shape, Shape]] | None = None,
        retyped: Mapping[str, tuple[str, str]] | None = None,
    ):
        super().__init__(message)
        self.missing, self.unexpected = missing, unexpected
        self.mismatched, self.retyped = dict(mismatched or {}), dict(retyped or {})


def needed(own: Shapes, given: Shapes) -> Shapes:
    """What of a network's state the weights have to bring: all, but counters if they have none."""
    counted = any(key.endswith(COUNTER) for key in given)
    return own if counted else {key: shape for key, shape in own.items() if not key.endswith(COUNTER)}


def fits(own: Shapes, given: Shapes) -> bool:
    return dict(needed(own, given)) == dict(given)


def misfit(
    head: str, own: Shapes, given: Shapes, retyped: Mapping[str, tuple[str, str]], nets: Iterable[tuple[str, Shapes]]
) -> WeightsError | None:
    """The error for weights that do not fit, None for those that do. `nets` are other networks that they may be of."""
    wanted = needed(own, given)
    missing = tuple(key for key in wanted if key not in given)
    unexpected = tuple(key for key in given if key not in own)
    mismatched = {key: (shape, own[key]) for key, shape in given.items() if own.get(key, shape) != shape}
    if not (missing or unexpected or mismatched or retyped):
        return None
    lines = [head]
    if missing:
        lines += listed("only in the network", [f"{key} {own[key]}" for key in missing])
    if unexpected:
        lines += listed("only in the weights", list(likened(unexpected, missing, own, given)))
    if mismatched:
        rows = [f"{key} is {a} in the weights and {b} in the network" for key, (a, b) in mismatched.items()]
        lines += listed("of another shape", rows)
    if retyped:
        rows = [f"{key} is {a} in the weights and {b} in the network" for key, (a, b) in retyped.items()]
        lines += listed("of another kind", rows)
    if missing or unexpected or mismatched:
        lines += way_out(wanted, given, missing, unexpected, nets)
    return WeightsError("\n".join(lines), missing, unexpected, mismatched, retyped)


def likened(unexpected: tuple[str, ...], missing: tuple[str, ...], own: Shapes, given: Shapes) -> Iterator[str]:
    """The keys that a network does not have, each with the one that lacks and is like it, as far as they are listed."""
    for key in unexpected:
        alike = [other for other in missing if own[other] == given[key]] if key in unexpected[:LISTED] else []
        near = nearest(key, alike)
        yield f"{key} {given[key]}" + (f", did you mean {near}?" if near else "")


def listed(title: str, rows: list[str]) -> Iterator[str]:
    yield f"  {title}:"
    yield from (f"    {row}" for row in rows[:LISTED])
    if len(rows) > LISTED:
        yield f"    and {len(rows) - LISTED} more"


def way_out(
    wanted: Shapes,
    given: Shapes,
    missing: tuple[str, ...],
    unexpected: tuple[str, ...],
    nets: Iterable[tuple[str, Shapes]],
) -> Iterator[str]:
    """What makes them fit: other names, another net of the file, or other parameters."""
    fitting = {key for key, shape in wanted.items() if given.get(key) == shape}
    for rename in candidates(wanted, given, missing, unexpected):
        after = renamed(given, rename)
        found = [key for key, shape in wanted.items() if after.get(key) == shape]
        if len(after) < len(given):  # two keys would become one, which renaming refuses
            continue
        if len(found) > len(fitting) and 2 * len(found) > len(wanted):
            whole = len(found) == len(wanted) == len(after)
            shown = ", ".join(f'r"{pattern}": "{text}"' for pattern, text in rename.items())
            yield f"  help: `rename={{{shown}}}` makes {'all' if whole else f'{len(found)} of {len(wanted)}'} keys fit"
            return
    if name := next((name for name, state in nets if fits(state, given)), None):
        yield f"  help: these are weights of {name}"
    elif not missing and not unexpected:
        yield "  help: give the network the parameters that the weights were made with"


def renamed(given: Shapes, rename: Mapping[str, str]) -> Shapes:
    for pattern, text in rename.items():
        given = {re.sub(pattern, text, key): shape for key, shape in given.items()}
    return given


def candidates(
    wanted: Shapes, given: Shapes, missing: tuple[str, ...], unexpected: tuple[str, ...]
) -> Iterator[dict[str, str]]:
    """Ways to rename the weights that may make them fit."""
    if not missing or not unexpected:
        return
    for prefix in prefixes(unexpected[0], missing):
        yield {f"^{re.escape(prefix)}": ""}
    for prefix in prefixes(missing[0], unexpected):
        yield {"^": prefix}
    if [wanted[key] for key in missing] == [given[key] for key in unexpected]:
        changes = dict(change(old, new) for old, new in zip(unexpected, missing, strict=True))
        if len(changes) <= RENAMINGS and all(changes):
            yield {rf"\b{re.escape(old)}\b": new for old, new in changes.items()}


def prefixes(long: str, short: Iterable[str]) -> list[str]:
    """What stands before one of the short keys in the long one, whole words only."""
    return [long.removesuffix(key) for key in short if long.endswith(f".{key}")]


def change(old: str, new: str) -> tuple[str, str]:
    """The words of two keys between those with which both begin, and both end."""
    a, b = old.split("."), new.split(".")
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return ".".join(a), ".".join(b)
