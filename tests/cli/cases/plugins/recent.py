"""Layers of recent papers with source that begins with its imports: a recurrence, learned functions, two attentions."""

from netc.layer import Bool, Example, Float, Int, Layer, Reject, State, fixed


class SelectiveScan(Layer):
    """A selective state space: (N, L, D) to the same, each step by a recurrence that the input chooses.

    Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces" (2023), the layer S6.
    """

    module = "own:SelectiveScan"
    ranks = (3,)
    state_size = Int(16, min=1, doc="size of the hidden state of each channel")
    rank = Int(8, min=1, doc="rank of the map to the step sizes")
    source = '''
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelectiveScan(nn.Module):
    """A selective state space over (N, L, D)."""

    def __init__(self, dim: int, state_size: int = 16, rank: int = 8) -> None:
        super().__init__()
        self.state_size, self.rank = state_size, rank
        self.project = nn.Linear(dim, rank + 2 * state_size, bias=False)
        self.step = nn.Linear(rank, dim)
        steps = torch.arange(1, state_size + 1, dtype=torch.float32)
        self.log_decay = nn.Parameter(steps.log().repeat(dim, 1))
        self.skip = nn.Parameter(torch.ones(dim))
        nn.init.constant_(self.step.bias, math.log(math.expm1(0.01)))

    def forward(self, x: Tensor) -> Tensor:
        sizes = [self.rank, self.state_size, self.state_size]
        step, write, read = self.project(x).split(sizes, dim=-1)
        step = F.softplus(self.step(step))  # (N, L, D)
        keep = torch.exp(step.unsqueeze(-1) * -self.log_decay.exp())  # (N, L, D, S)
        add = (step * x).unsqueeze(-1) * write.unsqueeze(2)
        state = x.new_zeros(x.shape[0], x.shape[2], self.state_size)
        outputs = []
        for i in range(x.shape[1]):
            state = keep[:, i] * state + add[:, i]
            outputs.append((state * read[:, i].unsqueeze(1)).sum(-1))
        return torch.stack(outputs, dim=1) + self.skip * x
'''
    examples = (Example("28x32", "SelectiveScan(4)", "28x32"), Example("5x8", "SelectiveScan", "5x8"))

    def inferred(self, input):
        return {"dim": fixed(input.shape[2], "dim")}

    def infer(self, input):
        return input

    def state(self, input):
        dim = fixed(input.shape[2], "dim")
        return {
            "log_decay": State((dim, self.state_size)),
            "skip": State((dim,)),
            "project.weight": State((self.rank + 2 * self.state_size, dim)),
            "step.weight": State((dim, self.rank)),
            "step.bias": State((dim,)),
        }


class KAN(Layer):
    """A layer of learned functions, one for each pair of features: the last dimension becomes `features`.

    Liu et al., "KAN: Kolmogorov-Arnold Networks" (2024).
    """

    module = "own:KANLinear"
    features = Int(min=1, doc="features of the output")
    grid = Int(5, min=1, doc="intervals of the splines")
    order = Int(3, min=1, doc="degree of the splines")
    reach = Float(1.0, above=0.0, doc="the splines live between minus and plus this")
    source = '''
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class KANLinear(nn.Module):
    def __init__(self, inputs, features, grid=5, order=3, reach=1.0):
        super().__init__()
        self.order = order
        width = 2 * reach / grid
        knots = torch.arange(-order, grid + order + 1) * width - reach
        self.register_buffer("knots", knots)
        self.base = nn.Parameter(torch.empty(features, inputs))
        self.spline = nn.Parameter(torch.empty(features, inputs * (grid + order)))
        nn.init.kaiming_uniform_(self.base, a=5**0.5)
        nn.init.normal_(self.spline, std=0.1)

    def bases(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(-1)
        t = self.knots
        b = ((x >= t[:-1]) & (x < t[1:])).to(x.dtype)
        for k in range(1, self.order + 1):
            left = (x - t[: -k - 1]) / (t[k:-1] - t[: -k - 1])
            right = (t[k + 1 :] - x) / (t[k + 1 :] - t[1:-k])
            b = left * b[..., :-1] + right * b[..., 1:]
        return b.flatten(-2)

    def forward(self, x):
        return F.linear(F.silu(x), self.base) + F.linear(self.bases(x), self.spline)
'''
    examples = (Example("64", "KAN(10)", "10"), Example("7x12", "KAN(3, grid=4, order=2)", "7x3"))

    def inferred(self, input):
        return {"inputs": fixed(input.shape[-1], "inputs")}

    def infer(self, input):
        return input.with_dim(-1, self.features)

    def state(self, input):
        inputs = fixed(input.shape[-1], "inputs")
        return {
            "base": State((self.features, inputs)),
            "spline": State((self.features, inputs * (self.grid + self.order))),
            "knots": State((self.grid + 2 * self.order + 1,), "buffer"),
        }


class DifferentialAttention(Layer):
    """Self-attention over (N, L, D) that subtracts one map of attention from another.

    Ye et al., "Differential Transformer" (2024).
    """

    module = "own:DifferentialAttention"
    ranks = (3,)
    heads = Int(min=1, doc="heads, each with two maps")
    depth = Int(0, min=0, doc="which layer of the network it is, from 0")
    causal = Bool(False, doc="no position sees later ones")
    source = '''
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DifferentialAttention(nn.Module):
    def __init__(self, dim: int, heads: int, depth: int = 0, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.size = dim // heads // 2
        self.start = 0.8 - 0.6 * math.exp(-0.3 * depth)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)
        self.lambdas = nn.Parameter(torch.randn(4, self.size) * 0.1)
        self.norm = nn.RMSNorm(2 * self.size)

    def forward(self, x: Tensor) -> Tensor:
        n, length, dim = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k = (t.unflatten(2, (-1, self.size)).transpose(1, 2) for t in (q, k))
        v = v.unflatten(2, (-1, 2 * self.size)).transpose(1, 2)
        scores = q @ k.transpose(-2, -1) / math.sqrt(self.size)
        if self.causal:
            past = x.new_ones(length, length).tril().bool()
            scores = scores.masked_fill(~past, float("-inf"))
        one, other = scores.softmax(-1).unflatten(1, (self.heads, 2)).unbind(2)
        a, b, c, d = self.lambdas
        weight = (a * b).sum().exp() - (c * d).sum().exp() + self.start
        y = self.norm((one - weight * other) @ v) * (1 - self.start)
        return self.out(y.transpose(1, 2).reshape(n, length, dim))
'''
    examples = (
        Example("16x32", "DifferentialAttention(4)", "16x32"),
        Example("5x8", "DifferentialAttention(2, causal=true)", "5x8"),
    )

    def inferred(self, input):
        return {"dim": fixed(input.shape[2], "dim")}

    def infer(self, input):
        dim = fixed(input.shape[2], "dim")
        if dim % (2 * self.heads):
            raise Reject(f"cannot split {dim} features among {self.heads} heads of two maps", field="heads")
        return input

    def state(self, input):
        dim = fixed(input.shape[2], "dim")
        size = dim // self.heads // 2
        return {
            "lambdas": State((4, size)),
            "qkv.weight": State((3 * dim, dim)),
            "out.weight": State((dim, dim)),
            "norm.weight": State((2 * size,)),
        }
