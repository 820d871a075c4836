"""Normalization: over the batch, over each example, over groups of channels and over neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netc.layer import Bool, Example, Float, Int, Ints, Layer, Reject, Shape, State, Value, fixed
from netc.shapes import at_least, divisible, nearest_divisors, product, same, show_dim, show_shape
from netc_std.window import Spatial, admit_channels


class BatchNorm(Spatial):
    """Normalizes each channel over the batch and space, then scales and shifts it.

    `(N, C)`, `(N, C, L)`, `(N, C, H, W)` or `(N, C, D, H, W)` keeps its shape; 2 and 3 dimensions make it BatchNorm1d.
    See torch.nn.BatchNorm2d and Ioffe and Szegedy, "Batch Normalization" (2015). Training needs more than one value
    for each channel, which depends on the batch and is not checked. Stricter than torch: `eps=0`, which torch takes in
    eval mode only, is refused.
    """

    module = "torch.nn.BatchNorm{n}d"
    ranks = (2, 3, 4, 5)
    free = True
    examples = (
        Example("64x56x56", "BatchNorm()", "64x56x56"),
        Example("100", "BatchNorm(eps=1e-3, momentum=0.01)", "100"),
        Example("8x20", "BatchNorm(affine=false)", "8x20"),
        Example("4x3x5x5", "BatchNorm(track_running_stats=false)", "4x3x5x5"),
    )

    eps = Float(1e-5, min=0, doc="added to the variance, above 0")
    momentum = Float(0.1, none=True, doc="weight of a batch in the running statistics; none averages all batches")
    affine = Bool(True, doc="scales and shifts each channel by learned numbers")
    track_running_stats = Bool(True, doc="keeps statistics for eval mode; without, the batch's are used there too")
    bias = Bool(True, doc="whether the affine part shifts; older versions of torch lack it")

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"num_features": fixed(input.shape[1], "num_features")}

    def infer(self, input: Value) -> Value:
        fixed(input.shape[1], "num_features")
        if self.eps == 0:
            raise Reject("cannot train with eps=0", field="eps", help="the default is 1e-5")
        return replace(input, channel=1)

    def remark(self, input: Value) -> Reject | None:
        return remark_eps(self.eps, "`BatchNorm`")

    def least_batch(self, input: Value) -> int:
        """Two where a channel has one number an example: the spread of one number is nothing to divide by."""
        return 2 if all(size == 1 for size in input.shape[2:]) else 1

    def state(self, input: Value) -> dict[str, State]:
        return channel_state(input, self.affine, self.bias, self.track_running_stats)


class InstanceNorm(Spatial):
    """Normalizes each channel of each example over space.

    `(N, C, *)` keeps its shape; 3, 4 or 5 dimensions make it InstanceNorm1d, 2d or 3d. See torch.nn.InstanceNorm2d and
    Ulyanov et al., "Instance Normalization" (2016). A single spatial element is refused: torch refuses it too, with
    `track_running_stats` in training only.
    """

    module = "torch.nn.InstanceNorm{n}d"
    free = True
    examples = (
        Example("64x56x56", "InstanceNorm()", "64x56x56"),
        Example("8x20", "InstanceNorm(affine=true, track_running_stats=true)", "8x20"),
    )

    eps = Float(1e-5, doc="added to the variance")
    momentum = Float(0.1, none=True, doc="weight of a batch in the running statistics")
    affine = Bool(False, doc="scales and shifts each channel by learned numbers")
    track_running_stats = Bool(False, doc="keeps statistics for eval mode")
    bias = Bool(True, doc="whether the affine part shifts; older versions of torch lack it")

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"num_features": fixed(input.shape[1], "num_features")}

    def infer(self, input: Value) -> Value:
        fixed(input.shape[1], "num_features")
        if not at_least(product(input.shape[2:]), 2):
            raise Reject(
                f"needs more than one element to normalize over, but each channel of {show_shape(input.shape)} has one",
                input="input",
                help="normalize before the spatial size is 1, or take LayerNorm, or BatchNorm",
            )
        return replace(input, channel=1)

    def remark(self, input: Value) -> Reject | None:
        return remark_eps(self.eps, "`InstanceNorm`")

    def state(self, input: Value) -> dict[str, State]:
        return channel_state(input, self.affine, self.bias, self.track_running_stats)


class LayerNorm(Layer):
    """Normalizes each example over its last dimension, or over several trailing ones.

    `(N, *, *normalized_shape)` keeps its shape. Without `normalized_shape` the last dimension is normalized and is
    then the channels'. See torch.nn.LayerNorm and Ba et al., "Layer Normalization" (2016). Stricter than torch: the
    batch is never normalized over.
    """

    module = "torch.nn.LayerNorm"
    free = True
    examples = (
        Example("197x768", "LayerNorm(eps=1e-6)", "197x768"),
        Example("64", "LayerNorm(bias=false)", "64"),
        Example("3x32x32", "LayerNorm((3, 32, 32))", "3x32x32"),
    )

    normalized_shape = Ints(None, min=1, doc="the trailing sizes to normalize over; by default the last")
    eps = Float(1e-5, doc="added to the variance")
    elementwise_affine = Bool(True, doc="scales and shifts each element by learned numbers")
    bias = Bool(True, doc="whether the affine part shifts")

    def inferred(self, input: Value) -> dict[str, Any]:
        shape = trailing(input, self.normalized_shape)
        return {"normalized_shape": shape if len(shape) > 1 else shape[0]}

    def arguments(self, input: Value) -> dict[str, Any]:
        return {**self.given(), **self.inferred(input)}

    def infer(self, input: Value) -> Value:
        return over_last(input, trailing(input, self.normalized_shape))

    def state(self, input: Value) -> dict[str, State]:
        if not self.elementwise_affine:
            return {}
        tensor = State(trailing(input, self.normalized_shape))
        return {"weight": tensor, "bias": tensor} if self.bias else {"weight": tensor}


class GroupNorm(Layer):
    """Normalizes each example over groups of its channels and over space.

    `(N, C, *)` keeps its shape; `num_groups` divides `C`. See torch.nn.GroupNorm and Wu and He, "Group Normalization"
    (2018). A group of a single value, which torch refuses in a batch of one, is not checked.
    """

    module = "torch.nn.GroupNorm"
    free = True
    examples = (
        Example("64x56x56", "GroupNorm(32)", "64x56x56"),
        Example("12", "GroupNorm(3, affine=false)", "12"),
    )

    num_groups = Int(min=1, doc="number of groups; 1 normalizes all channels together")
    eps = Float(1e-5, doc="added to the variance")
    affine = Bool(True, doc="scales and shifts each channel by learned numbers")
    bias = Bool(True, doc="whether the affine part shifts; older versions of torch lack it")

    def admit(self, *inputs: Value) -> None:
        """Refuses values without channels in dimension 1."""
        if inputs[0].rank < 2:
            raise Reject(f"expects channels after the batch, not {show_shape(inputs[0].shape)}", input="input")
        admit_channels(inputs[0])
        super().admit(*inputs)

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"num_channels": fixed(input.shape[1], "num_channels")}

    def arguments(self, input: Value) -> dict[str, Any]:
        return {"num_groups": self.num_groups, **self.inferred(input), **self.given()}

    def infer(self, input: Value) -> Value:
        channels = fixed(input.shape[1], "num_channels")
        if not divisible(channels, self.num_groups):
            raise Reject(
                f"cannot split {show_dim(channels)} channels into {show_dim(self.num_groups)} groups",
                field="num_groups",
                help=f"numbers that divide them: {nearest_divisors(self.num_groups, (channels,))}",
            )
        return replace(input, channel=1)

    def remark(self, input: Value) -> Reject | None:
        return remark_eps(self.eps, f"`GroupNorm({self.num_groups})`")

    def state(self, input: Value) -> dict[str, State]:
        return channel_state(input, self.affine, self.bias, False)


class RMSNorm(Layer):
    """Divides each example by its root mean square over its last dimension, or over several trailing ones.

    `(N, *, *normalized_shape)` keeps its shape. Without `normalized_shape` the last dimension is normalized and is
    then the channels'. See torch.nn.RMSNorm and Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019).
    Stricter than torch: the batch is never normalized over.
    """

    module = "torch.nn.RMSNorm"
    free = True
    examples = (
        Example("128x512", "RMSNorm(eps=1e-6)", "128x512"),
        Example("8x4x4", "RMSNorm((4, 4), elementwise_affine=false)", "8x4x4"),
    )

    normalized_shape = Ints(None, min=1, doc="the trailing sizes to normalize over; by default the last")
    eps = Float(None, doc="added to the mean square; the float's own epsilon if none")
    elementwise_affine = Bool(True, doc="scales each element by a learned number")

    def inferred(self, input: Value) -> dict[str, Any]:
        shape = trailing(input, self.normalized_shape)
        return {"normalized_shape": shape if len(shape) > 1 else shape[0]}

    def arguments(self, input: Value) -> dict[str, Any]:
        return {**self.given(), **self.inferred(input)}

    def infer(self, input: Value) -> Value:
        return over_last(input, trailing(input, self.normalized_shape))

    def state(self, input: Value) -> dict[str, State]:
        return {"weight": State(trailing(input, self.normalized_shape))} if self.elementwise_affine else {}


class LocalResponseNorm(Layer):
    """Divides each value by a power of the mean square of `size` neighbouring channels.

    `(N, C, *)` with at least one spatial dimension keeps its shape. See torch.nn.LocalResponseNorm and Krizhevsky et
    al., "ImageNet Classification with Deep Convolutional Neural Networks" (2012).
    """

    module = "torch.nn.LocalResponseNorm"
    function = "torch.nn.functional.local_response_norm"
    free = True
    examples = (
        Example("96x55x55", "LocalResponseNorm(5, k=2.0)", "96x55x55"),
        Example("4x10", "LocalResponseNorm(2)", "4x10"),
    )

    size = Int(min=1, doc="number of channels that are averaged")
    alpha = Float(1e-4, doc="factor of the mean square")
    beta = Float(0.75, doc="the power")
    k = Float(1.0, doc="added before the power")

    def admit(self, *inputs: Value) -> None:
        """Refuses values without channels in dimension 1 and space behind them."""
        if inputs[0].rank < 3:
            raise Reject(
                f"expects at least 3 dimensions (batch, channels and space), not {show_shape(inputs[0].shape)}",
                input="input",
            )
        admit_channels(inputs[0])
        super().admit(*inputs)

    def infer(self, input: Value) -> Value:
        return replace(input, channel=1)


class CrossMapLRN2d(Layer):
    """Divides each value by a power of the mean square of `size` neighbouring channels, as LocalResponseNorm does.

    (N, C, H, W) keeps its shape. PyTorch keeps it for networks that were made with it; its source is Torch7's.
    See torch.nn.CrossMapLRN2d.
    """

    module = "torch.nn.CrossMapLRN2d"
    ranks = (4,)
    free = True
    examples = (Example("96x5x5", "CrossMapLRN2d(5, k=2)", "96x5x5"),)

    size = Int(min=1, doc="number of channels that are averaged")
    alpha = Float(1e-4, doc="factor of the mean square")
    beta = Float(0.75, doc="the power")
    k = Float(1, doc="added before the power")

    def infer(self, input: Value) -> Value:
        return replace(input, channel=1)


def remark_eps(eps: float, call: str) -> Reject | None:
    """Warns of a number of channels that PyTorch would take in the place of `eps`."""
    if eps < 1:
        return None
    return Reject(f"adds eps={eps} to the variance", help=f"the number of channels is not written: {call}")


def channel_state(input: Value, affine: bool, bias: bool, tracked: bool) -> dict[str, State]:
    """What a norm keeps for each channel, in the order of torch's state_dict."""
    channels: Shape = (fixed(input.shape[1], "num_features"),)
    state = {}
    if affine:
        state["weight"] = State(channels)
    if affine and bias:
        state["bias"] = State(channels)
    if tracked:
        state["running_mean"] = state["running_var"] = State(channels, "buffer")
        state["num_batches_tracked"] = State((), "buffer", "int")
    return state


def trailing(input: Value, wanted: tuple[int, ...] | None) -> tuple[int, ...]:
    """The sizes to normalize over, which the input's shape ends in."""
    count = 1 if wanted is None else len(wanted)
    if not 1 <= count < input.rank:
        raise Reject(
            f"normalizes {count} dimension{'s' * (count != 1)} of each example, but the input is"
            f" {show_shape(input.shape)}, the batch counted",
            field="normalized_shape" if wanted else None,
            input=None if wanted else "input",
        )
    found = input.shape[-count:]
    if wanted is None:
        return (fixed(found[0], "normalized_shape"),)
    if not all(same(a, b) for a, b in zip(wanted, found, strict=True)):
        raise Reject(
            f"normalizes {show_shape(wanted)}, but the input ends in {show_shape(found)}",
            field="normalized_shape",
            help="leave it out to normalize the last dimension",
        )
    return tuple(fixed(size, "normalized_shape") for size in wanted)


def over_last(input: Value, shape: tuple[int, ...]) -> Value:
    """The same shape; a norm over the last dimension alone makes it the channels'."""
    return replace(input, channel=input.rank - 1) if len(shape) == 1 else input
