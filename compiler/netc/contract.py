"""What the attributes of a definition must be and its methods give, held as soon as a plugin says otherwise.

A definition is a stranger's Python, and what is wrong with it shows far from there: a method that returns nothing, a
list where PyTorch needs a number. Attributes are looked at when the class is made, results when they are given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from keyword import iskeyword
from math import isfinite
from typing import Any

from netc.fields import Dotted, Field, Reject, is_int
from netc.record import Record
from netc.shapes import KINDS, Value
from netc.terms import Term

BUILT_IN = ("netc", "netc_std")
"""The packages whose definitions netc's own tests hold to the contract."""
LONGEST = 60
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
INPUT = re.compile(r"\*?[A-Za-z_]\w*(\?|=\w+)?")


class ContractError(Exception):
    """A definition is not what the contract says; the message names it and what it should be."""


class Rule(Record):
    """What something must be: in words, and whether a value is."""

    words: str
    holds: Callable[[Any], bool]


class Contract:
    """A class whose subclasses are held to what it says of them: `attributes` of the class and `results` of methods."""

    attributes: Mapping[str, Rule] = {}
    results: Mapping[str, Rule] = {}
    needed: tuple[str, ...] = ()
    """Attributes without which it cannot be used."""

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if is_built_in(cls):
            return
        for name, value in list(vars(cls).items()):
            if name in cls.attributes and not cls.attributes[name].holds(value):
                wanted = cls.attributes[name].words
                raise ContractError(f"`{name}` of `{cls.__name__}` must be {wanted}, not {shown(value)}")
            if name in cls.results:
                if not callable(value):
                    raise ContractError(f"`{name}` of `{cls.__name__}` must be a method, not {shown(value)}")
                setattr(cls, name, keeping(value, name, cls.results[name]))
            if isinstance(value, type) and issubclass(value, Field):
                text = f"`{name}` of `{cls.__name__}` is a type of argument: write `{value.__name__}(...)`"
                raise ContractError(text)
            if isinstance(value, Field):
                check_field(cls, name, value)


def is_built_in(definition: type) -> bool:
    return definition.__module__.partition(".")[0] in BUILT_IN


def check_field(cls: type, name: str, field: Field[Any]) -> None:
    """Raises ContractError for an argument whose name, default or sentence it cannot have."""
    meant = getattr(super(cls, cls), name, None)
    if name == "self" or (meant is not None and not isinstance(meant, Field)):
        raise ContractError(f"`{name}` of `{cls.__name__}` cannot be an argument: the name means something else")
    if not isinstance(field.doc, str):
        raise ContractError(f"`doc` of `{field.name}` of `{cls.__name__}` must be a text, not {shown(field.doc)}")
    if field.required or field.default is None:
        return
    try:
        field.accept(field.default)
    except ValueError as error:
        raise ContractError(f"the default of `{cls.__name__}`: {error}") from None


def keeping(function: Callable[..., Any], name: str, rule: Rule) -> Callable[..., Any]:
    """A method that raises ContractError where it gives something else than it must."""

    def kept(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = function(self, *args, **kwargs)
        if not rule.holds(given):
            raise ContractError(f"{described(type(self))}: `{name}` must give {rule.words}, not {shown(given)}")
        return given

    kept.__name__, kept.__doc__, kept.__wrapped__ = name, function.__doc__, function  # type: ignore[attr-defined]
    return kept


def lacking(definition: type) -> str | None:
    """What a definition must have to be used and has not."""
    for name in getattr(definition, "needed", ()):
        if not getattr(definition, name, None):
            return f"{described(definition)} has no `{name}`"
    targets = [t for t in (getattr(definition, "module", None), getattr(definition, "function", None)) if t]
    brings = getattr(definition, "source", None) or getattr(definition, "helpers", None)
    own = next((target for target in targets if target.startswith("own:")), None)
    if own is not None and not brings:
        return f"{described(definition)} is `{own}`, and has no `source` that defines it"
    return None


def described(definition: type) -> str:
    """A plugin's class and where it is from: "`DyT` of dyt.py"."""
    import os
    import sys

    file = getattr(sys.modules.get(definition.__module__), "__file__", None)
    return f"`{definition.__name__}` of {os.path.relpath(file) if file else definition.__module__}"


def shown(value: Any) -> str:
    """A value in a message: on one line, and not too long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


# ---- what things may be ----------------------------------------------------------------------------


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_target(value: Any) -> bool:
    """A dotted name, with `{n}` for the number of dimensions, or `own:Name`."""
    name = value.removeprefix("own:") if isinstance(value, str) else ""
    plain = name.replace("{n}", "1")
    least = 0 if name != value else 1
    return bool(DOTTED.fullmatch(plain)) and plain.count(".") >= least and not any(map(iskeyword, plain.split(".")))


def is_data(value: Any) -> bool:
    """What can be written as an argument of a PyTorch call."""
    if isinstance(value, tuple | list):
        return all(map(is_data, value))
    if isinstance(value, float):
        return isfinite(value)
    return value is None or isinstance(value, bool | int | str | Term | Dotted)


def is_arguments(value: Any) -> bool:
    return isinstance(value, dict) and all(is_identifier(name) and is_data(item) for name, item in value.items())


def is_identifier(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier() and not iskeyword(value)


def is_size(value: Any) -> bool:
    return isinstance(value, Term) or (is_int(value) and value >= 0)


def is_value(value: Any) -> bool:
    return (
        isinstance(value, Value)
        and isinstance(value.shape, tuple)
        and all(map(is_size, value.shape))
        and value.kind in KINDS
        and (value.channel is None or is_int(value.channel))
    )


def is_values(value: Any) -> bool:
    return is_value(value) or (isinstance(value, tuple) and bool(value) and all(map(is_values, value)))


def is_python(value: Any) -> bool:
    """Whether something is the text of Python statements."""
    import ast

    try:
        return isinstance(value, str) and bool(ast.parse(value).body)
    except (SyntaxError, ValueError):
        return False


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def mapping(keys: Callable[[Any], bool], values: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Mapping) and all(map(keys, value)) and all(map(values, value.values()))


def optional(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


def several(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple | list) and all(map(holds, value))


def pair_of(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and len(value) == 2 and all(map(holds, value))


def matching(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


TEXT = Rule("a text", is_text)
TEXTS = Rule('a tuple of texts, such as `("a", "b")` or `("a",)`', several(is_text))
TARGET = Rule("a dotted name such as `torch.nn.Linear`, or `own:` and a name in its source", is_target)
NUMBER = Rule("an integer", is_int)
FLAG = Rule("True or False", lambda value: isinstance(value, bool))
WORDS = Rule("a dict of names and texts", mapping(is_text, is_text))
ARGUMENTS = Rule("a dict of names and plain values (numbers, texts, tuples of them)", is_arguments)
REFUSAL = Rule("a `Reject` or None", lambda value: value is None or isinstance(value, Reject))
