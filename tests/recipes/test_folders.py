"""Folders of pictures: what is decoded, against torchvision's own loader; scripts that learn and resume."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from tests.recipes.results import assert_same, rows

import netc
from netc.diagnostics import Source, SpecError
from netc.pipeline import compile as compile_spec

torch = pytest.importorskip("torch")
v2 = pytest.importorskip("torchvision.transforms.v2")
datasets = pytest.importorskip("torchvision.datasets")
SPEC = Path(__file__).parents[2] / "specs/cats_and_dogs.net"
TEXT = """\
net Stripes(classes=2):
    input {input}
    conv: Conv(4, 3); relu
    adaptive_avg_pool(1); flatten
    fc: Linear(classes)

train:
    data: ImageFolder("{root}", classes=2{more})
    loss: CrossEntropyLoss
    optimizer: AdamW(lr=1e-2)
    epochs: 3
"""
FEATURES = ("distributed: ddp", "samples: 3", "print_shapes: true", "evaluate_first: true", "log_every: 2",
            "augment: RandomHorizontalFlip -> ColorJitter(0.1) -> MixUp")  # fmt: skip
SHARED = ("distributed: ddp", "samples: 3")


def text_of(root: Path, input: str = "3xHxW", more: str = ", size=24", *features: str) -> str:
    return TEXT.format(input=input, root=root.as_posix(), more=more) + "".join(f"    {line}\n" for line in features)


def draw(root: Path, count: int) -> Path:
    """Pictures with stripes down or across, of many sizes."""
    generator = torch.Generator().manual_seed(0)
    for name in ("across", "down"):
        (root / name).mkdir(parents=True)
        for number in range(count):
            height, width = torch.randint(20, 50, (2,), generator=generator).tolist()
            picture = torch.randint(0, 100, (3, height, width), generator=generator, dtype=torch.uint8)
            (picture if name == "down" else picture.mT)[..., ::4] = 220
            v2.functional.to_pil_image(picture).save(root / name / f"{number:03}.png")
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("pictures"), 30)


def loaded(text: str, root: Path, **more: Any) -> list[Any]:
    scope: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(compile_spec(Source("folder.net", text)).script, "folder.py", "exec"), scope)
    return list(scope["load_data"](SimpleNamespace(root=str(root), seed=0, **more)))


@pytest.mark.parametrize(
    ("input", "size", "shape"),
    [
        ("3xHxW", ", size=24", (24, 24)), ("1x24x30", "", (24, 30)), ("3x33xW", ", size=33", (33, 33)),
        ("3x24x24", ", resize=40", (24, 24)),
    ],
)  # fmt: skip
def test_pictures_are_those_of_torchvision(root: Path, input: str, size: str, shape: tuple[int, int]) -> None:
    """Bit by bit, in every order, by slices and in parts; both parts together are the folder."""
    train, labels, test, test_labels = loaded(text_of(root, input, size, *SHARED), root)
    assert (len(train), len(test)) == (48, 12)
    shorter = 40 if "resize" in size else max(shape)
    ready = [v2.Grayscale()] * (input[0] == "1") + [v2.PILToTensor(), v2.Resize(shorter), v2.CenterCrop(shape)]
    data = datasets.ImageFolder(root, transform=v2.Compose(ready))
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0)).tolist()
    theirs = [data[number] for number in order]
    assert labels.tolist() + test_labels.tolist() == [label for _, label in theirs[12:] + theirs[:12]]
    batches = torch.tensor([5, 0, 47, 46, 1, 1, 2, 3, 4]).split(2)
    read = list(train.read(batches))
    assert [len(batch) for batch in read] == [2, 2, 2, 2, 1]
    assert read[0].dtype == torch.uint8
    assert torch.equal(torch.cat(read), torch.stack([theirs[12 + number][0] for number in torch.cat(batches)]))
    shared = list(test.share(1, 2).split(4))
    assert [len(batch) for batch in shared] == [4, 2]
    assert torch.equal(torch.cat(shared), torch.stack([picture for picture, _ in theirs[1:12:2]]))
    assert torch.equal(test[:3], torch.stack([picture for picture, _ in theirs[:3]]))


def test_a_folder_for_the_test(root: Path) -> None:
    text = text_of(root, more=f', size=24, test_root="{root.as_posix()}"')
    train, labels, test, test_labels = loaded(text, root, test_root=str(root))
    assert len(train) == len(test) == 60
    assert torch.equal(labels, test_labels)


def test_scripts_are_clean(tmp_path: Path, root: Path) -> None:
    texts = [text_of(root, "3xHxW", ", size=24", feature) for feature in FEATURES]
    texts.append(text_of(root, "1x24x30", ", normalize=(0.5, 0.25)", *FEATURES))
    texts.append(text_of(root, "3x24x24", ', test_root="there", normalize=((0.5, 0.4, 0.3), 0.2)'))
    texts.append(text_of(root, "3x24x24", ", test=0"))
    whole = "augment: RandomResizedCrop(24, scale=(0.2, 1)) -> RandomErasing(p=0.1) -> AugMix -> GaussianNoise"
    texts.append(text_of(root, "3x24x24", ", test=0", whole, "accumulate: 2"))
    texts.append(text_of(root, "3x24x24", ", test=0", whole, "print_shapes: true"))
    modes = "modes: (evaluate, predict, export, dry_run, overfit)"
    texts.append(text_of(root, "1x24x24", ", resize=30", "augment: GaussianNoise -> RandomCrop(24)", modes))
    sharded = ("augment: RandomCrop(24) -> MixUp", "distributed: fsdp", "metrics: F1")
    texts.append(text_of(root, "3x24x24", "", *sharded, modes))
    texts.append(text_of(root, "3x24x24", "", "augment: GaussianNoise", "distributed: ddp", "accumulate: 2"))
    for number, text in enumerate(texts):
        (tmp_path / f"folder_{number}.py").write_text(compile_spec(Source("folder.net", text)).script)
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, "--isolated", str(tmp_path)], capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_cats_and_dogs_learns_and_resumes(run: Callable[..., Path], tmp_path: Path, root: Path) -> None:
    flags = ("--root", str(root), "--epochs", "3", "--batch-size", "12")
    source = tmp_path / "cats_and_dogs.net"
    source.write_text(SPEC.read_text() + "    log_every: 1\n")
    run(source, tmp_path / "a", *flags)
    assert rows(tmp_path / "a")[-1]["accuracy"] > 0.9
    with pytest.raises(SystemExit):
        run(source, tmp_path / "b", *flags, stop_after=6)
    run(source, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")


def test_every_feature_runs(run: Callable[..., Path], tmp_path: Path, root: Path) -> None:
    spec = tmp_path / "folder.net"
    spec.write_text(text_of(root, "3xHxW", ", size=24", *FEATURES))
    run(spec, tmp_path / "a")
    assert {"samples.png", "predictions.png"} < {path.name for path in (tmp_path / "a").iterdir()}


def test_what_a_script_does_beside_training(
    run: Callable[..., Path], tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The figures of the log anew, what a picture is told to be, and the network for others to read."""
    spec, output = tmp_path / "folder.net", tmp_path / "a"
    spec.write_text(text_of(root, "3xHxW", ", size=24", "modes: (evaluate, predict, export)"))
    run(spec, output)
    capsys.readouterr()
    run(spec, output, "--evaluate", str(output / "last.pt"))
    figures = json.loads(capsys.readouterr().out)
    assert figures.items() <= rows(output)[-1].items()
    picture = root / "down" / "000.png"
    run(spec, output, "--predict", str(picture))
    told = json.loads(capsys.readouterr().out)
    run(spec, output, "--export", "torch")
    ready = v2.Compose([v2.PILToTensor(), v2.Resize(24), v2.CenterCrop(24)])(Image.open(picture)) / 255
    shares = torch.export.load(output / "model.pt2").module()(ready[None]).detach().softmax(1)[0]
    assert told == {"class": int(shares.argmax()), "share": pytest.approx(float(shares.max()), rel=1e-5)}


