"""Random numbers in the shape of a tensor.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from dataclasses import replace

from netc.layer import Example, Ints, Layer, Reject, Value

RANDN = '''
def randn(input: Tensor, *size: int) -> Tensor:
    """Draws from the standard normal distribution, one tensor of a size an example."""
    return torch.randn(len(input), *size, device=input.device, dtype=input.dtype)
'''


class Noise(Layer):
    """Random numbers in the shape of a tensor of floats; the numbers themselves do not matter."""

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
