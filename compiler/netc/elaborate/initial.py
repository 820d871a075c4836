"""Initialisation: what `init` rules and the right side of `param` and `buffer` say."""

from __future__ import annotations

from typing import Any

from netc import syntax
from netc.diagnostics import nearest, renamed
from netc.elaborate.lookup import value_term
from netc.elaborate.statements import Statements
from netc.elaborate.values import Frame, LayerRef, Poisoned, describe, fault
from netc.graph import Argument, InitRule
from netc.layer import BadArgument, Initializer
from netc.terms import Term


class Initial(Statements):
    """Reads initialisers and keeps the rules of each definition."""

    def initializer(self, expr: syntax.Expr, frame: Frame) -> tuple[Any, tuple[Argument, ...]]:
        """An initialiser with its source, or a number: `normal(0, 0.02)`, `zeros`, `0.5`."""
        head = expr.function if isinstance(expr, syntax.Call) else expr
        cls = None
        if isinstance(head, syntax.Name) and frame.lookup(head.id) is None:
            cls = self.registry.find("initializers", head.id)
        if cls is None:
            return self.number(expr, frame)
        given = self.given(expr if isinstance(expr, syntax.Call) else None, cls.fields, (), frame)
        try:
            value: Initializer = cls.bind(given.args, given.kwargs)
        except BadArgument as error:
            place = given.span_of(error.name, list(cls.fields)) or expr.span
            help = f"the signature is `{cls.signature()}`"
            code = "E0404" if error.kind == "value" else "E0401"
            raise fault(code, place, error.reason, f"of `{cls.__name__}`", help=help) from None
        names = list(cls.fields)
        arguments = tuple(
            Argument(names[slot] if isinstance(slot, int) else slot, term) for slot, term in given.written.items()
        )
        return value, arguments

    def number(self, expr: syntax.Expr, frame: Frame) -> tuple[Any, tuple[Argument, ...]]:
        if isinstance(expr, syntax.Name) and self.find(expr.id, frame) is None:
            near = nearest(expr.id, self.registry.names("initializers"))
            known = ", ".join(f"`{name}`" for name in self.registry.names("initializers"))
            help = f"did you mean `{near}`?" if near else f"there are {known}"
            raise fault(
                "E0302", expr.span, f"there is no initialiser `{expr.id}`", "no initialiser", help=help,
                fix=renamed(expr.span, expr.id, near),
            )  # fmt: skip
        value = self.evaluate(expr, frame)
        if isinstance(value, bool) or not isinstance(value, int | float | list | tuple):
            text = f"an initial value is an initialiser or a number, not {describe(value)}"
            raise fault("E0402", expr.span, text, "given here")
        return value, (Argument("value", self.render(expr, frame)),)

    def evaluate_init(self, statement: syntax.Param, frame: Frame) -> Any:
        if statement.init is None:
            text, help = f"`{statement.name}` needs an initial value", f"`{statement.span.text} = zeros`"
            raise fault("E0401", statement.span, text, "without a value", help=help)
        return self.initializer(statement.init, frame)

    def _run_init(self, statement: syntax.Init, frame: Frame) -> None:
        rules = []
        for arg in statement.rules:
            if isinstance(arg.value, syntax.Name) and arg.value.id == "default":
                continue
            value, arguments = self.initializer(arg.value, frame)
            rules.append((arg.name or "weight", value, arguments))
        path = frame.container.path
        for each in statement.targets:
            kind, target = self.init_target(each, frame)
            known = ((rule.span, rule.path, rule.target) for rule in frame.template.inits)
            if (statement.span, path, target) not in known:
                rule = InitRule(kind, target, tuple(rules), statement.span, path)  # type: ignore[arg-type]
                frame.template.inits.append(rule)

    def init_target(self, target: syntax.Name | syntax.String, frame: Frame) -> tuple[str, str]:
        """A layer type, a label, or a quoted pattern of paths."""
        if isinstance(target, syntax.String):
            return "pattern", str(self.evaluate(target, frame))
        if target.id in frame.container.labels:
            return "label", target.id
        if target.id in frame.container.broken:
            raise Poisoned
        found = self.find(target.id, frame)
        if isinstance(found, LayerRef) and not found.function:
            return "type", found.name
        near = nearest(target.id, [*frame.container.labels, *self.registry.names("layers")])
        help = (
            f"did you mean `{near}`?" if near else "name a layer type, a label that stands above, or a quoted pattern"
        )
        text = f"`{target.id}` is neither a layer nor a label of this block"
        fix = renamed(target.span, target.id, near)
        raise fault("E0302", target.span, text, "nothing has this name", help=help, fix=fix)


__all__ = ["Initial", "Term", "value_term"]
