"""The Python that says what an expression says, names and sizes as terms that the emitter resolves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netc import syntax
from netc.builtins import BUILTINS
from netc.elaborate.lookup import (
    MAX_DEPTH,
    Lookup,
    literal,
    recipe_call_term,
    recipe_term,
    render_target,
    sequence_term,
    value_term,
)
from netc.elaborate.syntactic import handler
from netc.elaborate.values import (
    Binding,
    BlockRef,
    Fault,
    FileScope,
    Frame,
    FunctionRef,
    LayerRef,
    Past,
    Poisoned,
    fault,
)
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
    Term,
    Written,
    written,
)

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


class Rendering(Lookup):
    """Renders expressions."""

    def evaluate(self, expr: syntax.Expr, frame: Frame) -> Any:
        """The value of an expression."""
        raise NotImplementedError

    def render(self, expr: syntax.Expr, frame: Frame) -> Term:
        """The Python for an expression, names and sizes as terms that the emitter resolves."""
        return getattr(self, handler("_render_", type(expr).__name__))(expr, frame)  # type: ignore[no-any-return]

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
                source += part.replace("\\", "\\\\").replace("{", "{{{{").replace("}", "}}}}")
            else:
                source += "{{{" + str(len(operands)) + "}}}"
                operands.append(self.render(part, frame))
        return written(f'f"{source}"', tuple(operands))

    def _render_name(self, expr: syntax.Name, frame: Frame) -> Term:
        found = self.find(expr.id, frame)
        if isinstance(found, Past):
            frame.template.chosen[expr] = found.iterable
        if isinstance(found, Binding):
            return found.term
        if isinstance(found, LayerRef | BlockRef):
            return recipe_term(found)
        if isinstance(found, int | float | str | bool) or found is None:
            return literal(found)
        name = self.constant_name(expr.id, frame.scope)
        return written(name, requires=(("constant", name, value_term(found)),))

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
        iterable = iterated(self.render(expr.iterable, frame))
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
        if expr.operator == "+" and isinstance(self.evaluate(expr.left, frame), list | tuple):
            return concatenation([left, right])
        level, need_left, need_right = LEVELS.get(expr.operator, COMPARISON)
        op = expr.operator
        if op in ("==", "!=") and isinstance(expr.right, syntax.Literal_) and expr.right.value is None:
            op = "is" if op == "==" else "is not"
        return written(f"{{0}} {op} {{1}}", (left, right), level, (need_left, need_right))

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
        if isinstance(found, Binding):
            found = found.value
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


def iterated(iterable: Term) -> Term:
    """What a loop goes over once, for which no list need be made: `dict.fromkeys(widths)`."""
    parts = list(iterable.parts)
    atom = parts[0][0] if len(parts) == 1 and len(parts[0]) == 1 else None
    if not isinstance(atom, Written) or atom.source not in ("list(dict.fromkeys({0}))", "enumerate({0})"):
        return iterable
    if atom.source == "enumerate({0})":
        return written(atom.source, (iterated(atom.operands[0]),), atom.level, atom.needs, atom.requires)
    return written("dict.fromkeys({0})", atom.operands, atom.level, atom.needs, atom.requires)


def concatenation(sides: Sequence[Term]) -> Term:
    """A list of the entries of several, which may be lists or tuples: `[False, *dilate]`."""
    fields: list[str] = []
    operands: list[Term] = []
    for side in sides:
        ((monomial, _),) = side.parts.items()
        atom = monomial[0]
        listed = isinstance(atom, Written) and atom.source[0] in "[(" and " for " not in atom.source
        parts = atom.operands if isinstance(atom, Written) and listed else (side,)
        stars = [part.strip() for part in atom.source[1:-1].split(",")] if listed else ["*"]  # type: ignore[union-attr]
        for part, star in zip(parts, stars, strict=False):
            fields.append(f"{'*' * star.startswith('*')}{{{len(operands)}}}")
            operands.append(part)
    return written(f"[{', '.join(fields)}]", tuple(operands))
