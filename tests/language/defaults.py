from torch import nn

PARAMS = [{}, {"momentum": 0.3, "classes": 2}, {"eps": 0.1, "width": 3}]


class Unit(nn.Module):
    def __init__(self, channels, width, eps, momentum, bias=True):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.last = nn.Conv2d(width, width, 1, bias=bias)
        self.norm = nn.BatchNorm2d(width, eps, momentum)
        self.leakyrelu = nn.LeakyReLU(0.2)

    def forward(self, x):
        return self.leakyrelu(self.norm(self.last(self.conv(x))))


class Slow(nn.Module):
    def __init__(self, channels, width, eps, momentum):
        super().__init__()
        self.unit = Unit(channels, width, eps, momentum)
        self.free = Unit(width, width, eps, momentum, bias=False)
        self.norm = nn.BatchNorm2d(width, eps, 0.5)

    def forward(self, x):
        return self.norm(self.free(self.unit(x)))


class Twin(nn.Module):
    def __init__(self, width=4, momentum=0.02, eps=1e-4, classes=3):
        super().__init__()
        self.unit = Unit(3, width, eps, 0.1)
        self.slow = Slow(width, width, eps, momentum)
        self.fast = Slow(width, width, eps, 0.9)
        self.padded = nn.Conv2d(width, width, 3, padding=2, bias=False)
        self.act = nn.LeakyReLU(0.3)
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        x = self.fast(self.slow(self.unit(x)))
        return self.fc(self.act(self.padded(x)).mean((2, 3)))
