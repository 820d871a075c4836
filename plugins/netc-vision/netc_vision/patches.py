"""Patches: neighbours whose features are put side by side, and sizes that patches divide."""

from __future__ import annotations

from typing import Any

from netc.layer import Example, Ints, Layer, Value, per_axis
from netc.shapes import ceil_divide


class patch_merging(Layer):
    """Puts the features of each 2 by 2 neighbours side by side.

    (N, *, H, W, C) to (N, *, H / 2, W / 2, 4 * C), rounded up; what is missing at the edges is zero. The step before
    the projection in the patch merging of Swin Transformers.
    """

    function = "own:patch_merging"
    ranks = (4, 5)
    free = True
    imports = ("import torch", "import torch.nn.functional as F", "from torch import Tensor")
    helpers = (
        '''
def patch_merging(input: Tensor) -> Tensor:
    """Halves height and width: (N, *, H, W, C) to (N, *, H / 2, W / 2, 4 * C)."""
    height, width = input.shape[-3:-1]
    x = F.pad(input, (0, 0, 0, width % 2, 0, height % 2))
    left, right = x[..., 0::2, :], x[..., 1::2, :]
    parts = [side[..., row::2, :, :] for side in (left, right) for row in (0, 1)]
    return torch.cat(parts, dim=-1)
''',
    )
    examples = (
        Example("56x56x96", "patch_merging", "28x28x384"),
        Example("7x9x8", "patch_merging", "4x5x32"),
        Example("3x7x8x6", "patch_merging", "3x4x4x24"),
    )

    def infer(self, input: Value) -> Value:
        *lead, height, width, features = input.shape
        return Value((*lead, ceil_divide(height, 2), ceil_divide(width, 2), 4 * features), channel=input.rank - 1)


class pad_to_multiple(Layer):
    """Appends zeros until each spatial size is a multiple.

    (N, C, *) to the same with larger sizes; `multiple` is one number, or one for each spatial dimension. What a video
    or picture needs that is cut into patches of any size.
    """

    function = "own:pad_to_multiple"
    ranks = (3, 4, 5)
    free = True
    multiple = Ints(min=1, doc="what divides the sizes afterwards")
    imports = (
        "from collections.abc import Sequence",
        "import torch.nn.functional as F",
        "from torch import Tensor",
        "from torch.fx import wrap",
    )
    helpers = (
        '''
def pad_to_multiple(input: Tensor, multiple: Sequence[int]) -> Tensor:
    """Appends zeros to (N, C, *) until each spatial size is a multiple."""
    missing = [-size % by for size, by in zip(input.shape[2:], multiple, strict=True)]
    return F.pad(input, [pad for after in reversed(missing) for pad in (0, after)])


wrap("pad_to_multiple")
''',
    )
    examples = (
        Example("3x7x30x31", "pad_to_multiple((2, 4, 4))", "3x8x32x32"),
        Example("3x30x32", "pad_to_multiple(32)", "3x32x32"),
        Example("3x30", "pad_to_multiple(32)", "3x32"),
    )

    def function_arguments(self, input: Value) -> dict[str, Any]:
        multiples = per_axis(self.multiple, input.rank - 2, "multiple")
        return {"multiple": list(multiples) if len(self.multiple) == 1 else self.multiple}

    def infer(self, input: Value) -> Value:
        multiples = self.function_arguments(input)["multiple"]
        padded = [ceil_divide(size, by) * by for size, by in zip(input.shape[2:], multiples, strict=True)]
        return input.with_shape((*input.shape[:2], *padded))
