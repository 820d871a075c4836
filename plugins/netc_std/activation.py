"""Activations that take each element by itself, as a module and, where torch has it, as a function."""

from __future__ import annotations

from netc.layer import Bool, Example, Float, Int, Layer, Reject, State, Value, Word
from netc.shapes import same, show_dim


class Activation(Layer):
    """An element by element function: what comes out has the shape of what goes in."""

    free = True

    def infer(self, input: Value) -> Value:
        return input


class Overwriting(Activation):
    """An activation whose only argument is `inplace`."""

    inplace = Bool(False, doc="Overwrite the input.")


class ReLU(Overwriting):
    """Sets what is negative to zero: `max(0, x)`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html
    """

    module = "torch.nn.ReLU"
    function = "torch.nn.functional.relu"
    examples = (Example("16x8x8", "ReLU", "16x8x8"), Example("10", "relu", "10"))


class ReLU6(Overwriting):
    """Limits to the range from 0 to 6: `min(max(0, x), 6)`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU6.html
    """

    module = "torch.nn.ReLU6"
    function = "torch.nn.functional.relu6"
    examples = (Example("16x8x8", "ReLU6", "16x8x8"), Example("10", "relu6", "10"))


class LeakyReLU(Activation):
    """Scales what is negative: `max(0, x) + negative_slope * min(0, x)`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
    """

    module = "torch.nn.LeakyReLU"
    function = "torch.nn.functional.leaky_relu"
    negative_slope = Float(0.01, doc="Slope below zero.")
    inplace = Bool(False, doc="Overwrite the input.")
    examples = (Example("16x8x8", "LeakyReLU(0.2)", "16x8x8"), Example("10", "leaky_relu(0.1)", "10"))


class PReLU(Activation):
    """Scales what is negative by a learned slope: `max(0, x) + weight * min(0, x)`.

    Any shape; with more than one parameter, as many as dimension 1 is wide.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html
    """

    module = "torch.nn.PReLU"
    num_parameters = Int(1, min=1, doc="1 for all channels together, or one for each.")
    init = Float(0.25, doc="Where the slopes start.")
    examples = (Example("16x8x8", "PReLU", "16x8x8"), Example("16x8x8", "PReLU(16)", "16x8x8"))

    def infer(self, input: Value) -> Value:
        width = input.shape[1] if input.rank > 1 else 1
        if not same(self.num_parameters, 1) and not same(self.num_parameters, width):
            raise Reject(
                f"has {show_dim(self.num_parameters)} slopes for {show_dim(width)} channels in {input}",
                field="num_parameters",
                help=f"write 1, or {show_dim(width)}",
            )
        return input

    def state(self, input: Value) -> dict[str, State]:
        return {"weight": State((self.num_parameters,))}


class RReLU(Activation):
    """Scales what is negative by a slope drawn at random in training, by the mean slope in evaluation.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.RReLU.html
    """

    module = "torch.nn.RReLU"
    function = "torch.nn.functional.rrelu"
    function_extra = {"training": "self.training"}
    lower = Float(1 / 8, doc="Least slope.")
    upper = Float(1 / 3, doc="Greatest slope.")
    inplace = Bool(False, doc="Overwrite the input.")
    examples = (Example("16x8x8", "RReLU", "16x8x8"), Example("10", "rrelu(0.1, 0.3)", "10"))

    def infer(self, input: Value) -> Value:
        if self.lower > self.upper:
            raise Reject(
                f"`lower` is {self.lower}, more than `upper`, {self.upper}", field="lower", help="exchange the two"
            )
        return input


class ELU(Activation):
    """Bends what is negative: `alpha * (exp(x) - 1)` below zero.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.ELU.html
    """

    module = "torch.nn.ELU"
    function = "torch.nn.functional.elu"
    alpha = Float(1.0, doc="Minus the limit at minus infinity.")
    inplace = Bool(False, doc="Overwrite the input.")
    examples = (Example("16x8x8", "ELU", "16x8x8"), Example("10", "elu(0.5)", "10"))


class SELU(Overwriting):
    """The ELU whose fixed scales keep the mean at 0 and the variance at 1.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html
    """

    module = "torch.nn.SELU"
    function = "torch.nn.functional.selu"
    examples = (Example("16x8x8", "SELU", "16x8x8"), Example("10", "selu", "10"))


class CELU(Activation):
    """The continuously differentiable ELU: `max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.CELU.html
    """

    module = "torch.nn.CELU"
    function = "torch.nn.functional.celu"
    alpha = Float(1.0, doc="Minus the limit at minus infinity; not 0.")
    inplace = Bool(False, doc="Overwrite the input.")
    examples = (Example("16x8x8", "CELU", "16x8x8"), Example("10", "celu(0.5)", "10"))

    def infer(self, input: Value) -> Value:
        if self.alpha == 0:
            raise Reject("`alpha` must not be 0: the input is divided by it", field="alpha")
        return input


class Approximation(Word):
    """Takes a bare `none` for the word, which torch spells "none"."""

    def accept(self, value: object) -> str | None:
        return super().accept("none" if value is None else value)


class GELU(Activation):
    """Weighs the input by the normal distribution's probability of a smaller one: `x * Phi(x)`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html
    """

    module = "torch.nn.GELU"
    function = "torch.nn.functional.gelu"
    positional = 0
    approximate = Approximation("none", "tanh", default="none", doc="`tanh` for the approximation that GPT-2 uses.")
    examples = (Example("16x8x8", "GELU", "16x8x8"), Example("10", "gelu(approximate=tanh)", "10"))


