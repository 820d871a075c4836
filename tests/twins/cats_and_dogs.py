"""A classifier of colour pictures of any size into two classes."""

import torch.nn.functional as F
from torch import Tensor, nn


class Stage(nn.Module):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)


class CatsAndDogs(nn.Module):
    def __init__(self, classes: int = 2, rate: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(Stage(3, 32), Stage(32, 64), Stage(64, 128), Stage(128, 128))
        self.fc1 = nn.Linear(128, 128)
        self.drop = nn.Dropout(rate)
        self.fc2 = nn.Linear(128, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.adaptive_avg_pool2d(self.features(x), 1).flatten(1)
        x = self.drop(F.relu(self.fc1(x)))
        return self.fc2(x)
