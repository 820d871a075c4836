"""What slides over space: which inputs it takes, and the one formula by which a window shrinks a dimension."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from netc.layer import Layer, Reject
from netc.shapes import Value, at_least, divisible, minimum, nearest_divisors, show_dim, show_shape
from netc.terms import Dim, Term

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class Spatial(Layer):
    """A layer over the dimensions that follow the channels; the channels stand in dimension 1."""

    ranks: ClassVar[tuple[int, ...]] = (3, 4, 5)
    elsewhere = {
        "filters": "out_channels",
        "num_output": "out_channels",
        "kernel": "kernel_size",
        "ksize": "kernel_size",
        "pool_size": "kernel_size",
        "strides": "stride",
        "pad": "padding",
        "dilation_rate": "dilation",
        "group": "groups",
        "use_bias": "bias",
        "bias_term": "bias",
        "epsilon": "eps",
    }

    def admit(self, *inputs: Value) -> None:
        """Refuses ranks, channel axes and kinds that the layer does not take."""
        for name, value in zip(self.input_names(len(inputs)), inputs, strict=False):
            admit_ranks(value, self.ranks, name)
            admit_channels(value, name)
        super().admit(*inputs)

    def given(self) -> dict[str, Any]:
        """The arguments; `(3,)` is written as the `3` that it means in every dimension."""
        return {name: _unwrapped(value) for name, value in super().given().items()}


def admit_ranks(value: Value, ranks: Sequence[int], name: str = "input") -> None:
    """Refuses a value without the spatial dimensions that a layer works on."""
    if value.rank in ranks:
        return
    *most, last = ranks
    wanted = f"{', '.join(f'{rank}-' for rank in most)} or {last}" if most else f"{last}"
    axes = f"{ranks[0] - 2} to {last - 2} spatial dimensions" if ranks[0] > 2 else f"up to {last - 2} spatial ones"
    few = value.rank < ranks[0]
    raise Reject(
        f"expects a {wanted}-dimensional input (batch, channels and {axes}), not {show_shape(value.shape)}",
        input=name,
        help="place it before the layer that drops the spatial dimensions (flatten, mean), or bring them back with"
        " reshape" if few else "flatten or reshape the surplus dimensions away",
    )  # fmt: skip


def admit_channels(value: Value, name: str = "input") -> None:
    """Refuses a value whose channels are known to stand elsewhere than in dimension 1."""
    if value.channel in (1, None):
        return
    order = [0, value.channel, *value.spatial]
    raise Reject(
        f"expects the channels in dimension 1, but they are dimension {value.channel} of {show_shape(value.shape)}",
        input=name,
        help=f"move them first: permute({', '.join(str(axis) for axis in order)})",
    )


def check_groups(groups: int, in_channels: int, out_channels: int) -> None:
    """Refuses `groups` that do not split the channels on both sides evenly."""
    for size, side in ((in_channels, "in_channels"), (out_channels, "out_channels")):
        if not divisible(size, groups):
            raise Reject(
                f"{side}={show_dim(size)} is not divisible by groups={show_dim(groups)}",
                field="groups",
                help=dividing_groups(groups, (in_channels, out_channels)),
            )


def dividing_groups(groups: Dim, sides: tuple[Dim, Dim]) -> str:
    """What to write instead of groups that do not divide both sides."""
    fits = nearest_divisors(groups, sides)
    return "only `groups=1` divides both sides" if fits == "1" else f"groups that divide both sides: {fits}"


def nearest_multiples(size: Dim, by: Dim) -> str | None:
    """The sizes next to one that a factor does not divide: `sizes that fit: 28 or 32`."""
    if isinstance(size, Term) or isinstance(by, Term):
        return None
    below = int(size) // int(by) * int(by)
    return f"sizes that fit: {' or '.join(str(fits) for fits in (below, below + int(by)) if fits)}"


def window(size: Dim, kernel: Dim, stride: Dim = 1, padding: Dim = 0, dilation: Dim = 1, ceil: bool = False) -> Dim:
    """How often a window fits: `(size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1`.

    Rounded up with `ceil`, but no window may start in the padding on the right (the note under torch.nn.MaxPool2d).
    """
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil:
        return settled(span // stride + 1)
    return settled(minimum(span + stride - 1, size + padding - 1) // stride + 1)


def windows(input: Value, kernel: Sequence[Dim], stride: Sequence[Dim], padding: Sequence[Dim],
            dilation: Sequence[Dim], ceil: bool = False) -> Value:
    """The value after a window slid over each spatial dimension; the channels keep their number."""
    sizes = []
    for axis, (size, k, s, p, d) in enumerate(zip(input.shape[2:], kernel, stride, padding, dilation, strict=True)):
        out = window(size, k, s, p, d, ceil)
        if not at_least(out, 1):
            span = f"({show_dim(size)} + 2*{show_dim(p)} - {show_dim(d)}*({show_dim(k)}-1) - 1)"
            formula = f"ceil({span} / {show_dim(s)}) + 1" if ceil else f"{span} // {show_dim(s)} + 1"
            raise Reject(
                f"leaves nothing of {axis_name(input, axis)}: {formula} = {show_dim(out)}",
                field="kernel_size",
                help=f"here the kernel can span at most {show_dim(size + 2 * p)}",
            )
        sizes.append(out)
    return spatial(input, input.shape[1], sizes)


def spatial(input: Value, channels: Dim, sizes: Iterable[Dim]) -> Value:
    """The batch of a value, then channels, then sizes."""
    return Value((input.shape[0], channels, *sizes), input.kind, 1)


def axis_name(input: Value, axis: int) -> str:
    """`dimension 2 (height)`."""
    return f"dimension {axis + 2} ({AXES[input.rank - 2][axis]})"


def settled(size: Dim) -> Dim:
    """An int where the arithmetic on sizes that only a run decides came to a number."""
    if isinstance(size, Term) and size.constant is not None:
        return size.constant
    return size


def _unwrapped(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and len(value) == 1 and value[0] is not None else value
