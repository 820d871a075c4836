"""A decoder as it is written by hand, to hold the spec against."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rotate_half(x: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


class Rotary(nn.Module):
    """Cosines and sines of all positions, made once."""

    cos: Tensor
    sin: Tensor

    def __init__(self, features: int, length: int, base: float) -> None:
        super().__init__()
        frequencies = 1.0 / (base ** (torch.arange(0, features, 2).float() / features))
        angles = torch.outer(torch.arange(length).float(), frequencies)
        angles = torch.cat((angles, angles), dim=-1)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-2]
        return x * self.cos[:length] + rotate_half(x) * self.sin[:length]


class Attention(nn.Module):
    def __init__(self, features: int, heads: int, kv_heads: int, rotary: Rotary) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head = heads, kv_heads, features // heads
        self.q_proj = nn.Linear(features, heads * self.head, bias=False)
        self.k_proj = nn.Linear(features, kv_heads * self.head, bias=False)
        self.v_proj = nn.Linear(features, kv_heads * self.head, bias=False)
        self.o_proj = nn.Linear(heads * self.head, features, bias=False)
        self.rotary = rotary

    def forward(self, x: Tensor) -> Tensor:
        batch, length, features = x.shape
        q = self.q_proj(x).view(batch, length, self.heads, self.head).transpose(1, 2)
        k = self.k_proj(x).view(batch, length, self.kv_heads, self.head).transpose(1, 2)
        v = self.v_proj(x).view(batch, length, self.kv_heads, self.head).transpose(1, 2)
        q, k = self.rotary(q), self.rotary(k)
        groups = self.heads // self.kv_heads
        k = k[:, :, None].expand(-1, -1, groups, -1, -1).reshape(batch, self.heads, length, self.head)
        v = v[:, :, None].expand(-1, -1, groups, -1, -1).reshape(batch, self.heads, length, self.head)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(out.transpose(1, 2).reshape(batch, length, features))


class FeedForward(nn.Module):
    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(features, hidden, bias=False)
        self.up_proj = nn.Linear(features, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, features: int, hidden: int, heads: int, kv_heads: int, rotary: Rotary) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(features, eps=1e-6)
        self.self_attn = Attention(features, heads, kv_heads, rotary)
        self.post_attention_layernorm = nn.RMSNorm(features, eps=1e-6)
        self.mlp = FeedForward(features, hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(
        self, vocabulary: int = 1000, features: int = 64, hidden: int = 172, heads: int = 8, kv_heads: int = 2,
        depth: int = 3, length: int = 128,
    ) -> None:  # fmt: skip
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, features)
        rotary = Rotary(features // heads, length, 10000.0)
        self.layers = nn.ModuleList(Layer(features, hidden, heads, kv_heads, rotary) for _ in range(depth))
        self.norm = nn.RMSNorm(features, eps=1e-6)
        self.lm_head = nn.Linear(features, vocabulary, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(self.norm(x))
