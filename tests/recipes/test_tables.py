"""CSV and NumPy files: what the script makes of them, against NumPy by hand, and what it says of bad ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.recipes.results import assert_same, rows

from netc.diagnostics import Source, SpecError
from netc.pipeline import compile as compile_spec

torch = pytest.importorskip("torch")
HEADER = "length,width,colour,weight,kind\n"
TRAIN = "    optimizer: Adam(lr=1e-2)\n    epochs: 4\n    log_every: 1\n"
KINDS = """\
net Kinds(classes=3):
    input 3
    fc1: Linear(16); relu
    fc: Linear(classes)

train:
    data: CSV("{path}", target="kind", classes=3{more})
    loss: CrossEntropyLoss
""" + TRAIN
WEIGHTS = """\
net Weights:
    input table: 2
    input colour: int()
    seen = colour -> (embedding: Embedding(3, 4))
    table -> (first: Linear(4))
    cat(_, seen, dim=1)
    fc1: Linear(16); relu
    fc: Linear({outputs})

train:
    data: CSV("{path}", target={target}{more})
    loss: MSELoss
""" + TRAIN
ARRAYS = """\
net Arrays(classes=3):
    input picture: 1xHx8
    input z: 4
    picture -> (conv: Conv(4, 3)) -> mean((2, 3))
    cat(_, z, dim=1)
    fc: Linear(classes)

train:
    data: NumPy("{path}", classes=3{more})
    loss: CrossEntropyLoss
