"""Targets of loops and assignments as Python writes them."""

from __future__ import annotations

from netc import syntax
from netc.naming import python_name


def render_target(target: syntax.Target) -> str:
    """`i, (b, c)`."""
    if target.name is not None:
        return python_name(target.name)
    return ", ".join(python_name(t.name) if t.name is not None else f"({render_target(t)})" for t in target.items)
