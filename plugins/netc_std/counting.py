"""The places of a dimension by number, for what is learned or computed a position.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from netc.layer import Example, Int, Layer, Value
from netc_std.axes import axis

POSITIONS = '''
def positions(input: Tensor, dim: int = 1) -> Tensor:
    """Numbers the places along a dimension: 0, 1, 2, ..."""
    return torch.arange(input.shape[dim], device=input.device)
'''


class positions(Layer):
    """Numbers the places along a dimension, by default that behind the batch: 0, 1, 2, …

    (N, L, *) to integers (L,), the same for every example. What an Embedding makes of them is added to each sequence:
    `+ positions -> (wpe: Embedding(1024, 768))`. https://docs.pytorch.org/docs/stable/generated/torch.arange.html
    """

    function = "own:positions"
    kinds = None
    free = True
    dim = Int(1, doc="The dimension; the batch is 0, and -1 the last.")
    imports = ("import torch", "from torch import Tensor")
    helpers = (POSITIONS,)
    examples = (
        Example("12 int", "positions", "(12) int"),
        Example("5x16", "positions(-1)", "(16) int"),
    )

    def infer(self, input: Value) -> Value:
        return Value((input.shape[axis(self.dim, input.rank)],), "int", None)
