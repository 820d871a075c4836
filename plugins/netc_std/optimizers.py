"""Optimizers of `torch.optim`, with all their arguments."""

from __future__ import annotations

from collections.abc import Iterator

from netc.layer import Bool, Float, Numbers, Reject
from netc.recipe import Optimizer


class Stepping(Optimizer):
    """What the optimizers here refuse and find odd alike."""

    def check(self, device: str | None) -> None:
        given = vars(self)
        if given.get("differentiable"):
            reason = "`differentiable` needs parameters that are no leaves, and a network's are"
            raise Reject(reason, field="differentiable", help="leave it out")
        cpu = device is not None and device.partition(":")[0] == "cpu"
        if given.get("capturable") and cpu and not (self.fused and given.get("foreach") is None):
            raise Reject("`capturable` is not for the device cpu", field="capturable", help="leave it out")

    def remarks(self) -> Iterator[Reject]:
        given = vars(self)
        if given.get("lr") == 0:
            yield Reject("with a learning rate of 0 nothing is learnt", field="lr")
        if given.get("maximize"):
            yield Reject("`maximize` lets the loss grow", field="maximize", help="leave it out to make the loss small")


class SGD(Stepping):
    """Stochastic gradient descent, with momentum if asked."""

    module = "torch.optim.SGD"
    fused = True
    lr = Float(1e-3, min=0, doc="Learning rate.")
    momentum = Float(0, min=0)
    dampening = Float(0)
    weight_decay = Float(0, min=0)
    nesterov = Bool(False)
    maximize = Bool(False)
    foreach = Bool(None)
    differentiable = Bool(False)

    def check(self, device: str | None) -> None:
        super().check(device)
        if self.nesterov and (self.momentum <= 0 or self.dampening != 0):
            lacking = "a `momentum` above 0" if self.momentum <= 0 else "a `dampening` of 0"
            raise Reject(f"`nesterov` needs {lacking}", field="nesterov", help="`momentum=0.9, nesterov=true`")

    def remarks(self) -> Iterator[Reject]:
        yield from super().remarks()
        if self.momentum >= 1:
            reason = f"with momentum={self.momentum} the steps grow without end"
            yield Reject(reason, field="momentum", help="below 1: `momentum=0.9`")


class Adam(Stepping):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980)."""

    module = "torch.optim.Adam"
    fused = True
    lr = Float(1e-3, min=0, doc="Learning rate.")
    betas = Numbers((0.9, 0.999), length=2, min=0, below=1)
    eps = Float(1e-8, min=0)
    weight_decay = Float(0, min=0)
    amsgrad = Bool(False)
    foreach = Bool(None)
    maximize = Bool(False)
    capturable = Bool(False)
    differentiable = Bool(False)
    decoupled_weight_decay = Bool(False)


class AdamW(Stepping):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101)."""

    module = "torch.optim.AdamW"
    fused = True
    lr = Float(1e-3, min=0, doc="Learning rate.")
    betas = Numbers((0.9, 0.999), length=2, min=0, below=1)
    eps = Float(1e-8, min=0)
    weight_decay = Float(1e-2, min=0)
    amsgrad = Bool(False)
    maximize = Bool(False)
    foreach = Bool(None)
    capturable = Bool(False)
    differentiable = Bool(False)


class Adadelta(Stepping):
    """Adadelta (Zeiler 2012, arXiv 1212.5701)."""

    module = "torch.optim.Adadelta"
    lr = Float(1.0, min=0, doc="Learning rate.")
    rho = Float(0.9, min=0, max=1)
    eps = Float(1e-6, min=0)
    weight_decay = Float(0, min=0)
    foreach = Bool(None)
    capturable = Bool(False)
    maximize = Bool(False)
    differentiable = Bool(False)
