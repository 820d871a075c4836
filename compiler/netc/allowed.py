"""What emitted model source may consist of: an allow-list over its Python AST, checked before it is executed.

A second line of defence. The emitter writes only what it means to; if text of a spec ever leaked into the source as
code, it would be stopped here. What layers bring of their own is a plugin's, whose code runs anyway.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType

MODULES = frozenset(
    "__future__ collections collections.abc dataclasses fnmatch functools itertools math typing torch torch.autograd "
    "torch.fft "
    "torch.linalg torch.nn torch.nn.functional torch.nn.init torch.nn.utils torch.nn.utils.parametrizations "
    "torch.nn.utils.parametrize torch.nn.utils.rnn torch.special torch.utils.checkpoint".split()
)
BUILTINS = frozenset(
    "NotImplementedError RuntimeError TypeError ValueError __name__ abs all any bool classmethod dict enumerate filter "
    "float frozenset int isinstance len list map max min pow print property range reversed round set slice sorted "
    "staticmethod str sum super tuple type zip".split()
)
STATEMENTS = (
    ast.AnnAssign, ast.Assert, ast.Assign, ast.AugAssign, ast.Break, ast.ClassDef, ast.Continue, ast.Expr, ast.For,
    ast.FunctionDef, ast.If, ast.Import, ast.ImportFrom, ast.Pass, ast.Raise, ast.Return, ast.While, ast.With,
)  # fmt: skip
SPECIAL = frozenset({"__init__", "__name__"})
# Functions of modules that have more to them than a model needs.
FUNCTIONS = frozenset({"torch.fx.wrap"})
# Functions of allowed modules that read or write files, and the ways from an object to the frame that made it.
FILES = frozenset({"from_file", "load", "save"})
FRAMES = frozenset("ag_frame cr_frame f_back f_builtins f_globals f_locals gi_code gi_frame tb_frame".split())


def refusals(source: str, brought: Iterable[str] = ()) -> list[str]:
    """What the source contains that emitted source never does, each with its line; empty for good source.

    `brought` are import lines and texts that plugins answer for: whole statements of these are passed over.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return [f"not Python: {error}"]
    places = _imported(tree)
    known = BUILTINS | places.keys() | set(_bound(tree))
    found = []
    trusted = {each for text in brought for statement in ast.parse(text).body for each in _dumped(statement)}
    for node in _judged(tree, trusted):
        reason = _refusal(node, known, places)
        if reason is not None:
            found.append(f"line {getattr(node, 'lineno', 1)}: {reason}")
    return found


def _judged(tree: ast.Module, trusted: set[str]) -> Iterator[ast.AST]:
    """The nodes of a tree but for trusted statements at its top; of an import, the names that are not trusted."""
    yield tree
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names = zip(statement.names, _dumped(statement), strict=True)
            statement.names = [alias for alias, text in names if text not in trusted]
            yield statement
        elif not trusted or next(_dumped(statement)) not in trusted:
            yield from ast.walk(statement)


def _dumped(statement: ast.stmt) -> Iterator[str]:
    """A statement as a text that tells whether another is the same; an import as one for each name."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        module = f"{'.' * statement.level}{statement.module}" if isinstance(statement, ast.ImportFrom) else ""
        yield from (f"{module} {alias.name} {alias.asname}" for alias in statement.names)
    else:
        yield ast.dump(statement)


def _refusal(node: ast.AST, known: frozenset[str], places: dict[str, str]) -> str | None:
    if isinstance(node, ast.stmt) and not isinstance(node, STATEMENTS):
        return f"a {type(node).__name__} statement"
    if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom):
        return f"a {type(node).__name__} expression"
    if isinstance(node, ast.Import | ast.ImportFrom):
        return next((f"the import of {name}" for name in _targets(node) if not _importable(name)), None)
    if isinstance(node, ast.Name) and node.id not in known:
        return f"the name {node.id}"
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and _special(node.name):
        return f"the definition of {node.name}"
    if isinstance(node, ast.Attribute):
        return _attribute_refusal(node, places)
    return None


def _attribute_refusal(node: ast.Attribute, places: dict[str, str]) -> str | None:
    if _special(node.attr) or node.attr in FRAMES:
        return f"the attribute {node.attr}"
    dotted = _dotted(node, places)
    if dotted is None:
        return None
    if not isinstance(node.ctx, ast.Load):
        return f"an assignment to {dotted}"
    module, _, name = dotted.rpartition(".")
    if module in MODULES and name in FILES:
        return f"the function {dotted}"
    if dotted not in MODULES and isinstance(_object_at(dotted), ModuleType):
        return f"the module {dotted}"
    return None


def _special(name: str) -> bool:
    return name.startswith("__") and name not in SPECIAL


def _targets(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The dotted names that an import binds."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]


def _importable(name: str) -> bool:
    """A module of the list, or something in one that is neither another module nor a function that touches files."""
    module, _, last = name.rpartition(".")
    if name in MODULES | FUNCTIONS:
        return True
    return module in MODULES and last not in FILES | {"*"} and not isinstance(_object_at(name), ModuleType)


def _imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for, dotted."""
    places = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias, target in zip(node.names, _targets(node), strict=True):
                first = target.partition(".")[0] if isinstance(node, ast.Import) else target
                places[alias.asname or alias.name.partition(".")[0]] = target if alias.asname else first
    return places


def _bound(tree: ast.Module) -> Iterator[str]:
    """Every name that the source itself gives a meaning."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _dotted(node: ast.expr, places: dict[str, str]) -> str | None:
    """`torch.nn.functional.relu` for `F.relu`; None if the chain does not start at an import."""
    if isinstance(node, ast.Name):
        return places.get(node.id)
    if isinstance(node, ast.Attribute):
        start = _dotted(node.value, places)
        return start and f"{start}.{node.attr}"
    return None


def _object_at(dotted: str) -> object:
    """What a dotted name stands for among the modules already imported, None if nothing."""
    first, *rest = dotted.split(".")
    found: object = sys.modules.get(first)
    for name in rest:
        found = getattr(found, name, None)
    return found
