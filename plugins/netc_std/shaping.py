"""Layouts: what reshapes a tensor, reorders its dimensions, or adds and removes some."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netc.layer import Example, Int, Ints, Layer, Reject, Value
from netc.shapes import Shape, divisible, nearest_divisors, product, same, show_dim, show_shape
from netc.terms import Dim, Term, divided
from netc_std.axes import Axes, axes, axis, decided, is_one, plain


class Flatten(Layer):
    """Merges the dimensions from `start_dim` to `end_dim` into one, by default all but the batch.

    (N, C, H, W) to (N, C * H * W). Both forms start at 1, as the module does; torch's function would start at 0.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Flatten.html
    """

    module = "torch.nn.Flatten"
    function = "torch.flatten"
    free = True
    rearranges = True
    function_defaults = {"start_dim": 0}
    kinds = None
    start_dim = Int(1, doc="First dimension that is merged.")
    end_dim = Int(-1, doc="Last dimension that is merged.")
    examples = (
        Example("16x4x4", "flatten", "256"),
        Example("16x4x4", "Flatten", "256"),
        Example("768x14x14", "flatten(2)", "768x196"),
    )

    def infer(self, input: Value) -> Value:
        start = axis(self.start_dim, input.rank, "start_dim")
        end = axis(self.end_dim, input.rank, "end_dim")
        if start > end:
            raise Reject(
                f"`start_dim` {start} comes after `end_dim` {end} in {input}",
                field="start_dim",
                help="exchange the two",
            )
        shape = (*input.shape[:start], plain(product(input.shape[start : end + 1])), *input.shape[end + 1 :])
        return replace(input, shape=shape, channel=self._channel(input.channel, start, end))

    def _channel(self, channel: int | None, start: int, end: int) -> int | None:
        if start == 1 and (channel is None or channel <= end):
            return 1
        if channel is None or channel < start:
            return channel
        if channel <= end:
            return start or None
        return channel - (end - start)


class Unflatten(Layer):
    """Splits one dimension into several, the inverse of flatten.

    (N, 1024) with `Unflatten(1, (64, 4, 4))` to (N, 64, 4, 4).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html
    """

    module = "torch.nn.Unflatten"
    function = ".unflatten"
    kinds = None
    free = True
    rearranges = True
    dim = Int(doc="The dimension that is split, the batch counted as 0.")
    unflattened_size = Ints(min=-1, doc="The sizes that it is split into; one of them may be -1.")
    examples = (
        Example("1024", "Unflatten(1, (64, 4, 4))", "64x4x4"),
        Example("6x8", "unflatten(1, (2, -1))", "2x3x8"),
    )

    def function_arguments(self, input: Value) -> dict[str, Any]:
        return {"dim": self.dim, "sizes": self.unflattened_size}

    def infer(self, input: Value) -> Value:
        dim = axis(self.dim, input.rank)
        if not self.unflattened_size:
            raise Reject("`unflattened_size` is empty", field="unflattened_size")
        sizes = fill((input.shape[dim],), self.unflattened_size, "unflattened_size")
        channel = input.channel
        if channel is not None and channel > dim:
            channel += len(sizes) - 1
        return replace(input, shape=(*input.shape[:dim], *sizes, *input.shape[dim + 1 :]), channel=channel)


def fill(whole: Shape, wanted: Shape, field: str) -> Shape:
    """The wanted sizes with -1 replaced by what is left of the whole; rejects what does not come out even."""
    holes = [i for i, size in enumerate(wanted) if not isinstance(size, Term) and int(size) == -1]
    if len(holes) > 1:
        raise Reject(f"{len(holes)} sizes of {show_shape(wanted)} are -1", field=field, help="only one may be open")
    total = product(whole)
    given = product(size for i, size in enumerate(wanted) if i not in holes)
    if not holes:
        if same(given, total):
            return wanted
        raise Reject(
            f"{show_shape(whole)} holds {show_dim(plain(total))} values and {show_shape(wanted)} {show_dim(given)}",
            field=field,
            help=keeping_the_batch(whole, wanted) or "write -1 for one size to have it computed",
        )
    rest = _quotient(total, given)
    if rest is None:
        raise Reject(
            f"{show_shape(whole)} cannot become {show_shape(wanted)}: {show_dim(plain(given))} does not divide "
            f"{show_dim(plain(total))}",
            field=field,
            help=keeping_the_batch(whole, wanted) or divisors_of(total, given),
        )
    return tuple(rest if i in holes else size for i, size in enumerate(wanted))


def divisors_of(total: Dim, given: Dim) -> str | None:
    """What would divide a size, next to what does not."""
    if isinstance(plain(total), Term) or isinstance(plain(given), Term):
        return None
    return f"numbers that divide it: {nearest_divisors(plain(given), (int(plain(total)),))}"  # type: ignore[arg-type]


def keeping_the_batch(whole: Shape, wanted: Shape) -> str | None:
    """The way out where the batch was forgotten: the first of the wanted sizes is its."""
    sizes = product(whole[1:]) if isinstance(whole[0], Term) else None
    if isinstance(sizes, int) and not isinstance(product(wanted), Term):
        return f"the first size is the batch's, and -1 keeps it: `-1, {int(sizes)}` are the values of each example"
    return None


def _quotient(total: Dim, by: Dim) -> Dim | None:
    """`total / by`, or None if that is no whole number."""
    if not isinstance(plain(by), Term) and decided(by, "shape") == 0:
        return None
    quotient = plain(total // by)
    exact = not isinstance(total, int) and Term.of(quotient) * by == Term.of(total)
    return plain(divided(total, by)) if exact or divisible(total, by) else None


class Reshape(Layer):
    """Gives the same values, in the same order, another shape.

    `shape` lists all dimensions, the batch too; one of them may be -1. Which dimension holds the channels is unknown
    afterwards. https://docs.pytorch.org/docs/stable/generated/torch.Tensor.reshape.html
    """

    module = "own:Reshape"
    function = ".reshape"
    kinds = None
    free = True
    rearranges = True
    shape = Ints(min=-1, variadic=True, doc="All sizes, the batch first; -1 for the one that is computed.")
    imports = ("import torch", "from torch import nn")
    source = '''
class Reshape(nn.Module):
    """Gives the same values another shape; the batch is counted, and -1 stands for what is left."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.reshape(self.shape)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.shape))
