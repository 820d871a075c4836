"""Picture sets of torchvision in files, by their names: a script decodes what torchvision gives, picture by picture."""

from __future__ import annotations

import importlib
import inspect
import json
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import pytest
from tests.recipes.results import assert_same, rows

import netc_std
from netc.diagnostics import Source
from netc.pipeline import compile as compile_spec

torch = pytest.importorskip("torch")
numpy = pytest.importorskip("numpy")
savemat = pytest.importorskip("scipy.io").savemat
v2 = pytest.importorskip("torchvision.transforms.v2")
datasets = pytest.importorskip("torchvision.datasets")
imagefiles = importlib.import_module("netc_std.imagefiles")
listing = importlib.import_module("netc_std.listing")
TEXT = """\
net Small(classes={classes}):
    input 3xHxW
    conv: Conv(4, 3); relu
    adaptive_avg_pool(1); flatten
    fc: Linear(classes)

train:
    data: {data}
    loss: CrossEntropyLoss
    optimizer: AdamW(lr=1e-2)
    epochs: 2
    log_every: 1
"""
Samples = dict[str, list[tuple[str, int]]]
"""The paths of each part's pictures in the root, with their class numbers."""
Case = dict[str, Any]
CASES: list[Case] = tomllib.loads((Path(__file__).parent / "layouts.toml").read_text(encoding="utf-8"))["set"]
NAMES = [*netc_std.DATA["netc_std.imagefiles"].split(), "OxfordIIITPet"]
SOURCES = {**vars(imagefiles), "OxfordIIITPet": importlib.import_module("netc_std.masks").OxfordIIITPet}


def written(case: Case, more: str = "size=24") -> str:
    return f"{case['name']}({', '.join(filter(None, [more, case.get('arguments', '')]))})"


def classes(case: Case) -> list[str]:
    found: list[str] = case.get("classes", ["first", "second", "third"])
    return found


# ---- folders as torchvision has them -----------------------------------------------------------


def draw(root: Path, case: Case, count: int = 2) -> Samples:
    """Pictures of many sizes where a set has them, some of them grey, and the files that list them."""
    chance = numpy.random.default_rng(0)
    found: Samples = {part: [] for part in case["parts"]}
    for part, layout in case["parts"].items():
        for label, name in enumerate(classes(case)):
            for number in range(1, count + 1):
                fields = {"class": name, "label": label, "next": label + 1, "number": number}
                path = root / layout.format(**fields, each=count * label + number)
                path.parent.mkdir(parents=True, exist_ok=True)
                shape = (*chance.integers(26, 50, 2), 3)[: 2 if case.get("grey") else 2 + number % 2]
                picture = v2.functional.to_pil_image(chance.integers(0, 256, shape, dtype=numpy.uint8))
                picture.save(path, {".ppm": "ppm", ".png": "png"}.get(path.suffix, "jpeg"))
                found[part].append((path.relative_to(root).as_posix(), label))
    if case["name"] in LISTS:
        LISTS[case["name"]](root, found, classes(case))
    return found


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def caltech(root: Path, found: Samples, names: list[str]) -> None:
    (root / "caltech101/101_ObjectCategories/BACKGROUND_Google").mkdir()


def clevr(root: Path, found: Samples, names: list[str]) -> None:
    for part, samples in found.items():
        scenes = [{"image_filename": Path(path).name, "objects": [{}] * label} for path, label in samples]
        write(root / f"clevr/CLEVR_v1.0/scenes/CLEVR_{part}_scenes.json", [json.dumps({"scenes": scenes})])


def dtd(root: Path, found: Samples, names: list[str]) -> None:
    for part, samples in found.items():
        for partition in (1, 2):
            lines = ["/".join(Path(path).parts[-2:]) for path, _ in samples]
            write(root / f"dtd/dtd/labels/{part}{partition}.txt", lines[:: 3 - 2 * partition])


def aircraft(root: Path, found: Samples, names: list[str]) -> None:
    data = root / "fgvc-aircraft-2013b/data"
    for level, file in (("variant", "variants"), ("family", "families")):
        write(data / f"{file}.txt", names)
        for part, samples in found.items():
            write(data / f"images_{level}_{part}.txt", [f"{Path(path).stem} {names[label]}" for path, label in samples])


def flowers(root: Path, found: Samples, names: list[str]) -> None:
    labels = numpy.zeros(20, dtype=int)
    numbers = {}
    for part, samples in found.items():
        numbers[part] = [int(Path(path).stem[-5:]) for path, _ in samples]
        labels[numpy.array(numbers[part]) - 1] = [label + 1 for _, label in samples]
    savemat(root / "flowers-102/imagelabels.mat", {"labels": labels})
    savemat(root / "flowers-102/setid.mat", {"trnid": numbers["train"], "valid": [1, 2], "tstid": numbers["test"]})


def food(root: Path, found: Samples, names: list[str]) -> None:
    for part, samples in found.items():
        lists = {name: ["/".join(Path(path).with_suffix("").parts[-2:]) for path, label in samples
                        if names[label] == name] for name in reversed(names)}  # fmt: skip
        write(root / f"food-101/meta/{part}.json", [json.dumps(lists)])


