"""A recurrent network that tells the class of a text."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TextClassifier(nn.Module):
    def __init__(
        self, vocabulary: int = 1000, classes: int = 2, features: int = 64, width: int = 64, layers: int = 2,
        rate: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        self.rate = rate
        self.embedding = nn.Embedding(vocabulary, features, padding_idx=0)
        self.gru = nn.GRU(features, width, layers, dropout=rate, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(2 * width, classes)

    def forward(self, words: Tensor) -> Tensor:
        x = F.dropout(self.embedding(words), self.rate, self.training)
        _, states = self.gru(x)
        x = torch.cat([states[-2], states[-1]], dim=1)
        return self.fc(F.dropout(x, self.rate, self.training))