'''
    examples = (Example("784", "Reshape(-1, 1, 28, 28)", "1x28x28"), Example("8x6", "reshape(-1, 8, 2, 3)", "8x2x3"))

    def infer(self, input: Value) -> Value:
        return replace(input, shape=fill(input.shape, self.shape, "shape"), channel=None)


class Permute(Layer):
    """Reorders the dimensions: result dimension `i` is input dimension `dims[i]`.

    (N, C, H, W) with `permute(0, 2, 3, 1)` to (N, H, W, C).
    https://docs.pytorch.org/docs/stable/generated/torch.permute.html
    """

    module = "own:Permute"
    function = ".permute"
    kinds = None
    free = True
    rearranges = True
    dims = Ints(variadic=True, doc="Every dimension once, the batch counted as 0.")
    imports = ("import torch", "from torch import nn")
    source = '''
class Permute(nn.Module):
    """Reorders the dimensions, the batch counted as 0."""

    def __init__(self, *dims: int) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.permute(self.dims)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.dims))
'''
    examples = (
        Example("3x8x9", "permute(0, 2, 3, 1)", "8x9x3"),
        Example("8x9x3", "Permute(0, 3, 1, 2)", "3x8x9"),
    )

    def infer(self, input: Value) -> Value:
        if len(self.dims) != input.rank:
            raise Reject(
                f"{len(self.dims)} dimensions are named and {input} has {input.rank}",
                field="dims",
                help="name every dimension once; the batch is dimension 0",
            )
        dims = axes(self.dims, input.rank, "dims")
        channel = None if input.channel is None else dims.index(input.channel)
        return replace(input, shape=tuple(input.shape[dim] for dim in dims), channel=channel)


class Transpose(Layer):
    """Exchanges two dimensions.

    (N, C, L) with `transpose(1, 2)` to (N, L, C). https://docs.pytorch.org/docs/stable/generated/torch.transpose.html
    """

    module = "own:Transpose"
    function = ".transpose"
    kinds = None
    free = True
    rearranges = True
    dim0 = Int(doc="One dimension, the batch counted as 0.")
    dim1 = Int(doc="The other.")
    imports = ("import torch", "from torch import nn")
    source = '''
