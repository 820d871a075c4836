"""Name to definition: what the plugins brought, imported when it is first used; a clash names both owners."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from importlib import import_module
from typing import Any, Literal

from netc.contract import is_built_in, lacking
from netc.layer import Initializer, Layer
from netc.record import Mutable, Record

Category = Literal[
    "layers", "losses", "optimizers", "schedules", "data", "transforms", "metrics", "initializers", "passes",
]  # fmt: skip
CATEGORIES: tuple[Category, ...] = (
    "layers", "losses", "optimizers", "schedules", "data", "transforms", "metrics", "initializers", "passes",
)  # fmt: skip

BETWEEN = ("importlib", "metadata", "pluggy", "click")
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
        for name, place in _named(category, owner, definitions):
            if name in table and table[name].owner == owner:
                raise PluginError(f"plugin `{owner}` defines `{name}` among the {category} twice")
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
            found = place if isinstance(place, type) else _imported(category, entry.owner, place, name)
            if not is_built_in(found) and (reason := lacking(found)) is not None:
                raise PluginError(reason)
            self._found[key] = found
        return self._found[key]

    def layer(self, name: str) -> type[Layer] | None:
        found: type[Layer] | None = self.find("layers", name)
        return found


def _named(
    category: Category, owner: str, definitions: Iterable[type] | Mapping[str, str]
) -> Iterator[tuple[str, str | type]]:
    if isinstance(definitions, Mapping):
        named: list[tuple[str, str | type]] = list(definitions.items())
    else:
        named = [(name, cls) for cls in definitions for name in _names(category, owner, cls)]
    for name, place in named:
        if not (isinstance(name, str) and name.isascii() and name.isidentifier()):
            raise PluginError(f"plugin `{owner}` gives {name!r} among the {category}, which is no name")
        yield name, place


def _names(category: Category, owner: str, cls: type) -> tuple[str, ...]:
    if not issubclass(cls, base_of(category)):
        raise PluginError(f"plugin `{owner}` gives `{cls.__name__}` among the {category}, {no_kind(category)}")
    names = cls.names() if issubclass(cls, Layer) else (cls.__name__,)
    return tuple(name for name in names if name)


def base_of(category: Category) -> type:
    """The class from which those of a category are made."""
    from netc.passes import Pass
    from netc.recipe import DataSource, Loss, Metric, Optimizer, Schedule, Transform

    bases: dict[Category, type] = {
        "layers": Layer, "losses": Loss, "optimizers": Optimizer, "schedules": Schedule, "data": DataSource,
        "transforms": Transform, "metrics": Metric, "initializers": Initializer, "passes": Pass,
    }  # fmt: skip
    return bases[category]


def no_kind(category: Category) -> str:
    base = base_of(category)
    return f"which is no `{base.__module__}.{base.__name__}`"


def _imported(category: Category, owner: str, module: str, name: str) -> type:
    try:
        found = _class_in(module, name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # what a plugin raises ends no more than its own part
        raise PluginError(f"plugin `{owner}` cannot provide `{name}`: {said(error)}") from error
    if not is_built_in(found) and not issubclass(found, base_of(category)):
        raise PluginError(f"plugin `{owner}` gives `{name}` of {module} among the {category}, {no_kind(category)}")
    return found


def said(error: BaseException) -> str:
    """What an exception says and where the plugin raised it, on one line."""
    import traceback

    try:
        text = " ".join(f"{type(error).__name__}: {error}".split())
    except Exception:
        text = type(error).__name__
    place, within = None, False
    for frame in traceback.extract_tb(error.__traceback__):
        within = within or _is_own(frame.filename)
        if within and not _is_own(frame.filename) and not _is_between(frame.filename):
            place = frame
    return f"{text} ({os.path.basename(place.filename)}:{place.lineno})" if place else text


def _is_own(file: str) -> bool:
    """Whether code is netc's own; what is called before that is not the plugin."""
    return file.startswith(os.path.dirname(__file__) + os.sep)


def _is_between(file: str) -> bool:
    """Whether code stands between netc and a plugin, or is of Python's own library."""
    folder = os.path.dirname(file)
    library = os.path.dirname(os.__file__)
    is_library = file.startswith(library + os.sep) and "-packages" not in file
    return file.startswith("<") or is_library or os.path.basename(folder) in BETWEEN


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
