"""Spellings of other languages that parse here but mean nothing, each with the spelling that does."""

from __future__ import annotations

from netc.diagnostics import Diagnostic, Diagnostics, Fix, Label, Span, replace
from netc.syntax import Attribute, Binary, Call, Expr, Flow, ListExpr, Name, Unary

COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))


def check_attribute(found: Diagnostics, span: Span, value: Expr, attr: str) -> None:
    """`self.fc`."""
    if is_self(value):
        help = f"a label names a submodule, and its name alone applies it again: `{attr}`"
        _report(found, span, "there is no `self` here", help)


def check_statement(found: Diagnostics, flow: Flow) -> None:
    """`y == Conv(8)` and `- [1, Conv, [8, 3]]` as statements."""
    body = flow.body
    if isinstance(body, Unary) and body.operator == "-" and isinstance(body.operand, ListExpr):
        help = "a line is a label and a module, without `-`: `label: Layer(arguments)`"
        _report(found, body.span, "a statement does not begin with `-`", help)
    if isinstance(body, Binary) and body.operator in COMPARISONS and flow.label is None and flow.operator is None:
        equal = body.operator == "=="
        way_out = "`=` keeps a value under a name: `y = ...`" if equal else None
        between = Span(body.span.source, body.left.span.end, body.right.span.start)
        fix = replace(between, " = ") if equal and isinstance(body.left, Name) else None
        _report(found, body.span, f"a comparison by `{body.operator}` is not a statement", way_out, fix)


def is_self(value: Expr) -> bool:
    """Whether it starts at `self`: `self`, `self.fc`, `self.fc(x)`."""
    while isinstance(value, Attribute | Call):
        value = value.value if isinstance(value, Attribute) else value.function
    return isinstance(value, Name) and value.id == "self"


def _report(found: Diagnostics, span: Span, message: str, help: str | None, fix: Fix | None = None) -> None:
    found.add(Diagnostic("E0113", message, Label(span), help=help, fix=fix))
