import torch.nn.functional as F
from torch import nn

FROZEN = ["zero"]
PARAMS = [{}, {"depth": 1}, {"depth": 2, "zero": 1}, {"zero": 2, "widths": [3, 5, 7]}]


class Unit(nn.Module):
    def __init__(self, channels, width, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3, stride, padding=1)

    def forward(self, x):
        return F.relu(self.conv(x))


class Pre(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x + self.conv(self.norm(x))


class Twin(nn.Module):
    def __init__(self, depth=3, zero=0, widths=(4, 6), classes=3):
        super().__init__()
        channels = 2

        def units(count, width):
            nonlocal channels
            made = []
            for _ in range(count):
                made.append(Unit(channels, width))
                channels = width
            return made

        self.body = nn.Sequential(*units(depth, widths[0]))
        self.empty = nn.Sequential(*units(zero, 5))
        width = widths[1]
        self.one = nn.Sequential(Unit(channels, width, 2), nn.ReLU())
        first = [Pre(width) for _ in range(2)]
        self.tail = nn.Sequential(*first, nn.Conv2d(width, width, 1), *(Pre(width) for _ in range(depth - 1)))
        channels, self.count = width, len(widths)
        for i, width in enumerate(widths):
            start = Unit(channels, width, 2)
            channels = width
            self.add_module(f"stage{i}", nn.Sequential(start, *units(depth, width)))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.tail(self.one(self.empty(self.body(x))))
        for i in range(self.count):
            x = self.get_submodule(f"stage{i}")(x)
        return self.fc(x.mean((2, 3)))
