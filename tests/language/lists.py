import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"widths": [6, 6, 3], "rate": 0.0}, {"widths": [3], "classes": 2}]


class Block(nn.Module):
    def __init__(self, channels, width, rate):
        super().__init__()
        self.rate = rate
        self.conv = nn.Conv2d(channels, width, 3, padding=1)
        self.proj = nn.Conv2d(channels, width, 1) if channels != width else nn.Identity()

    def forward(self, x):
        return F.dropout(self.conv(x), self.rate, self.training) + self.proj(x)


class Twin(nn.Module):
    def __init__(self, widths=(4, 6), rate=0.25, classes=3):
        super().__init__()
        for name in ("fc", "body", "tail", "same", "head", "stem"):
            self.register_module(name, None)
        self.stem = nn.Conv2d(3, widths[0], 1)
        self.body = nn.Sequential()
        channels = widths[0]
        for i, width in enumerate(widths):
            self.body.append(Block(channels, width, rate * i))
            channels = width
        self.tail = nn.Sequential()
        for width in widths:
            if width > 5:
                self.tail.extend([nn.Conv2d(channels, width, 1), nn.ReLU()])
                channels = width
        self.same = nn.Sequential(Block(channels, channels, rate), Block(channels, channels, rate))
        self.head = nn.Sequential()
        for width in widths:
            self.head.append(nn.Linear(channels, width))
            channels = width
        self.head.append(nn.Dropout(rate))
        self.fc = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.constant_(module.weight, 0.125)
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        for module in self.head:
            if isinstance(module, nn.Linear):
                nn.init.constant_(module.weight, 0.5)
        nn.init.constant_(self.stem.weight, 0.5)

    def forward(self, x):
        x = self.same(self.tail(self.body(self.stem(x))))
        return self.fc(self.head(x.mean((2, 3))))
