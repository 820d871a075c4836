"""Transformers: attention and a feed-forward network on each position, with residuals and norms around them."""

from __future__ import annotations

from typing import Any, ClassVar

from netc.layer import Bool, Example, Float, Int, Layer, Reject, State, Value, Word, fixed
from netc.shapes import nearest_divisors, product, same, show_dim, show_shape
from netc.terms import Dim, Term
from netc_std.attention import attended, fits

NHEAD = Int(min=1, doc="number of attention's heads, which share the features")
FEEDFORWARD = Int(2048, min=1, doc="features between the two linear maps of the feed-forward network")
DROPOUT = Float(0.1, min=0.0, max=1.0, doc="probability with which a value is left out in training")
ACTIVATION = Word("relu", "gelu", default="relu", doc="between the two linear maps")
LAYER_NORM_EPS = Float(1e-5, doc="added to the variance of the norms")
BATCH_FIRST = Bool(False, doc="the batch is dimension 0, not 1")
NORM_FIRST = Bool(False, doc="the norms stand before attention and feed-forward, not behind the sums")
BIAS = Bool(True, doc="adds learned vectors to linear maps and norms")


class Transforming(Layer):
    """What the layers here have in common: sequences of one width, and masks of them."""

    kinds = ("float", "bool")
    sequences: ClassVar[tuple[str, ...]]
    nhead: Any
    dim_feedforward: Any
    batch_first: Any
    bias: Any

    def admit(self, *inputs: Value) -> None:
        """Refuses other than float sequences, and masks of integers."""
        super().admit(*inputs)
        for name, value in zip(self.sequences, inputs, strict=False):
            if value.kind != "float":
                raise Reject(f"expects float values, not {value.kind}", input=name)
            if value.rank != 3:
                shape = show_shape(value.shape)
                raise Reject(f"expects sequences: 3 dimensions, the batch counted, not {shape}", input=name)

    def remark(self, first: Value, *others: Any) -> Reject | None:
        """Arguments as PyTorch orders them, and attention over the batch by its default."""
        if self.nhead == first.shape[2] and self.dim_feedforward < self.nhead:
            call = f"`{type(self).__name__}({self.dim_feedforward})`"
            return Reject(f"has {self.nhead} heads, as many as features", field="nhead",
                          help=f"the number of features is not written: {call}")  # fmt: skip
        if self.batch_first or not isinstance(first.shape[0], Term) or isinstance(first.shape[1], Term):
            return None
        return Reject("attends over dimension 0, the batch", help="write `batch_first=true`")

    def inferred(self, first: Value, *others: Any) -> dict[str, Any]:
        return {"d_model": fixed(first.shape[2], "d_model")}

    def checked(self, *sequences: Value) -> int:
        """The features that all sequences have, which the heads divide."""
        features = fixed(sequences[0].shape[2], "d_model")
        if features % self.nhead:
            raise Reject(
                f"cannot split {features} features among {self.nhead} heads", field="nhead",
                help=f"numbers that divide them: {nearest_divisors(self.nhead, (features,))}",
            )  # fmt: skip
        batch = 0 if self.batch_first else 1
        for name, other in zip(self.sequences[1:], sequences[1:], strict=True):
            if not same(other.shape[2], features):
                raise Reject(
                    f"expects {features} features in both sequences, not {show_dim(other.shape[2])}", input=name,
                    help=f"bring them there with `Linear({features})`",
                )  # fmt: skip
            if not same(other.shape[batch], sequences[0].shape[batch]):
                shapes = " and ".join(show_shape(s.shape) for s in sequences)
                raise Reject(f"expects one batch, dimension {batch}, in {shapes}", input=name)
        return features

    def check_mask(self, name: str, mask: Value | None, target: Value, source: Value) -> None:
        """A mask of the positions of `source` (L, S), one for all or one for each head of each example."""
        batch, length = self.sizes(target)
        _, past = self.sizes(source)
        if mask is None:
            return
        each = (batch * self.nhead, length, past)
        if not fits(mask, each[1:] if mask.rank == 2 else each):
            found, wanted = show_shape(mask.shape), f"{show_shape(each[1:])} or {show_shape(each)}"
            raise Reject(f"expects a `{name}` of {wanted}, not {found}", input=name)

    def check_padding(self, name: str, mask: Value | None, source: Value) -> None:
        """A mask of each example's positions (N, S)."""
        if mask is not None and not fits(mask, self.sizes(source)):
            found = show_shape(mask.shape)
            raise Reject(f"expects a `{name}` of {show_shape(self.sizes(source))}, not {found}", input=name)

    def check_causal(self, field: str, mask: Value | None, name: str) -> None:
        if vars(self).get(field) and mask is None:
            raise Reject(f"needs `{name}` with `{field}=true`", field=field)

    def sizes(self, sequence: Value) -> tuple[Dim, Dim]:
        """The batch and the length."""
        one, other = sequence.shape[:2]
        return (one, other) if self.batch_first else (other, one)

    def attention_state(self, name: str, features: int) -> dict[str, State]:
        biased = {f"{name}.in_proj_bias": State((3 * features,))} if self.bias else {}
        out = linear_state(f"{name}.out_proj", features, features, self.bias)
        return {f"{name}.in_proj_weight": State((3 * features, features)), **biased, **out}

    def layer_state(self, features: int, attentions: tuple[str, ...]) -> dict[str, State]:
        """What one layer keeps: its attentions, then the feed-forward network, then a norm behind each."""
        state: dict[str, State] = {}
        for name in attentions:
            state |= self.attention_state(name, features)
        state |= linear_state("linear1", features, self.dim_feedforward, self.bias)
        state |= linear_state("linear2", self.dim_feedforward, features, self.bias)
        for number in range(1, len(attentions) + 2):
            state |= norm_state(f"norm{number}", features, self.bias)
        return state


    def attention(self, queries: Value, keys: Value) -> Dim:
        """The multiply-adds of one attention, its four projections too."""
        (batch, length), (_, source), features = self.sizes(queries), self.sizes(keys), queries.shape[2]
        projected = batch * 2 * (length + source) * features * features
        return projected + attended(batch, length, source, features)

    def layer_cost(self, own: Value, other: Value | None = None) -> Dim:
        """The multiply-adds of one layer: attention to itself, to another sequence, the feed-forward network."""
        across = self.attention(own, other) if other is not None else 0
        return self.attention(own, own) + across + 2 * product((*own.shape, self.dim_feedforward))


