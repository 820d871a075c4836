"""Three pictures through one network, for a triplet loss."""

import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5)
        self.prelu1 = nn.PReLU()
        self.conv2 = nn.Conv2d(32, 64, 5)
        self.prelu2 = nn.PReLU()
        self.fc1 = nn.Linear(64 * 4 * 4, 256)
        self.prelu3 = nn.PReLU()
        self.fc2 = nn.Linear(256, features)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.prelu1(self.conv1(x)), 2)
        x = F.max_pool2d(self.prelu2(self.conv2(x)), 2)
        x = self.prelu3(self.fc1(x.flatten(1)))
        return F.normalize(self.fc2(x))


class SiameseTriplet(nn.Module):
    def __init__(self, features: int = 64) -> None:
        super().__init__()
        self.encoder = Encoder(features)

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.encoder(anchor), self.encoder(positive), self.encoder(negative)
