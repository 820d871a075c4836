"""Learning-rate schedules of `torch.optim.lr_scheduler`, counted in epochs."""

from __future__ import annotations

from collections.abc import Iterator

from netc.layer import Float, Int, Ints, Reject
from netc.recipe import Schedule


def epochs(count: int) -> str:
    return f"{count} epoch{'s' * (count != 1)}"


class StepLR(Schedule):
    """Multiplies the learning rate by `gamma` every `step_size` epochs."""

    module = "torch.optim.lr_scheduler.StepLR"
    step_size = Int(min=1)
    gamma = Float(0.1, min=0)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        if self.step_size >= left:
            reason = f"would take its first step after {epochs(self.step_size)}, and has {left}"
            yield Reject(reason, field="step_size", help="a smaller `step_size`, or more `epochs`")


class MultiStepLR(Schedule):
    """Multiplies the learning rate by `gamma` at each of the `milestones`."""

    module = "torch.optim.lr_scheduler.MultiStepLR"
    milestones = Ints(min=1)
    gamma = Float(0.1, min=0)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        late = [milestone for milestone in self.milestones if milestone >= left]
        if late:
            which = f"the milestone{'s' * (len(late) > 1)} {', '.join(map(str, late))}"
            yield Reject(f"never comes to {which} in {epochs(left)}", field="milestones")


class ExponentialLR(Schedule):
    """Multiplies the learning rate by `gamma` after every epoch."""

    module = "torch.optim.lr_scheduler.ExponentialLR"
    gamma = Float(min=0)


def rising(eta_min: float, lr: float) -> Iterator[Reject]:
    if eta_min > lr:
        yield Reject(f"raises the learning rate from {lr} to eta_min={eta_min}", field="eta_min")


class CosineAnnealingLR(Schedule):
    """Half a cosine from the learning rate down to `eta_min` in `T_max` epochs (arXiv 1608.03983, without restarts)."""

    module = "torch.optim.lr_scheduler.CosineAnnealingLR"
    ends = "T_max"
    T_max = Int(min=1)
    eta_min = Float(0.0, min=0)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        yield from rising(self.eta_min, lr)
        if self.T_max > left:
            reason = f"would reach its end after {epochs(self.T_max)}, and has {left}"
            yield Reject(reason, field="T_max", help="`cosine` takes the epochs that are left")
        if self.T_max < left:
            reason = f"raises the learning rate again after {self.T_max} of its {epochs(left)}"
            yield Reject(reason, field="T_max", help="`cosine` takes the epochs that are left")


def unfinished(field: str, total: int, left: int) -> Iterator[Reject]:
    if total > left:
        yield Reject(f"would reach its end after {epochs(total)}, and has {left}", field=field)


class LinearLR(Schedule):
    """From `start_factor` to `end_factor` of the learning rate in `total_iters` epochs."""

    module = "torch.optim.lr_scheduler.LinearLR"
    ends = "total_iters"
    start_factor = Float(1 / 3, above=0, max=1)
    end_factor = Float(1.0, min=0, max=1)
    total_iters = Int(5, min=1)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        yield from unfinished("total_iters", self.total_iters, left)


class ConstantLR(Schedule):
    """`factor` of the learning rate for `total_iters` epochs, then all of it."""

    module = "torch.optim.lr_scheduler.ConstantLR"
    ends = "total_iters"
    factor = Float(1 / 3, above=0, max=1)
    total_iters = Int(5, min=1)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        yield from unfinished("total_iters", self.total_iters, left)


class PolynomialLR(Schedule):
    """From the learning rate down to 0 in `total_iters` epochs, along `(1 - epoch / total_iters) ** power`."""

    module = "torch.optim.lr_scheduler.PolynomialLR"
    ends = "total_iters"
    total_iters = Int(5, min=1)
    power = Float(1.0, min=0)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        yield from unfinished("total_iters", self.total_iters, left)
        if self.total_iters < left:
            idle = left - self.total_iters
            reason = f"is at 0 after {self.total_iters} of its {epochs(left)}: in the last {epochs(idle)} nothing moves"
            yield Reject(reason, field="total_iters", help=f"`total_iters={left}`")


class CosineAnnealingWarmRestarts(Schedule):
    """Half a cosine down to `eta_min` in `T_0` epochs, again and again, each `T_mult` times as long.

    See Loshchilov and Hutter (2017), arXiv 1608.03983.
    """

    module = "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts"
    T_0 = Int(min=1)
    T_mult = Int(1, min=1)
    eta_min = Float(0.0, min=0)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        yield from rising(self.eta_min, lr)
        yield from unfinished("T_0", self.T_0, left)


class Cosine(Schedule):
    """Half a cosine from the learning rate down to `eta_min` over all epochs that are left."""

    module = "torch.optim.lr_scheduler.CosineAnnealingLR"
    remaining = "T_max"
    eta_min = Float(0.0, min=0)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        yield from rising(self.eta_min, lr)


class Warmup(Schedule):
    """A linear rise over some epochs, from a hundredth of the learning rate, as in torchvision's references."""

    module = "torch.optim.lr_scheduler.LinearLR"
    ends = "epochs"
    renamed = {"epochs": "total_iters"}
    stated = ("start_factor",)
    epochs = Int(min=1)
    start_factor = Float(0.01, above=0, max=1)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        yield from unfinished("epochs", self.epochs, left)


cosine, warmup = Cosine, Warmup
