import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"layers": [1, 2], "channels": 5}, {"module": 0.25, "conv": 3, "classes": 3}]


class Tail(nn.Module):
    def __init__(self, channels, blocks):
        super().__init__()
        self.names = [f"b{b}" for b in blocks]
        for b, name in zip(blocks, self.names, strict=True):
            self.add_module(name, nn.Sequential(nn.ReLU6(), nn.Conv2d(channels, b, 1)))
        self.members = nn.Conv2d(channels, channels + sum(blocks), 1)

    def forward(self, x, scale):
        out = F.relu(x)
        joined = torch.cat([*(self.get_submodule(name)(x) for name in self.names), out], 1)
        return joined + self.members(x), x.mean((2, 3)) * scale


class Twin(nn.Module):
    def __init__(self, layers=(2, 3), channels=4, module=0.5, conv=2, classes=2):
        super().__init__()
        self.scale = conv
        self.conv = nn.Conv2d(4, channels, 1)
        self.add_module("lambda", nn.Conv2d(channels, channels + 3, 1))
        self.add_module("a\\b", nn.Conv2d(channels + 3, channels, 1))
        self.add_module("quote'd", nn.Identity())
        self.F = nn.Conv2d(channels, channels, 1)
        self.torch = nn.BatchNorm2d(channels)
        self.names = [f"l{n}" for n in layers]
        width = channels
        for n, name in zip(layers, self.names, strict=True):
            convs = []
            for _ in range(n):
                convs.append(nn.Conv2d(width, channels + n, 1))
                width = channels + n
            self.add_module(name, nn.Sequential(*convs))
        self.last = nn.Conv2d(width, channels, 1)
        self.tail = Tail(channels, layers)
        self.fc = nn.Linear(2 * channels + sum(layers), classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.constant_(layer.weight, module)

    def forward(self, x):
        x = self.get_submodule("lambda")(self.conv(x) * self.scale)
        x = self.torch(self.F(self.get_submodule("a\\b")(x)))
        for name in self.names:
            x = self.get_submodule(name)(x)
        x = self.last(x + torch.tanh(x))
        a, b = self.tail(x, x.mean((2, 3)))
        return self.fc(torch.cat([a.mean((2, 3)), b], 1))
