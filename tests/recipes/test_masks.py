"""Picture sets of torchvision with a class for each pixel: pictures and masks as torchvision's transforms fit both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.recipes.results import assert_same, rows
from tests.recipes.test_imagefiles import write

from netc.diagnostics import Source, SpecError
from netc.pipeline import compile as compile_spec

torch = pytest.importorskip("torch")
numpy = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
v2 = pytest.importorskip("torchvision.transforms.v2")
datasets = pytest.importorskip("torchvision.datasets")
TEXT = """\
net Small(classes={classes}):
    input 3x{size}
    conv: Conv(4, 3, padding=1); relu
    head: Conv(classes, 1)

train:
    data: {data}
    loss: CrossEntropyLoss
    optimizer: AdamW(lr=1e-2)
    epochs: 2
    log_every: 1
"""
STREETS = "leftImg8bit/{part}/ulm/ulm_{number}_leftImg8bit.png", "gtFine/{part}/ulm/ulm_{number}_gtFine_labelIds.png"
PETS = "oxford-iiit-pet/images/{part}_{number}.jpg", "oxford-iiit-pet/annotations/trimaps/{part}_{number}.png"
LATE, EARLY = (
    (f"{folder}/JPEGImages/{{part}}_{{number}}.jpg", f"{folder}/SegmentationClass/{{part}}_{{number}}.png")
    for folder in ("VOCdevkit/VOC2012", "TrainVal/VOCdevkit/VOC2011")
)
VALUES = {"VOCSegmentation": [0, 1, 7, 20, 255], "OxfordIIITPet": [1, 2, 3], "Cityscapes": [0, 4, 7, 8, 24, 33]}
SETS: dict[str, tuple[tuple[str, str], dict[str, dict[str, str]]]] = {
    "VOCSegmentation(size=24)": (LATE, {part: {"image_set": part} for part in ("train", "val")}),
    "VOCSegmentation(year=2011, size=24)": (EARLY, {part: {"year": "2011", "image_set": part}
                                                    for part in ("train", "val")}),
    "OxfordIIITPet(size=24, target_types=segmentation)": (PETS, {
        part: {"split": part, "target_types": "segmentation"} for part in ("trainval", "test")}),
    "Cityscapes(size=24)": (STREETS, {part: {"split": part, "target_type": "semantic"} for part in ("train", "val")}),
}  # fmt: skip
"""What a recipe writes: where torchvision has the pictures and masks, and its arguments for both parts."""


def draw(root: Path, written: str, count: int = 5) -> None:
    """Pictures of many sizes, with masks of squares, and the files that list them."""
    chance = numpy.random.default_rng(0)
    layout, parts = SETS[written]
    values = numpy.array(VALUES[written.partition("(")[0]], dtype=numpy.uint8)
    for part in parts:
        for number in range(count):
            height, width = chance.integers(26, 50, 2)
            squares = values[chance.integers(0, len(values), (height // 5 + 1, width // 5 + 1))]
            mask = Image.fromarray(squares.repeat(5, 0).repeat(5, 1)[:height, :width])
            if written.startswith("VOC"):
                mask = mask.convert("P")  # as they are published: numbers of colours
                mask.putdata(list(squares.repeat(5, 0).repeat(5, 1)[:height, :width].flatten()))
            picture = Image.fromarray(chance.integers(0, 256, (height, width, 3), dtype=numpy.uint8))
            for image, place in zip((picture, mask), layout, strict=True):
                path = root / place.format(part=part, number=number)
                path.parent.mkdir(parents=True, exist_ok=True)
                image.save(path)
        names = [f"{part}_{number}" for number in range(count)]
        write(root / "oxford-iiit-pet/annotations" / f"{part}.txt", [f"{name} 1 1 1" for name in names])
        write((root / layout[0]).parents[1] / f"ImageSets/Segmentation/{part}.txt", names)


def script_of(written: str, size: str = "HxW") -> dict[str, Any]:
    classes = {"VOCSegmentation": 21, "OxfordIIITPet": 3, "Cityscapes": 19}[written.partition("(")[0]]
    scope: dict[str, Any] = {"__name__": "emitted"}
    text = TEXT.format(classes=classes, data=written, size=size)
    exec(compile(compile_spec(Source("masks.net", text)).script, "masks.py", "exec"), scope)
    return scope


def loaded(script: dict[str, Any], root: Path) -> list[Any]:
    return list(script["load_data"](SimpleNamespace(root=str(root), seed=0)))


def number_of(name: str, value: int) -> int:
    """The class that a value of a mask says."""
    if name == "OxfordIIITPet":
        return value - 1
    if name == "Cityscapes":
        value = next(kind.train_id for kind in datasets.Cityscapes.classes if kind.id == value)
    return -100 if value == 255 else value


@pytest.mark.parametrize("written", SETS)
@pytest.mark.parametrize("size", ["HxW", "24x18"])
def test_masks_are_fitted_as_their_pictures(tmp_path: Path, written: str, size: str) -> None:
    draw(tmp_path, written)
    name, shape = written.partition("(")[0], (24, 18 if size == "24x18" else 24)
    said = written.replace("size=24", "shuffle=true") if size == "24x18" else written
    found = loaded(script_of(said, size), tmp_path)
    for (pictures, targets), arguments in zip((found[:2], found[2:]), SETS[written][1].values(), strict=True):
        fit = v2.Compose([v2.ToImage(), v2.Resize(24), v2.CenterCrop(shape)])
        data = getattr(datasets, name)(str(tmp_path), **arguments, transforms=fit)
        own = datasets.wrap_dataset_for_transforms_v2(data)
        items = sorted([own[number] for number in range(len(own))], key=lambda item: item[0].sum().item())
        order = torch.cat(list(pictures.split(2))).sum((1, 2, 3)).argsort()
        assert len(pictures) == len(targets) == len(items) == 5
        assert torch.equal(torch.cat(list(pictures.split(2)))[order], torch.stack([item[0] for item in items]))
        wanted = [[[number_of(name, value) for value in row] for row in mask.squeeze().tolist()] for _, mask in items]
        assert targets[order].tolist() == wanted
        assert targets.dtype == torch.int64


def test_what_does_not_count_is_learnt_around(run: Callable[..., Path], tmp_path: Path) -> None:
    """Two epochs of a set whose borders do not count, and the same when it is resumed; what is told is drawn."""
    written = "VOCSegmentation(size=24, batch_size=2)"
    draw(tmp_path / "data", "VOCSegmentation(size=24)")
    spec = tmp_path / "masks.net"
    spec.write_text(TEXT.format(classes=21, data=written, size="HxW") + "    samples: 2\n")
    run(spec, tmp_path / "a", "--root", str(tmp_path / "data"))
    losses = [row["train_loss"] for row in rows(tmp_path / "a") if "epoch" in row]
    assert losses[1] < losses[0]
    assert (tmp_path / "a/predictions.png").exists()
    with pytest.raises(SystemExit):
        run(spec, tmp_path / "b", "--root", str(tmp_path / "data"), stop_after=4)
    run(spec, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")


def test_what_is_wrong_with_masks(tmp_path: Path) -> None:
    for written, value, message in (
        ("VOCSegmentation(size=24)", 30, "the masks of VOCSegmentation have 31 classes, not 21"),
        ("OxfordIIITPet(size=24, target_types=segmentation)", 4, "the masks of OxfordIIITPet have 4 classes, not 3"),
        ("Cityscapes(size=24)", 40, "ulm_0_gtFine_labelIds.png cannot be decoded: index 40 is out of bounds"),
        ("VOCSegmentation(size=24)", "", "VOCSegmentation in .* has no pictures"),
        ("Cityscapes(size=24)", None, "ulm_0_gtFine_labelIds.png cannot be decoded: cannot identify image file"),
    ):
        root = tmp_path / f"{written[:4]}{value}"
        draw(root, written)
        (_, layout), parts = SETS[written]
        path = root / layout.format(part=next(iter(parts)), number=0)
        if value is None:
            path.write_bytes(b"no picture")
        elif value == "":
            next(root.rglob("Segmentation/train.txt")).write_text("")
        else:
            Image.fromarray(numpy.full((30, 30), value, dtype=numpy.uint8)).save(path)
        with pytest.raises(SystemExit, match=message) as caught:
            loaded(script_of(written), root)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "more", "message"),
    [
        ("VOCSegmentation", "seed: 1", "the network leaves the size of a picture open"),
        ("VOCSegmentation(size=24)", "seed: 1", "the network tells 20 classes apart, VOCSegmentation has 21"),
        ("VOCSegmentation(size=24)", "augment: RandomHorizontalFlip", "moves pixels, and VOCSegmentation has a target"),
    ],
)
def test_what_masks_refuse(data: str, more: str, message: str) -> None:
    text = TEXT.format(classes=20 if "20" in message else 21, data=data, size="HxW") + f"    {more}\n"
    with pytest.raises(SpecError, match=message):
        _ = compile_spec(Source("masks.net", text)).recipe
