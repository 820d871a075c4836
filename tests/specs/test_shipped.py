"""The specs that we ship: each equals its hand-written twin, builds for every recipe, and its script trains."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from tests.specs.comparing import Input, Whole, assert_same

import netc
from netc import syntax

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.net"))
TRAINED = [path for path in SPECS if "\ntrain" in path.read_text(encoding="utf-8")]
TWINS = ROOT / "tests" / "twins"
SMALL_TEXT = {"vocabulary": 50, "length": 16, "depth": 2, "heads": 2, "width": 8}
DEEPER_TEXT = {"vocabulary": 60, "length": 12, "depth": 3, "heads": 4, "width": 16, "rate": 0.2}
NARROW = {"columns": 3, "categories": 4, "features": 8}
WORDS, TRUTHS = Whole((12,), 50), Whole((12,), 2, torch.bool)
# Spec, net, what makes its twin, the inputs of an example, and parameters that both are given.
CASES: list[tuple[str, str | None, str, tuple[Input, ...], dict[str, Any]]] = [
    ("lenet5", None, "LeNet5", ((1, 28, 28),), {}),
    ("lenet_functional", None, "LeNet", ((3, 32, 32),), {}),
    ("lenet_sequential", None, "LeNetSequential", ((3, 32, 32),), {}),
    ("lenet_named", None, "LeNetNamed", ((3, 32, 32),), {}),
    ("lenet_sigmoid", None, "lenet_sigmoid", ((1, 28, 28),), {}),
    ("lenet_sigmoid", "lenet_sigmoid_reshape", "lenet_sigmoid_reshape", ((784,),), {}),
    ("mnist_dropout", None, "MnistDropout", ((1, 28, 28),), {}),
    ("googlenet", None, "GoogLeNet", ((1, 28, 28),), {}),
    ("residual", None, "Residual", ((1, 28, 28),), {}),
    ("small_cnn", None, "SmallCNN", ((3, 32, 32),), {}),
    ("small_cnn", None, "SmallCNN", ((3, 32, 32),), {"classes": 3}),
    ("linear_regression", "LinearRegression", "LinearRegression", ((1,),), {}),
    ("linear_regression", "HandMade", "HandMade", ((1,),), {}),
    ("linear_regression", "BareParameters", "BareParameters", ((1,),), {}),
    ("mlp_blocks", None, "MlpBlocks", ((1, 28, 28),), {}),
    ("mlp_blocks", None, "MlpBlocks", ((1, 28, 28),), {"depth": 1, "width": 8, "classes": 3}),
    ("edge_detector", "EdgeDetector", "EdgeDetector", ((1, 6, 8),), {}),
    ("edge_detector", "ByHand", "ByHand", ((1, 28, 28),), {}),
    ("recurrent", "RowReader", "RowReader", ((9, 28),), {}),
    ("recurrent", "RowReader", "RowReader", ((28, 28),), {"classes": 4, "width": 16, "layers": 1}),
    ("recurrent", "TextClassifier", "TextClassifier", (WORDS,), {}),
    ("recurrent", "TextClassifier", "TextClassifier", (WORDS,), {"width": 8, "layers": 3, "rate": 0.1}),
    ("recurrent", "Tagger", "Tagger", (WORDS,), {}),
    ("recurrent", "Continuing", "Continuing", ((5, None, 8), (2, None, 32)), {}),
    ("recurrent", "Continuing", "Continuing", ((5, None, 3), (1, None, 6)), {"features": 3, "width": 6, "layers": 1}),
    ("siamese", "SiamesePair", "SiamesePair", ((1, 105, 105),) * 2, {"features": 64}),
    ("siamese", "SiameseTriplet", "SiameseTriplet", ((1, 28, 28),) * 3, {}),
    ("unpool_autoencoder", None, "UnpoolAutoencoder", ((1, 28, 28),), {}),
    ("unpool_autoencoder", None, "UnpoolAutoencoder", ((1, 28, 28),), {"width": 4}),
    ("layer_norms", None, "LayerNorms", ((1, 28, 28),), {}),
    ("layer_norms", "layer_norm", "layer_norm", ((1, 28, 28),), {}),
    ("layer_norms", "instance_norm", "instance_norm", ((1, 28, 28),), {"width": 8}),
    ("layer_norms", "group_norm", "group_norm", ((1, 28, 28),), {"classes": 3}),
    ("cats_and_dogs", None, "CatsAndDogs", ((3, 64, 64),), {}),
    ("cats_and_dogs", None, "CatsAndDogs", ((3, 48, 80),), {"classes": 5, "rate": 0.2}),
    ("unet", None, "UNet", ((3, 32, 48),), {"width": 8}),
    ("unet", None, "UNet", ((3, 16, 16),), {"width": 4, "classes": 5}),
    ("vae", None, "VAE", ((1, 28, 28),), {}),
    ("vae", None, "VAE", ((1, 28, 28),), {"hidden": 32, "latent": 3}),
    ("dcgan", "Draw", "Drawing", ((100, 1, 1),), {"width": 8}),
    ("dcgan", "Tell", "Telling", ((3, 64, 64),), {"width": 8}),
    ("dcgan", "DCGAN", "DCGAN", ((1, 64, 64),), {"latent": 16, "width": 4, "channels": 1}),
    ("pointnet", None, "PointNet", ((3, 50),), {}),
    ("pointnet", None, "PointNet", ((3, 20),), {"classes": 4, "rate": 0.5}),
    ("tcn", None, "TemporalConvNet", ((2, 40),), {}),
    ("tcn", None, "TemporalConvNet", ((30, 25),), {"features": 30, "widths": [30, 8], "kernel": 3, "outputs": 4}),
    ("char_lm", None, "CharacterModel", (WORDS, (2, None, 256), (2, None, 256)), {}),
    ("char_lm", None, "CharacterModel", (WORDS, (3, None, 16), (3, None, 16)), {"width": 16, "layers": 3, "rate": 0.4}),
    ("gpt2", None, "GPT", (WORDS,), SMALL_TEXT),
    ("gpt2", None, "GPT", (WORDS,), DEEPER_TEXT | {"bias": False}),
    ("bert", None, "BERT", (WORDS, Whole((12,), 2), TRUTHS), SMALL_TEXT | {"hidden": 16}),
    ("bert", None, "BERT", (WORDS, Whole((12,), 2), TRUTHS), DEEPER_TEXT | {"hidden": 24}),
    ("picture_and_table", None, "PictureAndTable", ((3, 32, 32), (12,), Whole((), 20)), {}),
    ("picture_and_table", None, "PictureAndTable", ((3, 32, 32), (3,), Whole((), 4)), NARROW),
]  # fmt: skip
ALIKE = ("lenet5", "lenet_functional", "lenet_sequential", "lenet_named", "lenet_sigmoid", "mnist_dropout", "googlenet",
         "residual", "small_cnn", "linear_regression", "unet", "tcn")  # fmt: skip
"""Specs whose modules print as their twins' do."""
FILES = {"siamese": {"SiamesePair": "siamese_pair", "SiameseTriplet": "siamese_triplet"}}
"""The twins of a spec that stand in several files."""


