"""Attention with fewer keys and values than queries, and positions as rotations."""

from __future__ import annotations

from typing import Any

from netc.layer import Bool, Example, Float, Int, Layer, Reject, State, Value, fixed
from netc.shapes import divisible, show_dim, show_shape
from netc.terms import Dim

ROTARY = '''
def rotary_embedding(input: Tensor, base: float = 10000.0) -> Tensor:
    """Turns pairs of features of (*, L, D), half of them apart, by angles that grow with L."""
    length, features = input.shape[-2:]
    if features % 2:
        raise ValueError(f"features are turned in pairs, and there are {features}")
    pairs = torch.arange(0, features, 2, device=input.device).float() / features
    positions = torch.arange(length, device=input.device).float()
    angles = torch.outer(positions, 1.0 / base**pairs)
    cos, sin = angles.cos().to(input.dtype), angles.sin().to(input.dtype)
    first, second = input.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
'''

ATTENTION = '''
class GroupedQueryAttention(nn.Module):
    """Causal self-attention over (N, L, E); several heads of queries share one of keys."""

    def __init__(
        self,
        features: int,
        num_heads: int,
        num_kv_heads: int,
        bias: bool = False,
        base: float = 10000.0,
        is_causal: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if features % num_heads or num_heads % num_kv_heads:
            heads = f"{num_heads} heads, {num_kv_heads} of keys"
            raise ValueError(f"{features} features do not go into {heads}")
        self.num_heads = num_heads
        self.num_kv_heads = num_kv_heads
        self.base = base
        self.is_causal = is_causal
        self.dropout = dropout
        head = features // num_heads
        self.q_proj = nn.Linear(features, num_heads * head, bias=bias)
        self.k_proj = nn.Linear(features, num_kv_heads * head, bias=bias)
        self.v_proj = nn.Linear(features, num_kv_heads * head, bias=bias)
        self.o_proj = nn.Linear(num_heads * head, features, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        query = self.q_proj(input).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
        key = self.k_proj(input).unflatten(2, (self.num_kv_heads, -1)).transpose(1, 2)
        value = self.v_proj(input).unflatten(2, (self.num_kv_heads, -1)).transpose(1, 2)
        query = rotary_embedding(query, self.base)
        key = rotary_embedding(key, self.base)
        shared = self.num_heads // self.num_kv_heads
        attended = F.scaled_dot_product_attention(
            query,
            key.repeat_interleave(shared, dim=1),
            value.repeat_interleave(shared, dim=1),
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=self.is_causal,
        )
        return self.o_proj(attended.transpose(1, 2).flatten(2))
'''


def check_pairs(features: int, what: str) -> None:
    """Refuses a number of features that cannot be turned in pairs."""
    if not divisible(features, 2):
        raise Reject(f"turns features in pairs, but {what} {show_dim(features)} of them")


class GroupedQueryAttention(Layer):
    """Self-attention with rotary positions in which groups of query heads share one head of keys and values.

    (N, L, E) to the same. As many heads of keys as of queries is multi-head attention, one is multi-query attention.
    Parameters and their keys are those of Llama's attention; Ainslie et al., "GQA: Training Generalized Multi-Query
    Transformer Models from Multi-Head Checkpoints" (2023).
    """

    module = "own:GroupedQueryAttention"
    ranks = (3,)
    num_heads = Int(min=1, doc="number of heads of queries, which share the features")
    num_kv_heads = Int(min=1, doc="number of heads of keys and of values")
    bias = Bool(False, doc="adds learned vectors to the projections")
    base = Float(10000.0, min=1.0, doc="how much slower the last pair of features turns than the first")
    is_causal = Bool(True, doc="a position gathers only from itself and those before it")
    dropout = Float(0.0, min=0.0, max=1.0, doc="probability with which a weight is left out in training")
    imports = (
        "import torch",
        "import torch.nn.functional as F",
        "from torch import Tensor",
        "from torch import nn",
    )
    helpers = (ROTARY,)
    source = ATTENTION
    examples = (
        Example("16x64", "GroupedQueryAttention(8, 2)", "16x64"),
        Example("5x32", "GroupedQueryAttention(4, 4, bias=true, is_causal=false)", "5x32"),
        Example("7x24", "GroupedQueryAttention(6, 1, base=500000.0, dropout=0.1)", "7x24"),
    )

    def inferred(self, input: Value) -> dict[str, Any]:
        return {"features": fixed(input.shape[-1], "features")}

    def infer(self, input: Value) -> Value:
        features = self.inferred(input)["features"]
        if features % self.num_heads:
            text = f"cannot split {show_dim(features)} features among {show_dim(self.num_heads)} heads"
            raise Reject(text, field="num_heads")
        if self.num_heads % self.num_kv_heads:
            keys, queries = show_dim(self.num_kv_heads), show_dim(self.num_heads)
            raise Reject(f"cannot share {keys} heads of keys among {queries} of queries", field="num_kv_heads")
        check_pairs(features // self.num_heads, "a head has")
        return Value(input.shape, channel=2)

    def state(self, input: Value) -> dict[str, State]:
        features = self.inferred(input)["features"]
        head = features // self.num_heads
        rows = {"q": self.num_heads * head, "k": self.num_kv_heads * head, "v": self.num_kv_heads * head, "o": features}
        state = {}
        for name, size in rows.items():
            state[f"{name}_proj.weight"] = State((size, features))
            if self.bias:
                state[f"{name}_proj.bias"] = State((size,))
        return state


    def multiply_adds(self, input: Value) -> Dim:
        positions, length, features = input.shape[0] * input.shape[1], input.shape[1], input.shape[2]
        keys = features // self.num_heads * self.num_kv_heads
        return positions * features * (2 * features + 2 * keys + 2 * length)


class rotary_embedding(Layer):
    """Turns pairs of features by angles that grow with the position, so that products tell how far apart two are.

    (N, *, L, D) to the same, D even; feature i is paired with i + D / 2. Su et al., "RoFormer: Enhanced Transformer
    with Rotary Position Embedding" (2021).
    """

    function = "own:rotary_embedding"
    ranks = (3, 4, 5)
    free = True
    base = Float(10000.0, min=1.0, doc="how much slower the last pair of features turns than the first")
    imports = ("import torch", "from torch import Tensor")
    helpers = (ROTARY,)
    examples = (
        Example("8x16x64", "rotary_embedding", "8x16x64"),
        Example("5x6", "rotary_embedding(500000.0)", "5x6"),
    )

    def infer(self, input: Value) -> Value:
        if not divisible(input.shape[-1], 2):
            raise Reject(f"turns features in pairs, but {show_shape(input.shape)} has an odd number of them")
        return input