def signs(root: Path, found: Samples, names: list[str]) -> None:
    lines = [f"{Path(path).name};29;30;5;6;24;25;{label}" for path, label in found["test"]]
    write(root / "gtsrb/GT-final_test.csv", ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId", *lines])


def imagenet(root: Path, found: Samples, names: list[str]) -> None:
    torch.save(({name: (f"a {name}",) for name in names}, []), root / "meta.bin")


def faces(root: Path, found: Samples, names: list[str]) -> None:
    folder = root / "lfw-py"
    lines = [f"{name}\t{sum(label == number for _, label in found[''])}" for number, name in enumerate(names)]
    write(folder / "lfw-names.txt", lines)
    write(folder / "people.txt", ["2", "1", *lines[:1], str(len(lines) - 1), *lines[1:]])
    for archive in ("lfw-funneled.tgz", "lfw-deepfunneled.tgz"):
        (folder / archive).touch()


def characters(root: Path, found: Samples, names: list[str]) -> None:
    (root / "omniglot-py/images_background.zip").touch()


def pets(root: Path, found: Samples, names: list[str]) -> None:
    for part, samples in found.items():
        lines = [f"{Path(path).stem} {label + 1} {label % 2 + 1} 7" for path, label in samples]
        write(root / f"oxford-iiit-pet/annotations/{part}.txt", lines)


def places(root: Path, found: Samples, names: list[str]) -> None:
    write(root / "categories_places365.txt", [f"/a/{name} {number}" for number, name in enumerate(names)])
    for part, file in (("train-standard", "places365_train_standard"), ("val", "places365_val")):
        lines = [f"{path.partition('/')[2]} {label}" for path, label in found[part]]
        write(root / f"{file}.txt", [f"/{line}" if part.startswith("train") else line for line in lines])


def cars(root: Path, found: Samples, names: list[str]) -> None:
    folder = root / "stanford_cars"
    (folder / "devkit").mkdir()
    savemat(folder / "devkit/cars_meta.mat", {"class_names": numpy.array(names, dtype=object)})
    for part, file in (("train", "devkit/cars_train_annos.mat"), ("test", "cars_test_annos_withlabels.mat")):
        lines = [(Path(path).name, label + 1) for path, label in found[part]]
        savemat(folder / file, {"annotations": numpy.array(lines, dtype=[("fname", object), ("class", numpy.uint8)])})


def scenes(root: Path, found: Samples, names: list[str]) -> None:
    write(root / "SUN397/ClassName.txt", [f"/{name[0]}/{name}" for name in names])


LISTS: dict[str, Callable[[Path, Samples, list[str]], None]] = {
    "Caltech101": caltech, "CLEVRClassification": clevr, "DTD": dtd, "FGVCAircraft": aircraft, "Flowers102": flowers,
    "Food101": food, "GTSRB": signs, "ImageNet": imagenet, "LFWPeople": faces, "Omniglot": characters,
    "OxfordIIITPet": pets, "Places365": places, "StanfordCars": cars, "SUN397": scenes,
}  # fmt: skip


UNORDERED = ("INaturalist", "Omniglot", "SUN397")
"""torchvision lists these as the file system does."""


# ---- what a script makes of them ---------------------------------------------------------------


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded, and no file has to be the published one."""

    def refuse(*_: Any, **__: Any) -> None:
        raise URLError("there is no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    for name in NAMES:
        module = importlib.import_module(getattr(datasets, name).__module__)
        if hasattr(module, "check_integrity"):
            monkeypatch.setattr(module, "check_integrity", lambda path, md5=None: Path(path).is_file())


def module_of(case: Case, monkeypatch: pytest.MonkeyPatch, more: str = "size=24") -> dict[str, Any]:
    """The script for a set that has the classes of the case and no more."""
    monkeypatch.setattr(SOURCES[case["name"]], "classes", len(classes(case)))
    text = TEXT.format(classes=len(classes(case)), data=written(case, more))
    scope: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(compile_spec(Source("files.net", text)).script, "files.py", "exec"), scope)
    return scope


def loaded(script: dict[str, Any], root: Path, partition: int = 1) -> list[Any]:
    return list(script["load_data"](SimpleNamespace(root=str(root), seed=0, partition=partition)))


def theirs(case: Case, root: Path, part: str) -> list[tuple[Any, int]]:
    """What torchvision gives of a part, fitted as the script does."""
    fit = [v2.Lambda(lambda picture: picture.convert("RGB")), v2.PILToTensor(), v2.Resize(24), v2.CenterCrop(24)]
    cls, given = getattr(datasets, case["name"]), dict(case.get("given", {}))
    if part:
        given["version" if case["name"] == "INaturalist" else "split"] = part
    data = cls(str(root), **given, transform=v2.Compose(fit))
    order = list(range(len(data)))
    if case["name"] in UNORDERED:
        paths = cls(str(root), **given, loader=str)
        order.sort(key=lambda number: paths[number][0])
    found = [data[number] for number in order]
    if case["name"] != "Omniglot":
        return found
    numbers = list(dict.fromkeys(label for _, label in found))
    return [(picture, numbers.index(label)) for picture, label in found]


def can_list(name: str) -> bool:
    """Whether torchvision lists the set's pictures without decoding them."""
    known = inspect.signature(getattr(datasets, name)).parameters
    return SOURCES[name].listing not in listing.BY_PATH or "loader" in known


@pytest.mark.parametrize("case", CASES, ids=written)
def test_a_script_decodes_what_torchvision_gives(
    tmp_path: Path, case: Case, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_list(case["name"]):
        pytest.skip("torchvision 0.22 can")
    found = draw(tmp_path, case)
    script, partition = module_of(case, monkeypatch), case.get("given", {}).get("partition", 1)
    pictures, labels, test_pictures, test_labels = loaded(script, tmp_path, partition)
    assert labels.dtype == torch.int64
    if "" in case["parts"]:
        samples = theirs(case, tmp_path, "")
        order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0)).tolist()
        parts = [[samples[number] for number in order[1:]], [samples[order[0]]]]
    else:
        parts = [theirs(case, tmp_path, part) for part in found]
    for ours, own, part in zip((pictures, test_pictures), (labels, test_labels), parts, strict=True):
        assert own.tolist() == [label for _, label in part]
        assert torch.equal(torch.cat(list(ours.split(4))), torch.stack([picture for picture, _ in part]))


