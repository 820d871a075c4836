"""Arithmetic of tensors: operators with broadcasting, element by element functions, and numbers applied to a tensor.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from netc.layer import Example, Float, Layer, Reject, Value
from netc_std.axes import broadcast, joint_channel, promoted


class Broadcasting(Layer):
    """Two tensors element by element; dimensions of size 1 stretch."""

    inputs = ("input", "other")
    free = True
    kinds: ClassVar[tuple[str, ...] | None] = None

    def infer(self, input: Value, other: Value) -> Value:
        for name, value in (("input", input), ("other", other)):
            if value.among is not None:
                help = "indices say where a pooling found its maxima, and go to `max_unpool`"
                raise Reject("indices are no numbers to compute with", input=name, help=help)
        shape = broadcast(input.shape, other.shape)
        return Value(shape, promoted([input, other]), joint_channel([input, other], len(shape)))


class add(Broadcasting):
    """Adds two tensors: `input + other`.

    Shapes broadcast. https://docs.pytorch.org/docs/stable/generated/torch.add.html
    """

    function = "operator.add"
    examples = (Example("64x8x8, 64x8x8", "add", "64x8x8"), Example("64x8x8, 64x1x1", "add", "64x8x8"))


class sub(Broadcasting):
    """Subtracts the second tensor from the first: `input - other`.

    Shapes broadcast. https://docs.pytorch.org/docs/stable/generated/torch.sub.html
    """

    function = "operator.sub"
    kinds = ("float", "int")
    examples = (Example("64x8x8, 64x8x8", "sub", "64x8x8"),)


class mul(Broadcasting):
    """Multiplies two tensors element by element: `input * other`.

    Shapes broadcast. https://docs.pytorch.org/docs/stable/generated/torch.mul.html
    """

    function = "operator.mul"
    examples = (Example("64x8x8, 64x1x1", "mul", "64x8x8"),)


class div(Broadcasting):
    """Divides the first tensor by the second: `input / other`, never in whole numbers.

    Shapes broadcast. https://docs.pytorch.org/docs/stable/generated/torch.div.html
    """

    function = "operator.truediv"
    function_name = "div"
    examples = (Example("64x8x8, 64x1x1", "div", "64x8x8"),)

    def infer(self, input: Value, other: Value) -> Value:
        return replace(super().infer(input, other), kind="float")


class maximum(Broadcasting):
    """The larger of two tensors element by element.

    Shapes broadcast. https://docs.pytorch.org/docs/stable/generated/torch.maximum.html
    """

    function = "torch.maximum"
    examples = (Example("64x8x8, 64x8x8", "maximum", "64x8x8"),)


class minimum(Broadcasting):
    """The smaller of two tensors element by element.

    Shapes broadcast. https://docs.pytorch.org/docs/stable/generated/torch.minimum.html
    """

    function = "torch.minimum"
    examples = (Example("64x8x8, 64x8x8", "minimum", "64x8x8"),)


class Elementwise(Layer):
    """A function of each element; the shape stays, and the kind too."""

    free = True
    kinds: ClassVar[tuple[str, ...] | None] = ("float", "int")

    def infer(self, input: Value) -> Value:
        return input


class Real(Elementwise):
    """A function of each element whose results are fractions."""

    kinds = None

    def infer(self, input: Value) -> Value:
        return replace(input, kind="float")


class abs(Elementwise):
    """The absolute value of each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.abs.html
    """

    function = "torch.abs"
    examples = (Example("16x8", "abs", "16x8"),)


class neg(Elementwise):
    """Each element with the opposite sign.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.neg.html
    """

    function = "torch.neg"
    examples = (Example("16x8", "neg", "16x8"),)


class sign(Elementwise):
    """-1, 0 or 1 by the sign of each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.sign.html
    """

    function = "torch.sign"
    kinds = None
    examples = (Example("16x8", "sign", "16x8"),)


class floor(Elementwise):
    """Each element rounded down.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.floor.html
    """

    function = "torch.floor"
    examples = (Example("16x8", "floor", "16x8"),)


class ceil(Elementwise):
    """Each element rounded up.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.ceil.html
    """

    function = "torch.ceil"
    examples = (Example("16x8", "ceil", "16x8"),)


class round(Elementwise):
    """Each element rounded to the nearest integer, halves to the even one.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.round.html
    """

    function = "torch.round"
    examples = (Example("16x8", "round", "16x8"),)


class square(Elementwise):
    """Each element times itself.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.square.html
    """

    function = "torch.square"
    examples = (Example("16x8", "square", "16x8"),)


class exp(Real):
    """The exponential of each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.exp.html
    """

    function = "torch.exp"
    examples = (Example("16x8", "exp", "16x8"),)


class expm1(Real):
    """The exponential of each element minus 1, exact near 0.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.expm1.html
    """

    function = "torch.expm1"
    examples = (Example("16x8", "expm1", "16x8"),)


class log(Real):
    """The natural logarithm of each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.log.html
    """

    function = "torch.log"
    examples = (Example("16x8", "log", "16x8"),)


class log1p(Real):
    """The natural logarithm of each element plus 1, exact near 0.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.log1p.html
    """

    function = "torch.log1p"
    examples = (Example("16x8", "log1p", "16x8"),)


class sqrt(Real):
    """The square root of each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.sqrt.html
    """

    function = "torch.sqrt"
    examples = (Example("16x8", "sqrt", "16x8"),)


class rsqrt(Real):
    """One over the square root of each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.rsqrt.html
    """

    function = "torch.rsqrt"
    examples = (Example("16x8", "rsqrt", "16x8"),)


class reciprocal(Real):
    """One over each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.reciprocal.html
    """

    function = "torch.reciprocal"
    examples = (Example("16x8", "reciprocal", "16x8"),)


class sin(Real):
    """The sine of each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.sin.html
    """

    function = "torch.sin"
    examples = (Example("16x8", "sin", "16x8"),)


class cos(Real):
    """The cosine of each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.cos.html
    """

    function = "torch.cos"
    examples = (Example("16x8", "cos", "16x8"),)


class erf(Real):
    """The error function of each element.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.erf.html
    """

    function = "torch.erf"
    examples = (Example("16x8", "erf", "16x8"),)


class detach(Elementwise):
    """The same values without their history: no gradient flows back through here.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html
    """

    function = ".detach"
    kinds = None
    examples = (Example("16x8", "detach", "16x8"),)


class clamp(Layer):
    """Limits each element to a range; one of its ends may stay open.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.clamp.html
    """

    function = "torch.clamp"
    kinds = ("float", "int")
    free = True
    min = Float(None, doc="Least value, or none.")
    max = Float(None, doc="Greatest value, or none.")
    examples = (Example("16x8", "clamp(min=0)", "16x8"), Example("16x8", "clamp(-1, 1)", "16x8"))

    def infer(self, input: Value) -> Value:
        if self.min is None and self.max is None:
            raise Reject("neither `min` nor `max` is given", field="min")
        return with_numbers(input, self.min, self.max)


def with_numbers(input: Value, *numbers: float | None) -> Value:
    """Integers that meet a fraction become fractions; true and false that meet an integer become integers."""
    if input.kind == "float" or any(isinstance(number, float) for number in numbers):
        return replace(input, kind="float")
    return replace(input, kind="int")


class Scalar(Layer):
    """A tensor and a number."""

    kinds = ("float", "int")
    free = True
    value = Float(doc="The number.")

    def infer(self, input: Value) -> Value:
        return with_numbers(input, self.value)


class add_scalar(Scalar):
    """Adds a number: `input + value`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.add.html
    """

    function = "operator.add"
    function_name = "add_scalar"
    examples = (Example("16x8", "add_scalar(1)", "16x8"),)


class sub_scalar(Scalar):
    """Subtracts a number: `input - value`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.sub.html
    """

    function = "operator.sub"
    function_name = "sub_scalar"
    examples = (Example("16x8", "sub_scalar(0.5)", "16x8"),)


class rsub_scalar(Scalar):
    """Subtracts from a number: `value - input`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.sub.html
    """

    function = "operator.sub"
    function_name = "rsub_scalar"
    leading = 1
    examples = (Example("16x8", "rsub_scalar(1)", "16x8"),)


class mul_scalar(Scalar):
    """Multiplies by a number: `input * value`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.mul.html
    """

    function = "operator.mul"
    function_name = "mul_scalar"
    examples = (Example("16x8", "mul_scalar(0.17)", "16x8"),)


class div_scalar(Scalar):
    """Divides by a number: `input / value`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.div.html
    """

    function = "operator.truediv"
    function_name = "div_scalar"
    examples = (Example("16x8", "div_scalar(8)", "16x8"),)

    def infer(self, input: Value) -> Value:
        return replace(input, kind="float")


class rdiv_scalar(Scalar):
    """Divides a number: `value / input`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.div.html
    """

    function = "operator.truediv"
    function_name = "rdiv_scalar"
    leading = 1
    examples = (Example("16x8", "rdiv_scalar(1)", "16x8"),)

    def infer(self, input: Value) -> Value:
        return replace(input, kind="float")


class pow(Layer):
    """Raises each element to a power.

    Any shape: `input ** exponent`. https://docs.pytorch.org/docs/stable/generated/torch.pow.html
    """

    function = "operator.pow"
    function_name = "pow"
    kinds = ("float", "int")
    free = True
    exponent = Float(doc="The power.")
    examples = (Example("16x8", "pow(2)", "16x8"),)

    def infer(self, input: Value) -> Value:
        return with_numbers(input, self.exponent)
