"""Members in the order that `order` gives, the statements of a constructor moved with them."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from netc import syntax
from netc.emit.elimination import Inexpressible


def complete(wanted: list[str], lines: Sequence[str]) -> list[str]:
    """The members in their order, those that `_` stands for named."""
    if syntax.OTHERS not in wanted:
        return wanted
    found = (re.match(r'\s*self\.(?:add_module\("([^"]+)"|(\w+) = )', line) for line in lines)
    others = dict.fromkeys(name for match in found if match is not None for name in match.groups() if name)
    at = wanted.index(syntax.OTHERS)
    return [*wanted[:at], *(name for name in others if name not in wanted), *wanted[at + 1 :]]


def reordered(lines: list[str], wanted: Sequence[str]) -> list[str]:
    """Statements sorted so that members come in a given order; what belongs to no listed member stays after."""
    groups: list[list[str]] = []
    for line in lines:
        if (line.startswith(" ") and groups) or line.startswith(("else:", "elif ")):
            groups[-1].append(line)
        else:
            groups.append([line])
    ranked: dict[int, list[list[str]]] = {}
    rest: list[list[str]] = []
    header = groups.pop(0)
    groups = merge_optional(groups)
    for group in groups:
        names = [name for name in wanted if any(member_of(line, name) for line in group)]
        if names:
            ranked.setdefault(min(wanted.index(name) for name in names), []).append(group)
        elif member_line(group):
            rest.append(group)
        else:
            ranked.setdefault(-1, []).append(group)
    ordered = [*(g for rank in sorted(ranked) for g in ranked[rank]), *rest]
    refuse_reordering(groups, ordered)
    return [line for group in (header, *ordered) for line in group]


def refuse_reordering(groups: list[list[str]], ordered: list[list[str]]) -> None:
    """Raises Inexpressible where statements change places of which one assigns what the other reads or assigns."""
    places = [next(place for place, other in enumerate(ordered) if other is group) for group in groups]
    touched = [touched_names("\n".join(group)) for group in groups]
    asked = {name for _, reads in touched for name in reads}
    for i, (writes, reads) in enumerate(touched):
        for j in range(i + 1, len(groups)):
            other_writes, other_reads = touched[j]
            shared = writes & other_reads | reads & other_writes | writes & other_writes & asked
            if shared and places[i] > places[j]:
                name = min(shared).removeprefix("self.")
                raise Inexpressible(f"an `order` that asks for `{name}` before it is known")


def touched_names(text: str) -> tuple[set[str], set[str]]:
    """The locals and attributes that statements assign, and those that they read, what their own loops bind aside."""
    writes: set[str] = set()
    reads: set[str] = set()
    loops: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
                reads.add(ast.unparse(node))
            case ast.Name() | ast.Attribute():
                writes.add(ast.unparse(node))
            case ast.AugAssign(target=target):
                reads.add(ast.unparse(target))
            case ast.For(target=target) | ast.comprehension(target=target):
                loops.update(part.id for part in ast.walk(target) if isinstance(part, ast.Name))
    return writes, reads - loops - {"self"}


def merge_optional(groups: list[list[str]]) -> list[list[str]]:
    """`self.a = None` and the `if` that sets it belong together."""
    merged: list[list[str]] = []
    for group in groups:
        if merged and merged[-1][-1].endswith(" = None") and group[0].startswith("if "):
            merged[-1] = [*merged[-1], *group]
        else:
            merged.append(group)
    return merged


def member_of(line: str, name: str) -> bool:
    text = line.strip()
    return text.startswith((f"self.{name} = ", f'self.add_module("{name}"'))


def member_line(group: list[str]) -> bool:
    return any(line.strip().startswith("self.") for line in group)
