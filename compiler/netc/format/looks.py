"""How a statement looks, for the question whether a statement below repeats it."""

from __future__ import annotations

from typing import NamedTuple

from netc.format.comments import first_leaf
from netc.parse.lossless import Branch, Leaf


class Look(NamedTuple):
    """`name` is the label, or else what the statement starts with, without digits; `callee` what is labelled."""

    kind: str
    name: str
    callee: str

    @property
    def is_labelled(self) -> bool:
        return self.callee != ""

    def repeats(self, other: Look) -> bool:
        """`bn2: BatchNorm` repeats `bn1: BatchNorm`, `mp` repeats `mp: MaxPool(2)`, `low = _` repeats `high = _`."""
        if self.kind != other.kind:
            return False
        return self.kind == "assign" or self.name == other.name or (self.is_labelled and self.callee == other.callee)


def look_of(statement: Branch) -> Look:
    if statement.rule != "flow":
        return Look(statement.rule, _stem(statement), "")
    parts = statement.children
    operator = ""
    if isinstance(parts[0], Branch) and parts[0].rule == "op":
        operator, parts = first_leaf(parts[0]).text, parts[1:]
    labelled = len(parts) > 1 and isinstance(parts[1], Leaf) and parts[1].text == ":"
    return Look(f"flow {operator}", _stem(parts[0]), _stem(parts[2]) if labelled else "")


def _stem(tree: Branch | Leaf) -> str:
    return "".join(character for character in first_leaf(tree).text if not character.isdigit())
