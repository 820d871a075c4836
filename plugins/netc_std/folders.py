"""Folders of pictures, a folder a class."""

from __future__ import annotations

from netc.layer import Bool, Float, Int, Text
from netc.recipe import Target
from netc_std.data import batch_size
from netc_std.pictures import PictureFiles, divided, resized, side
from netc_std.scaling import Normalize


class ImageFolder(PictureFiles):
    """Pictures in folders, a folder a class, as torchvision finds them; decoded shortly before they are used.

    Each is resized so that it covers the network's input (its shorter side to `resize`), and the middle is cut out; a
    crop that comes first in `augment` is of the whole picture. `test_root` has the folders of the test; without it the
    seed draws a share of the pictures.
    """

    stated = ("root", "batch_size", "test_batch_size")
    inside = ("classes", "test", *PictureFiles.inside)
    root = Text(doc="The folder with a folder for each class.")
    classes = Int(min=2, doc="How many classes there are.")
    test_root = Text(None, doc="The same for the test.")
    test = Float(0.2, min=0, below=1, doc="Share that is kept for the test, without `test_root`.")
    size = side()
    normalize = Normalize(3)
    batch_size = batch_size()
    test_batch_size = Int(256, min=1, doc="Examples a step in the test.")
    shuffle = Bool(True)
    resize = resized()

    @property
    def held_out(self) -> bool:  # type: ignore[override]
        return self.test_root is not None or self.test > 0

    def target(self) -> Target:
        return Target("the folder", "class", classes=self.classes)

    def listed(self) -> str:
        if self.test_root is not None:
            return LOAD_FOLDERS.format(classes=self.classes)
        return LOAD_FOLDER.format(classes=self.classes) + divided(self.test)


FIND = '''\
def find(root):
    """The pictures below a folder with their classes, and the names of these."""
    try:
        found = datasets.ImageFolder(root)
    except FileNotFoundError as error:
        raise SystemExit(f"{{root}}: {{' '.join(str(error).split())}}") from None
    return found.samples, found.classes


'''

COUNTED = '''\
    if len(names) != {classes}:
        raise SystemExit(f"{{args.root}} has {{len(names)}} classes instead of {classes}")
'''

LOAD_FOLDER = FIND + '''\
def load_data(args):
    """Pictures and labels, drawn for training and the test."""
    samples, names = find(args.root)
''' + COUNTED  # fmt: skip

LOAD_FOLDERS = FIND + '''\
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
