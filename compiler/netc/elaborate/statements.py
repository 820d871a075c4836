"""Statements: how each moves the flow, names modules and values, branches, repeats and joins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Diagnostics, Label, nearest
from netc.elaborate.cloning import clone, copied
from netc.elaborate.expressions import several_inputs, value_term
from netc.elaborate.placing import Placing, attach, map_values, strip
from netc.elaborate.syntactic import assigned, bound, is_module, labels_in, modules_only
from netc.elaborate.values import (
    POISON,
    Binding,
    BlockRef,
    Bound,
    Container,
    Default,
    Deferred,
    Fault,
    FileScope,
    Frame,
    LayerRef,
    Poisoned,
    Tensor,
    describe,
    fault,
    is_flowing,
    tensors,
)
from netc.graph import Construction, Guard, Joined, Loop, Module, Step, Template, Unrolled, Use
from netc.layer import Layer, State, is_int
from netc.naming import class_name
from netc.shapes import Value, show_dim, show_shape
from netc.terms import COMPARE, SUM, Term, written

JOINS = {"+": "add", "*": "mul", "&": "cat"}
FORK_JOINS = {"cat": "cat", "add": "add", "mul": "mul", "stack": "stack"}
MAX_REPEATS = 100_000
CHAIN = 6
VERBS = {"add": "add", "mul": "multiply", "cat": "concatenate", "stack": "stack"}
TRAINING = written("self.training")


class Statements(Placing):
    """Runs statements in a frame."""

    diagnostics: Diagnostics

    def statements(self, body: Sequence[syntax.Stmt], frame: Frame) -> None:
        for statement in body:
            self.statement(statement, frame)

    def statement(self, statement: syntax.Stmt, frame: Frame) -> None:
        """Runs one statement; a mistake is noted once and poisons what it would have made."""
        try:
            getattr(self, f"_run_{type(statement).__name__.lower()}")(statement, frame)
        except Fault as error:
            self.note(error, frame)
            self.poison(statement, frame)
        except Poisoned:
            self.poison(statement, frame)

    def note(self, error: Fault, frame: Frame) -> None:
        """Adds a mistake to the diagnostics, with the calls that led to it."""
        notes = tuple(
            f"in expansion of `{name}`, called at {span.source.name}:{span.line}:{span.column}"
            for name, span in list(dict.fromkeys(reversed(frame.chain)))[:CHAIN]
        )
        diagnostic = error.diagnostic
        self.diagnostics.add(
            type(diagnostic)(
                diagnostic.code, diagnostic.message, diagnostic.primary, diagnostic.secondary,
                (*diagnostic.notes, *notes), diagnostic.help, diagnostic.severity,
            )
        )  # fmt: skip

    def poison(self, statement: syntax.Stmt, frame: Frame) -> None:
        if isinstance(statement, syntax.Assign):
            for name in statement.target.names:
                frame.env[name] = Binding(POISON, Term({}), statement.span)
        elif isinstance(statement, syntax.Param):
            frame.env[statement.name] = Binding(POISON, Term({}), statement.span)
        elif isinstance(statement, syntax.Flow) and statement.operator == "side":
            if isinstance(statement.label, syntax.Name):
                frame.env[statement.label.id] = Binding(POISON, Term({}), statement.span)
        elif not isinstance(statement, syntax.Default | syntax.Init | syntax.Order | syntax.Tie):
            frame.flow = POISON
        if isinstance(statement, syntax.Flow) and isinstance(statement.label, syntax.Name):
            frame.container.broken.add(statement.label.id)

    # ---- the flow ----------------------------------------------------------------------------------

    def _run_flow(self, statement: syntax.Flow, frame: Frame) -> None:
        if statement.operator == "side":
            return self.side(statement, frame)
        if statement.when is None:
            return self.flow_body(statement, frame)
        outcome = self.guard(statement, statement.when, frame)
        before = frame.flow
        if outcome:
            self.flow_body(statement, frame)
        if frame.flow is not POISON and before is not None:
            after, frame.flow = frame.flow, self.join(statement, int(outcome), frame.flow, frame)
            if outcome:
                self.leaving_out(statement, statement.when, 0, before, after, frame)
        return None

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
                size if axis == 0 else self.joined(node, (name, index, axis), outcome, size, frame)
                for axis, size in enumerate(value.shape)
            )

        values = strip(flowing)
        return self.reattach(flowing, map_values(values, relabel))

    def joined(self, node: syntax.Node, key: Any, outcome: int, size: Any, frame: Frame) -> Any:
        if isinstance(size, Term):
            return size
        table = frame.template.joins.setdefault((node, key), Joined())
        table.terms.setdefault(outcome, Term.of(size))
        return self.as_place("join", node, key, size)

    def reattach(self, flowing: Any, values: Any) -> Any:
        """New values on the tensors that made the old ones."""
        if isinstance(flowing, Tensor):
            return Tensor(values, flowing.span)
        if isinstance(flowing, tuple):
            return tuple(self.reattach(a, b) for a, b in zip(flowing, values, strict=True))
        return flowing

    def flow_body(self, statement: syntax.Flow, frame: Frame) -> None:
        if statement.operator is None:
            return self.labelled(statement, frame)
        if statement.operator == "inline":
            return self.inline(statement, frame)
        left = self.need_flow(frame, statement.span)
        self.labelled(statement, frame)
        right = frame.flow
        if right is POISON:
            raise Poisoned
        frame.flow = self.operate(JOINS[statement.operator], [left, right], statement, frame)
        return None

    def operate(self, name: str, sides: list[Any], node: syntax.Node, frame: Frame) -> Any:
        """Joins tensors by the function of that name."""
        cls = self.registry.layer(name)
        if cls is None:
            raise fault("E0301", node.span, f"no plugin brings the function `{name}`", "needed here")
        ref = LayerRef(name, cls, True)
        layer = cls.bind((), {})
        values = tuple(t.value for t in tensors(sides))
        span = node.span
        flat = [t for side in sides for t in tensors(side)]
        try:
            layer.admit(*values)
            output = self.joined_value(layer, values)
        except Exception as error:
            raise self.mismatch(error, ref, flat, node) from None
        use = Use("function", layer, values, callee=name, output=output)
        use.arguments = self.call_arguments(layer, True, self.given(None, cls.fields, cls.inputs, frame), values)
        frame.template.sites.setdefault(node, use)
        frame.container.module.steps.append(Step(None, name, None, output))
        return attach(output, span)

    def joined_value(self, layer: Layer, values: tuple[Value, ...]) -> Any:
        """What comes of joining any number of values by a function of many, or of two at a time."""
        if layer.inputs[0].startswith("*"):
            return layer.infer(*values)
        result: Any = values[0]
        for value in values[1:]:
            result = layer.infer(result, value)
        return result

    def mismatch(self, error: Exception, ref: LayerRef, sides: Sequence[Tensor], node: syntax.Node) -> Exception:
        """A refusal to join, with every side and the place that made it."""
        from netc.layer import Reject

        if not isinstance(error, Reject):
            return error
        labels = tuple(Label(t.span, f"this side has shape {t.value}") for t in sides)
        distinct = {(at.span.source.name, at.span.start, at.text): at for at in labels if at.span != node.span}
        text, help = disagreement(VERBS.get(ref.name, ref.name), [t.value for t in sides], ref.name == "cat")
        return fault(
            "E0604", node.span, text or f"cannot {VERBS.get(ref.name, ref.name)} these: {error.reason}", "joined here",
            secondary=tuple(distinct.values()), help=help or error.help,
        )  # fmt: skip

    def labelled(self, statement: syntax.Flow, frame: Frame) -> None:
        """Runs a body under its label, if it has one."""
        if statement.label is None:
            return self.run(statement.body, frame)
        label = self.label(statement.label, frame)
        body = statement.body
        if isinstance(body, syntax.Suite):
            return self.suite(statement, body.body, label, frame)
        if isinstance(body, syntax.Group):
            return self.suite(statement, body.body, label, frame)
        if isinstance(body, syntax.Fork):
            return self.scope(statement, (syntax.Flow(body.span, None, None, body),), label, frame)
        if isinstance(body, syntax.Pipe):
            return self.pipe_member(statement, body, label, frame)
        if isinstance(body, syntax.Binary) and self.is_repeat(body, frame):
            return self.sequential(statement, (syntax.Flow(body.span, None, None, body),), label, frame)
        return self.stage(body, frame, label)

    def label(self, label: syntax.Name | syntax.String, frame: Frame) -> str | None:
        """The text of a label; None for `seq`, the next number of a Sequential."""
        if isinstance(label, syntax.Name):
            self.refuse_attribute(label.id, label)
            return None if label.id == "seq" and frame.container.sequential else label.id
        text = self.evaluate(label, frame)
        if not text or "." in text or text != text.strip():
            raise fault("E0408", label.span, f'"{text}" cannot be a label', "a name without dots is needed")
        self.refuse_attribute(str(text), label)
        frame.template.terms.setdefault(label, self.render(label, frame))
        return str(text)

    def pipe_member(self, statement: syntax.Flow, body: syntax.Pipe, label: str | None, frame: Frame) -> None:
        """`label: a -> b`: a Sequential; value heads before the first module stay outside it."""
        names = set(frame.names())
        stages = list(body.stages)
        while len(stages) > 1 and not is_module(stages[0], names) and self.is_value(stages[0], frame):
            self.run(stages.pop(0), frame)
        statements = tuple(syntax.Flow(stage.span, None, None, stage) for stage in stages)
        self.sequential(statement, statements, label, frame)

    def is_value(self, expr: syntax.Expr, frame: Frame) -> bool:
        if isinstance(expr, syntax.Name):
            found = self.find(expr.id, frame)
            return isinstance(found, Binding) and (is_flowing(found.value) or found.value is POISON)
        return isinstance(expr, syntax.TupleExpr | syntax.Index)

    def suite(self, statement: syntax.Flow, body: Sequence[syntax.Stmt], label: str | None, frame: Frame) -> None:
        if modules_only(body, set(frame.names())):
            return self.sequential(statement, body, label, frame)
        return self.scope(statement, body, label, frame)

    def sequential(self, statement: syntax.Flow, body: Sequence[syntax.Stmt], label: str | None, frame: Frame) -> None:
        """A Sequential in the class of the frame around it."""
        outer, entered = frame.container, frame.flow
        module = Module("sequential", label or "", statement.span, text="")
        module.inputs = tuple(t.value for t in tensors(entered))
        use = Use("block", None, module.inputs, callee="Sequential")
        self.member(frame, module, use, label, statement.body)
        self.step_after(frame, use, module)
        frame.container = Container(module, True)
        try:
            self.statements(body, frame)
        finally:
            frame.container = outer
        if frame.flow is POISON:
            raise Poisoned
        module.output = use.output = strip(frame.flow)
        outer.module.steps[-1] = Step(use.label, "", module, module.output)
        frame.template.sites.setdefault(statement.body, use)

    def step_after(self, frame: Frame, use: Use, module: Module) -> None:
        frame.container.module.steps.append(Step(use.label, "", module, ()))

    def scope(self, statement: syntax.Flow, body: Sequence[syntax.Stmt], label: str | None, frame: Frame) -> None:
        """A labelled suite that is more than a Sequential: a class of its own inside the definition."""
        key = (statement, frame.template.key)
        if key not in self.templates:
            name = class_name(label or "block")
            self.templates[key] = Template(key, name, statement, tuple(body), False, frame.template)
        template = self.templates[key]
        module = Module("block", template.name, statement.span, text="")
        inner = Frame(template, frame.scope, Container(module, False), parent=frame, defaults=frame.defaults)
        inner.chain = frame.chain
        inner.entry = inner.flow = self.enter_suite(frame.flow, template)
        module.inputs = tuple(t.value for t in tensors(inner.flow))
        use = Use("block", None, module.inputs, template=template, callee=template.name)
        self.member(frame, module, use, label, statement.body)
        self.statements(body, inner)
        if inner.flow is POISON:
            raise Poisoned
        module.output = strip(inner.flow)
        template.output = template.output or module.output
        from netc.elaborate.placing import Expansion

        output = self.returned(Expansion(module, module.output, template), frame, statement.body)
        use.output, use.inner = strip(output), module.output
        if statement.body not in frame.template.sites:
            frame.template.sites[statement.body] = use
            template.constructions.append(Construction(frame.template, use))
        self.step(frame, use.label, statement, module, output)
        frame.flow = output

    def enter_suite(self, flow: Any, template: Template) -> Any:
        """A suite sees the sizes of what flows in as the definition around it does."""
        for i, tensor in enumerate(tensors(flow)):
            template.inputs.setdefault("x" if i == 0 else f"x{i + 1}", tensor.value)
        return flow

    # ---- stages --------------------------------------------------------------------------------------

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
            getattr(self, f"_run_{type(statement).__name__.lower()}")(statement, frame)
            if frame.flow is POISON:
                raise Poisoned

    def stage(self, expr: syntax.Expr, frame: Frame, label: str | None) -> None:
        """One stage of a chain: a module, a function, a member used again, or a value that becomes the flow."""
        match expr:
            case syntax.Name(id=name):
                self.named_stage(name, expr, None, frame, label)
            case syntax.Call(function=syntax.Name(id=name)):
                self.named_stage(name, expr, expr, frame, label)
            case syntax.IfElse() if label is not None or is_module(expr, set(frame.names())):
                taken = expr.then if self.guard(expr, expr.condition, frame) else expr.otherwise
                self.stage(taken, frame, label)
            case syntax.Binary() if self.is_repeat(expr, frame):
                self.repeat(expr, frame)
            case _:
                self.set_flow(expr, self.evaluate(expr, frame), frame, label)

    def named_stage(self, name: str, expr: syntax.Expr, call: syntax.Call | None, frame: Frame, label: str | None) -> None:
        head = expr if isinstance(expr, syntax.Name) else expr.function  # type: ignore[attr-defined]
        found = None if name in ("x", "_") else frame.lookup(name)
        placed = frame.container.labels.get(name) if name not in ("x", "_") else None
        if found is None and placed is not None and call is None:
            if label is not None:
                return self.second_key(placed, label, frame, expr)
            return self.reuse(placed, name, frame, expr)
        if found is None and name in frame.container.broken:
            raise Poisoned
        value = found.value if found is not None else self.resolve(head, frame)
        if value is POISON:
            raise Poisoned
        if isinstance(value, LayerRef | BlockRef | Bound):
            parameter = found is not None
            self.place(value, call, frame, expr, label)
            site = frame.template.sites.get(expr)
            if parameter and isinstance(site, Use) and not site.callee.startswith("="):
                site.callee = "=" + name
                if site.template is not None:
                    site.template.passed = True
            return None
        if isinstance(value, Deferred):
            return self.place_deferred(value, expr, frame, label)
        return self.set_flow(expr, value if call is None else self.evaluate(expr, frame), frame, label)

    def second_key(self, placed: Any, label: str, frame: Frame, expr: syntax.Expr) -> None:
        """`b: a`: the same module under a second key, applied again."""
        self.reuse(placed, placed.use.label, frame, expr)
        frame.container.module.children[label] = placed.module
        frame.container.module.aliases.add(label)
        frame.container.labels[label] = placed
        site = frame.template.sites[expr]
        assert isinstance(site, Use)
        site.callee = placed.use.label

    def place_deferred(self, value: Deferred, expr: syntax.Expr, frame: Frame, label: str | None) -> None:
        """A chain that was kept under a name or passed as an argument, placed here."""
        site = frame.template.sites.setdefault(expr, Use("deferred", expr=value.expr))
        if not isinstance(site, Use) or site.expr is not value.expr:
            raise fault("E0406", expr.span, f"`{expr.span.text}` stands for several chains", "here", help="name each with a `def`")
        inner = Frame(
            frame.template, value.frame.scope, frame.container, frame.flow, parent=value.frame,
            defaults=frame.defaults, chain=frame.chain,
        )  # fmt: skip
        if label is None:
            self.run(value.expr, inner)
        else:
            self.labelled(syntax.Flow(expr.span, None, syntax.String(expr.span, (label,)), value.expr), inner)
        frame.flow = inner.flow

    def set_flow(self, expr: syntax.Expr, value: Any, frame: Frame, label: str | None) -> None:
        if not is_flowing(value):
            if value is None and isinstance(expr, syntax.Name) and expr.id == "x":
                raise several_inputs(expr.span, frame)
            raise fault("E0402", expr.span, f"{describe(value)} cannot stand in the flow", "a layer or a tensor is needed")
        if label is not None:
            raise fault("E0408", expr.span, "a label names a module, and this is a tensor", f"labelled `{label}`",
                        help=f"keep it with `{label} = {expr.span.text}`")
        frame.template.sites.setdefault(expr, Use("value", output=strip(value)))
        frame.flow = value

    def is_repeat(self, expr: syntax.Binary, frame: Frame) -> bool:
        if expr.operator != "*":
            return False
        right = expr.right.function if isinstance(expr.right, syntax.Call) else expr.right
        if not isinstance(right, syntax.Name):
            return False
        found = self.find(right.id, frame)
        value = found.value if isinstance(found, Binding) else found
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
            raise fault("E0801", expr.left.span, f"{int(count)} repeats; at most {MAX_REPEATS} are allowed", "too many")
        self.loop(expr, self.render(expr.left, frame), range(int(count)), (), frame, lambda _: self.stage(expr.right, frame, None))

    # ---- branches ------------------------------------------------------------------------------------

    def fork(self, fork: syntax.Fork, frame: Frame) -> Any:
        """Runs every branch on the same value and joins what comes out; `fork:` binds names and leaves the flow."""
        entered = self.need_flow(frame, fork.span)
        found: list[tuple[syntax.Stmt, Any]] = []
        self.branches(fork.branches, entered, found, fork, frame)
        frame.flow = entered
        if fork.join is None:
            return entered
        results = [result for _, result in found]
        if not results:
            raise fault("E0409", fork.span, "a fork without a branch", "nothing is left to join")
        if any(result is POISON for result in results):
            raise Poisoned
        dynamic = any(isinstance(branch, syntax.For | syntax.If) for branch in fork.branches)
        if len(results) == 1 and fork.join != "stack" and not dynamic:
            return results[0]
        joined = self.operate(FORK_JOINS[fork.join], results, fork, frame)
        return self.gathered(fork, found, joined, frame) if dynamic else joined

    def gathered(
        self, fork: syntax.Fork, found: Sequence[tuple[syntax.Stmt, Any]], joined: Tensor, frame: Frame
    ) -> Tensor:
        """What a fork gives whose number of branches is computed: the size that grows with them is a place of the fork."""
        value = joined.value
        axis = 0 if fork.join == "stack" else value.channel
        if fork.join not in ("cat", "stack") or axis is None:
            return joined
        key = ("_", 0, axis)
        table = frame.template.joins.setdefault((fork, key), Joined())
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
                    raise fault("E0409", branch.span, "`side` cannot stand in a fork", "it would be no branch",
                                help="move it in front of the fork or behind it")
                case _:
                    self.statement(branch, frame)
                    results.append((branch, frame.flow))

    def chosen(self, statement: syntax.If, frame: Frame) -> Sequence[syntax.Stmt]:
        for condition, body in statement.branches:
            if self.guard(statement, condition, frame):
                return body
        return statement.otherwise

    def _run_if(self, statement: syntax.If, frame: Frame) -> None:
        outcome, body = len(statement.branches), statement.otherwise
        for i, (condition, branch) in enumerate(statement.branches):
            if self.guard(statement, condition, frame):
                outcome, body = i, branch
                break
        before = frame.flow
        self.statements(body, frame)
        if frame.flow is not POISON and frame.flow is not None:
            after, frame.flow = frame.flow, self.join(statement, outcome, frame.flow, frame)
            if statement.optional and not outcome and before is not None:
                self.leaving_out(statement, statement.branches[0][0], 1, before, after, frame)
        names = {n for _, b in statement.branches for n in assigned(b)} | set(assigned(statement.otherwise))
        self.rejoin(statement, sorted(names), outcome, frame)

    def rejoin(self, node: syntax.Node, names: Sequence[str], outcome: int, frame: Frame) -> None:
        """Names bound inside a condition or a loop are, after it, what that construct left them."""
        for name in names:
            found = frame.env.get(name)
            if found is None or found.value is POISON:
                continue
            if is_flowing(found.value):
                value = self.join(node, outcome, found.value, frame, name)
                frame.env[name] = Binding(value, found.term, found.span)
            else:
                frame.env[name] = self.binding(name, found.value, node, node)

    # ---- loops ---------------------------------------------------------------------------------------

    def _run_for(self, statement: syntax.For, frame: Frame) -> None:
        self.loop_over(statement, frame, lambda body: self.statements(body, frame))

    def loop_over(self, statement: syntax.For, frame: Frame, body: Callable[[Sequence[syntax.Stmt]], None]) -> None:
        items = self.iterate(statement.iterable, frame)
        if any(holds_recipe(item) for item in items):
            return self.unroll(statement, items, frame, body)

        def run(item: Any) -> None:
            self.bind_target(statement.target, item, frame, statement)
            body(statement.body)

        names = sorted(set(assigned(statement.body)))
        self.loop(statement, self.render(statement.iterable, frame), items, names, frame, run)
        return None

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
        if not isinstance(site, Unrolled) or site.items != frozen:
            text = "this loop goes over different layers in different uses of the block"
            raise fault("E0406", statement.span, text, "here", help="give each use a block of its own")
        for item, copy in zip(items, site.bodies, strict=True):
            self.settle_target(statement.target, item, frame)
            body(copy)

    def settle_target(self, target: syntax.Target, value: Any, frame: Frame) -> None:
        """Binds names to values that emitted code writes as they are."""
        if target.name is not None:
            recipe = holds_recipe(value)
            frame.env[target.name] = Binding(value, Term({}) if recipe else value_term(value), target.span)
            return
        if not isinstance(value, list | tuple) or len(value) != len(target.items):
            raise fault("E0403", target.span, f"{len(target.items)} names for {describe(value)}", "names here")
        for part, item in zip(target.items, value, strict=True):
            self.settle_target(part, item, frame)

    def loop(
        self, node: syntax.Node, header: Term, items: Sequence[Any], names: Sequence[str], frame: Frame,
        run: Callable[[Any], None],
    ) -> None:  # fmt: skip
        """Runs a body for each item; what the body carries around is known by places of this loop."""
        site = frame.template.sites.setdefault(node, Loop(header))
        assert isinstance(site, Loop)
        site.counts.add(len(items))
        carried = [name for name in names if name in frame.env]
        self.carry(node, carried, 0, frame)
        for item in items:
            run(item)
            if frame.flow is POISON:
                raise Poisoned
            self.carry(node, carried, 1, frame)
        if frame.flow is not None:
            frame.flow = self.join(node, 0, frame.flow, frame, "after")
        self.rejoin(node, [name for name in names if name not in carried], 1, frame)

    def carry(self, node: syntax.Node, names: Sequence[str], outcome: int, frame: Frame) -> None:
        """Notes what enters the loop (0) or comes around (1), and goes on with the loop's places."""
        if frame.flow is not None:
            frame.flow = self.join(node, outcome, frame.flow, frame)
        self.rejoin(node, names, outcome, frame)

    # ---- names ---------------------------------------------------------------------------------------

    def _run_assign(self, statement: syntax.Assign, frame: Frame) -> None:
        if statement.when is not None and not self.guard(statement, statement.when, frame):
            return self.rejoin(statement, statement.target.names, 0, frame)
        self.taken_apart = syntax.last_stage(statement.value) if statement.target.items else None
        value = self.assigned_value(statement.value, frame)
        self.taken_apart = None
        if frame.container.sequential:
            raise fault(
                "E0409", statement.span, "an assignment cannot stand in a Sequential", "its members are modules only",
            )  # fmt: skip
        if not is_flowing(value) and not isinstance(value, LayerRef | BlockRef | Bound | Deferred):
            frame.template.terms.setdefault(statement, self.render(statement.value, frame))
        self.bind_target(statement.target, value, frame, statement)

    def assigned_value(self, expr: syntax.Expr, frame: Frame) -> Any:
        """The worth of the right side: a chain that begins with a value is run, one of layers is kept for later."""
        if isinstance(expr, syntax.Pipe) and (self.is_value(expr.stages[0], frame) or is_tensor_call(expr.stages[0], self, frame)):
            before = frame.flow
            self.run(expr, frame)
            value, frame.flow = frame.flow, before
            if value is POISON:
                raise Poisoned
            return value
        if isinstance(expr, syntax.IfElse):
            taken = self.guard(expr, expr.condition, frame)
            value = self.assigned_value(expr.then if taken else expr.otherwise, frame)
            if is_flowing(value):
                return self.join(expr, int(taken), value, frame)
            return self.trace(expr, value, frame)
        return self.evaluate(expr, frame)

    def _run_input(self, statement: syntax.Input, frame: Frame) -> None:
        raise fault("E0409", statement.span, "`input` stands only in a net", "a block takes what flows into it")

    def _run_param(self, statement: syntax.Param, frame: Frame) -> None:
        sizes = tuple(size for expr in statement.shape for size in self.sizes(expr, frame))
        self.refuse_attribute(statement.name, statement)
        initial = self.evaluate_init(statement, frame)
        self.free_name(statement, frame)
        kind = "parameter" if statement.kind == "param" else "buffer"
        frame.container.module.state[statement.name] = State(sizes, kind)  # type: ignore[arg-type]
        value = Value(sizes, "float", None)
        frame.env[statement.name] = Binding(Tensor(value, statement.span), Term({}), statement.span)
        if statement not in frame.template.sites:
            shape = [self.render(expr, frame) for expr in statement.shape]
            frame.template.sites[statement] = Use("layer", initial, arguments=self.parameter_arguments(shape))

    def free_name(self, statement: syntax.Param, frame: Frame) -> None:
        """A parameter and a module of one name would be one key of the state dict."""
        module, labels = frame.container.module, frame.container.labels
        if statement.name in module.state or statement.name in module.children:
            first = (Label(labels[statement.name].span, "first here"),) if statement.name in labels else ()
            raise fault("E0403", statement.span, f"`{statement.name}` is taken", "again here", secondary=first)

    def parameter_arguments(self, shape: Sequence[Term]) -> Any:
        from netc.graph import Argument

        return tuple(Argument(str(i), term, True) for i, term in enumerate(shape))

    def sizes(self, expr: syntax.Expr, frame: Frame) -> tuple[Any, ...]:
        value = self.evaluate(expr, frame)
        items = value if isinstance(value, tuple | list) else (value,)
        for item in items:
            if not is_int(item) or item < 0:
                raise fault("E0404", expr.span, f"a size is an integer, not {describe(item)}", "of this shape")
        return tuple(items)

    def evaluate_init(self, statement: syntax.Param, frame: Frame) -> Any:
        """The initialiser of a parameter or buffer, or the number that fills it."""
        if statement.init is None:
            raise fault("E0401", statement.span, f"`{statement.name}` needs an initial value", "add `= zeros`")
        raise NotImplementedError

    def _run_default(self, statement: syntax.Default, frame: Frame) -> None:
        frame.defaults = (*frame.defaults, self.default(statement, frame))

    def default(self, statement: syntax.Default, frame: Frame) -> Default:
        found = self.resolve(statement.layer, frame)
        if not isinstance(found, LayerRef):
            raise fault("E0402", statement.layer.span, f"`default` is for layers, not {describe(found)}", "no layer",
                        help="give the parameter of the block a default where it is defined")
        for arg in statement.args:
            signature = f"the signature is `{found.cls.signature()}`"
            if arg.name is None:
                text = f"`default {found.name}` takes named arguments"
                raise fault("E0401", arg.span, text, "without a name", help=signature)
            if arg.name not in found.cls.fields:
                near = nearest(arg.name, found.cls.fields)
                help = f"did you mean `{near}`?" if near else signature
                raise fault(
                    "E0401", arg.span, f"`{found.name}` has no argument `{arg.name}`", "no such argument", help=help,
                )  # fmt: skip
        return Default(found.cls, statement.args, frame)

    def _run_side(self, statement: syntax.Flow, frame: Frame) -> None:
        self.side(statement, frame)

    def side(self, statement: syntax.Flow, frame: Frame) -> None:
        """`side aux: ... when training`: a module whose output is kept under its label and leaves the flow alone."""
        if not isinstance(statement.label, syntax.Name):
            help = "`side aux: Head when training`"
            raise fault("E0408", statement.span, "`side` needs a label", "without a name", help=help)
        name = statement.label.id
        frame.env["training"] = Binding(True, TRAINING, statement.span)
        try:
            if statement.when is not None and not self.guard(statement, statement.when, frame):
                frame.env[name] = Binding(None, Term({}), statement.span)
                return
        finally:
            frame.env.pop("training", None)
        before = frame.flow
        self.labelled(statement, frame)
        value, frame.flow = frame.flow, before
        frame.env[name] = Binding(value, Term({}), statement.span)

    def _run_order(self, statement: syntax.Order, frame: Frame) -> None:
        children = frame.container.module.children
        labels = [str(self.label(name, frame)) for name in statement.names]
        known = set(labels_in(frame.template.body))
        for label, node in zip(labels, statement.names, strict=True):
            if label in frame.container.broken:
                raise Poisoned
            if label not in children and label not in frame.container.module.state and label not in known:
                near = nearest(label, children)
                raise fault("E0302", node.span, f"there is no module `{label}` here", "not a label of this block",
                            help=f"did you mean `{near}`?" if near else None)
        first = {label: children[label] for label in labels if label in children}
        rest = {label: child for label, child in children.items() if label not in first}
        children.clear()
        children.update({**first, **rest})

    def _run_tie(self, statement: syntax.Tie, frame: Frame) -> None:
        target, source = (self.tied(side, frame) for side in (statement.target, statement.source))
        (holder, name, state), (_, _, other) = target, source
        if tuple(state.shape) != tuple(other.shape):
            text = f"cannot tie a tensor of shape {show_shape(state.shape)} to one of {show_shape(other.shape)}"
            raise fault("E0602", statement.span, text, "tied here", help="both sides must have one shape")
        holder.tied[name] = statement.source.span.text

    def tied(self, expr: syntax.Expr, frame: Frame) -> tuple[Module, str, State]:
        module, parts = frame.container.module, expr.span.text.split(".")
        for part in parts[:-1]:
            if part not in module.children:
                near = nearest(part, module.children)
                help = f"did you mean `{near}`?" if near else None
                raise fault(
                    "E0302", expr.span, f"there is no module `{part}` here", "not a label of this block", help=help,
                )  # fmt: skip
            module = module.children[part]
        if parts[-1] not in module.state:
            has = ", ".join(f"`{name}`" for name in module.state) or "none"
            text = f"`{'.'.join(parts[:-1])}` has no parameter `{parts[-1]}`"
            raise fault("E0302", expr.span, text, f"it has {has}")
        return module, parts[-1], module.state[parts[-1]]

    def _run_return(self, statement: syntax.Return, frame: Frame) -> None:
        frame.env["training"] = Binding(False, TRAINING, statement.span)
        try:
            frame.returned = self.result(statement.value, frame)
        finally:
            frame.env.pop("training", None)

    def result(self, expr: syntax.Expr, frame: Frame) -> Any:
        """What a `return` gives: a tensor, a tuple, a dict, or a record `Name(k=v)`."""
        if isinstance(expr, syntax.IfElse):
            return self.chosen_result(expr, frame)
        if isinstance(expr, syntax.TupleExpr):
            return tuple(self.result(item, frame) for item in expr.items)
        if isinstance(expr, syntax.DictExpr):
            return {name: self.result(item, frame) for name, item in expr.items}
        if isinstance(expr, syntax.Call) and expr.args and all(arg.name for arg in expr.args):
            if isinstance(expr.function, syntax.Name) and self.find(expr.function.id, frame) is None:
                return {str(arg.name): self.result(arg.value, frame) for arg in expr.args}
        value = self.assigned_value(expr, frame)
        if not is_flowing(value) and value is not None:
            raise fault("E0402", expr.span, f"a net returns tensors, not {describe(value)}", "returned here")
        return value

    def chosen_result(self, expr: syntax.IfElse, frame: Frame) -> Any:
        """What a conditional `return` gives outside training; both sides are checked where training decides."""
        training = frame.env["training"]
        frame.env["training"] = Binding(True, TRAINING, training.span)
        when_training = self.condition(expr.condition, frame)
        frame.env["training"] = training
        taken = self.guard(expr, expr.condition, frame)
        result = self.result(expr.then if taken else expr.otherwise, frame)
        if when_training != taken:
            self.result(expr.then if when_training else expr.otherwise, frame)
        return result

    def inline(self, statement: syntax.Flow, frame: Frame) -> None:
        """`inline Block(...)`: the block's statements as if they stood here; its names stay its own."""
        body = statement.body
        call = body if isinstance(body, syntax.Call) else None
        head = body.function if isinstance(body, syntax.Call) else body
        found = self.resolve(head, frame) if isinstance(head, syntax.Name) else None
        if not isinstance(found, BlockRef):
            raise fault(
                "E0402", body.span, "`inline` takes a block", "no block", help="a block begins with `def Name:`",
            )  # fmt: skip
        values, terms, _ = self.block_arguments(found, call, frame, body, frame)
        found = BlockRef(self.copy_for(body, found.define, frame.template), found.scope)
        inner = self.new_frame(found, frame)
        inner.template, inner.container, inner.chain = frame.template, frame.container, (*frame.chain, (found.define.name, body.span))
        self.bind_parameters(found.define, values, inner)
        for param in found.define.params:
            term = terms.get(param.name)
            if term is None:
                assert param.default is not None
                term = self.render(param.default, inner)
            value = values[param.name]
            bound = self.binding(param.name, value, body, param)
            inner.env[param.name] = bound
            frame.template.locals.setdefault(body, {})[param.name] = term
        inner.entry = inner.flow = frame.flow
        frame.template.sites.setdefault(body, Use("inline", callee=found.define.name, define=found.define))
        self.statements(found.define.body, inner)
        if inner.returned is not None:
            raise fault("E0409", body.span, f"`{found.define.name}` returns, and what is inlined cannot", "here")
        frame.defaults = inner.defaults
        frame.flow = inner.flow

    def copy_for(self, place: syntax.Expr, define: syntax.Define, template: Template) -> syntax.Define:
        """The text of a definition for one place where it is inlined, with names that the class has not bound yet."""
        known = template.sites.get(place)
        if isinstance(known, Use) and known.define is not None:
            return known.define
        inlined = [s.define.body for s in template.sites.values() if isinstance(s, Use) and s.define is not None]
        taken = {name for body in (template.body, *inlined) for name in bound(body)} | set(template.parameters)
        return copied(define, taken)


