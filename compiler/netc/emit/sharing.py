"""Sizes that a constructor would compute twice, named before their first use.

`divisible(16 * width)` stands once in a spec, where a layer is told it; that the next layer takes as much is inferred.
Emitted code computes it once, under the name of what flows there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from netc.emit.wrapping import INDENT

TOTAL = frozenset({"make_divisible", "round", "int", "float", "abs"})
"""Functions that have a value for every number."""
NUMBERS = TOTAL | {"max", "min", "sum", "math.ceil", "math.floor", "math.prod", "math.sqrt"}
CALLS = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(NUMBERS)))})\(|=\(| if .* else | or |\w\[-?\d+\]")
"""How what is worth a name begins, or what stands in it."""


class Place(NamedTuple):
    """Where a size stands: its statement, and the ways to it from outside, each a list of statements and an index.

    `argument` is the name by which a layer is given it, or the layer, and `position` which one of that; both are empty
    where it is assigned as it is.
    """

    node: ast.expr
    statement: ast.stmt
    path: tuple[tuple[list[ast.stmt], int], ...]
    argument: str = ""
    position: int | None = None


def named_once(lines: list[str], taken: Collection[str]) -> list[str]:
    """The statements of a constructor with a name for each size that more than one place computes.

    `taken` are names of the definition.
    """
    if sum(len(CALLS.findall(line)) for line in lines) < 2 or any("\n" in line for line in lines):
        return lines
    while (changed := first_named(lines, taken)) is not None:
        lines = changed
    return lines


def first_named(lines: list[str], taken: Collection[str]) -> list[str] | None:
    tree = ast.parse("\n".join(lines))
    groups: dict[str, list[Place]] = {}
    for place in places(tree.body, (), taken):
        groups.setdefault(ast.dump(place.node), []).append(place)
    for group in groups.values():
        if len(group) > 1 and is_size(group):
            start = home(group, tree)
            if start is not None and not (isinstance(group[0].node, ast.Subscript) and moves_up(group, start) is None):
                return rewritten(lines, group, start, taken)
    return None


def is_size(group: Sequence[Place]) -> bool:
    """Whether what stands in several places is told a layer and goes on, rather than being alike by chance."""
    told = any(place.argument.startswith("nn.") for place in group if place.position is not None)
    if not told and not any(map(is_numeric, ast.walk(group[0].node))):
        return False  # perhaps a choice of classes
    roles = {(place.argument, place.position) for place in group}
    by_name = all(place.argument and place.position is None for place in group)
    return len(roles) > 1 or (by_name and len(roles) == 1)


# ---- where sizes stand -------------------------------------------------------------------------------


def places(
    body: list[ast.stmt], path: tuple[tuple[list[ast.stmt], int], ...], taken: Collection[str]
) -> Iterator[Place]:  # fmt: skip
    """Sizes that are worth a name, where layers are given them or where they are assigned."""
    for index, statement in enumerate(body):
        here = (*path, (body, index))
        match statement:
            case ast.For(body=inner):
                yield from places(inner, here, taken)
            case ast.If(body=inner, orelse=otherwise):
                yield from places(inner, here, taken)
                yield from places(otherwise, here, taken)
            case ast.Assign(targets=[ast.Name()], value=value) if is_worth_it(value):
                yield Place(value, statement, here)
            case _:
                for node, argument, position in given(statement, taken):
                    yield Place(node, statement, here, argument, position)


def given(node: ast.AST, taken: Collection[str]) -> Iterator[tuple[ast.expr, str, int | None]]:
    """What layers are given in a statement, those aside that a comprehension or a condition may not make."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ListComp | ast.IfExp | ast.BoolOp):
            continue
        if isinstance(child, ast.Call) and makes_module(child.func, taken):
            name = ast.unparse(child.func)
            yield from ((arg, name, index) for index, arg in enumerate(child.args) if is_worth_it(arg))
            yield from ((k.value, k.arg, None) for k in child.keywords if k.arg and is_worth_it(k.value))
        yield from given(child, taken)


def makes_module(function: ast.expr, taken: Collection[str]) -> bool:
    """Whether a call is that of a class, or of a name of the definition's that stands for one."""
    name = ast.unparse(function)
    return name.rpartition(".")[2][:1].isupper() or name in taken


def is_worth_it(node: ast.expr) -> bool:
    """Whether an expression is a number, and more than names and arithmetic on them."""
    inner = list(ast.walk(node))
    computed = [part for part in inner if isinstance(part, ast.Call)]
    plain = (ast.Attribute, ast.ListComp, ast.List, ast.Starred, ast.Slice, ast.JoinedStr)
    if any(isinstance(part, plain) and not ast.unparse(part).startswith("math.") for part in inner):
        return False
    if any(ast.unparse(call.func) not in NUMBERS or call.keywords for call in computed):
        return False
    if isinstance(node, ast.Subscript):  # as long as a name, but one that is there already says more
        return isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant | ast.UnaryOp)
    if isinstance(node, ast.Tuple):
        return any(isinstance(part, ast.BinOp) for part in node.elts)
    return bool(computed) or any(isinstance(part, ast.IfExp | ast.BoolOp) for part in inner)


def is_numeric(node: ast.AST) -> bool:
    """Whether an expression must be a number: it computes with some, or has one in it."""
    number = isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return number or isinstance(node, ast.BinOp | ast.Call)


# ---- where the name can be given ---------------------------------------------------------------------


