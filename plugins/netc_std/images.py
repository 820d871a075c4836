"""Picture sets of torchvision that fit into memory, by their names."""

from __future__ import annotations

from typing import Any, ClassVar

from netc.layer import Bool, Float, Int, Text, Word
from netc.recipe import DataSource, Target, expect_image
from netc.shapes import Value
from netc_std.data import batch_size
from netc_std.scaling import Normalize, scaling

BY_FLAG = "for train in (True, False)", "train=train"
BY_NAME = 'for split in ("train", "test")', "split=split"
FROM_NUMPY = "torch.from_numpy(data.data)"


class TorchvisionImages(DataSource):
    """A picture set of torchvision, held in memory as uint8 and normalised a batch at a time."""

    size: ClassVar[tuple[int, int, int]]
    count: ClassVar[int]
    classes: ClassVar[int] = 10
    # As source: the loop over both parts and what tells a part, the pictures (N, C, H, W), the labels (N).
    parts: ClassVar[tuple[str, str]] = BY_FLAG
    layout: ClassVar[str]
    labels: ClassVar[str] = "torch.as_tensor(data.targets)"
    faults: ClassVar[str] = "OSError, RuntimeError"
    packages: ClassVar[tuple[str, ...]] = ("torchvision",)
    imports: ClassVar[tuple[str, ...]] = ("from torchvision import datasets",)
    pictures = True
    bytes = True
    stated = ("batch_size", "test_batch_size", "root")

    def target(self) -> Target:
        return Target(type(self).__name__, "class", classes=self.classes)

    def training_size(self) -> int:
        return self.count

    def check(self, input: Value) -> None:
        expect_image(input, self.size, type(self).__name__)

    def load(self, input: Value) -> str:
        loop, part = self.parts
        return LOAD_IMAGES.format(
            name=type(self).__name__, loop=loop, part=part, layout=self.layout, labels=self.labels, faults=self.faults
        )

    def prepare(self) -> str:
        return scaling(getattr(self, "normalize", None), self.size[0])


LOAD_IMAGES = '''\
def load_data(args):
    """Images as uint8 (N, C, H, W) and labels (N), for training and the test."""
    {loop}:
        try:
            data = datasets.{name}(args.root, {part}, download=True)
        except ({faults}) as error:
            raise SystemExit(f"no {name} in {{args.root}}: {{error}}") from error
        yield {layout}
        yield {labels}
'''


class MNIST(TorchvisionImages):
    """Handwritten digits, 60,000 for training and 10,000 for the test, 1x28x28, 10 classes."""

    size = (1, 28, 28)
    count = 60_000
    layout = "data.data.unsqueeze(1)"
    batch_size = batch_size()
    test_batch_size = Int(1000, min=1, doc="Examples a step in the test.")
    normalize = Normalize(1)
    root = Text("data", doc="Where the data set is, or is put.")
    shuffle = Bool(True)


class FashionMNIST(MNIST):
    """Pictures of clothes, 60,000 for training and 10,000 for the test, 1x28x28, 10 classes."""


class KMNIST(MNIST):
    """Cursive Japanese characters, 60,000 for training and 10,000 for the test, 1x28x28, 10 classes."""


class QMNIST(MNIST):
    """The digits of MNIST with the whole of its test part, 60,000 for training and 60,000 for the test, 1x28x28."""

    labels = "data.targets[:, 0]"


