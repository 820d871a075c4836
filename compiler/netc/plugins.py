"""Finds the plugins and fills the registry with what they bring; remembers it, so that a start need not ask them."""

from __future__ import annotations

import binascii
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.registry import CATEGORIES, Clash, Entry, Registry

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from pluggy import PluginManager

GROUP = "netc"
FORMAT = 2
"""Raised whenever the layout of the manifest changes."""
FOREIGN = "foreign_names"


class PluginError(Exception):
    """A plugin that cannot be used; the message names it and says what it raised."""


def load_registry(cache: Path | None = None) -> Registry:
    """Everything that the installed plugins define.

    From the manifest in `cache` (by default the user's cache folder) if nothing was installed, removed or edited since
    it was written; from the plugins otherwise. Raises PluginError, and Clash where two of them define one name.
    """
    path = manifest_path(cache)
    environment = describe_environment()
    registry = _read(path, environment) if path else None
    if registry is None:
        registry, packages = ask_plugins()
        if path and _found_by_name(registry):
            _write(path, environment, registry, packages)
    return registry


def ask_plugins() -> tuple[Registry, set[str]]:
    """Imports every plugin and calls its hooks; also the top-level packages that had a say."""
    manager = build_manager()
    registry = Registry()
    packages = set()
    for name, plugin in manager.list_name_plugin():
        packages.add(getattr(plugin, "__name__", type(plugin).__module__).partition(".")[0])
        for category in CATEGORIES:
            definitions = _call(manager, name, plugin, category)
            packages.update(cls.__module__.partition(".")[0] for cls in definitions if isinstance(cls, type))
            registry.add(category, name.partition(":")[0], definitions)
        foreign = _call(manager, name, plugin, FOREIGN)
        if isinstance(foreign, dict):
            registry.foreign |= foreign
        elif foreign:
            raise PluginError(f"plugin `{name}` must give names and what is written for them from `netc_{FOREIGN}`")
    return registry, packages


def build_manager() -> PluginManager:
    """A manager that knows the hooks and every plugin of the entry-point group, the built-ins among them.

    A plugin goes by `distribution:entry point`.
    """
    import pluggy

    import netc.hooks

    manager = pluggy.PluginManager("netc")
    manager.add_hookspecs(netc.hooks)
    for name, point in sorted(_entry_points(), key=lambda found: found[0].split(":")):
        try:
            manager.register(point.load(), name)
            manager.check_pending()
        except Exception as error:
            raise PluginError(f"plugin `{name}` cannot be loaded: {_said(error)}") from error
    if not manager.get_plugins():
        raise PluginError("netc is not installed here, hence knows no layers: run `pip install` on it")
    return manager


def _entry_points() -> Iterator[tuple[str, EntryPoint]]:
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        yield f"{point.dist.name if point.dist else point.module}:{point.name}", point


def _call(manager: PluginManager, name: str, plugin: object, category: str) -> list[type] | dict[str, str]:
    """What the plugin gives for a category, or for the names of other frameworks, checked."""
    for implementation in getattr(manager.hook, f"netc_{category}").get_hookimpls():
        if implementation.plugin is plugin:
            try:
                given = implementation.function()
            except Exception as error:
                raise PluginError(f"plugin `{name}` failed in `netc_{category}`: {_said(error)}") from error
            return _checked(name, category, given)
    return []


def _checked(name: str, category: str, given: Any) -> list[type] | dict[str, str]:
    if isinstance(given, Mapping):
        if all(isinstance(key, str) and isinstance(module, str) for key, module in given.items()):
            return dict(given)
    elif isinstance(given, Iterable) and not isinstance(given, str):
        classes = list(given)
        if all(isinstance(cls, type) for cls in classes):
            return classes
    raise PluginError(f"plugin `{name}` must give classes, or names and modules, from `netc_{category}`, not {given!r}")


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")


def manifest_path(cache: Path | None = None) -> Path | None:
    """Where the manifest of this environment is kept; None where the user has no place for it."""
    folder = cache or cache_folder()
    if folder is None:
        return None
    return folder / f"plugins-{binascii.crc32(os.fsencode(sys.prefix)):08x}.json"


def cache_folder() -> Path | None:
    """The user's own cache folder for netc, None without a home."""
    chosen = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    if chosen and os.path.isabs(chosen):
        return Path(chosen, "netc")
    home = os.path.expanduser("~")
    return Path(home, ".cache", "netc") if os.path.isabs(home) else None


def describe_environment() -> list[Any]:
    """What changes whenever a distribution is installed, removed or replaced."""
    folders = [[folder, _distributions(folder)] for folder in map(str, sys.path)]
    return [FORMAT, sys.version, os.environ.get("PYTHONPATH", ""), *(folder for folder in folders if folder[1])]


def _distributions(folder: str) -> list[list[str | int]]:
    try:
        with os.scandir(folder or ".") as entries:
            found = [(e.name, e.stat().st_mtime_ns) for e in entries if e.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []
    return [[name, modified] for name, modified in sorted(found)]


def _sources(packages: set[str]) -> dict[str, list[int]]:
    """The files of the packages that were imported to answer: an edit of one may change the answer."""
    files = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.partition(".")[0] in packages:
            with suppress(OSError):
                files[file] = _stamp(file)
    return files


def _stamp(file: str) -> list[int]:
    status = os.stat(file)
    return [status.st_mtime_ns, status.st_size]


def _read(path: Path, environment: list[Any]) -> Registry | None:
    """The registry that the manifest describes, None if there is none or it is stale or damaged."""
    try:
        data = json.loads(path.read_bytes())
        if data["environment"] != environment:
            return None
        if any(_stamp(file) != stamp for file, stamp in data["sources"].items()):
            return None
        registry = Registry()
        for category in CATEGORIES:
            entries = data["entries"][category].items()
            registry.entries[category] = {str(name): Entry(str(owner), str(place)) for name, (owner, place) in entries}
        registry.foreign = {str(name): str(written) for name, written in data["foreign"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return registry


def _found_by_name(registry: Registry) -> bool:
    """Whether each class that a plugin handed over would be found by its module and name in another process."""
    by_name = Registry()
    for category in CATEGORIES:
        for name, entry in registry.entries[category].items():
            if isinstance(entry.place, type):
                by_name.entries[category][name] = Entry(entry.owner, entry.place.__module__)
                with suppress(ImportError, LookupError):
                    if by_name.find(category, name) is entry.place:
                        continue
                return False
    return True


def _write(path: Path, environment: list[Any], registry: Registry, packages: set[str]) -> None:
    """Replaces the manifest in one step; a folder that cannot be written is no reason to complain."""
    data = {
        "environment": environment,
        "sources": _sources(packages),
        "entries": {
            category: {name: [entry.owner, _module(entry)] for name, entry in registry.entries[category].items()}
            for category in CATEGORIES
        },
        "foreign": registry.foreign,
    }
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.write_text(json.dumps(data), encoding="utf-8")
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def _module(entry: Entry) -> str:
    return entry.place.__module__ if isinstance(entry.place, type) else entry.place


__all__ = ["Clash", "PluginError", "load_registry"]
