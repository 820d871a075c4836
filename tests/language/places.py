from torch import nn
from torch.nn import functional as F

PARAMS = [{}, {"count": 3, "dilations": [2], "classes": 2}]


class Resize(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return F.interpolate(self.conv(F.max_pool2d(x, 2)), x.shape[2:])


class Twice(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.unit = nn.Sequential(nn.Conv2d(channels, 2 * channels, 1), nn.Conv2d(2 * channels, 2 * channels, 1))

    def forward(self, x):
        return self.unit(x)


class Twin(nn.Module):
    def __init__(self, count=2, dilations=(1, 2), classes=3):
        super().__init__()
        self.count, self.dilations = count, (1, *dilations)
        self.register_module("fc", None)
        self.register_module("leak", None)
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        channels = 4
        for i in range(count):
            self.add_module(f"conv{i}", nn.Conv2d(channels, 4 + i, 1))
            channels = 4 + i
        self.resize = Resize(channels)
        self.small = Resize(channels)
        for i, dilation in enumerate(self.dilations):
            self.add_module(f"branch{i}", nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation))
        self.twice = Twice(channels)
        self.leak = nn.LeakyReLU(0.2)
        self.fc = nn.Linear(2 * channels, classes)

    def forward(self, x):
        x = self.stem(x)
        for i in range(self.count):
            x = self.get_submodule(f"conv{i}")(x)
        x = self.small(F.max_pool2d(self.resize(x), 2))
        total = x
        for i in range(len(self.dilations)):
            total = self.get_submodule(f"branch{i}")(total)
        x = x + total
        for _ in range(3):
            x = F.gelu(x)
        x = self.leak(self.twice(x))
        return self.fc(x.mean((2, 3)))
