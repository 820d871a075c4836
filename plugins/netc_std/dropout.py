"""Dropout: values, channels or features that are left out at random in training."""

from __future__ import annotations

from netc.layer import Bool, Example, Float, Layer, Value


class Dropping(Layer):
    """Leaves the shape as it is; the function follows the mode of the module that it stands in."""

    free = True
    function_extra = {"training": "self.training"}
    elsewhere = {"rate": "p", "dropout_ratio": "p", "drop_prob": "p"}
    p = Float(0.5, min=0, max=1, doc="Probability of being left out.")
    inplace = Bool(False, doc="Overwrite the input.")

    def infer(self, input: Value) -> Value:
        return input


class Dropout(Dropping):
    """Sets each value to zero with probability `p` in training and scales the others by `1 / (1 - p)`.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html
    """

    module = "torch.nn.Dropout"
    function = "torch.nn.functional.dropout"
    examples = (Example("16x8x8", "Dropout(0.2)", "16x8x8"), Example("10", "dropout", "10"))


class Dropout1d(Dropping):
    """Sets whole channels of a sequence to zero with probability `p` in training.

    (N, C, L) to the same. https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html
    """

    module = "torch.nn.Dropout1d"
    function = "torch.nn.functional.dropout1d"
    ranks = (3,)
    examples = (Example("16x8", "Dropout1d", "16x8"), Example("16x8", "dropout1d(0.2)", "16x8"))


class Dropout2d(Dropping):
    """Sets whole channels of a picture to zero with probability `p` in training.

    (N, C, H, W) to the same. https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
    """

    module = "torch.nn.Dropout2d"
    function = "torch.nn.functional.dropout2d"
    ranks = (4,)
    examples = (Example("20x8x8", "Dropout2d", "20x8x8"), Example("20x8x8", "dropout2d(0.2)", "20x8x8"))


class Dropout3d(Dropping):
    """Sets whole channels of a volume to zero with probability `p` in training.

    (N, C, D, H, W) to the same. https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout3d.html
    """

    module = "torch.nn.Dropout3d"
    function = "torch.nn.functional.dropout3d"
    ranks = (5,)
    examples = (Example("4x8x8x8", "Dropout3d", "4x8x8x8"), Example("4x8x8x8", "dropout3d(0.2)", "4x8x8x8"))


class AlphaDropout(Dropping):
    """Dropout that keeps mean and variance, for networks with SELU.

    Any shape. https://docs.pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html
    """

    module = "torch.nn.AlphaDropout"
    function = "torch.nn.functional.alpha_dropout"
    examples = (Example("16x8x8", "AlphaDropout(0.2)", "16x8x8"), Example("10", "alpha_dropout", "10"))


class FeatureAlphaDropout(Dropping):
    """Alpha dropout of whole channels.

    (N, C, …) to the same. https://docs.pytorch.org/docs/stable/generated/torch.nn.FeatureAlphaDropout.html
    """

    module = "torch.nn.FeatureAlphaDropout"
    function = "torch.nn.functional.feature_alpha_dropout"
    ranks = (2, 3, 4, 5)
    examples = (
        Example("16x8x8", "FeatureAlphaDropout(0.2)", "16x8x8"),
        Example("16x8x8", "feature_alpha_dropout", "16x8x8"),
    )
