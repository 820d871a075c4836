"""Pictures in files, decoded when the loop asks for them: what every data source of such pictures shares."""

from __future__ import annotations

from typing import Any, ClassVar

from netc.layer import Int, Reject
from netc.recipe import DataSource, show_example
from netc.shapes import Value, show_dim
from netc_std.scaling import scaling


def side() -> Int:
    return Int(None, min=1, doc="Height and width, where the network leaves them open.")


def divided(share: float) -> str:
    """The end of a `load_data` of one part, `samples`: the seed draws a share of it for the test."""
    return SPLIT.format(share=share) if share > 0 else "    yield from part(samples)\n"


class PictureFiles(DataSource):
    """Pictures in files, decoded when they are used: resized so that they cover the network's input, and cut to it.

    A source has the fields `size` (by `side`) and `normalize`, which the script needs no flags for, and says in
    `listed` which files there are.
    """

    packages: ClassVar[tuple[str, ...]] = ("torchvision", "pillow")
    imports: ClassVar[tuple[str, ...]] = (
        "from concurrent.futures import ThreadPoolExecutor",
        "from PIL import Image",
        "from torchvision import datasets",
        "from torchvision.transforms import v2",
    )
    pictures = True
    bytes = True
    decoded = True
    # Fields that the script has no flag for.
    inside: ClassVar[tuple[str, ...]] = ("size", "normalize")
    size: int | None

    def listed(self) -> str:
        """`load_data(args)`, which yields `part(samples)` of each part: paths and class numbers in pairs."""
        raise NotImplementedError("it has no `listed`")

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

    def load(self, input: Value) -> str:
        height, width = (int(size) if isinstance(size, int) else self.size for size in input.shape[2:])
        assert height is not None and width is not None
        crop = str(height) if height == width else f"({height}, {width})"
        shape = f"N, {show_dim(input.shape[1])}, {height}, {width}"
        mode = "RGB" if input.shape[1] == 3 else "L"
        return PICTURES.format(shape=shape, side=max(height, width), crop=crop, mode=mode) + self.listed()

    def prepare(self) -> str:
        return scaling(getattr(self, "normalize", None), 3)


PICTURES = '''\
class Pictures:
    """Pictures in files, decoded to bytes ({shape}) when they are indexed."""

    pool = ThreadPoolExecutor()
    fit = v2.Compose([v2.Resize({side}), v2.CenterCrop({crop})])

    def __init__(self, paths, device="cpu"):
        self.paths = paths
        self.device = device

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return Pictures(self.paths[index], self.device)
        paths = [self.paths[number] for number in index.tolist()]
        return torch.stack(list(self.pool.map(self.decode, paths))).to(self.device)

    def decode(self, path):
        try:
            with Image.open(path) as image:
                return self.fit(v2.functional.pil_to_tensor(image.convert("{mode}")))
        except (OSError, ValueError) as error:
            raise SystemExit(f"{{path}} cannot be decoded: {{error}}") from None

    def split(self, size):
        return (self[numbers] for numbers in torch.arange(len(self)).split(size))

    def to(self, device):
        return Pictures(self.paths, device)


def part(samples):
    """Pictures, decoded when they are indexed, and their classes."""
    paths, labels = zip(*samples, strict=True)
    return Pictures(paths), torch.tensor(labels)


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
