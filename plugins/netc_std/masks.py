"""Picture sets of torchvision in files that have a class for each pixel, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netc.layer import Int, Word
from netc.recipe import Target
from netc.shapes import Value
from netc_std.listing import TorchvisionFiles
from netc_std.pictures import PictureFiles


class Masked(TorchvisionFiles):
    """A set whose pictures have masks, which are held in memory, 8 bytes a pixel.

    A mask is resized to the nearest of its pixels and cut as its picture is. `numbered` are the statements that make
    class numbers of a `mask`, "" where a picture has one class; they are -100 where a pixel does not count, which
    `partial` says.
    """

    numbered: ClassVar[str]
    partial: ClassVar[bool] = True
    # What is raised for a mask that cannot be read.
    mask_faults: ClassVar[str] = "OSError, ValueError"

    @property
    def imports(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*PictureFiles.imports, *["from torchvision import tv_tensors"] * bool(self.numbered))

    @property
    def what(self) -> str:  # type: ignore[override]
        return "those of their masks" if self.numbered else TorchvisionFiles.what

    def fitted(self, inputs: Sequence[tuple[str, Value]]) -> Target:
        if not self.numbered:
            return self.target()
        shape = tuple(size if isinstance(size, int) else self.size for size in inputs[0][1].shape[2:])
        return Target(type(self).__name__, "class", shape, classes=self.classes, partial=self.partial)

    def counted(self) -> str:
        return EMPTY.format(name=type(self).__name__) if self.numbered else super().counted()

    def paired(self) -> str:
        if not self.numbered:
            return super().paired()
        lines = "".join(f"        {line}\n" for line in self.numbered.splitlines())
        places = "; -100 does not count" if self.partial else ""
        return MASKS.format(
            numbered=lines, places=places, classes=self.classes, name=type(self).__name__, faults=self.mask_faults
        )


EMPTY = """\
    if not samples:
        raise SystemExit(f"{name} in {{args.root}} has no pictures")
"""

MASKS = '''\
def mask_of(path):
    """The classes of a picture's pixels, fitted as it is."""
    try:
        with Image.open(path) as image:
            mask = tv_tensors.Mask(v2.functional.pil_to_tensor(image))
        mask = Pictures.fit(mask)[0].long()
{numbered}    except ({faults}) as error:
        raise SystemExit(f"{{path}} cannot be decoded: {{error}}") from None
    return mask


def part(samples):
    """Pictures, and the classes of their pixels (N, H, W){places}."""
    paths, masks = zip(*samples, strict=True)
    targets = torch.stack(list(Pictures.pool.map(mask_of, masks)))
    count = 1 + targets.max().item()
    if count > {classes}:
        raise SystemExit(f"the masks of {name} have {{count}} classes, not {classes}")
    return Pictures(paths), targets


'''


class Cityscapes(Masked):
    """Streets of German cities, 2,975 for training and 500 for the test, 19 classes; put into `root` by hand."""

    classes = 19
    count = 2_975
    downloads = False
    listing = """\
pairs = zip(data.images, data.targets, strict=True)
samples = sorted((picture, mask) for picture, (mask,) in pairs)"""
    mask_faults = "IndexError, OSError, ValueError"
    numbered = """\
kinds = [kind.train_id for kind in datasets.Cityscapes.classes if kind.id >= 0]
mask = torch.tensor(kinds)[mask]
mask[mask == 255] = -100"""

    def splits(self) -> tuple[str, ...]:
        return "train", "val"

    def options(self) -> dict[str, str]:
        return {"target_type": '"semantic"'}


class OxfordIIITPet(Masked):
    """Cats and dogs, 3,680 for training and 3,669 for the test, 37 breeds, or 2 kinds of animal.

    With `target_types=segmentation` each pixel is of the animal, of what is around it, or of the border.
    """

    count = 3_680
    partial = False
    target_types = Word("category", "binary-category", "segmentation", default="category", doc="What is told.")
    inside = (*Masked.inside, "target_types")

    @property
    def classes(self) -> int:  # type: ignore[override]
        return {"category": 37, "binary-category": 2, "segmentation": 3}[self.target_types]

    @property
    def numbered(self) -> str:  # type: ignore[override]
        return "mask -= 1" if self.target_types == "segmentation" else ""

    @property
    def listing(self) -> str:  # type: ignore[override]
        labels = {
            "category": "int(r[1]) - 1", "binary-category": "int(r[2]) - 1",
            "segmentation": 'marks / "trimaps" / f"{r[0]}.png"',
        }  # fmt: skip
        return LIST_PETS.format(label=labels[self.target_types])

    def splits(self) -> tuple[str, ...]:
        return "trainval", "test"


LIST_PETS = """\
folder = Path(args.root, "oxford-iiit-pet")
marks = folder / "annotations"
lines = (marks / f"{{split}}.txt").read_text().splitlines()
rows = [line.split() for line in lines]
pictures = [folder / "images" / f"{{r[0]}}.jpg" for r in rows]
targets = [{label} for r in rows]
samples = list(zip(pictures, targets, strict=True))"""


class VOCSegmentation(Masked):
    """Pictures of things of 20 classes and what is around them, 1,464 for training and 1,449 for the test; 21 classes.

    Earlier years have fewer. The border of a thing does not count.
    """

    classes = 21
    year = Int(2012, min=2007, max=2012, doc="Of the competition.")
    inside = (*Masked.inside, "year")
    listing = "samples = list(zip(data.images, data.masks, strict=True))"
    numbered = "mask[mask == 255] = -100"

    def splits(self) -> tuple[str, ...]:
        return "train", "val"

    def made(self) -> str:
        """torchvision would unpack the archive anew each time."""
        above = "TrainVal/VOCdevkit" if self.year == 2011 else "VOCdevkit"
        return CALL_VOC.format(folder=f"{above}/VOC{self.year}", year=self.year)


CALL_VOC = """\
        there = Path(args.root, "{folder}").is_dir()
        data = datasets.VOCSegmentation(args.root, "{year}", split, download=not there)"""
