import torch
import torch.nn.functional as F
from torch import nn

PARAMS = [{}, {"num_heads": 4, "width": 5, "dropout": 0.4}]
SIZES = {"T": 7, "S": 5}
SEEDED = False


class Encoder(nn.Module):
    def __init__(self, features, num_heads, dropout):
        super().__init__()
        self.norm_before_attention = nn.LayerNorm(features, eps=1e-6)
        self.attention = nn.MultiheadAttention(features, num_heads, dropout, batch_first=True)
        self.norm_before_projections = nn.LayerNorm(features)
        self.projection_to_more = nn.Linear(features, 4 * features)
        self.projection_to_fewer = nn.Linear(4 * features, features)

    def forward(self, x, mask):
        y = self.norm_before_attention(x)
        y, _ = self.attention(y, y, y, key_padding_mask=mask, need_weights=False)
        x = x + F.dropout(y, 0.2, self.training)
        y = self.projection_to_more(self.norm_before_projections(x))
        y = self.projection_to_fewer(F.dropout(y, 0.3, self.training))
        return x + torch.sigmoid(y)


class Twin(nn.Module):
    def __init__(self, num_heads=2, width=8, dropout=0.1):
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.encoder = Encoder(8, num_heads, dropout)
        self.cross = nn.MultiheadAttention(8, 1, dropout, kdim=6, vdim=6, batch_first=True)
        self.itself = nn.MultiheadAttention(8, num_heads, bias=False, batch_first=True)
        self.mixed = nn.MultiheadAttention(8, num_heads, batch_first=True)
        self.gate = nn.Bilinear(8, 8, width)

    def forward(self, tokens, memory, mask, bias):
        x = self.encoder(tokens, mask)
        found, weights = self.cross(x, memory, memory, attn_mask=bias)
        y = F.relu(found)
        y, _ = self.itself(y, y, y)
        y, _ = self.itself(y, y, y)
        x, _ = self.mixed(y, found, tokens, average_attn_weights=False)
        x = self.gate(tokens, x)
        return torch.cat([self.token.expand(len(x), -1, -1), x], 1), weights
