"""Two pictures through one network, and a score of how alike they are."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 10)
        self.conv2 = nn.Conv2d(width, 2 * width, 7)
        self.conv3 = nn.Conv2d(2 * width, 2 * width, 4)
        self.conv4 = nn.Conv2d(2 * width, 4 * width, 4)
        self.fc = nn.Linear(4 * width * 6 * 6, features)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.max_pool2d(F.relu(self.conv3(x)), 2)
        x = F.relu(self.conv4(x))
        return torch.sigmoid(self.fc(x.flatten(1)))


class SiamesePair(nn.Module):
    def __init__(self, width: int = 64, features: int = 4096) -> None:
        super().__init__()
        self.encoder = Encoder(width, features)
        self.fc = nn.Linear(features, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        distance = (self.encoder(left) - self.encoder(right)).abs()
        return self.fc(distance).squeeze(1)
