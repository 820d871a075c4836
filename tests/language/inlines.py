import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"width": 5, "classes": 2}]
SIZES = {"H": 16, "W": 16}


class ConvRelu(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        mid = width + 2
        self.conv = nn.Conv2d(channels, mid, 3, padding=1)
        self.point = nn.Conv2d(mid, width, 1)
        self.match = nn.Conv2d(mid, width, 1)

    def forward(self, x):
        last = F.relu(self.conv(x))
        return self.point(last) + self.match(last)


class Twin(nn.Module):
    def __init__(self, width=4, classes=3):
        super().__init__()
        self.conv = nn.Conv2d(3, width + 2, 3, padding=1)
        self.point = nn.Conv2d(width + 2, width, 1)
        self.match = nn.Conv2d(width + 2, width, 1)
        self.low_conv = nn.Conv2d(width, width, 1)
        self.low_norm = nn.BatchNorm2d(width)
        self.high_conv = nn.Conv2d(width, 2 * width, 1)
        self.high_norm = nn.BatchNorm2d(2 * width)
        self.inner = ConvRelu(2 * width, width)
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        last = F.relu(self.conv(x))
        x = F.relu(F.max_pool2d(self.point(last) + self.match(last), 2))
        x = self.low_norm(torch.tanh(self.low_conv(x)))
        x = self.high_norm(torch.tanh(self.high_conv(x)))
        x = F.max_pool2d(self.inner(F.max_pool2d(x, 2)), 2)
        return self.fc(x.mean((2, 3)))
