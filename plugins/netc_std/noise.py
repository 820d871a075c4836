"""Random numbers in the shape of a tensor.

Classes in lower case are functions only, and named as such.
"""

from __future__ import annotations

from netc.layer import Example, Layer, Reject, Value


class Noise(Layer):
    """Random numbers in the shape of a tensor of floats; the numbers themselves do not matter."""

    def infer(self, input: Value) -> Value:
        if input.kind != "float":
            raise Reject(f"`{type(self).__name__}` draws floats, and the input is {input.kind}", input="input")
        return input


class randn_like(Noise):
    """Draws from the standard normal distribution, as many numbers as the input has.

    A variational autoencoder samples by it: `randn_like(mean)`, `* exp(div_scalar(log_variance, 2))`,
    `+ mean`. It draws outside training, too.
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
