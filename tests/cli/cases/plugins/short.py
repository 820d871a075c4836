"""Layers of recent papers as somebody writes them who has read the tutorial, each a class of at most 25 lines."""

from netc.layer import Example, Float, Int, Layer, unchanged


class GatedLinearAttention(Layer):
    """Causal linear attention with a memory that fades by a learned gate: (N, L, E) to the same; Yang et al. 2023."""

    ranks = (3,)
    num_heads = Int(min=1, divides="features", doc="heads, which share the features")
    from_shape = {"features": 2}
    infer = unchanged
    source = """
class GatedLinearAttention(nn.Module):
    def __init__(self, features: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkvg = nn.Linear(features, 4 * features)
        self.out = nn.Linear(features, features)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v, g = self.qkvg(x).unflatten(2, (4, self.num_heads, -1)).unbind(2)
        memory, outputs = 0.0, []
        for t in range(x.shape[1]):
            memory = g[:, t, :, :, None].sigmoid() * memory + k[:, t, :, :, None] * v[:, t, :, None]
            outputs.append((q[:, t, :, None] @ memory).flatten(1))
        return self.out(torch.stack(outputs, 1))
"""
    examples = (Example("8x16", "GatedLinearAttention(4)", "8x16"),)

    def state(self, input):
        e = input.shape[2]
        return {"qkvg.weight": (4 * e, e), "qkvg.bias": (4 * e,), "out.weight": (e, e), "out.bias": (e,)}


class SoftMoE(Layer):
    """Experts that each work on mixtures of all positions: (N, L, E) to the same; Puigcerver et al. 2023."""

    ranks = (3,)
    num_experts = Int(min=1, doc="linear layers among which the slots are shared")
    slots = Int(1, min=1, doc="mixtures that each of them works on")
    from_shape = {"features": 2}
    infer = unchanged
    source = """
class SoftMoE(nn.Module):
    def __init__(self, features: int, num_experts: int, slots: int = 1) -> None:
        super().__init__()
        self.phi = nn.Parameter(torch.randn(features, num_experts, slots) * features**-0.5)
        self.weight = nn.Parameter(torch.randn(num_experts, features, features) * features**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        logits = torch.einsum("nle,exs->nlxs", x, self.phi)
        slots = torch.einsum("nle,nlxs->nxse", x, logits.softmax(1))
        slots = F.gelu(slots @ self.weight)
        combine = logits.flatten(2).softmax(2).view_as(logits)
        return torch.einsum("nxse,nlxs->nle", slots, combine)
"""
    examples = (Example("8x16", "SoftMoE(4, slots=2)", "8x16"),)

    def state(self, input):
        e, n = input.shape[2], self.num_experts
        return {"phi": (e, n, self.slots), "weight": (n, e, e)}


class FAN(Layer):
    """A linear layer of which a part are cosines and sines: (N, *, D) to (N, *, out_features); Dong et al. 2024."""

    out_features = Int(min=4, doc="size of the last dimension of what comes out")
    periodic = Float(0.25, above=0.0, below=0.5, doc="share of the cosines, and of the sines")
    from_shape = {"in_features": -1}
    source = """
class FAN(nn.Module):
    def __init__(self, in_features: int, out_features: int, periodic: float = 0.25) -> None:
        super().__init__()
        waves = int(out_features * periodic)
        self.waves = nn.Linear(in_features, waves, bias=False)
        self.plain = nn.Linear(in_features, out_features - 2 * waves)

    def forward(self, x: Tensor) -> Tensor:
        waves = self.waves(x)
        return torch.cat([waves.cos(), waves.sin(), F.gelu(self.plain(x))], dim=-1)
"""
    examples = (Example("16", "FAN(32)", "32"), Example("7x16", "FAN(8, periodic=0.4)", "7x8"))

    def infer(self, input):
        return input.with_dim(-1, self.out_features)

    def state(self, input):
        size, waves = input.shape[-1], int(self.out_features * self.periodic)
        plain = self.out_features - 2 * waves
        return {"waves.weight": (waves, size), "plain.weight": (plain, size), "plain.bias": (plain,)}


class MinGRU(Layer):
    """A recurrence whose gates see the input alone: (N, L, E) to (N, L, hidden_size); Feng et al. 2024."""

    ranks = (3,)
    hidden_size = Int(min=1, doc="size of the last dimension of what comes out")
    from_shape = {"input_size": 2}
    source = """
class MinGRU(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gate = nn.Linear(input_size, hidden_size)
        self.candidate = nn.Linear(input_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        gate, candidate = self.gate(x).sigmoid(), self.candidate(x)
        hidden, outputs = torch.zeros_like(gate[:, 0]), []
        for t in range(x.shape[1]):
            hidden = torch.lerp(hidden, candidate[:, t], gate[:, t])
            outputs.append(hidden)
        return torch.stack(outputs, 1)
"""
    examples = (Example("8x16", "MinGRU(4)", "8x4"),)

    def infer(self, input):
        return input.with_dim(2, self.hidden_size)

    def state(self, input):
        weight, bias = (self.hidden_size, input.shape[2]), (self.hidden_size,)
        return {"gate.weight": weight, "gate.bias": bias, "candidate.weight": weight, "candidate.bias": bias}
