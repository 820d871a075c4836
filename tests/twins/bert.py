"""BERT for pre-training, with the parameter names of the published weights."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BertEmbeddings(nn.Module):
    def __init__(self, vocabulary: int, length: int, width: int, rate: float) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, width, padding_idx=0)
        self.position_embeddings = nn.Embedding(length, width)
        self.token_type_embeddings = nn.Embedding(2, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)
        self.rate = rate

    def forward(self, tokens: Tensor, segments: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.word_embeddings(tokens) + self.position_embeddings(places) + self.token_type_embeddings(segments)
        return F.dropout(self.LayerNorm(x), self.rate, self.training)


class BertSelfAttention(nn.Module):
    def __init__(self, width: int, heads: int, rate: float) -> None:
        super().__init__()
        self.heads = heads
        self.rate = rate
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        context = F.scaled_dot_product_attention(
            self.split(self.query(x)),
            self.split(self.key(x)),
            self.split(self.value(x)),
            attn_mask=mask,
            dropout_p=self.rate if self.training else 0.0,
        )
        return context.transpose(1, 2).reshape(x.shape)


class BertOutput(nn.Module):
    """The end of both halves of a layer."""

    def __init__(self, in_features: int, out_features: int, rate: float) -> None:
        super().__init__()
        self.dense = nn.Linear(in_features, out_features)
        self.LayerNorm = nn.LayerNorm(out_features, eps=1e-12)
        self.rate = rate

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        x = F.dropout(self.dense(x), self.rate, self.training)
        return self.LayerNorm(x + residual)


class BertAttention(nn.Module):
    def __init__(self, width: int, heads: int, rate: float) -> None:
        super().__init__()
        self.self = BertSelfAttention(width, heads, rate)
        self.output = BertOutput(width, width, rate)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.output(self.self(x, mask), x)


class BertIntermediate(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, hidden)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.dense(x))


class BertLayer(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int, rate: float) -> None:
        super().__init__()
        self.attention = BertAttention(width, heads, rate)
        self.intermediate = BertIntermediate(width, hidden)
        self.output = BertOutput(hidden, width, rate)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class BertEncoder(nn.Module):
    def __init__(self, depth: int, heads: int, width: int, hidden: int, rate: float) -> None:
        super().__init__()
        self.layer = nn.ModuleList([BertLayer(width, heads, hidden, rate) for _ in range(depth)])

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        for layer in self.layer:
            x = layer(x, mask)
        return x


class BertPooler(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.dense(x[:, 0]))


class BertModel(nn.Module):
    def __init__(
        self, vocabulary: int, length: int, depth: int, heads: int, width: int, hidden: int, rate: float
    ) -> None:
        super().__init__()
        self.embeddings = BertEmbeddings(vocabulary, length, width, rate)
        self.encoder = BertEncoder(depth, heads, width, hidden, rate)
        self.pooler = BertPooler(width)

    def forward(self, tokens: Tensor, segments: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        x = self.embeddings(tokens, segments)
        x = self.encoder(x, mask[:, None, None, :])
        return x, self.pooler(x)


class BertTransform(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor) -> Tensor:
        return self.LayerNorm(F.gelu(self.dense(x)))


class BertPredictions(nn.Module):
    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.transform = BertTransform(width)
        self.decoder = nn.Linear(width, vocabulary, bias=False)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.transform(x)) + self.bias


class BertHeads(nn.Module):
    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.predictions = BertPredictions(vocabulary, width)
        self.seq_relationship = nn.Linear(width, 2)

    def forward(self, x: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        return self.predictions(x), self.seq_relationship(pooled)


class Scores(NamedTuple):
    tokens: Tensor
    follows: Tensor


class BERT(nn.Module):
    def __init__(
        self,
        vocabulary: int = 30522,
        length: int = 512,
        depth: int = 12,
        heads: int = 12,
        width: int = 768,
        hidden: int = 3072,
        rate: float = 0.1,
    ) -> None:
        super().__init__()
        self.bert = BertModel(vocabulary, length, depth, heads, width, hidden, rate)
        self.cls = BertHeads(vocabulary, width)
        self.cls.predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight
        self.apply(self.init_weights)

    @staticmethod
    def init_weights(module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, tokens: Tensor, segments: Tensor, mask: Tensor) -> Scores:
        words, pooled = self.bert(tokens, segments, mask)
        return Scores(*self.cls(words, pooled))
