"""Picture sets of torchvision by their names: what a script holds is what torchvision gives, picture by picture."""

from __future__ import annotations

import bz2
import importlib
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.recipes.making import block, recipe_of, script_of
from tests.recipes.test_optimizers import script_module

torch = pytest.importorskip("torch")
numpy = pytest.importorskip("numpy")
datasets = pytest.importorskip("torchvision.datasets")
functional = pytest.importorskip("torchvision.transforms.v2.functional")
COUNTS = {"train": 30, "test": 20}
Write = Callable[[Path, Any], None]


def drawn(chance: Any, *shape: int, high: int = 256) -> Any:
    return chance.integers(0, high, shape, dtype=numpy.uint8)


def idx(path: Path, values: Any) -> None:
    """A file in MNIST's format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {"uint8": 8, "int32": 12}[str(values.dtype)]
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(bytes([0, 0, kind, values.ndim]) + sizes + values.astype(values.dtype.newbyteorder(">")).tobytes())


def mnist(name: str) -> Write:
    def write(root: Path, chance: Any) -> None:
        for part, count in COUNTS.items():
            stem = {"train": "train", "test": "t10k"}[part]
            idx(root / name / "raw" / f"{stem}-images-idx3-ubyte", drawn(chance, count, 28, 28))
            idx(root / name / "raw" / f"{stem}-labels-idx1-ubyte", drawn(chance, count, high=10))

    return write


def qmnist(root: Path, chance: Any) -> None:
    for part, count in {"train": 30, "test": 60_000}.items():
        idx(root / "QMNIST/raw" / f"qmnist-{part}-images-idx3-ubyte", drawn(chance, count, 28, 28))
        idx(root / "QMNIST/raw" / f"qmnist-{part}-labels-idx2-int", drawn(chance, count, 8, high=10).astype("int32"))


def emnist(split: str, first: int, classes: int) -> Write:
    def write(root: Path, chance: Any) -> None:
        for part, count in COUNTS.items():
            stem = f"emnist-{split}-{part}"
            idx(root / "EMNIST/raw" / f"{stem}-images-idx3-ubyte", drawn(chance, count, 28, 28))
            labels = drawn(chance, count, high=classes) + first
            labels[:2] = (first, first + classes - 1)
            idx(root / "EMNIST/raw" / f"{stem}-labels-idx1-ubyte", labels)

    return write


def usps(root: Path, chance: Any) -> None:
    for part, count in COUNTS.items():
        rows = []
        for number in range(count):
            values = " ".join(f"{i + 1}:{value:.4f}" for i, value in enumerate(chance.uniform(-1, 1, 256)))
            rows.append(f"{number % 10 + 1} {values}\n")
        name = {"train": "usps.bz2", "test": "usps.t.bz2"}[part]
        (root / name).write_bytes(bz2.compress("".join(rows).encode()))


def cifar(folder: str, files: dict[str, list[str]], label: str, meta: tuple[str, str], classes: int) -> Write:
    def write(root: Path, chance: Any) -> None:
        (root / folder).mkdir()
        for part, names in files.items():
            for name in names:
                labels = drawn(chance, COUNTS[part], high=classes).tolist()
                batch = {"data": drawn(chance, COUNTS[part], 3072), label: labels}
                (root / folder / name).write_bytes(pickle.dumps(batch))
        (root / folder / meta[0]).write_bytes(pickle.dumps({meta[1]: [str(n) for n in range(classes)]}))

    return write


def svhn(root: Path, chance: Any) -> None:
    scipy = pytest.importorskip("scipy.io")
    for part, count in COUNTS.items():
        labels = drawn(chance, count, 1, high=10) + 1  # ten stands for zero
        scipy.savemat(root / f"{part}_32x32.mat", {"X": drawn(chance, 32, 32, 3, count), "y": labels})


def stl10(root: Path, chance: Any) -> None:
    folder = root / "stl10_binary"
    folder.mkdir()
    for part, count in COUNTS.items():
        drawn(chance, count, 3, 96, 96).tofile(folder / f"{part}_X.bin")
        (drawn(chance, count, high=10) + 1).tofile(folder / f"{part}_y.bin")
    (folder / "unlabeled_X.bin").touch()


def fer2013(root: Path, chance: Any) -> None:
    lines = ["emotion,pixels,Usage"]
    for part, count in {"Training": 30, "PublicTest": 8, "PrivateTest": 12}.items():
        faces = drawn(chance, count, 48 * 48)
        lines += [f"{number % 7},{' '.join(map(str, face))},{part}" for number, face in enumerate(faces)]
    (root / "fer2013").mkdir()
    (root / "fer2013/fer2013.csv").write_text("\n".join(lines))


def pcam(root: Path, chance: Any) -> None:
    h5py = importlib.import_module("h5py")
    (root / "pcam").mkdir()
    for part, count in {**COUNTS, "valid": 10}.items():
        stem = f"camelyonpatch_level_2_split_{part}"
        h5py.write(root / f"pcam/{stem}_x.h5", x=drawn(chance, count, 96, 96, 3))
        h5py.write(root / f"pcam/{stem}_y.h5", y=drawn(chance, count, 1, 1, 1, high=2))


@pytest.fixture(autouse=True)
def arrays_instead_of_hdf5(monkeypatch: pytest.MonkeyPatch) -> None:
    """`h5py` that reads NumPy's files, so that it need not be there."""

    def write(path: Path, **arrays: Any) -> None:
        with path.open("wb") as file:
            numpy.savez(file, **arrays)

    monkeypatch.setitem(sys.modules, "h5py", SimpleNamespace(File=numpy.load, write=write))


