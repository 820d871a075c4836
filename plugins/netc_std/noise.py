"""Random numbers in the shape of a tensor, and tensors to which they are added.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from dataclasses import replace

from netc.layer import Example, Float, Ints, Layer, Reject, Value

RANDN = '''
def randn(input: Tensor, *size: int) -> Tensor:
    """Draws from the standard normal distribution, one tensor of a size an example."""
    return torch.randn(len(input), *size, device=input.device, dtype=input.dtype)
'''


class Noise(Layer):
    """Random numbers in the shape of a tensor of floats; the numbers themselves do not matter."""

    free = True

    def infer(self, input: Value) -> Value:
        if input.kind != "float":
            raise Reject(f"`{type(self).__name__}` draws floats, and the input is {input.kind}", input="input")
        return input


class randn_like(Noise):
    """Draws from the standard normal distribution, as many numbers as the input has.

    A variational autoencoder samples by it: `mean + exp(log_variance / 2) * randn_like(mean)`. It draws outside
    training, too.
    https://docs.pytorch.org/docs/stable/generated/torch.randn_like.html
    """

    function = "torch.randn_like"
    examples = (Example("16", "randn_like", "16"), Example("3x8x8", "randn_like", "3x8x8"))


class rand_like(Noise):
    """Draws evenly from 0 to 1, as many numbers as the input has.

    It draws outside training, too. https://docs.pytorch.org/docs/stable/generated/torch.rand_like.html
    """

    function = "torch.rand_like"
    examples = (Example("16", "rand_like", "16"),)


class randn(Noise):
    """Draws a tensor of a size for each example of the input, from the standard normal distribution.

    What a generator starts from: `randn(100, 1, 1)`. It draws outside training, too.
    https://docs.pytorch.org/docs/stable/generated/torch.randn.html
    """

    function = "own:randn"
    size = Ints(min=1, variadic=True, doc="The sizes of one example; the batch stands before them.")
    imports = ("import torch", "from torch import Tensor")
    helpers = (RANDN,)
    examples = (Example("3x8x8", "randn(16)", "16"), Example("5", "randn(4, 2, 2)", "4x2x2"))

    def infer(self, input: Value) -> Value:
        kept = super().infer(input)
        if kept.batch:
            raise Reject(f"the examples of {input} are not counted by its first dimension", input="input")
        return replace(kept, shape=(kept.shape[0], *self.size), channel=1 if self.size else None)


class GaussianNoise(Layer):
    """Adds numbers of a normal distribution in training, of mean 0 and the standard deviation `std`.

    Any shape. In front of a discriminator it keeps pictures that are drawn close enough to real ones to learn from:
    Sønderby et al., "Amortised MAP Inference for Image Super-resolution" (2017).
    """

    module = "own:GaussianNoise"
    free = True
    std = Float(min=0.0, doc="Standard deviation of what is added.")
    imports = ("import torch", "from torch import Tensor, nn")
    source = '''
class GaussianNoise(nn.Module):
    """Adds normal noise in training; passes its input on in evaluation."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return input
        return input + self.std * torch.randn_like(input)

    def extra_repr(self) -> str:
        return f"std={self.std}"
'''
    examples = (Example("3x64x64", "GaussianNoise(0.1)", "3x64x64"), Example("10", "GaussianNoise(1)", "10"))

    def infer(self, input: Value) -> Value:
        return input
