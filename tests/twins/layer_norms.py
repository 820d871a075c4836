"""A small network normalised over the batch, each example, each channel or groups of channels."""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn


def normalization(kind: str, channels: int, size: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "layer":
        return nn.LayerNorm((channels, size, size))
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    return nn.GroupNorm(4, channels)


class Stage(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, norm: str, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm = normalization(norm, out_channels, size)

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)


class LayerNorms(nn.Module):
    def __init__(self, norm: str = "batch", width: int = 16, classes: int = 10) -> None:
        super().__init__()
        self.stage1 = Stage(1, width, norm, 28)
        self.stage2 = Stage(width, 2 * width, norm, 14)
        self.stage3 = Stage(2 * width, 4 * width, norm, 7)
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage3(self.stage2(self.stage1(x)))
        return self.fc(x.mean((2, 3)))


layer_norm = partial(LayerNorms, "layer")
instance_norm = partial(LayerNorms, "instance")
group_norm = partial(LayerNorms, "group")
