"""Linear maps of the last dimension, look-up tables, and the layer that does nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netc.layer import Bool, Example, Float, Int, Layer, Reject, State, Value, Word, fixed
from netc.shapes import product, same, show_dim, show_shape
from netc.terms import Dim


class Linear(Layer):
    """Applies `y = x A^T + b` to the last dimension.

    `(N, *, in_features)` becomes `(N, *, out_features)`. See torch.nn.Linear. Stricter than torch: the batch is
    dimension 0, so a 1-dimensional input has no features.
    """

    module = "torch.nn.Linear"
    examples = (
        Example("784", "Linear(10)", "10"),
        Example("16x64", "Linear(256, bias=false)", "16x256"),
    )

    elsewhere = {"units": "out_features", "num_output": "out_features", "use_bias": "bias", "bias_term": "bias"}
    out_features = Int(min=1, doc="size of the last dimension of the output")
    bias = Bool(True, doc="adds a learned vector")

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"in_features": features(input, "in_features")}

    def infer(self, input: Value) -> Value:
        features(input, "in_features")
        return replace(input.with_dim(-1, self.out_features), channel=input.rank - 1)

    def remark(self, input: Value) -> Reject | None:
        if input.rank < 4 or input.channel is None or input.channel == input.rank - 1:
            return None
        reason = f"works on the last dimension, here the width {show_dim(input.shape[-1])}, and not on the channels"
        return Reject(reason, help="`flatten` before it, or `permute` the channels to the end", before="flatten")

    def state(self, input: Value) -> dict[str, State]:
        weight = State((self.out_features, features(input, "in_features")))
        return {"weight": weight, "bias": State((self.out_features,))} if self.bias else {"weight": weight}

    def multiply_adds(self, input: Value) -> Dim:
        return product((*input.shape, self.out_features))


class Bilinear(Layer):
    """Applies `y = x1^T A x2 + b` to the last dimensions of two inputs.

    `(N, *, in1_features)` and `(N, *, in2_features)` become `(N, *, out_features)`; the sizes before the last must
    agree. See torch.nn.Bilinear.
    """

    module = "torch.nn.Bilinear"
    inputs = ("input1", "input2")
    examples = (
        Example("20, 30", "Bilinear(40)", "40"),
        Example("7x20, 7x30", "Bilinear(4, bias=false)", "7x4"),
    )

    out_features = Int(min=1, doc="size of the last dimension of the output")
    bias = Bool(True, doc="adds a learned vector")

    def inferred(self, input1: Value, input2: Value) -> dict[str, Any]:
        return {
            "in1_features": features(input1, "in1_features", "input1"),
            "in2_features": features(input2, "in2_features", "input2"),
        }

    def infer(self, input1: Value, input2: Value) -> Value:
        self.inferred(input1, input2)
        left, right = input1.shape[:-1], input2.shape[:-1]
        if len(left) != len(right) or not all(same(a, b) for a, b in zip(left, right, strict=True)):
            raise Reject(
                f"expects two inputs that differ in the last dimension only, not {show_shape(input1.shape)} and"
                f" {show_shape(input2.shape)}",
                input="input2",
            )
        return replace(input1.with_dim(-1, self.out_features), channel=input1.rank - 1)

    def state(self, input1: Value, input2: Value) -> dict[str, State]:
        weight = State((self.out_features, *self.inferred(input1, input2).values()))
        return {"weight": weight, "bias": State((self.out_features,))} if self.bias else {"weight": weight}

    def multiply_adds(self, input1: Value, input2: Value) -> Dim:
        """Those of the products of both inputs with each other and the weight, which PyTorch's counter passes over."""
        return product((*input1.shape, input2.shape[-1], self.out_features))


