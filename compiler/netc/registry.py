"""Name to definition: what the plugins brought, imported when it is first used; a clash names both owners."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import field
from importlib import import_module
from typing import Any, Literal

from netc.layer import Layer
from netc.record import Mutable, Record

Category = Literal[
    "layers", "losses", "optimizers", "schedules", "data", "transforms", "metrics", "initializers", "passes",
]  # fmt: skip
CATEGORIES: tuple[Category, ...] = (
    "layers", "losses", "optimizers", "schedules", "data", "transforms", "metrics", "initializers", "passes",
)  # fmt: skip

BETWEEN = ("importlib", "metadata", "pluggy")
"""Folders of the code through which a plugin is reached."""


class Clash(Exception):
    """Two plugins define the same name."""


class PluginError(Exception):
    """A plugin that cannot be used; the message names it and says what it raised."""


class Entry(Record, eq=True):
    """Where a definition is found: the plugin that owns it, and its module or the class itself."""

    owner: str
    place: str | type


class Plugin(Record, eq=True):
    """What defines something: a distribution with its modules, or a file or module that `origin` names."""

    owner: str
    version: str = ""
    places: tuple[str, ...] = ()
    origin: str = "installed"


class Registry(Mutable):
    """The definitions of each category by name. A layer has up to two names: the module's and the function's.

    `foreign` says what is written here for names of other frameworks; nothing but messages looks there. `plugins` are
    the owners; `options` the plugins that a command must name by `--plugin` to do the same again.
    """

    entries: dict[Category, dict[str, Entry]] = field(default_factory=lambda: {c: {} for c in CATEGORIES})
    foreign: dict[str, str] = field(default_factory=dict)
    plugins: dict[str, Plugin] = field(default_factory=dict)
    options: tuple[str, ...] = ()
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
        """The class of that name, or None. Raises PluginError if the module that should hold it does not."""
        entry = self.entries[category].get(name)
        if entry is None:
            return None
        key = (category, name)
        if key not in self._found:
            place = entry.place
            self._found[key] = place if isinstance(place, type) else _imported(entry.owner, place, name)
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


def _imported(owner: str, module: str, name: str) -> type:
    try:
        return _class_in(module, name)
    except (Exception, SystemExit) as error:
        raise PluginError(f"plugin `{owner}` cannot provide `{name}`: {said(error)}") from error


def described(definition: type) -> str:
    """A plugin's class and where it is from: `DyT` of dyt.py."""
    file = getattr(sys.modules.get(definition.__module__), "__file__", None)
    return f"`{definition.__name__}` of {os.path.relpath(file) if file else definition.__module__}"


def said(error: BaseException) -> str:
    """What an exception says and where the plugin raised it, on one line."""
    import traceback

    text = " ".join(f"{type(error).__name__}: {error}".split())
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_between(frame.filename)]
    return f"{text} ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else text


def _is_between(file: str) -> bool:
    """Whether code stands between netc and a plugin, or is netc's own."""
    folder = os.path.dirname(file)
    return file.startswith("<") or folder == os.path.dirname(__file__) or os.path.basename(folder) in BETWEEN


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
