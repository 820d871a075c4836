"""Compile-time expressions: what they are worth. Nothing is ever handed to Python's own evaluator."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from netc import syntax
from netc.builtins import MAX_LENGTH, Builtin
from netc.diagnostics import Label
from netc.elaborate.calling import Calling
from netc.elaborate.lookup import (
    MAX_DEPTH,
    MAX_DIGITS,
    comparable,
    freeze,
    is_number,
    literal,
    plain,
    render_target,
    several_inputs,
    undecided,
    value_term,
)
from netc.elaborate.syntactic import handler
from netc.elaborate.trail import round_of
from netc.elaborate.values import (
    POISON,
    Binding,
    Deferred,
    Fault,
    Frame,
    Poisoned,
    Tensor,
    describe,
    fault,
    is_flowing,
)
from netc.layer import is_int
from netc.shapes import Value
from netc.terms import Known, Term

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
}
__all__ = ["Expressions", "Label", "freeze", "is_number", "literal", "plain", "render_target", "value_term"]


class Expressions(Calling):
    """Evaluates expressions in a frame; an integer comes with the term it was written as."""

    def evaluate(self, expr: syntax.Expr, frame: Frame) -> Any:
        """The value of an expression; an integer comes with the term it was written as.

        Raises Fault for a mistake, Poisoned where an earlier mistake left no value.
        """
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.depth = 0
            text = f"more than {MAX_DEPTH} expressions are evaluated inside one another"
            help = "write a function that calls itself as a list or a `for`"
            raise fault("E0801", expr.span, text, "the limit is reached here", help=help)
        try:
            value = getattr(self, handler("_evaluate_", type(expr).__name__))(expr, frame)
        finally:
            self.depth -= 1
        if value is POISON:
            raise Poisoned
        return value

    def _evaluate_literal(self, expr: syntax.Literal_, frame: Frame) -> Any:
        return expr.value

    def _evaluate_string(self, expr: syntax.String, frame: Frame) -> str:
        parts = (part if isinstance(part, str) else self._text(part, frame) for part in expr.parts)
        return "".join(parts)

    def _text(self, expr: syntax.Expr, frame: Frame) -> str:
        value = self.evaluate(expr, frame)
        if not isinstance(value, str | int | float):
            raise fault(
                "E0402", expr.span, f"a text cannot be made of {describe(value)}", "a number or a text is needed",
            )  # fmt: skip
        return str(int(value)) if is_int(value) else str(value)

    def _evaluate_name(self, expr: syntax.Name, frame: Frame) -> Any:
        found = self.resolve(expr, frame)
        if isinstance(found, Builtin):
            raise fault(
                "E0402",
                expr.span,
                f"`{expr.id}` is a function of numbers",
                "it is given no arguments",
                help=f"call it: `{expr.id}(...)`",
            )
        return found

    def _evaluate_shapeliteral(self, expr: syntax.ShapeLiteral, frame: Frame) -> tuple[Any, ...]:
        sizes = []
        for part in expr.parts:
            if isinstance(part, int):
                sizes.append(part)
                continue
            found = self.find(part, frame)
            if not isinstance(found, Binding) or not is_int(found.value):
                raise fault("E0302", expr.span, f"there is no size `{part}`", f"in `{expr.span.text}`")
            sizes.append(found.value)
        return tuple(sizes)

    def _evaluate_tupleexpr(self, expr: syntax.TupleExpr, frame: Frame) -> tuple[Any, ...]:
        return tuple(self.evaluate(item, frame) for item in expr.items)

    def _evaluate_listexpr(self, expr: syntax.ListExpr, frame: Frame) -> list[Any]:
        return [self.evaluate(item, frame) for item in expr.items]

    def _evaluate_dictexpr(self, expr: syntax.DictExpr, frame: Frame) -> dict[str, Any]:
        return {name: self.evaluate(item, frame) for name, item in expr.items}

    def _evaluate_comprehension(self, expr: syntax.Comprehension, frame: Frame) -> list[Any]:
        saved, result = dict(frame.env), []
        try:
            for item in self.iterate(expr.iterable, frame):
                with self.trail.inside(round_of(expr.target, item, expr.span)):
                    self.bind_target(expr.target, item, frame, expr)
                    if expr.condition is None or self.condition(expr.condition, frame):
                        result.append(plain(self.evaluate(expr.element, frame)))
        finally:
            frame.env.clear()
            frame.env.update(saved)
        return result

    def iterate(self, expr: syntax.Expr, frame: Frame) -> Sequence[Any]:
        """The items of an iterable expression, at most MAX_LENGTH."""
        value = self.evaluate(expr, frame)
        if not isinstance(value, list | tuple | range):
            help = f"`range({expr.span.text})` counts from 0" if is_int(value) else None
            raise fault("E0402", expr.span, f"`for` needs a list, not {describe(value)}", "a list is needed", help=help)
        return value

    def _evaluate_unary(self, expr: syntax.Unary, frame: Frame) -> Any:
        if expr.operator == "not":
            return not self.condition(expr.operand, frame)
        value = self.evaluate(expr.operand, frame)
        if isinstance(value, Tensor):
            return self.negate(expr, value, frame)
        if not is_number(value):
            raise fault("E0402", expr.operand.span, f"`-` needs a number, not {describe(value)}", "a number is needed")
        return -value

    def _evaluate_binary(self, expr: syntax.Binary, frame: Frame) -> Any:
        if expr.operator in ("and", "or"):
            return self._either(expr, frame)
        left, right = self.evaluate(expr.left, frame), self.evaluate(expr.right, frame)
        if is_flowing(left) or is_flowing(right):
            return self.compute(expr, left, right, frame)
        self._bound_work(expr, left, right)
        kinds = {comparable(left), comparable(right)}
        if expr.operator in ("==", "!=") and None not in kinds and len(kinds) == 2:
            text, help = f"{describe(left)} and {describe(right)} are never equal", "compare what is of one kind"
            raise fault("E0402", expr.span, text, "compared here", help=help)
        self.refuse_truth(expr, left, right)
        if expr.operator in COMPARISONS and (isinstance(left, Term) or isinstance(right, Term)):
            return self._compare_sizes(expr, left, right)
        if expr.operator == "+" and isinstance(left, list | tuple) and isinstance(right, list | tuple):
            left, right = list(left), list(right)
        try:
            value = OPERATIONS[expr.operator](left, right)
        except ZeroDivisionError:
            divisor = expr.right.span.text
            label = "the divisor is 0" if divisor == "0" else f"`{divisor}` is 0 here"
            raise fault("E0404", expr.span, "division by zero", label) from None
        except OverflowError:
            text = "the result is too large for a number with a point"
            raise fault("E0404", expr.span, text, "computed here") from None
        except (TypeError, ValueError):
            if isinstance(left, Term) or isinstance(right, Term):
                raise undecided(expr, left if isinstance(left, Term) else right) from None
            text = f"`{expr.operator}` cannot take {describe(left)} and {describe(right)}"
            raise fault("E0402", expr.span, text, "these two do not go together") from None
        if isinstance(value, complex):
            raise fault("E0404", expr.span, "the result is not a real number", "a root of a negative number")
        return self.trace(expr, value, frame)

    def compute(self, expr: syntax.Binary, left: Any, right: Any, frame: Frame) -> Any:
        """Arithmetic of tensors."""
        raise NotImplementedError

    def negate(self, expr: syntax.Unary, value: Any, frame: Frame) -> Any:
        """A tensor with the other sign."""
        raise NotImplementedError

    def refuse_truth(self, expr: syntax.Binary, left: Any, right: Any) -> None:
        """Rejects arithmetic with `true` and `false`, which Python takes for 1 and 0."""
        if expr.operator in ("==", "!=", "in", "not in"):
            return
        for side, value in ((expr.left, left), (expr.right, right)):
            if isinstance(value, bool):
                text = f"`{expr.operator}` works on numbers, not on {describe(value)}"
                help = f"`1 if {side.span.text} else 0` makes it a number"
                raise fault("E0402", side.span, text, "true or false, not a number", help=help)

    def _compare_sizes(self, expr: syntax.Binary, left: Any, right: Any) -> bool:
        """Compares sizes of which a run decides one, as far as that can be told before."""
        if is_number(left) and is_number(right) and not isinstance(left, float) and not isinstance(right, float):
            difference = Term.of(left) - Term.of(right)
            if difference.constant is not None:
                return bool(OPERATIONS[expr.operator](difference.constant, 0))
        unknown = left if isinstance(left, Term) else right
        raise undecided(expr, unknown)

    def _either(self, expr: syntax.Binary, frame: Frame) -> Any:
        left = self.evaluate(expr.left, frame)
        value = left if self.truth(left, expr.left) == (expr.operator == "or") else self.evaluate(expr.right, frame)
        return self.trace(expr, int(value), frame) if isinstance(value, Known) else value

    def _bound_work(self, expr: syntax.Binary, left: Any, right: Any) -> None:
        if expr.operator == "**" and is_int(left) and is_int(right) and left.bit_length() * abs(right) > MAX_DIGITS * 4:
            raise fault("E0801", expr.span, f"a number of more than {MAX_DIGITS:,} digits", "no size needs that many")
        if expr.operator == "*":
            for items, times in ((left, right), (right, left)):
                if isinstance(items, list | tuple | str) and is_int(times) and len(items) * times > MAX_LENGTH:
                    text = f"a list of {len(items) * int(times):,} entries; at most {MAX_LENGTH:,} are allowed"
                    raise fault("E0801", expr.span, text, "too long")

    def _evaluate_ifelse(self, expr: syntax.IfElse, frame: Frame) -> Any:
        outcome = self.condition(expr.condition, frame)
        taken, other = (expr.then, expr.otherwise) if outcome else (expr.otherwise, expr.then)
        value = plain(self.evaluate(taken, frame))
        if self.differs(other, value, frame):  # code written for the one would be wrong for the other
            frame.template.chosen.setdefault(expr, self.render(expr.condition, frame))
        return self.trace(expr, value, frame)

    def differs(self, other: syntax.Expr, value: Any, frame: Frame) -> bool:
        """Whether the side that is not taken is a number where a list is taken, or the other way round."""
        saved = dict(frame.env)
        try:
            found = self.evaluate(other, frame)
        except (Fault, Poisoned):
            return False
        finally:
            frame.env.clear()
            frame.env.update(saved)
        return comparable(found) != comparable(value) and None not in (comparable(found), comparable(value))

    def condition(self, expr: syntax.Expr, frame: Frame) -> bool:
        return self.truth(self.evaluate(expr, frame), expr)

    def truth(self, value: Any, expr: syntax.Expr) -> bool:
        """Whether a value counts as true; an undecided size is an error, since blocks are expanded before any run."""
        if isinstance(value, Term):
            raise fault(
                "E0405", expr.span, f"`{value}` is known only when the network runs", "this condition needs a number",
                help="give that dimension of the `input` a number",
            )  # fmt: skip
        if is_flowing(value):
            raise fault(
                "E0402",
                expr.span,
                "a tensor cannot be a condition",
                "conditions are decided before any run",
                help="ask for a size: `x.c == 64`",
            )
        if isinstance(value, int | float | str | list | tuple | range | dict) or value is None:
            return bool(value)
        return True

    def _evaluate_attribute(self, expr: syntax.Attribute, frame: Frame) -> Any:
        if self.is_package(expr.value, frame):
            raise self.refuse_dotted(expr, None, frame)
        value = self.evaluate(expr.value, frame)
        if not isinstance(value, Tensor):
            if expr.value.span.text == "x" and value is None:
                raise several_inputs(expr.span, frame)
            raise fault("E0402", expr.span, f"{describe(value)} has no `.{expr.attr}`", "only tensors have sizes")
        return self.size_of(expr, value.value)

    def size_of(self, expr: syntax.Attribute, value: Value) -> Any:
        """`.n`, `.c`, `.h`, `.w`, `.d`, `.l`, `.shape` of a tensor."""
        if expr.attr == "shape":
            return (*value.shape[: value.batch], *value.shape[value.batch + 1 :])
        if expr.attr == "n" and value.rank:
            return value.shape[value.batch]
        axes = {1: "l", 2: "hw", 3: "dhw"}.get(len(value.spatial), "")
        if expr.attr == "c":
            if value.channel is None:
                raise fault(
                    "E0304", expr.span, "it is unknown which dimension holds the channels", f"of {value}",
                    help="take the size of a dimension by its number, the batch left out: `.shape[0]`",
                )  # fmt: skip
            return value.shape[value.channel]
        if expr.attr in axes and expr.attr:
            return value.shape[value.spatial[axes.index(expr.attr)]]
        known = ", ".join(f"`.{name}`" for name in ("n", "c", *axes, "shape"))
        raise fault("E0304", expr.span, f"a value of shape {value} has no `.{expr.attr}`", f"it has {known}")

    def _evaluate_index(self, expr: syntax.Index, frame: Frame) -> Any:
        value = self.evaluate(expr.value, frame)
        if is_flowing(value) and not isinstance(value, Tensor):
            value = list(value)
        if not isinstance(value, list | tuple | range | str | dict):
            help = "functions take parts of a tensor: `select`, `narrow`, `chunk`" if is_flowing(value) else None
            raise fault("E0402", expr.span, f"{describe(value)} has no entries", "only lists have them", help=help)
        if isinstance(expr.index, syntax.Slice):
            start, stop = (None if e is None else self._index(e, frame) for e in (expr.index.start, expr.index.stop))
            return value[start:stop]
        index = self._index(expr.index, frame)
        try:
            return self.trace(expr, plain(value[index]), frame)
        except (IndexError, KeyError):
            count = f"{len(value)} entries, numbered from 0 to {len(value) - 1}" if value else "it is empty"
            text = f"`{expr.value.span.text}` has no entry {index}"
            raise fault("E0404", expr.index.span, text, count) from None

    def _index(self, expr: syntax.Expr, frame: Frame) -> int:
        value = self.evaluate(expr, frame)
        if not is_int(value):
            raise fault("E0402", expr.span, f"an index is an integer, not {describe(value)}", "an integer is needed")
        return int(value)

    def _evaluate_pipe(self, expr: syntax.Pipe, frame: Frame) -> Any:
        return Deferred(expr, frame)

    def _evaluate_slice(self, expr: syntax.Slice, frame: Frame) -> Any:
        raise fault("E0402", expr.span, "a slice stands only in an index", "here")

    _evaluate_group = _evaluate_pipe
    _evaluate_fork = _evaluate_pipe
