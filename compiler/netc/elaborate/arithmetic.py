"""Arithmetic of tensors in expressions: each operator is a function that a plugin brings."""

from __future__ import annotations

from typing import Any

from netc import syntax
from netc.elaborate.arguments import Given
from netc.elaborate.joining import Joining
from netc.elaborate.lookup import is_number
from netc.elaborate.syntactic import parts_of
from netc.elaborate.values import (
    Binding,
    Bound,
    Frame,
    LayerRef,
    Tensor,
    describe,
    fault,
    is_flowing,
    tensors,
)

OF_TENSORS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
OF_A_NUMBER = {"+": "add_scalar", "-": "sub_scalar", "*": "mul_scalar", "/": "div_scalar", "**": "pow"}
FROM_A_NUMBER = {"+": "add_scalar", "-": "rsub_scalar", "*": "mul_scalar", "/": "rdiv_scalar"}
"""The function of an operator behind a number: `1 - x`."""
ELSEWHERE = {
    "**": "a tensor is raised to a number: `x ** 2`",
    "//": "`floor(a / b)` divides into whole numbers",
    "%": "`a - b * floor(a / b)` is what remains",
}


class Arithmetic(Joining):
    """Computes with tensors."""

    def compute(self, expr: syntax.Binary, left: Any, right: Any, frame: Frame) -> Any:
        """`a + b`, `x / 2`, `1 - x`: of two tensors, or of a tensor and a number."""
        sides = ((expr.left, left), (expr.right, right))
        for node, value in sides:
            if is_flowing(value) and not isinstance(value, Tensor):
                text = f"`{expr.operator}` takes one tensor on each side, and here are {len(value)}"
                raise fault("E0603", node.span, text, "which one?", help="name them: `a, b = ...`")
            if isinstance(value, Tensor):
                self.unread.read(value)
        flowing = [node for node, value in sides if isinstance(value, Tensor)]
        if len(flowing) == 2 and expr.operator in OF_TENSORS:
            result = self.combine(OF_TENSORS[expr.operator], [left, right], expr, frame)
            frame.template.sites[expr].operands = tuple(flowing)  # type: ignore[union-attr]
            return result
        number, at = (right, expr.right) if isinstance(left, Tensor) else (left, expr.left)
        names = OF_A_NUMBER if isinstance(left, Tensor) else FROM_A_NUMBER
        if len(flowing) == 1 and not (is_number(number) and not isinstance(number, bool)):
            raise self.no_operand(expr, at, number)
        if len(flowing) == 2 or expr.operator not in names:
            kinds = f"{describe(left)} and {describe(right)}"
            help = ELSEWHERE.get(expr.operator, "conditions are decided before any run; ask for a size: `x.c == 64`")
            raise fault("E0402", expr.span, f"`{expr.operator}` cannot take {kinds}", "computed here", help=help)
        given = Given([number], written={0: self.render(at, frame)}, spans=[(0, at.span)])
        given.operands.append((flowing[0], left if isinstance(left, Tensor) else right))
        return self.apply_operator(names[expr.operator], expr, given, frame)

    def negate(self, expr: syntax.Unary, value: Any, frame: Frame) -> Any:
        """`-x`."""
        return self.apply_operator("neg", expr, Given(operands=[(expr.operand, value)]), frame)

    def apply_operator(self, name: str, expr: syntax.Expr, given: Given, frame: Frame) -> Any:
        cls = self.registry.layer(name)
        if cls is None:
            raise fault("E0301", expr.span, f"no plugin brings the function `{name}`", "needed here")
        use, output = self.apply_given(LayerRef(name, cls, True), given, frame, expr)
        self.record(expr, use, frame)
        self.called(frame, use, expr)
        return output

    def no_operand(self, expr: syntax.Binary, node: syntax.Expr, value: Any) -> Exception:
        """Something other than a number beside a tensor."""
        help = None
        if isinstance(value, LayerRef | Bound) and expr.operator in "+*":
            joined = f"`{expr.operator} {node.span.brief}`"
            help = f"at the start of a statement an operator joins the flow with what a layer makes of it: {joined}"
        text = f"`{expr.operator}` cannot take a tensor and {describe(value)}"
        return fault("E0402", node.span, text, "a tensor or a number is needed", help=help)

    def has_tensor(self, node: syntax.Expr | tuple[syntax.Expr, ...], frame: Frame) -> bool:
        """Whether a tensor is named in an expression other than for its sizes."""
        if isinstance(node, syntax.Name):
            if node.id == "_":
                return frame.flow is not None
            found = frame.lookup(node.id) if node.id != "x" else self.find("x", frame)
            return isinstance(found, Binding) and any(True for _ in tensors(found.value))
        if isinstance(node, syntax.Attribute):
            return False
        return any(self.has_tensor(part, frame) for part in parts_of(node))