def test_every_set_is_drawn() -> None:
    assert {case["name"] for case in CASES} == set(NAMES)


def test_scripts_are_clean(tmp_path: Path) -> None:
    """With the number of classes that a set has, and with all of its pictures for training."""
    for number, case in enumerate(CASES):
        whole = "test=0, " * ("" in case["parts"])
        count = COUNTS.get(written(case, ""), COUNTS.get(case["name"]))
        text = TEXT.format(classes=count, data=written(case, f"{whole}size=24"))
        (tmp_path / f"files_{number}.py").write_text(compile_spec(Source("files.net", text)).script)
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, "--isolated", str(tmp_path)], capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout


COUNTS = {
    "Caltech101": 101, "Caltech256": 257, "CLEVRClassification": 11, "Country211": 211, "DTD": 47, "EuroSAT": 10,
    "FGVCAircraft": 100, "FGVCAircraft(annotation_level=family, test=val)": 70, "Flowers102": 102, "Food101": 101,
    "GTSRB": 43, "Imagenette": 10, "ImageNet": 1000, "INaturalist": 10_000, "LFWPeople": 5749, "Omniglot": 964,
    "OxfordIIITPet": 37, 'OxfordIIITPet(target_types="binary-category")': 2, "Places365": 365, "RenderedSST2": 2,
    "StanfordCars": 196, "SUN397": 397,
}  # fmt: skip
"""The classes of each set as it is published."""


def failing(script: dict[str, Any], root: Path) -> str:
    """What a script says when it loads the data and takes all of it; one line."""
    with pytest.raises(SystemExit) as caught:
        _ = [list(part.split(4)) for part in loaded(script, root)]
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_that_is_not_there(tmp_path: Path, name: str, offline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in CASES if case["name"] == name)
    said = failing(module_of(case, monkeypatch), tmp_path / "data")
    assert said.startswith(f"no {name} in {tmp_path / 'data'}: ")
    if can_list(name):
        assert any(word in said for word in ("there is no network", "Dataset not found", "is not present"))


def test_what_is_wrong_with_files(tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(root: Path) -> None:
        shutil.rmtree(root / "country211/test/third")

    def damaged(root: Path) -> None:
        for path in root.rglob("*.jpg"):
            path.write_bytes(b"no picture")

    def removed(root: Path) -> None:
        next(root.rglob("*.jpg")).unlink()

    for name, change, message in (
        ("Country211", absent, "has 2 classes, not 3"), ("EuroSAT", damaged, "cannot be decoded"),
        ("Caltech256", damaged, "cannot identify image file"), ("OxfordIIITPet", removed, "No such file or directory"),
    ):  # fmt: skip
        case = next(case for case in CASES if case["name"] == name)
        root = tmp_path / f"{name}{message[:6]}"
        draw(root, case)
        change(root)
        assert message in failing(module_of(case, monkeypatch), root)


def test_a_set_is_learnt_and_resumed(
    run: Callable[..., Path], tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(case for case in CASES if case["name"] == "GTSRB")
    draw(tmp_path / "data", case, 8)
    monkeypatch.setattr(imagefiles.GTSRB, "classes", 3)
    spec = tmp_path / "files.net"
    spec.write_text(TEXT.format(classes=3, data="GTSRB(size=24, batch_size=6, normalize=(0.5, 0.25))"))
    run(spec, tmp_path / "a", "--root", str(tmp_path / "data"))
    assert [row["epoch"] for row in rows(tmp_path / "a") if "epoch" in row] == [1, 2]
    with pytest.raises(SystemExit):
        run(spec, tmp_path / "b", "--root", str(tmp_path / "data"), stop_after=6)
    run(spec, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")
