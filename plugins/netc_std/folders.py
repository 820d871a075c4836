"""Folders of pictures, a folder a class, decoded when the loop asks for them."""

from __future__ import annotations

from typing import Any

from netc.layer import Bool, Float, Int, Reject, Text
from netc.recipe import DataSource, Target, show_example
from netc.shapes import Value, show_dim
from netc_std.data import batch_size
from netc_std.scaling import Normalize, scaling


class ImageFolder(DataSource):
    """Pictures in folders, a folder a class, as torchvision finds them; decoded when they are used.

    Each is resized so that it covers the network's input, and cut to it. `test_root` has the folders of the test;
    without it the seed draws a share of the pictures.
    """

    packages = ("torchvision", "pillow")
    imports = (
        "from concurrent.futures import ThreadPoolExecutor",
        "from PIL import Image",
        "from torchvision import datasets",
        "from torchvision.transforms import v2",
    )
    pictures = True
    bytes = True
    decoded = True
    stated = ("root", "batch_size", "test_batch_size")
    root = Text(doc="The folder with a folder for each class.")
    classes = Int(min=2, doc="How many classes there are.")
    test_root = Text(None, doc="The same for the test.")
    test = Float(0.2, min=0, below=1, doc="Share that is kept for the test, without `test_root`.")
    size = Int(None, min=1, doc="Height and width, where the network leaves them open.")
    normalize = Normalize(3)
    batch_size = batch_size()
    test_batch_size = Int(256, min=1, doc="Examples a step in the test.")
    shuffle = Bool(True)

    def given(self) -> dict[str, Any]:
        inside = ("classes", "test", "size", "normalize")
        return {name: value for name, value in super().given().items() if name not in inside}

    @property
    def held_out(self) -> bool:  # type: ignore[override]
        return self.test_root is not None or self.test > 0

    def target(self) -> Target:
        return Target("the folder", "class", classes=self.classes)

    def check(self, input: Value) -> None:
        if input.kind != "float" or input.rank != 4 or input.shape[1] not in (1, 3):
            reason = f"ImageFolder has pictures of 1 or 3 channels, the network takes {show_example(input)}"
            raise Reject(reason, help="`input 3xHxW` takes them")
        known = [size for size in input.shape[2:] if isinstance(size, int)]
        if len(known) < 2 and self.size is None:
            raise Reject("the network leaves the size of a picture open", help="`ImageFolder(…, size=64)`")
        if self.size is not None and any(size != self.size for size in known):
            raise Reject(f"the network takes {show_example(input)}", field="size")

    def load(self, input: Value) -> str:
        height, width = (int(size) if isinstance(size, int) else self.size for size in input.shape[2:])
        assert height is not None and width is not None
        crop = str(height) if height == width else f"({height}, {width})"
        shape = f"N, {show_dim(input.shape[1])}, {height}, {width}"
        source = PICTURES.format(
            shape=shape, side=max(height, width), crop=crop, mode="RGB" if input.shape[1] == 3 else "L"
        )
        if self.test_root is not None:
            return source + LOAD_FOLDERS.format(classes=self.classes)
        split = SPLIT.format(share=self.test) if self.test > 0 else "    yield from part(samples)\n"
        return source + LOAD_FOLDER.format(classes=self.classes) + split

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


def find(root):
    """The pictures below a folder with their classes, and the names of these."""
    try:
        found = datasets.ImageFolder(root)
    except FileNotFoundError as error:
        raise SystemExit(f"{{root}}: {{' '.join(str(error).split())}}") from None
    return found.samples, found.classes


def part(samples):
    """Pictures, decoded when they are indexed, and their classes."""
    paths, labels = zip(*samples, strict=True)
    return Pictures(paths), torch.tensor(labels)


'''

COUNTED = '''\
    if len(names) != {classes}:
        raise SystemExit(f"{{args.root}} has {{len(names)}} classes instead of {classes}")
'''

LOAD_FOLDER = '''\
def load_data(args):
    """Pictures and labels, drawn for training and the test."""
    samples, names = find(args.root)
''' + COUNTED  # fmt: skip

SPLIT = '''\
    generator = torch.Generator().manual_seed(args.seed)
    order = torch.randperm(len(samples), generator=generator).tolist()
    count = max(1, round({share} * len(order)))
    if len(order) == count:
        raise SystemExit(f"{{args.root}} has too few pictures to be split")
    yield from part([samples[number] for number in order[count:]])
    yield from part([samples[number] for number in order[:count]])
'''

LOAD_FOLDERS = '''\
def load_data(args):
    """Pictures and labels for training and the test."""
    samples, names = find(args.root)
''' + COUNTED + '''\
    test_samples, test_names = find(args.test_root)
    if test_names != names:
        raise SystemExit(f"{{args.test_root}} has other classes than {{args.root}}")
    yield from part(samples)
    yield from part(test_samples)
'''  # fmt: skip
