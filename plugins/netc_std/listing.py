"""How a script lists the pictures of a set of torchvision that are files: their paths, and their classes."""

from __future__ import annotations

import re
from typing import ClassVar

from netc.layer import Bool, Float, Int, Text, Word
from netc.recipe import Target
from netc_std.data import batch_size
from netc_std.pictures import PictureFiles, divided, resized, side
from netc_std.scaling import Normalize

LOADED = "samples = [data[number] for number in range(len(data))]"
"""Items of a set that loads a picture by `loader=str`: its path."""
SORTED = "samples = sorted(data[number] for number in range(len(data)))"
"""The same of a set that lists its files as the file system does."""
NUMBERED = """\
paths = sorted(data[number][0] for number in range(len(data)))
folders = sorted({Path(path).parent for path in paths})
numbers = {folder: number for number, folder in enumerate(folders)}
samples = [(path, numbers[Path(path).parent]) for path in paths]"""
"""The same of a set that numbers its classes, too, as the file system lists their folders."""
BY_PATH = (LOADED, SORTED, NUMBERED)
OPENED = """\
items = (data[number] for number in range(len(data)))
samples = [(picture.filename, label) for picture, label in items]"""
"""Items of a set that opens a picture, but does not read it."""
KNOWN = "samples = data.samples"
"""What an `ImageFolder` has found."""
WIDTH = 88
"""Of a line of the script."""


class TorchvisionFiles(PictureFiles):
    """A picture set of torchvision in files, which are decoded when they are used.

    - `classes`; `count`: the pictures to train with, where they are known.
    - `listing`: the statements that make `samples`, paths with class numbers, of the set `data`.
    - `downloads`: whether torchvision does that; `what` the script says that the other half of a sample is.
    """

    classes: ClassVar[int]
    count: ClassVar[int | None] = None
    listing: ClassVar[str] = LOADED
    downloads: ClassVar[bool] = True
    what: ClassVar[str] = "their classes"
    stated: ClassVar[tuple[str, ...]] = ("root", "batch_size", "test_batch_size")
    inside: ClassVar[tuple[str, ...]] = (*PictureFiles.inside, "test")
    size = side()
    normalize = Normalize(3)
    batch_size = batch_size()
    test_batch_size = Int(256, min=1, doc="Examples a step in the test.")
    root = Text("data", doc="Where the data set is, or is put.")
    shuffle = Bool(True)
    resize = resized()

    def splits(self) -> tuple[str, ...]:
        """The parts for training and the test as torchvision names them; none where the seed draws them."""
        return "train", "test"

    def options(self) -> dict[str, str]:
        """Further arguments of torchvision's class, as source."""
        return {}

    def target(self) -> Target:
        return Target(type(self).__name__, "class", classes=self.classes)

    def training_size(self) -> int | None:
        return self.count

    def made(self) -> str:
        """The call of torchvision's class."""
        loader = {"loader": "str"} if self.listing in BY_PATH else {}
        named = {**self.options(), **loader, **({"download": "True"} if self.downloads else {})}
        given = ["args.root", *["split"] * bool(self.splits()), *(f"{name}={text}" for name, text in named.items())]
        head = "data = " if re.search(r"\bdata\b", self.listing) else ""
        return wrapped(f"{head}datasets.{type(self).__name__}", ", ".join(given))

    def listed(self) -> str:
        name, parts = type(self).__name__, bool(self.splits())
        listing = "".join(f"        {line}\n" for line in self.listing.splitlines())
        find = FIND.format(
            given="args, split" if parts else "args", which=f"a part of {name}" if parts else name, what=self.what,
            made=self.made(), listing=listing, faults=", ".join(self.faults()), name=name, counted=self.counted(),
        )  # fmt: skip
        return find + self.loading()

    def counted(self) -> str:
        """What refuses a set that has other classes."""
        wrong = f'f"{type(self).__name__} in {{args.root}} has {{count}} classes, not {self.classes}"'
        return COUNTED.format(classes=self.classes, wrong=wrapped("raise SystemExit", wrong))

    def loading(self) -> str:
        """`load_data`, from `find`."""
        return LOAD_PARTS.format(parts=", ".join(f'"{split}"' for split in self.splits()))

    def faults(self) -> list[str]:
        """What is raised where files are missing or damaged, or torchvision is older than 0.22, without `loader`."""
        scipy, loader = "scipy" in self.packages, "loader" in self.made()
        return [*["ImportError"] * scipy, "OSError", "RuntimeError", *["TypeError"] * loader, "ValueError"]


class Validated(TorchvisionFiles):
    """A set of three parts: training goes with the test, or with what is there to choose the settings by."""

    test = Word("test", "val", default="test", doc="Which part is evaluated.")

    def splits(self) -> tuple[str, ...]:
        return "train", self.test


class Drawn(TorchvisionFiles):
    """A set of one part: the seed draws a share of it for the test."""

    test = Float(0.2, min=0, below=1, doc="Share that is kept for the test.")

    @property
    def held_out(self) -> bool:  # type: ignore[override]
        return self.test > 0

    def splits(self) -> tuple[str, ...]:
        return ()

    def loading(self) -> str:
        drawn = ", drawn for training and the test" if self.test > 0 else ""
        return LOAD_DRAWN.format(drawn=drawn) + divided(self.test)


def wrapped(head: str, given: str) -> str:
    """A call within two blocks: on one line if it fits, with its arguments on one of their own otherwise."""
    line = f"        {head}({given})"
    return line if len(line) <= WIDTH else f"        {head}(\n            {given}\n        )"


FIND = '''\
def find({given}):
    """The paths of the pictures of {which}, and {what}."""
    try:
{made}
{listing}    except ({faults}) as error:
        raise SystemExit(f"no {name} in {{args.root}}: {{error}}") from error
{counted}    return samples


'''

COUNTED = """\
    count = 1 + max((label for _, label in samples), default=-1)
    if count != {classes}:
{wrong}
"""

LOAD_PARTS = '''\
def load_data(args):
    """Pictures and labels for training and the test."""
    for split in ({parts}):
        yield from part(find(args, split))
'''

LOAD_DRAWN = '''\
def load_data(args):
    """Pictures and labels{drawn}."""
    samples = find(args)
'''
