"""Copies of a definition's text, so that each place where it is expanded in line has nodes of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from netc import syntax
from netc.elaborate.syntactic import bound


def copied(define: syntax.Define, taken: Collection[str]) -> syntax.Define:
    """The definition with fresh nodes; what it binds under a name that is taken gets another one."""
    own = {*bound(define.body)}
    parameters = {param.name for param in define.params}
    renamed = {name: free(name, {*taken, *own, *parameters}) for name in own if name in taken}
    return clone(define, renamed)  # type: ignore[no-any-return]


def free(name: str, taken: Collection[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def clone(value: Any, renamed: Mapping[str, str]) -> Any:
    """A copy of a node and of all that is below it; labels keep their names."""
    if isinstance(value, tuple):
        return tuple(clone(item, renamed) for item in value)
    if not isinstance(value, syntax.Node):
        return value
    fields: dict[str, Any] = {name: getattr(value, name) for name in value.__match_args__}
    if isinstance(value, syntax.Order | syntax.Tie):
        return type(value)(**fields)
    for name, field in fields.items():
        if name not in ("span", "name_span", "label"):
            fields[name] = clone(field, renamed)
    match value:
        case syntax.Name(id=old):
            fields["id"] = renamed.get(old, old)
        case syntax.Target(name=str(old)):
            fields["name"] = renamed.get(old, old)
        case syntax.Flow(label=syntax.String() as label):
            fields["label"] = clone(label, renamed)
    return type(value)(**fields)
