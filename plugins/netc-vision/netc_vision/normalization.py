"""Normalization over the channels of pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from netc.layer import Bool, Example, Float, Layer, State, Value, fixed


class LayerNorm2d(Layer):
    """Normalizes each place of a picture over its channels, then scales and shifts each channel by learned numbers.

    (N, C, H, W) to the same. A LayerNorm over C, with its parameters; Liu et al., "A ConvNet for the 2020s" (2022).
    """

    module = "own:LayerNorm2d"
    ranks = (4,)
    free = True
    eps = Float(1e-5, doc="added to the variance")
    elementwise_affine = Bool(True, doc="scales and shifts each channel by learned numbers")
    bias = Bool(True, doc="whether the affine part shifts")
    imports = ("from torch import Tensor", "from torch import nn")
    source = '''
class LayerNorm2d(nn.LayerNorm):
    """Normalizes each place of (N, C, H, W) over its channels."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
'''
    examples = (
        Example("96x14x14", "LayerNorm2d(eps=1e-6)", "96x14x14"),
        Example("8x5x7", "LayerNorm2d(bias=false)", "8x5x7"),
        Example("8x5x7", "LayerNorm2d(elementwise_affine=false)", "8x5x7"),
    )

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"normalized_shape": fixed(input.shape[1], "normalized_shape")}

    def infer(self, input: Value) -> Value:
        self.inferred(input)
        return replace(input, channel=1)

    def state(self, input: Value) -> dict[str, State]:
        if not self.elementwise_affine:
            return {}
        tensor = State((self.inferred(input)["normalized_shape"],))
        return {"weight": tensor, "bias": tensor} if self.bias else {"weight": tensor}
