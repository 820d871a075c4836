"""Products of matrices: `matmul`, `bmm` and sums by Einstein's convention.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netc.layer import Example, Layer, Reject, Text, Value
from netc.shapes import Shape, same, show_dim
from netc_std.axes import broadcast


class matmul(Layer):
    """Multiplies matrices, the last two dimensions of each tensor; the dimensions before them broadcast.

    (N, L, C) and (C, D) to (N, L, D); a tensor of one dimension is a vector.
    https://docs.pytorch.org/docs/stable/generated/torch.matmul.html
    """

    function = "torch.matmul"
    inputs = ("input", "other")
    examples = (Example("9x16, 16x4", "matmul", "9x4"), Example("8x9x16, 8x16x9", "matmul", "8x9x9"))

    def infer(self, input: Value, other: Value) -> Value:
        if not input.rank or not other.rank:
            single = "other" if input.rank else "input"
            raise Reject("a single number cannot be multiplied as a matrix", input=single)
        left = input.shape if input.rank > 1 else (1, *input.shape)
        right = other.shape if other.rank > 1 else (*other.shape, 1)
        if not same(left[-1], right[-2]):
            raise Reject(
                f"{input} times {other}: the rows of the first have {show_dim(left[-1])} values, "
                f"the columns of the second {show_dim(right[-2])}",
                input="other",
                help="`transpose(-2, -1)` turns a matrix",
            )
        rows: Shape = left[-2:-1] if input.rank > 1 else ()
        columns: Shape = right[-1:] if other.rank > 1 else ()
        shape = (*broadcast(left[:-2], right[:-2]), *rows, *columns)
        return replace(input, shape=shape, channel=self._channel(input, len(shape), bool(columns)))

    def _channel(self, input: Value, rank: int, columns: bool) -> int | None:
        if input.channel is None or input.rank < 2:
            return None
        last = input.channel == input.rank - 1
        if last:
            return rank - 1 if columns and rank > 1 else None
        return input.channel + rank - (input.rank if columns else input.rank - 1)


class bmm(Layer):
    """Multiplies two batches of matrices.

    (B, L, C) and (B, C, D) to (B, L, D). https://docs.pytorch.org/docs/stable/generated/torch.bmm.html
    """

    function = "torch.bmm"
    inputs = ("input", "mat2")
    ranks = (3,)
    examples = (Example("9x16, 16x4", "bmm", "9x4"),)

    def infer(self, input: Value, mat2: Value) -> Value:
        if mat2.rank != 3:
            raise Reject(f"expects 3 dimensions, the batch counted, not the {mat2.rank} of {mat2}", input="mat2")
        for one, other, name in ((0, 0, "batches"), (2, 1, "inner sizes")):
            if not same(input.shape[one], mat2.shape[other]):
                raise Reject(
                    f"{input} times {mat2}: the {name} are {show_dim(input.shape[one])} and "
                    f"{show_dim(mat2.shape[other])}",
                    input="mat2",
                )
        return input.with_dim(2, mat2.shape[2])


class einsum(Layer):
    """Sums products of elements by Einstein's convention: `einsum("nlc,dc->nld")`.

    Which dimension of the result holds the channels is unknown.
    https://docs.pytorch.org/docs/stable/generated/torch.einsum.html
    """

    function = "torch.einsum"
    inputs = ("*operands",)
    leading = 1
    equation = Text(doc="The letters of each operand's dimensions, and those of the result.")
    examples = (
        Example("9x16, 4x16", 'einsum("nlc,ndc->nld")', "9x4"),
        Example("8x9x16, 8x16x7", 'einsum("bh...c,bh...cd->bh...d")', "8x9x7"),
    )

    def infer(self, *operands: Value) -> Value:
        terms, result = self._parse(len(operands))
        sizes: dict[str, Shape] = {}
        for term, operand in zip(terms, operands, strict=True):
            self._bind(term, operand, sizes)
        return Value(tuple(size for letter in result for size in sizes[letter]), operands[0].kind, None)

    def _parse(self, count: int) -> tuple[list[list[str]], list[str]]:
        left, arrow, right = self.equation.replace(" ", "").partition("->")
        terms = [letters(term) for term in left.split(",")]
        if len(terms) != count:
            raise Reject(f"`{self.equation}` is for {len(terms)} tensors, {count} are given", field="equation")
        flat = [letter for term in terms for letter in term]
        if arrow:
            result = letters(right)
        else:
            once = sorted(letter for letter in set(flat) if flat.count(letter) == 1 and letter != "...")
            result = ["..."] * ("..." in flat) + once
        for letter in result:
            if letter not in flat and letter != "...":
                raise Reject(f"`{letter}` stands in the result only of `{self.equation}`", field="equation")
            if result.count(letter) > 1:
                raise Reject(f"`{letter}` stands twice in the result of `{self.equation}`", field="equation")
        return terms, [letter for letter in result if letter in flat]

    def _bind(self, term: Sequence[str], operand: Value, sizes: dict[str, Shape]) -> None:
        free = operand.rank - (len(term) - ("..." in term))
        if free < 0 or (free and "..." not in term):
            named = f"`{''.join(term)}` names {len(term) - ('...' in term)} dimensions"
            raise Reject(f"{named} and {operand} has {operand.rank}", field="equation")
        start = 0
        for letter in term:
            width = free if letter == "..." else 1
            shape = operand.shape[start : start + width]
            start += width
            sizes[letter] = broadcast(sizes[letter], shape) if letter in sizes else shape


def letters(term: str) -> list[str]:
    """The letters of one operand; an ellipsis counts as one."""
    found = [part for piece in term.split("...") for part in [*piece, "..."]][:-1]
    if found.count("...") > 1 or any(not (part.isascii() and part.isalpha()) for part in found if part != "..."):
        raise Reject(f"`{term}` is not a list of letters with at most one `...`", field="equation")
    return found
