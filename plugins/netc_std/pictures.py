"""Pictures in files, decoded when the loop asks for them: what every data source of such pictures shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from netc.layer import Int, Reject
from netc.recipe import DataSource, Opening, Reading, Transform, show_example
from netc.shapes import Value, show_dim
from netc_std.scaling import Channels, scaling
from netc_std.transforms import CenterCrop, RandomCrop, RandomResizedCrop, Resize


def side() -> Int:
    return Int(None, min=1, doc="Height and width, where the network leaves them open.")


def divided(share: float) -> str:
    """The end of a `load_data` of one part, `samples`: the seed draws a share of it for the test."""
    return SPLIT.format(share=share) if share > 0 else "    yield from part(samples)\n"


def resized() -> Int:
    doc = "The shorter side before the middle is cut out; by default no more than covers the input."
    return Int(None, min=1, doc=doc)


class PictureFiles(DataSource):
    """Pictures in files, decoded by threads ahead of the loop: resized to cover the network's input, and cut to it.

    A source has the fields `size` (by `side`), `resize` (by `resized`) and `normalize`, which the script needs no flags
    for, and says in `listed` which files there are.
    """

    packages: ClassVar[tuple[str, ...]] = ("torchvision", "pillow")
    imports: ClassVar[tuple[str, ...]] = (
        "from collections import deque",
        "from concurrent.futures import ThreadPoolExecutor",
        "from PIL import Image",
        "from torchvision import datasets",
        "from torchvision.transforms import v2",
    )
    pictures = True
    bytes = True
    decoded = True
    # Fields that the script has no flag for.
    inside: ClassVar[tuple[str, ...]] = ("size", "resize", "normalize")
    size: int | None = None
    resize: int | None = None
    normalize: tuple[Channels, Channels] | None = None

    def listed(self) -> str:
        """`load_data(args)`, which yields `part(samples)` of each part: paths and class numbers in pairs."""
        raise NotImplementedError("it has no `listed`")

    def paired(self) -> str:
        """`part(samples)`: the inputs and the targets of samples."""
        return PART

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in super().given().items() if name not in self.inside}

    def check(self, input: Value) -> None:
        name = type(self).__name__
        if input.kind != "float" or input.rank != 4 or input.shape[1] not in (1, 3):
            reason = f"{name} has pictures of 1 or 3 channels, the network takes {show_example(input)}"
            raise Reject(reason, help="`input 3xHxW` takes them")
        known = [size for size in input.shape[2:] if isinstance(size, int)]
        if len(known) < 2 and self.size is None:
            raise Reject("the network leaves the size of a picture open", help=f"`{name}(…, size=64)`")
        if self.size is not None and any(size != self.size for size in known):
            raise Reject(f"the network takes {show_example(input)}", field="size")
        if self.resize is not None and self.resize < max(self.extent(input)):
            reason = f"pictures of a shorter side of {self.resize} do not cover {show_example(self.fitting(input))}"
            raise Reject(reason, field="resize")
        if input.shape[1] == 1 and any(isinstance(side, tuple) for side in self.normalize or ()):
            reason = "`normalize` has numbers for three channels, the network takes one"
            raise Reject(reason, field="normalize", help="one number for each side: `normalize=(0.5, 0.25)`")

    def extent(self, input: Value) -> tuple[int, int]:
        """Height and width of what the network is given."""
        height, width = (int(size) if isinstance(size, int) else self.size for size in input.shape[2:])
        assert height is not None and width is not None
        return height, width

    def covering(self, input: Value) -> int:
        """The shorter side of a picture before it is cut."""
        return self.resize or max(self.extent(input))

    def fitting(self, input: Value) -> Value:
        return input.with_shape((*input.shape[:2], *self.extent(input)))

    def opening(self, input: Value, changes: Sequence[Transform]) -> Opening:
        """A crop is of the whole picture; everything else changes what is cut out as for the test."""
        side = self.covering(input)
        whole = input.with_shape((*input.shape[:2], side, side))
        first, second = [*changes[:2], None, None][:2]
        if isinstance(first, RandomResizedCrop):
            return Opening((), 1, whole)
        if isinstance(first, Resize) and isinstance(second, CROPS):
            return Opening((), 2, whole)
        if isinstance(first, CROPS):
            return Opening(("train_inputs.resize",), 1, whole)
        return Opening(("train_inputs.fit",), 0, self.fitting(input))

    def load(self, input: Value) -> str:
        return self.paired() + self.listed()

    def decoder(self, input: Value, reading: Reading) -> str:
        opening = reading.opening
        shape = f"{show_dim(input.shape[1])}, {', '.join(map(str, self.extent(input)))}"
        mode = "RGB" if input.shape[1] == 3 else "L"
        fitted = opening is None or reading.tested or reading.sliced or "train_inputs.fit" in opening.before
        pieces = [
            drawing(reading.draws) if opening else "",
            PICTURES.format(shape=shape, fit=self.fit(input, opening) if fitted else ""),
            SLICED if reading.sliced else "",
            SHARED if reading.shared else "",
            EVALUATED if reading.tested else "",
            READ_CHANGED.format(fit="=fit" if fitted else "", seed="=0" if fitted else "") if opening else READ,
            DECODE.format(
                given=", change, seed" if opening else "", mode=mode, changed=CHANGED if opening else FITTED
            ),
            STACKED,
        ]
        return "".join(pieces)

    def fit(self, input: Value, opening: Opening | None) -> str:
        """The attributes of the class that bring a picture to the network's size."""
        height, width = self.extent(input)
        resize, cut = f"v2.Resize({self.covering(input)})", height if height == width else (height, width)
        apart = opening is not None and "train_inputs.resize" in opening.before
        first = f"    resize = {resize}\n" if apart else ""
        return f"{first}    fit = v2.Compose([{'resize' if apart else resize}, v2.CenterCrop({cut})])\n"

    def prepare(self) -> str:
        return scaling(self.normalize, 3)


