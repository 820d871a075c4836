import torch
from torch import nn
from torch.nn import functional as F

PARAMS = [{}, {"width": 6, "classes": 2}]


class Unit(nn.Module):
    def __init__(self, channels, kernel):
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, kernel, padding="same")

    def forward(self, x):
        return F.relu(self.conv(x))


class Grow(nn.Module):
    def __init__(self, channels, count):
        super().__init__()
        for i in range(count):
            self.add_module(f"new{i}", nn.Conv2d(channels + 2 * i, 2, 3, padding=1))

    def forward(self, x):
        for layer in self.children():
            x = torch.cat([x, layer(x)], 1)
        return x


class Act(nn.Sequential):
    def __init__(self, channels, kind):
        super().__init__()
        for label in ("first", "conv", "second"):
            act = (nn.ReLU(), nn.Tanh(), nn.LeakyReLU(0.2))[kind]
            self.add_module(label, nn.Conv2d(channels, 4, 1) if label == "conv" else act)


class Norm(nn.Sequential):
    def __init__(self, norm):
        super().__init__()
        self.norm = norm


class Twin(nn.Sequential):
    def __init__(self, width=4, classes=3):
        super().__init__()
        self.odd = Unit(3, 3)
        self.even = Unit(4, 4)
        self.pair0 = nn.Conv2d(4, width, 3, padding=1)
        self.pair1 = nn.Conv2d(width, width, (1, 3), padding=(0, 1))
        self.idle = Grow(width, 0)
        self.busy = Grow(width, 2)
        self.act0 = Act(width + 4, 0)
        self.act1 = Act(4, 1)
        self.act2 = Act(4, 2)
        self.grouped = Norm(nn.GroupNorm(2, 4))
        self.batch = Norm(nn.BatchNorm2d(4))
        self.block0 = Unit(4, 1)
        self.relu6 = nn.ReLU6()
        self.block1 = Act(4, 1)
        self.relu6_2 = nn.ReLU6()
        self.flatten = nn.Flatten()
        self.flatten_2 = nn.Flatten()
        self.fc = nn.Linear(256, classes)
