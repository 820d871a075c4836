"""Learning-rate schedules of `torch.optim.lr_scheduler`, counted in epochs where PyTorch does not want steps."""

from __future__ import annotations

from collections.abc import Iterator

from netc.layer import Bool, Float, Int, Ints, Reject, Word
from netc.recipe import Optimizer, Schedule


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


def cycled(optimizer: Optimizer, cycle_momentum: bool, name: str) -> None:
    """Refuses an optimizer without the momentum that is to be cycled."""
    if cycle_momentum and not {"momentum", "betas"} & set(optimizer.fields):
        reason = f"`{name}` moves the momentum against the learning rate, and {type(optimizer).__name__} has none"
        raise Reject(reason, field="cycle_momentum", help="`cycle_momentum=false`")


class OneCycleLR(Schedule):
    """Up to `max_lr` and down to nearly nothing, once over the whole run, step by step (arXiv 1708.07120).

    The learning rate begins at `max_lr / div_factor`, whatever the optimizer's is, and the momentum goes the other way.
    """

    module = "torch.optim.lr_scheduler.OneCycleLR"
    interval = "step"
    remaining = "total_steps"
    max_lr = Float(min=0, doc="The greatest learning rate.")
    pct_start = Float(0.3, min=0, below=1, doc="Share of the steps in which it grows.")
    anneal_strategy = Word("cos", "linear", default="cos")
    cycle_momentum = Bool(True, doc="Whether the momentum is lower where the learning rate is higher.")
    base_momentum = Float(0.85, min=0)
    max_momentum = Float(0.95, min=0)
    div_factor = Float(25.0, above=0, doc="How many times less the first learning rate is than the greatest.")
    final_div_factor = Float(1e4, above=0, doc="How many times less the last learning rate is than the first.")
    three_phase = Bool(False)

    def admit(self, optimizer: Optimizer) -> None:
        cycled(optimizer, self.cycle_momentum, "OneCycleLR")


class CyclicLR(Schedule):
    """Up from `base_lr` to `max_lr` and back again, each in `step_size_up` steps (arXiv 1506.01186)."""

    module = "torch.optim.lr_scheduler.CyclicLR"
    interval = "step"
    base_lr = Float(min=0, doc="The least learning rate.")
    max_lr = Float(min=0, doc="The greatest learning rate.")
    step_size_up = Int(2000, min=1, doc="Steps up.")
    step_size_down = Int(None, min=1, doc="Steps down; by default as many as up.")
    mode = Word("triangular", "triangular2", "exp_range", default="triangular")
    gamma = Float(1.0, min=0, doc="Factor of the height a step, for `exp_range`.")
    cycle_momentum = Bool(True, doc="Whether the momentum is lower where the learning rate is higher.")
    base_momentum = Float(0.8, min=0)
    max_momentum = Float(0.9, min=0)

    def admit(self, optimizer: Optimizer) -> None:
        cycled(optimizer, self.cycle_momentum, "CyclicLR")
        if self.max_lr < self.base_lr:
            raise Reject(f"`max_lr` is below the `base_lr` of {self.base_lr}", field="max_lr")


class ReduceLROnPlateau(Schedule):
    """Multiplies the learning rate by `factor` once nothing got better for `patience` epochs.

    What is watched is the score that the last line of a run tells: accuracy where there is one, else the loss.
    """

    module = "torch.optim.lr_scheduler.ReduceLROnPlateau"
    interval = "epoch"
    judges = True
    factor = Float(0.1, min=0, below=1)
    patience = Int(10, min=0, doc="Epochs without progress that are let pass.")
    threshold = Float(1e-4, min=0, doc="The least that counts as progress.")
    threshold_mode = Word("rel", "abs", default="rel")
    cooldown = Int(0, min=0, doc="Epochs to wait after a change.")
    min_lr = Float(0.0, min=0)
    eps = Float(1e-8, min=0, doc="The least change of the learning rate.")

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        if self.patience + 1 >= left:
            yield Reject(f"would wait {epochs(self.patience)}, and has {left}", field="patience")


class Cosine(Schedule):
    """Half a cosine from the learning rate down to `eta_min` over all epochs that are left."""

    module = "torch.optim.lr_scheduler.CosineAnnealingLR"
    remaining = "T_max"
    eta_min = Float(0.0, min=0)

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        yield from rising(self.eta_min, lr)


class Linear(Schedule):
    """A straight line from the learning rate down to `end_factor` of it over all epochs that are left."""

    module = "torch.optim.lr_scheduler.LinearLR"
    fixed = {"start_factor": "1"}
    remaining = "total_iters"
    stated = ("end_factor",)
    end_factor = Float(0.0, min=0, max=1, doc="Where the line ends, relative to the learning rate.")


class Polynomial(Schedule):
    """From the learning rate down to 0 over all epochs that are left, along `(1 - share) ** power`."""

    module = "torch.optim.lr_scheduler.PolynomialLR"
    remaining = "total_iters"
    power = Float(1.0, min=0)


class Warmup(Schedule):
    """A linear rise over some epochs, from a hundredth of the learning rate, as in torchvision's references."""

    module = "torch.optim.lr_scheduler.LinearLR"
    ends = "epochs"
    renamed = {"epochs": "total_iters"}
    stated = ("start_factor",)
    epochs = Int(min=1, doc="Epochs of the warm-up.")
    start_factor = Float(0.01, above=0, max=1, doc="Where the warm-up begins, relative to the learning rate.")

    def remarks(self, left: int, lr: float) -> Iterator[Reject]:
        yield from unfinished("epochs", self.epochs, left)


cosine, linear, polynomial, warmup = Cosine, Linear, Polynomial, Warmup
