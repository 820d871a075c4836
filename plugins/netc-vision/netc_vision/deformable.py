"""Convolution whose kernel points are moved, at each place, by offsets that the network computes."""

from __future__ import annotations

from math import prod
from typing import Any

from netc.layer import Bool, Example, Int, Layer, Reject, Size, State, Value, fixed, per_axis
from netc.shapes import at_least, divisible, product, same, show_dim, show_shape
from netc.terms import Dim


class DeformConv2d(Layer):
    """Convolves with kernel points that are moved by `offset`, and weighed by `mask` if it is given.

    `input` (N, C, H, W), `offset` (N, 2 * G * kernel points, H', W') and `mask` (N, G * kernel points, H', W') to
    (N, out_channels, H', W'), where H' and W' are those of a convolution and G divides the channels into groups that
    move alike. Of each kernel point the offset has y before x; between pixels, values are interpolated. The same
    parameters as torchvision.ops.DeformConv2d, and its results but for rounding; Dai et al., "Deformable Convolutional
    Networks" (2017), Zhu et al., "Deformable ConvNets v2" (2019).
    """

    module = "own:DeformConv2d"
    nullable = ("bias",)
    inputs = ("input", "offset", "mask?")
    ranks = (4,)
    positional = 3
    imports = (
        "import math",
        "import torch",
        "from torch import Tensor",
        "from torch import nn",
    )
    helpers = (
        '''
def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """One number for both dimensions, or one for each."""
    return size if isinstance(size, tuple) else (size, size)
''',
        '''
def sample(input: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Bilinear values of (N, C, H, W) at places (N, *), zero outside: (N, C, *)."""
    height, width = input.shape[2:]
    flat = input.flatten(2)
    top, left = y.floor(), x.floor()
    result = input.new_zeros(())
    for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, along in ((left, 1 - (x - left)), (left + 1, x - left)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = (row * width + column).masked_fill(~inside, 0).long()
            places = index.flatten(1).unsqueeze(1).expand(-1, flat.shape[1], -1)
            values = flat.gather(2, places).unflatten(2, y.shape[1:])
            result = result + values * (down * along * inside).unsqueeze(1)
    return result
''',
    )
    source = '''
class DeformConv2d(nn.Module):
    """Convolves with kernel points that offsets move: (N, C, H, W) to (N, out, H', W').

    Offsets are (N, 2 * groups * points, H', W'), y before x, a mask half of that.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{groups} groups divide the channels")
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.padding = pair(padding)
        self.dilation = pair(dilation)
        self.groups = groups
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(shape[1:]))
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(
        self, input: Tensor, offset: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        sizes = [self.size(axis, input.shape[2 + axis]) for axis in range(2)]
        if list(offset.shape[2:]) != sizes or min(sizes) < 1:
            raise ValueError(f"offsets are for {tuple(sizes)}, not {offset.shape[2:]}")
        points = math.prod(self.kernel_size)
        moved = offset.unflatten(1, (-1, points, 2))
        y, x = (self.grid(axis, moved) + moved[:, :, :, axis] for axis in range(2))
        apart = input.unflatten(1, (moved.shape[1], -1)).flatten(0, 1)
        values = sample(apart, y.flatten(0, 1), x.flatten(0, 1))
        if mask is not None:
            weights = mask.unflatten(1, (-1, points)).flatten(0, 1)
            values = values * weights.unsqueeze(1)
        columns = values.reshape(len(input), self.groups, -1, math.prod(sizes))
        weight = self.weight.reshape(self.groups, -1, columns.shape[2])
        output = (weight @ columns).reshape(len(input), -1, *sizes)
        return output if self.bias is None else output + self.bias[:, None, None]

    def size(self, axis: int, size: int) -> int:
        """How many places there are along an axis."""
        span = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
        return (size + 2 * self.padding[axis] - span) // self.stride[axis] + 1

    def grid(self, axis: int, moved: Tensor) -> Tensor:
        """Where the kernel points stand along an axis: (points, H', W')."""
        point = torch.arange(self.kernel_size[axis]).to(moved)
        place = torch.arange(moved.shape[4 + axis]).to(moved)
        starts = place * self.stride[axis] - self.padding[axis]
        along = point[:, None] * self.dilation[axis] + starts
        rows, columns = self.kernel_size
        if axis == 0:
            return along[:, None, :, None].expand(-1, columns, -1, 1).flatten(0, 1)
        return along[None, :, None, :].expand(rows, -1, 1, -1).flatten(0, 1)
'''
    examples = (
        Example("8x9x9, 18x9x9", "DeformConv2d(16, 3, padding=1)", "16x9x9"),
        Example("8x9x9, 18x7x7, 9x7x7", "DeformConv2d(4, 3, groups=2, bias=false)", "4x7x7"),
        Example("6x9x8, 24x4x3, 12x4x3", "DeformConv2d(6, (3, 2), stride=2, dilation=(1, 2))", "6x4x3"),
    )

    out_channels = Int(min=1, doc="channels of the output")
    kernel_size = Size(min=1, doc="size of the kernel")
    stride = Size(1, min=1, doc="step of the kernel")
    padding = Size(0, min=0, doc="zeros on each side")
    dilation = Size(1, min=1, doc="distance of the kernel's points before they are moved")
    groups = Int(1, min=1, doc="groups of channels that see only each other")
    bias = Bool(True, doc="adds a learned number to each channel")

    def inferred(self, input: Value, *others: Any) -> dict[str, Any]:
        return {"in_channels": fixed(input.shape[1], "in_channels")}

    def arguments(self, input: Value, *others: Any) -> dict[str, Any]:
        return {**self.inferred(input), **self.given()}

    def pairs(self) -> list[tuple[int, int, int, int]]:
        """Kernel size, stride, padding and dilation along height and width."""
        names = ("kernel_size", "stride", "padding", "dilation")
        kernel, stride, padding, dilation = (per_axis(getattr(self, name), 2, name) for name in names)
        return list(zip(kernel, stride, padding, dilation, strict=True))

    def infer(self, input: Value, offset: Value, mask: Value | None = None) -> Value:
        arguments = self.arguments(input)
        self.pairs()
        for name in ("in_channels", "out_channels"):
            if not divisible(arguments[name], self.groups):
                text = f"cannot split {show_dim(arguments[name])} channels into {show_dim(self.groups)} groups"
                raise Reject(text, field="groups")
        sizes = self.output_sizes(input)
        self._check_places("offset", offset, input, 2, sizes)
        if mask is not None:
            self._check_places("mask", mask, input, 1, sizes)
            if not same(2 * mask.shape[1], offset.shape[1]):
                text = f"expects half as many channels in the mask as in the offset, {show_dim(offset.shape[1])}"
                raise Reject(f"{text}, not {show_dim(mask.shape[1])}", input="mask")
        return Value((input.shape[0], self.out_channels, *sizes))

    def multiply_adds(self, input: Value, *others: Any) -> Dim:
        kernel = per_axis(self.kernel_size, 2, "kernel_size")
        inputs = input.shape[1] // self.groups
        return product((input.shape[0], self.out_channels, *self.output_sizes(input), inputs, *kernel))

    def output_sizes(self, input: Value) -> tuple[Dim, ...]:
        """Height and width as those of a convolution."""
        sizes: list[Dim] = []
        for size, (kernel, stride, padding, dilation) in zip(input.shape[2:], self.pairs(), strict=True):
            span = size + 2 * padding - dilation * (kernel - 1)
            if not at_least(span, 1):
                raise Reject(f"has a kernel larger than {show_shape(input.shape)}", field="kernel_size")
            sizes.append((span - 1) // stride + 1)
        return tuple(sizes)

    def _check_places(self, name: str, value: Value, input: Value, numbers: int, sizes: tuple[Dim, ...]) -> None:
        points = numbers * prod(per_axis(self.kernel_size, 2, "kernel_size"))
        channels = fixed(value.shape[1], f"the channels of {name}") if value.rank == 4 else 0
        parts = channels // points
        fits = value.rank == 4 and same(value.shape[0], input.shape[0])
        fits = fits and all(same(a, b) for a, b in zip(value.shape[2:], sizes, strict=True))
        if not fits or channels % points or not parts or input.shape[1] % parts:
            wanted = show_shape((input.shape[0], points, *sizes))
            text = f"expects `{name}` {wanted}, or some times as many channels, not {show_shape(value.shape)}"
            raise Reject(text, input=name)

    def state(self, input: Value, *others: Any) -> dict[str, State]:
        channels = self.inferred(input)["in_channels"] // self.groups
        weight = State((self.out_channels, channels, *per_axis(self.kernel_size, 2, "kernel_size")))
        return {"weight": weight, "bias": State((self.out_channels,))} if self.bias else {"weight": weight}
