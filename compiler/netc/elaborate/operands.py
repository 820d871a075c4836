"""The tensors that a layer takes: by position, by name, from the flow, or in the place of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from netc import syntax
from netc.elaborate.arguments import Given
from netc.elaborate.values import Fault, fault
from netc.layer import Layer
from netc.record import Mutable


class Operands(Mutable):
    """The value of each input (None where one before the last is left out) and where it is written.

    `places` are those given by position (None: the flow, which may be several), `named` those given by name.
    """

    values: list[Any]
    places: list[Any]
    named: dict[str, syntax.Expr] = field(default_factory=dict)


def complete(cls: type[Layer], found: Operands, given: Given, node: syntax.Expr) -> Operands:
    """Adds the inputs that are given by name, and those that are another's where they are left out."""
    stand_ins = cls.stand_ins()
    names = list(stand_ins)
    together = len(found.values) - len(found.places)
    for name in names[: len(found.values)]:
        if name in given.named_operands:
            place = given.named_operands[name][0].span
            raise fault("E0403", place, f"`{name}` is given twice", "by name here, and by its position")
    for index, name in reversed(list(enumerate(names[: len(found.values)]))):
        if cls.at_call and stand_ins[name] == "?":
            if index <= together:
                raise unfit(cls, len(found.values), node)
            found.named[name] = found.places.pop(index - together)
    for name in names[len(found.values) :]:
        other = stand_ins[name]
        if name in given.named_operands:
            expr, value = given.named_operands[name]
            found.values.append(value)
            if other == "?":
                found.named[name] = expr
            else:
                found.places.append(expr)
        elif other == "?":
            found.values.append(None)
        elif other is not None:
            index = names.index(other)
            if together and index <= together:
                raise unfit(cls, len(found.values), node)
            place = found.places[index - together]
            found.values.append(found.values[index])
            found.places.append(syntax.Name(node.span, "_") if place is None else place)
    while found.values and found.values[-1] is None:
        found.values.pop()
    return found


def check_names(cls: type[Layer], given: Given) -> None:
    """Refuses a tensor given for an input that the layer does not have."""
    names = list(cls.stand_ins())
    for name, (expr, _) in given.named_operands.items():
        if name not in names:
            known = ", ".join(f"`{each}`" for each in names)
            raise fault("E0401", expr.span, f"`{cls.__name__}` has no input `{name}`", f"it takes {known}")


def unfit(cls: type[Layer], count: int, node: syntax.Expr) -> Fault:
    """Too few tensors, or too many."""
    stand_ins = cls.stand_ins()
    wanted = ", ".join(f"`{name}`" for name in stand_ins)
    text = f"`{cls.__name__}` takes {wanted}; {count} tensor{'s' * (count != 1)} reach{'es' * (count == 1)} it"
    few = count < len(required(cls)) or (count < len(stand_ins) and None not in [*stand_ins.values()][count:])
    return fault("E0401", node.span, text, "too few" if few else "too many")


def required(cls: type[Layer]) -> Sequence[str]:
    """The inputs that must be given."""
    return [name for name, other in cls.stand_ins().items() if other is None]