class EMNIST(TorchvisionImages):
    """Handwritten letters and digits, 1x28x28, lying on their sides as torchvision has them.

    `balanced` has 47 classes (112,800 for training and 18,800 for the test), `byclass` 62 and `bymerge` 47 (697,932 and
    116,323), `letters` 26, counted from 0 (124,800 and 20,800), `digits` 10 (240,000 and 40,000) and `mnist` 10
    (60,000 and 10,000).
    """

    size = (1, 28, 28)
    layout = MNIST.layout
    split = Word("byclass", "bymerge", "balanced", "letters", "digits", "mnist", doc="Which part of it.")
    batch_size = batch_size()
    test_batch_size = Int(1000, min=1, doc="Examples a step in the test.")
    normalize = Normalize(1)
    root = Text("data", doc="Where the data set is, or is put.")
    shuffle = Bool(True)

    @property
    def classes(self) -> int:  # type: ignore[override]
        return EMNIST_SIZES[self.split][0]

    @property
    def count(self) -> int:  # type: ignore[override]
        return EMNIST_SIZES[self.split][1]

    @property
    def parts(self) -> tuple[str, str]:  # type: ignore[override]
        return BY_FLAG[0], f'"{self.split}", {BY_FLAG[1]}'

    @property
    def labels(self) -> str:  # type: ignore[override]
        return "data.targets - 1" if self.split == "letters" else "data.targets"

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in super().given().items() if name != "split"}


EMNIST_SIZES = {
    "byclass": (62, 697_932), "bymerge": (47, 697_932), "balanced": (47, 112_800), "letters": (26, 124_800),
    "digits": (10, 240_000), "mnist": (10, 60_000),
}  # fmt: skip
"""The classes and the training examples of each split."""


class USPS(MNIST):
    """Digits from envelopes, 7,291 for training and 2,007 for the test, 1x16x16, 10 classes."""

    size = (1, 16, 16)
    count = 7_291
    layout = f"{FROM_NUMPY}.unsqueeze(1)"


class CIFAR10(TorchvisionImages):
    """Colour pictures, 50,000 for training and 10,000 for the test, 3x32x32, 10 classes."""

    size = (3, 32, 32)
    count = 50_000
    layout = f"{FROM_NUMPY}.permute(0, 3, 1, 2).contiguous()"
    batch_size = batch_size()
    test_batch_size = Int(1000, min=1, doc="Examples a step in the test.")
    normalize = Normalize(3)
    root = Text("data", doc="Where the data set is, or is put.")
    shuffle = Bool(True)


class CIFAR100(CIFAR10):
    """Colour pictures, 50,000 for training and 10,000 for the test, 3x32x32, 100 classes."""

    classes = 100


class SVHN(CIFAR10):
    """House numbers, 73,257 for training and 26,032 for the test, 3x32x32, 10 classes."""

    count = 73_257
    parts = BY_NAME
    layout = f"{FROM_NUMPY}.contiguous()"
    labels = "torch.from_numpy(data.labels)"
    faults = "ImportError, OSError, RuntimeError"
    packages = ("torchvision", "scipy")


class STL10(CIFAR10):
    """Colour pictures, 5,000 for training and 8,000 for the test, 3x96x96, 10 classes."""

    size = (3, 96, 96)
    count = 5_000
    parts = BY_NAME
    layout = f"{FROM_NUMPY}.contiguous()"
    labels = "torch.from_numpy(data.labels).long()"


class SEMEION(TorchvisionImages):
    """Handwritten digits in black and white, 1,593 of them, 1x16x16, 10 classes; the seed draws those of the test."""

    size = (1, 16, 16)
    batch_size = batch_size()
    test_batch_size = Int(1000, min=1, doc="Examples a step in the test.")
    normalize = Normalize(1)
    root = Text("data", doc="Where the data set is, or is put.")
    shuffle = Bool(True)
    test = Float(0.2, min=0, below=1, doc="Share that is kept for the test.")

    @property
    def held_out(self) -> bool:  # type: ignore[override]
        return self.test > 0

    def training_size(self) -> int:
        return 1593 - (max(1, round(self.test * 1593)) if self.held_out else 0)

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in super().given().items() if name != "test"}

    def load(self, input: Value) -> str:
        return LOAD_SEMEION + (DRAWN.format(share=self.test) if self.held_out else "    return images, labels\n")


