import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"base": 6, "classes": 3}]
SIZES = {"H": 16, "W": 24}


class Double(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class Up(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(channels, channels // 2, 2, stride=2)
        self.block = Double(channels, channels // 2)

    def forward(self, x, skip):
        return self.block(torch.cat([self.up(x), skip], dim=1))


class Twin(nn.Module):
    def __init__(self, base=4, classes=2):
        super().__init__()
        self.down1 = Double(3, base)
        self.down2 = Double(base, 2 * base)
        self.down3 = Double(2 * base, 4 * base)
        self.middle = Double(4 * base, 8 * base)
        self.up3 = Up(8 * base)
        self.up2 = Up(4 * base)
        self.up1 = Up(2 * base)
        self.head = nn.Conv2d(base, classes, 1)

    def forward(self, x):
        skip1 = self.down1(x)
        skip2 = self.down2(F.max_pool2d(skip1, 2))
        skip3 = self.down3(F.max_pool2d(skip2, 2))
        x = self.middle(F.max_pool2d(skip3, 2))
        return self.head(self.up1(self.up2(self.up3(x, skip3), skip2), skip1))