CROPS = (RandomCrop, RandomResizedCrop, CenterCrop)
"""What gives pictures of its own size, whatever theirs."""


def drawing(extra: Sequence[str]) -> str:
    """The class that has a thread draw by itself, by these functions and those by which almost every change draws."""
    names = ["torch.rand", "torch.randint", "torch.randperm", "torch.Tensor.uniform_"]
    names += [name for name in extra if name != "torch.randn_like"]
    flat = f"    functions = ({', '.join(names)})"
    rows = "".join(f"        {name},\n" for name in names)
    functions = flat if len(flat) <= 88 else f"    functions = (\n{rows}    )"
    return DRAWS.format(functions=functions, alike=ALIKE if "torch.randn_like" in extra else "")


DRAWS = '''\
class Draws(torch.overrides.TorchFunctionMode):
    """Random numbers of a picture's own; PyTorch's are those of all threads."""

{functions}

    def __init__(self, seed):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        given = kwargs or {{}}
{alike}        if function in self.functions:
            given = {{**given, "generator": self.generator}}
        return function(*args, **given)


'''

ALIKE = """\
        if function is torch.randn_like:  # not every torch gives it a generator
            return torch.empty_like(*args, **given).normal_(generator=self.generator)
"""

PICTURES = '''\
class Pictures:
    """Pictures in files, decoded ahead by threads, to bytes (N, {shape})."""

    pool = ThreadPoolExecutor()
{fit}
    def __init__(self, paths, device="cpu"):
        self.paths = paths
        self.device = torch.device(device)

    def __len__(self):
        return len(self.paths)

    def to(self, device):
        return Pictures(self.paths, device)

'''

SLICED = """\
    def __getitem__(self, part):
        return next(self.read([torch.arange(len(self))[part]]))

"""

SHARED = '''\
    def share(self, rank, world):
        """What one of several processes has."""
        return Pictures(self.paths[rank::world], self.device)

'''

EVALUATED = """\
    def split(self, size):
        return self.read(torch.arange(len(self)).split(size))

"""

READ = '''\
    def read(self, batches):
        """The pictures of each batch; those of the next two are decoded meanwhile."""
        ahead = deque()
        for numbers in [batch.tolist() for batch in batches]:  # now, not in a step
            ahead.append([self.pool.submit(self.decode, number) for number in numbers])
            if len(ahead) > 2:
                yield self.stacked(ahead.popleft())
        yield from map(self.stacked, ahead)

'''

READ_CHANGED = '''\
    def read(self, batches, change{fit}, seed{seed}):
        """The pictures of each batch; those of the next two are decoded meanwhile.

        What a change draws for a picture follows from the seed and its number alone.
        """
        generator = torch.Generator().manual_seed(seed)
        seeds = torch.randint(2**32, (len(self),), generator=generator).tolist()
        ahead = deque()
        for numbers in [batch.tolist() for batch in batches]:  # now, not in a step
            ahead.append(
                [self.pool.submit(self.decode, n, change, seeds[n]) for n in numbers]
            )
            if len(ahead) > 2:
                yield self.stacked(ahead.popleft())
        yield from map(self.stacked, ahead)

'''

FITTED = "        return self.fit(picture)"

CHANGED = """\
        with Draws(seed):
            return change(picture)"""

DECODE = """\
    def decode(self, number{given}):
        try:
            with Image.open(self.paths[number]) as image:
                picture = v2.functional.pil_to_tensor(image.convert("{mode}"))
        except Exception as error:  # Pillow has many for a file that is broken
            reason = f"{{self.paths[number]}} cannot be decoded: {{error}}"
            raise SystemExit(reason) from error
{changed}

"""

STACKED = '''\
    def stacked(self, pictures):
        """A batch on the device; a copy to CUDA goes on while the loop does."""
        batch = torch.stack([picture.result() for picture in pictures])
        if self.device.type == "cuda":
            return batch.pin_memory().to(self.device, non_blocking=True)
        return batch.to(self.device)
'''

SPLIT = '''\
    generator = torch.Generator().manual_seed(args.seed)
    order = torch.randperm(len(samples), generator=generator).tolist()
    count = max(1, round({share} * len(order)))
    if len(order) == count:
        raise SystemExit(f"{{args.root}} has too few pictures to be split")
    yield from part([samples[number] for number in order[count:]])
    yield from part([samples[number] for number in order[:count]])
'''

PART = '''\
def part(samples):
    """Pictures and their classes."""
    paths, labels = zip(*samples, strict=True)
    return Pictures(paths), torch.tensor(labels)


'''
