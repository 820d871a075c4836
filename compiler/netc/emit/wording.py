"""How constructors say small things: assignments, labels, opposites, names of flags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from keyword import iskeyword

from netc import syntax
from netc.emit.layout import quoted
from netc.terms import Term, Written


def label_text(label: tuple[str, bool] | None) -> str:
    assert label is not None
    return quoted(label[0]) if label[1] else label[0]


def assignment(name: str, source: str) -> str:
    """`name = source`, or `name += rest` where a sum begins with the name; `name *= n` and `name //= n` alike."""
    if found := re.fullmatch(rf"(\w+) \* {name}|{name} // (\w+)", source):
        return f"{name} *= {found[1]}" if found[1] else f"{name} //= {found[2]}"
    if source.startswith(f"{name} + ") and not {" if ", " or ", " and "} & set(re.findall(r" \w+ ", source)):
        return f"{name} += {source.removeprefix(f'{name} + ')}"
    return f"{name} = {source}"


def assigned(line: str, keys: Sequence[str]) -> str:
    """`self.add_module(key, module)` as the assignment of an item; any other line as it is."""
    for key in keys:
        indent, found, source = line.partition(f"self.add_module({key}, ")
        if found and not indent.strip():
            return f"{indent}self[{key}] = {source[:-1]}"
    return line


def negated(condition: str) -> str:
    """The source of the opposite."""
    opposites = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
    compared = re.fullmatch(r"([^ ()]+) ([=!<>]=?) ([^ ()]+)", condition)
    if compared is not None:
        return f"{compared[1]} {opposites[compared[2]]} {compared[3]}"
    return f"not {condition}" if re.fullmatch(r"[\w.]+", condition) else f"not ({condition})"


def is_settled(term: Term) -> bool:
    """Whether a term is made of numbers alone."""
    return not any(atom.source.isidentifier() for atom in term.atoms() if isinstance(atom, Written))


def conditions_in(expr: syntax.Expr) -> Iterator[syntax.Expr]:
    """The conditions of an expression that is written as it stands."""
    if isinstance(expr, syntax.IfElse):
        yield expr.condition
        yield from conditions_in(expr.then)
        yield from conditions_in(expr.otherwise)


def is_optional_member(statement: syntax.Flow) -> bool:
    """Whether a guarded statement is one labelled module, which is None when it is left out."""
    label = statement.label
    return isinstance(label, syntax.Name) and not iskeyword(label.id) and statement.operator is None


def flag_name(statement: syntax.Flow) -> str:
    """What the outcome of a guard is called in the class."""
    if statement.operator == "+":
        return "shortcut"
    if statement.label is not None:
        return f"use_{statement.label.span.text}"
    for word in statement.body.span.text.replace("(", " ").replace(":", " ").split():
        if word.isidentifier():
            return f"use_{word.lower()}"
    return "enabled"
