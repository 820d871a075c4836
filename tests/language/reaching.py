import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"width": 6, "classes": 2}, {"pool": 3}, {"gate": 0.0}]
SIZES = {"H": 5, "W": 4}


class Gate(nn.Module):
    def __init__(self, channels, width, pool):
        super().__init__()
        self.squeeze = nn.Conv2d(width, pool, 1)
        self.up = nn.Conv2d(pool, width, 1)
        self.match = nn.Conv2d(channels, width, 1)

    def forward(self, y, x):
        return torch.sigmoid(self.up(self.squeeze(y))) * y + self.match(x)


class Mix(nn.Module):
    def __init__(self, width, i):
        super().__init__()
        self.i = i
        self.conv = nn.Conv2d(width, width, 1)

    def forward(self, x, y):
        return self.conv(x) + y * (self.i + 0.5)


class Block(nn.Module):
    def __init__(self, channels, width, pool):
        super().__init__()
        self.pool = pool
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.gate = Gate(channels, width, pool)
        for i in range(pool):
            self.add_module(f"mix{i}", Mix(width, i))
        self.conv2 = nn.Conv2d(width, width, 1)
        self.skip = nn.Conv2d(channels, width, 1)

    def forward(self, x):
        y = F.relu(self.conv1(x))
        z = self.gate(y, x)
        for i in range(self.pool):
            z = self.get_submodule(f"mix{i}")(z, y)
        return self.conv2(z) + self.skip(x)


class Twin(nn.Module):
    def __init__(self, width=4, pool=2, gate=0.5, classes=3):
        super().__init__()
        self.width, self.factor = width, gate
        self.block = Block(3, width, pool)
        self.gate = nn.Conv1d(width - 1, width - 1, 1)
        self.fc = nn.Linear(width - 1, classes)

    def forward(self, x):
        n, _, h, w = x.shape
        half = self.width // 2
        a, b = self.block(x).split((half, self.width - half), 1)
        x = torch.cat([a, b[:, : self.width - half - 1]], 1).reshape(n, self.width - 1, h * w)
        x = self.gate(x * (self.width - 1) ** -0.5)
        return self.fc((x * self.factor if self.factor else x).mean(2))
