"""Dimensions by number, and broadcasting: what the shape rules of several families share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from netc.layer import REQUIRED, Reject, Size
from netc.shapes import Kind, Shape, Value, same, show_dim
from netc.terms import Dim, Term

ORDER: tuple[Kind, ...] = ("bool", "int", "float")


class Axes(Size):
    """A dimension, or several: `1`, `(2, 3)`; the batch is dimension 0."""

    def __init__(self, default: Any = REQUIRED, *, none: bool = False, doc: str = ""):
        super().__init__(default, none=none, doc=doc)
        self.expected = "a dimension or several, such as 1 or (2, 3)"


def plain(size: Dim) -> Dim:
    """An int where the term is a number after all."""
    if isinstance(size, Term) and size.constant is not None:
        return size.constant
    return size


def decided(value: Dim, field: str) -> int:
    """The argument as a number; rejects a size that only a run decides."""
    value = plain(value)
    if isinstance(value, Term):
        raise Reject(f"`{field}` is {value}, which only a run decides", field=field, help="give a number")
    return value


def axis(dim: Dim, rank: int, field: str = "dim") -> int:
    """A dimension counted from the front; rejects one that does not exist."""
    number = decided(dim, field)
    if not -rank <= number < rank:
        raise Reject(
            f"there is no dimension {int(number)} among {rank}",
            field=field,
            help=f"the batch is dimension 0, the last one is {rank - 1} or -1",
        )
    return int(number) % rank


def axes(dims: Any, rank: int, field: str = "dim") -> tuple[int, ...]:
    """Several dimensions counted from the front; none or an empty tuple means all."""
    if dims is None or dims == ():
        return tuple(range(rank))
    found = tuple(axis(dim, rank, field) for dim in (dims if isinstance(dims, tuple) else (dims,)))
    for number in found:
        if found.count(number) > 1:
            raise Reject(f"dimension {number} is named twice", field=field)
    return found


def kept(channel: int | None, removed: Iterable[int]) -> int | None:
    """Where the channels are once some dimensions are gone; None if theirs is."""
    removed = tuple(removed)
    if channel is None or channel in removed:
        return None
    return channel - sum(1 for number in removed if number < channel)


def without(input: Value, removed: Sequence[int], keepdim: bool = False) -> Value:
    """The value with dimensions reduced: to 1 with `keepdim`, else gone."""
    if keepdim:
        return input.with_shape(1 if i in removed else size for i, size in enumerate(input.shape))
    shape = tuple(size for i, size in enumerate(input.shape) if i not in removed)
    return replace(input, shape=shape, channel=kept(input.channel, removed))


def is_one(size: Dim) -> bool:
    size = plain(size)
    return not isinstance(size, Term) and int(size) == 1


def broadcast(*shapes: Shape) -> Shape:
    """The shape that several shapes have together by torch's broadcasting: aligned at the last dimension, 1 stretches.

    https://docs.pytorch.org/docs/stable/notes/broadcasting.html
    """
    result = shapes[0]
    for shape in shapes[1:]:
        result = _broadcast(result, shape)
    return result


def _broadcast(a: Shape, b: Shape) -> Shape:
    rank = max(len(a), len(b))
    left: Shape = (1,) * (rank - len(a)) + a
    right: Shape = (1,) * (rank - len(b)) + b
    sizes: list[Dim] = []
    for number, (one, other) in enumerate(zip(left, right, strict=True)):
        if is_one(one) or is_one(other):
            sizes.append(other if is_one(one) else one)
        elif same(one, other):
            sizes.append(other if isinstance(one, Term) and not isinstance(other, Term) else one)
        else:
            where = f"dimension {number}" if len(a) == len(b) else f"dimension {number - rank}, from the end"
            raise Reject(
                f"{show_dim(one)} and {show_dim(other)} in {where}",
                help="sizes must be equal, or one of them 1",
            )
    return tuple(sizes)


def joint_channel(values: Sequence[Value], rank: int) -> int | None:
    """The channel axis of a broadcast result: that of the first value of full rank that knows it."""
    ordered = sorted(values, key=lambda value: -value.rank)
    return next((v.channel + rank - v.rank for v in ordered if v.channel is not None), None)


def promoted(values: Iterable[Value]) -> Kind:
    """The kind that torch computes in when kinds meet: bool, then int, then float."""
    return max((value.kind for value in values), key=ORDER.index)
