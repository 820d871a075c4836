"""Losses: what they ask of the output and of the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from netc.layer import Bool, Float, Int, Numbers, Reject, Word
from netc.recipe import Ending, Loss, Target
from netc.shapes import Shape, Value, same, show_dim, show_shape

INTO_ONE = (0, 1)
"""The range of a probability."""


def reduction() -> Word:
    return Word("mean", "sum", default="mean", doc="The mean over the batch, or its sum.")


# ---- classes -----------------------------------------------------------------------------------


class ClassLoss(Loss):
    """A loss of scores (N, C) or (N, C, d1, ...) and class numbers (N) or (N, d1, ...)."""

    tensors = ("weight",)
    channels_first = True
    weight: Any

    def check(self, output: Value, target: Target) -> None:
        name = type(self).__name__
        if target.kind != "class":
            raise Reject(f"{name} learns classes, {target.source} gives values", help="`MSELoss` learns values")
        expect_floats(output, name)
        if output.rank != len(target.shape) + 2:
            reason = f"{name} takes scores of shape (N, classes), the network gives {show_shape(output.shape)}"
            raise Reject(reason, input="output", help=self._way(output, target))
        classes = output.shape[1]
        if isinstance(classes, int) and target.classes is not None and classes < target.classes:
            reason = f"the network tells {show_dim(classes)} classes apart, {target.source} has {target.classes}"
            raise Reject(reason, input="output", help=f"let the last layer give {target.classes}")
        expect_extent(output.shape[2:], target, name)
        if self.weight is not None and not same(classes, len(self.weight)):
            reason = f"`weight` has {len(self.weight)} entries for {show_dim(classes)} classes"
            raise Reject(reason, field="weight")

    def _way(self, output: Value, target: Target) -> str | None:
        classes = target.classes or "classes"
        if target.shape:
            return None
        if output.rank < 2:
            return f"let the last layer give one score for each class: `Linear({classes})`"
        if all(same(size, 1) for size in output.shape[2:] if isinstance(size, int)) and output.rank == 4:
            return "`flatten` at the end, or `mean((2, 3))` before the last layer"
        return "`flatten` before the last layer"

    def remarks(self, output: Value, target: Target, last: Ending | None) -> Iterator[Reject]:
        classes = output.shape[1]
        if isinstance(classes, int) and target.classes is not None and classes > target.classes and not target.open:
            reason = f"the network tells {show_dim(classes)} classes apart, {target.source} has only {target.classes}"
            yield Reject(reason, input="output", help=f"let the last layer give {target.classes}")


class LogarithmicLoss(ClassLoss):
    """A loss of the logarithms of probabilities; some class numbers may not count."""

    weight = Numbers(None, doc="One factor for each class.")
    ignore_index = Int(-100, doc="A class number that does not count.")
    reduction = reduction()


class CrossEntropyLoss(LogarithmicLoss):
    """Cross entropy of scores (N, C) and class numbers (N): log-softmax and negative log-likelihood in one."""

    module = "torch.nn.CrossEntropyLoss"
    label_smoothing = Float(0.0, min=0, max=1)

    @property
    def soft(self) -> bool:
        return self.ignore_index < 0

    def remarks(self, output: Value, target: Target, last: Ending | None) -> Iterator[Reject]:
        yield from super().remarks(output, target, last)
        if last is not None and last.range == INTO_ONE:
            reason = f"CrossEntropyLoss has its own softmax, and the network ends with `{last.name}`"
            yield Reject(reason, input="output", help=f"take `{last.name}` away from the end of the network")


class NLLLoss(LogarithmicLoss):
    """Negative log-likelihood of log-probabilities (N, C), as `log_softmax` gives them, and class numbers (N)."""

    module = "torch.nn.NLLLoss"

    def remarks(self, output: Value, target: Target, last: Ending | None) -> Iterator[Reject]:
        yield from super().remarks(output, target, last)
        yield from expect_logarithms(type(self).__name__, last, ", or use `CrossEntropyLoss`")


class MultiMarginLoss(ClassLoss):
    """A hinge of scores (N, C) and class numbers (N): the right class should lead each other by `margin`."""

    module = "torch.nn.MultiMarginLoss"
    p = Int(1, min=1, max=2, doc="Power of what is lacking.")
    margin = Float(1.0, doc="The lead that is enough.")
    weight = Numbers(None, doc="One factor for each class.")
    reduction = reduction()

    def check(self, output: Value, target: Target) -> None:
        super().check(output, target)
        if output.rank != 2:
            reason = f"MultiMarginLoss takes scores of shape (N, classes), the network gives {show_shape(output.shape)}"
            raise Reject(reason, input="output", help="`CrossEntropyLoss` takes classes of each place, too")


# ---- values ------------------------------------------------------------------------------------


class ValueLoss(Loss):
    """A loss of two tensors of one shape."""

    def check(self, output: Value, target: Target) -> None:
        name = type(self).__name__
        if target.kind != "value":
            reason = f"{name} learns values, {target.source} gives classes"
            raise Reject(reason, help="`CrossEntropyLoss` learns classes")
        expect_floats(output, name)
        expect_extent(output.shape[1:], target, name)


class MSELoss(ValueLoss):
    """Mean squared difference of two tensors of one shape."""

    module = "torch.nn.MSELoss"
    reduction = reduction()


class L1Loss(ValueLoss):
    """Mean absolute difference of two tensors of one shape."""

    module = "torch.nn.L1Loss"
    reduction = reduction()


class SmoothL1Loss(ValueLoss):
    """Squared difference where it is less than `beta`, else the absolute one (Girshick 2015, arXiv 1504.08083)."""

    module = "torch.nn.SmoothL1Loss"
    reduction = reduction()
    beta = Float(1.0, min=0, doc="Difference at which the two meet.")


class HuberLoss(ValueLoss):
    """Squared difference where it is less than `delta`, else `delta` times the absolute one."""

    module = "torch.nn.HuberLoss"
    reduction = reduction()
    delta = Float(1.0, above=0, doc="Difference at which the two meet.")


class KLDivLoss(ValueLoss):
    """Kullback-Leibler divergence of log-probabilities, as `log_softmax` gives them, and probabilities.

    `reduction=batchmean` is the divergence of an example, averaged; `mean` divides by the number of classes, too.
    """

    module = "torch.nn.KLDivLoss"
    reduction = Word("mean", "batchmean", "sum", default="mean", doc="The mean over all numbers or over the batch, "
                     "or the sum.")  # fmt: skip
    log_target = Bool(False, doc="The target holds log-probabilities, too.")

    def remarks(self, output: Value, target: Target, last: Ending | None) -> Iterator[Reject]:
        yield from expect_logarithms(type(self).__name__, last)


class PoissonNLLLoss(ValueLoss):
    """Negative log-likelihood of counts under Poisson distributions of which the network gives the rates."""

    module = "torch.nn.PoissonNLLLoss"
    log_input = Bool(True, doc="The network gives the logarithms of the rates.")
    full = Bool(False, doc="Adds what does not depend on the network, after Stirling.")
    eps = Float(1e-8, doc="Added to a rate before its logarithm, with `log_input=false`.")
    reduction = reduction()


class SoftMarginLoss(ValueLoss):
    """Logistic loss of scores and targets 1 or -1 of one shape: `log(1 + exp(-target * score))`."""

    module = "torch.nn.SoftMarginLoss"
    reduction = reduction()


class HingeEmbeddingLoss(ValueLoss):
    """Of distances and targets 1 or -1 of one shape: the distance, or what it lacks to `margin`."""

    module = "torch.nn.HingeEmbeddingLoss"
    margin = Float(1.0, doc="The distance that is enough between what differs.")
    reduction = reduction()


class WeighedLoss(ValueLoss):
    """A loss with a factor for each number of an example's last dimension."""

    tensors: ClassVar[tuple[str, ...]] = ("weight",)
    weight: Any

    def check(self, output: Value, target: Target) -> None:
        super().check(output, target)
        for name in self.tensors:
            factors = getattr(self, name)
            last = output.shape[-1] if output.rank > 1 else 1
            if factors is not None and len(factors) != 1 and not same(last, len(factors)):
                reason = f"`{name}` has {len(factors)} entries for {show_dim(last)} number{'s' * (last != 1)}"
                raise Reject(reason, field=name, help="one for each, or a single one for all")


