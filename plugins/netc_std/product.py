"""Products of matrices: `matmul`, `bmm` and sums by Einstein's convention.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from netc.layer import Bool, Example, Float, Layer, Reject, Text, Value
from netc.shapes import Shape, divisible, product, same, show_dim, show_shape
from netc.terms import Dim
from netc_std.axes import broadcast


class matmul(Layer):
    """Multiplies matrices, the last two dimensions of each tensor; the dimensions before them broadcast.

    (N, L, C) and (C, D) to (N, L, D); a tensor of one dimension is a vector.
    https://docs.pytorch.org/docs/stable/generated/torch.matmul.html
    """

    function = "operator.matmul"
    function_name = "matmul"
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
        return replace(input, shape=shape, channel=self._channel(input, other, len(shape)))

    def multiply_adds(self, input: Value, other: Value) -> Dim:
        return product((*self.infer(input, other).shape, input.shape[-1]))

    def _channel(self, input: Value, other: Value, rank: int) -> int | None:
        """Where the channels are, which stay in their place when they are multiplied by a matrix."""
        if input.channel is None and input.rank > 1 and other.channel is not None and other.rank > 1:
            return other.channel + rank - other.rank
        if input.channel is None or input.rank < 2:
            return None
        columns = other.rank > 1
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

    def multiply_adds(self, input: Value, mat2: Value) -> Dim:
        return product((*input.shape, mat2.shape[2]))


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

    def multiply_adds(self, *operands: Value) -> Dim:
        """Those of the products of the first two operands, of what comes out and the third, and so on.

        What only one side has and nothing behind asks for is summed before; without a sum nothing is counted.
        """
        terms, result = self._parse(len(operands))
        sizes: dict[str, Shape] = {}
        for term, operand in zip(terms, operands, strict=True):
            self._bind(term, operand, sizes)
        total: Dim = 0
        left = set(terms[0])
        for i, term in enumerate(terms[1:], 1):
            needed = {*result, *(letter for later in terms[i + 1 :] for letter in later)}
            left, right = ({a for a in one if a in other or a in needed} for one, other in ((left, term), (term, left)))
            if (left & right) - needed:
                total += product(product(sizes[letter]) for letter in left | right)
            left = (left | right) & needed
        return total

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


class scaled_dot_product_attention(Layer):
    """Gathers values by a softmax of the scaled products of queries and keys: the inside of attention.

    `query` (…, L, E), `key` (…, S, E) and `value` (…, S, V) to (…, L, V); all but the last two dimensions broadcast,
    and with `enable_gqa` the heads of the query, dimension -3, are a multiple of those of key and value. `attn_mask`
    (…, L, S) is true where something may be gathered, the other way round than MultiheadAttention has it, or is added
    to the products. Unlike torch's, dropout follows the mode of the module. Stricter than torch: no integer masks.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
    """

    function = "torch.nn.functional.scaled_dot_product_attention"
    inputs = ("query", "key", "value", "attn_mask?")
    kinds = ("float", "bool")
    positional = 0
    in_training = ("dropout_p",)
    dropout_p = Float(0.0, min=0.0, max=1.0, doc="probability with which a weight is left out in training")
    is_causal = Bool(False, doc="each position gathers from those up to its own; not with `attn_mask`")
    scale = Float(None, doc="factor of the products; by default 1 / sqrt(E)")
    enable_gqa = Bool(False, doc="several heads of the query share one of key and value")
    examples = (
        Example("8x10x16, 8x12x16, 8x12x20", "scaled_dot_product_attention", "8x10x20"),
        Example("10x16, 10x16, 10x16", "scaled_dot_product_attention(is_causal=true)", "10x16"),
        Example("8x10x16, 2x12x16, 2x12x16", "scaled_dot_product_attention(enable_gqa=true)", "8x10x16"),
        Example("10x16, 10x16, 10x16", "scaled_dot_product_attention(dropout_p=0.1)", "10x16"),
        Example("8x6x4, 8x7x4, 8x7x4, (6, 7) bool", "scaled_dot_product_attention(scale=0.1)", "8x6x4"),
    )

    def admit(self, *inputs: Value) -> None:
        """Refuses other than float tensors with a length and features, and masks of integers."""
        super().admit(*inputs)
        for name, value in zip(self.inputs, inputs[:3], strict=False):
            if value.kind != "float":
                raise Reject(f"expects float values, not {value.kind}", input=name)
            if value.rank < 3:
                raise Reject(f"expects (N, …, L, E), at least 3 dimensions, not {value}", input=name)

    def infer(self, query: Value, key: Value, value: Value, attn_mask: Value | None = None) -> Value:
        if not same(query.shape[-1], key.shape[-1]):
            sizes = f"{show_dim(query.shape[-1])} and {show_dim(key.shape[-1])}"
            raise Reject(f"the last dimensions of query and key are {sizes}", input="key")
        if not same(key.shape[-2], value.shape[-2]):
            raise Reject(f"expects a value for each key, not key {key} and value {value}", input="value")
        length, source = query.shape[-2], key.shape[-2]
        if self.is_causal and attn_mask is not None:
            raise Reject("takes `is_causal=true` or an `attn_mask`, not both", field="is_causal")
        leading = self._leading(query, key, value)
        if attn_mask is not None:
            products = (*leading, length, source)
            if not self._fits(attn_mask.shape, products):
                reason = f"expects an `attn_mask` that fits the products {show_shape(products)}, not {attn_mask}"
                raise Reject(reason, input="attn_mask", help="its last two dimensions are queries and keys")
        return Value((*leading, length, value.shape[-1]), channel=self._channel(query, len(leading) + 2))

    def multiply_adds(self, query: Value, key: Value, value: Value, attn_mask: Value | None = None) -> Dim:
        products = (*self._leading(query, key, value), query.shape[-2], key.shape[-2])
        return product((*products, query.shape[-1] + value.shape[-1]))

    def _channel(self, query: Value, rank: int) -> int | None:
        """Those of the query stay where they are, or become those of the value; between them stands the length."""
        if query.channel is None or query.channel == query.rank - 2:
            return None
        return query.channel + rank - query.rank

    def _fits(self, mask: Shape, products: Shape) -> bool:
        """Whether a mask is spread over the products without making them larger."""
        try:
            return len(mask) <= len(products) and broadcast(products, mask) == broadcast(products)
        except Reject:
            return False

    def _leading(self, query: Value, key: Value, value: Value) -> Shape:
        """All but the last two dimensions."""
        shapes = [tensor.shape[:-2] for tensor in (query, key, value)]
        if not self.enable_gqa:
            return broadcast(*shapes)
        if min(len(shape) for shape in shapes) < 2:
            raise Reject("needs heads in dimension -3 with `enable_gqa=true`", field="enable_gqa")
        heads = shapes[0][-1]
        for name, shape in zip(("key", "value"), shapes[1:], strict=True):
            if not divisible(heads, shape[-1]):
                raise Reject(f"{show_dim(heads)} heads of the query cannot share {show_dim(shape[-1])}", input=name)
        return (*broadcast(*(shape[:-1] for shape in shapes)), heads)
