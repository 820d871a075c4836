"""Recurrent networks that tell something at the end of a sequence, or at every step of it."""

from torch import Tensor, nn


class RowReader(nn.Module):
    def __init__(self, classes: int = 10, width: int = 128, layers: int = 2) -> None:
        super().__init__()
        self.lstm = nn.LSTM(28, width, layers, batch_first=True)
        self.fc = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.lstm(x)
        return self.fc(x[:, -1])


class Continuing(nn.Module):
    def __init__(self, features: int = 8, width: int = 32, layers: int = 2, rate: float = 0.1) -> None:
        super().__init__()
        self.rnn = nn.RNN(features, width, layers, nonlinearity="relu", dropout=rate)
        self.head = nn.Linear(width, features)

    def forward(self, steps: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        y, last = self.rnn(steps, state)
        return self.head(y), last
