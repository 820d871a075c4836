import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"values": 3, "count": 2, "widths": [4], "pool": False}, {"names": ["a b", "update", "1"], "classes": 2}]


class Turns(nn.Module):
    def __init__(self, channels, values):
        super().__init__()
        for i in range(values):
            self.add_module(f"turn{i}", nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x):
        out = x
        for member in self.children():
            out = F.relu(member(out)) + x
        return out


class Numbered(nn.ModuleList):
    def forward(self, x):
        for i, member in enumerate(self):
            x = member(x) * (i + 1)
        return x


class Gaps(nn.Module):
    def __init__(self, channels, count):
        super().__init__()
        self.count = count
        for i in {*range(count)} - {1}:
            self.add_module(str(i), nn.Conv2d(channels, channels, 1))

    def forward(self, x):
        for i in range(self.count):
            x = F.relu(x if i == 1 else self.get_submodule(str(i))(x))
        return x


class Grid(nn.Sequential):
    def __init__(self, channels, rows, columns):
        super().__init__()
        for i in range(rows):
            for j in range(columns):
                self.add_module(f"{i}-{j}", nn.Conv2d(channels, channels, 1))
        self.add_module("1 x", nn.BatchNorm2d(channels))


class Branches(nn.Module):
    def __init__(self, channels, widths, pool, update):
        super().__init__()
        self.add_module("0", nn.Sequential(nn.Conv2d(channels, update, 1), nn.ReLU()))
        for i, width in enumerate(widths):
            self.add_module(str(i + 1), nn.Conv2d(channels, width, 3, padding=1))
        for i, layer in enumerate((nn.AvgPool2d, nn.MaxPool2d) if pool else ()):
            self.add_module(f"p-{i + 1}", nn.Sequential(layer(3, 1, padding=1), nn.Conv2d(channels, update, 1)))

    def forward(self, x):
        return torch.cat([member(x) for member in self.children()], dim=1)


class More(nn.Module):
    def __init__(self, channels, count):
        super().__init__()
        self.count = count
        for i in range(count):
            self.add_module(str(i), nn.Sequential(nn.Conv2d(channels, channels, 1), nn.Tanh()))
        self.add_module("b-1", nn.Conv2d(channels, channels, 1))

    def forward(self, x):
        keep = F.relu(x)
        found = [self.get_submodule(str(i))(x) for i in range(self.count)]
        total = sum(found[1:], found[0])
        return total + self.get_submodule("b-1")(keep) + x


class Ordered(nn.Module):
    def __init__(self, channels):
        super().__init__()
        second, first = (nn.Conv2d(channels, channels, 1) for _ in range(2))
        self.add_module("o1", first)
        self.add_module("o0", second)

    def forward(self, x):
        return F.relu(self.get_submodule("o1")(F.relu(self.get_submodule("o0")(x))))


class Methods(nn.Module):
    def __init__(self, channels, names):
        super().__init__()
        for name in names:
            self.add_module(name, nn.Conv2d(channels, channels, 1))

    def forward(self, x):
        for member in self.children():
            x = F.relu(member(x))
        return x


class Twin(nn.Module):
    def __init__(self, values=2, count=3, widths=(2, 3), pool=True, names=("items", "values"), classes=4):
        super().__init__()
        self.turns = Turns(3, values)
        self.numbered = Numbered(nn.Conv2d(3, 3, 1) for _ in range(count))
        self.gaps = Gaps(3, count)
        self.grid = Grid(3, count, 2)
        self.branches = Branches(3, widths, pool, 5)
        channels = 5 + sum(widths) + 10 * pool
        self.more = More(channels, count)
        self.ordered = Ordered(channels)
        self.methods = Methods(channels, names)
        self.head = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.branches(self.grid(self.gaps(self.numbered(self.turns(x)))))
        return self.head(self.methods(self.ordered(self.more(x))).mean((2, 3)))
