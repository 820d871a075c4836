"""`weights` and `fresh`: a new run starts from a file, of which every key has to fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.recipes.making import block
from tests.recipes.results import assert_same, rows

import netc

torch = pytest.importorskip("torch")
save_file = pytest.importorskip("safetensors.torch").save_file
DATA = ("data: Digits(batch_size=100)", "loss: CrossEntropyLoss", "optimizer: AdamW(1e-2)", "epochs: 1")
START = block(*DATA, 'weights: "start.pt"', "evaluate_first: true")


def test_a_run_starts_from_a_file(run: Callable[..., Path], tmp_path: Path, state: dict[str, Any]) -> None:
    """From a state dict as from a checkpoint, an average in it; what was there before training is what the file has.

    Weights of a time when norms did not count their batches fit, as PyTorch has it.
    """
    torch.save({key: state[key] for key in state if "num_batches" not in key}, tmp_path / "start.pt")
    torch.save({"model": state, "epoch": 3}, tmp_path / "checkpoint.pt")
    average = {f"module.{key}": tensor for key, tensor in state.items()} | {"n_averaged": torch.tensor(2)}
    worse = {key: torch.zeros_like(tensor) for key, tensor in state.items()}
    torch.save({"model": worse, "average": average, "epoch": 3}, tmp_path / "average.pt")
    for name in ("start", "checkpoint", "average"):
        run(START, tmp_path / name, "--weights", str(tmp_path / f"{name}.pt"))
    assert_same(tmp_path / "start", tmp_path / "checkpoint")
    assert_same(tmp_path / "start", tmp_path / "average")
    (row, *_) = rows(tmp_path / "start")
    run(block(*DATA, "evaluate_first: true"), tmp_path / "drawn")
    assert row["epoch"] == 0 and row != rows(tmp_path / "drawn")[0]


def test_fresh_parts_are_drawn(run: Callable[..., Path], tmp_path: Path, state: dict[str, Any]) -> None:
    """Whatever the file has for them; the rest is the file's, and frozen here to be seen after the run."""
    state |= {"fc.weight": torch.zeros(3, 144), "fc.bias": torch.zeros(3)}
    torch.save(state, tmp_path / "start.pt")
    text = block(*DATA, 'weights: "start.pt"', "fresh: fc", "freeze: (conv1, bn1)")
    run(text, tmp_path / "a", "--weights", str(tmp_path / "start.pt"))
    found = torch.load(tmp_path / "a" / "last.pt", weights_only=True)["model"]
    assert all(torch.equal(found[key], state[key]) for key in ("conv1.weight", "conv1.bias", "bn1.weight"))
    assert found["fc.weight"].shape == (10, 144)


def test_safetensors(run: Callable[..., Path], tmp_path: Path, state: dict[str, Any]) -> None:
    save_file(state, tmp_path / "start.safetensors")
    torch.save(state, tmp_path / "start.pt")
    for name in ("start.pt", "start.safetensors"):
        text = block(*DATA, f'weights: "{name}"', "ema: 0.9")
        run(text, tmp_path / f"run {name}", "--weights", str(tmp_path / name))
    assert_same(tmp_path / "run start.pt", tmp_path / "run start.safetensors")


def test_a_resumed_run_does_not_read_it(
    run: Callable[..., Path], tmp_path: Path, state: dict[str, Any]
) -> None:
    torch.save(state, tmp_path / "start.pt")
    text = block(*DATA[:-1], "epochs: 2", 'weights: "start.pt"', "log_every: 1", "modes: evaluate")
    flags = ("--weights", str(tmp_path / "start.pt"))
    run(text, tmp_path / "a", *flags)
    with pytest.raises(SystemExit):
        run(text, tmp_path / "b", *flags, stop_after=20)
    (tmp_path / "start.pt").unlink()
    run(text, tmp_path / "b", "--resume")
    assert_same(tmp_path / "a", tmp_path / "b")
    run(text, tmp_path / "c", "--evaluate", str(tmp_path / "a" / "last.pt"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fc.weight": None}, ("Missing key(s)", "fc.weight")),
        ({"head.weight": torch.zeros(2)}, ("Unexpected key(s)", "head.weight")),
        ({"fc.bias": torch.zeros(7)}, ("fc.bias", "[7]", "[10]")),
    ],
)
def test_what_does_not_fit_is_listed(
    run: Callable[..., Path], tmp_path: Path, state: dict[str, Any], change: dict[str, Any],
    words: tuple[str, ...],
) -> None:  # fmt: skip
    fits = {key: value for key, value in {**state, **change}.items() if value is not None}
    torch.save(fits, tmp_path / "start.pt")
    with pytest.raises(SystemExit, match="cannot start from") as caught:
        run(START, tmp_path / "a", "--weights", str(tmp_path / "start.pt"))
    assert all(word in str(caught.value) for word in words)
    assert not (tmp_path / "a" / "last.pt").exists()


def test_a_file_that_is_not_there(run: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"cannot start from .*nowhere.pt: .*No such file"):
        run(START, tmp_path / "a", "--weights", str(tmp_path / "nowhere.pt"))


SPEC = """
net Small(classes=10):
    input 1x8x8
    conv1: Conv(4, 3); bn1: BatchNorm; relu
    flatten
    fc: Linear(classes)

"""


@pytest.mark.parametrize("settings", [(), ("ema: 0.5",), ("ema: 0.5", "keep: best")])
def test_checkpoints_become_live_networks(
    run: Callable[..., Path], tmp_path: Path, settings: tuple[str, ...]
) -> None:
    """`netc.load` takes what a script wrote: what it evaluates, that is the average where it keeps one."""
    (tmp_path / "small.net").write_text(SPEC + block(*DATA, *settings))
    folder = run(tmp_path / "small.net", tmp_path / "run")
    for name in ("last.pt", "best.pt")[: 1 + ("keep: best" in settings)]:
        model = netc.load(tmp_path / "small.net", weights=folder / name)
        checkpoint = torch.load(folder / name, weights_only=True)
        wanted = checkpoint["model"]
        if settings:
            wanted = {f"module.{key}": tensor for key, tensor in model.state_dict().items()}
            assert wanted.keys() == checkpoint["average"].keys() - {"n_averaged"}
            assert not torch.equal(wanted["module.fc.weight"], checkpoint["model"]["fc.weight"])
            assert all(torch.equal(tensor, checkpoint["average"][key]) for key, tensor in wanted.items())
        else:
            assert all(torch.equal(tensor, wanted[key]) for key, tensor in model.state_dict().items())
