"""Layers with a backward of their own."""

from __future__ import annotations

from netc.layer import Example, Float, Layer, Value

IMPORTS = (
    "from typing import Any",
    "from torch import Tensor",
    "from torch import nn",
    "from torch.autograd import Function",
)


class GradientReversal(Layer):
    """Gives back what it takes, and turns the gradient round: the layers before it learn what those behind it must not.

    Any shape. The gradient is multiplied by `-scale`. Ganin and Lempitsky, "Unsupervised Domain Adaptation by
    Backpropagation" (2015).
    """

    module = "own:GradientReversal"
    function = "own:gradient_reversal"
    free = True
    scale = Float(1.0, min=0.0, doc="what the gradient is multiplied by, beside -1")
    imports = IMPORTS
    helpers = (
        '''
class Reversal(Function):
    """The identity, with a gradient that points the other way."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return input.view_as(input)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradient, None
''',
        '''
def gradient_reversal(input: Tensor, scale: float = 1.0) -> Tensor:
    """The input; its gradient is multiplied by -scale."""
    return Reversal.apply(input, scale)
''',
    )
    source = '''
class GradientReversal(nn.Module):
    """The identity; the gradient is multiplied by -scale."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, input: Tensor) -> Tensor:
        return gradient_reversal(input, self.scale)
'''
    examples = (
        Example("64", "GradientReversal(0.5)", "64"),
        Example("8x4x4", "gradient_reversal", "8x4x4"),
    )

    def infer(self, input: Value) -> Value:
        return input


class StraightThroughSign(Layer):
    """The sign of each value, 1 for zero; the gradient passes as if nothing were done where the value is in [-1, 1].

    Any shape. Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons" (2013), with the bounds
    of Hubara et al., "Binarized Neural Networks" (2016).
    """

    module = "own:StraightThroughSign"
    function = "own:straight_through_sign"
    range = (-1.0, 1.0)
    free = True
    imports = (*IMPORTS, "import torch")
    helpers = (
        '''
class StraightThrough(Function):
    """The sign; the gradient passes where the input is in [-1, 1]."""

    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        ctx.save_for_backward(input)
        return torch.where(input < 0, -1.0, 1.0).to(input.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (input,) = ctx.saved_tensors
        return gradient * (input.abs() <= 1)
''',
        '''
def straight_through_sign(input: Tensor) -> Tensor:
    """-1 or 1; the gradient passes where the input is in [-1, 1]."""
    return StraightThrough.apply(input)
''',
    )
    source = '''
class StraightThroughSign(nn.Module):
    """-1 or 1; the gradient passes where the input is in [-1, 1]."""

    def forward(self, input: Tensor) -> Tensor:
        return straight_through_sign(input)
'''
    examples = (
        Example("64", "StraightThroughSign", "64"),
        Example("8x4x4", "straight_through_sign", "8x4x4"),
    )

    def infer(self, input: Value) -> Value:
        return input
