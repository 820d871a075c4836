"""A language model of characters that goes on from a state."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn


class Reading(NamedTuple):
    logits: Tensor
    h: Tensor
    c: Tensor


class CharacterModel(nn.Module):
    def __init__(
        self, vocabulary: int = 128, features: int = 64, width: int = 256, layers: int = 2, rate: float = 0.2
    ) -> None:
        super().__init__()
        self.rate = rate
        self.embedding = nn.Embedding(vocabulary, features)
        self.lstm = nn.LSTM(features, width, layers, dropout=rate, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, characters: Tensor, h: Tensor, c: Tensor) -> Reading:
        y, (h, c) = self.lstm(self.embedding(characters), (h, c))
        return Reading(self.head(F.dropout(y, self.rate, self.training)), h, c)
