"""Plugins that somebody names: a file or a module, by `--plugin`, in the environment or in pyproject.toml."""

from __future__ import annotations

import binascii
import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from netc.contract import described, is_built_in
from netc.layer import Signature
from netc.project import find_project
from netc.record import Record
from netc.registry import CATEGORIES, Category, PluginError, base_of, said

OPTION = "--plugin"
VARIABLE = "NETC_PLUGINS"
"""Files and modules, separated as the folders of PATH are."""


class Request(Record, eq=True):
    """A plugin as somebody wrote it, and where; `target` is the real path of a file, or the name of a module.

    `repeated` is whether a command that is to do the same again must name it.
    """

    word: str
    origin: str
    target: str
    repeated: bool = True


def requests(words: Sequence[str]) -> Iterator[Request]:
    """What is asked for: on the command line, in the environment, by the working directory's project; each once."""
    seen = set()
    for request in (*_written(words), *_of_project()):
        if request.target not in seen:
            seen.add(request.target)
            yield request


def _written(words: Sequence[str]) -> Iterator[Request]:
    for word in words:
        yield Request(word, OPTION, _target(word, ""))
    for word in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        yield Request(word, VARIABLE, _target(word, ""))


def _of_project() -> Iterator[Request]:
    project = find_project(Path())
    for word in project.names("plugins") if project is not None else ():
        assert project is not None
        yield Request(word, str(project.path), _target(word, str(project.path.parent)), repeated=False)


def is_file(word: str) -> bool:
    """Whether a word names a file rather than a module."""
    return word.endswith(".py") or "/" in word or os.sep in word


def _target(word: str, folder: str) -> str:
    return os.path.realpath(os.path.join(folder, os.path.expanduser(word))) if is_file(word) else word


def load(request: Request) -> ModuleType:
    """The module that a request names, executed unless it was in this process. Raises PluginError."""
    from netc.files import FileError

    try:
        return _load_file(request.target) if is_file(request.word) else import_module(request.target)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        reason, hint = str(error) if isinstance(error, FileError) else said(error), ""
        if isinstance(error, FileError) and request.origin == VARIABLE and re.search(r"[;,\s]|\.py:", request.word):
            hint = f"; {VARIABLE} is separated by `{os.pathsep}`"
        elif isinstance(error, ModuleNotFoundError) and error.name == request.target:
            hint = "; a file is named with its ending `.py`, a module must be on Python's path"
        by = f", named by {request.origin}," if request.origin != OPTION else ""
        text = f"plugin `{request.word}`{by} cannot be loaded: {reason}{hint}"
        raise PluginError("".join(c if c.isprintable() else repr(c)[1:-1] for c in text)) from error


def _load_file(path: str) -> ModuleType:
    """A file as a module; one that was edited since is another module."""
    from netc.files import read_text

    text = read_text(path)
    name = f"netc_plugin_{binascii.crc32((path + text).encode()):08x}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    try:
        exec(compile(text, path, "exec", dont_inherit=True), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module


def definitions(name: str, plugin: object) -> dict[Category, list[type]]:
    """The classes that a module without hooks defines at its top: those that netc knows what to do with.

    A name that begins with `_` is the module's own, and so is a layer that names neither a module nor a function of
    PyTorch. Raises PluginError where nothing is left.
    """
    own = [value for key, value in vars(plugin).items() if _is_own(key, value, plugin)]
    found = {category: [cls for cls in own if issubclass(cls, base_of(category))] for category in CATEGORIES}
    found["layers"] = [cls for cls in found["layers"] if any(cls.names())]
    if not any(found.values()):
        raise PluginError(f"plugin `{name}` brings nothing: it has neither hooks nor a class such as a `Layer`")
    return found


def _is_own(name: str, value: Any, plugin: object) -> bool:
    return isinstance(value, type) and value.__module__ == getattr(plugin, "__name__", "") and not name.startswith("_")


def culprit(error: BaseException) -> str | None:
    """The definition whose own code an exception comes from, with what it says; None if it is none of a plugin's."""
    import traceback

    for frame, _ in traceback.walk_tb(error.__traceback__):
        definition = frame.f_locals.get("self", frame.f_locals.get("cls"))
        cls = definition if isinstance(definition, type) else type(definition)
        if issubclass(cls, Signature) and not is_built_in(cls):
            return f"{described(cls)} failed: {said(error)}"
    return None
