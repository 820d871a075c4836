"""Data from a function of the user's own: what it gives reaches the network, and what is wrong with it is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.recipes.results import assert_same, rows

from netc.diagnostics import Source, SpecError
from netc.pipeline import compile as compile_spec

torch = pytest.importorskip("torch")
CLOUDS = """\
net Clouds(classes=3):
    input (3, P)
    square
    conv: Conv(16, 1); relu
    mean(2)
    fc: Linear(classes)

train:
    data: Function("{function}"{more})
    loss: CrossEntropyLoss
    optimizer: Adam(lr=1e-2)
    epochs: 4
    log_every: 1
"""
BOTH = """\
net Both():
    input picture: 1x4x4
    input kind: int()
    picture -> flatten -> (fc1: Linear(8))
    seen = kind -> (embedding: Embedding(3, 8))
    + seen
    fc: Linear(2)

train:
    data: Function("{function}"{more})
    loss: MSELoss
    optimizer: Adam(lr=1e-2)
    epochs: 4
"""
MODULE = """\
import numpy as np
import torch


def clouds(seed):
    generator = torch.Generator().manual_seed(seed)
    for count in (120, 30):
        kinds = torch.randint(3, (count,), generator=generator)
        yield torch.randn(count, 3, 20, generator=generator) * (1 + kinds[:, None, None])
        yield kinds


def both(seed):
    chance = np.random.default_rng(seed)
    kinds = chance.integers(0, 3, 60)
    pictures = chance.normal(size=(60, 1, 4, 4))
    return (pictures, kinds), np.stack([kinds, pictures.mean((1, 2, 3))], axis=1)


def parts(seed):
    return list(clouds(seed))


def short(seed):
    return parts(seed)[:3]


def narrow(seed):
    return [part[:, :2] if part.dim() == 3 else part for part in clouds(seed)]


def flat(seed):
    return [part.float() for part in clouds(seed)]


def uneven(seed):
    first, second, *rest = clouds(seed)
    return first[1:], second, *rest


def beyond(seed):
    first, second, *rest = clouds(seed)
    return first, second + 1, *rest
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module beside the script, of a name that no other has."""
    (tmp_path / "own_shapes.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_shapes", raising=False)


def clouds(function: str = "own_shapes:parts", more: str = ", classes=3") -> str:
    return CLOUDS.format(function=function, more=more)


def loaded(text: str) -> list[Any]:
    scope: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(compile_spec(Source("own.net", text)).script, "own.py", "exec"), scope)
    return list(scope["load_data"](SimpleNamespace(seed=3)))


def test_it_reaches_the_network_as_it_is() -> None:
    inputs, targets, test_inputs, test_targets = loaded(clouds())
    assert inputs.shape == (120, 3, 20)
    assert test_inputs.shape == (30, 3, 20)
    assert {*targets.tolist()} == {0, 1, 2}
    assert test_targets.dtype == torch.int64


def test_several_inputs() -> None:
    (pictures, kinds), targets = loaded(BOTH.format(function="own_shapes:both", more=", shape=(2,), test=false"))
    assert (pictures.dtype, kinds.dtype, targets.dtype) == (torch.float32, torch.int64, torch.float32)
    assert torch.allclose(targets[:, 0], kinds.float())


def test_scripts_are_clean(tmp_path: Path) -> None:
    both = BOTH.format(function="a:b", more=", shape=(2,), test=false")
    texts = [clouds(), clouds("package.of.modules:function"), both]
    for number, text in enumerate(texts):
        (tmp_path / f"own_{number}.py").write_text(compile_spec(Source("own.net", text)).script)
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, "--isolated", *tmp_path.glob("own_?.py")],
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "text", [clouds(), BOTH.format(function="own_shapes:both", more=", shape=(2,), test=false") + "    log_every: 1\n"]
)
def test_it_learns_and_resumes(run: Callable[..., Path], tmp_path: Path, text: str) -> None:
    spec = tmp_path / "own.net"
    spec.write_text(text)
    run(spec, tmp_path / "a", "--batch-size", "20")
    losses = [row["train_loss"] for row in rows(tmp_path / "a") if "train_loss" in row]
    assert losses[-1] < losses[0]
    with pytest.raises(SystemExit):
        run(spec, tmp_path / "b", "--batch-size", "20", stop_after=4)
    run(spec, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("short", "own_shapes:short gives 3 parts instead of 4"),
        ("narrow", "own_shapes:narrow gives torch.float32 of shape (120, 2, 20) instead of (None, 3, None)"),
        ("flat", "own_shapes:flat gives torch.float32 of shape (120,) instead of torch.int64"),
        ("uneven", "own_shapes:uneven gives parts of unequal lengths or none"),
        ("beyond", "own_shapes:beyond gives classes 1 to 3, not 0 to 2"),
        ("nothing", "cannot import own_shapes:nothing: cannot import name 'nothing' from 'own_shapes'"),
    ],
)
def test_what_is_wrong_with_what_it_gives(function: str, message: str) -> None:
    with pytest.raises(SystemExit) as caught:
        loaded(clouds(f"own_shapes:{function}"))
    assert str(caught.value).startswith(message)


def test_no_module() -> None:
    with pytest.raises(SystemExit, match="cannot import own_forms:clouds: No module named 'own_forms'"):
        loaded(clouds("own_forms:clouds"))


@pytest.mark.parametrize("function", ["clouds", "own shapes:clouds", "own:", "own:class", "a:b:c", "../a:b"])
def test_no_name_of_a_function(function: str) -> None:
    with pytest.raises(SpecError) as caught:
        _ = compile_spec(Source("own.net", clouds(function))).recipe
    assert f"there is no module and function in `{function}`" in str(caught.value)
