from functools import partial

from torch import nn

PARAMS = [{}, {"classes": 4}]
FROZEN = {"norm"}


class Plain(nn.Module):
    def __init__(self, channels, width, norm, act):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3, padding=1)
        self.norm = norm(width)
        self.act = act

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class Wide(nn.Module):
    def __init__(self, channels, width, norm, act):
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * width, 1)
        self.norm = norm(2 * width)
        self.act = act
        self.narrow = nn.Conv2d(2 * width, width, 1)

    def forward(self, x):
        return self.narrow(self.act(self.norm(self.conv(x))))


class Twin(nn.Module):
    def __init__(self, norm=nn.BatchNorm2d, classes=3):
        super().__init__()
        self.features = nn.Sequential(
            Plain(3, 4, norm, nn.ReLU()), Wide(4, 6, norm, nn.ReLU()), Plain(6, 6, norm, nn.ReLU())
        )
        self.more0 = Plain(6, 4, partial(nn.GroupNorm, 2), nn.ReLU())
        self.more1 = Wide(4, 6, partial(nn.GroupNorm, 2), nn.ReLU())
        self.more2 = Plain(6, 6, partial(nn.GroupNorm, 2), nn.ReLU())
        self.fc = nn.Linear(6, classes)

    def forward(self, x):
        x = self.more2(self.more1(self.more0(self.features(x))))
        return self.fc(x.mean((2, 3)))
