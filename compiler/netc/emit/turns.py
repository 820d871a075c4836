"""Modules of a list that `forward` calls one after the other, because they take more than what flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netc import syntax
from netc.emit.python import Py
from netc.graph import Use
from netc.naming import snake_case

if TYPE_CHECKING:
    from netc.emit.forward import Forward


def write_turns(forward: Forward, member: str, stage: syntax.Expr, use: Use) -> None:
    """The loop over the ModuleList of `label: n * Block(tensor)`; the tensors are the same in every turn."""
    extras = forward.more_operands(use) if use.template is None else forward.extras(use)
    forward.flush()
    if forward.flow.text != forward.variable:
        forward.out.add(f"{forward.variable} = {forward.flow.text}")
        forward.flow = Py(forward.variable)
    name = "layer" if use.template is None else snake_case(use.template.name)
    if not any(line.lstrip().startswith(f"for {name} in self.") for line in forward.out.items):
        name = forward.fresh_name(name)
    with forward.out.block(f"for {name} in {member}:"):
        forward.apply_member(name, extras, use)
        forward.choose_output(use, stage)
        forward.out.add(f"{forward.variable} = {forward.flow.text}")
    forward.flow = Py(forward.variable)
