"""What the installed plugins brought, remembered in the user's cache folder, so that a start need not ask them."""

from __future__ import annotations

import binascii
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from netc.registry import CATEGORIES, Entry, Plugin, PluginError, Registry

FORMAT = 5
"""Raised whenever the layout of the manifest changes."""
Folders = dict[str, dict[str, os.DirEntry[str]]]


def manifest_path(cache: Path | None = None) -> Path | None:
    """Where the manifest of this environment is kept; None where the user has no place for it.

    Each PYTHONPATH has one of its own: two that take turns would make every start ask the plugins.
    """
    folder = cache or cache_folder()
    if folder is None:
        return None
    environment = f"{sys.prefix}\n{os.environ.get('PYTHONPATH', '')}"
    return folder / f"plugins-{binascii.crc32(os.fsencode(environment)):08x}.json"


def cache_folder() -> Path | None:
    """The user's own cache folder for netc, None without a home."""
    chosen = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    if chosen and os.path.isabs(chosen):
        return Path(chosen, "netc")
    home = os.path.expanduser("~")
    return Path(home, ".cache", "netc") if os.path.isabs(home) else None


def listed_path() -> Folders:
    """The folders in which Python looks, in order, each with what is in it."""
    return {folder: _listed(folder) for folder in map(str, sys.path)}


def _listed(folder: str) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(folder or ".") as entries:
            return {entry.name: entry for entry in entries}
    except OSError:
        return {}


def describe_environment(folders: Folders) -> list[Any]:
    """What changes whenever a distribution is installed, removed or replaced."""
    described = [[folder, _distributions(entries)] for folder, entries in folders.items()]
    return [FORMAT, sys.version, os.environ.get("PYTHONPATH", ""), *(each for each in described if each[1])]


def _distributions(entries: dict[str, os.DirEntry[str]]) -> list[list[str | int]]:
    names = sorted(name for name in entries if name.endswith((".dist-info", ".egg-info")))
    with suppress(OSError):
        return [[name, entries[name].stat().st_mtime_ns] for name in names]
    return []


def sources_of(packages: set[str]) -> dict[str, list[int]]:
    """The files of the packages that were imported to answer: an edit of one may change the answer."""
    files = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.partition(".")[0] in packages:
            with suppress(OSError):
                files[file] = _stamp(file)
    return files


def folder_of(package: str, folders: Folders) -> str | None:
    """The first folder of the path that holds a package: the same name may be found elsewhere another time."""
    module = f"{package}.py"
    return next((folder for folder, entries in folders.items() if package in entries or module in entries), None)


def _stamp(file: str) -> list[int]:
    status = os.stat(file)
    return [status.st_mtime_ns, status.st_size]


def read_manifest(path: Path, environment: list[Any], folders: Folders) -> Registry | None:
    """The registry that the manifest describes, None if there is none or it is stale or damaged."""
    try:
        data = json.loads(path.read_bytes())
        if data["environment"] != environment:
            return None
        if any(_stamp(file) != stamp for file, stamp in data["sources"].items()):
            return None
        if any(folder_of(package, folders) != folder for package, folder in data["packages"].items()):
            return None
        registry = Registry()
        for category in CATEGORIES:
            entries = data["entries"][category].items()
            registry.entries[category] = {str(name): Entry(str(owner), str(place)) for name, (owner, place) in entries}
        registry.foreign = {str(name): str(written) for name, written in data["foreign"].items()}
        for owner, (version, places) in data["plugins"].items():
            registry.plugins[owner] = Plugin(str(owner), str(version), tuple(map(str, places)))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return registry


def found_by_name(registry: Registry) -> bool:
    """Whether each class that a plugin handed over would be found by its module and name in another process."""
    by_name = Registry()
    for category in CATEGORIES:
        for name, entry in registry.entries[category].items():
            if isinstance(entry.place, type):
                by_name.entries[category][name] = Entry(entry.owner, entry.place.__module__)
                with suppress(PluginError):
                    if by_name.find(category, name) is entry.place:
                        continue
                return False
    return True


def write_manifest(
    path: Path, environment: list[Any], folders: Folders, registry: Registry, packages: set[str]
) -> None:  # fmt: skip
    """Replaces the manifest in one step; a folder that cannot be written is no reason to complain."""
    data = {
        "environment": environment,
        "sources": sources_of(packages),
        "packages": {package: folder_of(package, folders) for package in sorted(packages)},
        "entries": {
            category: {name: [entry.owner, _module(entry)] for name, entry in registry.entries[category].items()}
            for category in CATEGORIES
        },
        "foreign": registry.foreign,
        "plugins": {owner: [plugin.version, plugin.places] for owner, plugin in registry.plugins.items()},
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
