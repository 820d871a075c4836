import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"width": 6, "drop": 0.5}, {"deep": False}, {"extra": True, "classes": 2}]
FROZEN = ["extra"]


class Down(nn.Module):
    def __init__(self, channels, width, kind):
        super().__init__()
        self.kind = kind
        self.bn = None
        if kind == "stride":
            self.conv = nn.Conv2d(channels, width, 3, 2, padding=1)
            self.bn = nn.BatchNorm2d(width)
        else:
            self.conv = nn.Conv2d(channels, width, 1)

    def forward(self, x):
        x = self.conv(F.max_pool2d(x, 2) if self.kind == "pool" else x)
        return F.relu(x if self.bn is None else self.bn(x))


class Block(nn.Module):
    def __init__(self, channels, width, drop=0.0, norm=True, gate=None, wide=False):
        super().__init__()
        mid = 2 * width + 1 if wide else width
        self.drop, self.norm, self.wide = drop, norm, wide
        self.conv = nn.Conv2d(channels, mid, 3, padding=1)
        self.bn = nn.BatchNorm2d(mid) if norm else None
        if wide:
            self.squeeze = nn.Conv2d(mid, 2, 1)
            self.expand = nn.Conv2d(2, mid, 1)
        self.gate = nn.Conv2d(mid, 1, 1) if gate else None
        self.out = nn.Conv2d(mid, width, 1) if mid != width else None

    def forward(self, x):
        x = self.conv(x)
        x = F.relu(x) if self.bn is None else self.bn(x)
        if self.drop:
            x = F.dropout(x, self.drop, self.training)
        if self.wide:
            x = F.relu(self.expand(self.squeeze(x)))
        if self.gate is not None:
            x = x * torch.sigmoid(self.gate(x))
        if self.wide:
            x = x + torch.sigmoid(x)
        return x if self.out is None else self.out(x)


class Twin(nn.Module):
    def __init__(self, width=4, deep=True, extra=False, drop=0.25, classes=3):
        super().__init__()
        self.down1 = Down(3, width, "pool")
        self.down2 = Down(width, width, "stride")
        self.down3 = Down(width, 2 * width, "plain")
        self.block1 = Block(2 * width, width)
        self.block2 = Block(width, width, drop, False, 2)
        self.block3 = Block(width, width, wide=True)
        self.more = None
        if deep:
            self.more = nn.Sequential(Block(width, width + 2, drop, gate=1), Block(width + 2, width))
        channels = width
        self.extra = extra
        if extra:
            channels += 1
            self.__dict__["_modules"]["extra"] = nn.Conv2d(width, channels, 1)
        else:
            self.plain = nn.Conv2d(width, channels, 1)
        self.last = nn.BatchNorm2d(channels) if deep and not extra else None
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.down3(self.down2(self.down1(x))))))
        x = x if self.more is None else self.more(x)
        x = F.relu(self._modules["extra"](x)) if self.extra else self.plain(x)
        x = x if self.last is None else self.last(x)
        return self.fc(x.mean((2, 3)))