def kind_of(value: Value) -> tuple[Any, ...]:
    """What emitted code takes for granted of a tensor: all but its known sizes."""
    return (value.kind, value.channel, *(isinstance(size, int) or str(size) for size in value.shape))


def holds_recipe(value: Any) -> bool:
    """Whether a value is a layer or block, or a sequence with one in it."""
    if isinstance(value, list | tuple):
        return any(holds_recipe(item) for item in value)
    return isinstance(value, LayerRef | BlockRef | Bound | Deferred)


def disagreement(verb: str, sides: Sequence[Value], joins: bool) -> tuple[str | None, str | None]:
    """The two sizes that do not fit and the way out: `cannot add 256 channels to 64`; None where ranks differ."""
    first = sides[0]
    other = next((side for side in sides[1:] if side.rank != first.rank), None)
    if other is not None:
        text = f"cannot {verb} a value of {first.rank} dimensions and one of {other.rank}"
        return text, "`flatten` or `reshape` one side"
    for side in sides[1:]:
        for axis, (a, b) in enumerate(zip(first.shape, side.shape, strict=True)):
            fits = axis == first.channel if joins else 1 in (a, b)
            if isinstance(a, int) and isinstance(b, int) and a != b and not fits:
                return f"cannot {verb} {named_size(a, b, axis, first)}", way_out(axis, first)
    return None, None


