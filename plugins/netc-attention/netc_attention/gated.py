"""Feed-forward parts with a gate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netc.layer import Bool, Example, Int, Layer, State, Value, fixed
from netc.shapes import product
from netc.terms import Dim


class SwiGLU(Layer):
    """A feed-forward part with a gate: `down(silu(gate(x)) * up(x))`.

    (N, *, E) to the same. Parameters and their keys are those of Llama's feed-forward part; Shazeer, "GLU Variants
    Improve Transformer" (2020).
    """

    module = "own:SwiGLU"
    hidden_features = Int(min=1, doc="size of the last dimension inside")
    bias = Bool(False, doc="adds learned vectors")
    imports = ("import torch.nn.functional as F", "from torch import Tensor", "from torch import nn")
    source = '''
class SwiGLU(nn.Module):
    """A feed-forward part over the last dimension, with a gate."""

    def __init__(self, features: int, hidden_features: int, bias: bool = False) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(features, hidden_features, bias=bias)
        self.up_proj = nn.Linear(features, hidden_features, bias=bias)
        self.down_proj = nn.Linear(hidden_features, features, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(input)) * self.up_proj(input))
'''
    examples = (
        Example("16x64", "SwiGLU(172)", "16x64"),
        Example("8", "SwiGLU(12, bias=true)", "8"),
    )

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"features": fixed(input.shape[-1], "features")}

    def infer(self, input: Value) -> Value:
        self.inferred(input)
        return replace(input, channel=input.rank - 1)

    def multiply_adds(self, input: Value) -> Dim:
        return product((*input.shape, 3 * self.hidden_features))

    def state(self, input: Value) -> dict[str, State]:
        features, hidden = self.inferred(input)["features"], self.hidden_features
        sizes = {"gate": (hidden, features), "up": (hidden, features), "down": (features, hidden)}
        state = {}
        for name, shape in sizes.items():
            state[f"{name}_proj.weight"] = State(shape)
            if self.bias:
                state[f"{name}_proj.bias"] = State(shape[:1])
        return state
