"""Learning-rate schedules of `torch.optim.lr_scheduler`, counted in epochs."""

from __future__ import annotations

from netc.layer import Float, Int, Ints
from netc.recipe import Schedule


class StepLR(Schedule):
    """Multiplies the learning rate by `gamma` every `step_size` epochs."""

    module = "torch.optim.lr_scheduler.StepLR"
    step_size = Int(min=1)
    gamma = Float(0.1)


class MultiStepLR(Schedule):
    """Multiplies the learning rate by `gamma` at each of the `milestones`."""

    module = "torch.optim.lr_scheduler.MultiStepLR"
    milestones = Ints(min=1)
    gamma = Float(0.1)


class ExponentialLR(Schedule):
    """Multiplies the learning rate by `gamma` after every epoch."""

    module = "torch.optim.lr_scheduler.ExponentialLR"
    gamma = Float()


class CosineAnnealingLR(Schedule):
    """Half a cosine from the learning rate down to `eta_min` in `T_max` epochs (arXiv 1608.03983, without restarts)."""

    module = "torch.optim.lr_scheduler.CosineAnnealingLR"
    ends = "T_max"
    T_max = Int(min=1)
    eta_min = Float(0.0)


class LinearLR(Schedule):
    """From `start_factor` to `end_factor` of the learning rate in `total_iters` epochs."""

    module = "torch.optim.lr_scheduler.LinearLR"
    ends = "total_iters"
    start_factor = Float(1 / 3, min=1e-12, max=1)
    end_factor = Float(1.0, min=0, max=1)
    total_iters = Int(5, min=1)


class Cosine(Schedule):
    """Half a cosine from the learning rate down to `eta_min` over all epochs that are left."""

    module = "torch.optim.lr_scheduler.CosineAnnealingLR"
    remaining = "T_max"
    eta_min = Float(0.0)


class Warmup(Schedule):
    """A linear rise over some epochs, from a hundredth of the learning rate, as in torchvision's references."""

    module = "torch.optim.lr_scheduler.LinearLR"
    ends = "epochs"
    renamed = {"epochs": "total_iters"}
    stated = ("start_factor",)
    epochs = Int(min=1)
    start_factor = Float(0.01, min=1e-12, max=1)


cosine, warmup = Cosine, Warmup
