"""GPT-2 with the keys that small reimplementations of it have."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CausalSelfAttention(nn.Module):
    def __init__(self, width: int, heads: int, rate: float, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.rate = rate
        self.c_attn = nn.Linear(width, 3 * width, bias=bias)
        self.c_proj = nn.Linear(width, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.c_attn(x).split(width, dim=2)
        )
        rate = self.rate if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=rate, is_causal=True)
        y = self.c_proj(y.transpose(1, 2).reshape(batch, length, width))
        return F.dropout(y, self.rate, self.training)


class MLP(nn.Module):
    def __init__(self, width: int, rate: float, bias: bool) -> None:
        super().__init__()
        self.rate = rate
        self.c_fc = nn.Linear(width, 4 * width, bias=bias)
        self.c_proj = nn.Linear(4 * width, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))
        return F.dropout(x, self.rate, self.training)


class Block(nn.Module):
    def __init__(self, width: int, heads: int, rate: float, bias: bool) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, bias=bias)
        self.attn = CausalSelfAttention(width, heads, rate, bias)
        self.ln_2 = nn.LayerNorm(width, bias=bias)
        self.mlp = MLP(width, rate, bias)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(
        self, vocabulary: int = 50304, length: int = 1024, depth: int = 12, heads: int = 12, width: int = 768,
        rate: float = 0.0, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.rate = rate
        wte = nn.Embedding(vocabulary, width)
        wpe = nn.Embedding(length, width)
        self.blocks = [Block(width, heads, rate, bias) for _ in range(depth)]
        h, ln_f = nn.ModuleList(self.blocks), nn.LayerNorm(width, bias=bias)
        self.transformer = nn.ModuleDict({"wte": wte, "wpe": wpe, "h": h, "ln_f": ln_f})
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = wte.weight
        for name, parameter in self.named_parameters():
            if name.endswith(("wte.weight", "wpe.weight", "c_attn.weight", "c_fc.weight")):
                nn.init.normal_(parameter, std=0.02)
            elif name.endswith("c_proj.weight"):
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * depth))
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor) -> Tensor:
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.transformer["wte"](tokens) + self.transformer["wpe"](positions)
        x = F.dropout(x, self.rate, self.training)
        for block in self.blocks:
            x = block(x)
        return self.lm_head(self.transformer["ln_f"](x))
