import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"slope": 0.3, "classes": 4}]


class Cell(nn.Module):
    def __init__(self, channels, width, norm, act, last):
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.norm = norm
        self.act = act
        self.last = last

    def forward(self, x):
        x = self.first(x)
        if self.norm is not None:
            x = self.norm(x)
        return self.last(self.act(x))


class Plain(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 1)

    def forward(self, x):
        return F.relu(self.conv(x))


class Wide(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * width, 1)
        self.narrow = nn.Conv2d(2 * width, width, 1)

    def forward(self, x):
        return self.narrow(self.conv(x))


class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


class Twin(nn.Module):
    def __init__(self, slope=0.1, classes=3):
        super().__init__()
        self.cell1 = Cell(3, 4, nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 1))
        self.cell2 = Cell(8, 6, None, nn.LeakyReLU(0.1), nn.Conv2d(6, 8, 1))
        self.cell3 = Cell(8, 6, nn.InstanceNorm2d(6), nn.LeakyReLU(slope), nn.Conv2d(6, 8, 1))
        last = nn.Sequential(nn.Conv2d(4, 8, 1), nn.ReLU())
        self.cell4 = Cell(8, 4, nn.GroupNorm(2, 4), nn.ReLU(), last)
        self.proj = nn.Conv2d(8, 8, 1)
        self.body1 = Residual(Plain(8, 8))
        self.body2 = Residual(Wide(8, 8))
        self.stage0, self.act0 = Plain(8, 8), nn.ReLU()
        self.stage1, self.act1 = Wide(8, 8), nn.GELU()
        self.out0, self.out1 = nn.Sigmoid(), nn.Tanh()
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        x = self.cell4(self.cell3(self.cell2(self.cell1(x))))
        x = self.body2(self.body1(self.proj(x)))
        x = self.act1(self.stage1(self.act0(self.stage0(x))))
        return self.fc(self.out1(self.out0(x)).mean((2, 3)))

SEEDED = False
