"""Source that layers bring, side by side in one file: what several share stands once, names that clash are told apart.

Nobody who writes a layer knows what another's helper is called, or a block of a spec. The names that emitted code calls
(the layer's class or function) stay; any other name that something else in the file has already gets a number.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import lru_cache

from netc.contract import described
from netc.emit.renaming import bound_in, renamed
from netc.layer import Layer
from netc.recipe import Part
from netc.record import Record
from netc.registry import PluginError

GIVEN = {
    "torch": "import torch",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "Tensor": "from torch import Tensor",
}
"""What every source may read without an import line of its own."""
Meaning = Hashable
"""What a name stands for in a file: its import line, or its definition with all that this refers to."""


class Clash(Exception):
    """Two layers bring something different under one name that has to stay."""


class Unreadable(Exception):
    """Source that is not Python."""


class Piece(Record):
    """A text that is pasted: without its imports, which stand at the top of the file, and what each name in it is."""

    text: str
    imports: tuple[str, ...]
    definitions: Mapping[str, tuple[str, frozenset[str]]]


class Brought(Record):
    """What a layer brings: who it is, its pieces, and the names that emitted code calls."""

    owner: str
    pieces: tuple[Piece, ...]
    targets: tuple[str, ...]

    @property
    def imports(self) -> list[tuple[str, str]]:
        """Each import line with the name that it binds."""
        return [(bound_by(line), line) for piece in self.pieces for line in piece.imports]

    def meaning(self, name: str) -> Meaning:
        """What a name stands for, with all that it refers to."""
        known = {name: found for piece in self.pieces for name, found in piece.definitions.items()}
        lines = {name: meaning_of(line) for name, line in self.imports}
        reached: dict[str, str] = {}
        pending = [name]
        while pending:
            each = pending.pop()
            if each in known and each not in reached:
                reached[each] = known[each][0]
                pending += known[each][1]
            elif each in lines:
                reached[each] = lines[each]
        return lines[name] if name in lines else frozenset(reached.items())

    def names(self) -> Iterator[str]:
        yield from (name for name, _ in self.imports)
        for piece in self.pieces:
            yield from piece.definitions


class Pasted(Record):
    """What a file needs of what its layers bring: import lines, and the texts of each."""

    imports: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]


def paste(brought: Iterable[Brought], taken: Mapping[str, Meaning]) -> Pasted:
    """The sources of several layers for one file, in which `taken` names stand for something else already.

    Raises Clash where a name would have to be changed that cannot be.
    """
    brought = list(brought)
    meanings: dict[str, Meaning] = dict(taken)
    owners: dict[str, str] = {}
    for each in brought:
        for name in (*each.targets, *(name for name, line in each.imports if is_rigid(line))):
            meaning = each.meaning(name)
            if meanings.setdefault(name, meaning) != meaning:
                other = f"and so does {owners[name]}" if name in owners else "and the file has another meaning for it"
                raise Clash(f"{each.owner} brings `{name}`, {other}")
            owners.setdefault(name, each.owner)
    imports: dict[str, None] = {}
    texts: list[tuple[str, ...]] = []
    for each in brought:
        changes = told_apart(each, meanings)
        imports.update(dict.fromkeys(imported_as(line, changes.get(name)) for name, line in each.imports))
        texts.append(tuple(renamed(piece.text, changes) for piece in each.pieces if piece.text))
    return Pasted(tuple(imports), tuple(texts))


def told_apart(brought: Brought, meanings: dict[str, Meaning]) -> dict[str, str]:
    """The names that are changed, and to what; each name's meaning is entered."""
    changes = {}
    for name in brought.names():
        meaning = brought.meaning(name)
        candidates = [name, *(f"{name}{'_' * name[-1].isdigit()}{number}" for number in range(2, 100))]
        free = next(each for each in candidates if meanings.get(each, meaning) == meaning)
        meanings[free] = meaning
        if free != name:
            changes[name] = free
    return changes


