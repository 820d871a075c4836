"""Spellings of other languages that parse here but mean nothing, each with the spelling that does."""

from __future__ import annotations

import re

from netc.diagnostics import Diagnostic, Diagnostics, Label, Span, replace
from netc.syntax import Attribute, Binary, Call, Expr, Flow, Name

_MODULES = ("nn", "torch")
_DIMENSION = re.compile(r"[123]d$")
COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))


def check_attribute(found: Diagnostics, span: Span, value: Expr, attr: str) -> None:
    """`nn.Conv2d`, `torch.nn.functional.relu`, `self.fc`."""
    if is_self(value):
        help = f"a label names a submodule, and its name alone applies it again: `{attr}`"
        _report(found, span, "there is no `self` here", help)
    elif isinstance(value, Name) and value.id in _MODULES and not (value.id == "nn" and attr.islower()):
        _report(found, span, f"`{value.id}.` is not written here", _spelling(attr), _DIMENSION.sub("", attr))


def check_call(found: Diagnostics, function: Expr) -> None:
    """`F.relu(x)`."""
    if isinstance(function, Attribute) and isinstance(function.value, Name) and function.value.id == "F":
        _report(found, function.span, "`F.` is not written here", _spelling(function.attr), function.attr)


def check_comparison(found: Diagnostics, flow: Flow) -> None:
    """`y == Conv(8)` as a statement."""
    body = flow.body
    if isinstance(body, Binary) and body.operator in COMPARISONS and flow.label is None and flow.operator is None:
        help = "`=` keeps a value under a name: `y = ...`" if body.operator == "==" else None
        _report(found, body.span, f"a comparison by `{body.operator}` is not a statement", help)


def is_self(value: Expr) -> bool:
    """Whether it starts at `self`: `self`, `self.fc`, `self.fc(x)`."""
    while isinstance(value, Attribute | Call):
        value = value.value if isinstance(value, Attribute) else value.function
    return isinstance(value, Name) and value.id == "self"


def _spelling(attr: str) -> str:
    short = _DIMENSION.sub("", attr)
    if short == attr:
        return f"write `{attr}`" if attr != "functional" else "the name of the function alone is enough"
    return f"write `{short}`: what reaches it says how many dimensions and how many input channels it has"


def _report(found: Diagnostics, span: Span, message: str, help: str | None, plain: str | None = None) -> None:
    fix = replace(span, plain) if plain else None
    found.add(Diagnostic("E0113", message, Label(span), help=help, fix=fix))
