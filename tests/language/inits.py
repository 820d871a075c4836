import math

import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"std": 0.5, "classes": 2}]


class Head(nn.Module):
    def __init__(self, features, classes, std):
        super().__init__()
        self.hidden = nn.Linear(features, 6)
        self.out = nn.Linear(6, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, std)
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.out.weight)
        nn.init.constant_(self.out.bias, 0.5)

    def forward(self, x):
        return self.out(F.relu(self.hidden(x)))


class Body(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        nn.init.zeros_(self.bn2.weight)

    def forward(self, x):
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))


class Twin(nn.Module):
    def __init__(self, width=4, std=0.1, classes=3):
        super().__init__()
        self.body = Body(3, width)
        self.head = Head(16 * width, classes, std)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.constant_(module.bias, 0.25)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, 0.75)
                nn.init.uniform_(module.bias, -std, std)
        nn.init.orthogonal_(self.body.conv2.weight, gain=math.sqrt(2))
        nn.init.xavier_normal_(self.head.hidden.weight)
        nn.init.ones_(self.head.hidden.bias)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))
