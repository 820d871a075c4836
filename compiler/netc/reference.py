"""The reference page of a layer, loss, optimizer and so on, made of its class alone."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

from netc.layer import Layer, Signature, show
from netc.registry import CATEGORIES, Category, Registry

KINDS: dict[Category, str] = {
    "layers": "layer",
    "losses": "loss",
    "optimizers": "optimizer",
    "schedules": "schedule",
    "data": "data source",
    "transforms": "transform",
    "metrics": "metric",
    "initializers": "initializer",
    "passes": "pass",
}


def index(registry: Registry) -> str:
    """All that there is to write, by category: the names and the first sentence of each."""
    return "\n\n".join("\n".join(_group(registry, category)) for category in CATEGORIES if registry.names(category))


def pages(registry: Registry, name: str) -> list[str]:
    """The page of each definition of that name; there is one a category at most."""
    found = [category for category in CATEGORIES if name in registry.names(category)]
    return [page(registry, category, name) for category in found]


def page(registry: Registry, category: Category, name: str) -> str:
    """Signature, owner, PyTorch's names, documentation, arguments, examples."""
    definition: type[Signature] = registry.find(category, name)
    owner = registry.owner(category, name)
    signature = name + definition.signature().removeprefix(definition.__name__)
    parts = [
        "\n".join([signature, *(f"  {line}" for line in _facts(KINDS[category], owner, definition))]),
        documentation(definition),
        section("Arguments", _arguments(definition)),
        section("Examples", _examples(definition)),
    ]
    return "\n\n".join(part for part in parts if part)


def documentation(definition: type[Signature]) -> str:
    """The docstring, its own or of a class that it is made from; netc's bases speak of something else."""
    own = [cls for cls in definition.__mro__ if cls.__module__.partition(".")[0] not in ("netc", "builtins")]
    return next((inspect.cleandoc(cls.__doc__) for cls in own if isinstance(cls.__doc__, str)), "")


def section(title: str, rows: Iterable[tuple[str, ...]]) -> str:
    """A table under a title; nothing where there are no rows."""
    table = columns(rows)
    return "\n".join([f"{title}:", *(f"  {line}" for line in table)]) if table else ""


def columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Rows with their cells aligned, without spaces at the ends."""
    table = list(rows)
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _group(registry: Registry, category: Category) -> Iterator[str]:
    names: dict[type[Signature], list[str]] = {}
    for name in registry.names(category):
        names.setdefault(registry.find(category, name), []).append(name)
    rows = [(", ".join(known), sentence(definition)) for definition, known in names.items()]
    yield section(category, sorted(rows, key=lambda row: row[0].lower()))


def sentence(definition: type[Signature]) -> str:
    """The first sentence of the documentation, on one line."""
    text = " ".join(documentation(definition).split("\n\n")[0].split())
    return re.split(r"\. (?![0-9a-z])", text)[0].rstrip(".")


def _facts(kind: str, owner: str, definition: type[Signature]) -> Iterator[str]:
    yield f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} of {owner}"
    if issubclass(definition, Layer):
        module, function = definition.names()
        if module:
            yield f"{module} is {definition.module or ''}".replace("own:", "the class ") + ", a module"
        if function:
            place = (definition.function or "").replace("own:", "the function ")
            yield f"{function} is {place if not place.startswith('.') else 'the method ' + place[1:]}, a function"
        if "{n}" in f"{definition.module}{definition.function}":
            yield "{n} is the number of spatial dimensions"
        if definition.inputs != ("input",):
            yield f"takes {', '.join(definition.inputs) or 'nothing'}"
        return
    place = getattr(definition, "module", "") or getattr(definition, "call", "")
    if place:
        yield f"{definition.__name__} is {place}"


def _arguments(definition: type[Signature]) -> Iterator[tuple[str, str, str, str]]:
    for name, field in definition.fields.items():
        default = "required" if field.required else show(field.default)
        yield name, field.expected.replace("`", ""), default, field.doc


def _examples(definition: type[Signature]) -> Iterator[tuple[str, ...]]:
    for example in getattr(definition, "examples", ()):
        yield example.inputs, "->", example.call, "->", example.output
