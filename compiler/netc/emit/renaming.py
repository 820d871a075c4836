"""Names at the top of a Python text changed wherever they are meant, and nothing else touched."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def renamed(text: str, changes: Mapping[str, str]) -> str:
    """A text in which names that it defines at its top, or reads from around it, are called otherwise.

    Attributes, arguments by name, and what functions call by the same name for themselves stay. Raises ValueError for
    a place that Python does not tell exactly.
    """
    if not changes:
        return text
    rows = text.split("\n")
    for line, column in sorted(set(occurrences(ast.parse(text), rows, frozenset(changes))), reverse=True):
        row = rows[line - 1]
        found = re.compile(r"\w+").match(row, column)
        if found is None or found[0] not in changes:
            raise ValueError(f"line {line}, `{row.strip()}`")
        rows[line - 1] = row[:column] + changes[found[0]] + row[found.end() :]
    return "\n".join(rows)


def occurrences(
    node: ast.AST, rows: Sequence[str], names: frozenset[str], *, member: bool = False
) -> Iterator[tuple[int, int]]:
    """Line and column of each place where one of the names is meant; the name of a class's member is its own."""
    if isinstance(node, ast.Name) and node.id in names:
        yield node.lineno, column_of(rows, node)
    elif isinstance(node, ast.Global) and names & set(node.names):
        raise ValueError(f"line {node.lineno}, `{rows[node.lineno - 1].strip()}`")
    elif isinstance(node, DEFINED) and node.name in names and not member:
        start = re.compile(r"(async\s+)?(def|class)\s+").match(rows[node.lineno - 1], column_of(rows, node))
        yield node.lineno, start.end() if start else 0
    for child, inside in parts(node):
        within = names - inside
        if isinstance(node, ast.ClassDef) and child in node.body:
            is_member = isinstance(child, DEFINED)  # functions do not see the names of the class around them
            own = frozenset() if is_member else frozenset(bound_in(node.body))
            yield from occurrences(child, rows, within - own, member=is_member)
        else:
            yield from occurrences(child, rows, within)


def parts(node: ast.AST) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """What stands in a node, each with the names that mean something else there."""
    if isinstance(node, FUNCTIONS):
        own = frozenset(own_names(node))
        body = node.body if isinstance(node.body, list) else [node.body]
        yield from ((child, own) for child in body)
        yield from ((child, frozenset()) for child in around_function(node))
    elif isinstance(node, COMPREHENSIONS):
        targets = [each for generator in node.generators for each in ast.walk(generator.target)]
        own = frozenset(each.id for each in targets if isinstance(each, ast.Name))
        first = node.generators[0].iter
        yield first, frozenset()
        for child in ast.iter_child_nodes(node):
            inner = ast.iter_child_nodes(child) if isinstance(child, ast.comprehension) else [child]
            yield from ((each, own) for each in inner if each is not first)
    else:
        yield from ((child, frozenset()) for child in ast.iter_child_nodes(node))


def around_function(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[ast.AST]:
    """What is evaluated where a function is defined: decorators, defaults, annotations."""
    yield from (default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None)
    if not isinstance(node, ast.Lambda):
        yield from node.decorator_list
        yield from (each.annotation for each in parameters(node.args) if each.annotation is not None)
        if node.returns is not None:
            yield node.returns


def parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return (each for each in every if each is not None)


def own_names(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """The names that a function binds for itself."""
    body = function.body if isinstance(function.body, list) else [function.body]
    elsewhere = {name for each in ast.walk(function) if isinstance(each, ast.Global) for name in each.names}
    return {each.arg for each in parameters(function.args)} | set(bound_in(body)) - elsewhere


def bound_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The names that statements bind, without what is bound for inner functions, classes and comprehensions alone."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, DEFINED):
            yield node.name
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        if not isinstance(node, (ast.Lambda, *COMPREHENSIONS)):
            pending += ast.iter_child_nodes(node)


def column_of(rows: Sequence[str], node: ast.expr | ast.stmt) -> int:
    """Where a node begins, in characters; Python counts bytes."""
    return len(rows[node.lineno - 1].encode()[: node.col_offset].decode(errors="ignore"))
