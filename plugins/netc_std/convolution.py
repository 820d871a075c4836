"""Convolution and transposed convolution over one, two or three dimensions."""

from __future__ import annotations

from typing import Any

from netc.layer import Bool, Example, Int, Reject, Size, State, Value, Word, fixed, per_axis
from netc.shapes import at_least, product, show_dim
from netc.terms import Dim
from netc_std.window import Spatial, axis_name, check_groups, settled, spatial, window, windows


class Conv(Spatial):
    """Slides `out_channels` learned kernels over the input (cross-correlation).

    `(N, in_channels, *L)` becomes `(N, out_channels, *M)`, in each dimension
    `M = (L + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1`; an input of 3, 4 or 5 dimensions makes it
    Conv1d, Conv2d or Conv3d. See torch.nn.Conv2d.

    `padding=same` keeps `ceil(L / stride)`: for odd kernels `dilation * (kernel_size - 1) // 2` is written at any
    stride, where torch refuses the word; even kernels take torch's own `"same"`, which wants a stride of 1. Stricter
    than torch: no dimension may be empty.
    """

    module = "torch.nn.Conv{n}d"
    nullable = ("bias",)
    examples = (
        Example("3x32x32", "Conv(16, 3, padding=1)", "16x32x32"),
        Example("8x100", "Conv(32, 5, stride=2, dilation=3, groups=4, bias=false)", "32x44"),
        Example("3x32x32", "Conv(16, (1, 7), stride=2, padding=same, padding_mode=reflect)", "16x16x16"),
        Example("1x8x16x16", "Conv(4, 2, padding=same)", "4x8x16x16"),
    )

    out_channels = Int(min=1, doc="channels of the output: the number of kernels")
    kernel_size = Size(min=1, doc="size of the kernel in each dimension")
    stride = Size(1, min=1, doc="step of the kernel")
    padding = Size(0, min=0, words=("same", "valid"), doc="what is added on both sides; `valid` adds nothing")
    dilation = Size(1, min=1, doc="distance between the elements of the kernel")
    groups = Int(1, min=1, doc="parts that see separate channels; as many as input channels is depthwise")
    bias = Bool(True, doc="adds a learned number for each output channel")
    padding_mode = Word("zeros", "reflect", "replicate", "circular", default="zeros", doc="what the padding holds")

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"in_channels": fixed(input.shape[1], "in_channels")}

    def arguments(self, input: Value) -> dict[str, Any]:
        values = super().arguments(input)
        if self.padding == "same" and not self._uneven(input.rank - 2):
            pads = self._pads(input.rank - 2)
            plain = not isinstance(values["kernel_size"], tuple) and not isinstance(values["dilation"], tuple)
            values["padding"] = pads[0][0] if plain else tuple(left for left, _ in pads)
        return values

    def verbatim(self, input: Value) -> dict[str, Any]:
        strides = per_axis(self.stride, input.rank - 2, "stride")
        return {"padding": self.padding} if self.padding == "same" and all(s == 1 for s in strides) else {}

    def infer(self, input: Value) -> Value:
        check_groups(self.groups, fixed(input.shape[1], "in_channels"), self.out_channels)
        n = input.rank - 2
        pads = self._pads(n)
        self._check_mode(input, pads)
        stride = per_axis(self.stride, n, "stride")
        if self.padding == "same":
            return spatial(input, self.out_channels, self._same_sizes(input, stride))
        kernel, dilation = per_axis(self.kernel_size, n, "kernel_size"), per_axis(self.dilation, n, "dilation")
        return windows(input, kernel, stride, [left for left, _ in pads], dilation).with_dim(1, self.out_channels)

    def remark(self, input: Value) -> Reject | None:
        """Warns of pixels in no patch, and where PyTorch's `Conv2d(in_channels, out_channels, kernel_size)` is read
        as something else."""
        kernel, stride = self.kernel_size, self.stride
        if (left_out := self._left_out(input)) is not None:
            return left_out
        if input.rank < 4 or self.groups != 1 or isinstance(kernel, tuple) or isinstance(stride, tuple):
            return None
        if self.out_channels != input.shape[1] or kernel < 8 or stride >= kernel:
            return None
        return Reject(
            f"has a kernel of {kernel} and as many channels behind it as before, {self.out_channels}",
            help=f"the number of input channels is not written: `Conv({kernel}, {stride})`",
        )

    def _left_out(self, input: Value) -> Reject | None:
        """What patches side by side do not reach: every other pixel is read once, and these never."""
        n = input.rank - 2
        steps = zip(*(per_axis(v, n, "") for v in (self.kernel_size, self.stride, self.dilation)), strict=True)
        for axis, (kernel, stride, dilation) in enumerate(steps):
            size = input.shape[axis + 2]
            side_by_side = kernel == stride and dilation == 1 and self.padding in (0, "valid")
            if side_by_side and isinstance(size, int) and (rest := size % stride):
                reason = f"never reads the last {rest} of {size} in {axis_name(input, axis)}"
                return Reject(reason, help=f"patches of {kernel} divide {size - rest} and {size - rest + kernel}")
        return None

    def state(self, input: Value) -> dict[str, State]:
        in_channels = fixed(input.shape[1], "in_channels")
        kernel = per_axis(self.kernel_size, input.rank - 2, "kernel_size")
        weight = State((self.out_channels, in_channels // self.groups, *kernel))
        return {"weight": weight, "bias": State((self.out_channels,))} if self.bias else {"weight": weight}

    def multiply_adds(self, input: Value) -> Dim:
        inputs = input.shape[1] // self.groups
        return product((*self.infer(input).shape, inputs, *per_axis(self.kernel_size, input.rank - 2, "kernel_size")))

    def _uneven(self, n: int) -> bool:
        """Whether `same` is torch's, which pads the right side more."""
        return any(fixed(size, "kernel_size") % 2 == 0 for size in per_axis(self.kernel_size, n, "kernel_size"))

    def _pads(self, n: int) -> list[tuple[Dim, Dim]]:
        """What is added left and right of each dimension."""
        if self.padding == "same":
            kernel, dilation = per_axis(self.kernel_size, n, "kernel_size"), per_axis(self.dilation, n, "dilation")
            return [_same_pads(k, d) for k, d in zip(kernel, dilation, strict=True)]
        padding = 0 if self.padding == "valid" else self.padding
        return [(pad, pad) for pad in per_axis(padding, n, "padding")]

    def _same_sizes(self, input: Value, strides: tuple[Dim, ...]) -> list[Dim]:
        uneven = self._uneven(input.rank - 2)
        for stride in strides:
            if uneven and fixed(stride, "stride") != 1:
                raise Reject(
                    f"cannot pad an even kernel to the same size at stride {show_dim(stride)}",
                    field="padding",
                    help="take an odd kernel, or give the padding as a number",
                )
        return [window(size, 1, stride) for size, stride in zip(input.shape[2:], strides, strict=True)]

    def _check_mode(self, input: Value, pads: list[tuple[Dim, Dim]]) -> None:
        """Reflection repeats no edge and a circle goes round once, so the input limits the padding."""
        if self.padding_mode not in ("reflect", "circular"):
            return
        edge = 1 if self.padding_mode == "reflect" else 0
        for axis, (size, (_, pad)) in enumerate(zip(input.shape[2:], pads, strict=True)):
            if not at_least(size, pad + edge):
                most = show_dim(size - edge)
                raise Reject(
                    f"with padding_mode={self.padding_mode} pads {axis_name(input, axis)} by at most {most}, its size"
                    f" being {show_dim(size)}, not by {show_dim(pad)}",
                    field="padding",
                    help="pad less, or with padding_mode=replicate",
                )


def _same_pads(kernel: int, dilation: Dim) -> tuple[Dim, Dim]:
    """Left and right of one dimension. Halving an odd kernel itself gives what a person writes: `kernel_size // 2`."""
    if kernel % 2:
        pad = dilation * (kernel // 2)
        return pad, pad
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2


class ConvTranspose(Spatial):
    """Spreads each input position over the output by learned kernels: the gradient of a convolution.

    `(N, in_channels, *L)` becomes `(N, out_channels, *M)`, in each dimension
    `M = (L - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1`; an input of 3, 4 or 5
    dimensions makes it ConvTranspose1d, 2d or 3d. See torch.nn.ConvTranspose2d. An empty output is refused, as torch
    does on most devices.
    """

    module = "torch.nn.ConvTranspose{n}d"
    nullable = ("bias",)
    examples = (
        Example("64x8x8", "ConvTranspose(32, 2, stride=2)", "32x16x16"),
        Example("16x7x7", "ConvTranspose(8, 3, stride=2, padding=1, output_padding=1, groups=4)", "8x14x14"),
        Example("4x10", "ConvTranspose(4, 3, dilation=2, bias=false)", "4x14"),
    )

    out_channels = Int(min=1, doc="channels of the output")
    kernel_size = Size(min=1, doc="size of the kernel in each dimension")
    stride = Size(1, min=1, doc="distance in the output between neighbours of the input")
    padding = Size(0, min=0, doc="what is cut from both sides of the output")
    output_padding = Size(0, min=0, doc="what is added at the end of each dimension; less than stride or dilation")
    groups = Int(1, min=1, doc="parts that see separate channels")
    bias = Bool(True, doc="adds a learned number for each output channel")
    dilation = Size(1, min=1, doc="distance between the elements of the kernel")
    padding_mode = Word("zeros", default="zeros", doc="torch knows zeros only")

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"in_channels": fixed(input.shape[1], "in_channels")}

    def infer(self, input: Value) -> Value:
        check_groups(self.groups, fixed(input.shape[1], "in_channels"), self.out_channels)
        n = input.rank - 2
        numbers = [per_axis(getattr(self, name), n, name)
                   for name in ("stride", "padding", "dilation", "kernel_size", "output_padding")]  # fmt: skip
        sizes = [self._size(input, axis, *entries) for axis, entries in enumerate(zip(*numbers, strict=True))]
        return spatial(input, self.out_channels, sizes)

    def state(self, input: Value) -> dict[str, State]:
        in_channels = fixed(input.shape[1], "in_channels")
        kernel = per_axis(self.kernel_size, input.rank - 2, "kernel_size")
        weight = State((in_channels, self.out_channels // self.groups, *kernel))
        return {"weight": weight, "bias": State((self.out_channels,))} if self.bias else {"weight": weight}

    def multiply_adds(self, input: Value) -> Dim:
        outputs = self.out_channels // self.groups
        return product((*input.shape, outputs, *per_axis(self.kernel_size, input.rank - 2, "kernel_size")))

    def _size(self, input: Value, axis: int, s: Dim, p: Dim, d: Dim, k: Dim, extra: Dim) -> Dim:
        if not at_least(s, extra + 1) and not at_least(d, extra + 1):
            raise Reject(
                f"output_padding={show_dim(extra)} must be less than the stride, {show_dim(s)}, or the dilation,"
                f" {show_dim(d)}",
                field="output_padding",
            )
        size = input.shape[axis + 2]
        out = settled((size - 1) * s - 2 * p + d * (k - 1) + extra + 1)
        if not at_least(out, 1):
            raise Reject(
                f"leaves nothing of {axis_name(input, axis)}: ({show_dim(size)} - 1)*{show_dim(s)} - 2*{show_dim(p)}"
                f" + {show_dim(d)}*({show_dim(k)}-1) + {show_dim(extra)} + 1 = {show_dim(out)}",
                field="padding",
                help="here padding cuts the output on both sides; take less of it",
            )
        return out
