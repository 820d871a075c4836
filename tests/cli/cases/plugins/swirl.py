from netc.layer import Example, Float, Layer


class Swirl(Layer):
    """Bends values: `x + a * sin(x)`. Any shape."""

    module = "own:Swirl"
    a = Float(0.5, doc="how much is bent")
    imports = ("import torch", "from torch import nn")
    source = '''
class Swirl(nn.Module):
    def __init__(self, a: float = 0.5) -> None:
        super().__init__()
        self.a = a

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return input + self.a * torch.sin(input)
'''
    examples = (Example("8", "Swirl(0.1)", "8"),)

    def infer(self, input):
        return input
