"""Optimizers of `torch.optim`, with all their arguments."""

from __future__ import annotations

from netc.layer import Bool, Float, Numbers
from netc.recipe import Optimizer


class SGD(Optimizer):
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


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980)."""

    module = "torch.optim.Adam"
    fused = True
    lr = Float(1e-3, min=0, doc="Learning rate.")
    betas = Numbers((0.9, 0.999), length=2)
    eps = Float(1e-8, min=0)
    weight_decay = Float(0, min=0)
    amsgrad = Bool(False)
    foreach = Bool(None)
    maximize = Bool(False)
    capturable = Bool(False)
    differentiable = Bool(False)
    decoupled_weight_decay = Bool(False)


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101)."""

    module = "torch.optim.AdamW"
    fused = True
    lr = Float(1e-3, min=0, doc="Learning rate.")
    betas = Numbers((0.9, 0.999), length=2)
    eps = Float(1e-8, min=0)
    weight_decay = Float(1e-2, min=0)
    amsgrad = Bool(False)
    maximize = Bool(False)
    foreach = Bool(None)
    capturable = Bool(False)
    differentiable = Bool(False)


class Adadelta(Optimizer):
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