class Embedding(Layer):
    """Looks up a learned vector for each integer.

    `(N, *)` of integers below `num_embeddings` becomes `(N, *, embedding_dim)`. See torch.nn.Embedding.
    """

    module = "torch.nn.Embedding"
    kinds = ("int",)
    free = True
    examples = (
        Example("12 int", "Embedding(1000, 64)", "12x64"),
        Example("5x12 int", "Embedding(50, 8, padding_idx=0)", "5x12x8"),
    )

    num_embeddings = Int(min=1, doc="size of the table: one more than the greatest integer")
    embedding_dim = Int(min=1, doc="size of each vector")
    padding_idx = Int(None, doc="the integer whose vector stays zero; negative counts from the end")
    max_norm = Float(None, doc="longer vectors are shortened to this norm when they are looked up")
    norm_type = Float(2.0, doc="the p of that norm")
    scale_grad_by_freq = Bool(False, doc="divides gradients by how often an integer occurs in the batch")
    sparse = Bool(False, doc="gives a sparse gradient, which SparseAdam, SGD and Adagrad take")

    @property
    def sparse_gradients(self) -> bool:
        return self.sparse

    def infer(self, input: Value) -> Value:
        check_padding_idx(self.padding_idx, self.num_embeddings)
        return Value((*input.shape, self.embedding_dim), channel=input.rank)

    def state(self, input: Value) -> dict[str, State]:
        return {"weight": State((self.num_embeddings, self.embedding_dim))}


class EmbeddingBag(Layer):
    """Looks up a learned vector for each integer and sums, averages or maximizes them over each bag.

    `(N, L)` integers are `N` bags and become `(N, embedding_dim)`. A flat `(L,)` of integers needs `offsets`, the
    places where its bags begin: `(B,)` of them make `(B, embedding_dim)`, one less with `include_last_offset`.
    `per_sample_weights`, shaped as the input, weigh a sum. See torch.nn.EmbeddingBag.
    """

    module = "torch.nn.EmbeddingBag"
    inputs = ("input", "offsets?", "per_sample_weights?")
    kinds = ("int", "float")
    free = True
    examples = (
        Example("12 int", "EmbeddingBag(1000, 64)", "64"),
        Example("5 int", "EmbeddingBag(50, 8, mode=max, padding_idx=0)", "8"),
    )

    num_embeddings = Int(min=1, doc="size of the table: one more than the greatest integer")
    embedding_dim = Int(min=1, doc="size of each vector")
    max_norm = Float(None, doc="longer vectors are shortened to this norm when they are looked up")
    norm_type = Float(2.0, doc="the p of that norm")
    scale_grad_by_freq = Bool(False, doc="divides gradients by how often an integer occurs; not with mode=max")
    mode = Word("sum", "mean", "max", default="mean", doc="what is made of the vectors of a bag")
    sparse = Bool(False, doc="gives a sparse gradient; not with mode=max")
    include_last_offset = Bool(False, doc="the last of `offsets` is the end of the last bag")
    padding_idx = Int(None, doc="the integer that is left out of its bag; negative counts from the end")

    def admit(self, *inputs: Value) -> None:
        """Refuses integers where numbers belong and the reverse; named inputs are checked with the shapes."""
        self._expect(inputs[0], "int", "input")

    @property
    def sparse_gradients(self) -> bool:
        return self.sparse

    def infer(self, input: Value, offsets: Value | None = None, per_sample_weights: Value | None = None) -> Value:
        check_padding_idx(self.padding_idx, self.num_embeddings)
        self._check_mode(input, per_sample_weights)
        bags = input.shape[0]
        if input.rank == 1:
            if offsets is None or offsets.rank != 1:
                raise Reject("needs 1-dimensional `offsets` to cut a flat input into bags", input="offsets")
            self._expect(offsets, "int", "offsets")
            bags = offsets.shape[0] - 1 if self.include_last_offset else offsets.shape[0]
        elif input.rank != 2:
            raise Reject(f"expects bags of integers, (batch, length), not {show_shape(input.shape)}", input="input")
        elif offsets is not None:
            raise Reject("takes no `offsets` where each row of the input is a bag", input="offsets")
        return Value((bags, self.embedding_dim))

    def state(self, input: Value, offsets: Value | None = None, per_sample_weights: Value | None = None,
              ) -> dict[str, State]:  # fmt: skip
        return {"weight": State((self.num_embeddings, self.embedding_dim))}

    def _check_mode(self, input: Value, weights: Value | None) -> None:
        for name in ("scale_grad_by_freq", "sparse"):
            if self.mode == "max" and getattr(self, name):
                raise Reject(f"has no {name} with mode=max", field=name)
        if weights is None:
            return
        if self.mode != "sum":
            raise Reject(
                f"takes `per_sample_weights` with mode=sum only, not with mode={self.mode}",
                field="mode",
                help="write mode=sum",
            )
        self._expect(weights, "float", "per_sample_weights")
        if weights.rank != input.rank or not all(same(a, b) for a, b in zip(weights.shape, input.shape, strict=True)):
            raise Reject(
                f"expects `per_sample_weights` shaped as the input, {show_shape(input.shape)}, not"
                f" {show_shape(weights.shape)}",
                input="per_sample_weights",
            )

    def _expect(self, value: Value, kind: str, name: str) -> None:
        if value.kind != kind:
            raise Reject(f"expects {kind} values, not {value.kind}", input=name)


