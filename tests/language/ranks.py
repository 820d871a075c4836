import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"width": 3, "classes": 2}]
SIZES = {"L": 10, "H": 8, "W": 6, "D": 4}


class Block(nn.Module):
    def __init__(self, n, channels, width, act):
        super().__init__()
        conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[n - 1]
        self.conv = conv(channels, width, 3, padding=1)
        self.norm = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[n - 1](width)
        self.act = act()
        self.match = conv(channels, width, 1) if channels != width else None
        self.pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[n - 1]

    def forward(self, x):
        y = self.act(self.norm(self.conv(x)))
        return self.pool(y + (x if self.match is None else self.match(x)), 2)


class Twin(nn.Module):
    def __init__(self, width=4, classes=3):
        super().__init__()
        self.line = Block(1, 2, width, nn.ReLU)
        self.plane = Block(2, 3, width, nn.Tanh)
        self.again = Block(2, width, width, nn.ReLU)
        self.space = Block(3, 1, width, nn.ReLU)
        self.fc = nn.Linear(3 * width, classes)

    def forward(self, sound, picture, volume):
        a = self.line(sound).mean(2)
        b = self.again(self.plane(picture)).mean((2, 3))
        c = self.space(volume).mean((2, 3, 4))
        return self.fc(torch.cat([a, b, c], 1))