def named_size(a: int, b: int, axis: int, value: Value) -> str:
    """`256 channels and 64`, `height 9 and 5`."""
    if axis == value.channel:
        return f"{int(a)} channels and {int(b)}"
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}.get(len(value.spatial), ())
    if axis in value.spatial and len(names) == len(value.spatial) and value.channel is not None:
        return f"{names[value.spatial.index(axis)]} {int(a)} and {int(b)}"
    return f"size {int(a)} and {int(b)} of dimension {axis}"


def way_out(axis: int, value: Value) -> str:
    if axis == value.channel:
        channels = show_dim(value.shape[axis])
        size = f"Conv({channels}, 1)" if value.spatial else f"Linear({channels})"
        return f"bring one side to the channels of the other: `x -> (proj: {size})`"
    return "see the strides and paddings on the way to each side"


def is_tensor_call(expr: syntax.Expr, statements: Statements, frame: Frame) -> bool:
    """Whether a stage is a function of tensors that are all given: `chunk(x, 2)`."""
    if not isinstance(expr, syntax.Call) or not isinstance(expr.function, syntax.Name):
        return False
    found = statements.find(expr.function.id, frame)
    if not isinstance(found, LayerRef) or not found.function:
        return False
    return any(statements.is_value(arg.value, frame) for arg in expr.args)


__all__ = ["FileScope", "Statements"]
