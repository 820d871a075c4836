"""Name to definition: what the plugins brought, imported when it is first used; a clash names both owners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from netc.layer import Layer
from netc.record import Record

Category = Literal["layers", "losses", "optimizers", "schedules", "data", "initializers"]
CATEGORIES: tuple[Category, ...] = ("layers", "losses", "optimizers", "schedules", "data", "initializers")


class Clash(Exception):
    """Two plugins define the same name."""


class Entry(Record, eq=True):
    """Where a definition is found: the plugin that owns it, and its module or the class itself."""

    owner: str
    place: str | type


@dataclass
class Registry:
    """The definitions of each category by name. A layer has up to two names: the module's and the function's.

    `foreign` says what is written here for names of other frameworks; nothing but messages looks there.
    """

    entries: dict[Category, dict[str, Entry]] = field(default_factory=lambda: {c: {} for c in CATEGORIES})
    foreign: dict[str, str] = field(default_factory=dict)
    _found: dict[tuple[Category, str], Any] = field(default_factory=dict)

    def add(self, category: Category, owner: str, definitions: Iterable[type] | Mapping[str, str]) -> None:
        """Takes what a hook gave; raises Clash when a name is taken."""
        table = self.entries[category]
        for name, place in _named(definitions):
            if name in table:
                other = table[name].owner
                raise Clash(f"both `{other}` and `{owner}` define `{name}` among the {category}")
            table[name] = Entry(owner, place)

    def names(self, category: Category) -> tuple[str, ...]:
        return tuple(self.entries[category])

    def owner(self, category: Category, name: str) -> str:
        return self.entries[category][name].owner

    def find(self, category: Category, name: str) -> Any:
        """The class of that name, or None."""
        entry = self.entries[category].get(name)
        if entry is None:
            return None
        key = (category, name)
        if key not in self._found:
            place = entry.place
            self._found[key] = place if isinstance(place, type) else _class_in(place, name)
        return self._found[key]

    def layer(self, name: str) -> type[Layer] | None:
        found: type[Layer] | None = self.find("layers", name)
        return found


def _named(definitions: Iterable[type] | Mapping[str, str]) -> Iterable[tuple[str, str | type]]:
    if isinstance(definitions, Mapping):
        yield from definitions.items()
        return
    for cls in definitions:
        for name in _names(cls):
            yield name, cls


def _names(cls: type) -> tuple[str, ...]:
    names = cls.names() if issubclass(cls, Layer) else (cls.__name__,)
    return tuple(name for name in names if name)


def _class_in(module: str, name: str) -> type:
    """The class of a module that goes by a name, be it the class's own or the one of its function."""
    namespace = vars(import_module(module))
    found = namespace.get(name)
    if isinstance(found, type):
        return found
    for value in namespace.values():
        if isinstance(value, type) and issubclass(value, Layer) and name in value.names():
            return value
    raise LookupError(f"module {module} has no class for {name!r}")
