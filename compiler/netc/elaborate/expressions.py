"""Compile-time expressions: what they are worth, and the Python that says the same."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from netc import syntax
from netc.builtins import BUILTINS, MAX_LENGTH, Builtin, TooLarge
from netc.diagnostics import Label, Span, nearest
from netc.elaborate.values import (
    POISON,
    Binding,
    BlockRef,
    Bound,
    Deferred,
    Fault,
    FileScope,
    Frame,
    FunctionRef,
    LayerRef,
    Poisoned,
    Tensor,
    describe,
    fault,
    is_flowing,
)
from netc.layer import is_int
from netc.naming import short_name
from netc.registry import Registry
from netc.shapes import Value
from netc.terms import (
    AND,
    ATOM,
    COMPARE,
    NOT,
    OR,
    POWER,
    PRODUCT,
    SUM,
    TERNARY,
    UNARY,
    Known,
    Place,
    Term,
    written,
)

MAX_DEPTH = 100
MAX_DIGITS = 1_000

LEVELS: dict[str, tuple[int, int, int]] = {
    "or": (OR, OR, AND),
    "and": (AND, AND, NOT),
    "+": (SUM, SUM, PRODUCT),
    "-": (SUM, SUM, PRODUCT),
    "*": (PRODUCT, PRODUCT, UNARY),
    "/": (PRODUCT, PRODUCT, UNARY),
    "//": (PRODUCT, PRODUCT, UNARY),
    "%": (PRODUCT, PRODUCT, UNARY),
    "**": (POWER, ATOM, UNARY),
}
COMPARISON = (COMPARE, SUM, SUM)
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


class Expressions:
    """Evaluates and renders expressions in a frame. Nothing is ever handed to Python's own evaluator."""

    registry: Registry
    constants: dict[str, list[FileScope]]
    depth: int = 0

    # ---- worth ---------------------------------------------------------------------------------

    def evaluate(self, expr: syntax.Expr, frame: Frame) -> Any:
        """The value of an expression; an integer comes with the term it was written as.

        Raises Fault for a mistake, Poisoned where an earlier mistake left no value.
        """
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.depth = 0
            text = f"evaluating this takes more than {MAX_DEPTH} steps inside one another"
            raise fault(
                "E0801", expr.span, text, "the limit is reached here", help="let a function that calls itself end",
            )  # fmt: skip
        try:
            value = getattr(self, f"_evaluate_{type(expr).__name__.lower().rstrip('_')}")(expr, frame)
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
            raise fault("E0402", expr.span, f"`{expr.id}` is a function of numbers", "it is given no arguments",
                        help=f"call it: `{expr.id}(...)`")
        return found

    def resolve(self, expr: syntax.Name, frame: Frame) -> Any:
        """What a name stands for: local or parameter, file, registry, function of the language."""
        found = self.find(expr.id, frame)
        if isinstance(found, Binding) and found.value is POISON:
            raise Poisoned
        if found is not None:
            return found.value if isinstance(found, Binding) else found
        known = [*frame.names(), *frame.scope.items, *frame.scope.imports, *self.registry.names("layers"), *BUILTINS]
        near = nearest(expr.id, known)
        kind = "layer" if expr.id[:1].isupper() else "name"
        frame.env[expr.id] = Binding(POISON, Term({}), expr.span)
        way_out = f"did you mean `{near}`?" if near else "`netc layers` lists what there is"
        raise fault(
            "E0301" if kind == "layer" else "E0302",
            expr.span,
            f"there is no {kind} `{expr.id}`",
            "not defined here, in this file or by a plugin",
            help=self.hint(expr.id, frame) or way_out,
        )

    def hint(self, name: str, frame: Frame) -> str | None:
        """The way out for a name that is nowhere, where there is one to tell."""
        if name in frame.container.labels:
            return f"`{name}` labels a module; keep its output with `y = _` after it"
        if name == "training":
            return "`training` stands only after `side ... when` and in the condition of a `return`"
        return None

    def find(self, name: str, frame: Frame) -> Any:
        """A Binding, the worth of a file's name, a LayerRef or a Builtin; None where there is nothing."""
        if name == "x":
            return self._entry(frame)
        if name == "_":
            return Binding(frame.flow, written("_"), frame.container.module.span)
        binding = frame.lookup(name)
        if binding is not None:
            return binding
        in_file = self.file_value(name, frame.scope)
        if in_file is not None:
            return in_file
        cls = self.registry.layer(name)
        if cls is not None:
            return LayerRef(name, cls, cls.names()[0] != name)
        return BUILTINS.get(name)

    def _entry(self, frame: Frame) -> Binding:
        outer = frame
        while outer.parent is not None:
            outer = outer.parent
        return Binding(outer.entry, written("x"), frame.container.module.span)

    def file_value(self, name: str, scope: FileScope) -> Any:
        """What a name of a file stands for, constants evaluated once."""
        raise NotImplementedError

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
        for item in self.iterate(expr.iterable, frame):
            self.bind_target(expr.target, item, frame, expr)
            if expr.condition is None or self.condition(expr.condition, frame):
                result.append(plain(self.evaluate(expr.element, frame)))
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

    def bind_target(self, target: syntax.Target, value: Any, frame: Frame, owner: syntax.Node) -> None:
        """Binds the names of a `for` or an assignment to a value, taken apart as the target is."""
        if target.name is not None:
            frame.env[target.name] = self.binding(target.name, value, owner, target)
            return
        if not isinstance(value, list | tuple) or len(value) != len(target.items):
            count = len(value) if isinstance(value, list | tuple) else 1
            names = ", ".join(f"`{name}`" for name in target.names)
            raise fault(
                "E0410", target.span, f"{len(target.items)} names for {count} value{'s' * (count != 1)}",
                f"{names} for {describe(value)}", help="give every value a name; `_` begins one that nobody reads",
            )  # fmt: skip
        for item, part in zip(target.items, value, strict=True):
            self.bind_target(item, part, frame, owner)

    def binding(self, name: str, value: Any, owner: object, node: syntax.Node) -> Binding:
        """A name for a value; an integer remembers the name."""
        term = Term.atom(Place("name", owner, name))
        return Binding(traced(value, term), term, node.span)

    def _evaluate_unary(self, expr: syntax.Unary, frame: Frame) -> Any:
        if expr.operator == "not":
            return not self.condition(expr.operand, frame)
        value = self.evaluate(expr.operand, frame)
        if not is_number(value):
            raise fault("E0402", expr.operand.span, f"`-` needs a number, not {describe(value)}", "a number is needed")
        return -value

    def _evaluate_binary(self, expr: syntax.Binary, frame: Frame) -> Any:
        if expr.operator in ("and", "or"):
            return self._either(expr, frame)
        left, right = self.evaluate(expr.left, frame), self.evaluate(expr.right, frame)
        if is_flowing(left) or is_flowing(right):
            raise fault(
                "E0402",
                expr.span,
                f"`{expr.operator}` works on numbers, not on tensors",
                "a tensor stands here",
                help="operators on the flow stand at the start of a statement: `+ y`",
            )
        self._bound_work(expr, left, right)
        kinds = {comparable(left), comparable(right)}
        if expr.operator in ("==", "!=") and None not in kinds and len(kinds) == 2:
            text, help = f"{describe(left)} and {describe(right)} are never equal", "compare what is of one kind"
            raise fault("E0402", expr.span, text, "compared here", help=help)
        if expr.operator in COMPARISONS and (isinstance(left, Term) or isinstance(right, Term)):
            return self._compare_sizes(expr, left, right)
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
        if self.truth(left, expr.left) == (expr.operator == "or"):
            return left
        return self.evaluate(expr.right, frame)

    def _bound_work(self, expr: syntax.Binary, left: Any, right: Any) -> None:
        if expr.operator == "**" and is_int(left) and is_int(right) and left.bit_length() * abs(right) > MAX_DIGITS * 4:
            raise fault("E0801", expr.span, f"a number of more than {MAX_DIGITS} digits", "no size needs that many")
        if expr.operator == "*":
            for items, times in ((left, right), (right, left)):
                if isinstance(items, list | tuple | str) and is_int(times) and len(items) * times > MAX_LENGTH:
                    text = f"a list of {len(items) * int(times)} entries; at most {MAX_LENGTH} are allowed"
                    raise fault("E0801", expr.span, text, "too long")

    def trace(self, expr: syntax.Expr, value: Any, frame: Frame) -> Any:
        """Gives an integer that arithmetic on integers did not trace the term it was written as."""
        if type(value) is not int:
            return value
        term = self.render(expr, frame)
        return Known.make(value, term) if any(isinstance(a, Place) for a in term.atoms()) else value

    def _evaluate_ifelse(self, expr: syntax.IfElse, frame: Frame) -> Any:
        taken = expr.then if self.condition(expr.condition, frame) else expr.otherwise
        return self.trace(expr, plain(self.evaluate(taken, frame)), frame)

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
            raise fault("E0402", expr.span, "a tensor cannot be a condition", "conditions are decided before any run",
                        help="ask for a size: `x.c == 64`")
        if isinstance(value, int | float | str | list | tuple | range | dict) or value is None:
            return bool(value)
        return True

    def _evaluate_attribute(self, expr: syntax.Attribute, frame: Frame) -> Any:
        value = self.evaluate(expr.value, frame)
        if not isinstance(value, Tensor):
            if expr.value.span.text == "x" and value is None:
                raise several_inputs(expr.span, frame)
            raise fault("E0402", expr.span, f"{describe(value)} has no `.{expr.attr}`", "only tensors have sizes")
        return self.size_of(expr, value.value)

    def size_of(self, expr: syntax.Attribute, value: Value) -> Any:
        """`.c`, `.h`, `.w`, `.d`, `.l`, `.shape` of a tensor."""
        if expr.attr == "shape":
            return value.shape[1:]
        axes = {1: "l", 2: "hw", 3: "dhw"}.get(len(value.spatial), "")
        if expr.attr == "c":
            if value.channel is None:
                raise fault("E0304", expr.span, "it is unknown which dimension holds the channels", f"of {value}")
            return value.shape[value.channel]
        if expr.attr in axes and expr.attr:
            return value.shape[value.spatial[axes.index(expr.attr)]]
        known = ", ".join(f"`.{name}`" for name in ("c", *axes, "shape"))
        raise fault("E0304", expr.span, f"a value of shape {value} has no `.{expr.attr}`", f"it has {known}")

    def _evaluate_index(self, expr: syntax.Index, frame: Frame) -> Any:
        value = self.evaluate(expr.value, frame)
        if is_flowing(value) and not isinstance(value, Tensor):
            value = list(value)
        if not isinstance(value, list | tuple | range | str | dict):
            raise fault("E0402", expr.span, f"{describe(value)} has no entries", "only lists have them")
        if isinstance(expr.index, syntax.Slice):
            start, stop = (None if e is None else self._index(e, frame) for e in (expr.index.start, expr.index.stop))
            return value[start:stop]
        index = self._index(expr.index, frame)
        try:
            return self.trace(expr, plain(value[index]), frame)
        except (IndexError, KeyError):
            count = f"it has {len(value)}" + (f", numbered 0 to {len(value) - 1}" if value else "")
            raise fault("E0404", expr.index.span, f"there is no entry {index}", count) from None

    def _index(self, expr: syntax.Expr, frame: Frame) -> int:
        value = self.evaluate(expr, frame)
        if not is_int(value):
            raise fault("E0402", expr.span, f"an index is an integer, not {describe(value)}", "an integer is needed")
        return int(value)

    def _evaluate_call(self, expr: syntax.Call, frame: Frame) -> Any:
        if not isinstance(expr.function, syntax.Name):
            raise fault("E0402", expr.function.span, "only a name can be called", "here")
        found = self.resolve(expr.function, frame)
        if isinstance(found, LayerRef) and expr.function.id in BUILTINS and not self._any_tensor(expr, frame):
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

    def _any_tensor(self, expr: syntax.Call, frame: Frame) -> bool:
        return any(is_flowing(self.evaluate(arg.value, frame)) for arg in expr.args)

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
        try:
            return self.trace(expr, builtin.call(*args, **kwargs), frame)
        except TooLarge as error:
            raise fault("E0801", expr.span, str(error), "too long") from None
        except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
            reason = str(error).replace("<lambda>()", expr.function.span.text)
            raise fault("E0404", expr.span, f"`{expr.function.span.text}` cannot take this", reason) from None

    def _call_function(self, expr: syntax.Call, ref: FunctionRef, frame: Frame) -> Any:
        inner = Frame(frame.template, ref.scope, frame.container)
        given = {p.name: a.value for p, a in zip(ref.function.params, expr.args, strict=False) if a.name is None}
        surplus = len([a for a in expr.args if a.name is None]) - len(ref.function.params)
        named = {a.name: a.value for a in expr.args if a.name is not None}
        unknown = set(named) - {p.name for p in ref.function.params}
        if surplus > 0 or unknown:
            names = ", ".join(p.name for p in ref.function.params)
            raise fault(
                "E0401", expr.span, f"`{ref.function.name}({names})` does not take these arguments", "called here",
            )  # fmt: skip
        for param in ref.function.params:
            value = {**given, **named}.get(param.name)
            if value is None and param.default is None:
                raise fault("E0401", expr.span, f"`{ref.function.name}` needs `{param.name}`", "it is not given here",
                            secondary=(Label(param.span, "defined here"),))
            worth = self.evaluate(value, frame) if value is not None else self.evaluate(param.default, inner)  # type: ignore[arg-type]
            inner.env[param.name] = self.binding(param.name, plain(worth), ref.function, param)
        return self.trace(expr, plain(self.evaluate(ref.function.value, inner)), frame)

    def _evaluate_pipe(self, expr: syntax.Pipe, frame: Frame) -> Any:
        return Deferred(expr, frame)

    _evaluate_group = _evaluate_pipe
    _evaluate_fork = _evaluate_pipe

    def _evaluate_slice(self, expr: syntax.Slice, frame: Frame) -> Any:
        raise fault("E0402", expr.span, "a slice stands only in an index", "here")

    # ---- writing -------------------------------------------------------------------------------

    def render(self, expr: syntax.Expr, frame: Frame) -> Term:
        """The Python for an expression, names and sizes as terms that the emitter resolves."""
        return getattr(self, f"_render_{type(expr).__name__.lower().rstrip('_')}")(expr, frame)  # type: ignore[no-any-return]

    def _render_literal(self, expr: syntax.Literal_, frame: Frame) -> Term:
        return literal(expr.value, expr.text)

    def _render_string(self, expr: syntax.String, frame: Frame) -> Term:
        if all(isinstance(part, str) for part in expr.parts):
            return literal("".join(str(part) for part in expr.parts))
        if len(expr.parts) == 1 and isinstance(expr.parts[0], syntax.Name):
            found = self.find(expr.parts[0].id, frame)
            if isinstance(found, Binding) and isinstance(found.value, str):
                return found.term
        source = ""
        operands: list[Term] = []
        for part in expr.parts:
            if isinstance(part, str):
                source += part.replace("{", "{{{{").replace("}", "}}}}")
            else:
                source += "{{{" + str(len(operands)) + "}}}"
                operands.append(self.render(part, frame))
        return written(f'f"{source}"', tuple(operands))

    def _render_name(self, expr: syntax.Name, frame: Frame) -> Term:
        found = self.find(expr.id, frame)
        if isinstance(found, Binding):
            return found.term
        if isinstance(found, LayerRef | BlockRef):
            return recipe_term(found)
        if isinstance(found, int | float | str | bool) or found is None:
            return literal(found)
        name = self.constant_name(expr.id, frame.scope)
        return written(name, requires=(("constant", name, freeze(found)),))

    def constant_name(self, name: str, scope: FileScope) -> str:
        """What a constant of a file is called in emitted code; files may have different ones of the same name."""
        while name in scope.imports:
            scope = scope.imports[name][0]
        homes = self.constants.setdefault(name.upper(), [])
        if scope not in homes:
            homes.append(scope)
        number = homes.index(scope) + 1
        return name.upper() if number == 1 else f"{name.upper()}_{number}"

    def _render_shapeliteral(self, expr: syntax.ShapeLiteral, frame: Frame) -> Term:
        parts = [literal(p) if isinstance(p, int) else frame.lookup(p).term for p in expr.parts]  # type: ignore[union-attr]
        return sequence_term(parts, "()")

    def _render_tupleexpr(self, expr: syntax.TupleExpr, frame: Frame) -> Term:
        return sequence_term([self.render(item, frame) for item in expr.items], "()")

    def _render_listexpr(self, expr: syntax.ListExpr, frame: Frame) -> Term:
        return sequence_term([self.render(item, frame) for item in expr.items], "[]")

    def _render_comprehension(self, expr: syntax.Comprehension, frame: Frame) -> Term:
        iterable = self.render(expr.iterable, frame)
        saved = dict(frame.env)
        for name in expr.target.names:
            frame.env[name] = Binding(None, written(name), expr.target.span)
        operands = [self.render(expr.element, frame), iterable]
        source = f"[{{0}} for {render_target(expr.target)} in {{1}}"
        if expr.condition is not None:
            source += " if {2}"
            operands.append(self.render(expr.condition, frame))
        frame.env.clear()
        frame.env.update(saved)
        return written(source + "]", tuple(operands), ATOM, (TERNARY, OR, OR)[: len(operands)])

    def _render_unary(self, expr: syntax.Unary, frame: Frame) -> Term:
        operand = self.render(expr.operand, frame)
        if expr.operator == "not":
            return written("not {0}", (operand,), NOT, NOT)
        return -operand if operand.constant is not None else written("-{0}", (operand,), UNARY, UNARY)

    def _render_binary(self, expr: syntax.Binary, frame: Frame) -> Term:
        left, right = self.render(expr.left, frame), self.render(expr.right, frame)
        level, need_left, need_right = LEVELS.get(expr.operator, COMPARISON)
        op = expr.operator
        if op in ("==", "!=") and isinstance(expr.right, syntax.Literal_) and expr.right.value is None:
            op = "is" if op == "==" else "is not"
        close = op == "**" and all(is_simple(e) for e in (expr.left, expr.right))
        source = f"{{0}}{op}{{1}}" if close else f"{{0}} {op} {{1}}"
        return written(source, (left, right), level, (need_left, need_right))

    def _render_ifelse(self, expr: syntax.IfElse, frame: Frame) -> Term:
        parts = tuple(self.render(e, frame) for e in (expr.then, expr.condition, expr.otherwise))
        return written("{0} if {1} else {2}", parts, TERNARY, (OR, OR, TERNARY))

    def _render_attribute(self, expr: syntax.Attribute, frame: Frame) -> Term:
        try:
            value = self.evaluate(expr, frame)
        except (Fault, Poisoned):
            return written(expr.attr)
        return value_term(value)

    def _render_index(self, expr: syntax.Index, frame: Frame) -> Term:
        value = self.render(expr.value, frame)
        if not isinstance(expr.index, syntax.Slice):
            return written("{0}[{1}]", (value, self.render(expr.index, frame)), ATOM, (ATOM, 0))
        ends = [e for e in (expr.index.start, expr.index.stop) if e is not None]
        start = "{1}" if expr.index.start is not None else ""
        stop = f"{{{len(ends)}}}" if expr.index.stop is not None else ""
        simple = all(isinstance(e, syntax.Name | syntax.Literal_) for e in ends)
        colon = ":" if simple else f"{' ' if start else ''}:{' ' if stop else ''}"
        operands = (value, *(self.render(e, frame) for e in ends))
        return written(f"{{0}}[{start}{colon}{stop}]", operands, ATOM, (ATOM, *(0 for _ in ends)))

    def _render_call(self, expr: syntax.Call, frame: Frame) -> Term:
        name = expr.function.span.text
        found = self.find(name, frame)
        if isinstance(found, FunctionRef):
            return self._render_function(expr, found, frame)
        operands = tuple(self.render(arg.value, frame) for arg in expr.args)
        fields = [f"{{{i}}}" if a.name is None else f"{a.name}={{{i}}}" for i, a in enumerate(expr.args)]
        if isinstance(found, LayerRef | BlockRef) and name not in BUILTINS:
            return recipe_call_term(found, fields, operands)
        builtin = BUILTINS[name]
        requires = (builtin.needs,) if builtin.needs else ()
        if "{0}" in builtin.python:
            return written(builtin.python, operands, ATOM, ATOM, requires)
        return written(builtin.python.replace("{}", ", ".join(fields)), operands, requires=requires)

    def _render_function(self, expr: syntax.Call, ref: FunctionRef, frame: Frame) -> Term:
        """A function of the file written out, the arguments in place of its parameters."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.depth = 0
            text = f"`{ref.function.name}` calls itself, which cannot be written as PyTorch"
            raise fault("E0901", expr.span, text, "called here", help="write it as a list or a `for`")
        inner = Frame(frame.template, ref.scope, frame.container)
        names = [param.name for param in ref.function.params]
        given = {arg.name or names[i]: self.render(arg.value, frame) for i, arg in enumerate(expr.args)}
        for param in ref.function.params:
            term = given.get(param.name)
            if term is None:
                assert param.default is not None
                term = self.render(param.default, inner)
            inner.env[param.name] = Binding(None, term, param.span)
        result = self.render(ref.function.value, inner)
        self.depth -= 1
        return result

    def _render_pipe(self, expr: syntax.Expr, frame: Frame) -> Term:
        raise fault("E0406", expr.span, "a chain cannot be handed on here", "name it with a `def`")

    _render_group = _render_pipe
    _render_fork = _render_pipe


def is_simple(expr: syntax.Expr) -> bool:
    """Whether the formatter writes a power of it without spaces."""
    if isinstance(expr, syntax.Unary):
        return expr.operator == "-" and isinstance(expr.operand, syntax.Literal_)
    return isinstance(expr, syntax.Name | syntax.Literal_)


def literal(value: Any, text: str | None = None) -> Term:
    """A constant as Python writes it; numbers keep the text of the spec."""
    if isinstance(value, bool) or value is None:
        return written(repr(value))
    if is_int(value):
        return Term({(): int(value)})
    if isinstance(value, str):
        quote = "'" if '"' in value else '"'
        escaped = value.replace("\\", "\\\\").replace("{", "{{").replace("}", "}}")
        return written(f"{quote}{escaped}{quote}")
    return written(text if text is not None and text[0].isdigit() and text[-1] != "." else repr(value))


def value_term(value: Any) -> Term:
    """The source for a value that was computed: integers by their terms, sequences entry by entry."""
    if isinstance(value, tuple | list):
        return sequence_term([value_term(item) for item in value], "()" if isinstance(value, tuple) else "[]")
    if isinstance(value, range):
        return sequence_term([value_term(item) for item in value], "[]")
    if isinstance(value, Term):
        return value
    if is_int(value):
        return Term.of(value)
    if isinstance(value, LayerRef | BlockRef):
        return recipe_term(value)
    return literal(value)


def sequence_term(parts: Sequence[Term], brackets: str) -> Term:
    inner = ", ".join(f"{{{i}}}" for i in range(len(parts)))
    comma = "," if brackets == "()" and len(parts) == 1 else ""
    return written(f"{brackets[0]}{inner}{comma}{brackets[1]}", tuple(parts))


def recipe_term(ref: LayerRef | BlockRef) -> Term:
    if isinstance(ref, BlockRef):
        return written(ref.define.name, requires=(("define", ref.define),))
    name = short_name(ref.cls.module or ref.name)[0].replace("{", "{{").replace("}", "}}")
    return written(name, requires=(("layer", ref.cls),))


def recipe_call_term(ref: LayerRef | BlockRef, fields: Sequence[str], operands: tuple[Term, ...]) -> Term:
    if not operands:
        return recipe_term(ref)
    (atom,) = next(iter(recipe_term(ref).parts))
    requires = (*getattr(atom, "requires", ()), "from functools import partial")
    return written(f"partial({braced(atom.label)}, {', '.join(fields)})", operands, requires=requires)


def braced(text: str) -> str:
    """Text whose braces stand for themselves in the source of a term."""
    return text.replace("{", "{{").replace("}", "}}")


def comparable(value: Any) -> str | None:
    """What kind of value it can equal; None where that is open."""
    if isinstance(value, LayerRef | BlockRef | Bound | Deferred | FunctionRef):
        return "layer"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | tuple | range):
        return "list"
    return "number" if isinstance(value, int | float | Term) else None


def undecided(expr: syntax.Binary, size: Term) -> Fault:
    return fault(
        "E0405", expr.span, f"`{expr.operator}` needs a number, and `{size}` is known only when the network runs",
        "this must be known now", help="give that dimension of the `input` a number",
    )  # fmt: skip


def several_inputs(span: Span, frame: Frame) -> Fault:
    names = ", ".join(f"`{name}`" for name in frame.template.root.inputs)
    help = f"name the one that is meant: {names}"
    return fault("E0303", span, "`x` has no meaning in a net with several inputs", "which one?", help=help)


def render_target(target: syntax.Target) -> str:
    if target.name is not None:
        return target.name
    return ", ".join(t.name if t.name is not None else f"({render_target(t)})" for t in target.items)


def traced(value: Any, term: Term) -> Any:
    """A value whose integers remember the term, those in a sequence its entries."""
    if is_int(value):
        return Known.make(int(value), term)
    if isinstance(value, tuple | list) and any(is_int(item) or isinstance(item, tuple | list) for item in value):
        return type(value)(traced(item, written(f"{{0}}[{i}]", (term,), ATOM, ATOM)) for i, item in enumerate(value))
    return value


def plain(value: Any) -> Any:
    """A value without the terms of its integers."""
    if isinstance(value, tuple | list) and any(isinstance(item, Known | tuple | list) for item in value):
        return type(value)(plain(item) for item in value)
    return int(value) if isinstance(value, Known) else value


def freeze(value: Any) -> Any:
    """A hashable stand-in for a compile-time value."""
    if isinstance(value, list | range):
        return ("list", *(freeze(item) for item in value))
    if isinstance(value, tuple):
        return ("tuple", *(freeze(item) for item in value))
    if isinstance(value, dict):
        return ("dict", *((key, freeze(item)) for key, item in value.items()))
    if isinstance(value, LayerRef):
        return ("layer", value.name)
    if isinstance(value, BlockRef):
        return ("block", value.define)
    if isinstance(value, bool | float):
        return (type(value).__name__, value)
    return plain(value)


def is_number(value: Any) -> bool:
    return is_int(value) or isinstance(value, float | Term)


__all__ = ["Expressions", "Label", "freeze", "is_number", "literal", "plain", "render_target", "value_term"]
