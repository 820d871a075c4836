import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"width": 3, "classes": 2}, {"count": 0}]
SEEDED = False


class Pair(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.second = nn.Conv2d(width, width, 1)
        self.shortcut = nn.Conv2d(channels, width, 1) if channels != width else nn.Identity()
        self.first = nn.Conv2d(channels, width, 1)

    def forward(self, x):
        return self.second(F.relu(self.first(x)) + self.shortcut(x))


class Twin(nn.Module):
    def __init__(self, width=4, count=2, classes=3):
        super().__init__()
        self.fc = nn.Linear(width, classes)
        self.pair2 = Pair(width, width + 1)
        self.stem = nn.Conv2d(3, width, 1)
        self.pair1 = Pair(width, width)
        self.extra = [f"extra{i}" for i in range(count)]
        channels = width + 1
        for name in self.extra:
            self.add_module(name, nn.Conv2d(channels, width, 1))
            channels = width
        self.tail = nn.Conv2d(channels, width, 1)

    def forward(self, x):
        x = self.pair2(self.pair1(self.stem(x)))
        for name in self.extra:
            x = self.get_submodule(name)(x)
        return self.fc(self.tail(x).mean((2, 3)))
