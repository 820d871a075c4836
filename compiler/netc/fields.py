"""Arguments as descriptors: each with its type, range, default and a sentence, and the errors that refuse a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Generic, Literal, Self, TypeVar, overload

from netc.record import Record
from netc.terms import Term

T = TypeVar("T")


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(eq=False)
class Reject(Exception):
    """A rule's refusal: why, which argument or input is to blame, and the way out.

    `before` is a step, as it is written, that would likely help if it stood before the layer.
    """

    reason: str
    field: str | None = None
    input: str | None = None
    help: str | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.reason, str) and self.reason):
            raise TypeError(f"a Reject says why, in words, not {self.reason!r}")

    def __str__(self) -> str:
        return self.reason


@dataclass(eq=False)
class BadArgument(Exception):
    """Arguments that do not fit a signature. `kind`: unknown, missing, surplus, repeated or value."""

    kind: Literal["unknown", "missing", "surplus", "repeated", "value"]
    name: str
    reason: str

    def __str__(self) -> str:
        return self.reason


class Dotted(Record, eq=True):
    """A class by its dotted name, such as `torch.nn.SiLU`; shown by its last part."""

    name: str

    def __str__(self) -> str:
        return self.name.rpartition(".")[2]


class Field(Generic[T]):
    """One argument: its type, range, default (PyTorch's) and a sentence; `none` admits `none`."""

    name: str
    expected: str = "a value"

    def __init__(self, default: T | _Required | None = REQUIRED, *, none: bool = False, doc: str = ""):
        self.default = default
        self.none = none or default is None
        self.doc = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        return self if instance is None else self.default

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def words(self) -> tuple[str, ...]:
        """The bare words that it takes."""
        return ()

    def accept(self, value: Any) -> T | None:
        """The value as the rule sees it; raises ValueError with what was expected."""
        if value is None and self.none:
            return None
        return self.convert(value)

    def convert(self, value: Any) -> T:
        return value  # type: ignore[no-any-return]

    def fail(self, value: Any) -> ValueError:
        shown = f'"{value}"' if isinstance(value, str) else show(value)
        return ValueError(f"`{self.name}` must be {self.expected}, not {shown}")


class Int(Field[int]):
    """An integer in a range, ends included; `divides` names an inferred argument or another that it must divide."""

    def __init__(self, default: int | _Required | None = REQUIRED, *, min: int | None = None, max: int | None = None,
                 divides: str | None = None, none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.min, self.max, self.divides = min, max, divides
        self.expected = "an integer" + between(min, max)

    def convert(self, value: Any) -> int:
        if isinstance(value, Term):
            return value  # type: ignore[return-value]
        if not is_int(value) or not _inside(value, self.min, self.max):
            raise self.fail(value)
        return value  # type: ignore[no-any-return]


class Float(Field[float]):
    """A finite number in a range; `min` and `max` belong to it, `above` and `below` do not."""

    def __init__(self, default: float | _Required | None = REQUIRED, *, min: float | None = None,
                 max: float | None = None, above: float | None = None, below: float | None = None,
                 none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.min, self.max, self.above, self.below = min, max, above, below
        self.expected = "a number" + between(min, max, above, below)

    def convert(self, value: Any) -> float:
        if not _is_finite(value) or not _inside(value, self.min, self.max, self.above, self.below):
            raise self.fail(value)
        return value  # type: ignore[no-any-return]


class Bool(Field[bool]):
    expected = "true or false"

    def convert(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.fail(value)
        return value


class Size(Field[Any]):
    """An integer, or one for each spatial dimension (`3`, `1x7`, `(1, 7)`), or one of some words."""

    def __init__(self, default: Any = REQUIRED, *, min: int | None = None, words: Sequence[str] = (),
                 none: bool = False, axis_none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.min, self._words, self.axis_none = min, tuple(words), axis_none
        self.expected = f"an integer{between(min, None)}, one for each dimension" + alternatives(words)

    @property
    def words(self) -> tuple[str, ...]:
        return self._words

    def convert(self, value: Any) -> Any:
        if isinstance(value, str) and value in self._words:
            return value
        items = value if isinstance(value, tuple | list) else (value,)
        if not items or not all(self._fits(item) for item in items):
            raise self.fail(value)
        return tuple(value) if isinstance(value, tuple | list) else value

    def _fits(self, item: Any) -> bool:
        if item is None:
            return self.axis_none
        return isinstance(item, Term) or (is_int(item) and _inside(item, self.min, None))


class Ints(Field[tuple[Any, ...]]):
    """Several integers; `variadic` takes all positional arguments (`permute(0, 2, 3, 1)`)."""

    def __init__(self, default: Any = REQUIRED, *, min: int | None = None, variadic: bool = False, none: bool = False,
                 doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.min, self.variadic = min, variadic
        self.expected = f"integers{between(min, None)}"

    def convert(self, value: Any) -> tuple[Any, ...]:
        items = tuple(value) if isinstance(value, tuple | list) else (value,)
        if not all(isinstance(i, Term) or (is_int(i) and _inside(i, self.min, None)) for i in items):
            raise self.fail(value)
        return items


class Numbers(Field[tuple[float, ...]]):
    """Several numbers: `weight=(1, 2, 1)`, `betas=(0.9, 0.999)`."""

    def __init__(self, default: Any = REQUIRED, *, length: int | None = None, min: float | None = None,
                 below: float | None = None, none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.length, self.min, self.below = length, min, below
        self.expected = (f"{length} numbers" if length else "numbers") + between(min, None, None, below)

    def convert(self, value: Any) -> tuple[float, ...]:
        if not isinstance(value, tuple | list) or not all(map(_is_finite, value)):
            raise self.fail(value)
        if not all(_inside(item, self.min, None, None, self.below) for item in value):
            raise self.fail(value)
        if self.length is not None and len(value) != self.length:
            raise self.fail(value)
        return tuple(value)


class Word(Field[str]):
    """One of some words, written bare: `padding_mode=reflect`."""

    def __init__(self, *options: str, default: str | _Required | None = REQUIRED, none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.options = options
        self.expected = "one of " + ", ".join(f"`{option}`" for option in options)

    @property
    def words(self) -> tuple[str, ...]:
        return self.options

    def convert(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise self.fail(value)
        return value


class Class(Field[Dotted]):
    """One of some classes of PyTorch, written as the layer that it is here, and handed on as it is: `activation=SiLU`.

    The options and the default are dotted names.
    """

    def __init__(self, *options: str, default: str | _Required | None = REQUIRED, none: bool = False, doc: str = ""):
        super().__init__(Dotted(default) if isinstance(default, str) else default, none=none, doc=doc)
        self.options = tuple(map(Dotted, options))
        self.expected = "one of " + ", ".join(f"`{option}`" for option in self.options)

    def convert(self, value: Any) -> Dotted:
        if not isinstance(value, Dotted) or value not in self.options:
            raise self.fail(value)
        return value


class Text(Field[str]):
    """A string."""

    expected = "a quoted text"

    def convert(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self.fail(value)
        return value


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def show(value: Any) -> str:
    """A compile-time value in the words of the language."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        inner = ", ".join(show(item) for item in value)
        comma = "," * (len(value) == 1)
        return f"({inner}{comma})" if isinstance(value, tuple) else f"[{inner}]"
    return str(value) if isinstance(value, Term) else str(int(value)) if is_int(value) else str(value)


def between(
    low: float | None, high: float | None, above: float | None = None, below: float | None = None
) -> str:  # fmt: skip
    """A range in words, to be put behind what it is about."""
    if low is not None and high is not None:
        return f" from {low} to {high}"
    ends = [f"of at least {low}"] * (low is not None) + [f"above {above}"] * (above is not None)
    ends += [f"of at most {high}"] * (high is not None) + [f"below {below}"] * (below is not None)
    return f" {' and '.join(ends)}" if ends else ""


def alternatives(words: Iterable[str]) -> str:
    return "".join(f" or `{word}`" for word in words)


def _is_finite(value: Any) -> bool:
    return is_int(value) or (isinstance(value, float) and isfinite(value))


def _inside(
    value: float, low: float | None, high: float | None, above: float | None = None, below: float | None = None
) -> bool:
    within = (low is None or value >= low) and (high is None or value <= high)
    return within and (above is None or value > above) and (below is None or value < below)
