"""Conditions and what they leave behind: guards decided and noted, sizes joined after branches and loops."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostics
from netc.elaborate.arguments import is_name, map_values, strip
from netc.elaborate.lookup import recipe_term, value_term
from netc.elaborate.placing import Placing
from netc.elaborate.trail import Turn
from netc.elaborate.values import (
    POISON,
    Binding,
    BlockRef,
    Bound,
    Deferred,
    Fault,
    Frame,
    LayerRef,
    Poisoned,
    Tensor,
    describe,
    fault,
    is_flowing,
    tensors,
)
from netc.graph import Guard, Joined, Loop
from netc.layer import is_int
from netc.shapes import Value
from netc.terms import COMPARE, SUM, Term, written

TRAINING = written("self.training")


class Conditions(Placing):
    """Decides conditions and joins what the ways of a branch make."""

    diagnostics: Diagnostics

    def leaving_out(
        self, node: syntax.Node, condition: syntax.Expr, skipped: int, before: Any, after: Any, frame: Frame
    ) -> None:  # fmt: skip
        """Notes the sizes that there would be had a condition not held; more than sizes must not change."""
        guard = frame.template.sites[condition]
        assert isinstance(guard, Guard)
        was, now = ([t.value for t in tensors(flowing)] for flowing in (before, after))
        guard.rigid = guard.rigid or [kind_of(v) for v in was] != [kind_of(v) for v in now]
        for index, (old, new) in enumerate(zip(was, now, strict=False)):
            for axis in range(1, min(old.rank, new.rank)):
                table = frame.template.joins.get((node, ("_", index, axis)))
                if table is not None and isinstance(old.shape[axis], int):
                    table.unseen.setdefault(skipped, Term.of(old.shape[axis]))

    def guard(self, node: syntax.Node, condition: syntax.Expr, frame: Frame) -> bool:
        """Decides a condition and notes its outcome."""
        outcome = self.condition(condition, frame)
        site = frame.template.sites.get(condition)
        if not isinstance(site, Guard):
            site = Guard(self.render_condition(condition, frame))
            site.equal = {value: self.equalities(condition, value, frame) for value in (False, True)}
            frame.template.sites[condition] = site
        site.outcomes.add(outcome)
        return outcome

    def equalities(self, condition: syntax.Expr, outcome: bool, frame: Frame) -> list[tuple[Term, Term]]:
        """Sizes that are equal when a condition turns out so: `a != b` in an `or` that fails, `a == b` in an `and`."""
        joint, operator = ("and", "==") if outcome else ("or", "!=")
        if not isinstance(condition, syntax.Binary):
            return []
        if condition.operator == joint:
            sides = (condition.left, condition.right)
            return [pair for side in sides for pair in self.equalities(side, outcome, frame)]
        if condition.operator != operator:
            return []
        try:
            left, right = self.evaluate(condition.left, frame), self.evaluate(condition.right, frame)
        except Fault:
            return []
        return [(Term.of(left), Term.of(right))] if is_int(left) and is_int(right) else []

    def render_condition(self, condition: syntax.Expr, frame: Frame) -> Term:
        """A condition as emitted; a layer that may be `none` is compared with None."""
        term = self.render(condition, frame)
        if isinstance(condition, syntax.Name):
            value = self.evaluate(condition, frame)
            if isinstance(value, LayerRef | BlockRef | Bound | Deferred):
                return written("{0} is not None", (term,), COMPARE, SUM)
        return term

    def join(self, node: syntax.Node, outcome: int, flowing: Any, frame: Frame, name: str = "_") -> Any:
        """Sizes after a guard: places whose source depends on which way was taken."""
        counter = iter(range(1_000_000))

        def relabel(value: Value) -> Value:
            index = next(counter)
            return value.with_shape(
                size if axis == 0 else self.joined(node, (name, index, axis), outcome, value, frame)
                for axis, size in enumerate(value.shape)
            )

        values = strip(flowing)
        return self.reattach(flowing, map_values(values, relabel))

    def joined(self, node: syntax.Node, key: Any, outcome: int, value: Value, frame: Frame) -> Any:
        size = value.shape[key[-1]]
        if isinstance(size, Term):
            return size
        table = frame.template.joins.setdefault((node, key), Joined(value))
        table.terms.setdefault(outcome, Term.of(size))
        self.visit(node, Term.of(size), frame, aspect=(key, outcome))
        return self.as_place("join", node, key, size)

    def reattach(self, flowing: Any, values: Any) -> Any:
        """New values on the tensors that made the old ones."""
        if isinstance(flowing, Tensor):
            return Tensor(values, flowing.span)
        if isinstance(flowing, tuple):
            return tuple(self.reattach(a, b) for a, b in zip(flowing, values, strict=True))
        return flowing

    def rejoin(self, node: syntax.Node, names: Sequence[str], outcome: int, frame: Frame) -> None:
        """Names bound inside a condition or a loop are, after it, what that construct left them."""
        for name in names:
            found = frame.env.get(name)
            if found is None or found.value is POISON:
                continue
            if is_flowing(found.value):
                value = self.join(node, outcome, found.value, frame, name)
                frame.env[name] = Binding(value, found.term, found.span)
            elif not holds_recipe(found.value) or is_name(found.term):
                frame.env[name] = self.binding(name, found.value, node, node)

    def carry(self, node: syntax.Node, names: Sequence[str], outcome: int, frame: Frame) -> None:
        """Notes what enters the loop (0) or comes around (1), and goes on with the loop's places."""
        if frame.flow is not None:
            frame.flow = self.join(node, outcome, frame.flow, frame)
        self.rejoin(node, names, outcome, frame)

    def loop(
        self, node: syntax.Node, header: Term, items: Sequence[Any], names: Sequence[str], frame: Frame,
        run: Callable[[Any], None], turn: Callable[[int, Any], Turn],
    ) -> None:  # fmt: skip
        """Runs a body for each item; what the body carries around is known by places of this loop.

        `turn` is what a message says of the round of a number with its item.
        """
        site = frame.template.sites.setdefault(node, Loop(header))
        assert isinstance(site, Loop)
        site.counts.add(len(items))
        carried = [name for name in names if name in frame.env]
        self.turning.append((self.expanding[-1], node))
        try:
            self.visit(node, self.axes(frame, carried), frame, aspect="axes")
            self.carry(node, carried, 0, frame)
            for number, item in enumerate(items):
                with self.trail.inside(turn(number, item)):
                    run(item)
                if frame.flow is POISON:
                    raise Poisoned
                self.visit(node, self.axes(frame, carried), frame, aspect="axes")
                self.carry(node, carried, 1, frame)
        finally:
            self.turning.pop()
        if frame.flow is not None:
            frame.flow = self.join(node, 0, frame.flow, frame, "after")
        self.rejoin(node, [name for name in names if name not in carried], 1, frame)

    def axes(self, frame: Frame, names: Sequence[str]) -> Hashable:
        """What goes around a loop without its sizes: where the channels stand, and how many dimensions there are."""
        carried = [frame.flow, *(frame.env[name].value for name in names)]
        return tuple((t.value.rank, t.value.channel) for flowing in carried for t in tensors(flowing))

    def settle_target(self, target: syntax.Target, value: Any, frame: Frame) -> None:
        """Binds names to values that emitted code writes as they are."""
        if target.name is not None:
            frame.env[target.name] = Binding(value, self.source_of(value), target.span)
            return
        if not isinstance(value, list | tuple) or len(value) != len(target.items):
            raise fault("E0403", target.span, f"{len(target.items)} names for {describe(value)}", "names here")
        for part, item in zip(target.items, value, strict=True):
            self.settle_target(part, item, frame)

    def source_of(self, value: Any) -> Term:
        """A value as emitted code writes it; chains and lists with layers that have arguments are not handed on."""
        if isinstance(value, Bound):
            return self.render(value.call, value.frame)
        if isinstance(value, LayerRef | BlockRef):
            return recipe_term(value)
        return Term({}) if holds_recipe(value) else value_term(value)


def kind_of(value: Value) -> tuple[Any, ...]:
    """What emitted code takes for granted of a tensor: all but its known sizes."""
    return (value.kind, value.channel, *(size if isinstance(size, Term) else True for size in value.shape))


def holds_recipe(value: Any) -> bool:
    """Whether a value is a layer or block, or a sequence with one in it."""
    if isinstance(value, list | tuple):
        return any(holds_recipe(item) for item in value)
    return isinstance(value, LayerRef | BlockRef | Bound | Deferred)
