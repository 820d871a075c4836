import torch
from torch import nn

PARAMS = [{}, {"width": 3, "classes": 4}, {"start": 0.125}]


class Scale(nn.Module):
    def __init__(self, channels, start=1e-2):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels, 1, 1), start))
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x):
        return x * self.gamma


class Attend(nn.Module):
    def __init__(self, channels, tokens, width):
        super().__init__()
        self.query = nn.Parameter(nn.init.normal_(torch.empty(1, tokens, width), 0, 0.02))
        self.key = nn.Parameter(nn.init.xavier_uniform_(torch.empty(width, channels)))
        self.bias = nn.Parameter(nn.init.uniform_(torch.empty(tokens), -0.1, 0.1))
        self.register_buffer("window", torch.tensor([1, 0.5, 0.25]))

    def forward(self, x):
        k = torch.einsum("nlc,dc->nld", x, self.key)
        w = x.softmax(-1)
        q = self.query * self.window.unsqueeze(-1)
        x = torch.einsum("bqd,nkd->nqk", q, k).softmax(-1)
        return torch.matmul(x, w) + self.bias.unsqueeze(-1)


class Twin(nn.Module):
    def __init__(self, width=4, tokens=3, start=0.5, classes=2):
        super().__init__()
        self.shift = nn.Parameter(nn.init.trunc_normal_(torch.empty(6), std=0.02))
        self.temperature = nn.Parameter(torch.tensor(start))
        self.register_buffer("average", torch.ones(6, 1))
        self.conv = nn.Conv1d(5, 6, 1)
        self.scale = Scale(6)
        self.again = Scale(6, start)
        self.attend = Attend(6, tokens, width)
        self.fc = nn.Linear(6, classes)

    def forward(self, x):
        x = (x + self.shift) * self.temperature
        x = self.conv(x).unsqueeze(-1)
        x = self.again(self.scale(x)).squeeze(-1).transpose(1, 2)
        x = x * self.average.transpose(0, 1)
        return self.fc(self.attend(x).mean(1))
