"""Activations that look along a dimension: softmax and its kin, and the gated linear unit."""

from __future__ import annotations

from netc.layer import Bool, Example, Float, Int, Layer, Reject, Value
from netc.shapes import divisible, show_dim
from netc_std.axes import axis


class Normalized(Layer):
    """Weights along a dimension, which sum to 1; `dim` is required, because torch's choice without it is deprecated."""

    free = True
    elsewhere = {"axis": "dim"}
    dim = Int(doc="The dimension that is normalised, the batch counted as 0.")

    def infer(self, input: Value) -> Value:
        axis(self.dim, input.rank)
        return input


class Softmax(Normalized):
    """Makes positive weights of sum 1 along a dimension: `exp(x) / sum(exp(x))`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html
    """

    module = "torch.nn.Softmax"
    function = "torch.nn.functional.softmax"
    range = (0, 1)
    examples = (Example("10", "Softmax(dim=1)", "10"), Example("16x8x8", "softmax(dim=-1)", "16x8x8"))


class LogSoftmax(Normalized):
    """The logarithm of the softmax along a dimension, as `NLLLoss` wants it.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
    """

    module = "torch.nn.LogSoftmax"
    function = "torch.nn.functional.log_softmax"
    range = (None, 0)
    examples = (Example("10", "LogSoftmax(dim=1)", "10"), Example("16x8x8", "log_softmax(dim=1)", "16x8x8"))


class Softmin(Normalized):
    """The softmax of the negated input along a dimension.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmin.html
    """

    module = "torch.nn.Softmin"
    function = "torch.nn.functional.softmin"
    range = (0, 1)
    examples = (Example("10", "Softmin(dim=1)", "10"), Example("16x8x8", "softmin(dim=1)", "16x8x8"))


class gumbel_softmax(Layer):  # named as the function that it is
    """A softmax with noise, which draws one of the places along a dimension at random, and has a gradient all the same.

    Any shape. Stricter than torch: `tau` is above 0. See Jang et al. (2017), arXiv 1611.01144.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html
    """

    function = "torch.nn.functional.gumbel_softmax"
    range = (0, 1)
    free = True
    tau = Float(1.0, above=0, doc="The temperature: the lower, the nearer to 0 and 1.")
    hard = Bool(False, doc="Gives exact zeros and ones; the gradient is that of the softmax.")
    eps = Float(1e-10, doc="Without effect; PyTorch keeps it.")
    dim = Int(-1, doc="The dimension that is normalised, the batch counted as 0.")
    examples = (Example("10", "gumbel_softmax(hard=true)", "10"), Example("16x8", "gumbel_softmax(0.5, dim=1)", "16x8"))

    def infer(self, input: Value) -> Value:
        axis(self.dim, input.rank)
        return input


class Softmax2d(Layer):
    """The softmax over the channels at every place of a picture.

    (N, C, H, W) to the same. https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax2d.html
    """

    module = "torch.nn.Softmax2d"
    range = (0, 1)
    ranks = (4,)
    free = True
    examples = (Example("16x8x8", "Softmax2d", "16x8x8"),)

    def infer(self, input: Value) -> Value:
        return input


class GLU(Layer):
    """Gates one half of a dimension with the sigmoid of the other: `a * sigmoid(b)`.

    The dimension `dim` is halved. https://docs.pytorch.org/docs/stable/generated/torch.nn.GLU.html
    """

    module = "torch.nn.GLU"
    function = "torch.nn.functional.glu"
    free = True
    dim = Int(-1, doc="The dimension that is halved, the batch counted as 0.")
    examples = (Example("16x8x8", "GLU(dim=1)", "8x8x8"), Example("10", "glu", "5"))

    def infer(self, input: Value) -> Value:
        dim = axis(self.dim, input.rank)
        size = input.shape[dim]
        if not divisible(size, 2):
            raise Reject(
                f"halves dimension {dim}, and {show_dim(size)} is odd in {input}",
                field="dim",
                help="give it an even size",
            )
        return input.with_dim(dim, size // 2)
