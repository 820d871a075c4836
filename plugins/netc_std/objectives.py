"""Losses of more tensors than an output and a target, for networks that compute their own: functions in `forward`.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from typing import Any

from netc.layer import Bool, Example, Float, Int, Layer, Reject, Value, Word
from netc.shapes import Shape, at_least, same, show_dim, show_shape
from netc_std.axes import broadcast


class WordNone(Word):
    """Takes a bare `none` for the word, which torch spells "none"."""

    def accept(self, value: object) -> str | None:
        return super().accept("none" if value is None else value)


def reduction() -> WordNone:
    doc = "the mean of all, their sum, or each for itself"
    return WordNone("mean", "sum", "none", default="mean", doc=doc)


class Objective(Layer):
    """A loss of several tensors."""

    free = True
    reduction: Any
    positional = 0

    def function_arguments(self, *inputs: Value) -> dict[str, Any]:
        return {**self.given(), "reduction": self.reduction or "none"}

    def reduced(self, shape: Shape) -> Value:
        """What comes out where each loss for itself has a shape."""
        return Value(shape if self.reduction == "none" else (), channel=None)


class triplet_margin_loss(Objective):
    """How far an anchor is from what is like it, less how far from what is not, plus a margin.

    Three tensors (…, C) to a number, or with `reduction=none` to one for each vector (…); shapes broadcast.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html
    """

    function = "torch.nn.functional.triplet_margin_loss"
    inputs = ("anchor", "positive", "negative")
    margin = Float(1.0, above=0, doc="The lead that is enough.")
    p = Float(2.0, doc="Which norm of the differences.")
    eps = Float(1e-6, doc="Added to each difference.")
    swap = Bool(False, doc="Takes the distance of positive and negative where it is less than the anchor's.")
    reduction = reduction()
    examples = (
        Example("16, 16, 16", "triplet_margin_loss", "()"),
        Example("16, 16, 16", "triplet_margin_loss(margin=0.5, swap=true, reduction=none)", "float"),
    )

    def infer(self, anchor: Value, positive: Value, negative: Value) -> Value:
        if len({tensor.rank for tensor in (anchor, positive, negative)}) > 1:
            raise Reject(f"expects three tensors of as many dimensions, not {anchor}, {positive} and {negative}")
        pairs = [(anchor, positive), (anchor, negative), *([(positive, negative)] if self.swap else [])]
        return self.reduced(broadcast(*(broadcast(a.shape, b.shape)[:-1] for a, b in pairs)))


class cosine_embedding_loss(Objective):
    """One minus the cosine of two vectors where the target is 1; what their cosine exceeds a margin by where it is -1.

    Two tensors (N, C) and targets (N) to a number, or with `reduction=none` to (N). Stricter than torch:
    the vectors are of floats.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html
    """

    function = "torch.nn.functional.cosine_embedding_loss"
    inputs = ("input1", "input2", "target")
    kinds = ("float", "int")
    ranks = (2,)
    margin = Float(0.0, doc="The cosine that is small enough, -1 to 1.")
    reduction = reduction()
    examples = (
        Example("16, 16, int", "cosine_embedding_loss", "()"),
        Example("16, 16, float", "cosine_embedding_loss(margin=0.5, reduction=none)", "float"),
    )

    def infer(self, input1: Value, input2: Value, target: Value) -> Value:
        for name, value in (("input1", input1), ("input2", input2)):
            if value.kind != "float":
                raise Reject(f"expects float values, not {value.kind}", input=name)
        both = broadcast(input1.shape, input2.shape)
        if input2.rank != 2 or target.rank != 1 or not same(both[0], target.shape[0]):
            shown = f"{show_shape(input1.shape)}, {show_shape(input2.shape)} and {show_shape(target.shape)}"
            raise Reject(f"expects (N, C), (N, C) and a target (N), not {shown}", input="target")
        return self.reduced(both[:1])


class margin_ranking_loss(Objective):
    """By how much the first score should exceed the second, and does not, where the target is 1; the reverse where -1.

    Three tensors of one shape to a number, or with `reduction=none` to that shape; shapes broadcast.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html
    """

    function = "torch.nn.functional.margin_ranking_loss"
    inputs = ("input1", "input2", "target")
    margin = Float(0.0, doc="The lead that is enough.")
    reduction = reduction()
    examples = (
        Example("float, float, float", "margin_ranking_loss", "()"),
        Example("5, 5, 5", "margin_ranking_loss(margin=0.1, reduction=none)", "5"),
    )

    def infer(self, input1: Value, input2: Value, target: Value) -> Value:
        if len({tensor.rank for tensor in (input1, input2, target)}) > 1:
            raise Reject(f"expects three tensors of as many dimensions, not {input1}, {input2} and {target}")
        return self.reduced(broadcast(input1.shape, input2.shape, target.shape))


class gaussian_nll_loss(Objective):
    """Negative log-likelihood of a target under normal distributions of which means and variances are given.

    Means, targets and variances of one shape to a number, or with `reduction=none` to that shape.
    Stricter than torch: the three have one shape.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html
    """

    function = "torch.nn.functional.gaussian_nll_loss"
    inputs = ("input", "target", "var")
    full = Bool(False, doc="Adds what does not depend on the network.")
    eps = Float(1e-6, above=0, doc="The least variance.")
    reduction = reduction()
    examples = (
        Example("5, 5, 5", "gaussian_nll_loss", "()"),
        Example("5, 5, 5", "gaussian_nll_loss(full=true, reduction=none)", "5"),
    )

    def infer(self, input: Value, target: Value, var: Value) -> Value:
        for name, value in (("target", target), ("var", var)):
            if value.rank != input.rank or not all(map(same, value.shape, input.shape)):
                raise Reject(f"expects a `{name}` of {show_shape(input.shape)}, not {show_shape(value.shape)}",
                             input=name)  # fmt: skip
        return self.reduced(input.shape)


class ctc_loss(Objective):
    """Negative log-likelihood of sequences over all ways to line them up with longer outputs, blanks between.

    Log-probabilities (T, N, C), class numbers (N, S), and the lengths of both (N) to a number, or with
    `reduction=none` to (N). Stricter than torch: the targets are padded to one length. See Graves and others (2006).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html
    """

    function = "torch.nn.functional.ctc_loss"
    inputs = ("log_probs", "targets", "input_lengths", "target_lengths")
    kinds = ("float", "int")
    ranks = (3,)
    blank = Int(0, min=0, doc="The class of the blank.")
    reduction = reduction()
    zero_infinity = Bool(False, doc="Counts outputs too short for their target as no loss.")
    examples = (
        Example("(12, 2, 5), (2, 4) int, (2,) int, (2,) int", "ctc_loss", "()"),
        Example("(12, 2, 5), (2, 4) int, (2,) int, (2,) int", "ctc_loss(reduction=none)", "(2,)"),
    )

    def infer(self, log_probs: Value, targets: Value, input_lengths: Value, target_lengths: Value) -> Value:
        batch, classes = log_probs.shape[1], log_probs.shape[2]
        if log_probs.kind != "float":
            raise Reject(f"expects float values, not {log_probs.kind}", input="log_probs")
        rest = {"targets": (targets, 2), "input_lengths": (input_lengths, 1), "target_lengths": (target_lengths, 1)}
        for name, (value, rank) in rest.items():
            if value.kind != "int":
                raise Reject(f"expects integers, not {value.kind}", input=name)
            if value.rank != rank or not same(value.shape[0], batch):
                wanted = f"({show_dim(batch)},{' S' * (rank - 1)})"
                raise Reject(f"expects {wanted}, not {show_shape(value.shape)}", input=name)
        if not at_least(classes, self.blank + 1):
            raise Reject(f"there are the classes 0 to {show_dim(classes - 1)}", field="blank")
        return self.reduced((batch,))
