"""A kernel that learns to see edges, and convolution and pooling written out."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EdgeDetector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, kernel_size=(1, 2), bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class CrossCorrelation(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels * kernel_size**2))
        self.bias = nn.Parameter(torch.zeros(out_channels, 1))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        out = self.weight @ F.unfold(x, self.kernel_size) + self.bias
        return out.unflatten(2, (height - self.kernel_size + 1, width - self.kernel_size + 1))


class Pointwise(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        return (self.weight @ x.flatten(2)).unflatten(2, x.shape[2:])


class Pool(nn.Module):
    def __init__(self, size: int, average: bool = False) -> None:
        super().__init__()
        self.size = size
        self.average = average

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        windows = x.reshape(batch, channels, height // self.size, self.size, width // self.size, self.size)
        return windows.mean((3, 5)) if self.average else windows.amax((3, 5))


class ByHand(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv = CrossCorrelation(1, 6, 5)
        self.pool = Pool(2)
        self.pointwise = Pointwise(6, 16)
        self.average = Pool(2, average=True)
        self.fc = nn.Linear(16 * 6 * 6, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv(x)))
        x = self.average(F.relu(self.pointwise(x)))
        return self.fc(x.flatten(1))
