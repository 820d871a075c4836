"""GoogLeNet for 28 x 28 digits: two inceptions of four branches each."""

import torch
import torch.nn.functional as F
from torch import nn


class Inception(nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.branch1_pool = nn.Conv2d(in_channels, 24, 1)
        self.branch1x1 = nn.Conv2d(in_channels, 16, 1)
        self.branch5x5_1 = nn.Conv2d(in_channels, 16, 1)
        self.branch5x5_2 = nn.Conv2d(16, 24, 5, padding=2)
        self.branch1x3_1 = nn.Conv2d(in_channels, 16, 1)
        self.branch1x3_2 = nn.Conv2d(16, 24, 3, padding=1)
        self.branch1x3_3 = nn.Conv2d(24, 24, 3, padding=1)

    def forward(self, x):
        branch1x1 = self.branch1x1(x)
        branch5x5 = self.branch5x5_2(self.branch5x5_1(x))
        branch1x3 = self.branch1x3_3(self.branch1x3_2(self.branch1x3_1(x)))
        branch1_pool = self.branch1_pool(F.avg_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([branch1x1, branch5x5, branch1x3, branch1_pool], dim=1)


class GoogLeNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.conv2 = nn.Conv2d(88, 20, 5)
        self.incep1 = Inception(10)
        self.incep2 = Inception(20)
        self.mp = nn.MaxPool2d(2)
        self.fc = nn.Linear(1408, classes)

    def forward(self, x):
        x = F.relu(self.mp(self.conv1(x)))
        x = self.incep1(x)
        x = F.relu(self.mp(self.conv2(x)))
        x = self.incep2(x)
        return self.fc(torch.flatten(x, 1))
