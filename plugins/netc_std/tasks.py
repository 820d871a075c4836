"""Tasks whose examples are drawn by a rule: sequences, sets of points, masks, pictures with tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from netc.layer import Bool, Float, Int, Reject
from netc.recipe import DataSource, Target, show_example
from netc.shapes import Shape, Value, same, show_dim
from netc_std.data import batch_size


def test_batch_size() -> Int:
    return Int(500, min=1, doc="Examples a step in the test.")


def counted(count: int) -> Int:
    return Int(count, min=1, doc="Examples to train with; the test has a fifth of that.")


class Task(DataSource):
    """Examples that are drawn from the run's seed; `wanted` is what the network has to take."""

    wanted: ClassVar[str]
    count: int

    def given(self) -> dict[str, Any]:
        """All but what only the loop asks for: the source reads them as flags."""
        return {name: getattr(self, name) for name in self.fields if name != "shuffle"}

    def training_size(self) -> int:
        return self.count

    def refuse(self, inputs: Sequence[tuple[str, Value]]) -> Reject:
        taken = ", ".join(show_example(value) for _, value in inputs)
        reason = f"{type(self).__name__} is for `{self.wanted}`, the network takes {taken}"
        return Reject(reason, help=f"`{self.wanted}`")

    def fits(self, inputs: Sequence[tuple[str, Value]], *shapes: Shape) -> None:
        """Refuses inputs of other shapes; None stands for any size."""
        values = [value for _, value in inputs]
        if len(values) != len(shapes):
            raise self.refuse(inputs)
        for value, shape in zip(values, shapes, strict=True):
            sizes = value.shape[1:]
            agree = all(want is None or same(size, want) for size, want in zip(sizes, shape, strict=False))
            if len(sizes) != len(shape) or not agree:
                raise self.refuse(inputs)


class AddingProblem(Task):
    """Sequences of two channels: numbers from 0 to 1, and marks at two of them, whose sum is to be told.

    Guessing 1 gives a mean squared error of 0.167. Hochreiter and Schmidhuber (1997), Neural Computation 9(8).
    """

    wanted = "input (2, T)"
    length = Int(50, min=2, doc="Numbers in a sequence.")
    count = counted(5000)
    batch_size = batch_size()
    test_batch_size = test_batch_size()
    shuffle = Bool(True)

    def target(self) -> Target:
        return Target("AddingProblem", "value", (1,))

    def admit(self, inputs: Sequence[tuple[str, Value]]) -> None:
        self.fits(inputs, (2, None))  # type: ignore[arg-type]

    def loaded(self, inputs: Sequence[tuple[str, Value]]) -> str:
        return LOAD_ADDING


LOAD_ADDING = '''\
def load_data(args):
    """Sequences (N, 2, T) and sums (N, 1), for training and the test."""
    generator = torch.Generator().manual_seed(args.seed)
    for count in (args.count, max(1, args.count // 5)):
        numbers = torch.rand(count, args.length, generator=generator)
        marked = torch.rand(numbers.shape, generator=generator).topk(2, dim=1).indices
        marks = torch.zeros_like(numbers).scatter_(1, marked, 1.0)
        yield torch.stack([numbers, marks], dim=1)
        yield (numbers * marks).sum(1, keepdim=True)
'''


class PointSets(Task):
    """Noisy points on the surface of a ball, a cube, a cylinder or a cone, turned at random about the upright axis."""

    wanted = "input (3, P)"
    points = Int(128, min=1, doc="Points in a set.")
    noise = Float(0.02, min=0, doc="Standard deviation of the noise.")
    count = counted(2000)
    batch_size = batch_size()
    test_batch_size = test_batch_size()
    shuffle = Bool(True)

    def target(self) -> Target:
        return Target("PointSets", "class", classes=4, open=True)

    def admit(self, inputs: Sequence[tuple[str, Value]]) -> None:
        self.fits(inputs, (3, None))  # type: ignore[arg-type]

    def loaded(self, inputs: Sequence[tuple[str, Value]]) -> str:
        return LOAD_POINTS


LOAD_POINTS = '''\
def load_data(args):
    """Points (N, 3, P) and kinds (N), for training and the test."""
    generator = torch.Generator().manual_seed(args.seed)
    for count in (args.count, max(1, args.count // 5)):
        kind = torch.randint(4, (count,), generator=generator)
        ball = torch.randn(count, 3, args.points, generator=generator)
        ball = ball / ball.norm(dim=1, keepdim=True)
        cube = ball / ball.abs().amax(1, keepdim=True)
        height = 2 * torch.rand(count, 1, args.points, generator=generator) - 1
        around = ball[:, :2] / ball[:, :2].norm(dim=1, keepdim=True)
        cylinder = torch.cat([around, height], dim=1)
        cone = torch.cat([around * (1 - height) / 2, height], dim=1)
        solids = torch.stack([ball, cube, cylinder, cone], dim=1)
        points = solids[torch.arange(count), kind]
        angle = 2 * torch.pi * torch.rand(count, 1, generator=generator)
        cos, sin, (x, y, z) = angle.cos(), angle.sin(), points.unbind(1)
        turned = torch.stack([x * cos - y * sin, x * sin + y * cos, z], dim=1)
        yield turned + args.noise * torch.randn(points.shape, generator=generator)
        yield kind
'''


