import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"depth": 1, "heads": 4, "rate": 0.3}, {"depth": 2, "width": 12, "classes": 3, "rate": 0.1}]
SIZES = {"T": 9}
HIGH = 20
SEEDED = False


class Head(nn.Module):
    def __init__(self, width, heads, rate):
        super().__init__()
        self.heads, self.rate = heads, rate
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def split(self, x):
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def forward(self, x, mask):
        q, k = self.split(self.query(x)), self.split(self.key(x))
        rate = self.rate if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, k, attn_mask=mask, dropout_p=rate)
        return self.out(y.transpose(1, 2).reshape(x.shape))


class Mix(nn.Module):
    def __init__(self, width, by=0.5):
        super().__init__()
        self.by = by
        self.fc = nn.Linear(width, width)

    def forward(self, x, memory):
        return x + self.fc(memory) * self.by


class Tail(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(width, 2 * width)
        self.back = nn.Linear(2 * width, width)

    def forward(self, y, x):
        return self.back(F.gelu(self.fc(y))) + x


class Layer(nn.Module):
    def __init__(self, width, heads, rate):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Head(width, heads, rate)
        self.mix = nn.ModuleList([Mix(width), Mix(width)])
        self.tail = Tail(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x, mask, memory):
        y = x + self.attention(self.norm1(x), mask)
        for mix in self.mix:
            y = mix(y, memory)
        return self.norm2(self.tail(y, x))


class Twin(nn.Module):
    def __init__(self, depth=3, heads=2, width=8, rate=0.0, classes=5):
        super().__init__()
        self.read = nn.Linear(4, width)
        self.embedding = nn.Embedding(20, width)
        self.places = nn.Embedding(64, width)
        self.again = nn.Embedding(64, width)
        self.layers = nn.ModuleList([Layer(width, heads, rate) for _ in range(depth)])
        self.attend = nn.ModuleList([nn.MultiheadAttention(width, heads, batch_first=True) for _ in range(2)])
        self.pool = nn.Linear(width, width)
        self.fc = nn.Linear(width, classes)
        for name, parameter in self.layers.named_parameters():
            if name.endswith(".weight"):
                nn.init.normal_(parameter, std=0.02)
            elif name.endswith(".bias"):
                nn.init.constant_(parameter, 0.1)

    def forward(self, tokens, mask, memory):
        read = self.read(memory.transpose(0, 1))
        x = self.embedding(tokens)
        places = torch.arange(tokens.shape[1])
        x = x + self.places(places)
        x = x + self.again(places)
        for layer in self.layers:
            x = layer(x, mask[:, None, None], read)
        for attend in self.attend:
            x, _ = attend(x, read, read)
        return self.fc(x), self.pool(x[:, -1])