LOAD_SEMEION = '''\
def load_data(args):
    """Images as uint8 (N, C, H, W) and labels (N) of each part."""
    try:
        data = datasets.SEMEION(args.root, download=True)
    except (OSError, RuntimeError) as error:
        raise SystemExit(f"no SEMEION in {args.root}: {error}") from error
    images = torch.from_numpy(data.data).unsqueeze(1)
    labels = torch.from_numpy(data.labels)
'''

DRAWN = """\
    generator = torch.Generator().manual_seed(args.seed)
    order = torch.randperm(len(labels), generator=generator)
    count = max(1, round({share} * len(order)))
    train, test = order[count:], order[:count]
    return images[train], labels[train], images[test], labels[test]
"""


class FER2013(TorchvisionImages):
    """Faces with one of seven expressions, 28,709 for training and 7,178 for the test, 1x48x48, 7 classes.

    They are put into `root` by hand. `fer2013.csv` and `icml_face_data.csv` have the expressions of the test, too.
    """

    size = (1, 48, 48)
    count = 28_709
    classes = 7
    imports = (*TorchvisionImages.imports, "from torchvision.transforms import v2")
    batch_size = batch_size()
    test_batch_size = Int(1000, min=1, doc="Examples a step in the test.")
    normalize = Normalize(1)
    root = Text("data", doc="Where the data set is.")
    shuffle = Bool(True)

    def load(self, input: Value) -> str:
        return LOAD_FACES


LOAD_FACES = '''\
def load_data(args):
    """Images as uint8 (N, C, H, W) and labels (N), for training and the test."""
    for split in ("train", "test"):
        try:
            data = datasets.FER2013(args.root, split, transform=v2.PILToTensor())
        except (OSError, RuntimeError) as error:
            raise SystemExit(f"no FER2013 in {args.root}: {error}") from error
        items = (data[number] for number in range(len(data)))
        images, labels = zip(*items, strict=True)
        if None in labels:
            raise SystemExit(f"test.csv in {args.root} has no classes, fer2013.csv has")
        yield torch.stack(images)
        yield torch.tensor(labels)
'''


class PCAM(TorchvisionImages):
    """Tissue of lymph nodes with a tumour or without, 262,144 for training and 32,768 for the test, 3x96x96, 2 classes.

    They take 8 GB of memory. `test=val` evaluates those that are there to choose the settings by, as many.
    """

    size = (3, 96, 96)
    count = 262_144
    classes = 2
    packages = ("torchvision", "h5py", "gdown")
    imports = (*TorchvisionImages.imports, "import h5py")
    batch_size = batch_size()
    test_batch_size = Int(1000, min=1, doc="Examples a step in the test.")
    normalize = Normalize(3)
    root = Text("data", doc="Where the data set is, or is put.")
    shuffle = Bool(True)
    test = Word("test", "val", default="test", doc="Which part is evaluated.")

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in super().given().items() if name != "test"}

    def load(self, input: Value) -> str:
        parts = [("split", '("train", "test")'), ("split, name", '(("train", "train"), ("val", "valid"))')]
        names, each = parts[self.test == "val"]
        return LOAD_PATCHES.format(names=names, each=each, name=names.split()[-1])


LOAD_PATCHES = '''\
def load_data(args):
    """Images as uint8 (N, C, H, W) and labels (N), for training and the test."""
    for {names} in {each}:
        path = Path(args.root, "pcam", f"camelyonpatch_level_2_split_{{{name}}}")
        try:
            datasets.PCAM(args.root, split, download=True)
            with h5py.File(f"{{path}}_x.h5") as file:
                images = torch.from_numpy(file["x"][:])
            with h5py.File(f"{{path}}_y.h5") as file:
                labels = torch.from_numpy(file["y"][:, 0, 0, 0])
        except (KeyError, OSError, RuntimeError) as error:
            raise SystemExit(f"no PCAM in {{args.root}}: {{error}}") from error
        yield images.permute(0, 3, 1, 2)
        yield labels.long()
'''
