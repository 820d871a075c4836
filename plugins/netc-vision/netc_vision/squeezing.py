"""Channels weighed by what a whole picture holds."""

from __future__ import annotations

from typing import Any

from netc.layer import Class, Example, Int, Layer, State, Value, fixed
from netc.shapes import product
from netc.terms import Dim

BETWEEN = ("torch.nn.ReLU", "torch.nn.SiLU", "torch.nn.GELU", "torch.nn.Hardswish")
GATES = ("torch.nn.Sigmoid", "torch.nn.Hardsigmoid")


class SqueezeExcitation(Layer):
    """Multiplies each channel by a weight that a small network computes from the mean of every channel.

    (N, C, H, W) to the same. The parameters, keys and results of torchvision.ops.SqueezeExcitation; Hu et al.,
    "Squeeze-and-Excitation Networks" (2018).
    """

    module = "own:SqueezeExcitation"
    ranks = (4,)
    squeeze_channels = Int(min=1, doc="channels between the two convolutions of the small network")
    activation = Class(*BETWEEN, default=BETWEEN[0], doc="stands between its convolutions")
    scale_activation = Class(*GATES, default=GATES[0], doc="makes the weights of its output")
    imports = ("from collections.abc import Callable", "from torch import Tensor", "from torch import nn")
    source = '''
class SqueezeExcitation(nn.Module):
    """Weighs each channel of (N, C, H, W) by what the means of all channels say."""

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Callable[..., nn.Module] = nn.ReLU,
        scale_activation: Callable[..., nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Tensor) -> Tensor:
        scale = self.activation(self.fc1(self.avgpool(input)))
        return self.scale_activation(self.fc2(scale)) * input
'''
    examples = (
        Example("64x14x14", "SqueezeExcitation(16)", "64x14x14"),
        Example("8x5x7", "SqueezeExcitation(2, activation=SiLU)", "8x5x7"),
        Example("8x1x1", "SqueezeExcitation(8, scale_activation=Hardsigmoid)", "8x1x1"),
    )

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"input_channels": fixed(input.shape[1], "input_channels")}

    def infer(self, input: Value) -> Value:
        self.inferred(input)
        return input

    def multiply_adds(self, input: Value) -> Dim:
        return 2 * product((*input.shape[:2], self.squeeze_channels))

    def state(self, input: Value) -> dict[str, State]:
        whole, part = self.inferred(input)["input_channels"], self.squeeze_channels
        return {
            "fc1.weight": State((part, whole, 1, 1)),
            "fc1.bias": State((part,)),
            "fc2.weight": State((whole, part, 1, 1)),
            "fc2.bias": State((whole,)),
        }
