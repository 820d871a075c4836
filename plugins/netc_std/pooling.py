"""Pooling over one, two or three dimensions: maximum, average and power mean of windows, and its reverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from netc.layer import Bool, Example, Field, Float, Int, Reject, Size, Value, Values, per_axis
from netc.shapes import at_least, same, show_dim, show_shape
from netc.terms import Dim, Term
from netc_std.window import Spatial, axis_name, settled, spatial, windows


class MaxPool(Spatial):
    """Takes the maximum of each window.

    `(N, C, *L)` becomes `(N, C, *M)`, in each dimension
    `M = (L + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1`, the quotient rounded up with `ceil_mode`
    unless the last window would start beyond the input; `stride` is the kernel's size if not given. With
    `return_indices` a pair: the maxima, and where each stood (for MaxUnpool). See torch.nn.MaxPool2d.
    """

    module = "torch.nn.MaxPool{n}d"
    function = "torch.nn.functional.max_pool{n}d"
    free = True
    examples = (
        Example("6x28x28", "MaxPool(2)", "6x14x14"),
        Example("64x112x113", "MaxPool(3, stride=2, padding=1, ceil_mode=true)", "64x57x57"),
        Example("16x9", "MaxPool(3, stride=1, dilation=2)", "16x5"),
        Example("4x8x8", "MaxPool(2, return_indices=true)", "4x4x4, 4x4x4 int"),
    )

    kernel_size = Size(min=1, doc="size of the window in each dimension")
    stride = Size(None, min=1, doc="step of the window; its size if none")
    padding = Size(0, min=0, doc="minus infinity on both sides, at most half of the kernel")
    dilation = Size(1, min=1, doc="distance between the elements of the window")
    return_indices = Bool(False, doc="gives the positions of the maxima too")
    ceil_mode = Bool(False, doc="lets the last window hang over the end")

    def function_arguments(self, input: Value) -> dict[str, Any]:
        values = self.given()
        values["return_indices"] = values.pop("return_indices")
        return values

    def infer(self, input: Value) -> Values:
        n = input.rank - 2
        out = pooled(input, self.kernel_size, self.stride, self.padding, per_axis(self.dilation, n, "dilation"),
                     self.ceil_mode)  # fmt: skip
        return with_indices(out, input) if self.return_indices else out


class AvgPool(Spatial):
    """Takes the mean of each window.

    `(N, C, *L)` becomes `(N, C, *M)`, in each dimension `M = (L + 2 * padding - kernel_size) // stride + 1`, the
    quotient rounded up with `ceil_mode` unless the last window would start beyond the input; `stride` is the kernel's
    size if not given. See torch.nn.AvgPool2d; AvgPool1d has no `divisor_override`, AvgPool3d no kernel that is larger
    than the input without its padding.
    """

    module = "torch.nn.AvgPool{n}d"
    function = "torch.nn.functional.avg_pool{n}d"
    free = True
    examples = (
        Example("6x28x28", "AvgPool(2)", "6x14x14"),
        Example("88x12x12", "AvgPool(3, stride=1, padding=1)", "88x12x12"),
        Example("16x10", "AvgPool(3, stride=2, ceil_mode=true)", "16x5"),
    )

    kernel_size = Size(min=1, doc="size of the window in each dimension")
    stride = Size(None, min=1, doc="step of the window; its size if none")
    padding = Size(0, min=0, doc="zeros on both sides, at most half of the kernel")
    ceil_mode = Bool(False, doc="lets the last window hang over the end")
    count_include_pad = Bool(True, doc="counts the zeros of the padding")
    divisor_override = Int(None, doc="divides by this in place of the window's size; 2d and 3d")

    def arguments(self, input: Value) -> dict[str, Any]:
        return self.function_arguments(input)

    def function_arguments(self, input: Value) -> dict[str, Any]:
        values = self.given()
        if input.rank == 3:
            del values["divisor_override"]
        return values

    def infer(self, input: Value) -> Value:
        if self.divisor_override == 0:
            raise Reject("cannot divide by divisor_override=0", field="divisor_override")
        if self.divisor_override is not None and input.rank == 3:
            raise Reject("has no divisor_override in one dimension", field="divisor_override")
        check_covered(input, self.kernel_size)
        return pooled(input, self.kernel_size, self.stride, self.padding, (1,) * (input.rank - 2), self.ceil_mode)


class AdaptiveAvgPool(Spatial):
    """Takes means over as many windows as the output is to have.

    `(N, C, *L)` becomes `(N, C, *output_size)`; `none` for a dimension keeps its size (not in one dimension). See
    torch.nn.AdaptiveAvgPool2d. Stricter than torch: no size may be 0.
    """

    module = "torch.nn.AdaptiveAvgPool{n}d"
    function = "torch.nn.functional.adaptive_avg_pool{n}d"
    free = True
    examples = (
        Example("512x7x7", "AdaptiveAvgPool(1)", "512x1x1"),
        Example("8x10x12", "AdaptiveAvgPool((none, 5))", "8x10x5"),
        Example("4x33", "AdaptiveAvgPool(8)", "4x8"),
    )

    output_size = Size(min=1, axis_none=True, doc="size of the output; none in a tuple keeps that dimension")

    def infer(self, input: Value) -> Values:
        return adapted(input, self.output_size)


class AdaptiveMaxPool(Spatial):
    """Takes maxima over as many windows as the output is to have.

    `(N, C, *L)` becomes `(N, C, *output_size)`; `none` for a dimension keeps its size (not in one dimension). With
    `return_indices` a pair: the maxima, and where each stood. See torch.nn.AdaptiveMaxPool2d. Stricter than torch: no
    size may be 0.
    """

    module = "torch.nn.AdaptiveMaxPool{n}d"
    function = "torch.nn.functional.adaptive_max_pool{n}d"
    free = True
    examples = (
        Example("512x7x7", "AdaptiveMaxPool(1)", "512x1x1"),
        Example("8x10x12", "AdaptiveMaxPool((none, 5), return_indices=true)", "8x10x5, 8x10x5 int"),
    )

    output_size = Size(min=1, axis_none=True, doc="size of the output; none in a tuple keeps that dimension")
    return_indices = Bool(False, doc="gives the positions of the maxima too")

    def infer(self, input: Value) -> Values:
        out = adapted(input, self.output_size)
        return with_indices(out, input) if self.return_indices else out


class LPPool(Spatial):
    """Takes the power sum `(sum x^p)^(1/p)` of each window, `p` being `norm_type`.

    `(N, C, *L)` becomes `(N, C, *M)`, in each dimension `M = (L - kernel_size) // stride + 1`, the quotient rounded up
    with `ceil_mode`; `stride` is the kernel's size if not given. See torch.nn.LPPool2d; LPPool3d takes no kernel that
    is larger than the input.
    """

    module = "torch.nn.LPPool{n}d"
    function = "torch.nn.functional.lp_pool{n}d"
    free = True
    examples = (
        Example("8x20x20", "LPPool(2, 2)", "8x10x10"),
        Example("8x21", "LPPool(1.5, 3, stride=2, ceil_mode=true)", "8x10"),
    )

    norm_type = Float(doc="the power p, not 0; 1 sums, infinity takes the maximum")
    kernel_size = Size(min=1, doc="size of the window in each dimension")
    stride = Size(None, min=1, doc="step of the window; its size if none")
    ceil_mode = Bool(False, doc="lets the last window hang over the end")

    def infer(self, input: Value) -> Value:
        if self.norm_type == 0:
            raise Reject("takes no root of order norm_type=0", field="norm_type")
        check_covered(input, self.kernel_size)
        return pooled(input, self.kernel_size, self.stride, 0, (1,) * (input.rank - 2), self.ceil_mode)


class Ratio(Field[Any]):
    """A number between 0 and 1, or one for each spatial dimension."""

    expected = "a number between 0 and 1, or one for each dimension"

    def convert(self, value: Any) -> Any:
        items = tuple(value) if isinstance(value, tuple | list) else (value,)
        if not items or not all(isinstance(item, float) and 0 < item < 1 for item in items):
            raise self.fail(value)
        return items if isinstance(value, tuple | list) else value


class FractionalMaxPool(Spatial):
    """Takes maxima over windows that are spread at random, so that the size need not divide.

    `(N, C, *L)` becomes `(N, C, *output_size)`, or `(N, C, *M)` with `M = int(L * output_ratio)`; one of the two is
    given. With `return_indices` a pair: the maxima, and where each stood. Over two or three dimensions. See
    torch.nn.FractionalMaxPool2d and Graham, "Fractional Max-Pooling" (2014). Stricter than torch: no size may be 0,
    and the function checks its arguments as the module does.
    """

    module = "torch.nn.FractionalMaxPool{n}d"
    function = "torch.nn.functional.fractional_max_pool{n}d"
    ranks = (4, 5)
    free = True
    examples = (
        Example("8x20x20", "FractionalMaxPool(3, output_size=12)", "8x12x12"),
        Example("8x20x20", "FractionalMaxPool(2, output_ratio=0.7)", "8x14x14"),
        Example("4x8x9x10", "FractionalMaxPool(2, output_size=(4, 5, 6), return_indices=true)",
                "4x4x5x6, 4x4x5x6 int"),
    )  # fmt: skip

    kernel_size = Size(min=1, doc="size of the window in each dimension")
    output_size = Size(None, min=1, doc="size of the output")
    output_ratio = Ratio(None, doc="size of the output as a part of the input's")
    return_indices = Bool(False, doc="gives the positions of the maxima too")

    def function_arguments(self, input: Value) -> dict[str, Any]:
        values = self.given()
        if self.output_ratio is not None:  # the function takes no single number here
            values["output_ratio"] = per_axis(self.output_ratio, input.rank - 2, "output_ratio")
        return values

    def infer(self, input: Value) -> Values:
        kernel = per_axis(self.kernel_size, input.rank - 2, "kernel_size")
        sizes = self._sizes(input)
        for axis, (size, k, out) in enumerate(zip(input.shape[2:], kernel, sizes, strict=True)):
            spare = 1 if input.rank == 4 else 0  # torch's 3d kernels want one element more
            if not at_least(size + spare, out + k):
                raise Reject(
                    f"cannot place {show_dim(out)} windows of {show_dim(k)} in {axis_name(input, axis)} of"
                    f" {show_dim(size)}: {show_dim(out)} + {show_dim(k)} - 1 = {show_dim(out + k - 1)} must be"
                    f" {'at most' if spare else 'less than'} {show_dim(size)}",
                    field="kernel_size",
                    help="take a smaller window or a smaller output",
                )
        out_value = spatial(input, input.shape[1], sizes)
        return with_indices(out_value, input) if self.return_indices else out_value

    def _sizes(self, input: Value) -> tuple[Dim, ...]:
        n = input.rank - 2
        if (self.output_size is None) == (self.output_ratio is None):
            raise Reject(
                "needs either output_size or output_ratio" + ("" if self.output_size is None else ", not both"),
                field=None if self.output_size is None else "output_ratio",
                help="for half of each size: output_ratio=0.5",
            )
        if self.output_size is not None:
            return per_axis(self.output_size, n, "output_size")
        ratios = per_axis(self.output_ratio, n, "output_ratio")
        return tuple(self._part(input, axis, ratio) for axis, ratio in enumerate(ratios))

    def _part(self, input: Value, axis: int, ratio: float) -> int:
        size = input.shape[axis + 2]
        if isinstance(size, Term):
            raise Reject(
                f"cannot take output_ratio={ratio} of {show_dim(size)}, which only a run decides",
                field="output_ratio",
                help="give output_size, or the `input` a number there",
            )
        part = int(int(size) * ratio)
        if part < 1:
            raise Reject(
                f"leaves nothing of {axis_name(input, axis)}: int({show_dim(size)} * {ratio}) = {part}",
                field="output_ratio",
                help="take a greater ratio, or output_size",
            )
        return part


class MaxUnpool(Spatial):
    """Puts maxima back where MaxPool found them, among zeros.

    `(N, C, *L)` and the indices of the same shape become `(N, C, *M)`, in each dimension
    `M = (L - 1) * stride - 2 * padding + kernel_size`; `stride` is the kernel's size if not given. The function
    `max_unpool` also takes an `output_size`. See torch.nn.MaxUnpool2d. Stricter than torch: no size may be 0, and the
    indices are those of a pooling of what has the size that comes out, since in a picture of another width they stand
    for other places.
    """

    free = True
    module: ClassVar[str | None] = "torch.nn.MaxUnpool{n}d"
    inputs = ("input", "indices")
    kinds = ("float", "int")
    examples = (
        Example("4x4x4, 4x4x4 int", "MaxUnpool(2)", "4x8x8"),
        Example("4x5, 4x5 int", "MaxUnpool(3, stride=2, padding=1)", "4x9"),
    )

    kernel_size = Size(min=1, doc="size of MaxPool's window")
    stride = Size(None, min=1, doc="step of MaxPool's window; its size if none")
    padding = Size(0, min=0, doc="padding of MaxPool's input")

    def admit(self, *inputs: Value) -> None:
        """Refuses what MaxPool does not return as a pair."""
        super().admit(*inputs)
        for value, kind, name in zip(inputs, self.kinds, self.inputs, strict=False):
            if value.kind != kind:
                raise Reject(
                    f"expects {kind} values, not {value.kind}",
                    input=name,
                    help="the indices are the second output of MaxPool(..., return_indices=true)",
                )

    def infer(self, input: Value, indices: Value) -> Value:
        if input.rank != indices.rank or not all(same(a, b) for a, b in zip(input.shape, indices.shape, strict=True)):
            raise Reject(
                f"expects indices shaped as the input, {show_shape(input.shape)}, not {show_shape(indices.shape)}",
                input="indices",
            )
        sizes = self._sizes(input)
        for axis, size in enumerate(sizes):
            if not at_least(size, 1):
                raise Reject(f"leaves nothing of {axis_name(input, axis)}: its size would be {show_dim(size)}",
                             field="padding")  # fmt: skip
        if indices.among is not None and not all(map(same, indices.among, sizes)):
            places = f"{show_shape(tuple(sizes))}, and these indices were found among {show_shape(indices.among)}"
            raise Reject(f"puts values back among {places}", input="indices", help=self._remedy(indices.among, sizes))
        return spatial(input, input.shape[1], sizes)

    def _remedy(self, among: Sequence[Dim], sizes: Sequence[Dim]) -> str:
        """What settles the size where only the rounding of the pooling was lost; else whose indices are needed."""
        strides = self._numbers(len(sizes))[1]
        if any(isinstance(size, Term) for size in (*among, *sizes, *strides)):
            return "the pooling must leave nothing over"
        if all(abs(a - b) < s for a, b, s in zip(among, sizes, strides, strict=True)):  # type: ignore[arg-type, operator]
            return f"`max_unpool` takes the size of what was pooled: `output_size={show_shape(tuple(among))}`"
        return "take the indices of the pooling that this undoes"

    def _sizes(self, input: Value) -> Sequence[Dim]:
        kernel, stride, padding = self._numbers(input.rank - 2)
        return [settled((size - 1) * s - 2 * p + k)
                for size, k, s, p in zip(input.shape[2:], kernel, stride, padding, strict=True)]  # fmt: skip

    def _numbers(self, n: int) -> list[tuple[Dim, ...]]:
        stride = self.kernel_size if self.stride is None else self.stride
        return [per_axis(self.kernel_size, n, "kernel_size"), per_axis(stride, n, "stride"),
                per_axis(self.padding, n, "padding")]  # fmt: skip


class max_unpool(MaxUnpool):  # named as the function that it is
    """Puts maxima back where `max_pool` found them, among zeros.

    As MaxUnpool; `output_size`, the size that `max_pool` was given, settles what its rounding lost: each entry lies
    less than a stride from `(L - 1) * stride - 2 * padding + kernel_size`. It may count batch and channels, so that
    `x.shape` can be written. See torch.nn.functional.max_unpool2d.
    """

    module = None
    function = "torch.nn.functional.max_unpool{n}d"
    examples = (
        Example("4x4x4, 4x4x4 int", "max_unpool(2)", "4x8x8"),
        Example("4x4x4, 4x4x4 int", "max_unpool(2, output_size=(9, 9))", "4x9x9"),
    )

    output_size = Size(None, min=1, doc="size of the output, with or without batch and channels")

    def given(self) -> dict[str, Any]:
        values = super().given()
        if self.output_size is not None and not isinstance(values["output_size"], tuple):
            values["output_size"] = (values["output_size"],)
        return values

    def _sizes(self, input: Value) -> Sequence[Dim]:
        natural = super()._sizes(input)
        if self.output_size is None:
            return natural
        n = input.rank - 2
        sizes = self.output_size if isinstance(self.output_size, tuple) else (self.output_size,)
        sizes = sizes[2:] if len(sizes) == n + 2 else sizes
        if len(sizes) != n:
            raise Reject(f"`output_size` has {len(sizes)} entries for {n} dimension{'s' * (n != 1)}",
                         field="output_size")  # fmt: skip
        for axis, (size, middle, s) in enumerate(zip(sizes, natural, self._numbers(n)[1], strict=True)):
            if not at_least(size, middle - s + 1) or not at_least(middle + s - 1, size):
                raise Reject(
                    f"cannot give {axis_name(input, axis)} the size {show_dim(size)}: it must lie between"
                    f" {show_dim(middle - s + 1)} and {show_dim(middle + s - 1)}",
                    field="output_size",
                )
        return sizes


def pooled(input: Value, kernel_size: Any, stride: Any, padding: Any, dilation: Sequence[Dim], ceil: bool) -> Value:
    """The value after pooling; padding beyond half of the kernel is refused, as torch does."""
    n = input.rank - 2
    kernel, pads = per_axis(kernel_size, n, "kernel_size"), per_axis(padding, n, "padding")
    steps = kernel if stride is None else per_axis(stride, n, "stride")
    for k, pad in zip(kernel, pads, strict=True):
        if not at_least(k, 2 * pad):
            raise Reject(
                f"pads at most half of the kernel: padding={show_dim(pad)} for kernel_size={show_dim(k)}",
                field="padding",
                help=f"take padding={show_dim(k // 2)} or less",
            )
    return windows(input, kernel, steps, pads, dilation, ceil)


def check_covered(input: Value, kernel_size: Any) -> None:
    """Refuses what torch's 3d averages refuse: a kernel larger than the input, whatever padding and rounding say."""
    if input.rank != 5:
        return
    for axis, (size, k) in enumerate(zip(input.shape[2:], per_axis(kernel_size, 3, "kernel_size"), strict=True)):
        if not at_least(size, k):
            raise Reject(
                f"takes no kernel larger than the input in three dimensions: {show_dim(k)} against {show_dim(size)} in"
                f" {axis_name(input, axis)}",
                field="kernel_size",
                help=f"take at most {show_dim(size)} there",
            )


def adapted(input: Value, output_size: Any) -> Value:
    """The value with its spatial sizes set; None keeps one."""
    n = input.rank - 2
    sizes = per_axis(output_size, n, "output_size")
    if None in sizes and (n == 1 or sizes != output_size):
        raise Reject(
            "`output_size` needs a number in one dimension" if n == 1 else "`output_size` needs an entry for each"
            f" of {n} dimensions",
            field="output_size",
        )  # fmt: skip
    kept = [size if wanted is None else wanted for size, wanted in zip(input.shape[2:], sizes, strict=True)]
    return spatial(input, input.shape[1], kept)


def with_indices(value: Value, input: Value) -> Values:
    """The value, and integers of the same shape: indices among the places of what was pooled."""
    return value, replace(value, kind="int", among=input.shape[2:])