class Discs(Task):
    """Noisy colour pictures of discs, and for each pixel whether it is of a disc: 1, or of the background: 0."""

    wanted = "input 3xHxW"
    pictures = True
    size = Int(32, min=8, doc="Height and width, where the network leaves them open.")
    noise = Float(0.3, min=0, doc="Standard deviation of the noise.")
    count = counted(400)
    batch_size = batch_size()
    test_batch_size = test_batch_size()
    shuffle = Bool(True)

    def given(self) -> dict[str, Any]:
        """All but the size, which is that of the network."""
        return {name: value for name, value in super().given().items() if name != "size"}

    def sizes(self, inputs: Sequence[tuple[str, Value]]) -> tuple[int, int]:
        height, width = (size if isinstance(size, int) else self.size for size in inputs[0][1].shape[2:])
        return int(height), int(width)

    def fitted(self, inputs: Sequence[tuple[str, Value]]) -> Target:
        return Target("Discs", "class", inputs[0][1].shape[2:], classes=2)

    def target(self) -> Target:
        return Target("Discs", "class", (self.size, self.size), classes=2)

    def admit(self, inputs: Sequence[tuple[str, Value]]) -> None:
        self.fits(inputs, (3, None, None))  # type: ignore[arg-type]

    def loaded(self, inputs: Sequence[tuple[str, Value]]) -> str:
        height, width = self.sizes(inputs)
        return LOAD_DISCS.format(height=height, width=width)


LOAD_DISCS = '''\
def load_data(args):
    """Images (N, 3, H, W) and masks (N, H, W), for training and the test."""
    generator = torch.Generator().manual_seed(args.seed)
    height, width = {height}, {width}
    rows, columns = torch.arange(height).view(-1, 1), torch.arange(width)
    for count in (args.count, max(1, args.count // 5)):
        masks = torch.zeros(count, height, width, dtype=torch.bool)
        for _ in range(3):
            y, x, size = torch.rand(count, 3, 1, 1, generator=generator).unbind(1)
            squares = (rows - height * y) ** 2 + (columns - width * x) ** 2
            masks |= squares < (min(height, width) * (0.05 + 0.15 * size)) ** 2
        colors = torch.rand(count, 2, 3, 1, 1, generator=generator)
        images = torch.where(masks.unsqueeze(1), colors[:, 0], colors[:, 1])
        noise = args.noise * torch.randn(images.shape, generator=generator)
        yield images + noise
        yield masks.long()
'''


class PicturesWithTables(Task):
    """A colour picture, a row of numbers, a category, and a number that follows from all three.

    It is the mean of the red less that of the blue, and the mean of the row, weighted as the category says.
    """

    wanted = "input picture: 3xHxW, input table: F, input category: int()"
    categories = Int(20, min=1, doc="How many categories there are.")
    noise = Float(0.05, min=0, doc="Standard deviation of the noise.")
    count = counted(2000)
    batch_size = batch_size()
    test_batch_size = test_batch_size()
    shuffle = Bool(True)

    def target(self) -> Target:
        return Target("PicturesWithTables", "value")

    def admit(self, inputs: Sequence[tuple[str, Value]]) -> None:
        self.fits(inputs, (3, None, None), (None,), ())  # type: ignore[arg-type]
        known = all(isinstance(size, int) for _, value in inputs for size in value.shape[1:])
        if not known or inputs[2][1].kind != "int":
            raise self.refuse(inputs)

    def loaded(self, inputs: Sequence[tuple[str, Value]]) -> str:
        height, width = map(show_dim, inputs[0][1].shape[2:])
        return LOAD_PICTURES_WITH_TABLES.format(height=height, width=width, columns=show_dim(inputs[1][1].shape[1]))


LOAD_PICTURES_WITH_TABLES = '''\
def load_data(args):
    """Pictures (N, 3, H, W), rows (N, F), categories, numbers (N), for both parts."""
    generator = torch.Generator().manual_seed(args.seed)
    weights = torch.randn(args.categories, {columns}, generator=generator)
    for count in (args.count, max(1, args.count // 5)):
        color = torch.randn(count, 3, 1, 1, generator=generator)
        pictures = color + torch.randn(count, 3, {height}, {width}, generator=generator)
        table = torch.randn(count, {columns}, generator=generator)
        category = torch.randint(args.categories, (count,), generator=generator)
        means = pictures.mean((2, 3))
        value = means[:, 0] - means[:, 2] + (table * weights[category]).mean(1)
        yield pictures, table, category
        yield value + args.noise * torch.randn(count, generator=generator)
'''


class Edges(DataSource):
    """One picture, white with a dark band, and where its upright edges are: what a kernel of 1 and -1 makes of it."""

    held_out = False
    stated = ("height", "width", "batch_size")
    height = Int(6, min=1, doc="Rows.")
    width = Int(8, min=4, doc="Columns; the middle half of them is dark.")
    batch_size = batch_size()

    def target(self) -> Target:
        return Target("Edges", "value", (1, self.height, self.width - 1))

    def fitted(self, inputs: Sequence[tuple[str, Value]]) -> Target:
        height, width = inputs[0][1].shape[2:]
        return Target("Edges", "value", (1, height, width - 1))

    def check(self, input: Value) -> None:
        sizes = zip(input.shape[2:], (self.height, self.width), strict=False)
        other = any(isinstance(size, int) and size != own for size, own in sizes)
        if input.kind != "float" or input.rank != 4 or not same(input.shape[1], 1) or other:
            reason = f"Edges is a picture of 1x{self.height}x{self.width}, the network takes {show_example(input)}"
            raise Reject(reason, help="`input 1xHxW`")

    def training_size(self) -> int:
        return 1

    def load(self, input: Value) -> str:
        return LOAD_EDGES


LOAD_EDGES = '''\
def load_data(args):
    """One picture (1, 1, H, W), and its edges (1, 1, H, W - 1)."""
    picture = torch.ones(1, 1, args.height, args.width)
    picture[..., args.width // 4 : -(args.width // 4)] = 0
    return picture, picture[..., :-1] - picture[..., 1:]
'''
