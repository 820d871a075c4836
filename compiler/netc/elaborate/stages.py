"""Stages of a chain: modules, functions, members used again, values, repeats and forks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from netc import syntax
from netc.elaborate.apart import Spot, spot
from netc.elaborate.arguments import strip
from netc.elaborate.cloning import clone
from netc.elaborate.conditions import holds_recipe
from netc.elaborate.containers import Containers
from netc.elaborate.lookup import plain, several_inputs, value_term
from netc.elaborate.rendering import iterated
from netc.elaborate.syntactic import assigned, handler, is_module
from netc.elaborate.trail import repetition, round_of
from netc.elaborate.unread import Departure
from netc.elaborate.values import (
    POISON,
    Binding,
    BlockRef,
    Bound,
    Deferred,
    Fault,
    Frame,
    LayerRef,
    Past,
    Poisoned,
    Tensor,
    describe,
    fault,
    is_flowing,
)
from netc.graph import Joined, Maker, Unrolled, Use
from netc.layer import is_int
from netc.terms import Term

MAX_REPEATS = 100_000
JOIN_ARGUMENTS = {"stack": {"dim": 1}}
"""What a fork gives the function that joins its branches: the batch stays dimension 0."""


class Stages(Containers):
    """Runs chains and forks; `asked_in` are the loops over blocks, each with the names of the blocks."""

    asked_in: dict[Spot, set[str]]

    def statement(self, statement: syntax.Stmt, frame: Frame) -> None:
        """Runs one statement; a mistake is noted once and poisons what it would have made."""
        raise NotImplementedError

    def run(self, expr: syntax.Expr, frame: Frame) -> None:
        """Runs a chain, a group, a fork or a single stage."""
        if isinstance(expr, syntax.Pipe):
            for stage in expr.stages:
                self.run(stage, frame)
        elif isinstance(expr, syntax.Group):
            self.group(expr.body, frame)
        elif isinstance(expr, syntax.Fork):
            frame.flow = self.fork(expr, frame)
        else:
            self.stage(expr, frame, None)

    def group(self, body: Sequence[syntax.Stmt], frame: Frame) -> None:
        """Statements in parentheses; a mistake inside is one of the whole statement."""
        for statement in body:
            getattr(self, handler("_run_", type(statement).__name__))(statement, frame)
            if frame.flow is POISON:
                raise Poisoned

    def stage(self, expr: syntax.Expr, frame: Frame, label: str | None) -> None:
        """One stage of a chain: a module, a function, a member used again, or a value that becomes the flow."""
        if isinstance(expr, syntax.IfElse):
            self.unread.read(frame.flow)  # the side that is not taken may go on from it
        match expr:
            case syntax.Name(id=name):
                self.named_stage(name, expr, None, frame, label)
            case syntax.Call(function=syntax.Name(id=name)):
                self.named_stage(name, expr, expr, frame, label)
            case syntax.IfElse() if label is not None or is_module(expr, set(frame.names())):
                outcome = self.guard(expr, expr.condition, frame)
                self.stage(expr.then if outcome else expr.otherwise, frame, label)
                if frame.flow is not POISON and frame.flow is not None:
                    frame.flow = self.join(expr, int(outcome), frame.flow, frame)
            case syntax.Binary() if self.is_repeat(expr, frame):
                self.repeat(expr, frame)
            case _:
                self.set_flow(expr, self.evaluate(expr, frame), frame, label)

    def named_stage(
        self, name: str, expr: syntax.Expr, call: syntax.Call | None, frame: Frame, label: str | None
    ) -> None:
        head = expr if isinstance(expr, syntax.Name) else expr.function  # type: ignore[attr-defined]
        found = None if name in ("x", "_") else frame.lookup(name)
        placed = frame.container.labels.get(name) if name not in ("x", "_", *frame.container.implicit) else None
        if found is None and placed is not None and call is None:
            if label is not None:
                return self.second_key(placed, label, frame, expr)
            return self.reuse(placed, name, frame, expr)
        if found is None and name in frame.container.broken:
            raise Poisoned
        module = label is not None or frame.container.sequential
        value = found.value if found is not None else self.resolve(head, frame, call, labelled=module)
        if value is POISON:
            raise Poisoned
        spelled = self.apart.spelled.get((spot(frame.template.root.node), name)) if found is not None else None
        if spelled is not None and not isinstance(found and found.value, Deferred):
            site = frame.template.sites.get(expr)
            known = site.expr if isinstance(site, Use) and site.kind == "deferred" else None
            return self.place_deferred(Deferred(known or clone(spelled, {}), frame), expr, frame, label)
        if isinstance(value, LayerRef | BlockRef | Bound):
            self.place(value, call, frame, expr, label)
            site = frame.template.sites.get(expr)
            if found is not None and isinstance(site, Use) and site.template is not None:
                site.template.passed = True
            return None
        if isinstance(value, Deferred):
            return self.place_deferred(value, expr, frame, label)
        return self.set_flow(expr, value if call is None else self.evaluate(expr, frame), frame, label)

    def set_flow(self, expr: syntax.Expr, value: Any, frame: Frame, label: str | None) -> None:
        if not is_flowing(value):
            if value is None and isinstance(expr, syntax.Name) and expr.id == "x":
                raise several_inputs(expr.span, frame)
            raise fault(
                "E0402", expr.span, f"{describe(value)} cannot stand in the flow", "a layer or a tensor is needed"
            )
        if label is not None:
            raise fault(
                "E0408",
                expr.span,
                "a label names a module, and this is a tensor",
                f"labelled `{label}`",
                help=f"keep it with `{label} = {expr.span.text}`",
            )
        if frame.container.sequential:
            text = "a tensor cannot stand in a Sequential"
            help = "put it in front of the label, or end the suite with `return _`"
            raise fault("E0406", expr.span, text, "a module is needed", help=help)
        use = frame.template.sites.setdefault(expr, Use("value", output=strip(value)))
        if isinstance(use, Use) and use.kind == "function" and use.layer is not None:
            self.step(frame, None, expr, None, value, Maker(use.callee, use.layer, expr.span))
        self.unread.leave(frame.flow, value, Departure(expr.span))
        frame.flow = value

    def is_repeat(self, expr: syntax.Binary, frame: Frame) -> bool:
        if expr.operator != "*":
            return False
        right = expr.right.function if isinstance(expr.right, syntax.Call) else expr.right
        if not isinstance(right, syntax.Name):
            return False
        found = self.find(right.id, frame)
        value = found.value if isinstance(found, Binding) else found
        if isinstance(value, LayerRef) and value.function and self.has_tensor((expr.left, expr.right), frame):
            return False
        return isinstance(value, LayerRef | BlockRef | Bound)

    def repeat(self, expr: syntax.Binary, frame: Frame) -> None:
        """`n * Block(...)`: fresh weights each time, the arguments evaluated once."""
        if expr.single:
            return self.stage(expr.right, frame, None)
        count = self.evaluate(expr.left, frame)
        if not is_int(count) or count < 0:
            text = f"a repeat count is an integer of at least 0, not {describe(count)}"
            raise fault("E0402", expr.left.span, text, f"of `{expr.right.span.text}`")
        if count > MAX_REPEATS:
            text = f"{int(count):,} repeats; at most {MAX_REPEATS:,} are allowed"
            raise fault("E0801", expr.left.span, text, "too many")
        held, frame.held = frame.held, frame.flow
        try:
            if spot(expr) in self.apart.unrolled or not frame.container.sequential:
                self.repeat_apart(expr, int(count), frame)
            else:
                header, turns = self.render(expr.left, frame), range(int(count))
                self.loop(
                    expr, header, turns, (), frame, lambda _: self.turn(expr, frame),
                    lambda number, _: repetition(number, int(count), expr.span),
                )  # fmt: skip
        finally:
            frame.held = held
        return None

    def turn(self, expr: syntax.Binary, frame: Frame) -> None:
        self.stage(expr.right, frame, None)

    def repeat_apart(self, expr: syntax.Binary, count: int, frame: Frame) -> None:
        """Repeats that turn out to be different things, one by one."""
        site = frame.template.sites.get(expr)
        if not isinstance(site, Unrolled):
            bodies = tuple((syntax.Flow(expr.right.span, None, None, clone(expr.right, {})),) for _ in range(count))
            site = frame.template.sites[expr] = Unrolled(self.render(expr.left, frame), (count,), bodies)
        self.visit(expr, count, frame, aspect="count")
        for (statement,) in site.bodies[:count]:
            self.stage(statement.body, frame, None)  # type: ignore[attr-defined]

    def fork(self, fork: syntax.Fork, frame: Frame) -> Any:
        """Runs every branch on the same value and joins what comes out; `fork:` binds names and leaves the flow."""
        entered = self.need_flow(frame, fork.span)
        found: list[tuple[syntax.Stmt, Any]] = []
        self.branches(fork.branches, entered, found, fork, frame)
        frame.flow = entered
        if fork.join is None:
            return entered
        results = [result for _, result in found]
        for result in results:
            self.unread.read(result)
        if not results:
            help = "at least one branch must remain; one whose `when` is false counts, one under a false `if` does not"
            raise fault("E0409", fork.span, "a fork without a branch", "nothing is left to join", help=help)
        if any(result is POISON for result in results):
            raise Poisoned
        dynamic = any(isinstance(branch, syntax.For | syntax.If) for branch in fork.branches)
        if len(results) == 1 and fork.join != "stack" and not dynamic:
            return results[0]
        joined = self.operate(fork.join, results, fork, frame, **JOIN_ARGUMENTS.get(fork.join, {}))
        return self.gathered(fork, found, joined, frame) if dynamic else joined

    def gathered(
        self, fork: syntax.Fork, found: Sequence[tuple[syntax.Stmt, Any]], joined: Tensor, frame: Frame
    ) -> Tensor:
        """What a fork gives whose number of branches is computed: the size that grows is a place of the fork."""
        value = joined.value
        axis = JOIN_ARGUMENTS["stack"]["dim"] if fork.join == "stack" else value.channel
        if fork.join not in ("cat", "stack") or axis is None:
            return joined
        key = ("_", 0, axis)
        table = frame.template.joins.setdefault((fork, key), Joined(value))
        for branch, result in found:
            size = 1 if fork.join == "stack" else result.value.shape[axis]
            table.parts.setdefault(branch, Term.of(size))
        return Tensor(value.with_dim(axis, self.as_place("join", fork, key, value.shape[axis])), joined.span)

    def branches(
        self, body: Sequence[syntax.Stmt], entered: Any, results: list[tuple[syntax.Stmt, Any]], fork: syntax.Fork,
        frame: Frame,
    ) -> None:  # fmt: skip
        for branch in body:
            frame.flow = entered
            match branch:
                case syntax.For():
                    self.loop_over(branch, frame, lambda body: self.branches(body, entered, results, fork, frame))
                case syntax.If():
                    self.branches(self.chosen(branch, frame), entered, results, fork, frame)
                case syntax.Return():
                    text, help = "`return` cannot stand in a fork", "move it behind the fork"
                    raise fault("E0409", branch.span, text, "a branch gives its value to the join", help=help)
                case syntax.Flow(operator="side"):
                    raise fault(
                        "E0409",
                        branch.span,
                        "`side` cannot stand in a fork",
                        "it would be no branch",
                        help="move it in front of the fork or behind it",
                    )
                case _:
                    self.statement(branch, frame)
                    results.append((branch, frame.flow))

    def chosen(self, statement: syntax.If, frame: Frame) -> Sequence[syntax.Stmt]:
        for condition, body in statement.branches:
            if self.guard(statement, condition, frame):
                return body
        return statement.otherwise

    def loop_over(self, statement: syntax.For, frame: Frame, body: Callable[[Sequence[syntax.Stmt]], None]) -> None:
        items = self.iterate(statement.iterable, frame)
        if any(must_unroll(item) for item in items) or self.is_apart(statement):
            return self.unroll(statement, items, frame, body)

        if any(holds_recipe(item) for item in items):
            frame.template.root.called.update(statement.target.names)
            self.asked_in.setdefault(spot(statement), set()).update(blocks_in(items))

        def run(item: Any) -> None:
            self.bind_target(statement.target, item, frame, statement)
            body(statement.body)

        names = sorted(set(assigned(statement.body)))
        iterable = iterated(self.render(statement.iterable, frame))
        target, place = statement.target, statement.span
        self.loop(statement, iterable, items, names, frame, run, lambda _, item: round_of(target, item, place))
        for name in statement.target.names if items else ():
            value, span = plain(frame.env[name].value), frame.env[name].span
            frame.env[name] = Past(value, value_term(value) if not holds_recipe(value) else Term({}), span, iterable)
        return None

    def is_apart(self, statement: syntax.For) -> bool:
        """Whether a loop must be written out: its turns differ, or it takes a name of a loop around it."""
        inside = [loop for number, loop in self.turning if number == self.expanding[-1]]
        taken = {name for loop in inside if isinstance(loop, syntax.For) for name in loop.target.names}
        return spot(statement) in self.apart.unrolled or bool(taken & set(statement.target.names))

    def unroll(
        self, statement: syntax.For, items: Sequence[Any], frame: Frame, body: Callable[[Sequence[syntax.Stmt]], None]
    ) -> None:  # fmt: skip
        """A loop over layers or blocks: what they need differs, so emitted code has the body once for each."""
        site = frame.template.sites.get(statement)
        frozen = tuple(self.frozen(item) for item in items)
        if site is None:
            copies = tuple(clone(statement.body, {}) for _ in items)
            try:
                iterable = self.render(statement.iterable, frame)
            except Fault:
                iterable = Term({})
            site = frame.template.sites[statement] = Unrolled(iterable, frozen, copies)
        self.visit(statement, frozen, frame)
        assert isinstance(site, Unrolled)
        if site.items != frozen:  # seen to when the net is expanded again
            site = Unrolled(site.iterable, frozen, tuple(clone(statement.body, {}) for _ in items))
        for item, copy in zip(items, site.bodies, strict=True):
            with self.trail.inside(round_of(statement.target, item, statement.span)):
                self.settle_target(statement.target, item, frame)
                body(copy)


def blocks_in(value: Any) -> Iterator[str]:
    """The names of the blocks in a value."""
    if isinstance(value, BlockRef):
        yield value.define.name
    elif isinstance(value, list | tuple):
        for item in value:
            yield from blocks_in(item)


def must_unroll(item: Any) -> bool:
    """Whether an item of a loop holds a layer or block that cannot be asked for by a name in each turn."""
    if isinstance(item, list | tuple):
        return any(must_unroll(part) for part in item)
    if isinstance(item, LayerRef):
        return item.function or not item.cls.is_uniform()
    return isinstance(item, Bound | Deferred)
