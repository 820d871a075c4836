"""PointNet: a classifier of sets of points, given as (batch, 3, points)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def shared(in_channels: int, out_channels: int) -> nn.Sequential:
    """A layer of a perceptron that every point goes through."""
    return nn.Sequential(nn.Conv1d(in_channels, out_channels, 1), nn.BatchNorm1d(out_channels), nn.ReLU())


def dense(in_features: int, out_features: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(in_features, out_features), nn.BatchNorm1d(out_features), nn.ReLU())


class Pose(nn.Module):
    identity: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("identity", torch.eye(channels))
        self.points = nn.Sequential(shared(channels, 64), shared(64, 128), shared(128, 1024))
        self.features = nn.Sequential(dense(1024, 512), dense(512, 256))
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
        self.local = nn.Sequential(shared(3, 64), shared(64, 64))
        self.feature_pose = Pose(64)
        self.points = nn.Sequential(shared(64, 64), shared(64, 128), shared(128, 1024))
        self.features = nn.Sequential(dense(1024, 512), dense(512, 256))
        self.fc = nn.Linear(256, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.local(self.input_pose(x) @ x)
        x = self.points(self.feature_pose(x) @ x).amax(2)
        x = F.dropout(self.features(x), self.rate, training=self.training)
        return self.fc(x)
