import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"classes": 7}, {"pool": False}]


class Mixed(nn.Module):
    def __init__(self, channels, widths, pool):
        super().__init__()
        self.count = len(widths)
        for i, w in enumerate(widths):
            self.add_module(f"branch{i + 1}", nn.Conv2d(channels, w, 2 * i + 1, padding=i))
        self.pooled = nn.Conv2d(channels, 4, 1) if pool else None
        self.tail = nn.Sequential(nn.Conv2d(channels, 4, 1), nn.ReLU())

    def forward(self, x):
        branches = [self.get_submodule(f"branch{i + 1}")(x) for i in range(self.count)]
        if self.pooled is not None:
            branches.append(self.pooled(F.max_pool2d(x, 3, 1, 1)))
        return torch.cat([*branches, self.tail(x)], dim=1)


class Gated(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.value = nn.Conv2d(channels, channels, 1)
        self.gate = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return self.value(x) * torch.sigmoid(self.gate(x))


class Shortcut(nn.Module):
    def __init__(self, channels, width, stride):
        super().__init__()
        self.proj = None
        if stride != 1 or channels != width:
            self.proj = nn.Conv2d(channels, width, 1, stride)
        self.f1 = nn.Conv2d(channels, width, 3, stride, padding=1)
        self.f2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        short = x if self.proj is None else self.proj(x)
        return F.relu(short + self.f2(F.relu(self.f1(x))))


class Stacked(nn.Module):
    def __init__(self, channels, widths):
        super().__init__()
        for w in widths:
            self.add_module(f"s{w}", nn.Linear(channels, channels))

    def forward(self, x):
        return torch.stack([*(linear(x) for linear in self.children()), torch.tanh(x)], 1).mean(1)


class Nested(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.left = nn.Conv2d(channels, channels, 1)
        self.inner1 = nn.Conv2d(channels, channels, 1)
        self.inner2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        left, value, gate = torch.tanh(self.left(x)), self.inner1(x), self.inner2(x)
        return left + value * (gate + torch.sigmoid(gate))


class Twin(nn.Module):
    def __init__(self, classes=3, pool=True):
        super().__init__()
        self.mixed1 = Mixed(3, [4, 6], pool)
        channels = 18 if pool else 14
        self.mixed2 = Mixed(channels, [2, 2, 4], False)
        self.gated = Gated(12)
        self.short1 = Shortcut(12, 12, 1)
        self.short2 = Shortcut(12, 16, 2)
        self.nested = Nested(16)
        self.query = nn.Linear(16, 8)
        self.key = nn.Linear(16, 8)
        self.stacked = Stacked(8, [3, 5])
        self.low = nn.Linear(8, 4)
        self.fc = nn.Linear(20, classes)

    def forward(self, x):
        x = self.nested(self.short2(self.short1(self.gated(self.mixed2(self.mixed1(x))))))
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)
        x = torch.stack([self.query(x), self.key(x)], 1).mean(1)
        x = self.stacked(x)
        return self.fc(torch.cat([x, F.relu(self.low(x)), torch.tanh(x)], 1))
