import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"width": 5, "classes": 2}]
SIZES = {"H2": 4, "W2": 4}


class Merge(nn.Module):
    def __init__(self, a, b, width):
        super().__init__()
        self.left = nn.Conv2d(a, width, 1)
        self.right = nn.Conv2d(b, width, 1)

    def forward(self, a, b):
        return F.relu(self.left(a) + self.right(b) * 0.5)


class Decode(nn.Module):
    def __init__(self, channels, skip, width):
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, width, 2, stride=2)
        self.mix = nn.Conv2d(width + skip, width, 3, padding=1)
        self.proj = nn.Conv2d(channels, width, 1)

    def forward(self, x, skip):
        y = self.mix(torch.cat([self.up(x), skip], 1))
        return y + self.proj(F.interpolate(x, scale_factor=2))


class Attend(nn.Module):
    def __init__(self, channels, query):
        super().__init__()
        self.q = nn.Linear(channels, query)

    def forward(self, x, query, memory):
        return (self.q(x) + memory) * query


class Both(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.mix = nn.Linear(channels, channels)

    def forward(self, a, b):
        return self.mix(a * b)


class Twin(nn.Module):
    def __init__(self, width=4, classes=3):
        super().__init__()
        self.merge = Merge(3, 2, width)
        self.decode = Decode(2, width, width)
        self.second = Decode(width, width, 6)
        self.pooled = nn.Linear(width, 6)
        self.attend = Attend(6, 6)
        self.both = Both(6)
        self.fc = nn.Linear(6, classes)

    def forward(self, fine, coarse):
        keep = self.merge(fine, F.interpolate(coarse, scale_factor=2))
        x = self.decode(coarse, keep)
        x = self.second(x, F.interpolate(keep, scale_factor=2)).mean((2, 3))
        y = self.pooled(keep.mean((2, 3)))
        return self.fc(self.both(self.attend(x, y, x), y))
