"""The specs that we ship: each equals its hand-written twin, builds for every recipe, and its script trains."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.specs.networks import ROOT, SPECS, twin

import netc
from netc import syntax

CLASSIFIERS = ("lenet5", "lenet_functional", "lenet_named", "lenet_sequential", "lenet_sigmoid", "mnist_dropout",
               "googlenet", "residual", "small_cnn", "layer_norms", "recurrent")  # fmt: skip
"""What learns digits' classes within three epochs."""
TRAINED = [path for path in SPECS if "\ntrain" in path.read_text(encoding="utf-8")]


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


@pytest.mark.parametrize("path", [
    pytest.param(path, id=path.stem, marks=[pytest.mark.nightly] * (path.stem not in ("googlenet", "recurrent")))
    for path in TRAINED if path.stem in CLASSIFIERS
])  # fmt: skip
def test_trains_on_digits(path: Path, tmp_path: Path) -> None:
    (log, *_), _ = train(path, "digits", tmp_path, "--epochs", "3")
    assert log["accuracy"] > 0.2 and log["train_loss"] < 2.4


def test_parts_of_a_network_are_read_and_kept(tmp_path: Path) -> None:
    """By path, with their gradients; single tensors, lists and dicts of them."""
    model: Any = netc.load(ROOT / "specs" / "mlp_blocks.net")
    torch.nn.init.normal_(model.head.weight)
    model(torch.randn(4, 1, 28, 28)).square().sum().backward()
    inner = model.get_parameter("tower.block1.2.weight")
    assert inner is model.tower.block1[2].weight and inner.grad.abs().sum() > 0
    assert not model.get_buffer("random.directions").requires_grad
    for kept in (inner.detach(), [*model.buffers()], dict(model.dense.state_dict())):
        torch.save(kept, tmp_path / "kept.pt")
        torch.testing.assert_close(torch.load(tmp_path / "kept.pt", weights_only=True), kept, rtol=0, atol=0)


def test_linear_regression_finds_the_line(tmp_path: Path) -> None:
    logs, folder = train(ROOT / "specs" / "linear_regression.net", None, tmp_path)
    state = torch.load(folder / "last.pt", weights_only=True)["model"]
    assert 9.8 < state["fc1.weight"].item() < 10.1 and 5 < state["fc1.bias"].item() < 11
    assert logs[0]["epoch"] == 5


def train(
    path: Path, recipe: str | None, folder: Path, *flags: str, net: str | None = None
) -> tuple[list[dict[str, Any]], Path]:
    """Runs the emitted script in an empty folder: its log, newest first, and where its results are."""
    script = folder / "script.py"
    script.write_text(netc.compile(path, net, train=recipe).script)
    command = [sys.executable, str(script), "--output", str(folder / "run"), *flags]
    subprocess.run(command, check=True, cwd=folder, timeout=900)
    rows = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    return [row for row in reversed(rows) if "seconds" in row], folder / "run"
