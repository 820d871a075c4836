import torch
from torch import nn

PARAMS = [{}, {"width": 4, "layers": 3, "classes": 5}]
SIZES = {"T": 7}
HIGH = 20


class Reader(nn.Module):
    def __init__(self, features, width, layers):
        super().__init__()
        self.forth = nn.LSTM(features, width, layers, batch_first=True, dropout=0.1)
        self.back = nn.LSTM(width, width, layers, batch_first=True)

    def forward(self, x):
        out, (h, c) = self.forth(x)
        x, _ = self.back(torch.flip(out, (1,)), (h, c))
        return x, h


class Twin(nn.Module):
    def __init__(self, width=6, layers=2, classes=3):
        super().__init__()
        self.embed = nn.Embedding(20, width)
        self.reader = Reader(width, width, layers)
        self.both = nn.GRU(width, width, layers, batch_first=True)
        self.projected = nn.LSTM(5, 8, proj_size=3, bidirectional=True, batch_first=True)
        self.again = nn.LSTM(6, 8, proj_size=3, bidirectional=True, batch_first=True)
        self.named = nn.LSTM(6, 8, proj_size=3, bidirectional=True, batch_first=True)
        self.plain = nn.RNN(6, width, nonlinearity="relu", batch_first=True)
        self.cell = nn.GRUCell(width, width)
        for i in range(2):
            self.add_module(f"cell{i}", nn.LSTMCell(width, width))
            self.add_module(f"more{i}", nn.LSTMCell(width, width))
        self.fc = nn.Linear(width, classes)

    def forward(self, words, extra):
        read, state = self.reader(self.embed(words))
        y, _ = self.both(read, state)
        a, (b, d) = self.projected(extra)
        e, (f, g) = self.again(a, (b, d))
        x, _ = self.named(e, (f, g))
        plain, last = self.plain(x)
        x = self.cell(y[:, -1], last.squeeze(0))
        for i in range(2):
            h, c = getattr(self, f"cell{i}")(x)
            x, _ = getattr(self, f"more{i}")(h, (h, c))
        return self.fc(plain.mean(1) + x)
