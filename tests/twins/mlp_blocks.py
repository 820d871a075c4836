"""Multilayer perceptrons put together from blocks, and layers of one's own."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Centered(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=1, keepdim=True)


class Dense(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        nn.init.normal_(self.weight, std=0.1)

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class RandomFeatures(nn.Module):
    directions: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.register_buffer("directions", nn.init.normal_(torch.empty(in_features, out_features), std=0.05))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cos(x @ self.directions)


def hidden(features: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, features), nn.ReLU())


def tower(features: int, depth: int, width: int) -> nn.Sequential:
    layers = nn.Sequential()
    for i in range(depth):
        layers.add_module(f"block{i}", hidden(features, width))
    return layers


def init_tower(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.1)
        nn.init.constant_(module.bias, 0.01)


class MlpBlocks(nn.Module):
    def __init__(self, depth: int = 3, width: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.centered = Centered()
        self.tower = tower(28 * 28, depth, width)
        self.random = RandomFeatures(28 * 28, width)
        self.shared = nn.Linear(width, width)
        self.dense = Dense(width, width)
        self.head = nn.Linear(width, classes)
        self.tower.apply(init_tower)
        nn.init.xavier_uniform_(self.shared.weight)
        nn.init.zeros_(self.shared.bias)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.centered(x.flatten(1))
        x = self.random(self.tower(x))
        x = F.relu(self.shared(x))
        x = F.relu(self.shared(x))
        x = F.relu(self.dense(x))
        return self.head(x)
