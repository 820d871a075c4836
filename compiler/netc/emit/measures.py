"""What loops and values measure: how often a loop runs, what a size is called, which conditions count branches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from netc import syntax
from netc.emit.folding import only_atom
from netc.graph import Guard, Loop, Template
from netc.shapes import Value
from netc.terms import ATOM, Term, Written, written


def values_in(values: Any) -> Iterator[Value]:
    if isinstance(values, Value):
        yield values
    elif isinstance(values, tuple):
        for item in values:
            yield from values_in(item)
    elif isinstance(values, dict):
        for item in values.values():
            yield from values_in(item)


def selecting(template: Template, node: Any) -> Iterator[Term]:
    """The conditions and loops that decide how many branches a fork has."""
    body = node.branches if isinstance(node, syntax.Fork) else node
    for statement in body if isinstance(body, list | tuple) else ():
        if isinstance(statement, syntax.For):
            site = template.sites.get(statement)
            if isinstance(site, Loop):
                yield site.iterable
            yield from selecting(template, statement.body)
        elif isinstance(statement, syntax.If):
            for condition, inner in statement.branches:
                guard = template.sites.get(condition)
                if isinstance(guard, Guard):
                    yield guard.condition
                yield from selecting(template, inner)
            yield from selecting(template, statement.otherwise)


def range_bounds(iterable: Term) -> tuple[Term, Term] | None:
    """Start and stop of `range(stop)` or `range(start, stop)`."""
    atom = only_atom(iterable)
    if not isinstance(atom, Written) or not atom.source.startswith("range("):
        return None
    if len(atom.operands) == 1:
        return Term({}), atom.operands[0]
    return (atom.operands[0], atom.operands[1]) if len(atom.operands) == 2 else None


def loop_count(node: Any, loop: Loop) -> Term:
    """How often a loop runs."""
    if isinstance(node, syntax.Binary):
        return loop.iterable
    bounds = range_bounds(loop.iterable)
    if bounds is not None:
        return bounds[1] - bounds[0]
    atom = only_atom(loop.iterable)
    if isinstance(atom, Written) and atom.source.startswith(("enumerate(", "reversed(", "sorted(")):
        return length(atom.operands[0])
    return length(loop.iterable)


def length(items: Term) -> Term:
    """How many entries a sequence has."""
    atom = only_atom(items)
    listed = isinstance(atom, Written) and atom.source[0] in "[(" and not re.search(r" for |\*", atom.source)
    if isinstance(atom, Written) and listed and atom.operands:
        return Term({(): len(atom.operands)})
    return written("len({0})", (items,), ATOM, 0)


def axis_name(value: Value | None, axis: int) -> str:
    """What a size of an input is called as a constructor parameter."""
    if value is None or axis == value.channel:
        return "channels" if value is None or (value.channel == 1 and value.rank > 2) else "features"
    spatial = value.spatial
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}.get(len(spatial), ())
    return names[spatial.index(axis)] if axis in spatial and names else f"size_{axis}"
