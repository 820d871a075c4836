"""What one class cannot say of a place in the text, noticed in one expansion of a net and heeded in the next.

A class has one line for each place of its definition's text. Where a place turns out to be two different things (a name
that stands for another layer in the next turn of a loop, a padding that is a number here and a word there), the net is
expanded again: with the choice written where the name stands, the loop written out, or a class for each of the two.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from netc import syntax
from netc.graph import Template, Use
from netc.record import Mutable
from netc.shapes import Value
from netc.terms import Term

Spot = tuple[str, int, int, str]
MAX_PASSES = 12


@dataclass(eq=False, slots=True)
class Visit:
    """One time that a place was met: in which expansion, in which loops of it, and what it turned out to be."""

    expansion: int
    loops: tuple[syntax.Node, ...]
    meaning: Hashable
    use: Use | None


class Apart(Mutable):
    """What is written apart: choices and loops by their places, classes by the expansions that share one."""

    spelled: dict[tuple[Spot, str], syntax.IfElse] = field(default_factory=dict)
    called: set[tuple[Spot, str]] = field(default_factory=set)
    verbatim: set[Spot] = field(default_factory=set)
    unrolled: set[Spot] = field(default_factory=set)
    classes: dict[int, tuple[Hashable, ...]] = field(default_factory=dict)

    def copy(self) -> Apart:
        return Apart(
            dict(self.spelled), set(self.called), set(self.verbatim), set(self.unrolled), dict(self.classes)
        )  # fmt: skip


class Visits:
    """Every place of the classes of one network with what it turned out to be, each time that it was met."""

    def __init__(self) -> None:
        self.found: dict[tuple[Template, syntax.Node, Hashable], dict[Hashable, Visit]] = {}
        self.expansions: dict[Template, list[int]] = {}

    def add(self, template: Template, node: syntax.Node, visit: Visit, aspect: Hashable = None) -> None:
        self.found.setdefault((template, node, aspect), {}).setdefault((visit.meaning, visit.expansion), visit)

    def ambiguous(self) -> Iterator[tuple[Template, syntax.Node, Sequence[Visit]]]:
        """The places that turned out to be more than one thing."""
        for (template, node, _), found in self.found.items():
            visits = list(found.values())
            if any(visit.meaning != visits[0].meaning for visit in visits):
                yield template, node, visits

    def separate(self, apart: Apart) -> Apart | syntax.Node:
        """What is to be written apart from now on, or a place for which there is no way."""
        more = apart.copy()
        for template, node, visits in self.ambiguous():
            if not self.mark(template, node, visits, apart, more):
                return node
        return more

    def mark(
        self, template: Template, node: syntax.Node, visits: Sequence[Visit], apart: Apart, more: Apart
    ) -> bool:  # fmt: skip
        """Finds a way that was not tried before."""
        if spot(node) not in apart.verbatim and spelled_alike(visits):
            more.verbatim.add(spot(node))
            return True
        if choice(template, node, visits, apart, more):
            return True
        first = visits[0]
        again = next((v for v in visits if v.expansion == first.expansion and v.meaning != first.meaning), None)
        loop = next((spot(node) for node in reversed(again.loops)), None) if again is not None else None
        if loop is not None and loop not in apart.unrolled:
            more.unrolled.add(loop)
            return True
        return again is None and self.split(template.root, visits, spot(node), apart, more)

    def split(self, root: Template, visits: Sequence[Visit], place: Spot, apart: Apart, more: Apart) -> bool:
        """A class for each meaning that a place has in the uses of a block."""
        meanings = list(dict.fromkeys(visit.meaning for visit in visits))
        groups = {visit.expansion: meanings.index(visit.meaning) for visit in reversed(visits)}
        for expansion in self.expansions.get(root, ()):
            mark = (place, groups.get(expansion, 0))
            if mark not in more.classes.get(expansion, ()):
                more.classes[expansion] = (*more.classes.get(expansion, ()), mark)
        return more.classes != apart.classes


def spot(node: syntax.Node) -> Spot:
    """A place in the text, the same for every copy that an expansion makes of it."""
    return (node.span.source.name, node.span.start, node.span.end, type(node).__name__)


def meaning_of(use: Use) -> Hashable:
    """What a class says at a place."""
    if use.template is not None:
        sizes = (sizes_of(use.inputs), sizes_of(use.inner))
        return (use.kind, use.template, tuple(use.bindings.items()), own_label(use), sizes)
    layer = use.layer
    if layer is None:
        return (use.kind, use.expr or use.callee)
    dimensions = layer.dimensions(*use.inputs) if "{n}" in f"{layer.module}{layer.function}" else 0
    arguments = tuple((argument.name, argument.term, argument.positional) for argument in use.arguments)
    return (use.kind, type(layer), dimensions, own_label(use), arguments)


def asked_meaning(use: Use, known: Use) -> Hashable:
    """What a class says where it makes a module by a name; blocks that the name stands for must be made alike."""
    for other in (known, *known.others):
        same = other.template is not None and use.template is not None and other.template.node is use.template.node
        if other.asked is None or (same and other.template is not use.template):
            return meaning_of(use)
    told = tuple((each.name, each.term, each.positional) for each in use.arguments if each.name not in use.passed)
    return (use.asked, own_label(use), use.positional, tuple(use.bindings.items()), told)


def sizes_of(output: Any) -> Hashable:
    """The sizes that come out of a block, in its own words; those that only a run decides aside."""
    if isinstance(output, Value):
        return tuple(None if isinstance(size, Term) else Term.of(size) for size in output.shape)
    items = output.values() if isinstance(output, dict) else output if isinstance(output, tuple) else ()
    return tuple(map(sizes_of, items))


def own_label(use: Use) -> str | None:
    """The label that an unlabelled layer or block has by its type."""
    label = None if use.numbered else use.label
    made = use.template.name if use.template is not None else type(use.layer).__name__
    return label if label is not None and re.fullmatch(rf"{made.lower()}(_\d+)?", label) else None


def spelled_alike(visits: Sequence[Visit]) -> bool:
    """Whether PyTorch takes what was written at a place as it stands, each time."""
    uses = [visit.use for visit in visits]
    if len({type(use.layer) for use in uses if use is not None}) != 1:
        return False
    found = [use.layer.verbatim(*use.inputs) for use in uses if use is not None and use.layer is not None]
    return len(found) == len(uses) and bool(found[0]) and all(words == found[0] for words in found)


def choice(template: Template, node: syntax.Node, visits: Sequence[Visit], apart: Apart, more: Apart) -> bool:
    """Marks a name that stands for different layers: asked for as the class is made, or chosen where it stands."""
    name = node.id if isinstance(node, syntax.Name) else ""
    home = template.root
    assigns = [node for node in assignments(home.body) if name in node.target.names]
    uses = [visit.use for visit in visits]
    if not assigns or any(use is None or use.kind not in ("layer", "block") for use in uses):
        return False
    key = (spot(home.node), name)
    layers = [use.layer for use in uses if use is not None]
    alone = assigns[0].value if len(assigns) == 1 and assigns[0].when is None else None
    if key in apart.called or key in apart.spelled or not same_label(uses):
        return False
    if all(layer is not None and layer.is_uniform() for layer in layers):
        more.called.add(key)
        return True
    if isinstance(alone, syntax.IfElse) and assigns[0].target.name == name:
        more.spelled[key] = alone
        return True
    return False


def same_label(uses: Sequence[Use | None]) -> bool:
    labels = {use.label for use in uses if use is not None}
    return len(labels) == 1 or all(use is not None and use.numbered for use in uses)


def assignments(body: Any) -> Iterator[syntax.Assign]:
    """Every assignment in a text."""
    if isinstance(body, tuple):
        for item in body:
            yield from assignments(item)
    elif isinstance(body, syntax.Node):
        if isinstance(body, syntax.Assign):
            yield body
        for name in body.__match_args__:
            if name != "span":
                yield from assignments(getattr(body, name))
