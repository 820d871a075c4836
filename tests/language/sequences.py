import torch
from torch import nn

PARAMS = [{}, {"tokens": 4, "width": 12, "heads": 3}, {"depth": 1, "ratio": 3, "classes": 5}]
HIGH = 11


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        x = torch.matmul(q, k.transpose(-2, -1)) * (c // self.heads) ** -0.5
        x = torch.matmul(x.softmax(-1), v).transpose(1, 2).reshape(n, t, c)
        return self.proj(x)


class Layer(nn.Module):
    def __init__(self, width, heads, ratio):
        super().__init__()
        self.attention = Attention(width, heads)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width))

    def forward(self, x):
        x = x + self.attention(x)
        return x + self.mlp(self.norm(x))


class Twin(nn.Module):
    def __init__(self, tokens=6, width=8, heads=2, depth=2, ratio=2, classes=3):
        super().__init__()
        self.position = nn.Parameter(nn.init.normal_(torch.empty(1, tokens, width), std=0.02))
        self.embed = nn.Embedding(11, width)
        self.layers = nn.Sequential(*(Layer(width, heads, ratio) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, ids):
        x = self.layers(self.embed(ids) + self.position)
        return self.head(self.norm(x)[:, 0])


SEEDED = False
