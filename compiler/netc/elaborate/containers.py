"""Labelled bodies: what is a Sequential, what is a class of its own, and which label it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.diagnostics import Span
from netc.elaborate.arguments import strip
from netc.elaborate.arithmetic import Arithmetic
from netc.elaborate.syntactic import is_module, modules_only
from netc.elaborate.values import (
    POISON,
    Binding,
    Container,
    Deferred,
    Frame,
    Poisoned,
    Tensor,
    fault,
    is_flowing,
    tensors,
)
from netc.graph import Construction, Module, Step, Template, Use
from netc.naming import class_name


class Containers(Arithmetic):
    """Puts bodies under labels."""

    def run(self, expr: syntax.Expr, frame: Frame) -> None:
        """Runs a chain, a group, a fork or a single stage."""
        raise NotImplementedError

    def stage(self, expr: syntax.Expr, frame: Frame, label: str | None) -> None:
        """One stage of a chain."""
        raise NotImplementedError

    def is_repeat(self, expr: syntax.Binary, frame: Frame) -> bool:
        """Whether `n * Block(...)` stands here."""
        raise NotImplementedError

    def labelled(self, statement: syntax.Flow, frame: Frame) -> None:
        """Runs a body under its label, if it has one."""
        if statement.label is None:
            return self.run(statement.body, frame)
        label = self.label(statement.label, frame)
        frame.computed, frame.label = statement.label in frame.template.terms, statement.label.span
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
            inner = syntax.Flow(body.span, None, None, body)
            return self.sequential(statement, (inner,), label, frame, repeats=True)
        return self.stage(body, frame, label)

    def label(self, label: syntax.Name | syntax.String, frame: Frame) -> str | None:
        """The text of a label; None for `seq`, the next number of a Sequential."""
        if isinstance(label, syntax.Name):
            self.refuse_attribute(label.id, label)
            return None if label.id == "seq" and frame.container.sequential else label.id
        text = self.evaluate(label, frame)
        if not text or "." in text or text != text.strip():
            help = "a level of its own is a suite: `a:`, and `b: ...` indented under it" if "." in str(text) else None
            raise fault("E0408", label.span, f'"{text}" cannot be a label', "a name without dots is needed", help=help)
        self.refuse_attribute(str(text), label)
        frame.template.terms.setdefault(label, self.render(label, frame))
        return str(text)

    def pipe_member(self, statement: syntax.Flow, body: syntax.Pipe, label: str | None, frame: Frame) -> None:
        """`label: a -> b`: a Sequential; value heads before the first module stay outside it.

        A Sequential passes one value on, so a layer behind a tuple stands under the label itself:
        `attn: (q, k, v) -> MultiheadAttention(8)`.
        """
        names = set(frame.names())
        stages = list(body.stages)
        while len(stages) > 1 and not is_module(stages[0], names) and self.is_value(stages[0], frame):
            self.run(stages.pop(0), frame)
        if len(stages) == 1 and isinstance(frame.flow, tuple) and isinstance(stages[0], syntax.Name | syntax.Call):
            return self.stage(stages[0], frame, label)
        statements = tuple(syntax.Flow(stage.span, None, None, stage) for stage in stages)
        return self.sequential(statement, statements, label, frame)

    def is_value(self, expr: syntax.Expr, frame: Frame) -> bool:
        if isinstance(expr, syntax.Name):
            found = self.find(expr.id, frame)
            return isinstance(found, Binding) and (is_flowing(found.value) or found.value is POISON)
        return isinstance(expr, syntax.TupleExpr | syntax.Index)

    def suite(self, statement: syntax.Flow, body: Sequence[syntax.Stmt], label: str | None, frame: Frame) -> None:
        if modules_only(body, {name for name in frame.names() if not self.is_tensor(name, frame)}):
            return self.sequential(statement, body, label, frame)
        return self.scope(statement, body, label, frame)

    def is_tensor(self, name: str, frame: Frame) -> bool:
        found = frame.lookup(name)
        return found is not None and is_flowing(found.value)

    def sequential(
        self, statement: syntax.Flow, body: Sequence[syntax.Stmt], label: str | None, frame: Frame,
        repeats: bool = False,
    ) -> None:  # fmt: skip
        """A Sequential in the class of the frame around it, or a list of modules that take other tensors too."""
        outer, entered = frame.container, frame.flow
        module = Module("sequential", label or "", statement.span, text="")
        module.inputs = tuple(t.value for t in tensors(entered))
        use = Use("block", None, module.inputs, callee="Sequential")
        self.member(frame, module, use, label, statement.body)
        self.called(frame, use, statement, module)
        self.step_after(frame, use, module)
        outside = dict(frame.env)
        frame.container = Container(module, True, path=f"{outer.path}{use.label}.")
        frame.container.repeats, frame.container.within = repeats, outer.sequential
        try:
            self.statements(body, frame)
            use.callee = "ModuleList" if repeats and frame.container.handing else "Sequential"
        finally:
            frame.container = outer
            frame.env.update(outside)
        if frame.flow is POISON:
            raise Poisoned
        module.output = use.output = strip(frame.flow)
        outer.module.steps[-1] = Step(use.label, "", module, module.output)
        self.record(statement.body, use, frame)
        if frame.flow is not entered:
            self.unread.make(frame.flow, place_of(statement), label)

    def step_after(self, frame: Frame, use: Use, module: Module) -> None:
        frame.container.module.steps.append(Step(use.label, "", module, ()))

    def scope(self, statement: syntax.Flow, body: Sequence[syntax.Stmt], label: str | None, frame: Frame) -> None:
        """A labelled suite that is more than a Sequential: a class of its own inside the definition."""
        key = (statement, frame.template.key)
        if key not in self.templates:
            fixed = statement.label.parts if isinstance(statement.label, syntax.String) else ()
            name = class_name("".join(part for part in fixed if isinstance(part, str)) or label or "block")
            self.templates[key] = Template(key, name, statement, tuple(body), False, frame.template)
        template = self.templates[key]
        module = Module("block", template.name, statement.span, text="")
        inner = Frame(template, frame.scope, Container(module, False), parent=frame, defaults=frame.defaults)
        inner.chain = frame.chain
        inner.entry = inner.flow = self.enter_suite(frame.flow, template)
        template.entered_by_x &= isinstance(frame.flow, Tensor) and frame.flow is self.entered_with(frame)
        module.inputs = tuple(t.value for t in tensors(inner.flow))
        use = Use("block", None, module.inputs, template=template, callee=template.name)
        self.member(frame, module, use, label, statement.body)
        self.statements(body, inner)
        if inner.flow is POISON:
            raise Poisoned
        module.output = strip(inner.flow)
        module.last = self.maker(inner, inner.flow)
        template.output = template.output or module.output
        from netc.elaborate.arguments import Expansion

        output = self.returned(Expansion(module, module.output, template), frame, statement.body)
        use.output, use.inner = strip(output), module.output
        if self.record(statement.body, use, frame):
            template.constructions.append(Construction(frame.template, use))
        self.called(frame, use, statement, module)
        self.step(frame, use.label, statement, module, output, text="")
        frame.flow = output
        self.unread.make(output, place_of(statement), label)

    def entered_with(self, frame: Frame) -> Any:
        """What entered the definition around a place."""
        while frame.parent is not None:
            frame = frame.parent
        return frame.entry

    def enter_suite(self, flow: Any, template: Template) -> Any:
        """A suite sees the sizes of what flows in as the definition around it does."""
        for i, tensor in enumerate(tensors(flow)):
            template.inputs.setdefault("x" if i == 0 else f"x{i + 1}", tensor.value)
        return flow

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
        self.record(expr, Use("deferred", expr=value.expr), frame)
        inner = Frame(
            frame.template, value.frame.scope, frame.container, frame.flow, parent=value.frame,
            defaults=frame.defaults, chain=frame.chain,
        )  # fmt: skip
        if label is None:
            self.run(value.expr, inner)
        else:
            named = syntax.String(frame.label or expr.span, (label,))
            self.labelled(syntax.Flow(expr.span, None, named, value.expr), inner)
        frame.flow = inner.flow


def place_of(statement: syntax.Flow) -> Span:
    """Where a message points for what comes out of a body: at its label, and at the body where it has none."""
    return statement.body.span if statement.label is None else statement.label.span