class SiLU(Overwriting):
    """Weighs the input by its sigmoid, also called swish: `x * sigmoid(x)`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html
    """

    module = "torch.nn.SiLU"
    function = "torch.nn.functional.silu"
    examples = (Example("16x8x8", "SiLU", "16x8x8"), Example("10", "silu", "10"))


class Mish(Overwriting):
    """The self-gated `x * tanh(softplus(x))`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Mish.html
    """

    module = "torch.nn.Mish"
    function = "torch.nn.functional.mish"
    examples = (Example("16x8x8", "Mish", "16x8x8"), Example("10", "mish", "10"))


class Sigmoid(Activation):
    """Maps to the range from 0 to 1: `1 / (1 + exp(-x))`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
    """

    module = "torch.nn.Sigmoid"
    function = "torch.sigmoid"
    range = (0, 1)
    examples = (Example("16x8x8", "Sigmoid", "16x8x8"), Example("10", "sigmoid", "10"))


class LogSigmoid(Activation):
    """The logarithm of the sigmoid.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html
    """

    module = "torch.nn.LogSigmoid"
    function = "torch.nn.functional.logsigmoid"
    range = (None, 0)
    examples = (Example("16x8x8", "LogSigmoid", "16x8x8"), Example("10", "logsigmoid", "10"))


class Hardsigmoid(Overwriting):
    """The sigmoid in three straight pieces: 0 below -3, 1 above 3, `x / 6 + 1 / 2` between.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html
    """

    module = "torch.nn.Hardsigmoid"
    function = "torch.nn.functional.hardsigmoid"
    range = (0, 1)
    examples = (Example("16x8x8", "Hardsigmoid", "16x8x8"), Example("10", "hardsigmoid", "10"))


class Hardswish(Overwriting):
    """Weighs the input by its hard sigmoid, as MobileNetV3 does.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardswish.html
    """

    module = "torch.nn.Hardswish"
    function = "torch.nn.functional.hardswish"
    examples = (Example("16x8x8", "Hardswish", "16x8x8"), Example("10", "hardswish", "10"))


class Hardtanh(Activation):
    """Limits to a range, by default from -1 to 1.

    Any shape. Stricter than torch: the function's range must not be empty either, as the module's must not.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
    """

    module = "torch.nn.Hardtanh"
    function = "torch.nn.functional.hardtanh"
    min_val = Float(-1.0, doc="Least value.")
    max_val = Float(1.0, doc="Greatest value.")
    inplace = Bool(False, doc="Overwrite the input.")
    examples = (Example("16x8x8", "Hardtanh", "16x8x8"), Example("10", "hardtanh(0, 6)", "10"))

    def infer(self, input: Value) -> Value:
        if self.min_val >= self.max_val:
            raise Reject(
                f"`min_val` is {self.min_val}, not less than `max_val`, {self.max_val}",
                field="min_val",
                help="exchange the two",
            )
        return input


class Hardshrink(Activation):
    """Sets what lies between `-lambd` and `lambd` to zero.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Hardshrink.html
    """

    module = "torch.nn.Hardshrink"
    function = "torch.nn.functional.hardshrink"
    lambd = Float(0.5, doc="Half the width of the gap.")
    examples = (Example("16x8x8", "Hardshrink", "16x8x8"), Example("10", "hardshrink(0.1)", "10"))


class Tanh(Activation):
    """Maps to the range from -1 to 1.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html
    """

    module = "torch.nn.Tanh"
    function = "torch.tanh"
    examples = (Example("16x8x8", "Tanh", "16x8x8"), Example("10", "tanh", "10"))


class Tanhshrink(Activation):
    """What tanh takes away: `x - tanh(x)`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html
    """

    module = "torch.nn.Tanhshrink"
    function = "torch.nn.functional.tanhshrink"
    examples = (Example("16x8x8", "Tanhshrink", "16x8x8"), Example("10", "tanhshrink", "10"))


class Softplus(Activation):
    """A smooth ReLU: `log(1 + exp(beta * x)) / beta`, linear above `threshold`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Softplus.html
    """

    module = "torch.nn.Softplus"
    function = "torch.nn.functional.softplus"
    beta = Float(1.0, doc="Sharpness of the bend.")
    threshold = Float(20.0, doc="Above it, `beta * x` counts as linear.")
    examples = (Example("16x8x8", "Softplus", "16x8x8"), Example("10", "softplus(beta=2)", "10"))


class Softshrink(Activation):
    """Pulls values towards zero by `lambd`, and to zero those that are nearer.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Softshrink.html
    """

    module = "torch.nn.Softshrink"
    function = "torch.nn.functional.softshrink"
    lambd = Float(0.5, min=0.0, doc="How far.")
    examples = (Example("16x8x8", "Softshrink", "16x8x8"), Example("10", "softshrink(0.1)", "10"))


class Softsign(Activation):
    """Maps to the range from -1 to 1 as `x / (1 + |x|)`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Softsign.html
    """

    module = "torch.nn.Softsign"
    function = "torch.nn.functional.softsign"
    examples = (Example("16x8x8", "Softsign", "16x8x8"), Example("10", "softsign", "10"))


class Threshold(Activation):
    """Replaces what is not above a threshold by a value.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Threshold.html
    """

    module = "torch.nn.Threshold"
    function = "torch.nn.functional.threshold"
    threshold = Float(doc="What is above it stays.")
    value = Float(doc="What the rest becomes.")
    inplace = Bool(False, doc="Overwrite the input.")
    examples = (Example("16x8x8", "Threshold(0.1, 0)", "16x8x8"), Example("10", "threshold(0.1, 20)", "10"))
