"""BERT with the keys of the implementation that most people load its weights into."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Scores(NamedTuple):
    tokens: Tensor
    follows: Tensor


class Embeddings(nn.Module):
    def __init__(self, vocabulary: int, length: int, width: int, rate: float) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, width, padding_idx=0)
        self.position_embeddings = nn.Embedding(length, width)
        self.token_type_embeddings = nn.Embedding(2, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        self.rate = rate

    def forward(self, tokens: Tensor, segments: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.word_embeddings(tokens) + self.position_embeddings(places)
        x = self.LayerNorm(x + self.token_type_embeddings(segments))
        return F.dropout(x, self.rate, self.training)


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int, rate: float) -> None:
        super().__init__()
        self.heads = heads
        self.rate = rate
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        rate = self.rate if self.training else 0.0
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate)
        return x.transpose(1, 2).flatten(2)


class Output(nn.Module):
    def __init__(self, in_features: int, width: int, rate: float) -> None:
        super().__init__()
        self.dense = nn.Linear(in_features, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        self.rate = rate

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        return self.LayerNorm(F.dropout(self.dense(x), self.rate, self.training) + before)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, rate: float) -> None:
        super().__init__()
        self.self = SelfAttention(width, heads, rate)
        self.output = Output(width, width, rate)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.output(self.self(x, mask), x)


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int, rate: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads, rate)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, hidden)})
        self.output = Output(hidden, width, rate)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.attention(x, mask)
        return self.output(F.gelu(self.intermediate["dense"](x)), x)


class Model(nn.Module):
    def __init__(
        self, vocabulary: int, length: int, depth: int, heads: int, width: int, hidden: int, rate: float
    ) -> None:
        super().__init__()
        self.embeddings = Embeddings(vocabulary, length, width, rate)
        layers = nn.ModuleList(Layer(width, heads, hidden, rate) for _ in range(depth))
        self.encoder = nn.ModuleDict({"layer": layers})
        self.pooler = nn.ModuleDict({"dense": nn.Linear(width, width)})

    def forward(self, tokens: Tensor, segments: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        x = self.embeddings(tokens, segments)
        for layer in self.encoder["layer"]:  # type: ignore[attr-defined]
            x = layer(x, mask[:, None, None])
        return x, torch.tanh(self.pooler["dense"](x[:, 0]))


class Predictions(nn.Module):
    def __init__(self, width: int, vocabulary: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.transform = nn.ModuleDict(
            {"dense": nn.Linear(width, width), "LayerNorm": nn.LayerNorm(width, eps=1e-12)}
        )
        self.decoder = nn.Linear(width, vocabulary, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.transform["LayerNorm"](F.gelu(self.transform["dense"](x)))
        return self.decoder(x) + self.bias


class BERT(nn.Module):
    def __init__(
        self, vocabulary: int = 30522, length: int = 512, depth: int = 12, heads: int = 12, width: int = 768,
        hidden: int = 3072, rate: float = 0.1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.bert = Model(vocabulary, length, depth, heads, width, hidden, rate)
        predictions = Predictions(width, vocabulary)
        self.cls = nn.ModuleDict({"predictions": predictions, "seq_relationship": nn.Linear(width, 2)})
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
        predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight

    def forward(self, tokens: Tensor, segments: Tensor, mask: Tensor) -> Scores:
        words, pooled = self.bert(tokens, segments, mask)
        return Scores(self.cls["predictions"](words), self.cls["seq_relationship"](pooled))
