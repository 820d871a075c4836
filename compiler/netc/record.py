"""Records: dataclasses that inherit their methods, where the decorator compiles them for each class anew."""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import Any, ClassVar, dataclass_transform


@dataclass_transform(frozen_default=True, eq_default=False)
class Record:
    """A frozen dataclass by inheritance: `class Label(Record)`; `fields` and `replace` work as usual.

    Compares by identity, with `eq=True` by its fields. Defaults are values, not factories. Each start of the compiler
    creates a hundred such classes, in 20 µs each; the decorator takes 250.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()
    _names: ClassVar[frozenset[str]] = frozenset()
    _required: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, eq: bool = False) -> None:
        cls.__doc__ = cls.__doc__ or cls.__name__  # else dataclass would work out a signature to put here
        dataclass(init=False, repr=False, eq=False)(cls)
        cls._names = frozenset(cls.__match_args__)
        cls._required = frozenset(name for name in cls.__match_args__ if not hasattr(cls, name))
        if eq:
            setattr(cls, "__eq__", _equal)  # noqa: B010 - a type checker takes the assignment for a mistake
            setattr(cls, "__hash__", _hash)  # noqa: B010

    def __init__(self, *given: Any, **named: Any) -> None:
        values = self.__dict__
        values.update(zip(self.__match_args__, given))  # noqa: B905 - too many are told below; this runs often
        if not named and len(given) == len(self.__match_args__):
            return
        values.update(named)
        if len(values) != len(given) + len(named) or not self._required <= values.keys() <= self._names:
            wanted = ", ".join(self.__match_args__)
            raise TypeError(f"{type(self).__name__}({wanted}) cannot take {len(given)} values and {sorted(named)}")

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class Mutable:
    """A dataclass by inheritance whose fields may be assigned: `class Frame(Mutable)`. Compares by identity.

    Defaults are values, or `field(default_factory=...)`.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()
    _required: ClassVar[frozenset[str]] = frozenset()
    _factories: ClassVar[tuple[tuple[str, Any], ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.__doc__ = cls.__doc__ or cls.__name__
        dataclass(init=False, repr=False, eq=False)(cls)
        made = [(each.name, each.default_factory) for each in fields(cls)]  # type: ignore[arg-type]
        cls._factories = tuple((name, factory) for name, factory in made if factory is not MISSING)
        optional = {*dict(cls._factories), *(name for name, _ in made if hasattr(cls, name))}
        cls._required = frozenset(cls.__match_args__) - optional

    def __init__(self, *given: Any, **named: Any) -> None:
        values = self.__dict__
        for name, factory in self._factories:
            values[name] = factory()
        values.update(zip(self.__match_args__, given))  # noqa: B905 - this runs often
        values.update(named)
        if not self._required <= values.keys() or len(given) > len(self.__match_args__):
            raise TypeError(f"{type(self).__name__}({', '.join(self.__match_args__)}) cannot take {len(given)} values")


def _values(record: object) -> list[Any]:
    return [getattr(record, name) for name in type(record).__match_args__]  # type: ignore[attr-defined]


def _equal(self: object, other: object) -> bool:
    return _values(self) == _values(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: object) -> int:
    return hash(tuple(_values(self)))