CIFAR10 = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}
SETS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], Write]] = {
    **{name: (name, "1x28x28", {"train": True}, {"train": False}, mnist(name))
       for name in ("MNIST", "FashionMNIST", "KMNIST")},
    "QMNIST": ("QMNIST", "1x28x28", {"train": True}, {"train": False}, qmnist),
    **{f"EMNIST({split})": ("EMNIST", f"1x28x28 {classes}", {"split": split, "train": True},
                            {"split": split, "train": False}, emnist(split, int(split == "letters"), classes))
       for split, classes in (("balanced", 47), ("letters", 26), ("byclass", 62), ("bymerge", 47), ("digits", 10),
                              ("mnist", 10))},
    "USPS": ("USPS", "1x16x16", {"train": True}, {"train": False}, usps),
    "CIFAR10": ("CIFAR10", "3x32x32", {"train": True}, {"train": False},
                cifar("cifar-10-batches-py", CIFAR10, "labels", ("batches.meta", "label_names"), 10)),
    "CIFAR100": ("CIFAR100", "3x32x32 100", {"train": True}, {"train": False},
                 cifar("cifar-100-python", {"train": ["train"], "test": ["test"]}, "fine_labels",
                       ("meta", "fine_label_names"), 100)),
    "SVHN": ("SVHN", "3x32x32", {"split": "train"}, {"split": "test"}, svhn),
    "STL10": ("STL10", "3x96x96", {"split": "train"}, {"split": "test"}, stl10),
    "FER2013": ("FER2013", "1x48x48 7", {"split": "train"}, {"split": "test"}, fer2013),
    "PCAM": ("PCAM", "3x96x96 2", {"split": "train"}, {"split": "test"}, pcam),
    "PCAM(test=val)": ("PCAM", "3x96x96 2", {"split": "train"}, {"split": "val"}, pcam),
}  # fmt: skip
"""What a recipe writes: torchvision's class, the network's input, the arguments of both parts, and what draws files."""


