"""The rules of the whole graph, after every layer is placed; what is only suspicious is a warning."""

from __future__ import annotations

from collections.abc import Iterator

from netc import syntax
from netc.diagnostics import Diagnostic, Label
from netc.graph import Network, Template, Use


def check(network: Network) -> tuple[Diagnostic, ...]:
    """The warnings of a network: parameters and values that nothing uses."""
    found = []
    for template in network.templates:
        node = template.node
        if isinstance(node, syntax.Define) and template.sites:
            if node.kind == "net" or not template.passed:
                found += list(unused_parameters(node))
            found += list(unused_values(node, template))
    return tuple({(d.primary.span.start, d.message): d for d in found}.values())


def unused_parameters(define: syntax.Define) -> Iterator[Diagnostic]:
    if not define.params:
        return
    used = {name for statement in define.body for name in names_in(statement)}
    used |= {name for param in define.params if param.default is not None for name in names_in(param.default)}
    for param in define.params:
        if param.name not in used:
            text = f"the parameter `{param.name}` of `{define.name}` is never used"
            yield Diagnostic("W0701", text, Label(param.span, "here"), severity="warning")


def unused_values(define: syntax.Define, template: Template) -> Iterator[Diagnostic]:
    """Names that are bound and never read again."""
    bound: dict[str, syntax.Node] = {}
    for statement in define.body:
        if isinstance(statement, syntax.Assign):
            for name in statement.target.names:
                bound.setdefault(name, statement)
    read = {name for statement in define.body for name in names_in(statement)} if bound else set()
    for name, node in bound.items():
        if name not in read and not name.startswith("_"):
            yield Diagnostic("W0702", f"`{name}` is never read", Label(node.span, "kept here"), severity="warning")


def names_in(node: object) -> Iterator[str]:
    """The names that a piece of syntax reads."""
    if isinstance(node, syntax.Name):
        yield node.id
    elif isinstance(node, syntax.ShapeLiteral):
        yield from (part for part in node.parts if isinstance(part, str))
    elif isinstance(node, syntax.Target):
        return
    elif isinstance(node, syntax.Node):
        for name in node.__dataclass_fields__:
            if name not in ("span", "label") or isinstance(getattr(node, name), syntax.String):
                yield from names_in(getattr(node, name))
    elif isinstance(node, tuple):
        for item in node:
            yield from names_in(item)


__all__ = ["Use", "check"]
