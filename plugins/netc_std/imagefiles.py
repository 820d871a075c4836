"""Picture sets of torchvision whose pictures are files, by their names."""

from __future__ import annotations

from netc.layer import Bool, Int, Word
from netc_std.listing import KNOWN, NUMBERED, OPENED, SORTED, Drawn, TorchvisionFiles, Validated
from netc_std.pictures import PictureFiles


class Caltech101(Drawn):
    """Pictures of 101 kinds of objects, 8,677 of them."""

    classes = 101
    listing = OPENED
    packages = (*PictureFiles.packages, "scipy")


class Caltech256(Drawn):
    """Pictures of 256 kinds of objects and of clutter, 30,607 of them, 257 classes."""

    classes = 257
    listing = OPENED


class CLEVRClassification(TorchvisionFiles):
    """Pictures of 3 to 10 solids to be counted, 70,000 for training and 15,000 for the test; 11 classes, from 0.

    The test is on the part for validation: the other is published without the numbers.
    """

    classes = 11
    count = 70_000

    def splits(self) -> tuple[str, ...]:
        return "train", "val"


class Country211(Validated):
    """Pictures by the country where they were taken, 31,650 for training and 21,100 for the test, 211 classes."""

    classes = 211
    listing = KNOWN
    count = 31_650
    test = Word("test", "valid", default="test", doc="Which part is evaluated.")


class DTD(Validated):
    """Textures, 1,880 for training and 1,880 for the test, 47 classes."""

    classes = 47
    count = 1_880
    partition = Int(1, min=1, max=10, doc="Which of ten partitions.")
    stated = (*Validated.stated, "partition")

    def options(self) -> dict[str, str]:
        return {"partition": "args.partition"}


class EuroSAT(Drawn):
    """Pictures of the ground by satellites, 27,000 of 64 x 64, 10 classes."""

    classes = 10
    listing = KNOWN


class FGVCAircraft(Validated):
    """Aircraft, 6,667 for training and 3,333 for the test, 100 variants.

    They are of 70 families or 30 manufacturers. With `test=val` there are 3,334 for training and 3,333 for the test.
    """

    annotation_level = Word("variant", "family", "manufacturer", default="variant", doc="What the classes are.")
    inside = (*Validated.inside, "annotation_level")

    @property
    def classes(self) -> int:  # type: ignore[override]
        return {"variant": 100, "family": 70, "manufacturer": 30}[self.annotation_level]

    def splits(self) -> tuple[str, ...]:
        return "trainval" if self.test == "test" else "train", self.test

    def options(self) -> dict[str, str]:
        return {"annotation_level": f'"{self.annotation_level}"'}


class Flowers102(Validated):
    """Flowers, 1,020 for training and 6,149 for the test (1,020 with `test=val`), 102 classes."""

    classes = 102
    count = 1_020
    packages = (*PictureFiles.packages, "scipy")


class Food101(TorchvisionFiles):
    """Dishes, 75,750 for training and 25,250 for the test, 101 classes."""

    classes = 101
    count = 75_750


class GTSRB(TorchvisionFiles):
    """Traffic signs, 26,640 for training and 12,630 for the test, 43 classes."""

    classes = 43
    count = 26_640
    imports = (*PictureFiles.imports, "import csv")
    listing = """\
folder = Path(args.root, "gtsrb")
if split == "train":
    samples = datasets.ImageFolder(folder / "GTSRB" / "Training").samples
else:
    pictures = folder / "GTSRB" / "Final_Test" / "Images"
    with (folder / "GT-final_test.csv").open() as file:
        rows = csv.DictReader(file, delimiter=";")
        samples = [(pictures / r["Filename"], int(r["ClassId"])) for r in rows]"""


class Imagenette(TorchvisionFiles):
    """Ten classes of ImageNet that are told apart easily, 9,469 for training and 3,925 for the test."""

    classes = 10
    count = 9_469
    shorter = Word("full", "320px", "160px", default="full", doc="Their shorter side, torchvision's `size`.")
    inside = (*TorchvisionFiles.inside, "shorter")

    def splits(self) -> tuple[str, ...]:
        return "train", "val"

    def options(self) -> dict[str, str]:
        return {"size": f'"{self.shorter}"'} if self.shorter != "full" else {}


class ImageNet(TorchvisionFiles):
    """The pictures of the competition of 2012, 1,281,167 for training and 50,000 for the test, 1,000 classes.

    Their archives are put into `root` by hand, and unpacked when the script first runs.
    """

    classes = 1000
    listing = KNOWN
    count = 1_281_167
    downloads = False
    packages = (*PictureFiles.packages, "scipy")

    def splits(self) -> tuple[str, ...]:
        return "train", "val"


class INaturalist(TorchvisionFiles):
    """Plants and animals of 2021, 2,686,843 for training and 100,000 for the test, 10,000 classes.

    `2021_train_mini` has 500,000 for training.
    """

    classes = 10_000
    listing = SORTED
    version = Word("2021_train", "2021_train_mini", default="2021_train", doc="Which part is for training.")
    inside = (*TorchvisionFiles.inside, "version")

    def splits(self) -> tuple[str, ...]:
        return self.version, "2021_valid"


class LFWPeople(Drawn):
    """Faces of 5,749 people, 13,233 of them, most people with one; put into `root` by hand."""

    classes = 5_749
    downloads = False
    image_set = Word("original", "funneled", "deepfunneled", default="funneled", doc="How the faces are aligned.")
    inside = (*Drawn.inside, "image_set")

    def options(self) -> dict[str, str]:
        return {"image_set": f'"{self.image_set}"'}


class Omniglot(Drawn):
    """Characters of 30 alphabets, 964 of them by 20 hands each; torchvision's `background`, 19,280 pictures.

    The classes are numbered in the order of their folders' names; torchvision takes them as the file system lists them.
    """

    classes = 964
    listing = NUMBERED


class Places365(TorchvisionFiles):
    """Places, 1,803,460 for training and 36,500 for the test, 365 classes; `small` are those of 256 x 256."""

    classes = 365
    listing = "samples = data.imgs"
    count = 1_803_460
    small = Bool(False, doc="Pictures of 256 x 256, a tenth of the bytes.")
    inside = (*TorchvisionFiles.inside, "small")

    def splits(self) -> tuple[str, ...]:
        return "train-standard", "val"

    def options(self) -> dict[str, str]:
        return {"small": "True"} if self.small else {}


class RenderedSST2(Validated):
    """Sentences as pictures, of praise or of blame, 6,920 for training and 1,821 for the test (872 with `test=val`)."""

    classes = 2
    count = 6_920


class StanfordCars(TorchvisionFiles):
    """Cars, 8,144 for training and 8,041 for the test, 196 classes; put into `root` by hand."""

    classes = 196
    count = 8_144
    downloads = False
    packages = (*PictureFiles.packages, "scipy")


class SUN397(Drawn):
    """Scenes, 108,754 of them, 397 classes."""

    classes = 397
    listing = SORTED
