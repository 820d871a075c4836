"""Data sources: scikit-learn's digits and synthetic functions."""

from __future__ import annotations

from math import ceil

from netc.layer import Bool, Float, Int, Numbers, Reject
from netc.recipe import DataSource, Target, show_example
from netc.shapes import Value, same, show_dim
from netc_std.scaling import Normalize


def batch_size() -> Int:
    return Int(64, min=1, doc="Examples a step.")


class Digits(DataSource):
    """The 1,797 handwritten digits of scikit-learn, 1,437 for training and 360 for the test, resized to the input.

    A stratified split by the run's seed; 0-16 scaled to 0-1, bilinear resizing, grey repeated to the channels,
    normalised by `normalize`, or by the training part where it is not said. A network of sequences, `input (28, 28)`,
    reads them row by row. No download.
    """

    packages = ("scikit-learn",)
    imports = (
        "from sklearn.datasets import load_digits",
        "from sklearn.model_selection import train_test_split",
        "import torch.nn.functional as F",
    )
    pictures = True
    stated = ("batch_size", "test_batch_size")
    batch_size = batch_size()
    test_batch_size = Int(360, min=1, doc="Examples a step in the test.")
    normalize = Normalize(1)
    shuffle = Bool(True)

    def target(self) -> Target:
        return Target("Digits", "class", classes=10)

    def training_size(self) -> int:
        return 1437

    def check(self, input: Value) -> None:
        rows = input.rank == 3 and isinstance(input.shape[2], int)
        known = all(isinstance(size, int) for size in input.shape[1:])
        if input.kind != "float" or not (rows or (input.rank == 4 and known)):
            reason = f"Digits are pictures of channels x height x width, the network takes {show_example(input)}"
            raise Reject(reason, help="`input 1x28x28` takes them, resized")

    def load(self, input: Value) -> str:
        height, width = input.shape[-2:]
        if input.rank == 3:
            shape, channels = "N, H, W", "\n    images = images.squeeze(1)"
            height = height if isinstance(height, int) else width
        elif input.shape[1] == 1:
            shape, channels = "N, C, H, W", ""
        else:
            shape, channels = "N, C, H, W", f"\n    images = images.repeat(1, {show_dim(input.shape[1])}, 1, 1)"
        found = "" if self.normalize else "std, mean = torch.std_mean(images[train])\n    "
        mean, std = self.normalize or ("mean", "std")
        return LOAD_DIGITS.format(
            shape=shape, height=show_dim(height), width=show_dim(width), channels=channels,
            normalize=f"{found}images = (images - {mean}) / {std}",
        )  # fmt: skip


LOAD_DIGITS = '''\
def load_data(args):
    """Images ({shape}), normalized, and labels (N), for training and the test."""
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    images = F.interpolate(images, size=({height}, {width}), mode="bilinear"){channels}
    labels = torch.tensor(digits.target)
    train, test = train_test_split(
        range(len(labels)), test_size=360, random_state=args.seed, stratify=labels
    )
    {normalize}
    return images[train], labels[train], images[test], labels[test]
'''


class Polynomial(DataSource):
    """Points of a polynomial with normal noise: `coefficients` from the constant upwards, x from start to stop."""

    held_out = False
    stated = ("batch_size", "noise", "start", "stop", "step")
    coefficients = Numbers(doc="From the constant upwards: `(5, 10)` is 10 x + 5.")
    start = Float(0.0, doc="The first x.")
    stop = Float(1.0, doc="The end of x, not included.")
    step = Float(0.01, min=1e-12, doc="From one x to the next.")
    noise = Float(0.0, min=0, doc="Standard deviation of the noise.")
    batch_size = batch_size()
    shuffle = Bool(True)

    def target(self) -> Target:
        return Target("Polynomial", "value", (1,))

    def training_size(self) -> int:
        return max(0, ceil((self.stop - self.start) / self.step))

    def check(self, input: Value) -> None:
        if input.kind != "float" or input.rank != 2 or not same(input.shape[1], 1):
            reason = f"Polynomial gives one number an example, the network takes {show_example(input)}"
            raise Reject(reason, help="`input 1` takes it")
        if not self.coefficients:
            raise Reject("a polynomial needs a coefficient", field="coefficients", help="`Polynomial((5, 10))`")
        if self.stop <= self.start:
            reason = f"there is no x from start={self.start} up to stop={self.stop}"
            raise Reject(reason, field="stop", help="`stop` is above `start`")

    def load(self, input: Value) -> str:
        powers = ("", " * x", *(f" * x**{n}" for n in range(2, len(self.coefficients))))
        terms = [f"{c}{power}" for c, power in zip(self.coefficients, powers, strict=False)]
        return LOAD_POLYNOMIAL.format(terms=" + ".join(reversed(terms)))


LOAD_POLYNOMIAL = '''\
def load_data(args):
    """Points (N, 1) and their noisy values (N, 1)."""
    x = torch.arange(args.start, args.stop, args.step).unsqueeze(1)
    y = {terms}
    generator = torch.Generator().manual_seed(args.seed)
    return x, y + args.noise * torch.randn(x.shape, generator=generator)
'''
