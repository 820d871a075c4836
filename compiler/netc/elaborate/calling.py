"""Calls in expressions: functions of the language and of the file, functions of tensors, layers with arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.builtins import BUILTINS, Builtin, TooLarge
from netc.diagnostics import Label, nearest
from netc.elaborate.lookup import plain
from netc.elaborate.rendering import Rendering
from netc.elaborate.trail import function
from netc.elaborate.values import (
    BlockRef,
    Bound,
    Deferred,
    Fault,
    Frame,
    FunctionRef,
    LayerRef,
    describe,
    fault,
    is_flowing,
)
from netc.terms import Known, Place


class Calling(Rendering):
    """Evaluates calls."""

    def trace(self, expr: syntax.Expr, value: Any, frame: Frame) -> Any:
        """Gives an integer that arithmetic on integers did not trace the term it was written as."""
        if type(value) is not int:
            return value
        term = self.render(expr, frame)
        return Known.make(value, term) if any(isinstance(a, Place) for a in term.atoms()) else value

    def _evaluate_call(self, expr: syntax.Call, frame: Frame) -> Any:
        if not isinstance(expr.function, syntax.Name):
            raise self.refuse_call(expr, frame)
        found = self.resolve(expr.function, frame, expr)
        values = tuple(arg.value for arg in expr.args)
        if isinstance(found, LayerRef) and expr.function.id in BUILTINS and not self.has_tensor(values, frame):
            found = BUILTINS[expr.function.id]
        if isinstance(found, Builtin):
            return self._call_builtin(expr, found, frame)
        if isinstance(found, FunctionRef):
            return self._call_function(expr, found, frame)
        if isinstance(found, LayerRef) and found.function:
            return self.apply_function(expr, frame)
        if isinstance(found, LayerRef | BlockRef):
            return Bound(found, expr, frame)
        raise fault("E0402", expr.span, f"{describe(found)} cannot be called", "only layers, blocks and functions can")

    def refuse_call(self, expr: syntax.Call, frame: Frame) -> Fault:
        """The message for a call of something other than a name."""
        raise NotImplementedError

    def is_package(self, expr: syntax.Expr, frame: Frame) -> bool:
        """Whether it begins with a name that stands for nothing."""
        raise NotImplementedError

    def refuse_dotted(self, expr: syntax.Attribute, call: syntax.Call | None, frame: Frame) -> Fault:
        """The message for a name of a Python package."""
        raise NotImplementedError

    def has_tensor(self, node: syntax.Expr | tuple[syntax.Expr, ...], frame: Frame) -> bool:
        """Whether a tensor is named in an expression."""
        raise NotImplementedError

    def apply_function(self, expr: syntax.Call, frame: Frame) -> Any:
        """The outcome of a function of tensors (`chunk(x, 2)`) that stands in an expression."""
        raise NotImplementedError

    def _call_builtin(self, expr: syntax.Call, builtin: Builtin, frame: Frame) -> Any:
        args = [plain(self.evaluate(arg.value, frame)) for arg in expr.args if arg.name is None]
        kwargs = {arg.name: plain(self.evaluate(arg.value, frame)) for arg in expr.args if arg.name is not None}
        for arg, value in zip(expr.args, [*args, *kwargs.values()], strict=True):
            if is_flowing(value) or isinstance(value, LayerRef | BlockRef | Bound | Deferred):
                name = expr.function.span.text
                raise fault("E0402", arg.span, f"`{name}` takes numbers and lists, not {describe(value)}", "given here")
            if builtin.arithmetic and holds_truth(value):
                text = f"`{expr.function.span.text}` works on numbers, not on `true` and `false`"
                raise fault("E0402", arg.span, text, "given here", help="`count(items, true)` tells how many are true")
        try:
            return self.trace(expr, builtin.call(*args, **kwargs), frame)
        except TooLarge as error:
            raise fault("E0801", expr.span, str(error), "too long") from None
        except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
            raise refused(expr, [*args, *kwargs.values()], str(error)) from None

    def _call_function(self, expr: syntax.Call, ref: FunctionRef, frame: Frame) -> Any:
        inner = Frame(frame.template, ref.scope, frame.container)
        given = {p.name: a.value for p, a in zip(ref.function.params, expr.args, strict=False) if a.name is None}
        surplus = len([a for a in expr.args if a.name is None]) - len(ref.function.params)
        named = {a.name: a.value for a in expr.args if a.name is not None}
        unknown = set(named) - {p.name for p in ref.function.params}
        if surplus > 0 or unknown:
            raise self.bad_function_argument(expr, ref.function, sorted(unknown))
        for param in ref.function.params:
            value = {**given, **named}.get(param.name)
            if value is None and param.default is None:
                raise fault(
                    "E0401",
                    expr.span,
                    f"`{ref.function.name}` needs `{param.name}`",
                    "it is not given here",
                    secondary=(Label(param.span, "defined here"),),
                )
            worth = self.evaluate(value, frame) if value is not None else self.evaluate(param.default, inner)  # type: ignore[arg-type]
            inner.env[param.name] = self.binding(param.name, plain(worth), ref.function, param)
        with self.trail.inside(function(expr.span)):
            value = plain(self.evaluate(ref.function.value, inner))
        return self.trace(expr, value, frame)

    def bad_function_argument(self, expr: syntax.Call, function: syntax.Function, unknown: Sequence[str]) -> Fault:
        """A surplus or an unknown argument of a function of the file."""
        names = [param.name for param in function.params]
        whole = f"it is `{function.name}({', '.join(param.span.text for param in function.params)})`"
        if unknown:
            place = next(arg.span for arg in expr.args if arg.name == unknown[0])
            near = nearest(unknown[0], names)
            text, label = f"`{function.name}` has no parameter `{unknown[0]}`", "no such parameter"
            return fault("E0401", place, text, label, help=f"did you mean `{near}`?" if near else whole)
        place = expr.args[len(names)].span
        text = f"`{function.name}` takes {len(names)} argument{'s' * (len(names) != 1)}, {len(expr.args)} were given"
        return fault("E0401", place, text, "one too many", help=whole)


def refused(expr: syntax.Call, values: Sequence[Any], said: str) -> Fault:
    """What a function of the language makes of arguments that Python's cannot take, which says this."""
    name = expr.function.span.text
    reason = said.replace("<lambda>()", name)
    if reason.startswith("it takes integers"):
        help = f"make it an integer: `int({expr.args[-1].value.span.text})`" if len(expr.args) == 1 else None
        return fault("E0404", expr.span, f"`{name}` {reason[3:]}", "called here", help=help)
    lists = [isinstance(value, list | tuple | range) for value in values]
    if any(words in reason for words in ("not iterable", "has no len", "not reversible")) and not all(lists):
        wrong = lists.index(False)
        text = f"`{name}` needs a list, not {describe(values[wrong])}"
        return fault("E0402", expr.args[wrong].span, text, "a list is needed")
    if name == "zip" and values and all(lists):
        counts = [f"`{arg.value.span.text}` has {len(value)}" for arg, value in zip(expr.args, values, strict=True)]
        return fault("E0404", expr.span, "`zip` needs lists of one length", " and ".join(counts))
    odd = [i for i, value in enumerate(values) if value is None or isinstance(value, str)]
    if odd and BUILTINS[name].arithmetic:
        text = f"`{name}` works on numbers, not on {describe(values[odd[0]])}"
        return fault("E0402", expr.args[odd[0]].span, text, "a number is needed")
    return fault("E0404", expr.span, f"`{name}` cannot take these arguments", reason)


def holds_truth(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, list | tuple) and any(isinstance(v, bool) for v in value))
