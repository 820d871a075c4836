"""Several tensors and one: what joins tensors, takes parts of them, or repeats them.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from netc.layer import Example, Int, Ints, Layer, Reject, Size, Value
from netc.shapes import at_least, ceil_divide, divisible, same, show_dim, show_shape
from netc.terms import Dim, Term
from netc_std.axes import axis, decided, is_one, kept, plain


def channel_axis(values: Sequence[Value], name: str) -> int:
    """The dimension that holds the channels of all the values; rejects an open question."""
    known = sorted({value.channel for value in values if value.channel is not None})
    if len(known) == 1:
        return known[0]
    reason = (
        "it is not known which dimension holds the channels"
        if not known
        else "the tensors hold their channels in different dimensions: " + " and ".join(map(str, known))
    )
    raise Reject(reason, field="dim", help=f"name the dimension: `{name}(dim=1)`")


class Joining(Layer):
    """Takes any number of tensors.

    Stricter than torch: they must hold values of one kind, where torch converts without a word.
    """

    inputs = ("*tensors",)
    kinds = None
    free = True

    def agree(self, tensors: Sequence[Value]) -> None:
        """Rejects an empty list, unequal ranks and unequal kinds."""
        if not tensors:
            raise Reject("no tensors to join", input="tensors")
        first = tensors[0]
        for other in tensors[1:]:
            if other.rank != first.rank:
                raise Reject(
                    f"{first} has {first.rank} dimensions and {other} has {other.rank}",
                    input="tensors",
                    help="`unsqueeze` adds a dimension, `flatten` removes some",
                )
            if other.kind != first.kind:
                raise Reject(f"{first} holds {first.kind} values and {other} holds {other.kind}", input="tensors")


class cat(Joining):
    """Concatenates tensors along a dimension, by default that of the channels.

    All other dimensions must be equal. torch itself would take dimension 0, the batch. Stricter than torch: the
    tensors must hold values of one kind.
    https://docs.pytorch.org/docs/stable/generated/torch.cat.html
    """

    function = "torch.cat"
    elsewhere = {"axis": "dim"}
    dim = Int(None, doc="The dimension that grows, the batch counted as 0; by default that of the channels.")
    examples = (Example("16x8x8, 24x8x8", "cat", "40x8x8"), Example("4x8, 4x6", "cat(dim=2)", "4x14"))

    def dimension(self, tensors: Sequence[Value]) -> int:
        if self.dim is None:
            return channel_axis(tensors, "cat")
        return axis(self.dim, tensors[0].rank)

    def function_arguments(self, *tensors: Value) -> dict[str, Any]:
        return {"dim": self.dimension(tensors) if self.dim is None else self.dim}

    def infer(self, *tensors: Value) -> Value:
        self.agree(tensors)
        dim = self.dimension(tensors)
        result = tensors[0]
        for other in tensors[1:]:
            for number, (size, next_size) in enumerate(zip(result.shape, other.shape, strict=True)):
                if number != dim and not same(size, next_size):
                    raise Reject(
                        f"{tensors[0]} and {other} differ in dimension {number}: "
                        f"{show_dim(size)} and {show_dim(next_size)}",
                        input="tensors",
                        help=f"all dimensions but {dim} must be equal; see the stride and padding of the branches",
                    )
            result = result.with_dim(dim, result.shape[dim] + other.shape[dim])
        channel = next((value.channel for value in tensors if value.channel is not None), None)
        return replace(result, channel=channel)


class stack(Joining):
    """Puts tensors of equal shape side by side along a new dimension.

    Two (N, C) with `stack(dim=1)` to (N, 2, C). Stricter than torch: the tensors must hold values of one kind.
    https://docs.pytorch.org/docs/stable/generated/torch.stack.html
    """

    function = "torch.stack"
    dim = Int(0, doc="Where the new dimension stands in the result.")
    examples = (Example("16x8, 16x8", "stack(dim=1)", "2x16x8"), Example("10, 10, 10", "stack(dim=-1)", "10x3"))

    def infer(self, *tensors: Value) -> Value:
        self.agree(tensors)
        first = tensors[0]
        for other in tensors[1:]:
            if not all(same(a, b) for a, b in zip(first.shape, other.shape, strict=True)):
                raise Reject(f"the shapes {first} and {other} differ", input="tensors", help="`cat` joins unequal ones")
        dim = axis(self.dim, first.rank + 1)
        channel = first.channel
        if channel is not None and channel >= dim:
            channel = None if channel == dim else channel + 1
        return replace(first, shape=(*first.shape[:dim], len(tensors), *first.shape[dim:]), channel=channel)


class Parting(Layer):
    """Cuts one tensor into several along a dimension, by default that of the channels."""

    free = True
    flow = None
    kinds = None

    dim: Any

    def dimension(self, input: Value) -> int:
        if self.dim is None:
            return channel_axis([input], self.names()[1] or "")
        return axis(self.dim, input.rank)

    def cut(self, input: Value, sizes: Sequence[Dim]) -> tuple[Value, ...]:
        dim = self.dimension(input)
        return tuple(input.with_dim(dim, size) for size in sizes)


class chunk(Parting):
    """Cuts a tensor into `chunks` parts along a dimension, by default that of the channels.

    The last part is smaller where the size does not divide, and there may be fewer parts, as in torch, which itself
    would cut dimension 0, the batch. https://docs.pytorch.org/docs/stable/generated/torch.chunk.html
    """

    function = ".chunk"
    positional = 1
    chunks = Int(min=1, doc="How many parts.")
    dim = Int(None, doc="The dimension that is cut, the batch counted as 0; by default that of the channels.")
    examples = (Example("16x8x8", "chunk(2)", "8x8x8, 8x8x8"), Example("7", "chunk(3, dim=1)", "3, 3, 1"))

    def function_arguments(self, input: Value) -> dict[str, Any]:
        return {"chunks": self.chunks, "dim": self.dimension(input) if self.dim is None else self.dim}

    def infer(self, input: Value) -> tuple[Value, ...]:
        size, chunks = plain(input.shape[self.dimension(input)]), decided(self.chunks, "chunks")
        if divisible(size, chunks):
            return self.cut(input, [size // self.chunks] * chunks)
        return self.cut(input, pieces(size, ceil_divide(size, chunks)))


class split(Parting):
    """Cuts a tensor into parts of one size, or of given sizes, along a dimension, by default that of the channels.

    torch itself would cut dimension 0, the batch. https://docs.pytorch.org/docs/stable/generated/torch.split.html
    """

    function = ".split"
    positional = 1
    split_size = Size(min=0, doc="The size of each part (the last may be smaller), or the sizes of all.")
    dim = Int(None, doc="The dimension that is cut, the batch counted as 0; by default that of the channels.")
    examples = (
        Example("16x8x8", "split(8)", "8x8x8, 8x8x8"),
        Example("16x8x8", "split((4, 12))", "4x8x8, 12x8x8"),
        Example("5x7", "split(3, dim=2)", "5x3, 5x3, 5x1"),
    )

    def function_arguments(self, input: Value) -> dict[str, Any]:
        return {"split_size": self.split_size, "dim": self.dimension(input) if self.dim is None else self.dim}

    def infer(self, input: Value) -> tuple[Value, ...]:
        size = plain(input.shape[self.dimension(input)])
        if not isinstance(self.split_size, tuple):
            if not at_least(self.split_size, 1):
                raise Reject("`split_size` must be at least 1", field="split_size")
            return self.cut(input, pieces(size, self.split_size))
        total: Dim = sum(self.split_size)
        if not same(total, size):
            raise Reject(
                f"the parts {show_shape(self.split_size)} sum to {show_dim(total)} and dimension "
                f"{self.dimension(input)} of {input} is {show_dim(size)}",
                field="split_size",
            )
        return self.cut(input, self.split_size)


def pieces(size: Dim, by: Dim) -> list[Dim]:
    """The sizes of the parts when a size is cut every `by`; the last may be smaller."""
    if isinstance(size, Term) or isinstance(by, Term):
        raise Reject(
            f"how many parts of {show_dim(by)} there are in {show_dim(size)} is known only at the run",
            help="give the sizes of all parts, or cut with `chunk`",
        )
    whole, rest = divmod(int(size), int(by))
    return [*[by] * whole, *[rest] * bool(rest)]


class select(Layer):
    """Takes one slice of a dimension, which disappears.

    (N, L, C) with `select(1, 0)` to (N, C). https://docs.pytorch.org/docs/stable/generated/torch.select.html
    """

    function = ".select"
    kinds = None
    free = True
    rearranges = True
    dim = Int(doc="The dimension, the batch counted as 0.")
    index = Int(doc="Which slice; -1 is the last.")
    examples = (Example("7x16", "select(1, -1)", "16"),)

    def subscript(self) -> str:
        """`x[:, -1]`, counted from the end `x[..., -1]`."""
        before = [":"] * int(self.dim) if self.dim >= 0 else ["..."]
        return ", ".join([*before, "{index}", *[":"] * (-1 - int(self.dim))])

    def infer(self, input: Value) -> Value:
        dim = axis(self.dim, input.rank)
        index, size = decided(self.index, "index"), input.shape[dim]
        if not at_least(size, index + 1 if index >= 0 else -index):
            raise Reject(
                f"there is no index {int(index)} in dimension {dim} of {input}, which is {show_dim(size)}",
                field="index",
            )
        shape = (*input.shape[:dim], *input.shape[dim + 1 :])
        return replace(input, shape=shape, channel=kept(input.channel, [dim]))


class narrow(Layer):
    """Takes a stretch of a dimension: `length` from `start` on.

    (N, L, C) with `narrow(1, 0, 4)` to (N, 4, C). https://docs.pytorch.org/docs/stable/generated/torch.narrow.html
    """

    function = ".narrow"
    kinds = None
    free = True
    rearranges = True
    dim = Int(doc="The dimension, the batch counted as 0.")
    start = Int(doc="Where it begins; a negative number counts from the end.")
    length = Int(min=0, doc="How long it is.")
    examples = (Example("7x16", "narrow(1, 0, 4)", "4x16"), Example("7x16", "narrow(1, -2, 2)", "2x16"))

    def infer(self, input: Value) -> Value:
        dim = axis(self.dim, input.rank)
        size, start = input.shape[dim], decided(self.start, "start")
        fits = at_least(size, self.start + self.length) if start >= 0 else at_least(-start, self.length)
        if not fits or (start < 0 and not at_least(size, -start)):
            raise Reject(
                f"{show_dim(self.length)} from {int(start)} on is more than dimension {dim} of {input} has, "
                f"{show_dim(size)}",
                field="length" if fits else "start",
            )
        return input.with_dim(dim, self.length)


def repeated(input: Value, times: tuple[Any, ...]) -> Value:
    """The value repeated along its dimensions, as many new ones in front as there are more numbers."""
    extra = len(times) - input.rank
    shape = (*(1,) * extra, *input.shape)
    channel = None if input.channel is None else input.channel + extra
    sizes = tuple(time if is_one(size) else size * time for size, time in zip(shape, times, strict=True))
    return replace(input, shape=sizes, channel=channel)


class repeat(Layer):
    """Repeats the tensor along each dimension.

    (N, C, H, W) with `repeat(1, 1, 2, 2)` to (N, C, 2 * H, 2 * W).
    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.repeat.html
    """

    function = ".repeat"
    kinds = None
    free = True
    repeats = Ints(min=1, variadic=True, doc="How often, for every dimension, the batch first.")
    examples = (Example("3x4x4", "repeat(1, 1, 2, 2)", "3x8x8"),)

    def infer(self, input: Value) -> Value:
        if len(self.repeats) < input.rank:
            raise Reject(
                f"{len(self.repeats)} numbers for the {input.rank} dimensions of {input}",
                field="repeats",
                help="give one for every dimension, the batch too",
            )
        return repeated(input, self.repeats)


class tile(Layer):
    """Repeats the tensor along the last dimensions.

    (N, C, H, W) with `tile(2, 2)` to (N, C, 2 * H, 2 * W).
    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.tile.html
    """

    function = ".tile"
    kinds = None
    free = True
    dims = Ints(min=1, variadic=True, doc="How often; the last number is for the last dimension.")
    examples = (Example("3x4x4", "tile(2, 2)", "3x8x8"),)

    def infer(self, input: Value) -> Value:
        if not self.dims:
            raise Reject("no numbers are given", field="dims")
        return repeated(input, (1,) * (input.rank - len(self.dims)) + self.dims)


class expand(Layer):
    """Shows dimensions of size 1 as larger ones, without a copy.

    (1, 1, C) with `expand(8, -1, -1)` to (8, 1, C).
    https://docs.pytorch.org/docs/stable/generated/torch.Tensor.expand.html
    """

    function = ".expand"
    kinds = None
    free = True
    sizes = Ints(min=-1, variadic=True, doc="All sizes, the batch first; -1 leaves one as it is.")
    examples = (Example("3x1x1", "expand(-1, -1, 4, 4)", "3x4x4"),)

    def infer(self, input: Value) -> Value:
        extra = len(self.sizes) - input.rank
        if extra < 0:
            raise Reject(
                f"{len(self.sizes)} sizes for the {input.rank} dimensions of {input}",
                field="sizes",
                help="give one for every dimension; -1 leaves it as it is",
            )
        shape: list[Dim] = []
        for number, size in enumerate(self.sizes):
            shape.append(self._expanded(input, number - extra, size))
        channel = None if input.channel is None else input.channel + extra
        return replace(input, shape=tuple(shape), channel=channel)

    def _expanded(self, input: Value, number: int, size: Dim) -> Dim:
        open_size = not isinstance(size, Term) and int(size) == -1
        if number < 0:
            if open_size:
                raise Reject("a new dimension cannot be -1", field="sizes", help="give its size")
            return size
        old = input.shape[number]
        if open_size or is_one(old):
            return old if open_size else size
        if not same(old, size):
            raise Reject(
                f"dimension {number} of {input} is {show_dim(old)} and cannot become {show_dim(size)}",
                field="sizes",
                help="only a size of 1 can be expanded; write -1 to leave one as it is",
            )
        return old