class Transpose(nn.Module):
    """Exchanges two dimensions, the batch counted as 0."""

    def __init__(self, dim0: int, dim1: int) -> None:
        super().__init__()
        self.dim0 = dim0
        self.dim1 = dim1

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.transpose(self.dim0, self.dim1)

    def extra_repr(self) -> str:
        return f"{self.dim0}, {self.dim1}"
'''
    examples = (Example("16x9", "transpose(1, 2)", "9x16"), Example("9x16", "Transpose(1, -1)", "16x9"))

    def infer(self, input: Value) -> Value:
        order = list(range(input.rank))
        one, other = axis(self.dim0, input.rank, "dim0"), axis(self.dim1, input.rank, "dim1")
        order[one], order[other] = other, one
        channel = None if input.channel is None else order.index(input.channel)
        return replace(input, shape=tuple(input.shape[dim] for dim in order), channel=channel)


class Squeeze(Layer):
    """Removes a dimension of size 1, and leaves a larger one as it is.

    (N, C, 1, 1) with `squeeze((2, 3))` to (N, C). Stricter than torch: `dim` is required and its size must be known,
    because otherwise a batch of one would vanish too.
    https://docs.pytorch.org/docs/stable/generated/torch.squeeze.html
    """

    module = "own:Squeeze"
    function = ".squeeze"
    kinds = None
    free = True
    rearranges = True
    dim = Axes(doc="The dimension, or several, that go, the batch counted as 0.")
    imports = ("import torch", "from torch import nn")
    source = '''
class Squeeze(nn.Module):
    """Removes dimensions of size 1, the batch counted as 0."""

    def __init__(self, dim: int | tuple[int, ...]) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.squeeze(self.dim)

    def extra_repr(self) -> str:
        return str(self.dim)
'''
    examples = (Example("16x1x1", "squeeze((2, 3))", "16"), Example("16x1", "Squeeze(-1)", "16"))

    def infer(self, input: Value) -> Value:
        gone = []
        for dim in axes(self.dim, input.rank):
            size = plain(input.shape[dim])
            if isinstance(size, Term):
                raise Reject(
                    f"dimension {dim} of {input} is {size}, which may or may not be 1",
                    field="dim",
                    help="name a dimension whose size is known to be 1",
                )
            if is_one(size):
                gone.append(dim)
        channel = input.channel
        if channel is not None:
            channel = None if channel in gone else channel - sum(1 for dim in gone if dim < channel)
        return replace(input, shape=tuple(s for i, s in enumerate(input.shape) if i not in gone), channel=channel)


class Unsqueeze(Layer):
    """Adds a dimension of size 1.

    (N, C) with `unsqueeze(-1)` to (N, C, 1). https://docs.pytorch.org/docs/stable/generated/torch.unsqueeze.html
    """

    module = "own:Unsqueeze"
    function = ".unsqueeze"
    kinds = None
    free = True
    rearranges = True
    dim = Int(doc="Where the new dimension stands in the result, the batch counted as 0.")
    imports = ("import torch", "from torch import nn")
    source = '''
class Unsqueeze(nn.Module):
    """Adds a dimension of size 1, the batch counted as 0."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input.unsqueeze(self.dim)

    def extra_repr(self) -> str:
        return str(self.dim)
'''
    examples = (Example("16", "unsqueeze(-1)", "16x1"), Example("28x28", "Unsqueeze(1)", "1x28x28"))

    def infer(self, input: Value) -> Value:
        dim = axis(self.dim, input.rank + 1)
        channel = input.channel
        if channel is not None and channel >= dim:
            channel = None if channel == dim else channel + 1
        return replace(input, shape=(*input.shape[:dim], 1, *input.shape[dim:]), channel=channel)
