"""One number from a picture, the numbers of a table's row, and a category."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Picture(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.norm2 = nn.BatchNorm2d(32)
        self.conv3 = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.norm3 = nn.BatchNorm2d(64)
        self.fc = nn.Linear(64, features)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm1(self.conv1(x)))
        x = F.relu(self.norm2(self.conv2(x)))
        x = F.relu(self.norm3(self.conv3(x)))
        return self.fc(x.mean((2, 3)))


class Table(nn.Module):
    def __init__(self, columns: int, categories: int, features: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(categories, 8)
        self.fc1 = nn.Linear(columns + 8, features)
        self.fc2 = nn.Linear(features, features)

    def forward(self, table: Tensor, category: Tensor) -> Tensor:
        x = torch.cat([table, self.embedding(category)], dim=1)
        return self.fc2(F.relu(self.fc1(x)))


class PictureAndTable(nn.Module):
    def __init__(self, columns: int = 12, categories: int = 20, features: int = 64) -> None:
        super().__init__()
        self.picture = Picture(features)
        self.table = Table(columns, categories, features)
        self.fc = nn.Linear(2 * features, 1)

    def forward(self, picture: Tensor, table: Tensor, category: Tensor) -> Tensor:
        x = torch.cat([self.picture(picture), self.table(table, category)], dim=1)
        return self.fc(F.relu(x)).squeeze(1)