class TransformerEncoderLayer(Transforming):
    """Self-attention and a feed-forward network, each with a residual and a norm.

    (N, L, E) with `batch_first`, else (L, N, E), to the same. `src_mask` (L, L) or (N * nhead, L, L) and
    `src_key_padding_mask` (N, L) are true where nothing may be gathered, or are added to the products. Several in a
    row are written `encoder: (layers: 6 * TransformerEncoderLayer(8))`, which has the names of
    torch.nn.TransformerEncoder. Stricter than torch: the input is a batch, and no integer masks. See Vaswani et al.
    (2017). https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html
    """

    module = "torch.nn.TransformerEncoderLayer"
    sequences = ("src",)
    inputs = ("src", "src_mask?", "src_key_padding_mask?")
    at_call = ("is_causal",)
    examples = (
        Example("10x64", "TransformerEncoderLayer(8, batch_first=true)", "10x64"),
        Example("10x16", "TransformerEncoderLayer(2, 32, activation=gelu, norm_first=true, batch_first=true)", "10x16"),
        Example("10x16, (10, 10), 10 bool", "TransformerEncoderLayer(4, 32, bias=false, batch_first=true)", "10x16"),
        Example("(10, 2, 8), (10, 10) bool", "TransformerEncoderLayer(2, 16, is_causal=true)", "(10, 2, 8)"),
    )  # fmt: skip

    nhead, dim_feedforward, dropout, activation = NHEAD, FEEDFORWARD, DROPOUT, ACTIVATION
    layer_norm_eps, batch_first, norm_first, bias = LAYER_NORM_EPS, BATCH_FIRST, NORM_FIRST, BIAS
    is_causal = Bool(False, doc="promises that `src_mask` is the causal one")

    def infer(self, src: Value, src_mask: Value | None = None, src_key_padding_mask: Value | None = None) -> Value:
        self.checked(src)
        self.check_mask("src_mask", src_mask, src, src)
        self.check_padding("src_key_padding_mask", src_key_padding_mask, src)
        self.check_causal("is_causal", src_mask, "src_mask")
        return Value(src.shape, channel=2)

    def state(self, src: Value, *masks: Any) -> dict[str, State]:
        return self.layer_state(fixed(src.shape[2], "d_model"), ("self_attn",))

    def multiply_adds(self, src: Value, *masks: Any) -> Dim:
        return self.layer_cost(src)


