"""A temporal convolutional network, whose convolutions see the past only."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn


def causal(in_channels: int, out_channels: int, kernel_size: int, dilation: int) -> nn.Sequential:
    pad = nn.ZeroPad1d(((kernel_size - 1) * dilation, 0))
    return nn.Sequential(pad, nn.Conv1d(in_channels, out_channels, kernel_size, dilation=dilation))


class TemporalBlock(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, dilation: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.conv1 = causal(in_channels, out_channels, kernel_size, dilation)
        self.conv2 = causal(out_channels, out_channels, kernel_size, dilation)
        self.downsample = nn.Conv1d(in_channels, out_channels, 1) if in_channels != out_channels else None

    def forward(self, x: Tensor) -> Tensor:
        y = F.dropout1d(F.relu(self.conv1(x)), self.drop, self.training)
        y = F.dropout1d(F.relu(self.conv2(y)), self.drop, self.training)
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class TemporalConvNet(nn.Module):
    def __init__(
        self, features: int = 2, outputs: int = 1, widths: Sequence[int] = (30, 30, 30, 30), kernel: int = 7,
        rate: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.blocks = nn.Sequential()
        for i, width in enumerate(widths):
            self.blocks.append(TemporalBlock(features, width, kernel, 2**i, rate))
            features = width
        self.head = nn.Linear(features, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(x)[:, :, -1])
