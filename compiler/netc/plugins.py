"""Finds the plugins and fills the registry with what they bring: those installed, and those that somebody names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.manifest import (
    describe_environment,
    found_by_name,
    listed_path,
    manifest_path,
    read_manifest,
    write_manifest,
)
from netc.named import Request, definitions, load, requests
from netc.registry import CATEGORIES, Category, Clash, Plugin, PluginError, Registry, said

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

    from pluggy import PluginManager

GROUP = "netc"
PLACE = re.compile(r"[\w.]+\s*(:\s*[\w.]+\s*)?(\[.*\]\s*)?")
"""A module, or a module and a name in it."""
FOREIGN = "foreign_names"


def load_registry(cache: Path | None = None, plugins: Sequence[str] = ()) -> Registry:
    """Everything that the plugins define: the installed ones, and those named here, in the environment or the project.

    What is installed comes from the manifest in `cache` (by default the user's cache folder) if nothing was installed,
    removed or edited since it was written. `plugins` are files or modules, as `--plugin` takes them. Raises
    PluginError, Clash where two plugins define one name, ProjectError and FileError for a pyproject.toml that cannot
    be read.
    """
    registry = installed(cache)
    for request in requests(plugins):
        add_named(registry, request)
    return registry


# ---- installed -----------------------------------------------------------------------------------


def installed(cache: Path | None = None) -> Registry:
    """What the distributions of the entry-point group bring."""
    path = manifest_path(cache)
    folders = listed_path()
    environment = describe_environment(folders)
    registry = read_manifest(path, environment, folders) if path else None
    if registry is None:
        registry, packages = ask_plugins()
        if path and found_by_name(registry):
            write_manifest(path, environment, folders, registry, packages)
    return registry


def ask_plugins() -> tuple[Registry, set[str]]:
    """Imports every installed plugin and calls its hooks; also the top-level packages that had a say."""
    manager = build_manager()
    registry = Registry()
    packages = set()
    for name, point in sorted(_entry_points(), key=lambda found: found[0].split(":")):
        plugin = _load(name, point)
        register(manager, name, plugin)
        owner = name.partition(":")[0]
        version = point.dist.version if point.dist else ""
        known = registry.plugins.get(owner, Plugin(owner, version))
        registry.plugins[owner] = Plugin(owner, version, (*known.places, point.value))
        packages.add(getattr(plugin, "__name__", type(plugin).__module__).partition(".")[0])
        packages |= fill(registry, manager, name, owner, plugin)
    if not registry.plugins:
        raise PluginError("netc is not installed here, hence knows no layers: run `pip install` on it")
    return registry, packages


def build_manager() -> PluginManager:
    """A manager that knows the hooks and no plugin."""
    import pluggy

    import netc.hooks

    manager = pluggy.PluginManager("netc")
    manager.add_hookspecs(netc.hooks)
    return manager


def register(manager: PluginManager, name: str, plugin: object) -> None:
    """Lets the manager know a plugin. Raises PluginError for a hook that there is not or that takes something else."""
    from netc.diagnostics import nearest

    hooks = [hook for hook in vars(manager.hook) if hook.startswith("netc_")]
    for hook in dir(plugin):
        marked = hasattr(getattr(plugin, hook, None), "netc_impl")
        if hook in hooks and not marked:
            raise PluginError(f"plugin `{name}` has `{hook}` without `@hookimpl` of netc.hooks, which makes it a hook")
        if marked and hook not in hooks:
            near = nearest(hook, hooks)
            hint = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{each}`' for each in hooks)}"
            raise PluginError(f"plugin `{name}` implements `{hook}`, which is no hook; {hint}")
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except Exception as error:
        raise PluginError(f"plugin `{name}` cannot be loaded: {said(error)}") from error


def _load(name: str, point: EntryPoint) -> object:
    if not PLACE.fullmatch(point.value):
        text = f"its entry point is `{point.value}`, which is no module, nor a module and a name: `package.module:name`"
        raise PluginError(f"plugin `{name}` cannot be loaded: {text}")
    try:
        return point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(f"plugin `{name}` cannot be loaded: {said(error)}") from error


def _entry_points() -> Iterator[tuple[str, EntryPoint]]:
    """Each entry point under the name `distribution:entry point`; of what is found twice, that which Python finds.

    Raises PluginError for what cannot be read, and for two versions in one folder, of which either might be found.
    """
    from importlib.metadata import distributions

    found: dict[str, tuple[str, str]] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"] or ""
        points = _points_of(name, distribution)
        if not points:
            continue
        known, place = re.sub(r"[-_.]+", "-", name).lower(), (str(distribution.locate_file("")), distribution.version)
        if known not in found:
            found[known] = place
            yield from ((f"{name or point.module}:{point.name}", point) for point in points)
        elif found[known][0] == place[0] and found[known] != place:
            versions = " and ".join(sorted((found[known][1], place[1])))
            text = f"`{name}` is in {place[0]} twice, as {versions}; uninstall it, then install it again"
            raise PluginError(text)


def _points_of(name: str, distribution: Distribution) -> list[EntryPoint]:
    """The entry points of a distribution in netc's group. Raises PluginError where they cannot be read."""
    try:
        return [point for point in distribution.entry_points if point.group == GROUP]
    except Exception as error:
        if f"[{GROUP}]" not in (distribution.read_text("entry_points.txt") or ""):
            return []
        text = "its entry_points.txt cannot be read: below `[netc]` stand lines `name = package.module`"
        raise PluginError(f"plugin `{name}` cannot be loaded: {text}") from error


# ---- named ---------------------------------------------------------------------------------------


def add_named(registry: Registry, request: Request) -> None:
    """Adds what a file or module brings that somebody named, unless it is installed anyway."""
    if any(request.target in plugin.places for plugin in registry.plugins.values()):
        return
    module = load(request)
    registry.plugins[request.word] = Plugin(request.word, "", (request.target,), request.origin)
    if request.repeated:
        registry.options = (*registry.options, request.word)
    manager = None
    if any(name.startswith("netc_") or hasattr(value, "netc_impl") for name, value in vars(module).items()):
        manager = build_manager()
        register(manager, request.word, module)
    fill(registry, manager, request.word, request.word, module)


# ---- what a plugin brings ------------------------------------------------------------------------


def fill(registry: Registry, manager: PluginManager | None, name: str, owner: str, plugin: object) -> set[str]:
    """Adds what a plugin's hooks give, or its own classes if it has none; the top-level packages of the classes."""
    packages: set[str] = set()
    hooked = manager is not None and bool(manager.get_hookcallers(plugin))
    own = {} if hooked else definitions(name, plugin)
    for category in CATEGORIES:
        given = _call(manager, name, plugin, category) if manager and hooked else own.get(category, [])
        packages.update(cls.__module__.partition(".")[0] for cls in given if isinstance(cls, type))
        registry.add(category, owner, given)
    foreign = _call(manager, name, plugin, FOREIGN) if manager and hooked else {}
    if isinstance(foreign, dict):
        registry.foreign |= foreign
    elif foreign:
        raise PluginError(f"plugin `{name}` must give names and what is written for them from `netc_{FOREIGN}`")
    return packages


def _call(manager: PluginManager, name: str, plugin: object, category: str) -> list[type] | dict[str, str]:
    """What the plugin gives for a category, or for the names of other frameworks, checked."""
    for implementation in getattr(manager.hook, f"netc_{category}").get_hookimpls():
        if implementation.plugin is plugin:
            try:
                given = implementation.function()
                return _checked(name, category, given)
            except (PluginError, KeyboardInterrupt):
                raise
            except BaseException as error:
                raise PluginError(f"plugin `{name}` failed in `netc_{category}`: {said(error)}") from error
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


__all__ = ["Category", "Clash", "PluginError", "load_registry"]
