"""Digits by twos and threes, for networks that compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netc.layer import Reject
from netc.recipe import Target, show_example
from netc.shapes import Value
from netc_std.data import Digits


class Compared(Digits):
    """Digits of which each example has several, drawn anew from each part by the run's seed."""

    count: ClassVar[int]
    pictures = False

    def admit(self, inputs: Sequence[tuple[str, Value]]) -> None:
        name = type(self).__name__
        if len(inputs) != self.count:
            raise Reject(f"{name} gives {self.count} inputs, the network takes {len(inputs)}")
        shapes = [value.shape[1:] for _, value in inputs]
        if any(shape != shapes[0] for shape in shapes):
            shown = ", ".join(show_example(value) for _, value in inputs)
            raise Reject(f"{name} gives pictures of one size, the network takes {shown}")
        for _, value in inputs:
            self.check(value)

    def digits(self, value: Value) -> str:
        """The source of `load_digit_parts`, which loads the single digits."""
        return Digits.load(self, value).replace("def load_data(args)", "def load_digit_parts(args)")


class DigitPairs(Compared):
    """Pairs of scikit-learn's digits, and 1 where both are of one class, 0 where not; half of them are.

    Each digit stands in one pair, with another that is drawn from the same part.
    """

    count = 2

    def target(self) -> Target:
        return Target("DigitPairs", "value")

    def loaded(self, inputs: Sequence[tuple[str, Value]]) -> str:
        return f"{self.digits(inputs[0][1])}\n\n{LOAD_PAIRS}"


LOAD_PAIRS = '''\
def load_data(args):
    """Pairs of images, and whether they show one digit, for training and the test."""
    generator = torch.Generator().manual_seed(args.seed)
    parts = load_digit_parts(args)
    for images, labels in (parts[:2], parts[2:]):
        alike = torch.rand(len(labels), generator=generator) < 0.5
        fits = (labels[:, None] == labels) == alike[:, None]
        others = torch.multinomial(fits.double(), 1, generator=generator).squeeze(1)
        yield images, images[others]
        yield alike.float()
'''


class DigitTriplets(Compared):
    """Triplets of scikit-learn's digits: an anchor, one of its class, and one of another; the target is the class."""

    count = 3

    def loaded(self, inputs: Sequence[tuple[str, Value]]) -> str:
        return f"{self.digits(inputs[0][1])}\n\n{LOAD_TRIPLETS}"


LOAD_TRIPLETS = '''\
def load_data(args):
    """Anchors, images of their digit and of another, and the digits, for both parts."""
    generator = torch.Generator().manual_seed(args.seed)
    parts = load_digit_parts(args)
    for images, labels in (parts[:2], parts[2:]):
        alike = (labels[:, None] == labels).double()
        positive, negative = (
            torch.multinomial(fits, 1, generator=generator).squeeze(1)
            for fits in (alike, 1 - alike)
        )
        yield images, images[positive], images[negative]
        yield labels
'''
