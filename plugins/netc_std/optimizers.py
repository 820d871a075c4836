"""Optimizers of `torch.optim`, with all their arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from netc.layer import Bool, Field, Float, Int, Numbers, Reject, Word
from netc.recipe import NetParameter, Optimizer
from netc.shapes import show_shape


class Stepping(Optimizer):
    """What the optimizers here refuse and find odd alike; `takes` is dense or sparse gradients, or any."""

    takes: ClassVar[str] = "dense"

    def admit(self, parameters: Sequence[NetParameter]) -> None:
        """Refuses parameters whose gradients it cannot take."""
        name = type(self).__name__
        for parameter in parameters:
            if parameter.sparse and self.takes == "dense":
                reason = f"{name} takes no sparse gradients, as that of `{parameter.path}` is"
                raise Reject(reason, help=f"take `sparse=true` away from the {parameter.layer}, or use `Adagrad`")
            if parameter.sparse and self.fused and vars(self).get("foreach") is None:
                reason = f"the fused {name} takes no sparse gradients, as that of `{parameter.path}` is"
                raise Reject(reason, help="`foreach=false` is not fused")
            if not parameter.sparse and self.takes == "sparse":
                reason = f"{name} takes sparse gradients only, and that of `{parameter.path}` is dense"
                mixed = any(other.sparse for other in parameters)
                raise Reject(reason, help="`SGD(foreach=false)` and `Adagrad` take both" if mixed else "take `Adam`")

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
    takes = "any"
    fused = True
    joined = False  # PyTorch's kernel has a momentum for all parameters or for none, and changes it at skipped steps
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
    sharding = "fused"
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
    sharding = "fused"
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


class Adagrad(Stepping):
    """Adagrad: steps that shrink with the squares of all gradients so far (Duchi, Hazan and Singer 2011)."""

    module = "torch.optim.Adagrad"
    takes = "any"
    lr = Float(1e-2, min=0, doc="Learning rate.")
    lr_decay = Float(0, min=0, doc="By how much each step makes the next one smaller.")
    weight_decay = Float(0, min=0)
    initial_accumulator_value = Float(0, min=0, doc="What the sums of squares begin with.")
    eps = Float(1e-10, min=0)
    foreach = Bool(None)
    maximize = Bool(False)
    differentiable = Bool(False)

    def admit(self, parameters: Sequence[NetParameter]) -> None:
        super().admit(parameters)
        sparse = next((parameter for parameter in parameters if parameter.sparse), None)
        if sparse is not None and self.weight_decay:
            reason = f"Adagrad has no `weight_decay` for sparse gradients, as that of `{sparse.path}` is"
            raise Reject(reason, field="weight_decay", help="leave it out")


class RMSprop(Stepping):
    """RMSprop: divides each gradient by a running root mean square (Hinton 2012)."""

    module = "torch.optim.RMSprop"
    lr = Float(1e-2, min=0, doc="Learning rate.")
    alpha = Float(0.99, min=0, doc="How much of the mean square is kept from step to step.")
    eps = Float(1e-8, min=0)
    weight_decay = Float(0, min=0)
    momentum = Float(0, min=0)
    centered = Bool(False, doc="Divides by the deviation rather than by the mean square.")
    capturable = Bool(False)
    foreach = Bool(None)
    maximize = Bool(False)
    differentiable = Bool(False)


class Adamax(Stepping):
    """Adam with the greatest gradient of late in place of the mean square (Kingma and Ba 2015, arXiv 1412.6980)."""

    module = "torch.optim.Adamax"
    lr = Float(2e-3, min=0, doc="Learning rate.")
    betas = Numbers((0.9, 0.999), length=2, min=0, below=1)
    eps = Float(1e-8, min=0)
    weight_decay = Float(0, min=0)
    foreach = Bool(None)
    maximize = Bool(False)
    differentiable = Bool(False)
    capturable = Bool(False)


class NAdam(Stepping):
    """Adam with Nesterov's momentum (Dozat 2016)."""

    module = "torch.optim.NAdam"
    lr = Float(2e-3, min=0, doc="Learning rate.")
    betas = Numbers((0.9, 0.999), length=2, min=0, below=1)
    eps = Float(1e-8, min=0)
    weight_decay = Float(0, min=0)
    momentum_decay = Float(4e-3, min=0)
    decoupled_weight_decay = Bool(False, doc="As AdamW has it.")
    foreach = Bool(None)
    maximize = Bool(False)
    capturable = Bool(False)
    differentiable = Bool(False)


class RAdam(Stepping):
    """Adam whose first steps are rectified, in place of a warm-up (arXiv 1908.03265)."""

    module = "torch.optim.RAdam"
    lr = Float(1e-3, min=0, doc="Learning rate.")
    betas = Numbers((0.9, 0.999), length=2, min=0, below=1)
    eps = Float(1e-8, min=0)
    weight_decay = Float(0, min=0)
    decoupled_weight_decay = Bool(False, doc="As AdamW has it.")
    foreach = Bool(None)
    maximize = Bool(False)
    capturable = Bool(False)
    differentiable = Bool(False)