class MultiLabelSoftMarginLoss(WeighedLoss):
    """Binary cross entropy of scores (N, C) and values 0 or 1 of each class, averaged over the classes.

    Stricter than torch: several factors for a single class, which it would spread, are refused.
    """

    module = "torch.nn.MultiLabelSoftMarginLoss"
    weight = Numbers(None, doc="One factor for each class.")
    reduction = reduction()

    def remarks(self, output: Value, target: Target, last: Ending | None) -> Iterator[Reject]:
        yield from expect_scores(type(self).__name__, last)


class BCEWithLogitsLoss(WeighedLoss):
    """Binary cross entropy of scores and values from 0 to 1 of one shape: sigmoid and cross entropy in one."""

    module = "torch.nn.BCEWithLogitsLoss"
    tensors = ("weight", "pos_weight")
    weight = Numbers(None, doc="One factor for each number of an example's last dimension.")
    reduction = reduction()
    pos_weight = Numbers(None, doc="The same, for where the target is 1: above 1 favours finding it.")

    def remarks(self, output: Value, target: Target, last: Ending | None) -> Iterator[Reject]:
        yield from expect_scores(type(self).__name__, last)


class BCELoss(WeighedLoss):
    """Binary cross entropy of probabilities, as `sigmoid` gives them, and values from 0 to 1 of one shape."""

    module = "torch.nn.BCELoss"
    weight = Numbers(None, doc="One factor for each number of an example's last dimension.")
    reduction = reduction()

    def remarks(self, output: Value, target: Target, last: Ending | None) -> Iterator[Reject]:
        if last is not None and last.range != INTO_ONE:
            reason = f"BCELoss takes probabilities, and the network ends with `{last.name}`"
            yield Reject(reason, input="output", help="end the network with `sigmoid`, or use `BCEWithLogitsLoss`")


