"""Layers of papers, as somebody writes them who has read the tutorial."""

from netc.layer import Example, Float, Int, Layer, State, fixed


class GatedMLP(Layer):
    """A feed-forward part with a gate: `out(gelu(a) * b)`, where a and b are halves of one projection."""

    module = "own:GatedMLP"
    hidden = Int(min=1, doc="features inside")
    imports = ("import torch", "import torch.nn.functional as F", "from torch import nn")
    source = '''
class GatedMLP(nn.Module):
    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.into = nn.Linear(features, 2 * hidden)
        self.out = nn.Linear(hidden, features)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        gate, value = self.into(input).chunk(2, dim=-1)
        return self.out(F.gelu(gate) * value)
'''
    examples = (Example("16x64", "GatedMLP(128)", "16x64"),)

    def inferred(self, input):
        return {"features": fixed(input.shape[-1], "features")}

    def infer(self, input):
        return input

    def state(self, input):
        e, h = fixed(input.shape[-1], "features"), self.hidden
        into = {"into.weight": State((2 * h, e)), "into.bias": State((2 * h,))}
        return into | {"out.weight": State((e, h)), "out.bias": State((e,))}


class EfficientChannelAttention(Layer):
    """Weighs each channel by a convolution over the means of its neighbours."""

    module = "own:EfficientChannelAttention"
    ranks = (4,)
    kernel_size = Int(3, min=1, doc="how many neighbouring channels count; an odd number")
    imports = ("import torch", "from torch import nn")
    source = '''
class EfficientChannelAttention(nn.Module):
    def __init__(self, kernel_size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, kernel_size, padding="same", bias=False)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        weights = self.conv(input.mean((2, 3)).unsqueeze(1)).squeeze(1).sigmoid()
        return input * weights[:, :, None, None]
'''
    examples = (Example("16x8x8", "EfficientChannelAttention(5)", "16x8x8"),)

    def infer(self, input):
        return input

    def state(self, input):
        return {"conv.weight": State((1, 1, self.kernel_size))}


class GRN(Layer):
    """Global response normalization over channels last, as in ConvNeXt V2."""

    module = "own:GRN"
    ranks = (4,)
    eps = Float(1e-6, doc="added to the mean")
    imports = ("import torch", "from torch import nn")
    source = '''
class GRN(nn.Module):
    def __init__(self, features: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.gamma = nn.Parameter(torch.zeros(1, 1, 1, features))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, features))

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        size = input.norm(dim=(1, 2), keepdim=True)
        ratio = size / (size.mean(dim=-1, keepdim=True) + self.eps)
        return self.gamma * (input * ratio) + self.beta + input
'''
    examples = (Example("8x8x16", "GRN", "8x8x16"),)

    def inferred(self, input):
        return {"features": fixed(input.shape[-1], "features")}

    def infer(self, input):
        return input

    def state(self, input):
        each = State((1, 1, 1, fixed(input.shape[-1], "features")))
        return {"gamma": each, "beta": each}
