"""A recurrent network that tells the kind of every word."""

from torch import Tensor, nn


class Tagger(nn.Module):
    def __init__(self, vocabulary: int = 1000, tags: int = 17, features: int = 64, width: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, features)
        self.lstm = nn.LSTM(features, width, bidirectional=True, batch_first=True)
        self.tag = nn.Linear(2 * width, tags)

    def forward(self, words: Tensor) -> Tensor:
        x, _ = self.lstm(self.embedding(words))
        return self.tag(x)
