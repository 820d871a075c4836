"""Figures of the test part: each a sum over batches, and what follows from the whole of it."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from netc.layer import Float, Int, Reject
from netc.recipe import Metric, Target
from netc.shapes import Value, same, show_shape


def classes_of(output: Value) -> int:
    assert isinstance(output.shape[1], int)
    return int(output.shape[1])


class ClassMetric(Metric):
    """A figure of scores (N, C) and class numbers (N)."""

    form = ".2%"

    def check(self, output: Value, target: Target) -> None:
        name = type(self).__name__
        if target.kind != "class":
            reason = f"{name} is for classes, {target.source} gives values"
            raise Reject(reason, help="`BinaryAccuracy`, `MAE`, `RMSE` and `R2` are for values")
        if output.kind != "float" or output.rank != 2 or target.shape or not isinstance(output.shape[1], int):
            reason = f"{name} takes scores of shape (N, classes), the network gives {show_shape(output.shape)}"
            raise Reject(reason)


class Accuracy(ClassMetric):
    """The share of the examples whose class has the greatest score."""

    key = label = "accuracy"

    def count(self, scores: str, target: str, output: Value) -> str:
        return f"({scores}.argmax(1) == {target}).sum()"

    def figure(self, total: str, count: str, output: Value) -> str:
        return f"{total}.item() / {count}"


class TopK(ClassMetric):
    """The share of the examples whose class is among the `k` with the greatest scores."""

    k = Int(5, min=1, doc="How many classes may be named.")

    @property
    def key(self) -> str:  # type: ignore[override]
        return f"top_{self.k}"

    @property
    def label(self) -> str:  # type: ignore[override]
        return f"top {self.k}"

    def check(self, output: Value, target: Target) -> None:
        super().check(output, target)
        if self.k >= classes_of(output):
            reason = f"the class is always among the first {self.k} of {classes_of(output)}"
            raise Reject(reason, field="k", help=f"at most `k={classes_of(output) - 1}`")

    def count(self, scores: str, target: str, output: Value) -> str:
        return f"({scores}.topk({self.k}).indices == {target}[:, None]).sum()"

    def figure(self, total: str, count: str, output: Value) -> str:
        return f"{total}.item() / {count}"


TALLY = '''\
def tally(scores, classes):
    """For each class: how often it is told rightly, how often told, how often there."""
    told, number = scores.argmax(1), scores.shape[1]
    counted = (told[told == classes], told, classes)
    return torch.stack([each.bincount(minlength=number) for each in counted])


def macro(tally, share):
    """The mean of a share over the classes that are told or there."""
    right, told, there = tally
    occurs = told + there > 0
    return share(right, told, there)[occurs].mean().item()
'''


class TalliedMetric(ClassMetric):
    """A share of each class, of which the mean is taken over the classes that occur."""

    source = TALLY
    share: ClassVar[str]

    def count(self, scores: str, target: str, output: Value) -> str:
        return f"tally({scores}, {target})"

    def shape(self, output: Value) -> tuple[int, ...]:
        return (3, classes_of(output))

    def figure(self, total: str, count: str, output: Value) -> str:
        return f"macro({total}, {self.share})"


class Precision(TalliedMetric):
    """How many of the examples told to be of a class are; the mean over the classes, of which none counts more."""

    key = label = "precision"
    share = "lambda right, told, _: right / told.clamp(min=1)"


class Recall(TalliedMetric):
    """How many of the examples of a class are told to be; the mean over the classes, of which none counts more."""

    key = label = "recall"
    share = "lambda right, _, there: right / there.clamp(min=1)"


class F1(TalliedMetric):
    """The harmonic mean of precision and recall of a class; the mean over the classes, of which none counts more."""

    key = "f1"
    label = "F1"
    share = "lambda right, told, there: 2 * right / (told + there)"


class IoU(TalliedMetric):
    """The intersection over the union of what is told to be of a class and what is; the mean over the classes."""

    key = "iou"
    label = "IoU"
    share = "lambda right, told, there: right / (told + there - right)"


class ConfusionMatrix(ClassMetric):
    """How often each class (a row) is told to be each class (a column), in the log, and as a picture by `plot`."""

    key = "confusion"
    label = "confusion"
    form = ""

    def count(self, scores: str, target: str, output: Value) -> str:
        number = classes_of(output)
        return f"torch.bincount({target} * {number} + {scores}.argmax(1), minlength={number**2})"

    def shape(self, output: Value) -> tuple[int, ...]:
        return (classes_of(output) ** 2,)

    def figure(self, total: str, count: str, output: Value) -> str:
        number = classes_of(output)
        return f"{total}.long().view({number}, {number}).tolist()"


class ValueMetric(Metric):
    """A figure of two tensors of one shape."""

    greater = False

    def check(self, output: Value, target: Target) -> None:
        name = type(self).__name__
        if target.kind != "value":
            reason = f"{name} is for values, {target.source} gives classes"
            raise Reject(reason, help="`Accuracy` and `F1` are for classes")
        if len(target.shape) + 1 != output.rank or not all(map(same, output.shape[1:], target.shape)):
            wanted, given = (show_shape(shape) for shape in ((output.shape[0], *target.shape), output.shape))
            raise Reject(f"{name} compares with {target.source} of shape {wanted}, the network gives {given}")

    def summed(self, each: str, output: Value) -> str:
        """The sum over a batch of what is found for each number; where only the run knows how many, of means."""
        return f"{each}.sum()" if is_known(output) else f"{each}.flatten(1).mean(1).sum()"

    def entries(self, count: str, output: Value) -> str:
        """How many of them are summed up."""
        size = prod(int(str(size)) for size in output.shape[1:]) if is_known(output) else 1
        return count if size == 1 else f"({count} * {size})"


def is_known(output: Value) -> bool:
    """Whether the size of an example is."""
    return all(isinstance(size, int) for size in output.shape[1:])


class MAE(ValueMetric):
    """The mean absolute difference."""

    key = "mae"
    label = "MAE"

    def count(self, scores: str, target: str, output: Value) -> str:
        return self.summed(f"({scores} - {target}).abs()", output)

    def figure(self, total: str, count: str, output: Value) -> str:
        return f"{total}.item() / {self.entries(count, output)}"


class BinaryAccuracy(ValueMetric):
    """The share of the numbers that are above the threshold where the target is 1, and not where it is 0."""

    key = "binary_accuracy"
    label = "accuracy"
    form = ".2%"
    greater = True
    threshold = Float(doc="A number above it says 1: 0 for scores, 0.5 for probabilities.")

    def count(self, scores: str, target: str, output: Value) -> str:
        hits = f"(({scores} > {self.threshold}) == ({target} > 0.5))"
        return self.summed(hits if is_known(output) else f"{hits}.float()", output)

    def figure(self, total: str, count: str, output: Value) -> str:
        return f"{total}.item() / {self.entries(count, output)}"


class RMSE(ValueMetric):
    """The root of the mean squared difference."""

    key = "rmse"
    label = "RMSE"

    def count(self, scores: str, target: str, output: Value) -> str:
        return self.summed(f"({scores} - {target}).square()", output)

    def figure(self, total: str, count: str, output: Value) -> str:
        return f"({total}.item() / {self.entries(count, output)}) ** 0.5"


class PSNR(ValueMetric):
    """The peak signal-to-noise ratio in decibels; the mean over the examples."""

    key = "psnr"
    label = "PSNR"
    form = ".2f"
    greater = True
    peak = Float(1.0, above=0, doc="The greatest value that there can be.")

    source = '''\
def decibels(output, target, peak):
    """The sum of the ratios of the examples' peaks to their errors."""
    errors = (output - target).square().reshape(len(output), -1).mean(1)
    return 10 * (peak**2 / errors).log10().sum()