class one_hot(Layer):  # named as the function that it is
    """Makes of each integer a row of zeros with a one at its place.

    `(N, *)` of integers below `num_classes` to integers `(N, *, num_classes)`. Stricter than torch: `num_classes` is
    required, since torch would look for the greatest integer in each batch.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.one_hot.html
    """

    function = "torch.nn.functional.one_hot"
    kinds = ("int",)
    free = True
    num_classes = Int(min=1, doc="size of the row: one more than the greatest integer")
    examples = (Example("12 int", "one_hot(10)", "12x10 int"), Example("int", "one_hot(4)", "4 int"))

    def infer(self, input: Value) -> Value:
        return Value((*input.shape, self.num_classes), "int", input.rank)


class Identity(Layer):
    """Gives back what it takes, of any shape and kind. See torch.nn.Identity."""

    module = "torch.nn.Identity"
    kinds = None
    free = True
    examples = (
        Example("3x32x32", "Identity()", "3x32x32"),
        Example("10 int", "Identity()", "10 int"),
    )

    def infer(self, input: Value) -> Value:
        return input


def features(input: Value, name: str, source: str = "input") -> int:
    """The size of the last dimension, which a constructor is given."""
    if input.rank < 2:
        raise Reject(
            f"expects features after the batch, not {show_shape(input.shape)}",
            input=source,
            help="give each example a dimension of its own: `unsqueeze(1)`",
        )
    return fixed(input.shape[-1], name)


def check_padding_idx(index: int | None, size: int) -> None:
    """Refuses a row that the table does not have."""
    if index is not None and not -size <= index < size:
        raise Reject(
            f"padding_idx={show_dim(index)} is no row of a table of {show_dim(size)}",
            field="padding_idx",
            help=f"its rows are 0 to {show_dim(size - 1)}",
        )


class linear(Layer):
    """Applies `y = x W^T + b` to the last dimension, with a weight and a bias that are given.

    (N, *, in_features), weight (out_features, in_features) and bias (out_features) to (N, *, out_features).
    Stricter than torch: the weight has 2 dimensions.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
    """

    function = "torch.nn.functional.linear"
    inputs = ("input", "weight", "bias?")
    examples = (Example("8, (4, 8)", "linear", "4"),)

    def infer(self, input: Value, weight: Value, bias: Value | None = None) -> Value:
        if weight.rank != 2:
            raise Reject(f"needs a weight of 2 dimensions, not {weight}", input="weight")
        if not same(weight.shape[1], input.shape[-1]):
            raise Reject(f"cannot apply a weight of shape {weight} to {input}", input="weight")
        if bias is not None and not (bias.rank == 1 and same(bias.shape[0], weight.shape[0])):
            raise Reject(f"cannot add a bias of shape {bias} to {weight.shape[0]} features", input="bias")
        return replace(input.with_dim(-1, weight.shape[0]), channel=input.rank - 1)

    def multiply_adds(self, input: Value, weight: Value, bias: Value | None = None) -> Dim:
        return product((*input.shape, weight.shape[0]))
