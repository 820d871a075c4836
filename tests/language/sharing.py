import torch
from torch import nn

PARAMS = [{}, {"size": 9}, {"twice": False}]
SIZES = {"T": 4}


class Word(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.embed = nn.Embedding(size, 6)
        self.mix = nn.Linear(6, 6)

    def forward(self, ids):
        return torch.tanh(self.mix(torch.tanh(self.mix(self.embed(ids)))))


class Twin(nn.Module):
    def __init__(self, size=7, twice=True):
        super().__init__()
        self.word = Word(size)
        self.act = nn.GELU()
        self.first = nn.Linear(6, 6)
        self.second = nn.Linear(6, 6)
        self.again = self.first
        self.mirror = self.second if twice else None
        self.tower = nn.Sequential(nn.Linear(6, 6), nn.GELU())
        self.head = nn.Linear(6, size, bias=False)
        self.head.weight = self.word.embed.weight

    def forward(self, ids):
        x = self.act(self.second(self.act(self.first(self.act(self.word(ids))))))
        x = self.again(x)
        if self.mirror is not None:
            x = self.mirror(x)
        return self.head(self.tower(self.tower(self.first(x))))