def home(group: Sequence[Place], tree: ast.Module) -> tuple[tuple[list[ast.stmt], int], ...] | None:
    """The way to the statement before which the size can be computed for all its places, None if there is none."""
    paths = [place.path for place in group]
    depth = 0
    while all(len(path) > depth + 1 and path[depth] == paths[0][depth] for path in paths):
        depth += 1
    if any(path[depth][0] is not paths[0][depth][0] for path in paths):
        return None  # on the two sides of a condition
    first = min(paths, key=lambda path: path[depth][1])
    within = [body[index] for body, index in first[depth:-1]]
    node = group[0].node
    if any(isinstance(statement, ast.If) for statement in within) or (within and not is_total(node)):
        return None
    start = first[: depth + 1]
    while len(start) > 1 and is_total(node) and isinstance(loop := start[-2][0][start[-2][1]], ast.For):
        if names_read(node) & names_set([loop]):
            break
        start = start[:-1]
    return start if all(is_settled(name, start, tree) for name in names_read(node)) else None


def is_settled(name: str, start: Sequence[tuple[list[ast.stmt], int]], tree: ast.Module) -> bool:
    """Whether a name keeps its meaning from a statement on: whatever sets it comes before, or is a loop around."""
    around = [body[index] for body, index in start[:-1]]
    before = [part for body, index in start for statement in body[:index] for part in ast.walk(statement)]
    setters = [part for part in ast.walk(tree) if isinstance(part, ast.stmt) and sets(part, name)]
    return all(setter in around or setter in before for setter in setters)


def is_total(node: ast.expr) -> bool:
    """Whether an expression has a value whatever numbers stand for its names."""
    for part in ast.walk(node):
        match part:
            case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod() | ast.Pow(), right=right):
                if not isinstance(right, ast.Constant) or not right.value:
                    return False
            case ast.Call(func=function, args=args):
                name = ast.unparse(function)
                if name not in TOTAL and not (name in ("max", "min") and len(args) > 1):
                    return False
            case ast.Subscript() | ast.Attribute() | ast.ListComp():
                return False
    return True


def names_read(node: ast.expr) -> set[str]:
    """The names in an expression, those of functions aside."""
    functions = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and id(part) not in functions}


def names_set(body: Sequence[ast.stmt]) -> set[str]:
    """The names that statements assign or loop over."""
    inner = (part for statement in body for part in ast.walk(statement) if not isinstance(part, ast.comprehension))
    return {part.id for part in inner if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def sets(statement: ast.stmt, name: str) -> bool:
    """Whether a statement by itself assigns a name or loops over it."""
    match statement:
        case ast.Assign(targets=targets):
            return any(name in stored(target) for target in targets)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target) | ast.For(target=target):
            return name in stored(target)
    return False


def stored(target: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


# ---- the lines with it -------------------------------------------------------------------------------


def rewritten(
    lines: list[str], group: Sequence[Place], start: tuple[tuple[list[ast.stmt], int], ...], taken: Collection[str]
) -> list[str]:  # fmt: skip
    body, index = start[-1]
    first = body[index].lineno - 1
    indent = INDENT * (body[index].col_offset // len(INDENT))
    source = ast.get_source_segment("\n".join(lines), group[0].node)
    moved = moves_up(group, start)
    name = moved.statement.targets[0].id if moved is not None else new_name(lines, group, taken)  # type: ignore[attr-defined]
    result: list[str | None] = list(lines)
    for place in sorted(group, key=lambda place: place.node.col_offset, reverse=True):
        at = place.statement.lineno - 1
        line = (result[at] or "").encode()
        result[at] = (line[: place.node.col_offset] + name.encode() + line[place.node.end_col_offset :]).decode()
    if moved is not None:
        result[moved.statement.lineno - 1] = None
    result.insert(first, f"{indent}{name} = {source}")
    return [line for line in result if line is not None]


def moves_up(group: Sequence[Place], start: tuple[tuple[list[ast.stmt], int], ...]) -> Place | None:
    """The assignment that can stand before all other places of a size, its name read nowhere between, nor set again."""
    body, index = start[-1]
    last = max(place.path[len(start) - 1][1] for place in group)
    for place in group:
        if place.argument or place.path[-1][0] is not body:
            continue
        end, name = place.path[-1][1], place.statement.targets[0].id  # type: ignore[attr-defined]
        between = {part.id for each in body[index:end] for part in ast.walk(each) if isinstance(part, ast.Name)}
        return place if name not in between | names_set(body[end + 1 : last + 1]) else None
    return None


def new_name(lines: Sequence[str], group: Sequence[Place], taken: Collection[str]) -> str:
    """What a size is called: as the argument that it is for, or after the axis that is so large."""
    tree = ast.parse("\n".join(lines))
    known = {part.id for part in ast.walk(tree) if isinstance(part, ast.Name)} | set(taken)
    own = set(re.findall(r"\bself\.(\w+) = ", "\n".join(lines)))
    arguments = {place.argument for place in group if place.argument}
    assigned = [place.statement.targets[0].id for place in group if not place.argument]  # type: ignore[attr-defined]
    if len(arguments) == 1 and not assigned and (only := next(iter(arguments))).islower():
        return free([only], known)
    axis = assigned[0] if assigned else "features" if any("Linear" in each for each in arguments) else "channels"
    within = "hidden" if len({place.statement for place in group}) == 1 else "out"
    return free([axis, f"{within}_{axis}"], known | own)


def free(names: Sequence[str], taken: Collection[str]) -> str:
    return next(n for n in (*names, *(f"{names[-1]}_{i}" for i in range(2, 1000))) if n not in taken)
