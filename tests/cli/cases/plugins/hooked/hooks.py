from netc.hooks import hookimpl
from netc.layer import Layer


class Twirl(Layer):
    """Does nothing."""

    module = "torch.nn.Identity"

    def infer(self, input):
        return input


class Hidden(Twirl):
    """No hook speaks of it."""


@hookimpl
def netc_layers():
    return [Twirl]
