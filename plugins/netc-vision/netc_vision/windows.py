"""Attention inside windows that are shifted from block to block: Swin and Video Swin Transformers."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

from netc.layer import Bool, Example, Float, Int, Ints, Layer, Reject, State, Value, fixed, per_axis
from netc.shapes import show_dim, show_shape

IMPORTS = (
    "import math",
    "from collections.abc import Sequence",
    "import torch",
    "import torch.nn.functional as F",
    "from torch import Tensor",
    "from torch import nn",
)

TO_WINDOWS = '''
def to_windows(input: Tensor, window: Sequence[int]) -> Tensor:
    """Cuts (N, *sizes, C) into windows: (N * windows, positions, C)."""
    n = len(window)
    pairs = zip(input.shape[1:-1], window, strict=True)
    cut = [part for s, w in pairs for part in (s // w, w)]
    order = [0, *range(1, 2 * n, 2), *range(2, 2 * n + 1, 2), 2 * n + 1]
    windows = input.reshape(input.shape[0], *cut, input.shape[-1]).permute(order)
    return windows.flatten(0, n).flatten(1, n)
'''

FROM_WINDOWS = '''
def from_windows(input: Tensor, window: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """Puts windows together again: (N * windows, positions, C) to (N, *sizes, C)."""
    n = len(window)
    counts = [s // w for s, w in zip(sizes, window, strict=True)]
    order = [0, *(axis for i in range(1, n + 1) for axis in (i, i + n)), 2 * n + 1]
    windows = input.reshape(-1, *counts, *window, input.shape[-1]).permute(order)
    return windows.reshape(windows.shape[0], *sizes, input.shape[-1])
'''

SHIFT_MASK = '''
def shift_mask(
    input: Tensor, window: Sequence[int], shift: Sequence[int], sizes: Sequence[int]
) -> Tensor:
    """-100 for two positions of a window that are neighbours only since the roll."""
    regions = input.new_zeros(sizes)
    for axis, (size, width, by) in enumerate(zip(sizes, window, shift, strict=True)):
        if by > 0:
            line = input.new_zeros(size)
            line[size - width :] = 1
            line[size - by :] = 2
            regions = 3 * regions + line.reshape(-1, *[1] * (len(sizes) - axis - 1))
    region = to_windows(regions[None, ..., None], window).squeeze(2)
    apart = region.unsqueeze(1) != region.unsqueeze(2)
    return torch.zeros_like(apart, dtype=input.dtype).masked_fill(apart, -100.0)
'''

ATTENTION = '''
class ShiftedWindowAttention(nn.Module):
    """Attends inside each window of a picture, whose windows are shifted cyclically.

    Each pair of positions in a window has a learned bias for where they stand to each
    other. (N, H, W, C) to the same.
    """

    relative_position_index: Tensor

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
        pairs = zip(window_size, shift_size, strict=True)
        if any(shift >= size for size, shift in pairs):
            raise ValueError(f"cannot shift {window_size} by {shift_size}")
        self.window_size = tuple(window_size)
        self.shift_size = tuple(shift_size)
        self.num_heads = num_heads
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.make_bias()
        self.register_buffer("relative_position_index", self.make_index())

    def make_bias(self) -> None:
        """Makes a row of biases for each way in which two positions can stand."""
        rows = math.prod(2 * size - 1 for size in self.window_size)
        table = torch.zeros(rows, self.num_heads)
        self.relative_position_bias_table = nn.Parameter(table)
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def make_index(self) -> Tensor:
        """Numbers how two positions of a window stand to each other."""
        axes = [torch.arange(size) for size in self.window_size]
        places = torch.stack(torch.meshgrid(axes, indexing="ij")).flatten(1)
        apart = places[:, :, None] - places[:, None, :]
        index = torch.zeros_like(apart[0])
        for size, steps in zip(self.window_size, apart, strict=True):
            index = index * (2 * size - 1) + steps + size - 1
        return index.flatten()

    def by_pair(self, table: Tensor, window: Sequence[int]) -> Tensor:
        """The row of a table for each pair: (1, heads, positions, positions)."""
        every, count = math.prod(self.window_size), math.prod(window)
        index = self.relative_position_index.view(every, every)[:count, :count]
        rows = table[index.flatten()].view(count, count, -1)
        return rows.permute(2, 0, 1).contiguous().unsqueeze(0)

    def bias(self, window: Sequence[int]) -> Tensor:
        """What is added for each pair of positions of a window."""
        return self.by_pair(self.relative_position_bias_table, window)

    def similarity(self, query: Tensor, key: Tensor) -> Tensor:
        """How much each position attends to each other one, before softmax."""
        return (query * query.shape[-1] ** -0.5).matmul(key.transpose(-2, -1))

    def project(self, windows: Tensor) -> Tensor:
        """Queries, keys and values side by side."""
        return self.qkv(windows)

    def attend(
        self, input: Tensor, window: Sequence[int], shift: Sequence[int]
    ) -> Tensor:
        """Pads to whole windows, rolls by the shift, attends in each, and undoes it."""
        sizes = input.shape[1:-1]
        missing = [-s % w for s, w in zip(sizes, window, strict=True)]
        x = F.pad(input, [0, 0, *(p for m in reversed(missing) for p in (0, m))])
        padded = x.shape[1:-1]
        axes = list(range(1, x.ndim - 1))
        if any(shift):
            x = torch.roll(x, [-by for by in shift], axes)
        windows = to_windows(x, window)
        count, positions, dim = windows.shape
        split = (count, positions, 3, self.num_heads, dim // self.num_heads)
        query, key, value = self.project(windows).reshape(split).permute(2, 0, 3, 1, 4)
        attention = self.similarity(query, key) + self.bias(window)
        if any(shift):
            mask = shift_mask(x, window, shift, padded)
            by_picture = attention.unflatten(0, (-1, mask.shape[0])) + mask.unsqueeze(1)
            attention = by_picture.flatten(0, 1)
        attention = F.softmax(attention, dim=-1)
        attention = F.dropout(attention, self.attention_dropout, self.training)
        x = attention.matmul(value).transpose(1, 2).reshape(count, positions, dim)
        x = F.dropout(self.proj(x), self.dropout, self.training)
        x = from_windows(x, window, padded)
        if any(shift):
            x = torch.roll(x, list(shift), axes)
        for axis, size in enumerate(sizes):
            x = x.narrow(axis + 1, 0, size)
        return x.contiguous()

    def forward(self, input: Tensor) -> Tensor:
        window = self.window_size
        wide = [s > w for s, w in zip(input.shape[1:-1], window, strict=True)]
        pairs = zip(self.shift_size, wide, strict=True)
        shift = [by if more else 0 for by, more in pairs]
        return self.attend(input, window, shift)
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

    def bias(self, window: Sequence[int]) -> Tensor:
        """What is added for each pair of positions of a window."""
        table = self.cpb_mlp(self.relative_coords_table).view(-1, self.num_heads)
        return 16 * torch.sigmoid(self.by_pair(table, window))

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

    def make_index(self) -> Tensor:
        """Numbers how two positions of a window stand to each other."""
        return super().make_index().view(math.prod(self.window_size), -1)

    def forward(self, input: Tensor) -> Tensor:
        sizes = input.shape[1:-1]
        window = [min(w, s) for w, s in zip(self.window_size, sizes, strict=True)]
        wide = [s > w for s, w in zip(sizes, window, strict=True)]
        pairs = zip(self.shift_size, wide, strict=True)
        shift = [by if more else 0 for by, more in pairs]
        return self.attend(input, window, shift)
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
    helpers = (TO_WINDOWS, FROM_WINDOWS, SHIFT_MASK)
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
    helpers = (TO_WINDOWS, FROM_WINDOWS, SHIFT_MASK, ATTENTION)
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
    helpers = (TO_WINDOWS, FROM_WINDOWS, SHIFT_MASK, ATTENTION)
    source = ATTENTION_3D
    examples = (
        Example("8x14x14x32", "ShiftedWindowAttention3d((8, 7, 7), (4, 3, 3), 2)", "8x14x14x32"),
        Example("3x5x6x8", "ShiftedWindowAttention3d(4, 0, 2)", "3x5x6x8"),
    )

    def state(self, input: Value) -> dict[str, State]:
        count, _ = self.positions(input)
        return super().state(input) | {"relative_position_index": State((count, count), "buffer", "int")}