'''

    def count(self, scores: str, target: str, output: Value) -> str:
        return f"decibels({scores}, {target}, {self.peak})"

    def figure(self, total: str, count: str, output: Value) -> str:
        return f"{total}.item() / {count}"


class R2(ValueMetric):
    """The share of the variance that is explained, 1 at best; the mean over the numbers of an example."""

    key = "r2"
    label = "R2"
    greater = True
    source = '''\
def moments(output, target):
    """Squared errors, values and their squares, added up in double precision."""
    output, target = output.cpu().double(), target.cpu().double()
    each = ((output - target).square(), target, target.square())
    return torch.stack([part.sum(0) for part in each])


def explained(moments, count):
    """1 less the squared errors over the squared differences from the mean."""
    errors, values, squares = moments
    return (1 - errors / (squares - values.square() / count)).mean().item()
'''

    def check(self, output: Value, target: Target) -> None:
        super().check(output, target)
        if not is_known(output):
            raise Reject(f"R2 takes outputs of a known size, the network gives {show_shape(output.shape)}")

    def count(self, scores: str, target: str, output: Value) -> str:
        return f"moments({scores}, {target})"

    def shape(self, output: Value) -> tuple[int, ...]:
        return (3, *(int(str(size)) for size in output.shape[1:]))

    def figure(self, total: str, count: str, output: Value) -> str:
        return f"explained({total}, {count})"