""" + TRAIN
COLUMNS = ', columns=("length", "width", "weight")'


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """A kind is told by its length and width, a weight by both and the colour."""
    chance = np.random.default_rng(0)
    path = tmp_path / "flowers.csv"
    with path.open("w") as file:
        file.write(HEADER)
        for _ in range(150):
            kind, colour = chance.integers(3), chance.integers(3)
            length, width = chance.normal(3 + kind, 0.3), chance.normal(2 - kind / 2, 0.2)
            words = ("blue", "red", "white")[colour], ("iris", "lily", "rose")[kind]
            file.write(f"{length:.3f},{width:.3f},{words[0]},{length * width + colour:.3f},{words[1]}\n")
    return path


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    chance = np.random.default_rng(0)
    y = chance.integers(0, 3, 120)
    picture = chance.normal(size=(120, 1, 6, 8)) + 3 * y[:, None, None, None]
    np.savez(tmp_path / "data.npz", picture=picture, z=chance.normal(size=(120, 4)), y=y)
    return tmp_path / "data.npz"


def script_of(text: str) -> str:
    return compile_spec(Source("tables.net", text)).script


def loaded(text: str, path: Path) -> list[Any]:
    """What `load_data` of the script gives."""
    scope: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(script_of(text), "tables.py", "exec"), scope)
    return list(scope["load_data"](SimpleNamespace(path=str(path), seed=0)))


SPECS = {
    "classes": KINDS.format(path="{path}", more=COLUMNS),
    "classes of raw columns": KINDS.format(path="{path}", more=COLUMNS + ", standardize=false, test=0.5"),
    "values": WEIGHTS.format(path="{path}", outputs=1, target='"weight"', more=', columns=("length", "width")'),
    "two values": WEIGHTS.format(path="{path}", outputs=2, target='("weight", "width")', more=', columns=("a", "b")'),
    "all columns": KINDS.replace('target="kind", classes=3', 'target="weight"')
    .replace("input 3", "input 2").replace("CrossEntropyLoss", "MSELoss")
    .replace("Linear(classes)", "Linear(1)").format(path="{path}", more=', columns=("length", "width"), test=0'),
    "long names": KINDS.format(path="{path}", more=COLUMNS).replace('"kind"', f'"{"kind of flower " * 3}"')
    .replace('"length"', f'"{"length " * 6}"').replace('"width"', '"width of a \\\\leaf"'),
    "arrays": ARRAYS.format(path="{path}", more=""),
    "arrays of values": ARRAYS.replace("classes=3{more}", '{more}target="values", shape=(3,), test=0.25')
    .replace("CrossEntropyLoss", "MSELoss").format(path="{path}", more=""),
}  # fmt: skip


def test_scripts_are_clean(tmp_path: Path) -> None:
    for name, text in SPECS.items():
        (tmp_path / f"{name.replace(' ', '_')}.py").write_text(script_of(text.format(path="data.csv")))
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, "--isolated", str(tmp_path)], capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_columns_and_classes(flowers: Path) -> None:
    """The parts are disjoint and together the file; columns have mean 0 and deviation 1 in training."""
    inputs, targets, test_inputs, test_targets = loaded(SPECS["classes"].format(path=flowers), flowers)
    texts = np.loadtxt(flowers, delimiter=",", skiprows=1, dtype=str)
    table, kinds = texts[:, (0, 1, 3)].astype(float), texts[:, 4]
    assert (len(inputs), len(test_inputs)) == (120, 30)
    assert torch.allclose(inputs.mean(0), torch.zeros(3), atol=1e-5)
    assert torch.allclose(inputs.std(0, correction=0), torch.ones(3), atol=1e-5)
    order = torch.randperm(150, generator=torch.Generator().manual_seed(0)).numpy()
    mean, std = table[order[30:]].mean(0), table[order[30:]].std(0)
    for part, rows_, classes in ((inputs, order[30:], targets), (test_inputs, order[:30], test_targets)):
        assert np.allclose(part, (table[rows_] - mean) / std, atol=1e-4)
        assert [("iris", "lily", "rose")[number] for number in classes] == list(kinds[rows_])


def test_named_inputs(flowers: Path) -> None:
    (vector, colours), targets, (test_vector, _), _ = loaded(SPECS["values"].format(path=flowers), flowers)
    assert vector.shape == (120, 2)
    assert targets.shape == (120, 1)
    assert test_vector.shape == (30, 2)
    assert colours.dtype == torch.int64
    order = torch.randperm(150, generator=torch.Generator().manual_seed(0)).numpy()
    words = np.loadtxt(flowers, delimiter=",", skiprows=1, dtype=str)[order[30:], 2]
    assert [("blue", "red", "white")[number] for number in colours] == list(words)


def test_numbers_are_classes_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text(HEADER + "".join(f"{i},1,red,{i % 2},{(2, 10)[i % 2]}\n" for i in range(20)))
    text = KINDS.format(path=path, more=COLUMNS).replace("classes=3", "classes=11")
    inputs, targets, _, _ = loaded(text, path)
    assert {*targets.tolist()} == {2, 10}
    assert torch.isfinite(inputs).all()  # a column that is the same everywhere


def test_arrays(arrays: Path) -> None:
    (pictures, z), targets, _, test_targets = loaded(SPECS["arrays"].format(path=arrays), arrays)
    with np.load(arrays) as file:
        order = torch.randperm(120, generator=torch.Generator().manual_seed(0)).numpy()
        assert np.allclose(pictures, file["picture"][order[24:]], atol=1e-6)
        assert np.allclose(z, file["z"][order[24:]], atol=1e-6)
        assert (targets.numpy() == file["y"][order[24:]]).all()
        assert (test_targets.numpy() == file["y"][order[:24]]).all()


ROW = "1,2,red,3,rose\n"
BROKEN = {
    "missing file": (None, "flowers.csv cannot be read: [Errno 2] No such file or directory"),
    "empty": ("", "flowers.csv has no rows"),
    "header only": (HEADER, "flowers.csv has no rows"),
    "one row": (HEADER + ROW, "flowers.csv is too short to be split"),
    "missing column": ("length,width,colour,kind\n1,2,red,rose\n", "flowers.csv has no column 'weight'; it has length"),
    "short row": (HEADER + ROW + "1,2,red\n", "flowers.csv:3: 3 cells, not 5"),
    "no number": (HEADER + ROW * 2 + "1,two,red,3,rose\n", "flowers.csv:4: 'two' in column 'width' is no number"),
    "empty cell": (HEADER + "\n1,,red,3,rose\n", "flowers.csv:3: '' in column 'width' is no number"),
    "nan": (HEADER + ROW + "nan,2,red,3,rose\n", "flowers.csv:3: 'nan' in column 'length' is no number"),
    "too many classes": (
        HEADER + "".join(f"1,2,red,3,{kind}\n" for kind in "abcd"),
        "flowers.csv:5: 'd' in column 'kind' is class 3, the last is 2",
    ),
    "class number": (HEADER + "1,2,red,3,1\n1,2,red,3,3\n", "flowers.csv:3: '3' in column 'kind' is class 3"),
    "no text": (b"\xff\xfe\x00,", "flowers.csv cannot be read: 'utf-8' codec"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_with_a_table(tmp_path: Path, name: str) -> None:
    content, message = BROKEN[name]
    path = tmp_path / "flowers.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SystemExit) as caught:
        loaded(SPECS["classes"].format(path=path), path)
    assert str(caught.value).startswith(f"{tmp_path}/{message}")
    assert "\n" not in str(caught.value)


def test_columns_that_are_left_must_fit(flowers: Path) -> None:
    text = KINDS.format(path=flowers, more="")
    with pytest.raises(SystemExit, match=r"takes 3 columns of .*, 4 columns are left for the input: length, wid"):
        loaded(text, flowers)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "missing array": ({"z": None}, "has no array 'z'; it has picture, y"),
    "shape": ({"z": np.zeros((9, 5))}, "'z' has shape (9, 5) instead of (None, 4)"),
    "dimensions": ({"picture": np.zeros((9, 6, 8))}, "'picture' has shape (9, 6, 8) instead of (None, 1, None, 8)"),
    "kind": ({"y": np.zeros(9)}, "'y' holds float64 instead of torch.int64"),
    "words": ({"y": np.array(["a"] * 9)}, "'y' holds <U1 instead of torch.int64"),
    "no number": ({"z": np.full((9, 4), np.nan)}, "'z' holds what is no number"),
    "lengths": ({"z": np.zeros((8, 4))}, "has arrays of different lengths, or empty ones"),
    "class": ({"y": np.full(9, 3)}, "has classes from 3 to 3, the network tells 0 to 2"),
    "objects": ({"y": np.array([None] * 9)}, "cannot be read: Object arrays cannot be loaded"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_arrays(tmp_path: Path, name: str) -> None:
    good = {"picture": np.zeros((9, 1, 6, 8)), "z": np.zeros((9, 4)), "y": np.zeros(9, dtype=int)}
    changed, message = WRONG[name]
    path = tmp_path / "data.npz"
    np.savez(path, **{key: value for key, value in (good | changed).items() if value is not None})
    with pytest.raises(SystemExit) as caught:
        loaded(SPECS["arrays"].format(path=path), path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"length,width", "npy"])
def test_no_npz_file(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "data.npz"
    if content == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit, match=r"there is no \.npz file"):
        loaded(SPECS["arrays"].format(path=path), path)


@pytest.mark.parametrize("name", ["classes", "values", "arrays"])
def test_it_learns_and_resumes(
    run: Callable[..., Path], tmp_path: Path, flowers: Path, arrays: Path, name: str
) -> None:
    spec = tmp_path / "tables.net"
    spec.write_text(SPECS[name].format(path=(arrays if name == "arrays" else flowers).as_posix()))
    run(spec, tmp_path / "a", "--batch-size", "16")
    losses = [row["train_loss"] for row in rows(tmp_path / "a") if "train_loss" in row]
    assert losses[-1] < 0.8 * losses[0]
    with pytest.raises(SystemExit):
        run(spec, tmp_path / "b", "--batch-size", "16", stop_after=9)
    run(spec, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")


REFUSED = {
    "columns": (KINDS.format(path="a.csv", more=', columns=("a", "b")'), "`x` takes 3 columns, 2 are named"),
    "learnt column": (KINDS.format(path="a.csv", more=', columns=("a", "b", "kind")'), "`kind` is learnt"),
    "several classes": (
        KINDS.format(path="a.csv", more="").replace('"kind"', '("a", "b")'),
        "one column has classes, several have values",
    ),
    "pictures": (
        KINDS.format(path="a.csv", more="").replace("input 3", "input 1x8x8\n    flatten"), "a table feeds vectors",
    ),
    "two vectors": (
        WEIGHTS.format(path="a.csv", outputs=1, target='"w"', more="").replace("colour: int()", "more: 4")
        .replace("colour -> (embedding: Embedding(3, 4))", "more"), "`table` and `more` both take the columns",
    ),
    "no classes": (KINDS.format(path="a.csv", more="").replace(", classes=3", ""), "the CSV file gives values"),
    "learnt array": (ARRAYS.format(path="a.npz", more=', target="z"'), "`z` is learnt"),
    "target shape": (ARRAYS.format(path="a.npz", more=", shape=3"), "CrossEntropyLoss takes scores"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_the_network(name: str) -> None:
    text, message = REFUSED[name]
    with pytest.raises(SpecError) as caught:
        _ = compile_spec(Source("tables.net", text)).recipe
    assert message in str(caught.value)
    assert "internal" not in str(caught.value)