class TransformerDecoderLayer(Transforming):
    """Self-attention, attention to what an encoder made, and a feed-forward network, each with a residual and a norm.

    `tgt` (N, L, E) and `memory` (N, S, E) with `batch_first`, else (L, N, E) and (S, N, E), to the shape of `tgt`.
    `tgt_mask` (L, L) and `memory_mask` (L, S), or one for each head (N * nhead, L, …), and the padding masks
    (N, L) and (N, S) are true where nothing may be gathered, or are added to the products. Stricter than torch: the
    inputs are batches, and no integer masks. See Vaswani et al. (2017).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html
    """

    module = "torch.nn.TransformerDecoderLayer"
    sequences = ("tgt", "memory")
    inputs = (
        "tgt", "memory", "tgt_mask?", "memory_mask?", "tgt_key_padding_mask?", "memory_key_padding_mask?",
    )  # fmt: skip
    at_call = ("tgt_is_causal", "memory_is_causal")
    examples = (
        Example("10x64, 12x64", "TransformerDecoderLayer(8, batch_first=true)", "10x64"),
        Example("(10, 2, 8), (5, 2, 8)", "TransformerDecoderLayer(2, 16, norm_first=true)", "(10, 2, 8)"),
        Example("7x8, 5x8, (7, 7), (7, 5), 7, 5", "TransformerDecoderLayer(2, 16, batch_first=true)", "7x8"),
        Example("7x8, 5x8, (7, 7) bool", "TransformerDecoderLayer(2, 16, bias=false, batch_first=true, "
                "tgt_is_causal=true)", "7x8"),
    )  # fmt: skip

    nhead, dim_feedforward, dropout, activation = NHEAD, FEEDFORWARD, DROPOUT, ACTIVATION
    layer_norm_eps, batch_first, norm_first, bias = LAYER_NORM_EPS, BATCH_FIRST, NORM_FIRST, BIAS
    tgt_is_causal = Bool(False, doc="promises that `tgt_mask` is the causal one")
    memory_is_causal = Bool(False, doc="promises that `memory_mask` is the causal one")

    def infer(
        self, tgt: Value, memory: Value, tgt_mask: Value | None = None, memory_mask: Value | None = None,
        tgt_key_padding_mask: Value | None = None, memory_key_padding_mask: Value | None = None,
    ) -> Value:  # fmt: skip
        self.checked(tgt, memory)
        self.check_mask("tgt_mask", tgt_mask, tgt, tgt)
        self.check_mask("memory_mask", memory_mask, tgt, memory)
        self.check_padding("tgt_key_padding_mask", tgt_key_padding_mask, tgt)
        self.check_padding("memory_key_padding_mask", memory_key_padding_mask, memory)
        self.check_causal("tgt_is_causal", tgt_mask, "tgt_mask")
        self.check_causal("memory_is_causal", memory_mask, "memory_mask")
        return Value(tgt.shape, channel=2)

    def state(self, tgt: Value, *others: Any) -> dict[str, State]:
        return self.layer_state(fixed(tgt.shape[2], "d_model"), ("self_attn", "multihead_attn"))

    def multiply_adds(self, tgt: Value, memory: Value, *masks: Any) -> Dim:
        return self.layer_cost(tgt, memory)


