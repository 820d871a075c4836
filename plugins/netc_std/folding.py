"""Pictures as the patches that a window meets, and back."""

from __future__ import annotations

from typing import Any

from netc.layer import Example, Reject, Size, Value, per_axis
from netc.shapes import Shape, at_least, divisible, product, same, show_dim, show_shape
from netc.terms import Dim
from netc_std.window import AXES, Spatial, window


class Sliding(Spatial):
    """A window over height and width, whose places are counted row by row."""

    free = True
    kernel_size: Any
    dilation: Any
    padding: Any
    stride: Any

    def places(self, height: Dim, width: Dim, shown: Value) -> list[Dim]:
        """How often the window fits into each dimension."""
        found = []
        numbers = [per_axis(getattr(self, n), 2, n) for n in ("kernel_size", "stride", "padding", "dilation")]
        for name, size, *numbers_of in zip(AXES[2], (height, width), *numbers, strict=True):
            count = window(size, *numbers_of)
            if not at_least(count, 1):
                reason = f"finds no place for its window in the {name} {show_dim(size)} of {show_shape(shown.shape)}"
                raise Reject(reason, field="kernel_size")
            found.append(count)
        return found


class Unfold(Sliding):
    """Makes a column of each patch that a window meets.

    (N, C, H, W) to (N, C * kernel_size ** 2, L), L being the number of patches. Stricter than torch: the input is a
    batch. https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html
    """

    module = "torch.nn.Unfold"
    function = "torch.nn.functional.unfold"
    ranks = (4,)
    kernel_size = Size(min=1, doc="size of the window in each dimension")
    dilation = Size(1, min=1, doc="distance between the elements of the window")
    padding = Size(0, min=0, doc="zeros on both sides")
    stride = Size(1, min=1, doc="step of the window")
    examples = (
        Example("3x8x8", "Unfold(3, padding=1)", "27x64"),
        Example("3x32x32", "unfold(4, stride=4)", "48x64"),
    )

    def infer(self, input: Value) -> Value:
        batch, channels, height, width = input.shape
        rows, columns = self.places(height, width, input)
        patch = product(per_axis(self.kernel_size, 2, "kernel_size"))
        return Value((batch, channels * patch, rows * columns), channel=1)


class Fold(Sliding):
    """Puts patches back in their places and sums where they overlap, the way back from Unfold.

    (N, C * kernel_size ** 2, L) to (N, C, *output_size), L being the number of patches that a window meets there.
    Stricter than torch: the input is a batch. https://docs.pytorch.org/docs/stable/generated/torch.nn.Fold.html
    """

    module = "torch.nn.Fold"
    function = "torch.nn.functional.fold"
    ranks = (3,)
    output_size = Size(min=1, doc="height and width of the output")
    kernel_size = Size(min=1, doc="size of the window in each dimension")
    dilation = Size(1, min=1, doc="distance between the elements of the window")
    padding = Size(0, min=0, doc="what is cut from both sides of the output")
    stride = Size(1, min=1, doc="step of the window")
    examples = (
        Example("27x64", "Fold(8, 3, padding=1)", "3x8x8"),
        Example("48x64", "fold((32, 32), 4, stride=4)", "3x32x32"),
    )

    def infer(self, input: Value) -> Value:
        batch, columns, count = input.shape
        sizes: Shape = per_axis(self.output_size, 2, "output_size")
        patch = product(per_axis(self.kernel_size, 2, "kernel_size"))
        if not divisible(columns, patch):
            reason = f"takes columns of {show_dim(patch)} for each channel, not {show_dim(columns)} in {input}"
            raise Reject(reason, field="kernel_size")
        found = product(self.places(sizes[0], sizes[1], input))
        if not same(count, found):
            reason = f"has {show_dim(found)} places in {show_shape(sizes)}, and {show_dim(count)} patches reach it"
            raise Reject(reason, field="output_size", help="the arguments are those of the Unfold that made them")
        return Value((batch, columns // patch, *sizes), channel=1)
