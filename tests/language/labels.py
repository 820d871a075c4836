from collections import OrderedDict

import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"width": 4, "classes": 2}, {"blocks": [2, 0, 1]}]


class Inner(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, 2, 1)
        self.expand = nn.Conv2d(2, channels, 1)

    def forward(self, x, keep):
        return self.expand(F.relu(self.squeeze(x))) + keep


class Mixer(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gate = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.Sigmoid())
        self.inner = Inner(channels)

    def forward(self, x, keep):
        return self.inner(self.gate(x) * keep, keep)


class Twin(nn.Module):
    def __init__(self, width=6, blocks=(1, 2), classes=4):
        super().__init__()
        self.add_module("class", nn.Conv2d(3, width, 1))
        self.add_module("import", nn.Sequential(nn.BatchNorm2d(width), nn.ReLU()))
        self.features = nn.Sequential(
            OrderedDict(
                [
                    (f"conv-{width}", nn.Conv2d(width, width, 3, padding=1)),
                    ("1", nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU())),
                    ("2", nn.Sequential(nn.Conv2d(width, width + 2, 1), nn.ReLU())),
                    ("named", nn.Identity()),
                ]
            )
        )
        channels = width + 2
        self.stages = [f"stage{i + 1}" for i in range(len(blocks))]
        for i, (n, name) in enumerate(zip(blocks, self.stages, strict=True)):
            members = [(f"{i}_{j}", nn.Conv2d(channels, channels, 3, padding=1)) for j in range(n)]
            self.add_module(name, nn.Sequential(OrderedDict([*members, ("norm", nn.BatchNorm2d(channels))])))
        self.mixer = Mixer(channels)
        members = [("0", nn.Linear(channels, 8)), ("1", nn.ReLU()), ("out", nn.Linear(8, classes))]
        fc = nn.Sequential(OrderedDict(members))
        self.head = nn.Sequential(OrderedDict(fc=fc))

    def forward(self, x):
        x = self.get_submodule("import")(self.get_submodule("class")(x))
        keep = x = self.features(x)
        for name in self.stages:
            x = self.get_submodule(name)(x)
        return self.head(self.mixer(x, keep).mean((2, 3)))