class SparseAdam(Stepping):
    """Adam that moves only the rows with a gradient, for networks of `Embedding(..., sparse=true)` alone."""

    module = "torch.optim.SparseAdam"
    takes = "sparse"
    sharding = "none"
    lr = Float(1e-3, above=0, doc="Learning rate.")
    betas = Numbers((0.9, 0.999), length=2, min=0, below=1)
    eps = Float(1e-8, above=0)
    maximize = Bool(False)


class ASGD(Stepping):
    """Stochastic gradient descent that averages the parameters of its steps (Polyak and Juditsky 1992)."""

    module = "torch.optim.ASGD"
    lr = Float(1e-2, min=0, doc="Learning rate.")
    lambd = Float(1e-4, min=0, doc="By how much each step draws the parameters to zero.")
    alpha = Float(0.75, min=0, doc="Power with which the steps shrink.")
    t0 = Float(1e6, doc="The step with which averaging begins.")
    weight_decay = Float(0, min=0)
    foreach = Bool(None)
    maximize = Bool(False)
    differentiable = Bool(False)
    capturable = Bool(False)


class Rprop(Stepping):
    """Resilient backpropagation: steps that follow the signs of the gradients, for whole data sets at once."""

    module = "torch.optim.Rprop"
    lr = Float(1e-2, min=0, doc="Size of the first steps.")
    etas = Numbers((0.5, 1.2), length=2, min=0, doc="Factors of a step when the sign turns, and when it stays.")
    step_sizes = Numbers((1e-6, 50), length=2, doc="The least and the greatest step.")
    capturable = Bool(False)
    foreach = Bool(None)
    maximize = Bool(False)
    differentiable = Bool(False)

    def check(self, device: str | None) -> None:
        super().check(device)
        if not 0 < self.etas[0] < 1 < self.etas[1]:
            raise Reject(f"`etas` lie around 1, not at {self.etas}", field="etas", help="`etas=(0.5, 1.2)`")


class Regularization(Field[Any]):
    """Two numbers of which the first may be none."""

    expected = "(none or a number, a number), both of at least 0"

    def convert(self, value: Any) -> Any:
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise self.fail(value)
        first, second = value
        given = [second] if first is None else [first, second]
        if not all(isinstance(x, int | float) and not isinstance(x, bool) and x >= 0 for x in given):
            raise self.fail(value)
        return first, second


class Adafactor(Stepping):
    """Adam with the mean squares of a matrix kept as one of rows and one of columns (arXiv 1804.04235)."""

    module = "torch.optim.Adafactor"
    sharding = "none"
    lr = Float(1e-2, min=0, doc="The greatest step, relative to the parameter.")
    beta2_decay = Float(-0.8, max=0, doc="Power with which older squares count less.")
    eps = Regularization((None, 1e-3), doc="Added to the squares (none for the float's epsilon), and the least scale.")
    d = Float(1.0, min=1, doc="The root mean square at which a step is cut.")
    weight_decay = Float(0.0, min=0)
    foreach = Bool(None)
    maximize = Bool(False)


class Muon(Stepping):
    """Momentum made orthogonal, for networks whose parameters are matrices (Jordan and others 2024)."""

    module = "torch.optim.Muon"
    lr = Float(1e-3, min=0, doc="Learning rate.")
    weight_decay = Float(0.1, min=0)
    momentum = Float(0.95, min=0)
    nesterov = Bool(True)
    ns_coefficients = Numbers((3.4445, -4.775, 2.0315), length=3, doc="Of the Newton-Schulz polynomial.")
    eps = Float(1e-7, min=0)
    ns_steps = Int(5, min=1, max=99, doc="Newton-Schulz iterations.")
    adjust_lr_fn = Word("original", "match_rms_adamw", default=None, doc="How a step follows from a matrix's sizes.")

    def admit(self, parameters: Sequence[NetParameter]) -> None:
        super().admit(parameters)
        for parameter in parameters:
            if len(parameter.shape) != 2:
                shape = show_shape(parameter.shape)
                reason = f"Muon moves matrices only, and `{parameter.path}` has shape {shape}"
                without = "`bias=false` leaves it out; " if parameter.leaf == "bias" else ""
                raise Reject(reason, help=f"{without}`AdamW` moves tensors of any shape")


class LBFGS(Stepping):
    """Quasi-Newton steps from the last gradients, of which each computes the loss of its batch several times.

    It needs `history_size` + 1 copies of the parameters, and has one group.
    """

    module = "torch.optim.LBFGS"
    closure = True
    sharding = "none"
    lr = Float(1.0, min=0, doc="Learning rate.")
    max_iter = Int(20, min=1, doc="Iterations a step.")
    max_eval = Int(None, min=1, doc="Evaluations of the loss a step; by default max_iter * 1.25.")
    tolerance_grad = Float(1e-7, min=0, doc="Size of the gradient at which a step ends.")
    tolerance_change = Float(1e-9, min=0, doc="Change of the loss or the parameters at which a step ends.")
    history_size = Int(100, min=1, doc="Gradients that are kept.")
    line_search_fn = Word("strong_wolfe", default=None, doc="How the length of a step is found; none takes `lr`.")
