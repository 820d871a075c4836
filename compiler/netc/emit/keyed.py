"""Classes whose members all have keys rather than names, as `"{i}"` computes them: what an `nn.ModuleDict` is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netc import syntax
from netc.emit.targets import names_read
from netc.emit.wrapping import INDENT

if TYPE_CHECKING:
    from netc.emit.tensors import Tensors


def all_in_turn(writer: Tensors, statement: syntax.For, header: int, member: str) -> bool:
    """Writes a loop that calls every member of the class, one in each turn, as a loop over the members.

    `header` is the line above its body, `member` what a turn calls.
    """
    lines, before = writer.out.items[header + 1 :], writer.out.items[:header]
    indent = INDENT * (writer.out.depth + 1)
    called = [line for line in lines if member in line]
    if writer.out.depth or not has_only(writer, 1) or len(called) != 1 or called[0].count(member) != 1:
        return False
    if called[0].startswith(f"{indent} ") or any("self[" in line.replace(member, "") for line in lines):
        return False
    read = names_read([line.replace(member, "") for line in lines])
    if read & set(statement.target.names):
        return False
    read |= names_read(before) | {*writer.inputs()}
    name = next(each for each in ("layer", "member", *(f"layer_{i}" for i in range(2, 1000))) if each not in read)
    body = [line.replace(member, name) for line in lines]
    writer.out.items = [*before, f"for {name} in self.values():", *body]
    return True


def has_only(writer: Tensors, count: int) -> bool:
    """Whether a class is a ModuleDict whose members come from so many places, in the order of the text."""
    ordered = any(isinstance(statement, syntax.Order) for statement in writer.template.body)
    return writer.keyed and len(writer.keys) == count and not ordered
