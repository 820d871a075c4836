"""What the syntax alone decides: whether a suite is a Sequential, and which names it binds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache

from netc import syntax


@cache
def handler(prefix: str, kind: str) -> str:
    """The method that deals with one kind of node: `_render_binary`."""
    return prefix + kind.lower().rstrip("_")


def modules_only(body: Iterable[syntax.Stmt], names: Collection[str]) -> bool:
    """Whether every statement places modules and does nothing else, so that the suite is a Sequential.

    `names` are the parameters and locals around it: a lower-case name among them stands for a layer that was passed.
    """
    return all(_places_modules(statement, names) for statement in body)


def _places_modules(statement: syntax.Stmt, names: Collection[str]) -> bool:
    match statement:
        case syntax.Flow(operator=None, label=label, body=body):
            if label is not None:
                return not reads_outside(body)
            return is_module(body, names)
        case syntax.For(target=target, body=body):
            return modules_only(body, {*names, *target.names})
        case syntax.If(branches=branches, otherwise=otherwise):
            return all(modules_only(body, names) for body in (*(b for _, b in branches), otherwise))
        case syntax.Input() | syntax.Default() | syntax.Init():
            return True
    return False


def reads_outside(expr: syntax.Expr) -> bool:
    """Whether what stands under a label reads the definition's input `x`, which only a `forward` can hand to it."""
    if isinstance(expr, syntax.Name):
        return expr.id == "x"
    return not isinstance(expr, syntax.Attribute) and any(reads_outside(part) for part in parts_of(expr))


def parts_of(node: object) -> Iterator[syntax.Expr]:
    """The expressions directly inside a node."""
    if isinstance(node, tuple):
        for item in node:
            yield from ([item] if isinstance(item, syntax.Expr) else parts_of(item))
    elif isinstance(node, syntax.Node):
        for name in node.__match_args__:
            value = getattr(node, name)
            yield from ([value] if isinstance(value, syntax.Expr) else parts_of(value))


def is_module(expr: syntax.Expr, names: Collection[str]) -> bool:
    """Whether a stage is a module by the look of its name, or several of them."""
    match expr:
        case syntax.Name(id=name):
            return name[:1].isupper() or name in names
        case syntax.Call(function=syntax.Name(id=name)):
            return name[:1].isupper() or name in names
        case syntax.Binary(operator="*", right=right):
            return is_module(right, names)
        case syntax.Pipe(stages=stages):
            return all(is_module(stage, names) for stage in stages)
        case syntax.Group(body=body):
            return modules_only(body, names)
        case syntax.IfElse(then=then, otherwise=otherwise):
            return is_module(then, names) and is_module(otherwise, names)
        case syntax.Literal_():
            return True  # nothing at all, which is said where it stands: the suite is what it is without it
        case syntax.TupleExpr(items=items):
            return bool(items) and all(isinstance(item, syntax.Literal_) for item in items)
    return False


def assigned(body: Iterable[syntax.Stmt]) -> Iterator[str]:
    """The names that a suite binds by assignment, those in nested loops and conditions too."""
    for statement in body:
        match statement:
            case syntax.Assign(target=target):
                yield from target.names
            case syntax.For(body=inner):
                yield from assigned(inner)
            case syntax.If(branches=branches, otherwise=otherwise):
                for _, inner in branches:
                    yield from assigned(inner)
                yield from assigned(otherwise)


def names_in(node: object) -> Iterator[str]:
    """Every name that stands in a text, once each."""
    found: dict[str, None] = {}
    pending: list[object] = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, syntax.Name):
            found[item.id] = None
        elif isinstance(item, syntax.Node):
            pending.extend(getattr(item, name) for name in item.__match_args__ if name != "span")
        elif isinstance(item, tuple):
            pending.extend(item)
    return iter(found)


def labels_in(node: object) -> Iterator[str]:
    """The labels that are written out in a text, in groups, branches and loops too."""
    if isinstance(node, tuple):
        for item in node:
            yield from labels_in(item)
    elif isinstance(node, syntax.Node):
        if isinstance(node, syntax.Flow) and isinstance(node.label, syntax.Name):
            yield node.label.id
        for name in node.__match_args__:
            if name != "span":
                yield from labels_in(getattr(node, name))


def bound(body: Iterable[syntax.Stmt]) -> Iterator[str]:
    """All names that a definition's text binds to values: by assignment and by loops, in groups and forks too."""
    pending: list[object] = [*body]
    while pending:
        node = pending.pop()
        if isinstance(node, syntax.Target):
            yield from node.names
        elif isinstance(node, syntax.Node):
            pending.extend(getattr(node, name) for name in node.__match_args__ if name != "span")
        elif isinstance(node, tuple):
            pending.extend(node)


def has_input(body: Iterable[syntax.Stmt]) -> bool:
    return any(isinstance(statement, syntax.Input) for statement in body)
