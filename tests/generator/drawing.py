"""Layers that take what flows: drawn from the plugins' declarations, their examples and the ranges of their fields."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from tests.generator.chains import Call

from netc.layer import Bool, Field, Float, Int, Ints, Layer, Numbers, Signature, Size, Text, Word, show
from netc.plugins import load_registry
from netc.registry import Registry
from netc.testing.cases import read_call, read_shapes

WIDTH = 8
"""An example's integer from here on is a width, which may be any."""


@cache
def registry() -> Registry:
    return load_registry()


@cache
def layers() -> list[type[Layer]]:
    """Every layer of the installed plugins, once."""
    found = [registry().layer(name) for name in registry().names("layers")]
    return list(dict.fromkeys(layer for layer in found if layer is not None))


def examples(cls: type[Layer]) -> list[tuple[int, dict[str, Any]]]:
    """The rank and the arguments of each example."""
    return [(read_shapes(e.inputs)[0].rank, read_call(e.call, cls)[1]) for e in cls.examples if e.inputs]


def written(value: Any, field: Field[Any], chance: random.Random) -> str:
    """An argument as the language writes it."""
    if isinstance(field, Text):
        return f'"{value}"'
    if isinstance(value, tuple) and len(value) > 1 and all(type(i) is int and i >= 0 for i in value):
        if isinstance(field, Size) and chance.random() < 0.6:
            return "x".join(map(str, value))
    if isinstance(value, tuple) and len(value) == 1:
        return str(value[0])
    return show(value)


class Drawer:
    """Draws calls of layers. `width` gives an expression for a size, `named` a name for a literal, if there is one."""

    def __init__(self, chance: random.Random, width: Callable[[], str], named: Callable[[Any], str | None]):
        self.chance, self.width, self.named = chance, width, named

    def call(
        self, rank: int, form: str, wanted: Sequence[type[Layer]] | None = None
    ) -> tuple[type[Layer], Call] | None:
        """A layer for a value of that rank as `module` or `function`, perhaps one that takes it."""
        cls = self.chance.choice(wanted or layers())
        module, function = cls.names()
        name = module if form == "module" else function
        if name is None or (cls.ranks is not None and rank not in cls.ranks):
            return None
        known = examples(cls)
        alike = [arguments for r, arguments in known if r == rank] or [arguments for _, arguments in known] or [{}]
        arguments = dict(self.chance.choice(alike))
        for name_, field in cls.fields.items():
            if name_ != "inplace" and self.chance.random() < 0.12:
                arguments |= self.drawn(name_, field, rank)
        return cls, self.spelt(name, cls, {n: self.argument(v, cls.fields[n]) for n, v in arguments.items()})

    def argument(self, value: Any, field: Field[Any]) -> str:
        if isinstance(field, Int) and type(value) is int and value >= WIDTH and field.max is None:
            return self.width()
        if type(value) in (int, float, bool) and self.chance.random() < 0.4:
            if name := self.named(value):
                return name
        return written(value, field, self.chance)

    def spelt(self, name: str, cls: type[Signature], given: dict[str, str]) -> Call:
        """The arguments by position as far as they go, or by name."""
        args: list[str] = []
        for field in cls.fields:
            if field not in given or self.chance.random() < 0.2:
                break
            if isinstance(cls.fields[field], Ints) and getattr(cls.fields[field], "variadic", False):
                if len(cls.fields) > 1 or self.chance.random() < 0.3 or not given[field].startswith("("):
                    break
                args.append(given.pop(field)[1:-1].rstrip(","))
                break
            args.append(given.pop(field))
        names = list(given)
        self.chance.shuffle(names)
        return Call(name, args, {n: given[n] for n in names})

    def drawn(self, name: str, field: Field[Any], rank: int) -> dict[str, Any]:
        """A value of the field's type from its range."""
        if field.none and self.chance.random() < 0.2:
            return {name: None}
        for kind, draw in self.draws.items():
            if isinstance(field, kind):
                found = draw(self, field, rank)
                return {} if found is None else {name: found}
        return {}

    def an_int(self, field: Int, rank: int) -> int:
        low = -rank if field.min is None else field.min
        high = low + 4 if field.max is None else field.max
        return self.chance.randint(low, max(low, high))

    def a_float(self, field: Float, _: int) -> float | None:
        low = float("-inf") if field.min is None else field.min
        high = float("inf") if field.max is None else field.max
        options = [x for x in (0.1, 0.25, 0.5, 1e-3, 2.0) if low <= x <= high]
        return self.chance.choice(options) if options else None

    def a_size(self, field: Size, rank: int) -> Any:
        if field.words and self.chance.random() < 0.4:
            return self.chance.choice(field.words)
        low = 1 if field.min is None else field.min
        size = self.chance.randint(low, low + 2)
        if self.chance.random() < 0.6:
            return size
        return tuple(self.chance.randint(low, low + 2) for _ in range(max(rank - 2, 1)))

    draws: dict[type[Field[Any]], Callable[[Any, Any, int], Any]] = {
        Int: an_int,
        Float: a_float,
        Size: a_size,
        Bool: lambda self, _, __: self.chance.random() < 0.5,
        Word: lambda self, field, _: self.chance.choice(field.options),
        Numbers: lambda self, field, _: (0.5,) * (field.length or 2),
    }


def has_state(cls: type[Layer]) -> bool:
    """Whether the layer may keep tensors, so that it wants a label."""
    return cls.state is not Layer.state
