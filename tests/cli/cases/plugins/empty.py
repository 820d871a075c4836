"""A module of its own helpers only."""

from netc.layer import Layer


class Base(Layer):
    """Names nothing of PyTorch."""


class _Own(Layer):
    module = "torch.nn.Identity"
