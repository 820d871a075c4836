import torch
from torch import nn

PARAMS = [
    {},
    {"width": 16, "factor": 0.8, "expands": [2], "counts": [1, 2, 1], "wide": False},
    {"expands": [], "counts": [], "tail": 3},
    {"counts": [0, 2], "expands": [3, 1, 1], "classes": 2},
]


def divisible(value, by=4):
    nearest = max(by, int(value + by / 2) // by * by)
    return nearest + by if nearest < 0.9 * value else nearest


def norm(channels, width):
    return nn.Sequential(nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU())


class Widen(nn.Module):
    def __init__(self, channels, out, expand, stride):
        super().__init__()
        mid = channels * expand
        first = [norm(channels, mid)] if expand > 1 else []
        self.body = nn.Sequential(*first, nn.Conv2d(mid, mid, 3, stride, padding=1), nn.Conv2d(mid, out, 1))
        self.adds = (stride, channels) == (1, out)

    def forward(self, x):
        return self.body(x) + x if self.adds else self.body(x)


class Fused(nn.Module):
    def __init__(self, channels, out, expand):
        super().__init__()
        widths = [divisible(channels * expand), out] if divisible(channels * expand) != channels else [out]
        layers = [nn.Conv2d(channels, widths[0], 3, padding=1)]
        layers += [nn.Conv2d(width, out, 1) for width in widths[:-1]]
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return self.body(x)


class Halves(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.narrow = nn.Conv2d(channels, out // 2, 1, stride) if stride > 1 else None
        entering = channels if stride > 1 else channels // 2
        self.wide = nn.Sequential(nn.Conv2d(entering, out // 2, 3, stride, padding=1), nn.ReLU())

    def forward(self, x):
        left, right = (x, x) if self.narrow else x.chunk(2, 1)
        if self.narrow:
            left = self.narrow(left)
        return torch.cat([left, self.wide(right)], 1)


class Grown(nn.ModuleList):
    def __init__(self, channels, n, growth):
        super().__init__(nn.Conv2d(channels + growth * i, growth, 3, padding=1) for i in range(n))

    def forward(self, x):
        for layer in self:
            x = torch.cat([x, layer(x)], 1)
        return x


class Twin(nn.Module):
    def __init__(self, width=8, factor=1.5, expands=(1, 2), counts=(2, 1), wide=True, tail=6, classes=4):
        super().__init__()
        base = divisible(width * factor)
        self.stem = nn.Sequential(nn.Conv2d(3, base, 3, padding=1), norm(base, base))
        blocks = []
        for i, expand in enumerate(expands):
            inner = divisible(width * factor * (i + 1))
            blocks += [Widen(base, inner, expand, 2), Widen(inner, inner, expand, 1), Fused(inner, base, expand)]
        wider = divisible(2 * width * factor)
        self.blocks = nn.Sequential(*blocks, norm(base, wider))
        self.halves = nn.Sequential(Halves(wider, width, 2), Halves(width, width, 1), Halves(width, width, 1))
        growing: list[nn.Module] = []
        channels = width
        for i, n in enumerate(counts):
            repeated = [Widen(width if j else channels, width, 1, 1) for j in range(n)]
            channels = width if n else channels
            growing += [nn.Sequential(*repeated), nn.Sequential(nn.Identity(), Grown(channels, n, 3))]
            channels += 3 * n
            if i + 1 < len(counts):
                growing.append(nn.Conv2d(channels, channels // 2, 1))
                channels //= 2
            growing.append(nn.Sequential(nn.Identity(), Grown(channels, 1, 3)))
            channels += 3
            if channels < 16:
                growing.append(nn.Conv2d(channels, 2 * channels, 1))
                channels *= 2
        self.growing = nn.Sequential(nn.Sequential(*growing))
        self.asking = nn.Sequential()
        if wide:
            self.asking.a = nn.Conv2d(channels, 2 * channels, 1)
            self.asking.b = nn.Conv2d(2 * channels, channels, 1)
            self.asking.c = nn.Conv2d(channels, 2 * width, 1)
        self.asking.last = nn.Conv2d(2 * width if wide else channels, width, 1)
        self.pair = nn.Sequential()
        self.pair.first = nn.Conv2d(width, tail, 1)
        self.pair.add_module("1", norm(tail, 2 * tail))
        hidden = int(width * factor)
        self.head = nn.Sequential(nn.Linear(2 * tail, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, x):
        x = self.halves(self.blocks(self.stem(x)))
        return self.head(self.pair(self.asking(self.growing(x))).mean((2, 3)))