@pytest.mark.parametrize("written", SETS)
def test_a_script_holds_what_torchvision_gives(tmp_path: Path, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, size, training, testing, write = SETS[written]
    cls = getattr(datasets, name)
    modules = {cls.__module__, "torchvision.datasets.cifar", "torchvision.datasets.utils"}
    for module in modules - {"torchvision.datasets.usps", "torchvision.datasets.pcam"}:
        monkeypatch.setattr(f"{module}.check_integrity", lambda path, md5=None: Path(path).is_file())
    write(tmp_path, numpy.random.default_rng(0))
    text = block(f"data: {written}", "loss: CrossEntropyLoss", "optimizer: SGD", "epochs: 1")
    script = script_module(script_of(text, f"classifier {size}"))
    found = list(script.load_data(SimpleNamespace(root=str(tmp_path))))
    for (pictures, labels), arguments in zip((found[:2], found[2:]), (training, testing), strict=True):
        own = cls(str(tmp_path), **arguments)
        assert pictures.dtype == torch.uint8
        assert pictures.is_contiguous() or pictures.is_contiguous(memory_format=torch.channels_last)
        assert labels.dtype == torch.int64
        assert len(own) == len(pictures) == len(labels)
        first = int(written == "EMNIST(letters)")
        for number in range(min(30, len(own))):
            picture, label = own[number]
            assert torch.equal(pictures[number], functional.pil_to_tensor(picture))
            assert labels[number] == label - first
        assert 0 <= labels.min() <= labels.max() < int([*size.split(), "10"][1])


def test_digits_of_one_part_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the counts that the recipe reckons with, and all of them where there is no test."""
    semeion = importlib.import_module("torchvision.datasets.semeion")
    monkeypatch.setattr(semeion, "check_integrity", lambda path, md5=None: Path(path).is_file())
    chance = numpy.random.default_rng(0)
    values = numpy.concatenate([drawn(chance, 1593, 256, high=2), numpy.eye(10)[drawn(chance, 1593, high=10)]], axis=1)
    numpy.savetxt(tmp_path / "semeion.data", values, fmt="%d")
    own = datasets.SEMEION(str(tmp_path), download=False)
    order = torch.randperm(1593, generator=torch.Generator().manual_seed(0)).tolist()
    for written, kept in (("SEMEION", 319), ("SEMEION(test=0)", 0)):
        text = block(f"data: {written}", "loss: CrossEntropyLoss", "optimizer: SGD", "epochs: 1")
        found = script_module(script_of(text, "classifier 1x16x16")).load_data(SimpleNamespace(root=tmp_path, seed=0))
        assert [len(part) for part in found] == [1593 - kept, 1593 - kept, kept, kept][: 4 if kept else 2]
        assert recipe_of(text, "classifier 1x16x16").data.part.training_size() == 1593 - kept
        assert found[0].dtype == torch.uint8
        for place, number in enumerate((order[319:] if kept else range(1593))[:20]):
            picture, label = own[number]
            assert torch.equal(found[0][place], functional.pil_to_tensor(picture))
            assert found[1][place] == label
    assert found[1].dtype == torch.int64


def test_a_test_part_without_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchvision.datasets.fer2013.check_integrity", lambda path, md5=None: Path(path).is_file())
    fer2013(tmp_path, numpy.random.default_rng(0))
    lines = (tmp_path / "fer2013/fer2013.csv").read_text().splitlines()
    (tmp_path / "fer2013/fer2013.csv").unlink()
    (tmp_path / "fer2013/train.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines))
    (tmp_path / "fer2013/test.csv").write_text("\n".join(line.split(",")[1] for line in lines))
    text = block("data: FER2013", "loss: CrossEntropyLoss", "optimizer: SGD", "epochs: 1")
    script = script_module(script_of(text, "classifier 1x48x48 7"))
    with pytest.raises(SystemExit, match=r"test\.csv in .* has no classes, fer2013\.csv has$"):
        list(script.load_data(SimpleNamespace(root=tmp_path)))


def test_the_classes_are_torchvisions() -> None:
    for written, (name, size, *_) in SETS.items():
        cls = getattr(datasets, name)
        count = int([*size.split(), "10"][1])
        if name == "EMNIST":
            split = written.partition("(")[2].rstrip(")")
            assert count == len(cls.classes_split_dict[split]) - (split == "letters")
        elif hasattr(cls, "classes"):
            assert count == len(cls.classes)


def test_what_reads_a_set_is_said_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("No module named 'scipy'")

    text = block("data: SVHN", "loss: CrossEntropyLoss", "optimizer: SGD", "epochs: 1")
    script = script_module(script_of(text, "classifier 3x32x32"))
    monkeypatch.setattr(importlib.import_module("torchvision.datasets"), "SVHN", missing)
    with pytest.raises(SystemExit, match="no SVHN in data: No module named 'scipy'"):
        list(script.load_data(SimpleNamespace(root="data")))
