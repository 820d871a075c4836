"""Constants of emitted code: defaults, and the tables of the spec with their types."""

from __future__ import annotations

import ast
from typing import Any

from netc.emit.wrapping import WIDTH, split
from netc.terms import Term


def typed_constant(name: str, source: str) -> str:
    """`NAME: list[tuple[type[A] | type[B], int]] = source` for rows that hold several classes, which have no type that
    tells more than `nn.Module`."""
    node = ast.parse(source, mode="eval").body
    rows = node.elts if isinstance(node, ast.List) else []
    if not rows or not all(isinstance(row, ast.Tuple) and len(row.elts) == len(rows[0].elts) for row in rows):  # type: ignore[attr-defined]
        return f"{name} = {source}"
    cells = zip(*(row.elts for row in rows), strict=True)  # type: ignore[attr-defined]
    columns = [" | ".join(dict.fromkeys(map(cell_type, column))) for column in cells]
    head = f"{name}: list[tuple[{', '.join(columns)}]]"
    needed = any(column.count("type[") > 1 for column in columns) and len(head) < WIDTH - len(" = [")
    return f"{head if needed else name} = {source}"


def cell_type(cell: ast.expr) -> str:
    """The type of an entry of a table."""
    if isinstance(cell, ast.Constant):
        return type(cell.value).__name__ if cell.value is not None else "None"
    if isinstance(cell, ast.Name):
        return f"type[{cell.id}]"
    return "type[nn.Module]" if isinstance(cell, ast.Attribute) else "object"


def holds_block(term: Term) -> bool:
    return any(need[0] == "define" for atom in term.atoms() for need in getattr(atom, "requires", ()))


def tuple_text(text: str) -> str:
    """A list as a tuple, so that no default can be changed."""
    items = split(text[1:-1], (", ",)) if text != "[]" else []
    inner = [tuple_text(item) if is_list(item) else item for item in items]
    return f"({', '.join(inner)}{',' * (len(inner) == 1)})"


def is_list(text: str) -> bool:
    return text.startswith("[") and text.endswith("]") and " for " not in text


def literal_value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return ...
