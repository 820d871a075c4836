"""Pictures sampled at places that are computed: the two steps of a spatial transformer."""

from __future__ import annotations

from netc.layer import Bool, Example, Ints, Layer, Reject, Value, Word
from netc.shapes import Shape, product, same, show_dim, show_shape
from netc.terms import Dim


class grid_sample(Layer):  # named as the function that it is
    """Takes a picture's values at the places of a grid, between pixels too.

    `input` (N, C, H, W) and `grid` (N, H', W', 2) to (N, C, H', W'); the last dimension of the grid holds x and y, from
    -1 to 1. Over volumes the grid is (N, D', H', W', 3). Older versions of
    torch mix no volumes bicubically. See Jaderberg et al. (2015), arXiv 1506.02025.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
    """

    function = "torch.nn.functional.grid_sample"
    inputs = ("input", "grid")
    ranks = (4, 5)
    positional = 0
    free = True
    mode = Word("bilinear", "nearest", "bicubic", default="bilinear", doc="how pixels are mixed")
    padding_mode = Word("zeros", "border", "reflection", default="zeros", doc="what lies beyond the picture")
    align_corners = Bool(None, doc="-1 and 1 are the middles of the outermost pixels, not their edges")
    examples = (
        Example("3x32x32, 16x20x2", "grid_sample(align_corners=false)", "3x16x20"),
        Example("3x8x8x8, 4x5x6x3", "grid_sample(mode=nearest, align_corners=true)", "3x4x5x6"),
    )

    def infer(self, input: Value, grid: Value) -> Value:
        n = input.rank - 2
        if grid.rank != input.rank or not same(grid.shape[-1], n):
            wanted = f"(N, {', '.join(['D', 'H', 'W'][3 - n:])}, {n})"
            raise Reject(f"expects a grid {wanted} for {show_shape(input.shape)}, not {show_shape(grid.shape)}",
                         input="grid")  # fmt: skip
        if not same(input.shape[0], grid.shape[0]):
            sizes = f"{show_dim(input.shape[0])} and {show_dim(grid.shape[0])}"
            raise Reject(f"expects a grid for each example; the batches are {sizes}", input="grid")
        return Value((*input.shape[:2], *grid.shape[1:-1]), channel=1)


class affine_grid(Layer):
    """Makes of affine maps the grid that `grid_sample` takes.

    (N, 2, 3) with `affine_grid((_.n, C, H, W))` to (N, H, W, 2), and (N, 3, 4) with a size of five to (N, D, H, W, 3).
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html
    """

    function = "torch.nn.functional.affine_grid"
    inputs = ("theta",)
    ranks = (3,)
    size = Ints(min=1, doc="shape of what will be sampled, batch and channels counted")
    align_corners = Bool(None, doc="as `grid_sample` will be told")
    examples = (
        Example("2x3", "affine_grid((2, 3, 32, 32), align_corners=false)", "32x32x2"),
        Example("3x4", "affine_grid((2, 1, 4, 5, 6), align_corners=true)", "4x5x6x3"),
    )

    def infer(self, theta: Value) -> Value:
        n = len(self.size) - 2
        if n not in (2, 3):
            raise Reject(f"`size` has {len(self.size)} entries, not the 4 of a picture or the 5 of a volume",
                         field="size")  # fmt: skip
        wanted: Shape = (self.size[0], n, n + 1)
        if not all(map(same, theta.shape, wanted)):
            raise Reject(f"expects maps {show_shape(wanted)} for that `size`, not {show_shape(theta.shape)}",
                         input="theta")  # fmt: skip
        return Value((theta.shape[0], *self.size[2:], n), channel=None)

    def multiply_adds(self, theta: Value) -> Dim:
        return product((*theta.shape, *self.size[2:]))