def failing(tmp_path: Path, change: Callable[[Path], object]) -> str:
    folder = draw(tmp_path / "pictures", 4)
    change(folder)
    try:
        train, *_ = loaded(text_of(folder), folder)
        _ = list(train.read([torch.arange(len(train))]))
    except SystemExit as error:
        return str(error)
    return "nothing"


def test_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    def third(folder: Path) -> None:
        shutil.copytree(folder / "down", folder / "third")

    def emptied(folder: Path) -> None:
        shutil.rmtree(folder / "down")
        (folder / "down").mkdir()

    def broken(folder: Path) -> None:
        for path in folder.glob("*/*.png"):
            path.write_bytes(b"no picture")

    def vast(folder: Path) -> None:
        for path in folder.glob("*/*.png"):  # a bitmap of 20,000 x 20,000 by its header
            path.write_bytes(struct.pack("<2sIIIIiiHH24x", b"BM", 54, 0, 54, 40, 20_000, 20_000, 1, 24))

    cases: list[tuple[Callable[[Path], object], str]] = [
        (shutil.rmtree, "No such file or directory"), (third, "has 3 classes instead of 2"),
        (emptied, "Found no valid file for the classes down"), (broken, "cannot be decoded"),
        (vast, "cannot be decoded: Image size (400000000 pixels) exceeds"),
    ]  # fmt: skip
    for number, (change, message) in enumerate(cases):
        said = failing(tmp_path / str(number), change)
        assert message in said
        assert "\n" not in said


@pytest.mark.parametrize(
    ("input", "more", "message"),
    [
        ("3xHxW", "", "leaves the size of a picture open"),
        ("3x32x32", ", size=24", "the network takes 3x32x32"),
        ("2x32x32", "", "has pictures of 1 or 3 channels, the network takes 2x32x32"),
        ("3x32x24", ", resize=30", "pictures of a shorter side of 30 do not cover 3x32x24"),
        ("1x32x32", ", normalize=((0.5, 0.4, 0.3), 0.2)", "`normalize` has numbers for three channels"),
    ],
)
def test_what_does_not_fit_the_network(tmp_path: Path, input: str, more: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        _ = compile_spec(Source("folder.net", text_of(tmp_path, input, more))).recipe
    assert message in str(caught.value)


def test_the_spec_compiles() -> None:
    assert "class Pictures" in netc.compile(SPEC).script
