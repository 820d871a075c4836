"""`log`: the epochs as CSV and the figures for TensorBoard and W&B, which a resumed run has once."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.recipes.making import block, script_of
from tests.recipes.results import rows
from tests.recipes.wandb_twin import Wandb

pytest.importorskip("torch")
DATA = ("data: Digits(batch_size=100)", "loss: CrossEntropyLoss", "optimizer: AdamW(1e-2)", "epochs: 3", "log_every: 2")
BOTH = block(*DATA, "evaluate_first: true", "schedule: cosine", "log: (csv, tensorboard)")


def test_a_table_of_epochs(run: Callable[..., Path], tmp_path: Path) -> None:
    text = block(*DATA, "evaluate_first: true", "log: csv")
    with pytest.raises(SystemExit):
        run(text, tmp_path, stop_after=10)
    run(text, tmp_path, "--resume")
    with (tmp_path / "log.csv").open() as file:
        table = list(csv.DictReader(file))
    epochs = [row for row in rows(tmp_path) if "epoch" in row]
    assert [row["epoch"] for row in table] == ["0", "1", "2", "3"]
    assert [float(row["accuracy"]) for row in table] == [row["accuracy"] for row in epochs]


def test_events_for_tensorboard(run: Callable[..., Path], tmp_path: Path) -> None:
    """A run that is stopped, and one that is begun anew in its folder, leave each number once."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    run(BOTH, tmp_path, "--epochs", "1")
    with pytest.raises(SystemExit):
        run(BOTH, tmp_path, stop_after=10)
    run(BOTH, tmp_path, "--resume")
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    for name in ("loss", "test_loss", "accuracy", "train_loss"):
        logged = [(row["examples"], row[name]) for row in rows(tmp_path) if name in row]
        found = [(event.step, event.value) for event in events.Scalars(name)]
        assert [step for step, _ in found] == [step for step, _ in logged]
        assert [value for _, value in found] == pytest.approx([value for _, value in logged])


def test_a_run_at_wandb(run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed run goes on with its own, and each number stands there once."""
    wandb = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    text = block(*DATA, "evaluate_first: true", "schedule: cosine", "log: wandb", "modes: dry_run")
    with pytest.raises(SystemExit):
        run(text, tmp_path, "--lr", "0.02", stop_after=10)
    run(text, tmp_path, "--resume")
    (history,) = wandb.runs.values()
    logged: dict[int, dict[str, float]] = {}
    for row in map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines()):
        numbers = {key: value for key, value in row.items() if isinstance(value, float)}
        logged.setdefault(row["examples"], {}).update(numbers)
    assert history == logged
    assert {"loss", "test_loss", "accuracy", "train_loss"} <= {name for row in history.values() for name in row}
    first, again = wandb.begun
    assert (first["project"], first["resume"], first["config"]["lr"]) == ("small", "allow", 0.02)
    assert first["dir"] == tmp_path and first["mode"] is again["mode"] is None
    run(text, tmp_path, "--dry-run")
    assert wandb.begun[-1]["mode"] == "disabled"


def test_what_is_wrong_at_wandb_is_one_line(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = Wandb()

    def refuse(**_: Any) -> None:
        raise Wandb.Error("No API key configured.")

    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setattr(wandb, "init", refuse)
    with pytest.raises(SystemExit, match=r"^error: No API key configured\.$"):
        run(block(*DATA, "log: wandb"), tmp_path)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(SystemExit, match="pip install wandb"):
        run(block(*DATA, "log: wandb"), tmp_path)


def test_a_missing_package_is_said(run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SystemExit, match="pip install tensorboard"):
        run(BOTH, tmp_path)


def test_scripts_are_clean(tmp_path: Path) -> None:
    logs = ("csv", "tensorboard", "wandb", "(csv, tensorboard)", "(tensorboard, wandb)", "(csv, tensorboard, wandb)")
    shared = ("evaluate_first: true", "metrics: F1")
    for number, log in enumerate(logs):
        for name, more in (("one", ("modes: overfit",)), ("two", ("distributed: ddp", *shared)), ("three", shared)):
            (tmp_path / f"{name}_{number}.py").write_text(script_of(block(*DATA, f"log: {log}", *more)))
    for check in (["check", "--extend-select", "I,UP,B,SIM"], ["format", "--diff"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
