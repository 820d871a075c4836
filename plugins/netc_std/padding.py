"""Padding: what adds a margin of zeros, of a constant, or of the tensor's own values, and crops by negative amounts.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from typing import Any

from netc.layer import Example, Float, Ints, Layer, Reject, Size, Value, Word
from netc.shapes import at_least, show_dim
from netc.terms import Dim, Term


def padded(input: Value, amounts: tuple[Any, ...], mode: str, field: str) -> Value:
    """The value with `(left, right, top, bottom, ...)` added, the last dimension first, as torch orders them."""
    counts = _lengths(mode, input.rank)
    if len(amounts) not in counts:
        wanted = " or ".join(map(str, counts)) if counts else "no"
        raise Reject(
            f"{len(amounts)} amounts for {input}: mode {mode} takes {wanted} here",
            field=field,
            help="two for each dimension, before and after it, beginning with the last dimension",
        )
    shape = list(input.shape)
    for number in range(len(amounts) // 2):
        at = input.rank - 1 - number
        shape[at] = _grown(input, at, amounts[2 * number : 2 * number + 2], mode, field)
    return input.with_shape(shape)


def _lengths(mode: str, rank: int) -> tuple[int, ...]:
    """How many amounts torch takes; a picture without a batch looks like a batch of sequences."""
    if mode == "constant":
        return tuple(range(0, 2 * rank + 1, 2))
    return {2: (2,), 3: (2, 4), 4: (4, 6), 5: (6,)}.get(rank, ())


def _grown(input: Value, at: int, amounts: tuple[Any, ...], mode: str, field: str) -> Dim:
    size = input.shape[at]
    for amount in amounts:
        limit = {"reflect": amount + 1, "circular": amount}.get(mode)
        if limit is not None and not at_least(size, limit):
            raise Reject(
                f"mode {mode} cannot add {show_dim(amount)} to dimension {at} of {input}, which is {show_dim(size)}",
                field=field,
                help="the margin is made of the values there are: add less, or use mode replicate",
            )
    grown: Dim = size + amounts[0] + amounts[1]
    cropped = sum(-amount for amount in amounts if not isinstance(amount, Term) and amount < 0)
    if not at_least(grown, 1) or (mode in ("constant", "circular") and not at_least(size, cropped)):
        raise Reject(f"nothing is left of dimension {at} of {input}, which is {show_dim(size)}", field=field)
    return grown


class Padding(Layer):
    """A margin around the spatial dimensions of a sequence, picture or volume."""

    ranks = (3, 4, 5)
    free = True
    mode = "constant"
    padding = Size(doc="One amount for all sides, or `(left, right, top, bottom, front, back)`; negative crops.")

    def infer(self, input: Value) -> Value:
        amounts = self.padding if isinstance(self.padding, tuple) else (self.padding,) * (2 * (input.rank - 2))
        return padded(input, amounts, self.mode, "padding")


class ZeroPad(Padding):
    """Adds a margin of zeros.

    (N, C, H, W) with `ZeroPad((left, right, top, bottom))` to (N, C, H + top + bottom, W + left + right).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html
    """

    module = "torch.nn.ZeroPad{n}d"
    kinds = None
    examples = (Example("3x8x8", "ZeroPad(1)", "3x10x10"), Example("3x8x8", "ZeroPad((0, 1, 0, 2))", "3x10x9"))


class ConstantPad(Padding):
    """Adds a margin of one value.

    (N, C, H, W) with `ConstantPad((left, right, top, bottom), 1)` to (N, C, H + top + bottom, W + left + right).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html
    """

    module = "torch.nn.ConstantPad{n}d"
    kinds = None
    value = Float(doc="What the margin holds.")
    examples = (Example("3x8x8", "ConstantPad(1, 0.5)", "3x10x10"),)


class ReflectionPad(Padding):
    """Adds a margin that mirrors the tensor at its edge, less wide than the tensor.

    (N, C, H, W) with `ReflectionPad(1)` to (N, C, H + 2, W + 2).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html
    """

    module = "torch.nn.ReflectionPad{n}d"
    kinds = ("float", "int")
    mode = "reflect"
    examples = (Example("3x8x8", "ReflectionPad(3)", "3x14x14"), Example("3x8", "ReflectionPad((1, 2))", "3x11"))


class ReplicationPad(Padding):
    """Adds a margin that repeats the edge.

    (N, C, H, W) with `ReplicationPad(1)` to (N, C, H + 2, W + 2).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html
    """

    module = "torch.nn.ReplicationPad{n}d"
    kinds = ("float", "int")
    mode = "replicate"
    examples = (Example("3x8x8", "ReplicationPad(1)", "3x10x10"), Example("2x4x4x4", "ReplicationPad(1)", "2x6x6x6"))


class CircularPad(Padding):
    """Adds a margin that continues at the other edge, at most as wide as the tensor.

    (N, C, H, W) with `CircularPad(1)` to (N, C, H + 2, W + 2).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html
    """

    module = "torch.nn.CircularPad{n}d"
    kinds = None
    mode = "circular"
    examples = (Example("3x8x8", "CircularPad(1)", "3x10x10"),)


class pad(Layer):
    """Adds a margin: amounts before and after each dimension, the last dimension first; negative amounts crop.

    (N, C, H, W) with `pad((left, right, top, bottom))` to (N, C, H + top + bottom, W + left + right).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
    """

    function = "torch.nn.functional.pad"
    kinds = None
    free = True
    pad = Ints(doc="`(left, right, top, bottom, ...)`, two for each dimension.")
    mode = Word("constant", "reflect", "replicate", "circular", default="constant", doc="What the margin is made of.")
    value = Float(None, doc="What a constant margin holds; 0 by default.")
    examples = (
        Example("3x8x8", "pad((1, 1, 2, 2))", "3x12x10"),
        Example("3x8x8", "pad((1, 1, 1, 1), mode=reflect)", "3x10x10"),
    )

    def infer(self, input: Value) -> Value:
        if input.kind == "bool" and self.mode in ("reflect", "replicate"):
            raise Reject(f"mode {self.mode} is not for true and false", field="mode")
        if self.value not in (None, 0) and self.mode != "constant":
            raise Reject(f"`value` says nothing in mode {self.mode}", field="value", help="leave it out")
        return padded(input, self.pad, self.mode, "pad")
