"""Attention: each position of a sequence gathers from the positions of a sequence what resembles it."""

from __future__ import annotations

from typing import Any

from netc.layer import Bool, Example, Float, Int, Layer, Reject, State, Value, fixed
from netc.shapes import nearest_divisors, same, show_shape
from netc.terms import Dim, Term


class MultiheadAttention(Layer):
    """Attends with several heads at once: softmax of scaled products of queries and keys, times the values.

    `query` (N, L, E), `key` (N, S, K) and `value` (N, S, V) to (N, L, E) and the attention weights (N, L, S), or
    (N, num_heads, L, S) with `average_attn_weights=false`; without `need_weights` they are left out. Alone, the query
    is the key, too, and a key alone the value: self-attention. `key_padding_mask` (N, S) and `attn_mask` (L, S) or
    (N * num_heads, L, S) are true where nothing may be gathered, or are added to the products. Without `batch_first`
    the batch is dimension 1. Stricter than torch: there are always 3 dimensions, and no integer masks.
    See torch.nn.MultiheadAttention and Vaswani et al., "Attention Is All You Need" (2017).
    """

    module = "torch.nn.MultiheadAttention"
    nullable = ("bias_k", "bias_v")
    inputs = ("query", "key=query", "value=key", "key_padding_mask?", "attn_mask?")
    kinds = ("float", "bool")
    at_call = ("need_weights", "average_attn_weights", "is_causal")
    examples = (
        Example("197x768", "MultiheadAttention(12, batch_first=true, need_weights=false)", "197x768"),
        Example("10x64, 16x64", "MultiheadAttention(8, 0.1, batch_first=true)", "10x64, 10x16"),
        Example("10x64, 16x32, 16x48", "MultiheadAttention(8, bias=false, batch_first=true)", "10x64, 10x16"),
        Example("10x16, 10x16, 10x16, 10 bool", "MultiheadAttention(4, batch_first=true)", "10x16, 10x10"),
        Example("10x16, 10x16, 10x16, 10, (10, 10)", "MultiheadAttention(4, batch_first=true)", "10x16, 10x10"),
        Example("(10, 2, 8)", "MultiheadAttention(2, add_bias_kv=true, add_zero_attn=true)", "(10, 2, 8), (2, 10, 12)"),
        Example("3x8", "MultiheadAttention(2, batch_first=true, average_attn_weights=false)", "3x8, 2x3x3"),
    )  # fmt: skip

    num_heads = Int(min=1, doc="number of heads, which share the features")
    dropout = Float(0.0, min=0.0, max=1.0, doc="probability with which a weight is left out in training")
    bias = Bool(True, doc="adds learned vectors to the projections")
    add_bias_kv = Bool(False, doc="appends a learned key and value to the sequence")
    add_zero_attn = Bool(False, doc="appends a key and value of zeros to the sequence")
    kdim = Int(None, min=1, doc="features of the key, which follow from it")
    vdim = Int(None, min=1, doc="features of the value, which follow from it")
    batch_first = Bool(False, doc="the batch is dimension 0, not 1")
    need_weights = Bool(True, doc="gives the attention weights, too; without, faster kernels can be used")
    average_attn_weights = Bool(True, doc="averages the weights over the heads")
    is_causal = Bool(False, doc="promises that `attn_mask` is the causal one")

    def admit(self, *inputs: Value) -> None:
        """Refuses other than float sequences, and masks of integers."""
        super().admit(*inputs)
        for name, value in zip(self.input_names(3), inputs[:3], strict=False):
            if value.kind != "float":
                raise Reject(f"expects float values, not {value.kind}", input=name)
            if value.rank != 3:
                shape = show_shape(value.shape)
                raise Reject(f"expects sequences: 3 dimensions, the batch counted, not {shape}", input=name)

    def remark(self, query: Value, *others: Any) -> Reject | None:
        """What torch does by default and few want here: to attend over the batch."""
        if self.batch_first or not isinstance(query.shape[0], Term) or isinstance(query.shape[1], Term):
            return None
        return Reject("attends over dimension 0, the batch", help="write `batch_first=true`")

    def inferred(self, query: Value, *others: Any) -> dict[str, Any]:
        return {"embed_dim": fixed(query.shape[-1], "embed_dim")}

    def arguments(
        self, query: Value, key: Value | None = None, value: Value | None = None, *masks: Any
    ) -> dict[str, Any]:
        embed, kdim, vdim = self.widths(query, key, value)
        given = {name: field for name, field in self.given().items() if name not in self.at_call}
        given |= {"kdim": kdim if self.kdim or kdim != embed else None}
        given |= {"vdim": vdim if self.vdim or vdim != embed else None}
        return {"embed_dim": embed, **given}

    def widths(self, query: Value, key: Value | None, value: Value | None) -> tuple[int, int, int]:
        """The features of the query, the key and the value."""
        key = query if key is None else key
        value = key if value is None else value
        return (
            fixed(query.shape[-1], "embed_dim"), fixed(key.shape[-1], "kdim"), fixed(value.shape[-1], "vdim")
        )  # fmt: skip

    def infer(
        self, query: Value, key: Value | None = None, value: Value | None = None,
        key_padding_mask: Value | None = None, attn_mask: Value | None = None,
    ) -> tuple[Value, ...]:  # fmt: skip
        key = query if key is None else key
        value = key if value is None else value
        embed, kdim, vdim = self.widths(query, key, value)
        if embed % self.num_heads:
            raise Reject(
                f"cannot split {embed} features among {self.num_heads} heads", field="num_heads",
                help=f"numbers that divide them: {nearest_divisors(self.num_heads, (embed,))}",
            )  # fmt: skip
        for name, stated, found in (("kdim", self.kdim, kdim), ("vdim", self.vdim, vdim)):
            if stated is not None and stated != found:
                raise Reject(f"would have {name}={stated}, but {found} features reach it", field=name,
                             help=f"leave `{name}` out")  # fmt: skip
        sequence = 1 if self.batch_first else 0
        batch, length, source = query.shape[1 - sequence], query.shape[sequence], key.shape[sequence]
        self._check_sequences(query, key, value)
        self._check_masks(batch, length, source, key_padding_mask, attn_mask)
        if self.is_causal and attn_mask is None:
            raise Reject("needs an `attn_mask` with `is_causal=true`", field="is_causal")
        attended = Value(query.shape, channel=2)
        if not self.need_weights:
            return (attended,)
        total: Dim = source + int(self.add_bias_kv) + int(self.add_zero_attn)
        heads = () if self.average_attn_weights else (self.num_heads,)
        return attended, Value((batch, *heads, length, total), channel=None)

    def multiply_adds(
        self, query: Value, key: Value | None = None, value: Value | None = None, *masks: Any
    ) -> Dim:  # fmt: skip
        key = query if key is None else key
        embed, kdim, vdim = self.widths(query, key, value)
        batch, length = query.shape[:2] if self.batch_first else query.shape[1::-1]
        source = key.shape[1 if self.batch_first else 0]
        projected = embed * (length * 2 * embed + source * (kdim + vdim))
        total = source + int(self.add_bias_kv) + int(self.add_zero_attn)
        return batch * projected + attended(batch, length, total, embed)

    def _check_sequences(self, query: Value, key: Value, value: Value) -> None:
        batch = 0 if self.batch_first else 1
        if not same(query.shape[batch], key.shape[batch]):
            raise Reject(
                f"expects one batch, dimension {batch}, in query {show_shape(query.shape)} and key"
                f" {show_shape(key.shape)}", input="key",
            )  # fmt: skip
        if not all(same(a, b) for a, b in zip(key.shape[:2], value.shape[:2], strict=True)):
            raise Reject(
                f"expects a value for each key, not key {show_shape(key.shape)} and value {show_shape(value.shape)}",
                input="value",
            )

    def _check_masks(self, batch: Dim, length: Dim, source: Dim, padding: Value | None, mask: Value | None) -> None:
        if padding is not None and not fits(padding, (batch, source)):
            raise Reject(
                f"expects a `key_padding_mask` of {show_shape((batch, source))}, not {show_shape(padding.shape)}",
                input="key_padding_mask",
            )
        each = (batch * self.num_heads, length, source)
        if mask is not None and not fits(mask, (length, source) if mask.rank == 2 else each):
            raise Reject(
                f"expects an `attn_mask` of {show_shape(each[1:])} or {show_shape(each)}, not {show_shape(mask.shape)}",
                input="attn_mask",
            )

    def state(
        self, query: Value, key: Value | None = None, value: Value | None = None, *masks: Any
    ) -> dict[str, State]:
        embed, kdim, vdim = self.widths(query, key, value)
        if embed == kdim == vdim:
            state = {"in_proj_weight": State((3 * embed, embed))}
        else:
            sizes = {"q": embed, "k": kdim, "v": vdim}
            state = {f"{name}_proj_weight": State((embed, size)) for name, size in sizes.items()}
        if self.bias:
            state["in_proj_bias"] = State((3 * embed,))
        if self.add_bias_kv:
            state["bias_k"] = state["bias_v"] = State((1, 1, embed))
        state["out_proj.weight"] = State((embed, embed))
        if self.bias:
            state["out_proj.bias"] = State((embed,))
        return state


def attended(batch: Dim, length: Dim, source: Dim, features: Dim) -> Dim:
    """The multiply-adds between the projections: those of queries and keys, and of weights and values."""
    return 2 * batch * length * source * features


def fits(mask: Value, shape: tuple[Dim, ...]) -> bool:
    """Whether a mask has a shape; a size that only a run decides is assumed to fit."""
    return mask.rank == len(shape) and all(same(a, b) for a, b in zip(mask.shape, shape, strict=True))