def twin(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"twin_{name}", TWINS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("spec", "net", "factory", "inputs", "given"), CASES)
def test_equals_its_twin(
    spec: str, net: str | None, factory: str, inputs: tuple[Input, ...], given: dict[str, Any]
) -> None:
    build = partial(netc.load, ROOT / "specs" / f"{spec}.net", net, **given)
    theirs = partial(getattr(twin(FILES.get(spec, {}).get(factory, spec)), factory), **given)
    assert assert_same(build, theirs, *inputs)
    if spec in ALIKE and factory not in ("LinearRegression", "HandMade") and "Reshape" not in repr(theirs()):
        # Children, arguments and order; the class names are the author's.
        assert members(repr(build())) == members(repr(theirs()))


def members(text: str) -> list[str]:
    return [re.sub(r"\w+\($", "", line) for line in text.splitlines()[1:]]


def test_lenet_sigmoid_starts_as_xavier_says() -> None:
    torch.manual_seed(0)
    ours = netc.load(ROOT / "specs" / "lenet_sigmoid.net")
    torch.manual_seed(0)
    other = twin("lenet_sigmoid").lenet_sigmoid()
    for (key, a), b in zip(ours.state_dict().items(), other.state_dict().values(), strict=True):
        if key.endswith("weight"):
            bound = (6 / (a[0].numel() + a.shape[0] * a[0, 0].numel() if a.dim() == 4 else sum(a.shape))) ** 0.5
            assert a.abs().max() <= bound and abs(a.std() - b.std()) < 0.15 * b.std()


def recipes(path: Path) -> list[str | None]:
    return [item.name for item in netc.compile(path).file.items if isinstance(item, syntax.Train)]


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_every_recipe_builds_lint_clean(path: Path, tmp_path: Path) -> None:
    scripts = []
    for name in recipes(path):
        compiled = netc.compile(path, train=name)
        assert compiled.model.source in compiled.script
        scripts.append(tmp_path / f"{path.stem}_{name}.py")
        scripts[-1].write_text(compiled.script)
    check = [sys.executable, "-m", "ruff", "check", "--isolated", "--extend-select", "I,UP,B,SIM", *map(str, scripts)]
    assert scripts and subprocess.run(check, check=False).returncode == 0
    shape = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", "--diff", *map(str, scripts)]
    assert subprocess.run(shape, check=False).returncode == 0


@pytest.mark.parametrize("path", [p for p in TRAINED if p.stem != "linear_regression"], ids=lambda path: path.stem)
def test_trains_on_digits(path: Path, tmp_path: Path) -> None:
    (log, *_), _ = train(path, "digits", tmp_path, "--epochs", "3")
    assert log["accuracy"] > 0.2 and log["train_loss"] < 2.4


def test_linear_regression_finds_the_line(tmp_path: Path) -> None:
    logs, folder = train(ROOT / "specs" / "linear_regression.net", None, tmp_path)
    state = torch.load(folder / "last.pt", weights_only=True)["model"]
    assert 9.8 < state["fc1.weight"].item() < 10.1 and 5 < state["fc1.bias"].item() < 11
    assert logs[0]["epoch"] == 5


def train(path: Path, recipe: str | None, folder: Path, *flags: str) -> tuple[list[dict[str, Any]], Path]:
    """Runs the emitted script in an empty folder: its log, newest first, and where its results are."""
    script = folder / "script.py"
    script.write_text(netc.compile(path, train=recipe).script)
    command = [sys.executable, str(script), "--output", str(folder / "run"), *flags]
    subprocess.run(command, check=True, cwd=folder, timeout=300)
    rows = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    return [row for row in reversed(rows) if "seconds" in row], folder / "run"
