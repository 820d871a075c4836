"""Attention inside windows that are shifted from block to block: Swin and Video Swin Transformers."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from netc.layer import Bool, Example, Float, Int, Ints, Layer, Reject, State, Value, fixed, per_axis
from netc.shapes import Shape, minimum, product, show_dim, show_shape
from netc.terms import Dim

IMPORTS = (
    "import math",
    "from collections.abc import Sequence",
    "import torch",
    "import torch.nn.functional as F",
    "from torch import Tensor",
    "from torch import nn",
    "from torch.fx import wrap",
)

ALONG = '''
def along(
    input: Tensor, window: Sequence[int], shift: Sequence[int], clips: bool
) -> list[tuple[int, int, int]]:
    """Size, window and shift along each axis of (N, *sizes, C).

    A window that is not smaller than the input is not shifted; `clips` cuts it down.
    """
    return [
        (s, min(w, s) if clips else w, by if s > w else 0)
        for s, w, by in zip(input.shape[1:-1], window, shift, strict=True)
    ]


wrap("along")  # torch.fx keeps it whole: what it does depends on sizes
'''

TO_WINDOWS = '''
def to_windows(input: Tensor, axes: list[tuple[int, int, int]]) -> Tensor:
    """Pads, rolls and cuts (N, *sizes, C) to windows: (N * windows, positions, C)."""
    n, shift = len(axes), [-by for _, _, by in axes]
    x = F.pad(input, [0, 0, *(p for s, w, _ in reversed(axes) for p in (0, -s % w))])
    if any(shift):
        x = torch.roll(x, shift, list(range(1, n + 1)))
    for axis, (_, width, _) in enumerate(axes):
        x = x.unflatten(2 * axis + 1, (-1, width))
    order = [0, *range(1, 2 * n, 2), *range(2, 2 * n + 1, 2), 2 * n + 1]
    return x.permute(order).flatten(0, n).flatten(1, n)


wrap("to_windows")
'''

FROM_WINDOWS = '''
def from_windows(windows: Tensor, axes: list[tuple[int, int, int]]) -> Tensor:
    """Undoes `to_windows`."""
    n, shift = len(axes), [by for _, _, by in axes]
    cut = [*(-(-s // w) for s, w, _ in axes), *(w for _, w, _ in axes)]
    order = [0, *(axis for i in range(1, n + 1) for axis in (i, i + n)), 2 * n + 1]
    x = windows.reshape(-1, *cut, windows.shape[-1]).permute(order)
    for axis in range(1, n + 1):
        x = x.flatten(axis, axis + 1)
    if any(shift):
        x = torch.roll(x, shift, list(range(1, n + 1)))
    for axis, (size, _, _) in enumerate(axes):
        x = x.narrow(axis + 1, 0, size)
    return x.contiguous()


wrap("from_windows")
'''

MASKED = '''
def masked(attention: Tensor, axes: list[tuple[int, int, int]]) -> Tensor:
    """Subtracts 100 between positions that are neighbours only since the roll."""
    if not any(by for _, _, by in axes):
        return attention
    regions = attention.new_zeros(())
    for size, width, by in axes:
        ends = torch.arange(-(-size // width) * width, 0, -1, device=attention.device)
        regions = 3 * regions.unsqueeze(-1) + (ends <= by) + (ends <= (by and width))
    still = [(-(-size // width) * width, width, 0) for size, width, _ in axes]
    region = to_windows(regions[None, ..., None], still).squeeze(2)
    apart = region.unsqueeze(1) != region.unsqueeze(2)
    mask = torch.zeros_like(apart, dtype=region.dtype).masked_fill(apart, -100.0)
    by_picture = attention.unflatten(0, (-1, mask.shape[0])) + mask.unsqueeze(1)
    return by_picture.flatten(0, 1)


wrap("masked")
'''

BY_PAIR = '''
def by_pair(table: Tensor, index: Tensor, count: int) -> Tensor:
    """The row of a table for each pair of positions: (1, heads, count, count)."""
    every = math.isqrt(index.numel())
    rows = table[index.view(every, every)[:count, :count].flatten()]
    return rows.view(count, count, -1).permute(2, 0, 1).contiguous().unsqueeze(0)


wrap("by_pair")
'''

HELPERS = (ALONG, TO_WINDOWS, FROM_WINDOWS, MASKED, BY_PAIR)

ATTENTION = '''
class ShiftedWindowAttention(nn.Module):
    """Attends inside each window of a picture, whose windows are shifted cyclically.

    Each pair of positions in a window has a learned bias for where they stand to each
    other. (N, H, W, C) to the same.
    """

    relative_position_index: Tensor
    clips = False  # cuts windows down to a smaller input, instead of padding that

    def __init__(
        self,
        dim: int,
        window_size: Sequence[int],
        shift_size: Sequence[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if any(s >= w for w, s in zip(window_size, shift_size, strict=True)):
            raise ValueError(f"cannot shift {window_size} by {shift_size}")
        self.window_size = tuple(window_size)
        self.shift_size = tuple(shift_size)
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.make_bias()
        index = self.make_index()
        self.register_buffer(
            "relative_position_index", index if self.clips else index.flatten()
        )

    def make_bias(self) -> None:
        """Makes a row of biases for each way in which two positions can stand."""
        rows = math.prod(2 * size - 1 for size in self.window_size)
        self.relative_position_bias_table = nn.Parameter(
            nn.init.trunc_normal_(torch.empty(rows, self.num_heads), std=0.02)
        )

    def make_index(self) -> Tensor:
        """Numbers how two positions of a window stand to each other."""
        places = torch.cartesian_prod(*map(torch.arange, self.window_size))
        apart, index = places[:, None] - places, torch.tensor(0)
        for axis, size in enumerate(self.window_size):
            index = index * (2 * size - 1) + apart[..., axis] + size - 1
        return index

    def bias(self, count: int) -> Tensor:
        """What is added for each pair of positions of a window."""
        return by_pair(
            self.relative_position_bias_table, self.relative_position_index, count
        )

    def similarity(self, query: Tensor, key: Tensor) -> Tensor:
        """How much each position attends to each other one, before softmax."""
        return (query * query.shape[-1] ** -0.5).matmul(key.transpose(-2, -1))

    def project(self, windows: Tensor) -> Tensor:
        """Queries, keys and values side by side."""
        return self.qkv(windows)

    def forward(self, input: Tensor) -> Tensor:
        axes = along(input, self.window_size, self.shift_size, self.clips)
        windows = to_windows(input, axes)
        count, positions, dim = windows.shape
        split = (count, positions, 3, self.num_heads, dim // self.num_heads)
        query, key, value = self.project(windows).reshape(split).permute(2, 0, 3, 1, 4)
        attention = self.similarity(query, key) + self.bias(positions)
        attention = F.softmax(masked(attention, axes), dim=-1)
        attention = F.dropout(attention, self.attention_dropout, self.training)
        x = attention.matmul(value).transpose(1, 2).reshape(count, positions, dim)
        return from_windows(F.dropout(self.proj(x), self.dropout, self.training), axes)
'''

ATTENTION_V2 = '''
class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """Attends by the angle between queries and keys, with biases from a small network.

    (N, H, W, C) to the same, as in Swin Transformer V2.
    """

    relative_coords_table: Tensor

    def __init__(
        self,
        dim: int,
        window_size: Sequence[int],
        shift_size: Sequence[int],
        num_heads: int,
        qkv_bias: bool = True,
        proj_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            dim,
            window_size,
            shift_size,
            num_heads,
            qkv_bias,
            proj_bias,
            attention_dropout,
            dropout,
        )
        self.logit_scale = nn.Parameter(torch.log(10 * torch.ones(num_heads, 1, 1)))
        self.cpb_mlp = nn.Sequential(
            nn.Linear(len(window_size), 512),
            nn.ReLU(inplace=True),
            nn.Linear(512, num_heads, bias=False),
        )
        if qkv_bias:
            nn.init.zeros_(self.qkv.bias[dim : 2 * dim])

    def make_bias(self) -> None:
        """Makes the logarithms of the distances, from which the network computes."""
        axes = [torch.arange(1.0 - size, size) for size in self.window_size]
        steps = torch.stack(torch.meshgrid(axes, indexing="ij"), -1).unsqueeze(0)
        steps = steps / (torch.tensor(self.window_size) - 1).clamp(min=1) * 8
        table = torch.sign(steps) * torch.log2(torch.abs(steps) + 1.0) / 3.0
        self.register_buffer("relative_coords_table", table)

    def bias(self, count: int) -> Tensor:
        """What is added for each pair of positions of a window."""
        table = self.cpb_mlp(self.relative_coords_table).view(-1, self.num_heads)
        return 16 * torch.sigmoid(by_pair(table, self.relative_position_index, count))

    def similarity(self, query: Tensor, key: Tensor) -> Tensor:
        """How much each position attends to each other one: a scaled cosine."""
        cosine = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(-2, -1)
        return cosine * torch.clamp(self.logit_scale, max=math.log(100.0)).exp()

    def project(self, windows: Tensor) -> Tensor:
        """Queries, keys and values side by side; the keys have no bias."""
        if self.qkv.bias is None:
            return self.qkv(windows)
        query, key, value = self.qkv.bias.chunk(3)
        bias = torch.cat([query, torch.zeros_like(key), value])
        return F.linear(windows, self.qkv.weight, bias)
'''

ATTENTION_3D = '''
class ShiftedWindowAttention3d(ShiftedWindowAttention):
    """Attends inside each window of a video; a window is never larger than the video.

    (N, T, H, W, C) to the same, as in Video Swin Transformer.
    """

    clips = True
'''


class WindowAttention(Layer):
    """What the attentions have in common: their arguments, which positions they need, and the state."""

    dimensionality: ClassVar[int]

    window_size = Ints(min=1, doc="positions of a window along each dimension")
    shift_size = Ints(min=0, doc="by how many positions the windows are shifted, less than a window")
    num_heads = Int(min=1, doc="number of heads, which share the features")
    qkv_bias = Bool(True, doc="adds a learned vector to queries, keys and values")
    proj_bias = Bool(True, doc="adds a learned vector to the output")
    attention_dropout = Float(0.0, min=0.0, max=1.0, doc="probability with which a weight is left out in training")
    dropout = Float(0.0, min=0.0, max=1.0, doc="probability with which an output is left out in training")

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"dim": fixed(input.shape[-1], "dim")}

    def arguments(self, input: Value) -> dict[str, Any]:
        window = per_axis(self.window_size, self.dimensionality, "window_size")
        shift = per_axis(self.shift_size, self.dimensionality, "shift_size")
        return {**self.inferred(input), **self.given(), "window_size": window, "shift_size": shift}

    def remark(self, input: Value) -> Reject | None:
        """Features that are not where this layer takes them from."""
        last = input.rank - 1
        if input.channel in (None, last):
            return None
        order = ", ".join(map(str, (0, *range(2, last + 1), 1)))
        return Reject(f"takes dimension {last} for the features", help=f"move them there: `permute({order})`")

    def infer(self, input: Value) -> Value:
        arguments = self.arguments(input)
        dim, window, shift = arguments["dim"], arguments["window_size"], arguments["shift_size"]
        for size, by in zip(window, shift, strict=True):
            if by >= size:
                raise Reject(
                    f"cannot shift windows of {show_shape(window)} by {show_shape(shift)}",
                    field="shift_size",
                    help="the shift is less than the window; half of it is usual",
                )
        if dim % self.num_heads:
            text = f"cannot split {show_dim(dim)} features among {show_dim(self.num_heads)} heads"
            raise Reject(text, field="num_heads")
        return Value(input.shape, channel=input.rank - 1)

    def multiply_adds(self, input: Value) -> Dim:
        sizes = self.windows(input)
        padded = product(-(-size // width) * width for size, width in zip(input.shape[1:-1], sizes, strict=True))
        features = input.shape[-1]
        return input.shape[0] * padded * features * (4 * features + 2 * product(sizes))

    def windows(self, input: Value) -> Shape:
        """The sizes of a window, which this input may cut down."""
        sizes: Shape = self.arguments(input)["window_size"]
        return sizes

    def linears(self, input: Value) -> dict[str, State]:
        """The projections to queries, keys and values, and back."""
        dim = self.inferred(input)["dim"]
        state = {}
        for name, size, bias in (("qkv", 3 * dim, self.qkv_bias), ("proj", dim, self.proj_bias)):
            state[f"{name}.weight"] = State((size, dim))
            if bias:
                state[f"{name}.bias"] = State((size,))
        return state

    def positions(self, input: Value) -> tuple[int, tuple[int, ...]]:
        """How many positions a window has, and how far apart two can be along each dimension, either way."""
        window = self.arguments(input)["window_size"]
        return prod(window), tuple(2 * size - 1 for size in window)

    def state(self, input: Value) -> dict[str, State]:
        count, ways = self.positions(input)
        return {
            "relative_position_bias_table": State((prod(ways), self.num_heads)),
            "relative_position_index": State((count**2,), "buffer", "int"),
            **self.linears(input),
        }


class ShiftedWindowAttention(WindowAttention):
    """Self-attention inside windows of a picture, shifted by `shift_size`, with a bias for relative positions.

    (N, H, W, C) to the same; H and W need not be multiples of the window. `window_size` and `shift_size` are one number
    or two. The same parameters and results as torchvision's layer of this name; Liu et al., "Swin Transformer:
    Hierarchical Vision Transformer using Shifted Windows" (2021).
    """

    module = "own:ShiftedWindowAttention"
    ranks = (4,)
    dimensionality = 2
    imports = IMPORTS
    helpers = HELPERS
    source = ATTENTION
    examples = (
        Example("56x56x96", "ShiftedWindowAttention((7, 7), (3, 3), 3)", "56x56x96"),
        Example("9x10x16", "ShiftedWindowAttention(4, 0, 2, qkv_bias=false, dropout=0.1)", "9x10x16"),
        Example("3x12x8", "ShiftedWindowAttention((4, 6), (2, 0), 4, proj_bias=false)", "3x12x8"),
    )


class ShiftedWindowAttentionV2(WindowAttention):
    """Self-attention by cosine inside shifted windows, with biases that a small network makes of relative positions.

    (N, H, W, C) to the same; H and W need not be multiples of the window. `window_size` and `shift_size` are one number
    or two. The same parameters and results as torchvision's layer of this name; Liu et al., "Swin Transformer V2:
    Scaling Up Capacity and Resolution" (2022).
    """

    module = "own:ShiftedWindowAttentionV2"
    ranks = (4,)
    dimensionality = 2
    imports = IMPORTS
    helpers = (*HELPERS, ATTENTION)
    source = ATTENTION_V2
    examples = (
        Example("64x64x96", "ShiftedWindowAttentionV2((8, 8), (4, 4), 3)", "64x64x96"),
        Example("9x10x16", "ShiftedWindowAttentionV2(4, 0, 2, qkv_bias=false)", "9x10x16"),
    )

    def state(self, input: Value) -> dict[str, State]:
        count, ways = self.positions(input)
        return {
            "logit_scale": State((self.num_heads, 1, 1)),
            "relative_coords_table": State((1, *ways, len(ways)), "buffer"),
            "relative_position_index": State((count**2,), "buffer", "int"),
            **self.linears(input),
            "cpb_mlp.0.weight": State((512, len(ways))),
            "cpb_mlp.0.bias": State((512,)),
            "cpb_mlp.2.weight": State((self.num_heads, 512)),
        }

    def multiply_adds(self, input: Value) -> Dim:
        _, ways = self.positions(input)
        return super().multiply_adds(input) + product((*ways, 512, len(ways) + self.num_heads))


class ShiftedWindowAttention3d(WindowAttention):
    """Self-attention inside windows of a video, shifted by `shift_size`, with a bias for relative positions.

    (N, T, H, W, C) to the same; a window is cut down to the video where it is larger. `window_size` and `shift_size`
    are one number or three. The same parameters and results as torchvision's layer of this name; Liu et al., "Video
    Swin Transformer" (2022).
    """

    module = "own:ShiftedWindowAttention3d"
    ranks = (5,)
    dimensionality = 3
    imports = IMPORTS
    helpers = (*HELPERS, ATTENTION)
    source = ATTENTION_3D
    examples = (
        Example("8x14x14x32", "ShiftedWindowAttention3d((8, 7, 7), (4, 3, 3), 2)", "8x14x14x32"),
        Example("3x5x6x8", "ShiftedWindowAttention3d(4, 0, 2)", "3x5x6x8"),
    )

    def state(self, input: Value) -> dict[str, State]:
        count, _ = self.positions(input)
        return super().state(input) | {"relative_position_index": State((count, count), "buffer", "int")}

    def windows(self, input: Value) -> Shape:
        return tuple(minimum(*pair) for pair in zip(super().windows(input), input.shape[1:-1], strict=True))
