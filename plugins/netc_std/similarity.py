"""How alike two tensors are: cosines and distances of the vectors that they hold."""

from __future__ import annotations

from netc.layer import Bool, Example, Float, Int, Layer, Value
from netc_std.axes import axis, broadcast, joint_channel, without


class CosineSimilarity(Layer):
    """The cosine of the angle between two tensors' vectors along a dimension.

    (N, C, …) twice to (N, …) with `dim=1`; shapes broadcast.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html
    """

    module = "torch.nn.CosineSimilarity"
    function = "torch.nn.functional.cosine_similarity"
    inputs = ("x1", "x2")
    free = True
    dim = Int(1, doc="The dimension that goes, the batch counted as 0.")
    eps = Float(1e-8, min=0, doc="The least divisor.")
    examples = (
        Example("16, 16", "CosineSimilarity", "float"),
        Example("10x16, 10x16", "cosine_similarity(dim=-1)", "10"),
    )

    def infer(self, x1: Value, x2: Value) -> Value:
        both = pair(x1, x2)
        return without(both, (axis(self.dim, both.rank),))


class PairwiseDistance(Layer):
    """The p-norm of the difference of two tensors' vectors, along the last dimension.

    (N, C) twice to (N); shapes broadcast. https://docs.pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html
    """

    module = "torch.nn.PairwiseDistance"
    function = "torch.nn.functional.pairwise_distance"
    inputs = ("x1", "x2")
    free = True
    p = Float(2.0, doc="Which norm.")
    eps = Float(1e-6, doc="Added to each difference.")
    keepdim = Bool(False, doc="Leave the last dimension with size 1.")
    examples = (
        Example("16, 16", "PairwiseDistance", "float"),
        Example("10x16, 10x16", "pairwise_distance(p=1, keepdim=true)", "10x1"),
    )

    def infer(self, x1: Value, x2: Value) -> Value:
        both = pair(x1, x2)
        return without(both, (axis(-1, both.rank),), self.keepdim)


def pair(x1: Value, x2: Value) -> Value:
    """What two tensors broadcast to."""
    shape = broadcast(x1.shape, x2.shape)
    return Value(shape, channel=joint_channel([x1, x2], len(shape)))