# ---- what they share ---------------------------------------------------------------------------


def expect_logarithms(loss: str, last: Ending | None, otherwise: str = "") -> Iterator[Reject]:
    """Finds it odd that the last layer gives other than logarithms of probabilities."""
    if last is not None and (last.range[1] is None or last.range[1] > 0):
        reason = f"{loss} takes log-probabilities, and the network ends with `{last.name}`"
        yield Reject(reason, input="output", help=f"end the network with `log_softmax(1)`{otherwise}")


def expect_scores(loss: str, last: Ending | None) -> Iterator[Reject]:
    """Finds it odd that the last layer does what the loss does itself."""
    if last is not None and last.range == INTO_ONE:
        reason = f"{loss} has its own sigmoid, and the network ends with `{last.name}`"
        yield Reject(reason, input="output", help=f"take `{last.name}` away, or use `BCELoss`")


def expect_floats(output: Value, loss: str) -> None:
    if output.kind != "float":
        reason = f"{loss} needs numbers with a gradient, the network gives {output}"
        raise Reject(reason, input="output", help="take away what makes them integers or truth values")


def expect_extent(output: Shape, target: Target, loss: str) -> None:
    """Refuses an output whose sizes, the batch (and the classes) aside, are not those of the target."""
    if len(output) == len(target.shape) and all(map(same, output, target.shape)):
        return
    given, wanted = (show_batch(shape) for shape in (output, target.shape))
    reason = f"{loss} compares {given} of the network with {wanted} of {target.source}"
    raise Reject(reason, input="output", help=_reshaping(output, target.shape))


def show_batch(shape: Shape) -> str:
    """The shape of a batch, from that of an example."""
    return f"({', '.join(['N', *map(show_dim, shape)])}{',' * (not shape)})"


def _reshaping(output: Shape, target: Shape) -> str | None:
    """How an output gets the shape of the target."""
    if output == (*target, 1):
        return f"`squeeze({len(output)})` at the end: PyTorch would spread each over the whole batch"
    if (*output, 1) == target:
        return f"`unsqueeze({len(target)})` at the end: PyTorch would spread each over the whole batch"
    if len(output) == len(target) and output[:-1] == target[:-1]:
        return f"let the last layer give {show_dim(target[-1])}"
    return None
