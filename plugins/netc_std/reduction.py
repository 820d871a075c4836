"""Reductions: what takes a mean, a sum or an extreme along dimensions, and what runs along one.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netc.layer import Bool, Example, Float, Int, Ints, Layer, Reject, Value
from netc_std.axes import Axes, axes, axis, without


class Reduction(Layer):
    """Makes one number of each slice; without `dim`, of the whole tensor, the batch too."""

    positional = 1
    free = True
    dim: Any = Axes(None, doc="The dimensions that go, the batch counted as 0; none for all.")
    keepdim = Bool(False, doc="Leave them with size 1.")

    def function_arguments(self, input: Value) -> dict[str, Any]:
        arguments = self.given()
        return arguments if self.dim is not None else {}

    def infer(self, input: Value) -> Value:
        if self.dim is None and self.keepdim:
            raise Reject("`keepdim` says nothing without `dim`", field="keepdim", help="name the dimensions")
        return without(input, axes(self.dim, input.rank), self.keepdim)


class mean(Reduction):
    """The mean along dimensions.

    (N, C, H, W) with `mean((2, 3))` to (N, C). Stricter than torch: `keepdim` needs `dim`.
    https://docs.pytorch.org/docs/stable/generated/torch.mean.html
    """

    function = ".mean"
    examples = (Example("16x8x8", "mean((2, 3))", "16"), Example("16x8x8", "mean(1, keepdim=true)", "1x8x8"))


class sum(Reduction):
    """The sum along dimensions.

    (N, C, H, W) with `sum(1)` to (N, H, W). Stricter than torch: `keepdim` needs `dim`.
    https://docs.pytorch.org/docs/stable/generated/torch.sum.html
    """

    function = ".sum"
    kinds = None
    examples = (Example("16x8x8", "sum(1)", "8x8"), Example("16x8x8", "sum((2, 3), keepdim=true)", "16x1x1"))

    def infer(self, input: Value) -> Value:
        result = super().infer(input)
        return replace(result, kind="int") if input.kind == "bool" else result


class amax(Reduction):
    """The greatest value along dimensions.

    (N, C, H, W) with `amax((2, 3))` to (N, C). https://docs.pytorch.org/docs/stable/generated/torch.amax.html
    """

    function = ".amax"
    kinds = None
    dim = Axes((), doc="The dimensions that go, the batch counted as 0; `()` for all.")
    keepdim = Bool(False, doc="Leave them with size 1.")
    examples = (Example("16x8x8", "amax((2, 3))", "16"),)


class amin(Reduction):
    """The least value along dimensions.

    (N, C, H, W) with `amin((2, 3))` to (N, C). https://docs.pytorch.org/docs/stable/generated/torch.amin.html
    """

    function = ".amin"
    kinds = None
    dim = Axes((), doc="The dimensions that go, the batch counted as 0; `()` for all.")
    keepdim = Bool(False, doc="Leave them with size 1.")
    examples = (Example("16x8x8", "amin((2, 3))", "16"),)


class logsumexp(Reduction):
    """The logarithm of the sum of the exponentials along dimensions.

    (N, C) with `logsumexp(1)` to (N). https://docs.pytorch.org/docs/stable/generated/torch.logsumexp.html
    """

    function = ".logsumexp"
    dim = Axes(doc="The dimensions that go, the batch counted as 0.")
    examples = (Example("16x8", "logsumexp(2)", "16"),)


class Spread(Reduction):
    """Variance or standard deviation."""

    dim = Axes(None, doc="The dimensions that go, the batch counted as 0; none for all.")
    correction = Int(1, doc="What is taken from the number of values before dividing.")
    keepdim = Bool(False, doc="Leave them with size 1.")

    def function_arguments(self, input: Value) -> dict[str, Any]:
        return {"dim": self.dim, "correction": self.correction, "keepdim": self.keepdim}

    def infer(self, input: Value) -> Value:
        return without(input, axes(self.dim, input.rank), self.keepdim)


class var(Spread):
    """The variance along dimensions.

    (N, C, L) with `var(2)` to (N, C). https://docs.pytorch.org/docs/stable/generated/torch.var.html
    """

    function = ".var"
    examples = (Example("16x8", "var(2)", "16"),)


class std(Spread):
    """The standard deviation along dimensions.

    (N, C, L) with `std(2)` to (N, C). https://docs.pytorch.org/docs/stable/generated/torch.std.html
    """

    function = ".std"
    examples = (Example("16x8", "std(2)", "16"),)


class argmax(Layer):
    """Where the greatest value along a dimension stands; without `dim`, in the whole tensor counted through.

    (N, C) with `argmax(1)` to integers (N). https://docs.pytorch.org/docs/stable/generated/torch.argmax.html
    """

    function = ".argmax"
    kinds = ("float", "int")
    positional = 1
    free = True
    dim = Int(None, doc="The dimension that goes, the batch counted as 0; none for all.")
    keepdim = Bool(False, doc="Leave it with size 1.")
    examples = (Example("10", "argmax(1)", " int"),)

    def infer(self, input: Value) -> Value:
        return replace(without(input, axes(self.dim, input.rank), self.keepdim), kind="int")


class cumsum(Layer):
    """The running sum along a dimension.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.cumsum.html
    """

    function = ".cumsum"
    kinds = None
    free = True
    dim = Int(doc="The dimension, the batch counted as 0.")
    examples = (Example("16x8", "cumsum(2)", "16x8"),)

    def infer(self, input: Value) -> Value:
        axis(self.dim, input.rank)
        return replace(input, kind="int") if input.kind == "bool" else input


class flip(Layer):
    """Reverses the order along dimensions.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.flip.html
    """

    function = ".flip"
    kinds = None
    free = True
    dims = Ints(variadic=True, doc="The dimensions, the batch counted as 0.")
    examples = (Example("3x8x8", "flip(3)", "3x8x8"),)

    def infer(self, input: Value) -> Value:
        if not self.dims:
            raise Reject("no dimension is named", field="dims")
        axes(self.dims, input.rank, "dims")
        return input


class roll(Layer):
    """Shifts along dimensions; what leaves at one end comes in at the other.

    Any shape. Stricter than torch: `dims` is required, because without it torch rolls across the batch.
    https://docs.pytorch.org/docs/stable/generated/torch.roll.html
    """

    function = "torch.roll"
    kinds = None
    free = True
    shifts = Ints(doc="How far, for each dimension.")
    dims = Ints(doc="The dimensions, the batch counted as 0.")
    examples = (Example("8x8x96", "roll((-3, -3), (1, 2))", "8x8x96"),)

    def infer(self, input: Value) -> Value:
        if len(self.shifts) != len(self.dims) or not self.dims:
            raise Reject(f"{len(self.shifts)} shifts for {len(self.dims)} dimensions", field="dims")
        for dim in self.dims:
            axis(dim, input.rank, "dims")
        return input


class normalize(Layer):
    """Divides by the p-norm along a dimension, so that the norm becomes 1.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
    """

    function = "torch.nn.functional.normalize"
    free = True
    p = Float(2.0, doc="Which norm.")
    dim = Int(1, doc="The dimension, the batch counted as 0.")
    eps = Float(1e-12, doc="The least divisor.")
    examples = (Example("128", "normalize", "128"), Example("16x8", "normalize(dim=2)", "16x8"))

    def infer(self, input: Value) -> Value:
        axis(self.dim, input.rank)
        return input