class Transformer(Transforming):
    """An encoder of one sequence and a decoder of another that attends to it, without embeddings and head.

    `src` (N, S, E) and `tgt` (N, L, E) with `batch_first`, else (S, N, E) and (L, N, E), to the shape of `tgt`. The
    masks of both, and that of what the decoder gathers from the encoder, are as those of its layers. Stricter than
    torch: the inputs are batches, and no integer masks. See Vaswani et al., "Attention Is All You Need" (2017).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Transformer.html
    """

    module = "torch.nn.Transformer"
    sequences = ("src", "tgt")
    inputs = (
        "src", "tgt", "src_mask?", "tgt_mask?", "memory_mask?", "src_key_padding_mask?", "tgt_key_padding_mask?",
        "memory_key_padding_mask?",
    )  # fmt: skip
    at_call = ("src_is_causal", "tgt_is_causal", "memory_is_causal")
    examples = (
        Example("12x64, 10x64", "Transformer(8, 2, 3, 128, batch_first=true)", "10x64"),
        Example("(5, 2, 8), (10, 2, 8)", "Transformer(2, 1, 1, 16, norm_first=true, bias=false)", "(10, 2, 8)"),
        Example("5x8, 7x8, (5, 5), (7, 7), (7, 5), 5, 7, 5", "Transformer(2, 1, 1, 16, batch_first=true)", "7x8"),
    )  # fmt: skip

    nhead = Int(8, min=1, doc="number of attention's heads, which share the features")
    num_encoder_layers = Int(6, min=1, doc="layers of the encoder")
    num_decoder_layers = Int(6, min=1, doc="layers of the decoder")
    dim_feedforward, dropout, activation = FEEDFORWARD, DROPOUT, ACTIVATION
    layer_norm_eps, batch_first, norm_first, bias = LAYER_NORM_EPS, BATCH_FIRST, NORM_FIRST, BIAS
    src_is_causal = Bool(None, doc="promises that `src_mask` is the causal one; none lets torch look")
    tgt_is_causal = Bool(None, doc="promises that `tgt_mask` is the causal one; none lets torch look")
    memory_is_causal = Bool(False, doc="promises that `memory_mask` is the causal one")

    def infer(
        self, src: Value, tgt: Value, src_mask: Value | None = None, tgt_mask: Value | None = None,
        memory_mask: Value | None = None, src_key_padding_mask: Value | None = None,
        tgt_key_padding_mask: Value | None = None, memory_key_padding_mask: Value | None = None,
    ) -> Value:  # fmt: skip
        self.checked(src, tgt)
        self.check_mask("src_mask", src_mask, src, src)
        self.check_mask("tgt_mask", tgt_mask, tgt, tgt)
        self.check_mask("memory_mask", memory_mask, tgt, src)
        self.check_padding("src_key_padding_mask", src_key_padding_mask, src)
        self.check_padding("tgt_key_padding_mask", tgt_key_padding_mask, tgt)
        self.check_padding("memory_key_padding_mask", memory_key_padding_mask, src)
        self.check_causal("src_is_causal", src_mask, "src_mask")
        self.check_causal("tgt_is_causal", tgt_mask, "tgt_mask")
        self.check_causal("memory_is_causal", memory_mask, "memory_mask")
        return Value(tgt.shape, channel=2)

    def state(self, src: Value, *others: Any) -> dict[str, State]:
        features = fixed(src.shape[2], "d_model")
        sides = (
            ("encoder", self.num_encoder_layers, self.layer_state(features, ("self_attn",))),
            ("decoder", self.num_decoder_layers, self.layer_state(features, ("self_attn", "multihead_attn"))),
        )
        state: dict[str, State] = {}
        for side, count, layer in sides:
            state |= {f"{side}.layers.{i}.{name}": tensor for i in range(count) for name, tensor in layer.items()}
            state |= norm_state(f"{side}.norm", features, self.bias)
        return state

    def multiply_adds(self, src: Value, tgt: Value, *masks: Any) -> Dim:
        return self.num_encoder_layers * self.layer_cost(src) + self.num_decoder_layers * self.layer_cost(tgt, src)


def linear_state(name: str, inputs: int, outputs: int, bias: bool) -> dict[str, State]:
    weight = {f"{name}.weight": State((outputs, inputs))}
    return {**weight, f"{name}.bias": State((outputs,))} if bias else weight


def norm_state(name: str, features: int, bias: bool) -> dict[str, State]:
    weight = {f"{name}.weight": State((features,))}
    return {**weight, f"{name}.bias": State((features,))} if bias else weight
