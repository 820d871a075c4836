import math

from torch import nn

PARAMS = [{}, {"width": 7, "ratio": 0.9}, {"wide": False, "name": "core", "classes": 2}, {"width": 8, "ratio": 2.5}]


class Squash(nn.Module):
    def __init__(self, channels, width, ratio):
        super().__init__()
        mid = max(2, round(width * ratio))
        hidden = [max(1, w // 2) for w in (width, mid, 2 * mid) if w > 1]
        self.reduce = nn.Conv2d(channels, hidden[0], 1)
        self.keep = nn.Conv2d(hidden[0], hidden[-1], 1)
        self.expand = nn.Conv2d(hidden[-1], min(channels, width), 1)

    def forward(self, x):
        return self.expand(self.keep(self.reduce(x)))


class Twin(nn.Module):
    def __init__(self, width=6, ratio=0.5, wide=True, name="body", classes=3):
        super().__init__()
        self.stem = nn.Conv2d(3, 2 * width - 1, (3, 1), padding=(1, 0))
        self.add_module(name, Squash(2 * width - 1, width, ratio))
        self.a0 = nn.Conv2d(min(2 * width - 1, width), 4, 1)
        self.b1 = nn.Conv2d(4, 6, 3, padding=1)
        self.c2 = nn.Conv2d(6, 2, (3, 1), padding=(1, 0))
        sizes = [2 + width * 3 % 5, width + 1 if wide else width - 1, 52]
        sizes.append(4 if (wide and width % 2 == 0) or ratio > 2 else 5)
        sizes.append(6 if width in (6, 8) else 7)
        sizes.append(3 + math.ceil(ratio) + math.floor(ratio) + int(math.sqrt(width)))
        channels = 2
        for label, size in zip(("power", "ternary", "shape", "logic", "inside", "unique"), sizes, strict=True):
            self.add_module(label, nn.Conv2d(channels, size, 1))
            channels = size
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        *convs, fc = self.children()
        for conv in convs:
            x = conv(x)
        return fc(x.mean((2, 3)))
