"""Losses: what they ask of the output and of the target."""

from __future__ import annotations

from netc.layer import Float, Int, Numbers, Reject, Word
from netc.recipe import Loss, Target
from netc.shapes import Shape, Value, same, show_dim, show_shape


def reduction() -> Word:
    return Word("mean", "sum", default="mean", doc="The mean over the batch, or its sum.")


def expect_classes(output: Value, target: Target, loss: str) -> None:
    """(N, C) or (N, C, d1, ...) against class numbers, with C as the data has it."""
    if target.kind != "class":
        raise Reject(f"{loss} learns classes, {target.source} gives values", help="`MSELoss` learns values")
    shape = show_shape(output.shape)
    if output.kind != "float" or output.rank < 2:
        raise Reject(f"{loss} takes scores of shape (N, classes), the network gives {shape}", input="output")
    if output.rank != len(target.shape) + 2:
        way = "`flatten` before the last layer" if output.rank > 2 else None
        raise Reject(f"{loss} takes scores of shape (N, classes), the network gives {shape}", input="output", help=way)
    if target.classes is not None and not same(output.shape[1], target.classes):
        reason = f"the network tells {show_dim(output.shape[1])} classes apart, {target.source} has {target.classes}"
        raise Reject(reason, input="output", help=f"let the last layer give {target.classes}")
    expect_extent(output.shape[2:], target.shape, loss, target)


def expect_extent(output: Shape, target: Shape, loss: str, source: Target) -> None:
    if len(output) != len(target) or not all(map(same, output, target)):
        reason = f"{loss} compares shapes without the batch {show_shape(output)} and {show_shape(target)}"
        raise Reject(f"{reason} (of {source.source})", input="output")


def expect_weight(weight: tuple[float, ...] | None, output: Value) -> None:
    if weight is not None and not same(output.shape[1], len(weight)):
        reason = f"`weight` has {len(weight)} entries for {show_dim(output.shape[1])} classes"
        raise Reject(reason, field="weight")


class CrossEntropyLoss(Loss):
    """Cross entropy of scores (N, C) and class numbers (N): log-softmax and negative log-likelihood in one."""

    module = "torch.nn.CrossEntropyLoss"
    tensors = ("weight",)
    weight = Numbers(None, doc="One factor for each class.")
    ignore_index = Int(-100, doc="A class number that does not count.")
    reduction = reduction()
    label_smoothing = Float(0.0, min=0, max=1)

    def check(self, output: Value, target: Target) -> None:
        expect_classes(output, target, "CrossEntropyLoss")
        expect_weight(self.weight, output)


class NLLLoss(Loss):
    """Negative log-likelihood of log-probabilities (N, C), as `log_softmax` gives them, and class numbers (N)."""

    module = "torch.nn.NLLLoss"
    tensors = ("weight",)
    weight = Numbers(None, doc="One factor for each class.")
    ignore_index = Int(-100, doc="A class number that does not count.")
    reduction = reduction()

    def check(self, output: Value, target: Target) -> None:
        expect_classes(output, target, "NLLLoss")
        expect_weight(self.weight, output)


class MSELoss(Loss):
    """Mean squared difference of two tensors of one shape."""

    module = "torch.nn.MSELoss"
    reduction = reduction()

    def check(self, output: Value, target: Target) -> None:
        if target.kind != "value":
            reason = f"MSELoss learns values, {target.source} gives classes"
            raise Reject(reason, help="`CrossEntropyLoss` learns classes")
        expect_extent(output.shape[1:], target.shape, "MSELoss", target)
