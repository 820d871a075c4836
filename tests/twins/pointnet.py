"""PointNet: a classifier of sets of points, given as (batch, 3, points)."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def shared_mlp(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv1d(before, after, 1), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers)


def mlp(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return nn.Sequential(*layers)


class Pose(nn.Module):
    identity: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("identity", torch.eye(channels))
        self.points = shared_mlp(channels, 64, 128, 1024)
        self.features = mlp(1024, 512, 256)
        self.matrix = nn.Linear(256, channels * channels)
        nn.init.zeros_(self.matrix.weight)
        nn.init.zeros_(self.matrix.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.points(x).amax(2)
        x = self.matrix(self.features(x))
        return x.view(-1, self.channels, self.channels) + self.identity


class PointNet(nn.Module):
    def __init__(self, classes: int = 10, rate: float = 0.3) -> None:
        super().__init__()
        self.rate = rate
        self.input_pose = Pose(3)
        self.local = shared_mlp(3, 64, 64)
        self.feature_pose = Pose(64)
        self.points = shared_mlp(64, 64, 128, 1024)
        self.features = mlp(1024, 512, 256)
        self.fc = nn.Linear(256, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.local(self.input_pose(x) @ x)
        x = self.points(self.feature_pose(x) @ x).amax(2)
        x = F.dropout(self.features(x), self.rate, training=self.training)
        return self.fc(x)
