"""Losses of several outputs of a network, compared with each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netc.layer import Bool, Float, Reject
from netc.recipe import Loss, Target
from netc.shapes import Value, same, show_shape
from netc_std.losses import reduction


class ComparingLoss(Loss):
    """A loss of outputs of one shape; `ranks` are the dimensions that they may have, the batch counted."""

    ranks: ClassVar[tuple[int, ...]] = (2,)

    def admit(self, outputs: Sequence[Value], target: Target | None) -> None:
        name = type(self).__name__
        for operand, value in zip(self.operands, outputs, strict=True):
            if value.kind != "float":
                raise Reject(f"{name} compares numbers with a gradient, `{operand}` is {value}")
            if value.rank not in self.ranks:
                reason = f"{name} takes vectors (N, D), `{operand}` has shape {show_shape(value.shape)}"
                raise Reject(reason, help="`flatten` makes vectors")
            if not all(map(same, value.shape, outputs[0].shape)):
                shapes = f"{show_shape(outputs[0].shape)} and {show_shape(value.shape)}"
                reason = f"{name} compares outputs of one shape, `{self.operands[0]}` and `{operand}` have {shapes}"
                raise Reject(reason)
        if target is not None and (target.kind != "value" or target.shape != outputs[0].shape[1 : self.ranks[0] - 1]):
            raise Reject(f"{name} learns 1 or -1 for each pair, {target.source} gives something else")


class TripletMarginLoss(ComparingLoss):
    """An anchor should be nearer to its like than to another, by `margin` (Schroff et al. 2015, arXiv 1503.03832)."""

    module = "torch.nn.TripletMarginLoss"
    operands = ("anchor", "positive", "negative")
    targeted = False
    margin = Float(1.0, above=0, doc="The lead that is enough.")
    p = Float(2.0, above=0, doc="Of the norm of a difference.")
    eps = Float(1e-6, doc="Added to a difference.")
    swap = Bool(False, doc="Takes the nearer of anchor and positive (Balntas et al. 2016).")
    reduction = reduction()


class CosineEmbeddingLoss(ComparingLoss):
    """Two outputs should point the same way where the target is 1, and apart where it is -1."""

    module = "torch.nn.CosineEmbeddingLoss"
    operands = ("first", "second")
    margin = Float(0.0, min=-1, max=1, doc="The cosine that is apart enough.")
    reduction = reduction()


class MarginRankingLoss(ComparingLoss):
    """The first of two outputs should be greater where the target is 1, and the second where it is -1."""

    module = "torch.nn.MarginRankingLoss"
    operands = ("first", "second")
    ranks = (1,)
    margin = Float(0.0, doc="The lead that is enough.")
    reduction = reduction()


class Mean(Loss):
    """The mean of an output itself: a critic's score, which `-1 * Mean` raises, or a loss that a network computes."""

    module = "torch.mean"
    function = True
    operands = ("values",)
    targeted = False

    def admit(self, outputs: Sequence[Value], target: Target | None) -> None:
        if outputs[0].kind != "float":
            raise Reject(f"Mean lessens numbers with a gradient, `values` is {outputs[0]}")


class GaussianKLDivLoss(ComparingLoss):
    """The divergence of normal distributions, by means and logarithms of variances, from the standard one.

    For variational autoencoders: summed over an example's dimensions (Kingma and Welling 2014, arXiv 1312.6114, B).
    """

    module = "own:GaussianKLDivLoss"
    operands = ("mean", "log_variance")
    targeted = False
    reduction = reduction()
    source = '''
class GaussianKLDivLoss(nn.Module):
    """KL(N(mean, exp(log_variance)) || N(0, 1)), summed over an example."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        terms = mean**2 + log_variance.exp() - 1 - log_variance
        loss = terms.flatten(1).sum(1) / 2
        return loss.sum() if self.reduction == "sum" else loss.mean()
'''
    imports = ("from torch import Tensor, nn",)
