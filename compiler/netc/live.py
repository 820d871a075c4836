"""The live module: executes emitted source in a module of its own, so that it can be inspected, copied and pickled.

The module is named by the hash of its source. Pickling by reference would fail in a process that never executed it,
hence a reducer for each class carries the source along; unpickling needs netc installed and nothing else.
"""

from __future__ import annotations

import copyreg
import linecache
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from torch import nn

from netc.allowed import refusals
from netc.diagnostics import InternalError
from netc.digests import digest_of

PREFIX = "netc_live_"
_EXECUTING = threading.RLock()


def load_source(source: str, class_name: str, name: str, brought: Iterable[str] = ()) -> type[nn.Module]:
    """The class of that name in the emitted source; `name` is what tracebacks call the source by.

    The same source is executed once in a process. Raises InternalError for a source that says what no emitter says,
    but in what plugins have `brought`.
    """
    found = getattr(live_module(source, name, tuple(brought)), class_name, None)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise InternalError(f"the source emitted for `{name}` has no model `{class_name}`")
    return found


def live_module(source: str, name: str, brought: Sequence[str] = ()) -> ModuleType:
    """The module that this source makes, executed unless it was already."""
    digest = digest_of(source)[:16]
    with _EXECUTING:
        known = sys.modules.get(PREFIX + digest)
        return known if known is not None else _execute(source, name, digest, brought)


def _execute(source: str, name: str, digest: str, brought: Sequence[str]) -> ModuleType:
    if found := refusals(source, brought):
        raise InternalError(f"the source emitted for `{name}` is refused: {'; '.join(found)}")
    module = ModuleType(PREFIX + digest, f"The source that netc emitted for {name}.")
    filename = f"<netc {name} {digest}>"
    module.__file__ = filename
    # No modification time: `linecache` then keeps the entry, as it does for what a loader provides.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, filename, "exec", dont_inherit=True), vars(module))
    except BaseException:
        del sys.modules[module.__name__]
        raise
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            copyreg.pickle(value, _Reducer(source, name, brought))
    return module


class _Reducer:
    """Takes an object apart as `object.__reduce_ex__` does, with the source in place of a reference to its class."""

    def __init__(self, source: str, name: str, brought: Sequence[str]):
        self.source, self.name, self.brought = source, name, brought

    def __call__(self, instance: Any) -> tuple[Any, ...]:
        _, (cls, *args), *state = instance.__reduce_ex__(2)
        return (revive, (self.source, self.name, self.brought, cls.__qualname__, *args), *state)


def revive(source: str, name: str, brought: Sequence[str], qualname: str, *args: Any) -> Any:
    """An object of a class of the emitted source, not yet initialised; what pickles call."""
    cls: Any = live_module(source, name, brought)
    for part in qualname.split("."):
        cls = getattr(cls, part)
    return cls.__new__(cls, *args)


def check_state(module: nn.Module, expected: Mapping[str, tuple[int, ...]], reproducer: str | None = None) -> None:
    """Compares the `state_dict` with what the compiler predicted; raises InternalError at the first difference."""
    actual = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    if actual == dict(expected) and list(actual) == list(expected):
        return
    raise InternalError(f"the state of {type(module).__name__} is not as predicted: {_difference(actual, expected)}",
                        reproducer)


def _difference(actual: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> str:
    for key in [key for key in actual if key not in expected]:
        return f"`{key}` was not expected"
    for key in [key for key in expected if key not in actual]:
        return f"`{key}` is missing"
    for key, shape in actual.items():
        if shape != expected[key]:
            return f"`{key}` has shape {shape}, not {expected[key]}"
    key, instead = next((a, e) for a, e in zip(actual, expected, strict=True) if a != e)
    return f"`{key}` stands where `{instead}` was expected"
