"""Recurrent networks that tell something at the end of a sequence, or at every step of it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RowReader(nn.Module):
    def __init__(self, classes: int = 10, width: int = 128, layers: int = 2) -> None:
        super().__init__()
        self.lstm = nn.LSTM(28, width, layers, batch_first=True)
        self.fc = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.lstm(x)
        return self.fc(x[:, -1])


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


class Tagger(nn.Module):
    def __init__(self, vocabulary: int = 1000, tags: int = 17, features: int = 64, width: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, features)
        self.lstm = nn.LSTM(features, width, bidirectional=True, batch_first=True)
        self.tag = nn.Linear(2 * width, tags)

    def forward(self, words: Tensor) -> Tensor:
        x, _ = self.lstm(self.embedding(words))
        return self.tag(x)


class Continuing(nn.Module):
    def __init__(self, features: int = 8, width: int = 32, layers: int = 2, rate: float = 0.1) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, width, layers, nonlinearity="relu", dropout=rate)
        self.head = nn.Linear(width, features)

    def forward(self, steps: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        y, last = self.rnn(steps, state)
        return self.head(y), last