def brought_by(
    cls: type[Layer | Part], texts: tuple[str, ...], targets: Iterable[str | None], called: str
) -> Brought:  # fmt: skip
    """What a definition brings, by which of its targets it is called. Raises PluginError for what cannot be pasted."""
    try:
        if not all(map(is_import, cls.imports)):
            raise Unreadable("`imports` are lines such as `from torch import nn`")
        imports = (*cls.imports, *given_imports(cls, texts))
        pieces = (read_piece("", imports), *(read_piece(text) for text in texts))
    except Unreadable as error:
        raise PluginError(f"{described(cls)} has source that is not Python: {error}") from None
    known = {name for piece in pieces for name in piece.definitions}
    own = [target.removeprefix("own:") for target in targets if target is not None and target.startswith("own:")]
    if called.startswith("own:") and called.removeprefix("own:") not in known:
        raise PluginError(f"{described(cls)} is `{called}`, which its source does not define")
    return Brought(described(cls), pieces, tuple(name for name in own if name in known))


def given_imports(cls: type[Layer | Part], texts: Iterable[str]) -> tuple[str, ...]:
    """The import lines of names that a definition's texts read and nobody in them imports or defines."""
    pieces = [read_piece("", tuple(cls.imports)), *(read_piece(text) for text in texts)]
    bound = {name for piece in pieces for name in (*piece.definitions, *map(bound_by, piece.imports))}
    read = set().union(*(global_names(piece.text) for piece in pieces))
    return tuple(line for name, line in GIVEN.items() if name in read - bound)


@lru_cache(maxsize=1024)
def global_names(text: str) -> frozenset[str]:
    """The names of the file that a text reads, in all its functions and classes."""
    from symtable import symtable

    pending, names = [symtable(text, "source", "exec")], set()
    while pending:
        table = pending.pop()
        symbols = table.get_symbols()
        names |= {each.get_name() for each in symbols if each.is_global() or table.get_type() == "module"}
        pending += table.get_children()
    return frozenset(names)


@lru_cache(maxsize=1024)
def read_piece(text: str, imports: tuple[str, ...] = ()) -> Piece:
    """A text with the imports that it needs, taken from its top where they stand there. Raises Unreadable."""
    lines = [line for given in imports for line in import_lines(parsed(given))]
    tree = parsed(text)
    body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    lines += import_lines(tree)
    definitions: dict[str, tuple[str, frozenset[str]]] = {}
    for node in tree.body:
        if node not in body:
            read = frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))
            for name in bound_in([node]):
                before, known = definitions.get(name, ("", frozenset()))
                definitions[name] = (before + ast.dump(node), known | read)
    return Piece(without(text, body).strip("\n"), tuple(dict.fromkeys(lines)), definitions)


def parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        place = f" in line {error.lineno}: {(error.text or '').strip()}" if isinstance(error, SyntaxError) else ""
        raise Unreadable(f"{error.args[0]}{place}") from None


def is_import(text: str) -> bool:
    """Whether a text is nothing but imports of names that it says."""
    for node in parsed(text).body:
        if not isinstance(node, ast.Import | ast.ImportFrom) or node.names[0].name == "*":
            return False
        if isinstance(node, ast.ImportFrom) and node.level:
            return False
    return True


def import_lines(tree: ast.Module) -> Iterator[str]:
    """The imports at the top of a text, a line for each name."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
            for alias in node.names:
                head = f"from {'.' * node.level}{node.module or ''} " if isinstance(node, ast.ImportFrom) else ""
                yield f"{head}import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")


def without(text: str, nodes: Iterable[ast.stmt]) -> str:
    """A text without the lines of some statements."""
    gone = {line for node in nodes for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return "".join(line for number, line in enumerate(text.splitlines(keepends=True), 1) if number not in gone)


def bound_by(line: str) -> str:
    """The name that an import line binds."""
    head, _, name = line.rpartition(" ")
    return name if " as " in line or head.startswith("from ") else name.partition(".")[0]


def is_rigid(line: str) -> bool:
    """Whether an import binds a package by its own name, through which others reach into it."""
    return line.startswith("import ") and " as " not in line


def meaning_of(line: str) -> str:
    """What the name of an import line stands for; packages are one whatever is imported of them."""
    return f"import {bound_by(line)}" if is_rigid(line) else line


def imported_as(line: str, name: str | None) -> str:
    """An import line that binds another name."""
    return line if name is None else f"{line.partition(' as ')[0]} as {name}"


__all__ = [
    "Brought", "Clash", "Meaning", "Pasted", "Piece", "Unreadable", "bound_by", "brought_by", "given_imports",
    "meaning_of", "paste", "read_piece",
]  # fmt: skip
