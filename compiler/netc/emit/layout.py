"""Lays a script's calls, dicts, messages and imports out as the formatter would, 88 columns wide."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from netc.layer import Dotted
from netc.sources import ModelSource

WIDTH = 88
FROM = re.compile(r"from (\S+) import (.+)")


def call(head: str, args: Iterable[str], indent: int = 4, tail: str = "") -> str:
    """`head(args)tail`, on one line, or its arguments on one line, or one argument a line."""
    items, space = list(args), " " * indent
    flat = ", ".join(items)
    line = f"{space}{head}({flat}){tail}"
    if len(line) <= WIDTH:
        return line
    if len(space) + 4 + len(flat) <= WIDTH:
        return f"{space}{head}(\n{space}    {flat}\n{space}){tail}"
    lines = "".join(f"{space}    {item},\n" for item in items)
    return f"{space}{head}(\n{lines}{space}){tail}"


def row(head: str, items: Iterable[str], end: str, indent: int) -> str:
    """`head [items]` for a list or dict, on one line or one entry a line."""
    entries, space = list(items), " " * indent
    line = f"{space}{head}{', '.join(entries)}{end}"
    if len(line) <= WIDTH:
        return line
    return f"{space}{head}\n" + "".join(f"{space}    {entry},\n" for entry in entries) + f"{space}{end}"


def message(head: str, pieces: Sequence[str], indent: int) -> str:
    """`head(f"...")`, its text broken between pieces."""
    space = " " * indent
    line = f'{space}{head}(f"{"  ".join(pieces)}")'
    if len(line) <= WIDTH:
        return line
    rows = [""]
    for index, piece in enumerate(pieces):
        text = piece + "  " * (index + 1 < len(pieces))
        if rows[-1] and indent + 7 + len(rows[-1] + text) > WIDTH:
            rows.append("")
        rows[-1] += text
    body = "".join(f'{space}    {"f" * ("{" in text)}"{text}"\n' for text in rows)
    return f"{space}{head}(\n{body}{space})"


def condition(terms: Sequence[str], head: str, indent: int) -> str:
    """`if a or b:`, broken before each `or` where it is too long."""
    space = " " * indent
    line = f"{space}{head} {' or '.join(terms)}:"
    if len(line) <= WIDTH:
        return line
    rows = "".join(f"{space}    {'or ' if i else ''}{term}\n" for i, term in enumerate(terms))
    return f"{space}{head} (\n{rows}{space}):"


def imports(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """The standard library's imports and the others, each sorted and merged as isort does."""
    plain: set[str] = set()
    members: dict[str, set[str]] = {}
    for line in lines:
        if found := FROM.fullmatch(line):
            members.setdefault(found[1], set()).update(name.strip() for name in found[2].split(","))
        else:
            plain.add(line)
    rows = sorted(plain, key=lambda line: line.split()[1])
    rows += [import_from(module, members[module]) for module in sorted(members, key=str.lower)]
    own = [text for text in rows if package(text) in sys.stdlib_module_names]
    return own, [text for text in rows if text not in own]


def package(line: str) -> str:
    """The package from which a line imports."""
    return line.split()[1].partition(".")[0]


def module(model: ModelSource) -> str:
    """A file with the classes of a model and nothing else."""
    head = "\n\n".join("\n".join(rows) for rows in imports(model.imports) if rows)
    gap = "\n\n\n" if model.source.startswith(("class ", "def ", "@")) else "\n\n"
    return f"{head}{gap}{model.source}"


def import_from(module: str, names: Iterable[str]) -> str:
    ordered = sorted(names, key=_member_key)
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in ordered) + ")"


def _member_key(name: str) -> tuple[int, str]:
    """isort's order: CONSTANTS, Classes, variables."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


def literal(value: Any) -> str:
    """A compile-time value as Python source."""
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, tuple | list):
        inner = ", ".join(literal(item) for item in value)
        comma = "," * (len(value) == 1 and isinstance(value, tuple))
        return f"({inner}{comma})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, Dotted):
        return value.name
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    """A string as the formatter writes it: in double quotes, unless that takes more escapes."""
    body = text.replace("\\", "\\\\").replace("\n", "\\n")
    if body.count('"') > body.count("'"):
        return "'" + body.replace("'", "\\'") + "'"
    return '"' + body.replace('"', '\\"') + '"'


def snake(name: str) -> str:
    """`CrossEntropyLoss` as a variable: `cross_entropy_loss`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
