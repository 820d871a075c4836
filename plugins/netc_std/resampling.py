"""Resampling: interpolation to another size, and the exchange of channels and pixels.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from netc.layer import Bool, Example, Field, Int, Layer, Reject, Size, Value, Word, is_int
from netc.shapes import at_least, divisible, show_dim
from netc.terms import Dim, Term
from netc_std.window import nearest_multiples

MODES = ("nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact")
RANK_OF = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}


class Scale(Field[Any]):
    """A positive number, or one for each spatial dimension."""

    expected = "a positive number, or one for each dimension"
    samples = (2, 0.5, 1.5, 3.0, (2.0, 1.0), (1.5, 0.5, 2), 0.01, -1.0)

    def convert(self, value: Any) -> Any:
        items = value if isinstance(value, tuple | list) else (value,)
        if not items or not all((is_int(item) or isinstance(item, float)) and item > 0 for item in items):
            raise self.fail(value)
        return tuple(value) if isinstance(value, tuple | list) else value


class Interpolation(Layer):
    """The arguments and the rule of both forms."""

    ranks = (3, 4, 5)
    free = True
    size = Size(None, min=1, doc="Size of the output, one for all dimensions or one for each.")
    scale_factor: Any = Scale(None, doc="How many times larger, for all dimensions or for each.")
    mode = Word(*MODES, default="nearest", doc="How values between pixels are made.")
    align_corners = Bool(None, doc="Let the corner pixels keep their values, in the linear and cubic modes.")
    recompute_scale_factor = Bool(None, doc="Interpolate with the scale that the rounded sizes make.")

    def infer(self, input: Value) -> Value:
        rank = RANK_OF.get(self.mode, input.rank)
        if rank != input.rank:
            raise Reject(f"mode {self.mode} is for {rank} dimensions, {input} has {input.rank}", field="mode")
        if self.align_corners is not None and self.mode not in RANK_OF:
            reason = f"`align_corners` says nothing in mode {self.mode}"
            raise Reject(reason, field="align_corners", help="leave it out")
        if (self.size is None) == (self.scale_factor is None):
            which = "neither" if self.size is None else "both"
            raise Reject(f"{which} of `size` and `scale_factor` given", field="size", help="give one of the two")
        if self.recompute_scale_factor and self.size is not None:
            raise Reject("`recompute_scale_factor` says nothing with `size`", field="recompute_scale_factor")
        return input.with_shape((*input.shape[:2], *self._sizes(input)))

    def _sizes(self, input: Value) -> list[Dim]:
        field = "size" if self.size is not None else "scale_factor"
        given = self.size if self.size is not None else self.scale_factor
        values = given if isinstance(given, tuple) else (given,) * (input.rank - 2)
        if len(values) != input.rank - 2:
            raise Reject(f"`{field}` has {len(values)} entries for the {input.rank - 2} sizes of {input}", field=field)
        if field == "size":
            return list(values)
        return [self._scaled(input, i, scale) for i, scale in enumerate(values, start=2)]

    def _scaled(self, input: Value, dim: int, scale: float) -> Dim:
        size = input.shape[dim]
        ratio = Fraction(scale)
        if ratio.denominator == 1:
            result = size * ratio.numerator
        elif not isinstance(size, Term):
            result = int(int(size) * scale)
        elif ratio.denominator <= 64:
            result = size * ratio.numerator // ratio.denominator
        else:
            raise Reject(f"{size} times {scale} is known only at the run", field="scale_factor", help="give `size`")
        if not at_least(result, 1):
            reason = f"nothing is left of dimension {dim} of {input}, which is {show_dim(size)}"
            raise Reject(reason, field="scale_factor")
        return result


class Upsample(Interpolation):
    """Interpolates to a given size, or to a multiple of the input's.

    (N, C, *L) to (N, C, *M) with `M = size`, or `M = floor(L * scale_factor)`; one of the two is given.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html
    """

    module = "torch.nn.Upsample"
    examples = (
        Example("16x8x8", "Upsample(scale_factor=2)", "16x16x16"),
        Example("16x8x8", "Upsample(size=(12, 20), mode=bilinear, align_corners=true)", "16x12x20"),
        Example("16x9", "Upsample(scale_factor=0.5, mode=linear)", "16x4"),
    )


class interpolate(Interpolation):
    """Interpolates to a given size, or to a multiple of the input's, as a function.

    (N, C, *L) to (N, C, *M) with `M = size`, or `M = floor(L * scale_factor)`; one of the two is given.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
    """

    function = "torch.nn.functional.interpolate"
    antialias = Bool(False, doc="Smooth when shrinking, in the modes bilinear and bicubic.")
    examples = (
        Example("16x8x8", "interpolate(scale_factor=2)", "16x16x16"),
        Example("16x9x9", "interpolate(size=4, mode=bicubic, antialias=true)", "16x4x4"),
    )

    def infer(self, input: Value) -> Value:
        if self.antialias and self.mode not in ("bilinear", "bicubic"):
            raise Reject(f"`antialias` is not for mode {self.mode}", field="antialias", help="use mode bilinear")
        return super().infer(input)


def require_divisible(size: Dim, by: Dim, input: Value, dim: int, field: str) -> None:
    """Rejects a dimension that a factor does not divide."""
    if not divisible(size, by):
        raise Reject(
            f"{show_dim(by)} does not divide {show_dim(size)}, the size of dimension {dim} of {input}",
            help=nearest_multiples(size, by),
            field=field,
        )


class PixelShuffle(Layer):
    """Turns channels into pixels: each group of `r * r` channels becomes one of `r` times the height and width.

    (N, C * r * r, H, W) to (N, C, H * r, W * r).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html
    """

    module = "torch.nn.PixelShuffle"
    function = "torch.nn.functional.pixel_shuffle"
    ranks = (4,)
    kinds = None
    free = True
    upscale_factor = Int(min=1, doc="How many times larger the picture becomes.")
    examples = (Example("12x8x8", "PixelShuffle(2)", "3x16x16"), Example("9x4x4", "pixel_shuffle(3)", "1x12x12"))

    def infer(self, input: Value) -> Value:
        batch, channels, height, width = input.shape
        r = self.upscale_factor
        require_divisible(channels, r * r, input, 1, "upscale_factor")
        return replace(input, shape=(batch, channels // (r * r), height * r, width * r))


class PixelUnshuffle(Layer):
    """Turns pixels into channels, the inverse of `PixelShuffle`.

    (N, C, H * r, W * r) to (N, C * r * r, H, W).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html
    """

    module = "torch.nn.PixelUnshuffle"
    function = "torch.nn.functional.pixel_unshuffle"
    ranks = (4,)
    kinds = None
    free = True
    downscale_factor = Int(min=1, doc="How many times smaller the picture becomes.")
    examples = (Example("3x16x16", "PixelUnshuffle(2)", "12x8x8"), Example("1x6x9", "pixel_unshuffle(3)", "9x2x3"))

    def infer(self, input: Value) -> Value:
        batch, channels, height, width = input.shape
        r = self.downscale_factor
        require_divisible(height, r, input, 2, "downscale_factor")
        require_divisible(width, r, input, 3, "downscale_factor")
        return replace(input, shape=(batch, channels * r * r, height // r, width // r))


class ChannelShuffle(Layer):
    """Deals the channels out anew, so that each group holds some of every group.

    (N, C, …) to the same. https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
    """

    module = "torch.nn.ChannelShuffle"
    function = "torch.nn.functional.channel_shuffle"
    ranks = (3, 4, 5)
    kinds = None
    free = True
    groups = Int(min=1, doc="How many groups; they divide the channels.")
    examples = (Example("8x4x4", "ChannelShuffle(2)", "8x4x4"), Example("6x4x4", "channel_shuffle(3)", "6x4x4"))

    def infer(self, input: Value) -> Value:
        require_divisible(input.shape[1], self.groups, input, 1, "groups")
        return input
