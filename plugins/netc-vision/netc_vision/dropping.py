"""Residual branches that are left out at random in training."""

from __future__ import annotations

from netc.layer import Example, Float, Layer, Value, Word


class StochasticDepth(Layer):
    """Leaves a residual branch out with probability `p` in training, and scales what stays by `1 / (1 - p)`.

    Any shape. With `row` each example is left out by itself, with `batch` all of them are together. The same draws as
    torchvision.ops.StochasticDepth; Huang et al., "Deep Networks with Stochastic Depth" (2016).
    """

    module = "own:StochasticDepth"
    function = "own:stochastic_depth"
    free = True
    function_extra = {"training": "self.training"}
    p = Float(min=0.0, max=1.0, doc="probability of being left out")
    mode = Word("row", "batch", doc="what is left out: single examples, or the whole batch")
    imports = ("from torch import Tensor", "from torch import nn")
    helpers = (
        '''
def stochastic_depth(input: Tensor, p: float, mode: str, training: bool) -> Tensor:
    """Zeroes examples (`row`) or the batch with probability `p` and scales the rest."""
    if mode not in ("row", "batch"):
        raise ValueError(f"mode must be 'row' or 'batch', not {mode!r}")
    if not training or p == 0.0:
        return input
    shape = (input.shape[0] if mode == "row" else 1, *[1] * (input.ndim - 1))
    keep = 1.0 - p
    return input * input.new_empty(shape).bernoulli_(keep).div_(keep or 1.0)
''',
    )
    source = '''
class StochasticDepth(nn.Module):
    """Leaves a residual branch out with probability `p` in training."""

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input: Tensor) -> Tensor:
        return stochastic_depth(input, self.p, self.mode, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode}"
'''
    examples = (
        Example("64x14x14", "StochasticDepth(0.2, row)", "64x14x14"),
        Example("49x96", "stochastic_depth(0.1, row)", "49x96"),
        Example("10", "StochasticDepth(0.5, batch)", "10"),
    )

    def infer(self, input: Value) -> Value:
        return input
